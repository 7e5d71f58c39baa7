"""subscribe_async(): what is cancelled, closed, or lost."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import selectors
import signal
import threading
import time
from collections.abc import Coroutine, Generator, Iterator
from typing import Any, Callable

import pytest
from looping import (
    MANY,
    Deaf,
    Run,
    audits,
    blocking,
    cancel,
    connecting_ends,
    deaf_fixture,  # noqa: F401
    run_fixture,  # noqa: F401
    send_slowly,
    spawn,
    take,
    until,
    users,
)
from subscribing import HANDSHAKE, NEVER, QUICK, own_threads, where

import confd_events as events
from confd_events import AsyncSubscription, Backoff, DaemonSilent, Event, subscribe_async
from confd_events.testing import Daemon, DaemonProcess, Faults, encode

# Cancellation and close()


async def consume_all(subscription: AsyncSubscription) -> None:
    async with subscription:
        async for _ in subscription:
            pass


Held = tuple[AsyncSubscription, "asyncio.Task[None]"]


async def held_in(state: str, daemon: Daemon, deaf: Deaf) -> Held:
    """A subscription and its consumer, which waits in some state."""
    if state == "connecting":
        daemon.set_faults(Faults(silent_after=0))
    if state == "acknowledging":
        serving = spawn(blocking(deaf.serve, MANY))
        subscription = deaf.subscription()
    else:
        buffer = 3 if state in ("buffering", "buffering half a frame") else None
        subscription = audits(daemon, buffer=buffer, reconnect=NEVER)
    consumer = spawn(consume_all(subscription))
    if state == "acknowledging":
        await serving
        before = -1
        while before != subscription.stats().delivered or not own_threads():
            before = subscription.stats().delivered
            await asyncio.sleep(0.03)
    elif state == "connecting":
        await until(lambda: bool(own_threads()))
    else:
        await blocking(daemon.wait_for_subscribers)
        daemon.audit()
        await until(lambda: subscription.stats().delivered == 1)
        await connecting_ends()
    if state.endswith("half a frame"):
        daemon.send_frame(encode("audit", msg="x" * 40_000)[:20_000])
        await until(lambda: bool(own_threads()))
    if state == "backing off":
        await blocking(daemon.disconnect)
        await until(lambda: bool(own_threads()))
    for _ in range(3):
        await asyncio.sleep(0.005)
    return subscription, consumer


STATES = (
    "connecting",
    "waiting",
    "reading half a frame",
    "backing off",
    "buffering",
    "buffering half a frame",
    "acknowledging",
)


@pytest.mark.parametrize("state", STATES)
def test_is_cancelled_whatever_it_waits_for(
    run: Run[Any], daemon: Daemon, deaf: Deaf, state: str
) -> None:
    async def main() -> None:
        subscription, consumer = await held_in(state, daemon, deaf)
        await cancel(consumer)
        assert subscription.closed
        # The connection is over, and with it what the daemon waited for.
        await until(lambda: not daemon.subscribers and not own_threads())

    run(main())


CLOSERS = ("a task", "a callback", "a thread", "a signal handler of the loop", "a signal handler")


def close_from(closer: str, close: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    if closer == "a task":
        close()
    elif closer == "a callback":
        loop.call_soon(close)
    elif closer == "a thread":
        threading.Thread(target=close).start()
    else:
        if closer == "a signal handler":
            signal.signal(signal.SIGUSR1, lambda *_: close())
        else:
            loop.add_signal_handler(signal.SIGUSR1, close)
        os.kill(os.getpid(), signal.SIGUSR1)


@pytest.fixture
def _sigusr1_as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.usefixtures("_sigusr1_as_before")
@pytest.mark.parametrize("closer", CLOSERS)
@pytest.mark.parametrize("state", STATES)
def test_close_ends_whatever_it_waits_for(
    run: Run[Any], daemon: Daemon, deaf: Deaf, state: str, closer: str
) -> None:
    async def main() -> None:
        subscription, consumer = await held_in(state, daemon, deaf)
        close_from(closer, subscription.close)
        if state == "connecting":
            with pytest.raises(events.error.EOF, match="was closed"):
                await consumer
        else:
            await consumer
        await until(lambda: not daemon.subscribers and not own_threads())

    run(main())


def test_closing_leaves_no_reader_in_the_loop(daemon: Daemon) -> None:
    selector = selectors.DefaultSelector()
    loop = asyncio.SelectorEventLoop(selector)

    async def main() -> None:
        registered = len(selector.get_map())
        for _ in range(3):
            async with audits(daemon) as subscription:
                daemon.audit()
                await take(subscription, 1)
                assert len(selector.get_map()) == registered + 1
            assert len(selector.get_map()) == registered

    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


class CancelledAt:
    """An awaitable as another, whose task is cancelled when that waits for the nth time."""

    def __init__(self, awaitable: Coroutine[Any, Any, Any], nth: int) -> None:
        self._awaitable = awaitable
        self._nth = nth
        self.waited = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._awaitable.__await__()
        try:
            waits = next(steps)
            while True:
                if self.waited == self._nth:
                    task = asyncio.current_task()
                    assert task is not None
                    task.cancel()
                self.waited += 1
                try:
                    yield waits
                except BaseException as error:
                    waits = steps.throw(error)
                else:
                    waits = next(steps)
        except StopIteration as stop:
            return stop.value


@pytest.mark.parametrize("buffer", [None, 3])
def test_is_cancelled_at_every_await(run: Run[Any], buffer: int | None) -> None:
    half = encode("commit_diff", thandle=3, comment="x" * 30_000)

    def disconnect(daemon: Daemon) -> None:
        daemon.wait_for_acknowledgements(3)  # the third comes when the next is asked for
        daemon.disconnect()

    async def consume(daemon: Daemon, handled: list[object]) -> None:
        """Lets the daemon do what there is to wait for, each when the consumer is ready for it."""
        options: Any = {"address": where(daemon), "reconnect": QUICK, "buffer": buffer}
        async with subscribe_async("commit-diff", **options) as subscription:
            daemon.commit_diff(thandle=1)
            daemon.commit_diff(thandle=2)
            async for event in subscription:
                handled.append(event.name)
                if len(handled) == 2:
                    daemon.send_frame(half[:20_000])
                    later = asyncio.get_running_loop().call_later
                    later(0.1, daemon.send_frame, half[20_000:])
                elif len(handled) == 3:
                    threading.Thread(target=disconnect, args=(daemon,)).start()
                elif event.name == "connected":
                    daemon.commit_diff(thandle=4)
                elif len(handled) == 6:
                    return

    async def cancelled_at(nth: int) -> bool:
        handled: list[object] = []
        with Daemon() as daemon:
            watched = CancelledAt(consume(daemon, handled), nth)
            try:
                await watched
            except asyncio.CancelledError:
                assert watched.waited == nth + 1  # at once: it waited for nothing more
            await until(lambda: not daemon.subscribers and not own_threads())
            acknowledged = [ack.id for ack in daemon.acknowledgements]
        assert len(set(acknowledged)) == len(acknowledged)
        assert handled.count("commit-diff") <= len(acknowledged)
        return watched.waited <= nth

    async def main() -> int:
        nth = 0
        while not await cancelled_at(nth):
            nth += 1
        return nth

    assert run(main()) > 2  # how often it waits depends on how fast the daemon is


def in_pieces(daemon: Daemon, frames: bytes) -> None:
    """Sends frames in pieces that end anywhere."""
    sizes = iter(lambda: 37, 0)
    send_slowly(daemon, frames, sizes, 0.001)


@pytest.mark.parametrize("buffer", [None, 4])
@pytest.mark.parametrize("nth", [0, 1, 2])
def test_cancelling_the_wait_for_the_next_loses_no_event(
    run: Run[Any], daemon: Daemon, nth: int, buffer: int | None
) -> None:
    count = 40
    frames = b"".join(encode("commit_diff", thandle=number) for number in range(count))

    async def consume() -> list[int]:
        received: list[int] = []
        options: Any = {"address": where(daemon), "buffer": buffer}
        async with subscribe_async("commit-diff", **options) as subscription:
            feeding = spawn(blocking(in_pieces, daemon, frames))
            while len(received) < count:
                with contextlib.suppress(asyncio.CancelledError):
                    event = await CancelledAt(subscription.__anext__(), nth)
                    received.append(event["tctx"].th)
            await feeding
        return received

    async def main() -> list[int]:
        return await consume()

    assert run(main()) == list(range(count))
    acknowledged = [ack.id for ack in daemon.wait_for_acknowledgements(count)]
    assert acknowledged == list(range(count))


@pytest.mark.parametrize("buffer", [None, 4])
@pytest.mark.parametrize("patience", [0.001, 0.01, 0.08])
def test_a_wait_that_times_out_loses_no_event(
    run: Run[Any], daemon: Daemon, patience: float, buffer: int | None
) -> None:
    """Not one larger than the socket's buffers either, for which a thread must read."""
    large = encode("audit", user="large", msg="x" * 8_000_000)
    names = [f"user-{number}" for number in range(60)]

    def feed() -> None:
        for name in names:
            daemon.audit(user=name)
            time.sleep(0.001)
        daemon.send_frame(large)

    async def main() -> list[str]:
        received: list[Event] = []
        async with audits(daemon, buffer=buffer) as subscription:
            feeding = spawn(blocking(feed))
            while len(received) <= len(names):
                with contextlib.suppress(asyncio.TimeoutError):
                    received.append(await asyncio.wait_for(subscription.__anext__(), patience))
            await feeding
        return users(received)

    assert run(main()) == [*names, "large"]


