"""Subscriptions: a context manager and iterator over events."""

from __future__ import annotations

import os
import time
import warnings
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import count
from threading import TIMEOUT_MAX
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Callable, NamedTuple
from weakref import WeakSet

from .._events import _PlainEvents
from ..error import BufferFull, Error
from ._buffer import Buffer
from ._connection import check_process, closed
from ._event import Event, Marker, warn_unacknowledged
from ._plan import Plan, taking_options
from ._readiness import Readiness
from ._request import Seconds

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

# Events read at a time without a buffer: enough to make the reading cheap, few enough to stay in
# the processor's cache.
_BURST = 100


class Stats(NamedTuple):
    """What a subscription has done so far; events are notifications, without markers."""

    read: int
    """Events read for the consumer."""
    delivered: int
    """Events that the consumer was given."""
    dropped: int
    """Events that it was not given, for the buffer was full."""
    waiting: int
    """Events that are read and wait for the consumer."""
    acknowledged: int
    """Acknowledgements sent."""
    reconnects: int
    """How often the connection was made again."""
    lag: float
    """Seconds since the oldest waiting event was read; 0 when none waits."""
    undecodable: int = 0
    """Notifications that could not be decoded."""
    attempts: int = 0
    """How often connecting has failed since the connection was lost."""
    error: Error | None = None
    """How the connection was lost, or the last attempt to connect has failed; else None."""


class Core:
    """What blocking and asynchronous subscriptions have in common: the consumer's side."""

    if not TYPE_CHECKING:  # to type checkers, it is generic: see _typed.pyi
        __class_getitem__ = classmethod(GenericAlias)

    def __init__(self, options: Plan) -> None:
        self._reader = options.reader
        self._manual = options.manual
        self._events: deque[Event] = deque()
        self._current: Event | None = None
        self._buffer: Buffer | None = None
        self._accepted = 0  # notifications; without a buffer, which counts itself
        self._discarded = 0
        self._failure: Exception | None = None
        self._pid = os.getpid()
        _all.add(self)

    @property
    def closed(self) -> bool:
        """Whether the subscription is over: by close(), or because the daemon is lost."""
        return self._reader.closed

    def stats(self) -> Stats:
        """What the subscription has done so far."""
        # Other threads count on; what is the same at two looks was so at a moment between them.
        counts, before = self._counts(), None
        while counts != before:
            counts, before = self._counts(), counts
        read, delivered, dropped = counts
        if self.closed:
            dropped = read - delivered
        return Stats(
            read=read,
            delivered=delivered,
            dropped=dropped,
            waiting=read - delivered - dropped,
            acknowledged=self._reader.acknowledged,
            reconnects=self._reader.reconnects,
            lag=self._lag(),
            undecodable=self._reader.undecodable,
            attempts=self._reader.attempts,
            error=self._reader.error,
        )

    def _counts(self) -> tuple[int, int, int]:
        """Events read, delivered and dropped."""
        # What is read is counted first when it comes, so these never exceed it.
        if self._buffer is not None:
            delivered, dropped = self._buffer.taken, self._buffer.dropped
        else:
            waiting = len(_notifications(self._events.copy()))
            delivered, dropped = self._accepted - self._discarded - waiting, 0
        return self._reader.count, delivered, dropped

    def _lag(self) -> float:
        oldest = self._oldest()
        return 0.0 if oldest is None else max(0.0, time.time() - oldest.read_at.timestamp())

    def _oldest(self) -> Event | None:
        """The first that waits and is no marker."""
        with suppress(IndexError):
            for position in count():
                event = self._events[position]
                if not isinstance(event, Marker):
                    return event
        return None

    def close(self) -> None:
        """Ends the subscription: a blocked reader goes on at once, the daemon waits for nothing.

        Events that were not delivered are dropped. Any thread and a signal handler may call it,
        also again. In a child process it closes the child's copy of the socket alone.
        """
        self._reader.closed = True
        self._empty()
        self._current = None
        connection = self._reader.connection
        owed = connection.count_owed() if self._manual and connection is not None else 0
        self._reader.close()
        if self._buffer is not None:
            self._buffer.close()
        if owed:
            warn_unacknowledged(f"the subscription is closed with {owed} event(s)")

    def _fail(self, error: Exception) -> None:
        """Closes it for an error. The function that the consumer has called is to raise it."""
        self._failure = error.with_traceback(None)
        self.close()

    def _take_failure(self) -> Exception | None:
        """The error that has closed it, to be raised; once."""
        failure, self._failure = self._failure, None
        return failure

    def _is_plain(self) -> bool:
        """Whether events need but to be handed on: the daemon waits for none of them."""
        return not self._reader.bits_awaited

    def _source(self) -> Callable[[], Event]:
        """What gives the next event. It raises IndexError when none waits."""
        return self._events.popleft if self._buffer is None else self._buffer.take

    def _take(self) -> Event | None:
        """The next event, which is the consumer's from now on, or None when none waits."""
        check_process(self._pid)
        try:
            event = self._source()()
        except IndexError:
            return None
        if self._manual:
            event.hand_over()
        else:
            self._current = event
        return event

    def _settle(self) -> None:
        """Acknowledges the event that the consumer has had; it is done with it."""
        event = self._current
        if event is not None:
            # If the connection is lost, the next read says so.
            event.settle()
            self._current = None

    def _read_events(self, timeout: float | None) -> None:
        """Takes in a burst; waits for it, at most so many seconds."""
        check_process(self._pid)
        try:
            self._reader.read(self._events, _BURST, timeout)
        finally:
            self._accepted = self._reader.count
            if self.closed:  # meanwhile
                self._empty()

    def _empty(self) -> None:
        """Takes out what will not be delivered."""
        with suppress(IndexError):
            while True:
                self._discarded += not isinstance(self._events.popleft(), Marker)

    def _leave_to_parent(self) -> None:
        self._events.clear()
        if self._buffer is not None:
            self._buffer.leave_to_parent()

    def __del__(self) -> None:
        if self._reader.is_open():
            self.close()
            if self._pid == os.getpid():
                warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)


