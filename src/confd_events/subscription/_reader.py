"""A subscription's events, burst by burst, over one connection after another."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import repeat
from operator import length_hint
from typing import TYPE_CHECKING

from .._address import Address, endpoints
from .._events import C_DATETIME, ERR_EOF, ERR_MALLOC, ERR_OS, ERR_TIMEOUT, _make_events
from ..enums import Notif
from ..error import Error
from ._acknowledgement import awaited
from ._call import Call
from ._connection import Connection, closed
from ._event import AwaitedEvent, Connected, Disconnected, Event, ManualEvent, Undecodable
from ._log import logger
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

# Errors at reading that are about more than one notification.
_OF_CONNECTION = (*_TRANSIENT, ERR_MALLOC)


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
        self._delays = _delays_of(backoff)
        self._replay = None if backoff is None else _replay_of(request)
        # Notifications that are read and are no events yet. An iterator, so that what a signal
        # handler interrupts goes on where it was.
        self._burst: list[NotificationDict] = []
        self._arrived: Iterator[NotificationDict] = iter(self._burst)
        self._connected_at = self._lost_at = self._again_at = 0.0
        self._steady = True
        self._call: Call | None = None
        self.attempts = 0
        """How often connecting has failed since the connection was lost, or never was."""
        self.error: Error | None = None
        """How the connection was lost, or the last attempt to connect has failed; else None."""
        # Held until close() releases it. A SimpleQueue would do but for its timeout: get() may wait
        # for ever when a signal comes as the time runs out.
        self._open_lock = threading.Lock()
        self._open_lock.acquire()
        self._acknowledged = 0
        self.connection: Connection | None = None
        self._opening: Connection | None = None
        self.closed = False
        self._opened = False
        self.count = 0
        """How many notifications were read for the consumer."""
        self.undecodable = 0
        self.reconnects = 0

    @property
    def acknowledged(self) -> int:
        """How many acknowledgements were sent, on all connections."""
        connection = self.connection
        return self._acknowledged + (0 if connection is None else connection.acknowledged)

    def is_open(self) -> bool:
        """Whether it has connected, and is not closed; the daemon may be lost for the moment."""
        return self._opened and not self.closed

    # Connecting

    def open(self) -> None:
        """Connects. Raises Error when that fails and no backoff says to try again."""
        while not self._attempt(None):
            assert self.error is not None
            if self.closed:
                raise closed()
            if self._backoff is None or not self._backoff.first_connection:
                raise self.error
            self._plan_attempt(self.error)
            self.wait(self._again_at - time.monotonic())

    def _attempt(self, timeout: float | None) -> bool:
        """Whether there is a connection, after an attempt, or after so many seconds of one.

        When one has failed, `error` says why and `_call` is None. Raises what is no Error.
        """
        call = self._call
        if call is None:
            call = self._call = Call(self._open_any)
        if not call.wait(timeout):
            return False
        error = call.error
        if error is None:
            self._note_connected()
        elif isinstance(error, Error):
            self.attempts += 1
            self.error = error
        self._call = None
        if error is not None and error is not self.error:
            raise error
        return error is None

    def _open_any(self) -> None:
        """Connects to the first address that can be reached. Raises the Error of who answered."""
        failures: list[Error] = []
        for endpoint in endpoints(self._address):
            try:
                return self._open(endpoint)
            except Error as error:
                if error.confd_errno not in _TRANSIENT:
                    raise
                failures.append(error)
        failures.sort(key=lambda error: error.confd_errno == ERR_EOF)
        raise failures[-1]

    def _open(self, endpoint: Endpoint) -> None:
        connection = self._opening = Connection(self._request, endpoint)
        try:
            if self.closed:
                raise closed()
            connection.open()
        except BaseException:
            connection.close()
            raise

    def _note_connected(self) -> None:
        self.connection = self._opening
        self._connected_at = time.monotonic()
        self._opened = True
        self.error = None
        self.attempts = 0
        logger.info("connected to %s", self.connection)

    def _plan_attempt(self, error: Error) -> None:
        """Says when to try again. Raises the error when that is of no use, or not wanted."""
        assert self._backoff is not None
        most = self._backoff.attempts
        if error.confd_errno not in _TRANSIENT or (most is not None and self.attempts >= most):
            raise error
        delay = next(self._delays)
        self._again_at = time.monotonic() + delay
        logger.warning("%s; connecting again in %.1f s", error, delay)

    def wait(self, seconds: float) -> None:
        """Waits, but no longer than until close()."""
        if self._open_lock.acquire(timeout=max(0.0, seconds)):
            self._open_lock.release()

    # Reading

    def read(self, into: deque[Event], limit: int, timeout: float | None = None) -> None:
        """Appends what has arrived, at most `limit` events; waits for something to arrive.

        There may be none: what arrived is not for the consumer, a timeout (in seconds) is over, or
        the reader is closed. Raises Error when the daemon is lost and no backoff says what to do;
        with one, a Disconnected comes, and the next reads connect again.
        """
        connection = self.connection
        if connection is None:
            self._connect_again(into, timeout)
            return
        if self._take_in(into, connection):  # what a signal handler had interrupted
            return
        arrived: list[NotificationDict] = []
        self._burst = arrived
        self._arrived = iter(arrived)
        failure = None
        try:
            connection.read(arrived, limit, timeout)
        except Error as error:
            # Who keeps it, such as a log, does not keep what was read.
            failure = error.with_traceback(None)
        finally:
            if not self._is_filtered():
                self.count += len(arrived)
        if failure is not None:
            self._failed(into, failure)
            return
        if self._take_in(into, connection):
            self._steady = True
        if self._replay is not None:
            self._go_on_in_stream(into, self._replay)

    def _go_on_in_stream(self, into: deque[Event], replay: Replay) -> None:
        """Connects anew where the stream does not go on, or not with what was missed."""
        if replay.failed:
            self._lose(into, Error(ERR_EOF, "No replay", "the stream is followed from now on"))
        elif replay.set_back:
            explanation = "the stream is replayed again, for what came since"
            self._lose(into, Error(ERR_EOF, "The daemon's clock was set back", explanation))

    def _take_in(self, into: deque[Event], connection: Connection) -> bool:
        """Makes events of what has arrived; returns whether there were any."""
        before = len(into)
        arrived = filter(self._is_shown, self._arrived) if self._is_filtered() else self._arrived
        now = time.time()
        if self.bits_awaited:
            try:
                into.extend(map(self._event, arrived, repeat(now), repeat(connection)))
            except BaseException:
                self._give_up_unmade(into, connection)
                raise
        else:
            _make_events(Event, arrived, now, into)
        return len(into) != before

    def _give_up_unmade(self, into: deque[Event], connection: Connection) -> None:
        """The daemon waits for what a handler's exception has kept from becoming an event, too."""
        position = len(self._burst) - length_hint(self._arrived) - 1
        if position < 0:
            return
        raw = self._burst[position]
        if raw["type"] & self.bits_awaited and not (into and into[-1].raw is raw):
            connection.give_up(raw)

    def _event(self, raw: NotificationDict, now: float, connection: Connection) -> Event:
        if raw["type"] & self.bits_awaited:
            return self._awaited_event(raw, now, connection)
        return Event(raw, now)

    def _is_filtered(self) -> bool:
        return bool(self._request.hidden) or self._replay is not None

    def _is_shown(self, notification: NotificationDict) -> bool:
        bit = notification["type"]
        if bit == _STREAM_EVENT and self._replay is not None:
            shown = self._replay.is_new(notification)
        else:
            shown = not bit & self._request.hidden
        self.count += shown
        return shown

    # Losing

    def _failed(self, into: deque[Event], error: Error) -> None:
        """What comes of an error at reading: a marker, or the error is raised."""
        if self._backoff is None or error.confd_errno in _OF_CONNECTION:
            self.lost(into, error)
        elif self.bits_awaited and self._replay is None:
            # The daemon may wait for the acknowledgement of what can't be read: only the end of
            # the connection lets it go on. A replay would bring a stream's event again and again.
            self._lose(into, error)
        else:
            self.undecodable += 1
            logger.error("a notification could not be decoded: %s", error)
            into.append(Undecodable(error=error))

    def lost(self, into: deque[Event], error: Error) -> None:
        """Gives up the connection: a Disconnected when a backoff says to go on, else the error."""
        if not self.closed and (self._backoff is None or error.confd_errno not in _TRANSIENT):
            self._forget_connection(error)
            logger.error("the connection is lost: %s", error)
            raise error
        self._lose(into, error)

    def _lose(self, into: deque[Event], error: Error) -> None:
        steady_for = time.monotonic() - self._connected_at
        self._forget_connection(error)
        if self.closed or self._backoff is None:
            return
        # A connection that is lost at once each time is no reason to hammer the daemon.
        if self._steady or steady_for > self._backoff.longest:
            self._delays = _delays_of(self._backoff)
        self._steady = False
        if self._replay is not None:
            self._replay.lost()
        self._lost_at = time.monotonic()
        self.error = error
        self._again_at = self._lost_at + next(self._delays)
        logger.warning("the connection is lost: %s", error)
        into.append(Disconnected(error=error))

    def _forget_connection(self, error: Error) -> None:
        connection = self.connection
        if connection is not None:
            connection.abandon(error)
            self._acknowledged += connection.acknowledged
            self.connection = None

    def _connect_again(self, into: deque[Event], timeout: float | None) -> None:
        """Waits for the next attempt and makes it, or goes on with it, for so many seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        if self._call is None:
            wait = self._again_at - time.monotonic()
            self.wait(wait if timeout is None else min(wait, timeout))
            if self.closed or time.monotonic() < self._again_at:
                return
            self._ask_for_replay()
        left = None if end is None else max(0.0, end - time.monotonic())
        attempts = self.attempts + 1
        if self._attempt(left):
            self.reconnects += 1
            gap = round(time.monotonic() - self._lost_at, 3)
            into.append(Connected(attempts=attempts, gap=gap))
        elif self._call is None and self.error is not None and not self.closed:
            self._plan_attempt(self.error)

    def _ask_for_replay(self) -> None:
        replay = self._replay
        if replay is not None:
            self._request = self._request.replayed_from(None if replay.failed else replay.start)
            replay.resume()

    def close(self) -> None:
        """Ends it: a thread that reads or waits goes on at once. It may be called again."""
        self.closed = True
        with suppress(RuntimeError):  # released before
            self._open_lock.release()
        for connection in (self.connection, self._opening):
            if connection is not None:
                connection.close()


def _delays_of(backoff: Backoff | None) -> Iterator[float]:
    """The waits before attempts, without end: they are counted for each loss anew."""
    return iter(()) if backoff is None else backoff._replace(attempts=None).delays()


def _replay_of(request: Request) -> Replay | None:
    """For a subscription to a stream: where it is in it."""
    if not request.mask & Notif.STREAM_EVENT:
        return None
    start = request.data.start_time
    return Replay(time_of(start) if start.confd_type() == C_DATETIME else None)
