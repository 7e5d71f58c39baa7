"""Reading beside threads that compute without a pause."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from .candidates import Candidate
from .loads import LOADS, variants
from .sender import Job, Sender


class Beside(NamedTuple):
    """A candidate beside busy threads."""

    candidate: str
    threads: int
    per_second: float
    """Audit events."""
    speed_left: float
    """What the busy threads still do, as a part of what they do without it."""


class _Busy:
    """Threads that count."""

    def __init__(self, threads: int) -> None:
        self._counts = [0] * threads
        self._ending = False
        self._threads = [threading.Thread(target=self._count, args=(n,)) for n in range(threads)]

    def __enter__(self) -> _Busy:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        for thread in self._threads:
            thread.join()

    def _count(self, number: int) -> None:
        while not self._ending:
            self._counts[number] += 1

    @property
    def count(self) -> int:
        return sum(self._counts)


def beside_busy_threads(sender: Sender, candidate: Candidate, threads: int, count: int) -> Beside:
    """Read so many audit notifications beside so many busy threads."""
    with _Busy(threads) as busy:
        alone = _speed(busy, 0.3)
        before = busy.count
        spent = candidate.run(sender, Job(variants(LOADS["audit"]), count)) / 1e9
        beside = (busy.count - before) / spent
    return Beside(candidate.name, threads, count / spent, beside / alone)


def _speed(busy: _Busy, seconds: float) -> float:
    started, before = time.perf_counter(), busy.count
    time.sleep(seconds)
    return (busy.count - before) / (time.perf_counter() - started)
