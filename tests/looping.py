"""What the tests of subscriptions in an event loop share."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import os
import socket
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, Callable, TypeVar

import pytest
from subscribing import PATIENCE, descriptors, own_threads, wait_until, where

from confd_events import AsyncSubscription, Event, subscribe_async
from confd_events.testing import Atom, Daemon, decode, encode, frame_of

T = TypeVar("T")
Main = Coroutine[Any, Any, T]
Run = Callable[[Main[T]], T]

# More acknowledgements than the buffer of a UNIX socket takes.
MANY = 1500


async def until(condition: Callable[[], bool]) -> None:
    """As wait_until(), while other tasks go on."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come"
        await asyncio.sleep(0.005)


async def connecting_ends() -> None:
    """After entering, until the thread that connected is gone; a later one is for reading."""
    await until(lambda: "confd-events call" not in own_threads())


@pytest.fixture(name="run", params=["asyncio", "uvloop"])
def run_fixture(request: pytest.FixtureRequest) -> Iterator[Run[Any]]:
    """Runs a coroutine. An error that nobody handles fails, and a thread or descriptor left."""
    new_loop: Callable[[], asyncio.AbstractEventLoop]
    new_loop = importlib.import_module(request.param).new_event_loop
    unhandled: list[dict[str, Any]] = []
    opened: list[int] = []

    def runner(main: Main[T]) -> T:
        new_loop().close()  # the first of a process opens what all share
        before = descriptors()
        loop = new_loop()
        loop.set_debug(True)  # its checks that callbacks come from the right thread
        loop.set_exception_handler(lambda _, context: unhandled.append(context))
        try:
            return loop.run_until_complete(asyncio.wait_for(main, 3 * PATIENCE))
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
            opened.append(before)

    yield runner
    gc.collect()
    wait_until(lambda: not own_threads())
    wait_until(lambda: descriptors() <= max(opened))
    assert not unhandled


class Ticker:
    """A task among others, and a thread's view of whether it goes on."""

    def __init__(self) -> None:
        self.count = 0

    async def run(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0.001)

    def goes_on(self) -> bool:
        """Whether it does, asked by another thread."""
        target = self.count + 20
        end = time.monotonic() + 5.0
        while self.count < target and time.monotonic() < end:
            time.sleep(0.001)
        return self.count >= target


@contextlib.asynccontextmanager
async def ticks() -> AsyncIterator[Ticker]:
    """A ticker that goes on beside the block."""
    ticker = Ticker()
    task = spawn(ticker.run())
    try:
        yield ticker
    finally:
        task.cancel()


def audits(daemon: Daemon, **options: Any) -> AsyncSubscription:
    return subscribe_async("audit", address=where(daemon), **options)


def users(received: list[Event]) -> list[str]:
    return [event["user"] if event.name == "audit" else event.name for event in received]


async def take(subscription: AsyncSubscription, count: int) -> list[Event]:
    return [await subscription.__anext__() for _ in range(count)]


async def cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def spawn(main: Main[T]) -> asyncio.Task[T]:
    return asyncio.get_running_loop().create_task(main)


async def blocking(function: Callable[..., T], *arguments: Any) -> T:
    """A call of the simulated daemon that waits for what this loop is to do."""
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)


def send_slowly(daemon: Daemon, frame: bytes, sizes: Iterator[int], pause: float) -> None:
    sent = 0
    while sent < len(frame):
        size = next(sizes)
        daemon.send_frame(frame[sent : sent + size])
        sent += size
        time.sleep(pause)


class Deaf:
    """A daemon that waits for acknowledgements and does not read them until told to."""

    def __init__(self) -> None:
        self.address = f"\0confd-events-{os.getpid()}-{id(self)}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.address)
        self._listener.listen()
        self._accepted = socket.socket()

    def subscription(self, **options: Any) -> AsyncSubscription:
        return subscribe_async("audit", "audit-sync", address=self.address, **options)

    def serve(self, count: int) -> None:
        """Accepts one subscriber and sends it so many audits, numbered by usid."""
        self._accepted.close()
        self._accepted, _ = self._listener.accept()
        self._accepted.settimeout(PATIENCE)
        self._read(9)
        self._accepted.sendall(bytes.fromhex("00 0052 08020500 3c 12"))
        self._read_frame()
        audits_ = (encode("audit", usid=number) for number in range(count))
        self._accepted.sendall(b"".join([frame_of(Atom("ok")), *audits_]))

    def acknowledged(self, count: int) -> list[int]:
        """Reads so many acknowledgements; returns their usids."""
        return [decode(self._read_frame())[0] for _ in range(count)]  # type: ignore[index]

    def reads_end(self) -> bool:
        """Whether the subscriber's connection is over, with nothing left to read."""
        return not self._accepted.recv(1)

    def close(self) -> None:
        self._accepted.close()
        self._listener.close()

    def _read_frame(self) -> bytes:
        return self._read(int.from_bytes(self._read(4), "big"))

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._accepted.recv(size - len(data))
            assert piece, "the end came too early"
            data += piece
        return data


@pytest.fixture(name="deaf")
def deaf_fixture() -> Iterator[Deaf]:
    listening = Deaf()
    yield listening
    listening.close()
