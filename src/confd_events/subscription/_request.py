"""What a subscription asks the daemon for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Union

from .._events import NotificationsData
from ..description.catalog import NOTIFICATIONS, Notification
from ..description.releases import in_use, lacking
from ..enums import Notif, Verbosity, label, notif

if TYPE_CHECKING:
    from ._names import Name
else:
    Name = str

What = Union[int, Name]
"""A notification: its bit, bits combined by |, or a name such as "commit-diff"."""
Seconds = Union[float, timedelta]
Time = Union[datetime, str, None]

# What NotificationsData calls the arguments of subscribe().
_ARGUMENTS = {
    "stream_name": "stream",
    "start_time": "start",
    "stop_time": "stop",
    "xpath_filter": "filter",
}

# Milliseconds: the daemon takes a shorter interval as this.
_SHORTEST = 1000

# Each flag does nothing without the notification that it is about.
_FLAGS = {
    Notif.AUDIT_SYNC: Notif.AUDIT,
    Notif.HA_INFO_SYNC: Notif.HA_INFO,
    Notif.AUDIT_NETWORK_SYNC: Notif.AUDIT_NETWORK,
}

# What needs an option beside its bit, and the flag by which the daemon leaves syslog alone.
_NOT_PLAIN = Notif.HEARTBEAT | Notif.HEALTH_CHECK | Notif.STREAM_EVENT | Notif.TAKEOVER_SYSLOG


def available() -> Iterator[Notification]:
    """The notifications that the library in use knows."""
    return (each for each in NOTIFICATIONS if in_use(each.name))


def named(name: str) -> Notif:
    """The bits of a notification's name; ValueError for one that the library does not have."""
    bits = notif(name)
    for bit in Notif:
        if bits & bit and not in_use(f"NOTIF_{bit.name}"):
            raise ValueError(lacking(f"NOTIF_{bit.name}"))
    return bits


def plain() -> Notif:
    """The bits of those that need nothing but to be asked for, without those that say how."""
    mask = Notif(0)
    for notification in available():
        mask |= notif(notification.name)
    return mask & ~_NOT_PLAIN


class Request(NamedTuple):
    """A mask, and what its bits need beside it."""

    mask: int
    data: NotificationsData
    heartbeat: float | None
    """Seconds between heartbeats, as the daemon sends them."""
    hidden: int
    """The bits that are there for the subscription itself, not for its consumer."""

    def replayed_from(self, start: datetime | None) -> Request:
        """The same, with the stream replayed from another time; live when it is None."""
        data = self.data
        again = NotificationsData(
            data.heartbeat_interval,
            data.health_check_interval,
            data.stream_name,
            start,
            None if start is None else data.stop_time,
            data.xpath_filter,
            data.usid,
            data.verbosity,
        )
        return self._replace(data=again)


def request(
    what: tuple[What, ...],
    heartbeat: Seconds | None,
    health_check: Seconds | None,
    stream: str | None,
    start: Time,
    stop: Time,
    filter: str | None,  # noqa: A002, as the public function calls it
    usid: int,
    verbosity: int | str | None,
) -> Request:
    """The request for a subscription; the arguments are those of subscribe().

    Raises TypeError or ValueError for an argument that is wrong.
    """
    asked = _mask(what)
    mask = asked
    if heartbeat is not None:
        mask |= Notif.HEARTBEAT
    if health_check is not None:
        mask |= Notif.HEALTH_CHECK
    if stream is not None:
        mask |= Notif.STREAM_EVENT
    hidden = int(mask & Notif.HEARTBEAT & ~asked)
    _check_whole(mask & ~hidden, mask)
    _check_needs(mask, heartbeat, health_check, stream)
    _check_stream_options(stream, start=start, stop=stop, filter=filter, usid=usid or None)
    beat = None if heartbeat is None else _milliseconds("heartbeat", heartbeat)
    check = None if health_check is None else _milliseconds("health_check", health_check)
    data = _data(beat or 0, check or 0, stream, start, stop, filter, usid, _verbosity(verbosity))
    return Request(mask, data, None if beat is None else max(beat, _SHORTEST) / 1000, hidden)


def _mask(what: tuple[What, ...]) -> int:
    mask = 0
    for one in what:
        if isinstance(one, str):
            mask |= named(one)
        elif isinstance(one, int):
            mask |= one
        else:
            raise TypeError(f"what: expected bits or a name, not {type(one).__name__}")
    return mask


def _data(*values: Any) -> NotificationsData:
    """Errors name the arguments of subscribe()."""
    try:
        return NotificationsData(*values)
    except (TypeError, ValueError) as error:
        name, colon, text = str(error).partition(":")
        raise type(error)(_ARGUMENTS.get(name, name) + colon + text) from None


def _check_whole(shown: int, mask: int) -> None:
    """Refuses a mask that delivers nothing, or a flag without its notification."""
    if not shown:
        raise ValueError("what: nothing to subscribe to; name notifications such as 'audit'")
    for flag, meant in _FLAGS.items():
        if mask & flag and not mask & meant:
            raise ValueError(f"what: {label(flag)} does nothing without {label(meant)}")


def _check_needs(
    mask: int, heartbeat: Seconds | None, health_check: Seconds | None, stream: str | None
) -> None:
    """Refuses a bit without what it needs."""
    if mask & Notif.HEARTBEAT and heartbeat is None:
        raise ValueError("heartbeat: give the interval in seconds for heartbeat")
    if mask & Notif.HEALTH_CHECK and health_check is None:
        raise ValueError("health_check: give the interval in seconds for health-check")
    if mask & Notif.STREAM_EVENT and not stream:
        raise ValueError("stream: give the name of the stream for stream-event")


def _check_stream_options(stream: str | None, **options: Any) -> None:
    for argument, value in options.items():
        if value is not None and stream is None:
            raise ValueError(f"{argument}: is for a stream; give stream, too")
        if isinstance(value, datetime) and value.utcoffset() is None:
            raise ValueError(f"{argument}: {value!r} has no time zone; add tzinfo")


def _milliseconds(argument: str, interval: Seconds) -> int:
    if isinstance(interval, timedelta):
        interval = interval.total_seconds()
    if not isinstance(interval, (int, float)):
        raise TypeError(f"{argument}: expected seconds, not {type(interval).__name__}")
    if not 0.001 <= interval <= 2**31 / 1000 - 1:
        raise ValueError(f"{argument}: {interval} s is not an interval; give 0.001 s or more")
    return round(interval * 1000)


def _verbosity(verbosity: int | str | None) -> int:
    if verbosity is None:
        return 0
    if not isinstance(verbosity, str):
        return verbosity
    names = {label(member): member for member in Verbosity}
    if verbosity not in names:
        raise ValueError(f"verbosity: {verbosity!r} is none of {', '.join(names)}")
    return names[verbosity]
