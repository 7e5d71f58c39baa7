"""A subscription's events, burst by burst, over one connection after another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from .._address import Address, endpoints
from .._events import C_DATETIME, ERR_EOF, ERR_OS, ERR_TIMEOUT
from ..enums import Notif
from ..error import EOF, Error
from ._acknowledgement import awaited
from ._connection import Connection
from ._event import AwaitedEvent, Connected, Disconnected, Event, ManualEvent
from ._replay import Replay, time_of

if TYPE_CHECKING:
    from .._address import Endpoint
    from ..payloads import NotificationDict
    from ._backoff import Backoff
    from ._request import Request

# A plain number, which is many times faster to compare.
_STREAM_EVENT = int(Notif.STREAM_EVENT)

# Errors of a daemon that is down or on its way up; others would come again.
_TRANSIENT = (ERR_OS, ERR_EOF, ERR_TIMEOUT)


class Reader:
    """Reads events for one consumer; with a backoff, it connects again when the daemon is lost.

    One thread at a time may use it; any thread, and a signal handler, may close it.
    """

    def __init__(
        self, request: Request, address: Address | None, manual: bool, backoff: Backoff | None
    ) -> None:
        self._request = request
        self._address = address
        self.bits_awaited = awaited(request.mask)
        """The notifications on whose acknowledgement the daemon waits."""
        self._awaited_event = ManualEvent if manual else AwaitedEvent
        self._backoff = backoff
        self._delays: Iterator[float] = iter(())
        self._replay = None if backoff is None else _replay_of(request)
        self._connected_at = self._lost_at = 0.0
        self._error: Error | None = None
        self._attempts = 0
        # Held until close() releases it. A SimpleQueue would do but for its timeout: get() may wait
        # for ever when a signal comes as the time runs out.
        self._open_lock = threading.Lock()
        self._open_lock.acquire()
        self._acknowledged = 0
        self.connection: Connection | None = None
        self.closed = False
        self._opened = False
        self.count = 0
        """How many notifications were read for the consumer."""
        self.reconnects = 0

    @property
    def acknowledged(self) -> int:
        """How many acknowledgements were sent, on all connections."""
        connection = self.connection
        return self._acknowledged + (0 if connection is None else connection.acknowledged)

    def is_open(self) -> bool:
        """Whether it has connected, and is not closed; the daemon may be lost for the moment."""
        return self._opened and not self.closed

    def open(self) -> None:
        """Connects. Raises the last endpoint's Error when none can be reached."""
        candidates = endpoints(self._address)
        for endpoint in candidates[:-1]:
            with suppress(Error):
                return self._connect(endpoint)
        return self._connect(candidates[-1])

    def _connect(self, endpoint: Endpoint) -> None:
        connection = Connection(self._request, endpoint)
        self.connection = connection
        try:
            if self.closed:
                raise EOF(ERR_EOF, "Closed", "the subscription was closed")
            connection.open()
        except BaseException:
            self.connection = None
            connection.close()
            raise
        self._connected_at = time.monotonic()
        self._opened = True

    def read(self, limit: int, timeout: float | None = None) -> Sequence[Event]:
        """What has arrived, at most `limit` events; waits for something to arrive.

        The list may be empty: what arrived is not for the consumer, a timeout (in seconds) is
        over, or the reader is closed. Raises Error when the daemon is lost and no backoff says
        what to do; with one, a Disconnected comes, and the next reads connect again.
        """
        connection = self.connection
        if connection is None:
            self.wait(self.next_delay())
            return self.connect_again()
        try:
            notifications = connection.read(limit, timeout)
        except Error as error:
            return self.lost(error)
        return self._events(connection, notifications)

    def lost(self, error: Error) -> Sequence[Event]:
        """Gives up the connection: a Disconnected when a backoff says to go on, else the error."""
        self._forget_connection()
        if self.closed:
            return []
        if self._backoff is None:
            raise error
        now = time.monotonic()
        # A connection that is lost at once each time is no reason to hammer the daemon.
        if self._error is None or now - self._connected_at > self._backoff.longest:
            self._delays, self._attempts = self._backoff.delays(), 0
        self._error, self._lost_at = error, now
        return [Disconnected(error=error)]

    def _forget_connection(self) -> None:
        connection = self.connection
        if connection is not None:
            connection.abandon()
            self._acknowledged += connection.acknowledged
            self.connection = None

    def next_delay(self) -> float:
        """Seconds to wait before connect_again(). Raises the last Error when none is left."""
        delay = next(self._delays, None)
        if delay is None:
            assert self._error is not None
            raise self._error
        return delay

    def wait(self, seconds: float) -> None:
        """Waits, but no longer than until close()."""
        if self._open_lock.acquire(timeout=seconds):
            self._open_lock.release()

    def connect_again(self) -> Sequence[Event]:
        """One attempt: a Connected, or nothing when the daemon is still not there.

        Raises Error when further attempts are of no use.
        """
        if self.closed:
            return []
        self._attempts += 1
        if self._replay is not None:
            self._request = self._request.replayed_from(self._replay.start)
            self._replay.resume()
        try:
            self.open()
        except Error as error:
            if error.confd_errno not in _TRANSIENT:
                raise
            self._error = error
            return []
        self.reconnects += 1
        gap = round(time.monotonic() - self._lost_at, 3)
        return [Connected(attempts=self._attempts, gap=gap)]

    def _events(
        self, connection: Connection, notifications: list[NotificationDict]
    ) -> Sequence[Event]:
        now = time.time()
        if self._request.hidden or self._replay is not None:
            notifications = [one for one in notifications if self._is_shown(one)]
        if notifications:
            self._error = None
        self.count += len(notifications)
        awaited = self.bits_awaited
        if not awaited:
            return [Event(one, now) for one in notifications]
        return [
            self._awaited_event(one, now, connection) if one["type"] & awaited else Event(one, now)
            for one in notifications
        ]

    def _is_shown(self, notification: NotificationDict) -> bool:
        bit = notification["type"]
        if bit == _STREAM_EVENT and self._replay is not None:
            return self._replay.is_new(notification)
        return not bit & self._request.hidden

    def close(self) -> None:
        """Ends it: a thread that reads or waits goes on at once. It may be called again."""
        self.closed = True
        with suppress(RuntimeError):  # released before
            self._open_lock.release()
        connection = self.connection
        if connection is not None:
            connection.close()


def _replay_of(request: Request) -> Replay | None:
    """For a subscription to a stream: where it is in it."""
    if not request.mask & Notif.STREAM_EVENT:
        return None
    start = request.data.start_time
    return Replay(time_of(start) if start.confd_type() == C_DATETIME else None)
