"""What the check of frames costs, alone and as a share of reading a burst."""

from __future__ import annotations

import ctypes
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import confd_events as events
from confd_events.description.catalog import NOTIFICATIONS

from .candidates import Run
from .library import EXTENSION, compile_with_headers, shape_tables
from .loads import LOADS, variants
from .sender import Job, Sender

_ROUNDS_OF_CHECK = 100


class Cost(NamedTuple):
    """Of one event."""

    load: str
    check: float
    """ns in the check."""
    burst: float
    """ns in read_notifications(), the check among them."""
    percent: float


def check_costs(
    sender: Sender, bursts: Run, loads: Sequence[str], count: int, rounds: int, folder: Path
) -> list[Cost]:
    """The medians of so many rounds of so many events."""
    check = _load(folder)
    return [_cost(sender, bursts, check, load, count, rounds) for load in loads]


def _load(folder: Path) -> ctypes.CDLL:
    bits = {
        n.name: str(int(getattr(events, n.name))) for n in NOTIFICATIONS if hasattr(events, n.name)
    }
    library = events.library()
    rendered = shape_tables.render(library["api_level"], library["product"], bits)
    (folder / "shape_tables.h").write_text(rendered)
    source = Path(__file__).with_name("check.c")
    includes = [f"-I{folder}", f"-I{EXTENSION}"]
    check = compile_with_headers(source, folder / "check.so", "-O3", *includes)
    check.time_checks.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_long]
    check.time_checks.restype = ctypes.c_long
    return check


def _cost(
    sender: Sender, bursts: Run, check: ctypes.CDLL, load: str, count: int, rounds: int
) -> Cost:
    frames = variants(LOADS[load])
    stream = b"".join(frames)
    in_check, in_burst = [], []
    for _ in range(rounds):
        took = check.time_checks(stream, len(stream), _ROUNDS_OF_CHECK)
        if took < 0:
            raise SystemExit(f"bench: the check refuses a valid frame of {load}")
        in_check.append(took / _ROUNDS_OF_CHECK / len(frames))
        in_burst.append(bursts(sender, Job(frames, count)) / count)
    ns, burst = statistics.median(in_check), statistics.median(in_burst)
    return Cost(load, ns, burst, 100 * ns / burst)
