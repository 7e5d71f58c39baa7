"""Speed: every candidate on every load, by turns."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from .candidates import Candidate
from .loads import LOADS, variants
from .sender import Job, Sender


class Row(NamedTuple):
    """How fast a candidate read a load."""

    load: str
    candidate: str
    median: float
    """Nanoseconds for an event."""
    spread: float
    """From the first to the third quartile, in nanoseconds."""
    ratio: float
    """To the first candidate: the median of the ratios of each round."""


def measure(
    sender: Sender,
    candidates: Sequence[Candidate],
    loads: Sequence[str],
    count: int,
    rounds: int,
) -> list[Row]:
    """Read each load by each candidate, round by round, so that all meet the same conditions."""
    return [
        row
        for load in loads
        for row in _measure_load(
            sender, candidates, load, Job(variants(LOADS[load]), count), rounds
        )
    ]


def _measure_load(
    sender: Sender, candidates: Sequence[Candidate], load: str, job: Job, rounds: int
) -> list[Row]:
    able = [c for c in candidates if load in c.loads or not c.loads]
    times: dict[str, list[float]] = {c.name: [] for c in able}
    for number in range(rounds + 1):
        for candidate in able:
            spent = candidate.run(sender, job) / job.total
            if number:  # the first round warms up
                times[candidate.name].append(spent)
    first = times[able[0].name]
    return [_row(load, name, spent, first) for name, spent in times.items()]


def _row(load: str, name: str, times: list[float], first: list[float]) -> Row:
    ratios = [mine / its for mine, its in zip(times, first)]
    return Row(load, name, statistics.median(times), _spread(times), statistics.median(ratios))


def _spread(times: list[float]) -> float:
    if len(times) < 2:
        return 0.0
    low, _, high = statistics.quantiles(times, n=4)
    return high - low
