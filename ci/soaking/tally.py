"""What one subscriber has had, checked number by number."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import confd_events as events
from confd_events import Connected, Dropped, Notif

from .kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confd_events import AsyncSubscription, Event, Subscription

    S = TypeVar("S", Subscription, AsyncSubscription)


class Tally:
    """Counts of one subscriber, and its complaints.

    A number may differ from the one after the last only where a Dropped says by how much or,
    unless the subscriber replays a stream, the connection was lost.
    """

    def __init__(self, name: str) -> None:
        self._kind = KINDS[name]
        self._received = 0
        self._ended: Counter[str] = Counter()
        self._subscription: Subscription | AsyncSubscription | None = None
        self._expected: int | None = None
        self.problems: list[str] = []

    @contextmanager
    def of(self, subscription: S) -> Iterator[S]:
        """Counts what a subscription does, until the block is left."""
        self._subscription = subscription
        try:
            yield subscription
        finally:
            self._subscription = None
            self._ended.update(_counts(subscription))

    def handle(self, event: Event) -> None:
        """Notes what a subscription yielded."""
        if isinstance(event, Dropped) and self._expected is not None:
            self._expected += event["count"]
        elif isinstance(event, Connected) and self._kind.number:
            self.gap()
        elif event.type:
            self.take(event.raw)

    def take(self, raw: Any) -> None:
        """Notes a notification."""
        self._received += 1
        number = self._number(raw)
        if number is None:
            return
        if self._expected not in (None, number):
            self.problems.append(f"got {number} instead of {self._expected}")
        self._expected = number + 1

    def _number(self, raw: Any) -> int | None:
        if raw["type"] != Notif.STREAM_EVENT:
            return int(
                next(value for key, value in raw.items() if key != "type")[self._kind.number]
            )
        if raw["stream"]["type"] != events.STREAM_NOTIFICATION_EVENT:
            self.problems.append(f"a stream notification of type {raw['stream']['type']}")
            return None
        return int(raw["stream"]["values"][1].v.as_pyval())

    def gap(self) -> None:
        """Notes that any number may be next."""
        self._expected = None

    def report(self) -> dict[str, Any]:
        """All counts so far."""
        counts = self._ended.copy()
        subscription = self._subscription
        if subscription is not None:
            counts.update(_counts(subscription))
        return {
            "received": self._received,
            "last": None if self._expected is None else self._expected - 1,
            **{key: counts[key] for key in ("dropped", "acknowledged", "reconnects")},
            "problems": self.problems[:10],
        }


def _counts(subscription: Subscription | AsyncSubscription) -> dict[str, int]:
    stats = subscription.stats()
    return {
        "dropped": stats.dropped,
        "acknowledged": stats.acknowledged,
        "reconnects": stats.reconnects,
    }