def _notifications(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, Marker)]


class Subscription(Core):
    """A subscription: iterate over it for events, use it in a `with` statement to close it.

    Each event is acknowledged when the next one is asked for, or when the loop or the `with`
    block is left, however that happens. Made by subscribe(). For one consumer at a time.
    """

    _readiness: Readiness | None = None

    def __init__(self, options: Plan) -> None:
        super().__init__(options)
        try:
            self._reader.open()
        except BaseException:
            self._reader.close()
            raise
        if options.buffer is not None:
            self._buffer = Buffer(self._reader, self._events, options.buffer, options.when_full)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        if self._buffer is not None:
            self._buffer.join()

    def __iter__(self) -> Iterator[Event]:
        if self._is_plain():  # there is nothing to settle
            return _PlainEvents(self._source(), self.__next__)
        return _Events(self)

    def __next__(self) -> Event:
        """The next event; waits for it.

        Raises StopIteration after close(); Error or EOF when the daemon is lost, DaemonSilent
        when its heartbeats are, BufferFull; these end the subscription.
        """
        event = self._next(None)
        if event is None:
            raise self._take_failure() or StopIteration
        return event

    def next(self, timeout: Seconds | None = None) -> Event | None:
        """The next event, or None when none has come in time.

        timeout -- seconds, or a timedelta; None to wait as long as it takes, 0 not to wait

        The event before is acknowledged, as by the loop. Markers are events, too. Nothing is lost
        when the time is over. Raises EOF after close(); all else as the loop does.
        """
        # Time 0 is over, whatever the clock says.
        event = self._next(0.0 if timeout == 0 else end_of(timeout))
        if event is None and self.closed:
            raise self._take_failure() or closed()
        return event

    def batch(self, most: int, timeout: Seconds | None = None) -> list[Event]:
        """The events that have come, oldest first; waits for one if none has.

        most -- take no more than so many; at least 1
        timeout -- as for next(); when the time is over, the list is empty

        The events of the batch before are acknowledged. All else is as for next(): what ends the
        subscription behind the first event is raised by the next call. Raises ValueError for less
        than 1.
        """
        if most < 1:
            raise ValueError(f"most: {most} is not 1 or more events")
        failure = self._take_failure()
        if failure is not None:
            raise failure
        first = self.next(timeout)
        batch = [] if first is None else [first]
        while batch and len(batch) < most and self._gather(batch, most):
            pass
        return batch

    def _gather(self, batch: list[Event], most: int) -> bool:
        """Adds what is there to a batch; returns whether there may be more."""
        event = self._take() or self._await(0.0)
        if event is None:
            return False
        batch.append(event)
        if self._is_plain():  # one as the other
            take = self._source()
            with suppress(IndexError):
                while len(batch) < most:
                    batch.append(take())
        return True

    def wait_for(
        self, predicate: Callable[[Event], object], timeout: Seconds | None = None
    ) -> Event | None:
        """The next event of which predicate(event) is true, or None when none has come in time.

        The events before it are taken, and acknowledged, too. All else is as for next().
        """
        end = end_of(timeout)
        while (event := self._next(end)) is not None:
            if predicate(event):
                return event
        if self.closed:
            raise self._take_failure() or closed()
        return None

    def fileno(self) -> int:
        """A descriptor for select() and its like: readable until next(timeout=0) gives None.

        So it tells of what is read already, too, and of close(). At times it is readable though
        next(timeout=0) has nothing to give. Without a buffer, only next() notices that heartbeats
        fail to come, and connects again: then call it now and then, or give a buffer.
        """
        if self._readiness is None:
            self._readiness = Readiness()
            if self._buffer is not None:
                self._buffer.wakes.append(self._readiness.set)
        return self._readiness.fileno()

    def close(self) -> None:
        """Ends the subscription, as said at Core; a select loop learns of it."""
        super().close()
        if self._readiness is not None and self._pid == os.getpid():
            self._readiness.set()

    def _next(self, end: float | None) -> Event | None:
        """The next event; None when it is closed, or the time of time.monotonic() has come."""
        self._settle()
        event = self._take()
        if event is not None:
            return event
        if self._readiness is None:
            return self._await(end)
        self._readiness.clear(self._reader.connection if self._buffer is None else None)
        is_empty = False
        try:
            event = self._await(end)
            is_empty = event is None and not self.closed
        finally:  # an exception of a signal handler says nothing of what is there
            if not is_empty:
                self._readiness.set()
        return event

    def _await(self, end: float | None) -> Event | None:
        """As _next(), when none is there yet."""
        event = None
        while event is None:
            timeout = None if end is None else max(0.0, end - time.monotonic())
            if not self._fill(timeout):
                return None
            event = self._take()
            if timeout == 0:
                break
        return event

    def _fill(self, timeout: float | None) -> bool:
        """Waits for something to happen; returns whether there may be events."""
        try:
            if self._buffer is not None:
                return self._await_buffer(self._buffer, timeout)
            if not self.closed:
                self._read_events(timeout)
            return not self.closed
        except (Error, BufferFull) as error:
            self._fail(error)
        return False

    def _await_buffer(self, buffer: Buffer, timeout: float | None) -> bool:
        buffer.wait(timeout)
        if buffer.ended and not self._events:
            try:
                buffer.raise_error()
            finally:
                self.close()
        return not self.closed or bool(self._events)


