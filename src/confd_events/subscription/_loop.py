"""What a subscription needs of an event loop: to be woken, and to have others block for it."""

from __future__ import annotations

import asyncio
import select
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Callable, TypeVar

if TYPE_CHECKING:
    from ._connection import Connection

# Seconds for the rest of a notification to come before a thread waits for it. A notification
# larger than the socket's buffers comes only while somebody reads.
_GRACE = 0.05

# Elements that a thread takes of an iterator before the loop has them.
_SOME = 256

_T = TypeVar("_T")


class Signal:
    """What a task waits for: that something has happened since it looked last.

    Not an asyncio.Event, which needs wait_for() for a timeout: that starts a task each time, and
    before Python 3.12 it may swallow a cancellation.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._happened: asyncio.Future[None] = self._loop.create_future()

    def set(self, *_: object) -> None:
        """Wakes the task. To be called in the loop."""
        if not self._happened.done():
            self._happened.set_result(None)

    def set_from_thread(self) -> None:
        """The same, for any thread."""
        with suppress(RuntimeError):  # the loop is closed, nobody waits
            self._loop.call_soon_threadsafe(self.set)

    async def wait(self, seconds: float | None = None) -> None:
        """Waits for set(), but no longer than so many seconds."""
        await asyncio.wait([self._happened], timeout=seconds)
        if self._happened.done():
            self._happened = self._loop.create_future()


class Watch:
    """Sets a signal whenever something new arrives at a connection.

    The epoll in between is edge-triggered: the loop's own watch would report the first part of a
    notification over and over until the rest has come.
    """

    def __init__(self, connection: Connection, signal: Signal) -> None:
        self.connection = connection
        self._signal = signal
        self._loop = asyncio.get_running_loop()
        self._arrived_at = self._loop.time()
        self._epoll = select.epoll()
        with suppress(OSError, ValueError):  # closed by another thread: the next read says so
            self._epoll.register(connection, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)
        self._loop.add_reader(self._epoll.fileno(), self._report)

    def _report(self) -> None:
        self._epoll.poll(0)
        self._arrived_at = self._loop.time()
        self._signal.set()

    def grace(self) -> float:
        """Seconds left for more of a notification to come."""
        return self._arrived_at + _GRACE - self._loop.time()

    def close(self) -> None:
        """Stops watching."""
        if not self._loop.is_closed():
            self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()


def in_thread(function: Callable[[], object]) -> asyncio.Future[None]:
    """Runs a function that may block in a thread of its own; the future says when it is done.

    Not in the loop's executor: its few threads are others' too, and its end waits for them.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if future.done():  # cancelled
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
            future.exception()  # "retrieved": perhaps nobody waits for it any more

    def report(error: BaseException | None) -> None:
        with suppress(RuntimeError):  # the loop is closed, nobody waits
            loop.call_soon_threadsafe(settle, error)

    def run() -> None:
        try:
            function()
        except BaseException as error:
            report(error)
        else:
            report(None)

    threading.Thread(target=run, name="confd-events call", daemon=True).start()
    return future


async def taken_in_threads(iterator: Iterator[_T]) -> AsyncIterator[_T]:
    """Gives what an iterator gives that may block, some of it at a time.

    Left or cancelled, it lets go of the iterator: a generator then ends, at the latest with the
    thread that takes of it.
    """
    while True:
        some: list[_T] = []
        failure: Exception | None = None
        try:
            await in_thread(partial(_take, iterator, some))
        except Exception as error:
            failure = error
        for each in some:
            yield each
        if failure is not None:
            raise failure
        if len(some) < _SOME:
            return


def _take(iterator: Iterator[_T], into: list[_T]) -> None:
    for each in islice(iterator, _SOME):
        into.append(each)
