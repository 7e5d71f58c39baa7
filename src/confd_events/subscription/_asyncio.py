"""Asynchronous subscriptions: the same, for an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Callable

from .._events import ERR_EOF
from ..error import EOF
from ._buffer import Buffer
from ._connection import check_process
from ._event import Event
from ._loop import Signal, Watch, in_thread
from ._subscription import Core, Plan, plan

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Literal, Self

    from .._address import Address
    from ..enums import Verbosity
    from ._backoff import Backoff
    from ._connection import Connection
    from ._request import Seconds, Time, What

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
        self._signal = Signal()
        self._loop = asyncio.get_running_loop()
        try:
            await self._connect()
            size = self._options.buffer
            if size is not None:
                wake = self._signal.set_from_thread
                when_full = self._options.when_full
                self._buffer = Buffer(self._reader, self._events, size, when_full, wake)
        except BaseException:
            self.close()
            raise
        return self

    async def _connect(self) -> None:
        self._start(self._reader.open)
        while self._call is not None and not self.closed:
            await self._await_call(self._call)
        if self.closed:
            raise EOF(ERR_EOF, "Closed", "the subscription was closed")

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        self._end()

    def close(self) -> None:
        """Ends the subscription, as that of a Subscription."""
        super().close()
        if self._loop is None:
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
        return self._each_unawaited() if plain else self

    async def _each_unawaited(self) -> AsyncIterator[Event]:
        """As __anext__() again and again, but fast: there is nothing to settle."""
        events = self._events
        while True:
            check_process(self._pid)
            try:
                event = events.popleft()
            except IndexError:
                await asyncio.sleep(0)  # a flood of events leaves other tasks their turn
                try:
                    await self._fill()
                except StopAsyncIteration:
                    return
                continue
            yield event

    async def __anext__(self) -> Event:
        """The next event. Raises as that of Subscription; StopAsyncIteration after close().

        It may be cancelled without losing an event. RuntimeError outside the block.
        """
        if self._current is not None:
            await self._settle_unblocked()
        self._given += 1
        if self._given % _BURST == 0:
            await asyncio.sleep(0)  # a flood of events leaves other tasks their turn
        event = self._take()
        while event is None:
            await self._fill()
            event = self._take()
        return event

    async def _settle_unblocked(self) -> None:
        event, self._current = self._current, None
        if event is None or not event.unacknowledged:
            return
        connection = self._reader.connection
        if connection is None or connection.takes_acknowledgement():
            event.release()
        else:  # the event is the thread's from now on: it goes on when this wait is cancelled
            await in_thread(event.release)

    async def _fill(self) -> None:
        """Takes in what has arrived, or waits for something to happen; may return without it."""
        if self._loop is not asyncio.get_running_loop():
            raise RuntimeError("enter the subscription by async with, in the loop that uses it")
        try:
            if self.closed:
                raise StopAsyncIteration
            if self._buffer is not None:
                await self._await_buffer(self._buffer)
            elif self._call is not None:
                await self._await_call(self._call)
            elif self._reader.connection is not None:
                await self._read_arrived(self._reader.connection)
            else:
                self._start(self._read_blocking)  # connects again
        except Exception:
            self.close()
            raise

    async def _await_buffer(self, buffer: Buffer) -> None:
        if not buffer.is_ready():
            await self._signal.wait()
        elif buffer.ended and not self._events:
            buffer.raise_error()
            raise StopAsyncIteration

    def _start(self, function: Callable[[], object]) -> None:
        self._call = in_thread(function)
        self._call.add_done_callback(self._signal.set)

    async def _await_call(self, call: asyncio.Future[None]) -> None:
        if call.done():
            self._call = None
            call.result()
        else:
            await self._signal.wait()  # close() ends it, too

    def _read_blocking(self) -> None:
        self._accept(self._reader.read(_BURST))

    async def _read_arrived(self, connection: Connection) -> None:
        watch = self._watch_over(connection)
        events = self._reader.read(_BURST, timeout=0)
        self._accept(events)
        if events or self._reader.connection is not connection:
            return
        if not connection.has_begun():
            silent_in = connection.silent_in()
            if silent_in == 0:
                self._accept(self._reader.lost(connection.silence_error()))
            else:
                await self._signal.wait(silent_in)
        elif watch.grace() > 0:
            await self._signal.wait(watch.grace())
        else:
            self._start(self._read_blocking)

    def _watch_over(self, connection: Connection) -> Watch:
        if self._watch is None or self._watch.connection is not connection:
            self._unwatch()
            self._watch = Watch(connection, self._signal)
        return self._watch


def subscribe_async(
    *what: What,
    address: Address | None = None,
    heartbeat: Seconds | None = None,
    health_check: Seconds | None = None,
    stream: str | None = None,
    start: Time = None,
    stop: Time = None,
    filter: str | None = None,  # noqa: A002, the field's own term
    usid: int = 0,
    verbosity: Verbosity | str | int | None = None,
    ack: Literal["auto", "manual"] = "auto",
    buffer: int | None = None,
    when_full: Literal["wait", "drop-oldest", "raise"] = "wait",
    reconnect: bool | Backoff = False,
) -> AsyncSubscription:
    """Subscribe to notifications in an event loop: `async with subscribe_async(...) as s`.

    All options are as for subscribe(). The connection is made on entering the block.

    Raises TypeError, ValueError or OverflowError for an argument that is wrong.
    """
    return AsyncSubscription(
        plan(
            what,
            address,
            ack,
            buffer,
            when_full,
            reconnect,
            heartbeat=heartbeat,
            health_check=health_check,
            stream=stream,
            start=start,
            stop=stop,
            filter=filter,
            usid=usid,
            verbosity=verbosity,
        )
    )
