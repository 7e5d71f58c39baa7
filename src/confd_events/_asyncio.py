"""Asynchronous subscriptions: the same, for an event loop."""

from __future__ import annotations

import asyncio
import select
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Callable, TypeVar

from ._buffer import Buffer
from ._connection import check_process
from ._event import Event
from ._subscription import Core, Plan, plan

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Literal, Self

    from ._address import Address
    from ._backoff import Backoff
    from ._connection import Connection
    from ._request import Seconds, Time, What
    from .enums import Verbosity

T = TypeVar("T")

# Events read at a time, before other tasks have their turn.
_BURST = 100

# Seconds for the rest of a notification to come before a thread waits for it. A notification
# larger than the socket's buffers comes only while somebody reads.
_GRACE = 0.05


class Watch:
    """Sets an asyncio.Event whenever something new arrives at a connection.

    The epoll in between is edge-triggered: the loop's own watch would report the first part of a
    notification over and over until the rest has come.
    """

    def __init__(self, connection: Connection, arrived: asyncio.Event) -> None:
        self.connection = connection
        self._arrived = arrived
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._epoll.register(connection, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)
        self._loop.add_reader(self._epoll.fileno(), self._report)

    def _report(self) -> None:
        self._epoll.poll(0)
        self._arrived.set()

    def close(self) -> None:
        """Stops watching."""
        if not self._epoll.closed:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()


def in_thread(function: Callable[..., T], *arguments: object) -> asyncio.Future[T]:
    """The result of a function that may block, run in a thread of its own.

    Not in the loop's executor: its few threads are others' too, and its end waits for them.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(settler: Callable[..., None], value: object) -> None:
        if not future.done():
            settler(value)

    def run() -> None:
        settler: Callable[..., None] = future.set_result
        outcome: object
        try:
            outcome = function(*arguments)
        except BaseException as error:
            settler, outcome = future.set_exception, error
        with suppress(RuntimeError):  # the loop is closed, nobody waits
            loop.call_soon_threadsafe(settle, settler, outcome)

    threading.Thread(target=run, name="confd-events call", daemon=True).start()
    return future


class AsyncSubscription(Core):
    """A subscription for asyncio: `async with` connects and closes, `async for` gives events.

    Each event is acknowledged when the next one is asked for or the block is left, however that
    happens. Made by subscribe_async(). For one consumer at a time. close() may be called from
    anywhere.
    """

    def __init__(self, options: Plan) -> None:
        super().__init__(options)
        self._options = options
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: Watch | None = None
        # What a thread does for this subscription. It outlives a cancelled wait for it.
        self._in_thread: asyncio.Future[Sequence[Event]] | None = None

    async def __aenter__(self) -> Self:
        """Connects. Raises Error when the daemon can't be reached or refuses."""
        self._loop = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        try:
            await in_thread(self._reader.open)
        except BaseException:
            self._reader.close()
            raise
        size = self._options.buffer
        if size is not None:
            self._buffer = Buffer(
                self._reader, self._events, size, self._options.when_full, self._wake
            )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the subscription, as that of a Subscription."""
        super().close()
        self._wake()

    def _wake(self) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed, nobody waits
                self._loop.call_soon_threadsafe(self._report)

    def _report(self) -> None:
        self._arrived.set()
        if self.closed and self._watch is not None:
            self._watch.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event. Raises as that of Subscription; StopAsyncIteration after close()."""
        if self._current is not None:
            await self._settle_unblocked()
        event = self._take()
        while event is None:
            await self._fill()
            event = self._take()
        return event

    async def _settle_unblocked(self) -> None:
        connection = self._reader.connection
        if connection is None or connection.takes_acknowledgement():
            self._settle()
        else:
            await asyncio.shield(in_thread(self._settle))

    async def _fill(self) -> None:
        check_process(self._pid)
        if self._loop is None:
            raise RuntimeError("the subscription is not connected; enter it by async with")
        await asyncio.sleep(0)  # a flood of events leaves other tasks their turn
        try:
            if self._buffer is not None:
                await self._await_buffer(self._buffer)
            elif self.closed:
                raise StopAsyncIteration
            else:
                self._accept(await self._read())
        except Exception:
            self.close()
            raise

    async def _await_buffer(self, buffer: Buffer) -> None:
        self._arrived.clear()
        if not buffer.is_ready():
            await self._arrived.wait()
        elif not self._events:
            buffer.raise_error()
            raise StopAsyncIteration

    async def _read(self) -> Sequence[Event]:
        if self._in_thread is None:
            connection = self._reader.connection
            if connection is not None:
                return await self._read_arrived(connection)
            await self._wait(self._reader.next_delay())
            self._in_thread = in_thread(self._reader.connect_again)
        events = await asyncio.shield(self._in_thread)
        self._in_thread = None
        return events

    async def _read_arrived(self, connection: Connection) -> Sequence[Event]:
        """What has arrived; if it is nothing, waits, and returns nothing."""
        if self._watch is None or self._watch.connection is not connection:
            self._watch_over(connection)
        events = self._reader.read(_BURST, timeout=0)
        if events or self._reader.connection is None:
            return events
        begun = connection.has_begun()
        if await self._wait(_GRACE if begun else connection.silent_in()):
            return []
        if not begun:
            return self._reader.lost(connection.silence_error())
        self._in_thread = in_thread(self._reader.read, _BURST)
        return []

    def _watch_over(self, connection: Connection) -> None:
        if self._watch is not None:
            self._watch.close()
        self._watch = Watch(connection, self._arrived)

    async def _wait(self, seconds: float | None) -> bool:
        """Waits until something arrives, or close(); returns whether so, or the time was up."""
        try:
            await asyncio.wait_for(self._arrived.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        self._arrived.clear()
        return True


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
