"""Times as the protocol writes them: nine numbers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple, Union

if TYPE_CHECKING:
    from ._terms import Terms

NO_ZONE = -111


class DateTime(NamedTuple):
    """A time of day with its offset; `timezone` is -111 when it has none.

    `timezone` is in hours, and bears the sign: -05:30 is (-5, 30). Where it is 0, the minutes do:
    -00:30 is (0, -30).
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
        """`time` as a DateTime; ValueError without a zone, or with one that has seconds."""
        if not isinstance(time, datetime):
            return cls(*time)
        offset = time.utcoffset()
        if offset is None:
            raise ValueError(f"time must be aware: {time!r}")
        minutes, seconds = divmod(offset, timedelta(minutes=1))
        if seconds:
            raise ValueError(f"the offset {offset} of the time is not in whole minutes")
        sign = -1 if minutes < 0 else 1
        zone, zone_minutes = divmod(abs(minutes), 60)
        if not zone:
            zone_minutes *= sign
        return cls(*time.timetuple()[:6], time.microsecond, sign * zone, zone_minutes)

    @classmethod
    def now(cls) -> DateTime:
        """The present, in UTC."""
        return cls.of(datetime.now(timezone.utc))

    def to_datetime(self) -> datetime:
        """An aware datetime; a time without an offset counts as UTC."""
        offset = timedelta()
        if self.timezone != NO_ZONE:
            sign = -1 if self.timezone < 0 else 1
            offset = timedelta(hours=self.timezone, minutes=sign * self.timezone_minutes)
        return datetime(*self[:7], tzinfo=timezone(offset))

    def term(self) -> Terms:
        """The nine elements that stand for it."""
        return (*self[:7], *zone_term(self.timezone, self.timezone_minutes))


def zone_term(hours: int, minutes: int) -> Terms:
    """The two elements that stand for an offset, hours -111 for none."""
    return ([], 0) if hours == NO_ZONE else (hours, minutes)


Time = Union[datetime, DateTime, tuple[int, int, int, int, int, int, int, int, int]]


def microseconds_now() -> int:
    """Microseconds since the epoch."""
    return int(datetime.now(timezone.utc).timestamp() * 1_000_000)
