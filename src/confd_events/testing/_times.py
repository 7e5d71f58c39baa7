"""Times as the protocol writes them: nine numbers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import NamedTuple, Union

NO_ZONE = -111


class DateTime(NamedTuple):
    """A time of day with its offset; both offsets are -111 when it has none.

    `timezone` is in hours and `timezone_minutes` in minutes with the same sign: (-5, -30).
    """

    year: int
    month: int
    day: int
    hour: int
    min: int
    sec: int
    micro: int
    timezone: int
    timezone_minutes: int

    @classmethod
    def of(cls, time: Time) -> DateTime:
        """`time` as a DateTime; ValueError for a datetime without a zone."""
        if not isinstance(time, datetime):
            return cls(*time)
        offset = time.utcoffset()
        if offset is None:
            raise ValueError(f"time must be aware: {time!r}")
        minutes = int(offset.total_seconds() / 60)
        sign = -1 if minutes < 0 else 1
        zone, zone_minutes = divmod(abs(minutes), 60)
        return cls(*time.timetuple()[:6], time.microsecond, sign * zone, sign * zone_minutes)

    @classmethod
    def now(cls) -> DateTime:
        """The present, in UTC."""
        return cls.of(datetime.now(timezone.utc))

    def to_datetime(self) -> datetime:
        """An aware datetime; a time without an offset counts as UTC."""
        offset = timedelta()
        if self.timezone != NO_ZONE:
            offset = timedelta(hours=self.timezone, minutes=self.timezone_minutes)
        return datetime(*self[:7], tzinfo=timezone(offset))


Time = Union[datetime, DateTime, tuple[int, int, int, int, int, int, int, int, int]]


def microseconds_now() -> int:
    """Microseconds since the epoch."""
    return int(datetime.now(timezone.utc).timestamp() * 1_000_000)
