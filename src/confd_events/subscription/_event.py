"""What a subscription yields: notifications, and markers of what happened to the subscription."""

from __future__ import annotations

import time
import warnings
from datetime import datetime, timezone
from enum import IntEnum, IntFlag
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast

from .. import maapi
from .._events import _Notification
from .._render import member_of, readable, to_dict, to_json
from ..enums import Notif, label
from ..error import DaemonSilent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

    from typing_extensions import Self

    from ..maapi import Change
    from ..payloads import NotificationDict
    from ._connection import Connection
    from ._names import Key

_TYPES = {int(bit): bit for bit in Notif}
_SHOWN = 60  # characters of a value in a repr


class Event(_Notification):
    """One notification.

    It holds the dict of read_notification(), as `raw`, and makes the rest when asked.
    """

    __slots__ = ()

    @property
    def type(self) -> Notif:
        """The notification's bit; Notif(0) for a marker."""
        bit = self.raw["type"]
        return _TYPES.get(bit) or Notif(bit)

    @property
    def name(self) -> str:
        """The type as text, such as "commit-diff"; as subscribe() takes it."""
        return label(self.type)

    @property
    def payload(self) -> Mapping[str, Any]:
        """The dict within the dict; empty for a notification that has none."""
        raw: Mapping[str, Any] = self.raw
        for key in raw:
            if key != "type":
                payload: Mapping[str, Any] = raw[key]
                return payload
        return {}

    @property
    def read_at(self) -> datetime:
        """When it was read, in UTC."""
        return datetime.fromtimestamp(self._read, timezone.utc)

    def __getitem__(self, key: Key) -> Any:
        """A value of the payload, as a member of its enumeration where it has one.

        Of a text, bytes that are not UTF-8 are \\xNN; `payload` has it as libconfd gave it.

        Raises KeyError for a key that the payload does not have.
        """
        return member_of(self.type, key, self.payload[key])

    def __contains__(self, key: str) -> bool:
        return key in self.payload

    def get(self, key: Key, default: Any = None) -> Any:
        """As event[key], or the default when the payload does not have the key."""
        try:
            return self[key]
        except KeyError:
            return default

    @property
    def unacknowledged(self) -> bool:
        """Whether the daemon waits for this event's acknowledgement."""
        return False

    def ack(self) -> bool:
        """Acknowledges the event; returns whether the daemon still waited for it.

        Raises Error when the connection is lost, RuntimeError in a child process.
        """
        return False

    def release(self) -> None:
        """As ack(), for an event that nobody handles: does not raise."""

    def settle(self) -> None:
        """As release(), for this event and those before it."""

    def changes(
        self, *, below: str = "", old: bool = False, limit: float | None = maapi.LIMIT
    ) -> Iterator[Change]:
        """What the commit changes, of a commit-diff event that waits for its acknowledgement.

        below -- a path such as /ncs:devices/device: changes elsewhere are left out
        old -- read the values before, too: each leaf's in the datastore, which has them until the
            commit goes on, by a read-only transaction of a session of its own
        limit -- the seconds that all of it may take, with what the consumer does meanwhile; None
            for no limit

        It reads through a MAAPI session of its own, some hundred changes at a time; the commit
        waits meanwhile. The schemas are loaded when they were not yet.

        Raises TypeError for another notification, RuntimeError when the event is acknowledged or
        in a child process, Error when the daemon refuses or is lost. When the time is over, the
        event is acknowledged, so that the commit goes on, and DaemonSilent is raised (C:
        maapi_diff_iterate()).
        """
        raise TypeError(f"a {self.name} event has no changes to read; subscribe to commit-diff")

    def diff(
        self,
        format: str = "text",  # noqa: A002, the word for it
        *,
        below: str = "",
        old: bool = False,
        limit: float | None = maapi.LIMIT,
        secrets: bool = False,
    ) -> str:
        """What the commit changes as text, a line for each change: see changes().

        format -- text, cli (commands that make such a change), xml or json
        secrets -- show values that look like secrets (by the leaf's name, encrypted or hashed),
            which are masked otherwise

        When the time is over, the event is acknowledged, and a last line says that changes may be
        missing. Raises ValueError for another format, else as changes() does.
        """
        changes = self.changes(below=below, old=old, limit=limit)
        return maapi.difference(changes, format, secrets=secrets)

    def changes_async(
        self, *, below: str = "", old: bool = False, limit: float | None = maapi.LIMIT
    ) -> AsyncIterator[Change]:
        """As changes(), for `async for` in a loop of asyncio: threads wait for the daemon."""
        from ._loop import taken_in_threads  # with asyncio, which takes long to import

        return taken_in_threads(self.changes(below=below, old=old, limit=limit))

    async def diff_async(
        self,
        format: str = "text",  # noqa: A002, as diff() has it
        *,
        below: str = "",
        old: bool = False,
        limit: float | None = maapi.LIMIT,
        secrets: bool = False,
    ) -> str:
        """As diff(), for `await` in a loop of asyncio: a thread waits for the daemon."""
        from ._loop import in_thread

        found: list[str] = []

        def read() -> None:
            found.append(self.diff(format, below=below, old=old, limit=limit, secrets=secrets))

        await in_thread(read)
        return found[0]

    def hand_over(self) -> None:
        """Notes that the consumer has the event."""

    def to_dict(self, *, secrets: bool = False) -> dict[str, Any]:
        """The event in plain types that JSON has.

        Times are ISO 8601 text, numbers of an enumeration have their name beside them, a stream's
        values are a tree, bytes that are not UTF-8 are \\xNN. With `secrets`, clear-text passwords
        are shown.
        """
        return {"read_at": _written(self._read), **to_dict(self.raw, secrets=secrets)}

    def to_json(self, *, secrets: bool = False) -> str:
        """to_dict() as one line of JSON, in ASCII."""
        return to_json(self.to_dict(secrets=secrets))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.raw, self._read)

    def __copy__(self) -> Self:
        """The event itself: the daemon waits for one acknowledgement, however many copies."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """The event itself."""
        return self

    def __repr__(self) -> str:
        keys = cast("Iterable[Any]", self.payload)
        shown = [f"{key}={_short(self[key])}" for key in keys]
        kind = type(self).__name__ if isinstance(self, Marker) else f"Event {self.name}"
        return f"<{' '.join([kind, *shown])}>"


@lru_cache(maxsize=16)  # events that were read together have one time
def _written(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).isoformat()


def _restored(kind: type[Event], raw: NotificationDict, read: float) -> Event:
    """An event that was pickled."""
    event = kind.__new__(kind)
    Event.__init__(event, raw, read)
    return event


def _short(value: object) -> str:
    text = label(value) if isinstance(value, (IntEnum, IntFlag)) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


class AwaitedEvent(Event):
    """A notification on whose acknowledgement the daemon waits."""

    __slots__ = ("_connection", "_number")

    def __init__(self, raw: NotificationDict, read: float, connection: Connection) -> None:
        super().__init__(raw, read)
        self._connection = connection
        self._number = connection.expect_acknowledgement(raw)

    @property
    def unacknowledged(self) -> bool:
        return self._connection.waits_for(self._number)

    def ack(self) -> bool:
        return self._connection.acknowledge(self._number)

    def release(self) -> None:
        self._connection.release(self._number)

    def settle(self) -> None:
        self._connection.settle(self._number)

    def changes(
        self, *, below: str = "", old: bool = False, limit: float | None = maapi.LIMIT
    ) -> Iterator[Change]:
        if self.type != Notif.COMMIT_DIFF:
            return super().changes(below=below, old=old, limit=limit)
        self._connection.check_process()
        if not self.unacknowledged:
            raise RuntimeError("read the changes before ack(): afterwards the commit goes on")
        return self._read_changes(below, self.payload["database"] if old else None, limit)

    def _read_changes(
        self, below: str, before: int | None, limit: float | None
    ) -> Iterator[Change]:
        endpoint, tctx = self._connection.endpoint, self.payload["tctx"]
        try:
            yield from maapi.changes(endpoint, tctx, below=below, before=before, limit=limit)
        except DaemonSilent:
            self.release()
            raise

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} can't be pickled: its acknowledgement belongs to this process's connection; "
            "pass on event.to_dict()"
        )


class ManualEvent(AwaitedEvent):
    """A notification that its consumer is to acknowledge by ack()."""

    __slots__ = ()

    def hand_over(self) -> None:
        self._connection.hand_over(self._number)

    def __del__(self) -> None:
        owed = self._connection.is_owed(self._number)
        self.release()
        if owed:
            warn_unacknowledged(f"{self!r} was dropped")


def warn_unacknowledged(what: str) -> None:
    """Warns of a mistake of the consumer, which cost time but did not leave the daemon waiting."""
    message = f"{what} without ack(); it is acknowledged now, so that the daemon does not wait"
    warnings.warn(message, RuntimeWarning, stacklevel=3)


class Marker(Event):
    """Something that happened to the subscription itself; its type is Notif(0)."""

    __slots__ = ()
    marker: ClassVar[str] = ""

    def __init__(self, **payload: Any) -> None:
        super().__init__(cast("NotificationDict", {"type": 0, self.marker: payload}), time.time())

    @property
    def name(self) -> str:
        """The marker's name: connected, disconnected, dropped or undecodable."""
        return self.marker

    def __getitem__(self, key: str) -> Any:
        return self.payload[key]

    def to_dict(self, *, secrets: bool = False) -> dict[str, Any]:
        """The marker as Event.to_dict() does it."""
        payload = {
            key: readable(str(value)) if isinstance(value, Exception) else value
            for key, value in self.payload.items()
        }
        return {
            "read_at": self.read_at.isoformat(),
            "type": 0,
            "type_name": self.name,
            self.marker: payload,
        }


class Disconnected(Marker):
    """The connection is lost and will be made again: what happens until then is missed.

    Its payload: `error`, the Error that says how it was lost.
    """

    __slots__ = ()
    marker = "disconnected"


class Connected(Marker):
    """The connection is there again.

    Its payload: `attempts`, how often it was tried, and `gap`, the seconds since it was lost.
    """

    __slots__ = ()
    marker = "connected"


class Dropped(Marker):
    """Events were dropped here, for the buffer was full.

    Its payload: `count`, how many.
    """

    __slots__ = ()
    marker = "dropped"


class Undecodable(Marker):
    """Here was a notification that libconfd could not decode; reading goes on after it.

    Its payload: `error`, the Error that says why.
    """

    __slots__ = ()
    marker = "undecodable"
