"""Where the time went: the slowest steps, and sums by subsystem, device and service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest
from typing import Callable, NamedTuple

from ._forest import Node, forest
from ._span import Span


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
    """A transaction that waited for the transaction lock, or for that of a device."""

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
    """For the transaction lock."""
    device_lock_waits: Sequence[LockWait]
    """For the lock of the device that the wait deals with."""
    by_locked_device: Sequence[Total]
    """The waits for the locks of devices, by device."""


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
        _lock_waits(everything, _TRANSACTION, count),
        _lock_waits(everything, _DEVICE, count),
        _totals(
            [node for node in nodes if node.span.name in _DEVICE.taking],
            lambda span: span.device,
            count,
        ),
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


class _Lock(NamedTuple):
    """How the steps that deal with a kind of lock are called."""

    taking: tuple[str, ...]
    holding: str | None
    releasing: str
    """What is told where there is no step of holding it: the transaction lock before NSO 6.1."""
    of_device: bool

    def waiter(self, span: Span) -> tuple[object, ...]:
        """What takes the lock, and gives it back."""
        return (*_transaction(span), span.device) if self.of_device else _transaction(span)


_TRANSACTION = _Lock(
    ("taking transaction lock", "grabbing transaction lock"),
    "holding transaction lock",
    "releasing transaction lock",
    of_device=False,
)
_DEVICE = _Lock(("taking device lock",), None, "releasing device lock", of_device=True)


def _lock_waits(spans: Sequence[Span], lock: _Lock, count: int) -> list[LockWait]:
    waits = nlargest(
        count,
        (span for span in spans if span.name in lock.taking and span.duration),
        key=lambda span: span.duration,
    )
    holding = list(_holding(spans, lock))
    return [LockWait(wait, tuple(_holders(wait, holding, lock))) for wait in waits]


def _holding(spans: Sequence[Span], lock: _Lock) -> Iterator[tuple[Span, int, int]]:
    """The steps that hold the lock, or take it where none does, with from and until when."""
    released: dict[tuple[object, ...], list[int]] = {}
    for span in spans:
        if span.name == lock.holding:
            yield span, span.start, span.end
        times = [event.time for event in span.events if event.name == lock.releasing]
        if span.name == lock.releasing:  # told outside of any step
            times.append(span.start)
        if times:
            released.setdefault(lock.waiter(span), []).extend(times)
    for span in spans:
        if span.name in lock.taking:
            times = [time for time in released.get(lock.waiter(span), ()) if time >= span.end]
            if times:
                yield span, span.end, min(times)


def _holders(wait: Span, holding: Iterable[tuple[Span, int, int]], lock: _Lock) -> Iterator[Span]:
    for held, start, end in holding:
        same = _transaction(held) == _transaction(wait)
        elsewhere = lock.of_device and held.device != wait.device
        if not same and not elsewhere and start < wait.end and end > wait.start:
            yield held


def _transaction(span: Span) -> tuple[object, ...]:
    get = span.attributes.get
    return get("nso.usid"), get("nso.tid"), get("nso.datastore")
