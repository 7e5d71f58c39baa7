"""Where a subscription is in its stream, so that after a gap it goes on from there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..enums import StreamType

if TYPE_CHECKING:
    from .._events import DateTime, Value

Raw = Mapping[str, Any]


class Replay:
    """The last event seen, and what of a replay has been seen before.

    Several events may have the same time, so those of the last time are kept to compare with.
    """

    def __init__(self, start: datetime | None) -> None:
        self.start = start or datetime.now(timezone.utc)
        """The time of the last event, from which to replay; at first, that of subscribing."""
        self._seen_at_start: Counter[object] = Counter()
        self._to_skip: Counter[object] | None = None
        # What ends the replay and the stream, of which the consumer is told once. It is not told
        # of the end of a replay that it did not ask for.
        self._told = {int(StreamType.REPLAY_COMPLETE)} if start is None else set()

    def resume(self) -> None:
        """From now on a replay from `start` comes."""
        self._to_skip = self._seen_at_start.copy()

    def is_new(self, raw: Raw) -> bool:
        """Whether a stream notification is to be delivered; notes that it is."""
        payload = raw["stream"]
        if payload["type"] == StreamType.NOTIFICATION_EVENT:
            return self._is_new_event(payload)
        self._to_skip = None
        if payload["type"] == StreamType.REPLAY_FAILED:
            return True
        told = payload["type"] in self._told
        self._told.add(payload["type"])
        return not told

    def _is_new_event(self, payload: Raw) -> bool:
        time = _time_of(payload)
        if time is None:
            return True
        key = tuple(payload["values"])
        if self._to_skip is not None:
            if time < self.start:
                return False
            if time == self.start and self._to_skip[key]:
                self._to_skip[key] -= 1
                return False
        if time > self.start:
            self.start = time
            self._seen_at_start.clear()
            if self._to_skip is not None:
                self._to_skip.clear()
        if time == self.start:
            self._seen_at_start[key] += 1
        return True


def _time_of(payload: Raw) -> datetime | None:
    """The time of an event, or None if it is one that no datetime has."""
    return time_of(payload["event_time"])


def time_of(time: DateTime | Value) -> datetime | None:
    """A time, in UTC if it names no zone; None if it is one that no datetime has."""
    try:
        result = time.to_datetime()
    except ValueError:
        return None
    return result if result.tzinfo else result.replace(tzinfo=timezone.utc)