def test_a_wait_that_times_out_does_not_put_off_connecting_again(
    run: Run[Any], daemon: Daemon
) -> None:
    once = Backoff(first=0.3, jitter=0, attempts=1)

    async def main() -> list[str]:
        received: list[Event] = []
        async with audits(daemon, reconnect=once) as subscription:
            await blocking(daemon.disconnect)
            while len(received) < 2:
                with contextlib.suppress(asyncio.TimeoutError):
                    received.append(await asyncio.wait_for(subscription.__anext__(), 0.02))
        return users(received)

    assert run(main()) == ["disconnected", "connected"]


def test_an_error_that_nobody_waits_for_is_not_reported_as_forgotten(
    run: Run[Any], daemon: Daemon
) -> None:
    async def main() -> None:
        async with audits(daemon) as subscription:
            await connecting_ends()
            waiting = spawn(subscription.__anext__())
            daemon.send_frame(encode("audit")[:5])
            await until(lambda: bool(own_threads()))
            await cancel(waiting)
            await blocking(daemon.disconnect, None, True)
            await until(lambda: not own_threads())

    run(main())


@pytest.mark.parametrize("when_full", ["wait", "drop-oldest"])
@pytest.mark.parametrize("closer", CLOSERS[:3])
def test_a_full_buffer_can_be_closed(
    run: Run[Any], daemon: Daemon, when_full: Any, closer: str
) -> None:
    async def main() -> None:
        async with audits(daemon, buffer=3, when_full=when_full) as subscription:
            for _ in range(20):
                daemon.audit()
            await until(lambda: subscription.stats().waiting == 3)
            close_from(closer, subscription.close)
            await until(lambda: not own_threads())
            with pytest.raises(StopAsyncIteration):
                await subscription.__anext__()
            assert subscription.stats().waiting == 0

    run(main())


