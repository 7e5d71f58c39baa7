"""The command line of `ci/bench`."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple

import confd_events

from .busy import beside_busy_threads
from .candidates import candidates
from .changes import changes_read
from .check import check_costs
from .forward import forwarded
from .growth import grown
from .latency import latencies
from .library import load_loops
from .loads import LOADS
from .memory import growth_of_dropped, import_ms, kept_bytes
from .sender import Sender, running_sender
from .table import measure
from .traces import traced


class Scale(NamedTuple):
    """How much is measured."""

    rounds: int
    events: int
    """In a round."""
    busy: int
    """Events beside busy threads."""
    kept: int
    dropped: int
    paced: int
    """Events at 1,000 a second."""
    largest: int
    """Tags and devices of the largest event."""
    seconds: float
    """Of progress notifications at the pace of a busy daemon."""
    transactions: int
    """As fast as spans are made of them."""
    records: int
    """Of the forwarder, in a round."""
    deliveries: int
    """Rounds of the forwarder."""
    changes: int
    """Of a commit."""


FULL = Scale(
    25,
    5000,
    300_000,
    100_000,
    2_000_000,
    5000,
    10_000,
    60.0,
    20_000,
    records=20_000,
    deliveries=7,
    changes=100_000,
)
QUICK = Scale(
    3, 1000, 20_000, 10_000, 50_000, 300, 1000, 0.5, 40, records=1000, deliveries=1, changes=1000
)
PARTS = ("speed", "busy", "memory", "latency", "growth", "check", "traces", "forward", "diff")


def main() -> None:
    """Measure and print."""
    options = _options()
    scale = QUICK if options.quick else FULL
    scale = scale._replace(
        rounds=options.rounds or scale.rounds,
        events=options.count or scale.events,
        records=options.count or scale.records,
        deliveries=options.rounds or scale.deliveries,
        changes=options.count or scale.changes,
    )
    with tempfile.TemporaryDirectory() as folder, running_sender() as sender:
        results = _measured(options, scale, sender, Path(folder))
    if options.json:
        text = json.dumps({"machine": _machine(), **results}, indent=1)
        Path(options.json).write_text(text + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measure reading against C.")
    parser.add_argument("--quick", action="store_true", help="a few rounds of few events")
    parser.add_argument("--json", metavar="FILE", help="write the results there too")
    parser.add_argument("--rounds", type=int, help="rounds of the table of speeds")
    parser.add_argument("--count", type=int, help="events in a round")
    parser.add_argument("--load", action="append", choices=LOADS, help="only this load")
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part")
    parser.add_argument(
        "--vendor", metavar="DIR", help="a row for the vendor's Python modules, which are there"
    )
    return parser.parse_args()


def _machine() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "kernel": platform.release(),
        "libconfd": "stub" if confd_events.library()["stub"] else confd_events.library()["version"],
    }


def _measured(
    options: argparse.Namespace, scale: Scale, sender: Sender, folder: Path
) -> dict[str, Any]:
    loops = load_loops(folder)
    all_candidates = candidates(loops, options.vendor)
    bursts, iterator = all_candidates[3:5]
    parts: dict[str, Callable[[], Sequence[Any]]] = {
        "speed": lambda: measure(
            sender, all_candidates, options.load or list(LOADS), scale.events, scale.rounds
        ),
        "busy": lambda: [
            beside_busy_threads(sender, candidate, threads, scale.busy)
            for candidate in (bursts, iterator)
            for threads in (1, 4)
        ],
        "memory": lambda: [
            Figure("a kept audit dict, bytes", kept_bytes(sender, "audit", scale.kept)),
            Figure("a kept commit dict, bytes", kept_bytes(sender, "commit", scale.kept)),
            Figure(
                f"growth by {scale.dropped} dropped, bytes",
                growth_of_dropped(sender, "audit", scale.dropped),
            ),
            Figure("import confd_events, ms", import_ms(scale.rounds)),
        ],
        "latency": lambda: latencies(sender, loops, scale.paced),
        "growth": lambda: grown(sender, bursts.run, scale.largest, 8),
        "check": lambda: check_costs(
            sender,
            bursts.run,
            options.load or list(LOADS),
            scale.events,
            scale.rounds,
            folder,
        ),
        "traces": lambda: [
            traced(folder, scale.seconds, None),
            traced(folder, None, scale.transactions),
        ],
        "forward": lambda: forwarded(sender, folder, scale.records, scale.deliveries),
        "diff": lambda: changes_read(
            loops, folder / "changes", options.vendor, scale.changes, scale.deliveries
        ),
    }
    return {
        name: _shown(name, rows())
        for name, rows in parts.items()
        if name in (options.part or PARTS)
    }


class Figure(NamedTuple):
    """One number."""

    what: str
    value: float


def _shown(name: str, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Print the rows as a table; return them as JSON has them."""
    lines = [rows[0]._fields, *(map(_cell, row) for row in rows)]
    columns = list(zip(*map(tuple, lines)))
    widths = [max(map(len, column)) for column in columns]
    is_text = [isinstance(cell, str) for cell in rows[0]]
    print(f"\n{name}")
    for line in zip(*columns):
        cells = zip(line, widths, is_text)
        print("  ".join(c.ljust(w) if text else c.rjust(w) for c, w, text in cells).rstrip())
    sys.stdout.flush()
    return [row._asdict() for row in rows]


def _cell(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:,.2f}" if abs(cell) < 100 else f"{cell:,.0f}"
    return str(cell)


if __name__ == "__main__":
    main()
