"""Asynchronous subscriptions: the same, for an event loop."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Callable

from ..error import BufferFull, Error
from ._buffer import Buffer
from ._connection import closed
from ._event import Event
from ._loop import Signal, Watch, in_thread
from ._plan import Plan, taking_options
from ._subscription import Core, end_of

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ._connection import Connection
    from ._request import Seconds

# Events read or given at a time, before other tasks have their turn.
_BURST = 100


class AsyncSubscription(Core):
    """A subscription for asyncio: `async with` connects and closes, `async for` gives events.

    Each event is acknowledged when the next one is asked for or the block is left, however that
    happens. Made by subscribe_async(). For one consumer at a time, in the loop that entered it.
    close() may be called from anywhere.
    """

    _signal: Signal

    def __init__(self, options: Plan) -> None:
        super().__init__(options)
        self._options = options
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: Watch | None = None
        # A thread that connects or reads. It outlives a cancelled wait for it.
        self._call: asyncio.Future[None] | None = None
        self._given = 0

    async def __aenter__(self) -> Self:
        """Connects.

        Raises Error when the daemon can't be reached or refuses, EOF when closed meanwhile,
        RuntimeError when entered before.
        """
        if self._loop is not None:
            raise RuntimeError("a subscription can be entered once; make another for each block")
        loop = _running_loop()
        self._signal = Signal()
        self._loop = loop
        try:
            await self._connect()
            size = self._options.buffer
            if size is not None:
                wake = self._signal.set_from_thread
                when_full = self._options.when_full
                self._buffer = Buffer(self._reader, self._events, size, when_full, wake)
        except Error as error:
            self._fail(error)
        except BaseException:
            self.close()
            raise
        failure = self._take_failure()
        if failure is not None:
            raise failure
        return self

    async def _connect(self) -> None:
        self._start(self._reader.open)
        while self._call is not None and not self.closed:
            await self._await_call(self._call, None)
        if self.closed:
            raise closed()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        if self._pid == os.getpid():
            self._end()

    def close(self) -> None:
        """Ends the subscription, as that of a Subscription."""
        super().close()
        if self._loop is None:
            return
        if self._pid != os.getpid():  # the loop's epoll and its pipe are the parent's, too
            return
        try:
            self._loop.call_soon_threadsafe(self._end)
        except RuntimeError:  # the loop is closed
            self._unwatch()

    def _end(self) -> None:
        self._signal.set()
        self._unwatch()

    def _unwatch(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()

    def __aiter__(self) -> AsyncIterator[Event]:
        # Without a buffer: with one, a flood might never let others have their turn.
        plain = self._is_plain() and self._buffer is None
        return _PlainEvents(self, self._source()) if plain else self

    async def __anext__(self) -> Event:
        """The next event. Raises as that of Subscription; StopAsyncIteration after close().

        It may be cancelled without losing an event. RuntimeError outside the block.
        """
        event = await self._next(None)
        if event is None:
            raise self._take_failure() or StopAsyncIteration
        return event

    async def next(self, timeout: Seconds | None = None) -> Event | None:
        """The next event, or None when none has come in time, as next() of a Subscription."""
        event = await self._next(end_of(timeout))
        if event is None and self.closed:
            raise self._take_failure() or closed()
        return event

    async def wait_for(
        self, predicate: Callable[[Event], object], timeout: Seconds | None = None
    ) -> Event | None:
        """The next event of which predicate(event) is true, as wait_for() of a Subscription."""
        end = end_of(timeout)
        while (event := await self._next(end)) is not None:
            if predicate(event):
                return event
        if self.closed:
            raise self._take_failure() or closed()
        return None

    async def _next(self, end: float | None) -> Event | None:
        """The next event; None when it is closed, or the time of time.monotonic() has come."""
        if self._current is not None:
            await self._settle_unblocked()
        self._given += 1
        if self._given % _BURST == 0:
            await asyncio.sleep(0)  # a flood of events leaves other tasks their turn
        event = self._take()
        while event is None:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not await self._fill(left):
                return None
            event = self._take()
            if left == 0:
                break
        return event

    async def _settle_unblocked(self) -> None:
        event = self._current
        connection = self._reader.connection
        if event is None or not event.unacknowledged:
            self._current = None
        elif connection is None or connection.takes_acknowledgement():
            self._settle()
        else:  # the event is the thread's from now on: it goes on when this wait is cancelled
            self._current = None
            await in_thread(event.settle)

    async def _fill(self, left: float | None) -> bool:
        """Takes in what has arrived, or waits so many seconds at most for something to happen.

        Returns whether there may be events.
        """
        if self._loop is not _running_loop():
            raise RuntimeError("enter the subscription by async with, in the loop that uses it")
        try:
            if not self.closed:
                await self._work(left)
            return not self.closed or bool(self._events)
        except (Error, BufferFull) as error:
            self._fail(error)
        return False

    async def _work(self, left: float | None) -> None:
        connection = self._reader.connection
        if self._buffer is not None:
            await self._await_buffer(self._buffer, left)
        elif self._call is not None:
            await self._await_call(self._call, left)
        elif connection is not None:
            await self._read_arrived(connection, left)
        else:
            self._start(self._read_blocking)  # connects again

    async def _await_buffer(self, buffer: Buffer, left: float | None) -> None:
        if not buffer.is_ready():
            await self._signal.wait(left)
        elif buffer.ended and not self._events:
            try:
                buffer.raise_error()
            finally:
                self.close()

    def _start(self, function: Callable[[], object]) -> None:
        self._call = in_thread(function)
        self._call.add_done_callback(self._signal.set)

    async def _await_call(self, call: asyncio.Future[None], left: float | None) -> None:
        if call.done():
            self._call = None
            call.result()
        else:
            await self._signal.wait(left)  # close() ends it, too

    def _read_blocking(self) -> None:
        self._read_events(None)

    async def _read_arrived(self, connection: Connection, left: float | None) -> None:
        watch = self._watch_over(connection)
        self._read_events(0)
        if self._events or self._reader.connection is not connection:
            return
        silent_in = connection.silent_in()
        waits = [seconds for seconds in (left, silent_in) if seconds is not None]
        if not connection.has_begun():
            await self._signal.wait(min(waits, default=None))
        elif watch.grace() > 0:
            await self._signal.wait(min([watch.grace(), *waits]))
        else:
            self._start(self._read_blocking)

    def _watch_over(self, connection: Connection) -> Watch:
        if self._watch is None or self._watch.connection is not connection:
            self._unwatch()
            self._watch = Watch(connection, self._signal)
        return self._watch


class _PlainEvents:
    """The iterator of a loop where nothing is to settle: as __anext__(), but fast."""

    __slots__ = ("_subscription", "_take")

    def __init__(self, subscription: AsyncSubscription, take: Callable[[], Event]) -> None:
        self._subscription = subscription
        self._take = take

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        try:
            return self._take()
        except IndexError:
            pass
        await asyncio.sleep(0)  # a flood of events leaves other tasks their turn
        return await self._subscription.__anext__()


def _running_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        pass
    raise RuntimeError(
        "no event loop of asyncio is running: subscribe_async() works with asyncio, uvloop, and "
        "anyio on asyncio; with trio and others, use subscribe() in a thread"
    )


@taking_options
def subscribe_async(plan: Plan) -> AsyncSubscription:
    """Subscribe to notifications in an event loop: `async with subscribe_async(...) as s`.

    All options are as for subscribe(). The connection is made on entering the block.

    Raises TypeError, ValueError or OverflowError for an argument that is wrong.
    """
    return AsyncSubscription(plan)