# A daemon that is lost


def test_heartbeats_that_stop_raise_daemon_silent(run: Run[Any]) -> None:
    record = encode("audit", user="last")
    beats = 3 * len(encode("heartbeat"))

    async def main() -> list[Event]:
        async with audits(daemon, heartbeat=0.05) as subscription:
            daemon.audit(user="last")
            received = await take(subscription, 1)
            with pytest.raises(DaemonSilent):
                await subscription.__anext__()
        return received

    with Daemon(
        minimum_interval=0, faults=Faults(silent_after=HANDSHAKE + len(record) + beats)
    ) as daemon:
        assert users(run(main())) == ["last"]


@pytest.mark.parametrize("buffer", [None, 3])
def test_heartbeats_that_stop_in_the_middle_of_a_frame_raise_daemon_silent(
    run: Run[Any], buffer: int | None
) -> None:
    async def main() -> None:
        async with audits(daemon, heartbeat=0.05, buffer=buffer) as subscription:
            with pytest.raises(DaemonSilent):
                await subscription.__anext__()

    with Daemon(minimum_interval=0, faults=Faults(silent_after=HANDSHAKE + 3)) as daemon:
        run(main())


def test_connects_again_when_heartbeats_stop(run: Run[Any]) -> None:
    async def main() -> list[Event]:
        async with audits(daemon, heartbeat=0.05, reconnect=QUICK) as subscription:
            daemon.set_faults(Faults())
            received = await take(subscription, 2)
            daemon.audit(user="new")
            return [*received, *await take(subscription, 1)]

    with Daemon(minimum_interval=0, faults=Faults(silent_after=HANDSHAKE)) as daemon:
        received = run(main())
    assert users(received) == ["disconnected", "connected", "new"]
    assert isinstance(received[0]["error"], DaemonSilent)


