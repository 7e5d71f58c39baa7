"""Spans from a daemon, as they are finished."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..error import Error
from ._assemble import SpanAssembler
from ._span import Span

if TYPE_CHECKING:
    from ..subscription import Subscription

_IDLE = 0.5  # seconds without a notification after which the assembler is told the time


def follow(
    subscription: Subscription, *, window: float = 0.1, linger: float = 5.0
) -> Iterator[Span]:
    """The spans of what a subscription yields, until it is closed.

    subscription -- to progress; its other events, and markers, are left out
    window, linger -- as for SpanAssembler. The time passes by this host's clock where nothing comes

    When the subscription ends with an Error, what is open is given out before that is raised.
    """
    assembler = SpanAssembler(window=window, linger=linger)
    try:
        while not subscription.closed:
            event = subscription.next(timeout=_IDLE)
            if event is None:
                yield from assembler.advance(time.time_ns() // 1000)
            elif event.name in ("progress", "commit-progress"):
                yield from assembler.add(event.payload, at=int(event.read_at.timestamp() * 1e6))
    except Error:
        yield from assembler.flush()
        if not subscription.closed:
            raise
    yield from assembler.flush()
