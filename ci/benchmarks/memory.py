"""What kept events weigh, what dropped ones leave behind, and the time of an import."""

from __future__ import annotations

import gc
import os
import socket
import statistics
import subprocess
import sys
import time
from typing import Any

import confd_events as events

from .loads import LOADS, variants
from .sender import Job, Sender


def kept_bytes(sender: Sender, load: str, count: int) -> float:
    """Resident memory for each of so many kept dicts, in bytes."""
    with sender.connected(Job(variants(LOADS[load]), 2 * count)) as sock:
        _drop(sock, count)
        gc.collect()
        before = resident()
        kept: list[Any] = []
        while len(kept) < count:
            kept += events.read_notifications(sock, min(1000, count - len(kept)))
        return (resident() - before) / count


def growth_of_dropped(sender: Sender, load: str, count: int) -> int:
    """By how many bytes the process grows while it reads so many and drops them."""
    warm_up = min(10_000, count // 2)
    with sender.connected(Job(variants(LOADS[load]), count)) as sock:
        _drop(sock, warm_up)
        before = resident()
        _drop(sock, count - warm_up)
        return resident() - before


def import_ms(rounds: int) -> float:
    """By how many milliseconds `import confd_events` makes the start of Python longer."""
    differences = []
    for _ in range(rounds):
        bare = _run("pass")
        differences.append(_run("import confd_events") - bare)
    return statistics.median(differences) * 1000


def _drop(sock: socket.socket, count: int) -> None:
    while count:
        count -= len(events.read_notifications(sock, min(1000, count)))


def resident() -> int:
    """The memory of this process, in bytes."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _run(program: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - started