def test_the_wait_before_connecting_again_is_not_cut_short(run: Run[Any], daemon: Daemon) -> None:
    """Not by what arrived last on the connection that was lost."""

    async def main() -> None:
        async with audits(daemon, reconnect=NEVER) as subscription:
            daemon.audit(user="last")
            await blocking(daemon.disconnect)
            assert users(await take(subscription, 2)) == ["last", "disconnected"]
            asking = spawn(subscription.__anext__())
            for _ in range(20):
                await asyncio.sleep(0.005)
            assert not asking.done()
            await cancel(asking)

    run(main())


def test_raises_the_last_error_when_all_attempts_are_made(run: Run[Any]) -> None:
    twice = Backoff(first=0.01, attempts=2)

    async def main() -> None:
        with Daemon() as daemon:
            subscription = await audits(daemon, reconnect=twice).__aenter__()
        assert users(await take(subscription, 1)) == ["disconnected"]
        with pytest.raises(events.error.Error, match="refused"):
            await subscription.__anext__()
        assert subscription.closed

    run(main())


@pytest.mark.parametrize("buffer", [None, 3])
def test_goes_on_after_a_daemon_is_killed_in_the_middle_of_a_frame(
    run: Run[Any], buffer: int | None
) -> None:
    def kill() -> None:
        (process,) = multiprocessing.active_children()
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()

    def start(port: int = 0) -> DaemonProcess:
        daemon = DaemonProcess(port=port)
        daemon.start()
        return daemon

    async def main() -> list[str]:
        host, port = where(killed)
        options: Any = {"address": (host, port), "reconnect": QUICK, "buffer": buffer}
        async with subscribe_async("audit", **options) as subscription:
            received = spawn(take(subscription, 4))
            killed.audit(user="before")
            killed.send_frame(encode("audit", msg="x" * 40_000)[:20_000])
            await asyncio.sleep(0.1)
            await blocking(kill)
            again = await blocking(start, port)
            try:
                await blocking(again.wait_for_subscribers)
                again.audit(user="after")
                return users(await received)
            finally:
                await blocking(again.stop)

    killed = start()
    assert run(main()) == ["before", "disconnected", "connected", "after"]
