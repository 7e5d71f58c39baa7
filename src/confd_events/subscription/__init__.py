"""Subscriptions: subscribe() and subscribe_async(), and the events that they give.

The modules beside this are its parts. What other packages use of them is named here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._backoff import Backoff
from ._event import Connected, Disconnected, Dropped, Event, Undecodable
from ._request import available, named, plain, request
from ._subscription import Stats

if TYPE_CHECKING:  # what these give depends on what is asked for
    from ._typed import AsyncSubscription, Subscription, subscribe, subscribe_async
else:
    from ._subscription import Subscription, subscribe

__all__ = [
    "AsyncSubscription",
    "Backoff",
    "Connected",
    "Disconnected",
    "Dropped",
    "Event",
    "Stats",
    "Subscription",
    "Undecodable",
    "available",
    "named",
    "plain",
    "request",
    "subscribe",
    "subscribe_async",
]


if not TYPE_CHECKING:  # to a type checker, this function would be any attribute

    def __getattr__(name: str) -> object:
        """Loads asyncio for who asks for it: that takes longer than all else."""
        if name not in ("AsyncSubscription", "subscribe_async"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from . import _asyncio

        return getattr(_asyncio, name)