class _Events(Generator[Event, None, None]):
    """A loop's iterator: a generator, but that an exception from next() does not end it."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._begun = False

    def __next__(self) -> Event:
        self._begun = True
        event = self._subscription._next(None)
        if event is None:
            raise self._subscription._take_failure() or StopIteration
        return event

    def send(self, value: None) -> Event:
        return self.__next__()

    def throw(self, kind: Any, value: Any = None, traceback: Any = None) -> Event:
        self._settle()
        return super().throw(kind, value, traceback)  # pyright: ignore[reportAbstractUsage]

    def _settle(self) -> None:
        """The loop is left: its last event is done with."""
        if self._begun:
            self._subscription._settle()

    def __del__(self) -> None:
        self._settle()


def end_of(timeout: Seconds | None) -> float | None:
    """The time of time.monotonic() at which a wait is over. Raises TypeError or ValueError."""
    if timeout is None:
        return None
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    if not isinstance(seconds, (int, float)):
        raise TypeError(f"timeout: expected seconds or None, not {type(timeout).__name__}")
    if not seconds >= 0:
        raise ValueError(f"timeout: {seconds} is not 0 or more seconds")
    return time.monotonic() + min(seconds, TIMEOUT_MAX / 2)


# Of which a child process drops what the parent has read.
_all: WeakSet[Core] = WeakSet()


def _leave_to_parent() -> None:
    for subscription in list(_all):
        subscription._leave_to_parent()


os.register_at_fork(after_in_child=_leave_to_parent)


@taking_options
def subscribe(plan: Plan) -> Subscription:
    """Connect to the daemon and subscribe to notifications.

    what -- names such as "audit" and "commit-diff", or Notif bits
    address -- (host, port), "host:port", or the path of a UNIX socket. Default: NCS_IPC_PATH,
        NCS_IPC_ADDR and NCS_IPC_PORT, CONFD_IPC_ADDR and CONFD_IPC_PORT of the environment, else
        the product's
    heartbeat -- seconds, or a timedelta: the daemon is lost when it sends nothing for three of
        these intervals. The heartbeats are events only if "heartbeat" is asked for
    health_check -- seconds, or a timedelta, between "health-check" events
    stream -- name of an event stream, for "stream-event"
    start, stop -- replay the stream from and until then: aware datetimes, or ISO 8601 text
    filter -- an XPath expression that selects the stream's events
    usid -- only what this user session may read of the stream; it does not limit progress
    verbosity -- of progress: a Verbosity or its name, such as "debug"
    ack -- "auto": each event is acknowledged when the next is asked for or the block is left;
        "manual": the consumer calls event.ack()
    buffer -- read in a thread of its own, ahead of the consumer by at most so many events
    when_full -- what to do when the buffer is full: "wait"; "drop-oldest", then a Dropped marker
        says how many; "raise" BufferFull
    reconnect -- connect again when the daemon is lost, and yield Disconnected and Connected; a
        stream goes on after the last event seen. A Backoff says how long to wait in between

    Returns a Subscription. Raises TypeError, ValueError or OverflowError for an argument that is
    wrong, Error when the daemon can't be reached or refuses (C: confd_notifications_connect2()).
    """
    return Subscription(plan)
