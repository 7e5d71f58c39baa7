"""Where the time went: the slowest steps, and sums by subsystem, device and service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest
from typing import Callable, NamedTuple

from ._forest import Node, forest
from ._span import Span

_TAKING = ("taking transaction lock", "grabbing transaction lock")
_HOLDING = "holding transaction lock"
_RELEASING = "releasing transaction lock"  # before NSO 6.1, which has no step of holding it


class Total(NamedTuple):
    """The time of several spans."""

    name: str
    times: int
    self_time: int
    """µs that were spent in them, and in none of the spans within them."""
    longest: int
    """µs of the longest one."""
    failed: int
    """How many failed."""


class LockWait(NamedTuple):
    """A transaction that waited for the transaction lock."""

    span: Span
    """The wait."""
    holders: tuple[Span, ...]
    """The steps of other transactions that held the lock in the meantime, or that took it then."""


class Summary(NamedTuple):
    """What summarized() finds."""

    slowest: Sequence[Span]
    by_step: Sequence[Total]
    by_subsystem: Sequence[Total]
    by_device: Sequence[Total]
    by_service: Sequence[Total]
    lock_waits: Sequence[LockWait]


def summarized(spans: Iterable[Span], *, count: int = 10) -> Summary:
    """Sums up spans of any traces; of each table, the so many entries with the most time."""
    everything = list(spans)
    nodes = [node for root in forest(everything) for _, node in root.walk()]
    return Summary(
        nlargest(count, everything, key=lambda span: span.duration),
        _totals(nodes, lambda span: span.name, count),
        _totals(nodes, lambda span: _text(span, "nso.subsystem"), count),
        _totals(nodes, lambda span: span.device, count),
        _totals(nodes, lambda span: span.service, count),
        _lock_waits(everything, count),
    )


def _text(span: Span, name: str) -> str | None:
    value = span.attributes.get(name)
    return None if value is None else str(value)


def _totals(nodes: Iterable[Node], key: Callable[[Span], str | None], count: int) -> list[Total]:
    groups: dict[str, list[Node]] = {}
    for node in nodes:
        name = key(node.span)
        if name is not None:
            groups.setdefault(name, []).append(node)
    totals = [
        Total(
            name,
            len(group),
            sum(node.self_time for node in group),
            max(node.span.duration for node in group),
            sum(node.span.error is not None for node in group),
        )
        for name, group in groups.items()
    ]
    return nlargest(count, totals, key=lambda total: total.self_time)


def _lock_waits(spans: Sequence[Span], count: int) -> list[LockWait]:
    waits = nlargest(
        count,
        (span for span in spans if span.name in _TAKING and span.duration),
        key=lambda span: span.duration,
    )
    holding = list(_holding(spans))
    return [LockWait(wait, tuple(_holders(wait, holding))) for wait in waits]


def _holding(spans: Sequence[Span]) -> Iterator[tuple[Span, int, int]]:
    """The steps that hold the lock, or take it where none does, with from and until when."""
    released: dict[tuple[object, ...], list[int]] = {}
    for span in spans:
        if span.name == _HOLDING:
            yield span, span.start, span.end
        times = [event.time for event in span.events if event.name == _RELEASING]
        if times:
            released.setdefault(_transaction(span), []).extend(times)
    for span in spans:
        if span.name in _TAKING:
            times = [time for time in released.get(_transaction(span), ()) if time >= span.end]
            if times:
                yield span, span.end, min(times)


def _holders(wait: Span, holding: Iterable[tuple[Span, int, int]]) -> Iterator[Span]:
    for held, start, end in holding:
        same = _transaction(held) == _transaction(wait)
        if not same and start < wait.end and end > wait.start:
            yield held


def _transaction(span: Span) -> tuple[object, ...]:
    get = span.attributes.get
    return get("nso.usid"), get("nso.tid"), get("nso.datastore")
