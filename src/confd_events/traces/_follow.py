"""Spans from a daemon, as they are finished."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Callable

from ..error import Error
from ._assemble import SpanAssembler
from ._span import Span

if TYPE_CHECKING:
    from ..subscription import Event, Subscription

_IDLE = 0.5  # seconds without a notification after which the assembler is told the time
_BURST = 500  # events taken at a time
_CLOSED = "Closed"  # what next() raises after close() says


def follow(
    subscription: Subscription, *, window: float = 0.1, linger: float = 5.0
) -> Iterator[Span]:
    """The spans of what a subscription yields, until it is closed.

    subscription -- to progress; its other events, and markers, are left out
    window, linger -- as for SpanAssembler. The time passes by this host's clock where nothing comes

    When the subscription ends with an Error, what is open is given out before that is raised.
    """
    for batch in _finished(subscription, window, linger, None):
        yield from batch


def follow_batches(
    subscription: Subscription,
    *,
    size: int = 512,
    delay: float = 1.0,
    window: float = 0.1,
    linger: float = 5.0,
    others: Callable[[Mapping[str, Any]], object] | None = None,
) -> Iterator[list[Span]]:
    """As follow(), in lists, for what sends them on.

    size -- the most spans of a list
    delay -- seconds after which a list is given out that has less, half a second more at most
    others -- is called with the payload of each other notification
    """
    return in_batches(_finished(subscription, window, linger, others), size, delay)


def in_batches(finished: Iterator[list[Span]], size: int, delay: float) -> Iterator[list[Span]]:
    """Spans in lists of a size, or less after a delay; an empty list lets the time pass."""
    waiting: list[Span] = []
    due = 0.0
    try:
        for batch in finished:
            if batch and not waiting:
                due = time.monotonic() + delay
            waiting += batch
            while len(waiting) >= size:
                yield waiting[:size]
                del waiting[:size]
            if waiting and time.monotonic() >= due:
                yield waiting
                waiting = []
    except Error:
        if waiting:
            yield waiting
        raise
    if waiting:
        yield waiting


def _finished(
    subscription: Subscription,
    window: float,
    linger: float,
    others: Callable[[Mapping[str, Any]], object] | None,
) -> Iterator[list[Span]]:
    """The spans that are finished with each notification, or while none comes."""
    assembler = SpanAssembler(window=window, linger=linger)
    try:
        while True:  # until it raises that it is over
            burst = subscription.batch(_BURST, _IDLE)
            if burst:
                yield _added(assembler, burst, others)
            else:
                yield assembler.advance(time.time_ns() // 1000)
    except Error as error:
        yield assembler.flush()
        if error.confd_strerror != _CLOSED:
            raise


def _added(
    assembler: SpanAssembler,
    burst: Iterable[Event],
    others: Callable[[Mapping[str, Any]], object] | None,
) -> list[Span]:
    """The spans that are finished with a burst of events."""
    found: list[Span] = []
    told: list[Mapping[str, Any]] = []
    for event in burst:
        progress = event.raw.get("progress")
        if not isinstance(progress, dict):
            if others is not None:
                others(event.payload)
        elif "timestamp" in progress:
            told.append(progress)
        else:
            found += assembler.add(progress, int(event.read_at.timestamp() * 1e6))
    return found + assembler.add_all(told)
