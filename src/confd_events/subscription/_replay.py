"""Where a subscription is in its stream, so that after a gap it goes on from there."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ..enums import StreamType

if TYPE_CHECKING:
    from .._events import DateTime, Value

Raw = Mapping[str, Any]

# How far the times of events may be out of order, and what is replayed again for their sake.
_WINDOW = timedelta(seconds=10)

# By how much the client's clock may be ahead of the daemon's; of interest only before the first
# event, which tells the daemon's time.
_AHEAD = timedelta(seconds=60)

# The most events that are remembered, however many come within the window.
_REMEMBERED = 20_000

_INSTANT = timedelta(microseconds=1)
_EARLIEST = datetime.min.replace(tzinfo=timezone.utc)


class Replay:
    """The last event seen, and those before it that a replay may bring once more.

    A replay is asked for from some seconds before the last event, and what was seen is left out of
    it: events may have the same time, or come out of order. They are compared by hash. When a
    replay is lost before it has brought anything new, the next begins later.
    """

    def __init__(self, start: datetime | None) -> None:
        self._asked = start
        self._began = time.monotonic()
        self._last: datetime | None = None
        self._seen: deque[tuple[datetime, int]] = deque()
        self._counts: Counter[int] = Counter()
        # The latest of the times of which an event is not remembered any more.
        self._forgotten = _EARLIEST
        self._to_skip: Counter[int] | None = None
        self._window = _WINDOW
        self._brought_new = True
        # When the last event was read, by time.monotonic(), and the last before the last loss.
        self._read_at = self._gap_since = self._began
        # From when a replay was asked for, until an event shows that the clock was set back.
        self._from: datetime | None = None
        self._again_from: datetime | None = None
        self.set_back = False
        """Whether the daemon's clock was set back in the gap: then the replay did not bring what
        has come since, and another is to be asked for."""
        self.failed = False
        """Whether the daemon had no replay that was asked for: it sends no more of the stream."""
        # What ends the replay and the stream, of which the consumer is told once. It is not told
        # of the end of a replay that it did not ask for.
        self._told = {int(StreamType.REPLAY_COMPLETE)} if start is None else set()

    def lost(self) -> None:
        """The connection is lost; the next replay is to begin at `start`."""
        self._window = _WINDOW if self._brought_new else self._window / 2

    @property
    def start(self) -> datetime:
        """The time from which to replay. The daemon sends what is later than that."""
        if self._again_from is not None:
            return self._again_from
        if self._last is None:
            return self._asked or self._time_of_subscribing()
        start = _before(self._last, self._window)
        if start < self._forgotten <= self._last:
            start = self._forgotten
        return min(start, _before(self._last, _INSTANT))

    def _time_of_subscribing(self) -> datetime:
        # Not as read from the clock then, which may have been set since.
        ago = timedelta(seconds=time.monotonic() - self._began)
        return _before(datetime.now(timezone.utc), ago + _AHEAD)

    def resume(self) -> None:
        """From now on a replay from `start` comes."""
        self._to_skip = self._counts.copy()
        # Who asked for events from a time on has those before it all the same, if they come live.
        told = not self.failed and (self._last is not None or self._asked is None)
        self._from = self.start if told else None
        self._gap_since = self._read_at
        self.failed = self.set_back = self._brought_new = False

    def is_new(self, raw: Raw) -> bool:
        """Whether a stream notification is to be delivered; notes that it is."""
        payload = raw["stream"]
        if payload["type"] == StreamType.NOTIFICATION_EVENT:
            return self._is_new_event(payload)
        self._to_skip = self._again_from = None
        self._brought_new = True
        if payload["type"] == StreamType.REPLAY_FAILED:
            self.failed = True
            return True
        told = payload["type"] in self._told
        self._told.add(payload["type"])
        return not told

    def _is_new_event(self, payload: Raw) -> bool:
        when = _time_of(payload)
        if when is None:
            return True
        key = hash((when, *payload["values"]))
        if self._to_skip is not None and self._to_skip[key] > 0:
            self._to_skip[key] -= 1
            return False
        self._last, self._brought_new = when, True
        self._read_at = time.monotonic()
        self._again_from = None
        if self._from is not None and when < self._from:
            self._note_set_back(when)
        self._seen.append((when, key))
        self._counts[key] += 1
        self._forget(_before(when, _WINDOW))
        return True

    def _note_set_back(self, when: datetime) -> None:
        """Notes that an event came which is earlier than all that were asked for.

        What was missed came before it by the daemon's clock as well, by no more than the gap was
        long.
        """
        gap = timedelta(seconds=self._read_at - self._gap_since)
        self._again_from = _before(when, gap + _WINDOW)
        self._from, self.set_back = None, True

    def _forget(self, before: datetime) -> None:
        seen, counts = self._seen, self._counts
        while seen[0][0] < before or len(seen) > _REMEMBERED:
            when, key = seen.popleft()
            self._forgotten = max(self._forgotten, when)
            counts[key] -= 1
            if not counts[key]:
                del counts[key]


def _before(when: datetime, by: timedelta) -> datetime:
    try:
        return when - by
    except OverflowError:
        return _EARLIEST


def _time_of(payload: Raw) -> datetime | None:
    """The time of an event, or None if it is one that no datetime has."""
    return time_of(payload["event_time"])


def time_of(when: DateTime | Value) -> datetime | None:
    """A time, in UTC if it names no zone; None if it is one that no datetime has."""
    try:
        result = when.to_datetime()
    except ValueError:
        return None
    return result if result.tzinfo else result.replace(tzinfo=timezone.utc)
