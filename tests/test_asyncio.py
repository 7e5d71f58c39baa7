"""subscribe_async(): the same as subscribe(), in an event loop that is never held up."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import multiprocessing
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Generator, Iterator
from typing import Any, Callable, TypeVar

import pytest
import uvloop

import confd_events as events
from confd_events import Backoff, BufferFull, DaemonSilent, Event, subscribe, subscribe_async
from confd_events.testing import (
    Acknowledgement,
    Atom,
    Daemon,
    DaemonProcess,
    Faults,
    decode,
    encode,
    frame_of,
)

AsyncSubscription = events.AsyncSubscription
T = TypeVar("T")
Main = Coroutine[Any, Any, T]
Run = Callable[[Main[T]], T]

# Seconds after which a test fails instead of hanging.
PATIENCE = 20.0
QUICK = Backoff(first=0.01, longest=0.05)
NEVER = Backoff(first=3600, longest=3600, jitter=0)
HANDSHAKE = 9 + 9  # bytes: the version reply, and the frame with the atom ok


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("confd-events")]


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)


async def until(condition: Callable[[], bool]) -> None:
    """The same, while other tasks go on."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come"
        await asyncio.sleep(0.005)


async def connecting_ends() -> None:
    """After entering, until the thread that connected is gone; a later one is for reading."""
    await until(lambda: "confd-events call" not in threads())


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run[Any]]:
    """Runs a coroutine. An error that nobody handles fails, and a thread or descriptor left."""
    new_loop = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}[request.param]
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
    wait_until(lambda: not threads())
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


def at(daemon: Daemon | DaemonProcess) -> Any:
    address = daemon.address
    return address["path"] if "path" in address else (address["ip"], address["port"])


def audits(daemon: Daemon, **options: Any) -> AsyncSubscription:
    return subscribe_async("audit", address=at(daemon), **options)


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


# The same as the blocking side


def test_takes_the_same_options_as_the_blocking_function() -> None:
    assert inspect.signature(subscribe_async).parameters == inspect.signature(subscribe).parameters


def test_checks_its_arguments_before_it_connects() -> None:
    with pytest.raises(ValueError, match="buffer"):
        subscribe_async("audit", buffer=0)
    with pytest.raises(ValueError, match="nothing to subscribe to"):
        subscribe_async()


def test_gives_the_same_events_as_the_blocking_side(run: Run[Any], daemon: Daemon) -> None:
    daemon.add_stream("alarms")
    what: Any = ("audit", "commit-diff", events.NOTIF_HA_INFO)
    options: Any = {"stream": "alarms", "heartbeat": 0.05, "address": at(daemon)}

    def send() -> None:
        daemon.audit(user="ada", usid=7)
        daemon.commit_diff(thandle=3)
        daemon.ha_noprimary(reason=1)
        daemon.stream_event(stream="alarms", values=[])
        daemon.audit(user="last")

    async def main() -> list[Event]:
        async with subscribe_async(*what, **options) as subscription:
            daemon.wait_for_subscribers(2)
            send()
            return await take(subscription, 5)

    with subscribe(*what, **options) as subscription:
        got = run(main())
        expected = [next(subscription) for _ in range(5)]
    assert [repr(event) for event in got] == [repr(event) for event in expected]


@pytest.mark.parametrize("buffer", [None, 3])
def test_acknowledges_when_the_next_is_asked_for(
    run: Run[Any], daemon: Daemon, buffer: int | None
) -> None:
    async def main() -> None:
        async with subscribe_async("commit-diff", address=at(daemon), buffer=buffer) as events_:
            first = daemon.commit_diff(thandle=1)
            event = await events_.__anext__()
            assert event.unacknowledged
            assert not first.done
            asking = spawn(events_.__anext__())
            await blocking(first.wait)
            assert not event.unacknowledged
            second = daemon.commit_diff(thandle=2)
            assert (await asking)["tctx"].th == 2
            assert not second.done
        await blocking(second.wait)

    run(main())
    assert [ack.id for ack in daemon.wait_for_acknowledgements(2)] == [1, 2]


class HandlerError(Exception):
    pass


@pytest.mark.parametrize("leave", ["end", "break", "exception", "cancellation", "close"])
@pytest.mark.parametrize("buffer", [None, 3])
def test_acknowledges_once_however_the_block_is_left(
    run: Run[Any], daemon: Daemon, leave: str, buffer: int | None
) -> None:
    handled = []

    async def consume() -> None:
        async with subscribe_async("commit-diff", address=at(daemon), buffer=buffer) as events_:
            daemon.commit_diff(thandle=1)
            async for event in events_:
                handled.append(event)
                if leave == "exception":
                    raise HandlerError
                if leave == "cancellation":
                    await asyncio.sleep(3600)
                if leave == "close":
                    events_.close()
                elif leave == "break":
                    break
                else:
                    return

    async def main() -> None:
        task = spawn(consume())
        await until(lambda: bool(handled))
        if leave == "cancellation":
            await cancel(task)
        elif leave == "exception":
            with pytest.raises(HandlerError):
                await task
        else:
            await task
        await blocking(lambda: wait_until(lambda: not daemon.subscribers))

    run(main())
    assert daemon.acknowledgements == [Acknowledgement("commit_diff", 1, 1)]


def test_leaves_acknowledging_to_a_manual_consumer(run: Run[Any], daemon: Daemon) -> None:
    async def main() -> None:
        options: Any = {"ack": "manual", "address": at(daemon)}
        async with subscribe_async("commit-diff", **options) as events_:
            deliveries = [daemon.commit_diff(thandle=number) for number in (1, 2)]
            first, second = await take(events_, 2)
            assert second.ack()
            await blocking(deliveries[1].wait)
            assert not deliveries[0].done
            assert first.ack()
            assert not first.ack()

    run(main())
    assert [ack.id for ack in daemon.wait_for_acknowledgements(2)] == [2, 1]


def test_warns_of_an_event_left_unacknowledged_and_releases_it(
    run: Run[Any], daemon: Daemon
) -> None:
    async def main() -> None:
        options: Any = {"ack": "manual", "address": at(daemon)}
        async with subscribe_async("commit-diff", **options) as events_:
            delivery = daemon.commit_diff(thandle=1)
            event = await events_.__anext__()
            with pytest.warns(RuntimeWarning, match="without ack"):
                events_.close()
            assert not event.unacknowledged
        await blocking(delivery.wait)

    run(main())
    assert [ack.id for ack in daemon.wait_for_acknowledgements(1)] == [1]


def test_raises_the_error_of_a_lost_connection_then_ends(run: Run[Any], daemon: Daemon) -> None:
    async def main() -> None:
        async with audits(daemon) as subscription:
            daemon.audit(user="ada")
            assert users(await take(subscription, 1)) == ["ada"]
            await blocking(daemon.disconnect)
            with pytest.raises(events.error.EOF):
                await subscription.__anext__()
            assert subscription.closed
            with pytest.raises(StopAsyncIteration):
                await subscription.__anext__()

    run(main())


def test_raises_the_daemons_refusal_on_entering(run: Run[Any]) -> None:
    async def main() -> None:
        with pytest.raises(events.error.Error, match="go away"):
            async with audits(daemon):
                pass

    with Daemon(connect_error=(7, "go away")) as daemon:
        run(main())


# How it is used


def test_says_that_it_must_be_entered(run: Run[Any], daemon: Daemon) -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="async with"):
            await audits(daemon).__anext__()

    run(main())


def test_says_that_it_can_be_entered_once(run: Run[Any], daemon: Daemon) -> None:
    async def main() -> None:
        subscription = audits(daemon)
        async with subscription:
            with pytest.raises(RuntimeError, match="once"):
                await subscription.__aenter__()
            daemon.audit(user="ada")
            assert users(await take(subscription, 1)) == ["ada"]
        with pytest.raises(RuntimeError, match="once"):
            await subscription.__aenter__()

    run(main())


def test_says_that_it_belongs_to_the_loop_that_entered_it(run: Run[Any], daemon: Daemon) -> None:
    async def main() -> None:
        async with audits(daemon) as subscription:
            with pytest.raises(RuntimeError, match="in the loop"):
                await blocking(asyncio.run, take(subscription, 1))
            daemon.audit(user="ada")
            assert users(await take(subscription, 1)) == ["ada"]

    run(main())


def test_says_when_closed_before_it_is_entered(run: Run[Any], daemon: Daemon) -> None:
    async def main() -> None:
        subscription = audits(daemon)
        subscription.close()
        with pytest.raises(events.error.EOF, match="was closed"):
            await subscription.__aenter__()

    run(main())


def test_warns_of_an_unclosed_subscription_and_closes_it(run: Run[Any], daemon: Daemon) -> None:
    async def main() -> None:
        subscription = await audits(daemon).__aenter__()
        daemon.audit()
        await subscription.__anext__()
        cycle: list[Any] = [subscription]
        cycle.append(cycle)
        del subscription, cycle
        with pytest.warns(ResourceWarning, match="unclosed"):
            gc.collect()

    run(main())
    wait_until(lambda: not daemon.subscribers)


# The loop is never held up


def send_slowly(daemon: Daemon, frame: bytes, sizes: Iterator[int], pause: float) -> None:
    sent = 0
    while sent < len(frame):
        size = next(sizes)
        daemon.send_frame(frame[sent : sent + size])
        sent += size
        time.sleep(pause)


@pytest.mark.parametrize("buffer", [None, 3])
@pytest.mark.parametrize(("size", "arrived"), [(20, 2), (20, 20), (40_000, 20_000)])
def test_a_frame_half_there_leaves_other_tasks_their_turn(
    run: Run[Any], daemon: Daemon, size: int, arrived: int, buffer: int | None
) -> None:
    frame = encode("audit", user="ada", msg="x" * size)
    other_tasks_went_on = []

    def feed(ticker: Ticker) -> None:
        daemon.send_frame(frame[:arrived])
        for _ in range(6):  # beyond the time after which a thread waits for the rest
            other_tasks_went_on.append(ticker.goes_on())
        daemon.send_frame(frame[arrived:])

    async def main() -> list[Event]:
        async with audits(daemon, buffer=buffer) as subscription, ticks() as ticker:
            feeding = blocking(feed, ticker)
            received, _ = await asyncio.gather(take(subscription, 1), feeding)
            return received

    assert users(run(main())) == ["ada"]
    assert all(other_tasks_went_on)


@pytest.mark.parametrize(
    ("size", "piece", "pause"), [(40, 1, 0.002), (40, 25, 0.08), (1_000_000, 30_000, 0.002)]
)
def test_a_frame_that_comes_slowly_leaves_other_tasks_their_turn(
    run: Run[Any], daemon: Daemon, size: int, piece: int, pause: float
) -> None:
    frame = encode("audit", user="ada", msg="x" * size)

    def pieces(ticker: Ticker) -> Iterator[int]:
        while True:
            yield piece
            assert ticker.goes_on()

    async def main() -> list[Event]:
        async with audits(daemon) as subscription, ticks() as ticker:
            daemon.audit(user="first")
            feeding = blocking(send_slowly, daemon, frame, pieces(ticker), pause)
            received, _ = await asyncio.gather(take(subscription, 2), feeding)
            return received

    assert users(run(main())) == ["first", "ada"]


@pytest.mark.parametrize("reconnect", [False, QUICK])
def test_a_frame_that_never_ends_leaves_other_tasks_their_turn_until_closed(
    run: Run[Any], daemon: Daemon, reconnect: bool | Backoff
) -> None:
    frame = encode("audit", msg="x" * 40_000)

    async def main() -> None:
        async with audits(daemon, reconnect=reconnect) as subscription, ticks() as ticker:
            await connecting_ends()
            waiting = spawn(take(subscription, 1))
            daemon.send_frame(frame[:20_000])
            await until(lambda: bool(threads()))
            assert await blocking(ticker.goes_on)
            subscription.close()
            with pytest.raises(StopAsyncIteration):
                await waiting

    run(main())


def test_a_daemon_that_never_answers_leaves_other_tasks_their_turn(run: Run[Any]) -> None:
    async def main() -> None:
        async with ticks() as ticker:
            connecting = spawn(audits(daemon).__aenter__())
            await asyncio.sleep(0)
            assert await blocking(ticker.goes_on)
            assert not connecting.done()
            await cancel(connecting)

    with Daemon(faults=Faults(silent_after=0)) as daemon:
        run(main())


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


@pytest.fixture
def deaf() -> Iterator[Deaf]:
    listening = Deaf()
    yield listening
    listening.close()


# More acknowledgements than the buffer of a UNIX socket takes.
MANY = 1500


def test_acknowledgements_that_nobody_reads_leave_other_tasks_their_turn(
    run: Run[Any], deaf: Deaf
) -> None:
    given = []

    async def consume(subscription: AsyncSubscription) -> None:
        async for event in subscription:
            given.append(event["usid"])

    async def main() -> None:
        serving = spawn(blocking(deaf.serve, MANY))
        async with deaf.subscription() as subscription, ticks() as ticker:
            consuming = spawn(consume(subscription))
            await serving
            for _ in range(10):
                assert await blocking(ticker.goes_on)
            assert len(given) < MANY
            acknowledged = await blocking(deaf.acknowledged, MANY - 1)
            assert acknowledged == list(range(MANY - 1))
            await until(lambda: len(given) == MANY)
            await cancel(consuming)
        assert await blocking(deaf.acknowledged, 1) == [MANY - 1]
        assert await blocking(deaf.reads_end)

    run(main())


def test_a_cancelled_acknowledgement_is_sent_once_and_is_that_of_its_own_event(
    run: Run[Any], deaf: Deaf
) -> None:
    given: list[int] = []

    async def consume(subscription: AsyncSubscription) -> None:
        event: Event | None = None
        while len(given) < MANY:
            with contextlib.suppress(asyncio.TimeoutError):
                event = await asyncio.wait_for(subscription.__anext__(), 0.005)
                given.append(event["usid"])
                assert event.unacknowledged

    async def main() -> None:
        serving = spawn(blocking(deaf.serve, MANY))
        async with deaf.subscription() as subscription:
            await serving
            consuming = spawn(consume(subscription))
            acknowledged = await blocking(deaf.acknowledged, MANY - 1)
            await consuming
            assert sorted(acknowledged) == list(range(MANY - 1))
        assert await blocking(deaf.acknowledged, 1) == [MANY - 1]
        assert await blocking(deaf.reads_end)

    run(main())
    assert given == list(range(MANY))


@pytest.mark.parametrize("buffer", [None, 1000])
def test_a_flood_of_events_leaves_other_tasks_their_turn(
    run: Run[Any], daemon: Daemon, buffer: int | None
) -> None:
    count = 5000
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def flood() -> None:
        for _ in range(count):
            daemon.audit()

    async def main() -> int:
        async with audits(daemon, buffer=buffer) as subscription:
            flood()
            await subscription.__anext__()
            task = spawn(others())
            await take(subscription, count - 1)
            await cancel(task)
        return turns

    assert run(main()) >= count // 100 - 1


@pytest.mark.parametrize("buffer", [None, 1000])
def test_a_flood_that_filled_the_socket_is_read_to_its_end(
    run: Run[Any], daemon: Daemon, buffer: int | None
) -> None:
    """Also when a notification's first bytes alone are left of what TCP let come."""
    count = 40_000

    async def main() -> None:
        async with audits(daemon, buffer=buffer) as subscription:
            daemon.send_frame(encode("audit") * count)
            await asyncio.sleep(0.3)
            await asyncio.wait_for(take(subscription, count), PATIENCE)

    run(main())


@pytest.mark.parametrize("buffer", [None, 5])
def test_many_subscriptions_share_a_loop(run: Run[Any], daemon: Daemon, buffer: int | None) -> None:
    subscriptions, sent = 50, [str(number) for number in range(30)]

    async def consume() -> list[str]:
        async with audits(daemon, buffer=buffer) as subscription:
            return users(await take(subscription, len(sent)))

    def send() -> None:
        daemon.wait_for_subscribers(subscriptions, PATIENCE)
        for user in sent:
            daemon.audit(user=user)

    async def main() -> list[Any]:
        consumers = (consume() for _ in range(subscriptions))
        return await asyncio.gather(*consumers, blocking(send))

    assert run(main()) == [sent] * subscriptions + [None]


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
        while before != subscription.stats().delivered or not threads():
            before = subscription.stats().delivered
            await asyncio.sleep(0.03)
    elif state == "connecting":
        await until(lambda: bool(threads()))
    else:
        await blocking(daemon.wait_for_subscribers)
        daemon.audit()
        await until(lambda: subscription.stats().delivered == 1)
        await connecting_ends()
    if state.endswith("half a frame"):
        daemon.send_frame(encode("audit", msg="x" * 40_000)[:20_000])
        await until(lambda: bool(threads()))
    if state == "backing off":
        await blocking(daemon.disconnect)
        await until(lambda: bool(threads()))
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
        await until(lambda: not daemon.subscribers and not threads())

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
        await until(lambda: not daemon.subscribers and not threads())

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
        options: Any = {"address": at(daemon), "reconnect": QUICK, "buffer": buffer}
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
            await until(lambda: not daemon.subscribers and not threads())
            acknowledged = [ack.id for ack in daemon.acknowledgements]
        assert len(set(acknowledged)) == len(acknowledged)
        assert handled.count("commit-diff") <= len(acknowledged)
        return watched.waited <= nth

    async def main() -> int:
        nth = 0
        while not await cancelled_at(nth):
            nth += 1
        return nth

    assert run(main()) > 4


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
        options: Any = {"address": at(daemon), "buffer": buffer}
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
            await until(lambda: bool(threads()))
            await cancel(waiting)
            await blocking(daemon.disconnect, None, True)
            await until(lambda: not threads())

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

    with Daemon(faults=Faults(silent_after=HANDSHAKE + len(record) + beats)) as daemon:
        assert users(run(main())) == ["last"]


@pytest.mark.parametrize("buffer", [None, 3])
def test_heartbeats_that_stop_in_the_middle_of_a_frame_raise_daemon_silent(
    run: Run[Any], buffer: int | None
) -> None:
    async def main() -> None:
        async with audits(daemon, heartbeat=0.05, buffer=buffer) as subscription:
            with pytest.raises(DaemonSilent):
                await subscription.__anext__()

    with Daemon(faults=Faults(silent_after=HANDSHAKE + 3)) as daemon:
        run(main())


def test_connects_again_when_heartbeats_stop(run: Run[Any]) -> None:
    async def main() -> list[Event]:
        async with audits(daemon, heartbeat=0.05, reconnect=QUICK) as subscription:
            daemon.set_faults(Faults())
            received = await take(subscription, 2)
            daemon.audit(user="new")
            return [*received, *await take(subscription, 1)]

    with Daemon(faults=Faults(silent_after=HANDSHAKE)) as daemon:
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
        host, port = at(killed)
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


# The buffer


def test_a_full_buffer_waits_for_the_consumer(run: Run[Any], daemon: Daemon) -> None:
    sent = [str(number) for number in range(20)]

    async def main() -> list[str]:
        async with audits(daemon, buffer=3) as subscription:
            for user in sent:
                daemon.audit(user=user)
            await until(lambda: subscription.stats().waiting == 3)
            received = await take(subscription, len(sent))
            assert subscription.stats().delivered == len(sent)
            return users(received)

    assert run(main()) == sent


def test_a_full_buffer_drops_the_oldest_and_says_so(run: Run[Any], daemon: Daemon) -> None:
    async def main() -> list[Event]:
        options: Any = {"buffer": 3, "when_full": "drop-oldest"}
        async with audits(daemon, **options) as subscription:
            for number in range(20):
                daemon.audit(user=str(number))
            await until(lambda: subscription.stats().read == 20)
            await until(lambda: subscription.stats().dropped == 17)
            return await take(subscription, 4)

    received = run(main())
    assert users(received) == ["dropped", "17", "18", "19"]
    assert received[0]["count"] == 17


def test_a_full_buffer_raises(run: Run[Any], daemon: Daemon) -> None:
    async def main() -> None:
        async with audits(daemon, buffer=3, when_full="raise") as subscription:
            for _ in range(20):
                daemon.audit()
            await until(lambda: not threads())
            received = await take(subscription, 1)
            with pytest.raises(BufferFull):
                await subscription.__anext__()
            assert subscription.closed
            assert users(received) == ["dropped"]

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
            await until(lambda: not threads())
            with pytest.raises(StopAsyncIteration):
                await subscription.__anext__()
            assert subscription.stats().waiting == 0

    run(main())


# A loop that ends


@pytest.mark.parametrize("buffer", [None, 3])
def test_a_loop_may_end_while_a_thread_reads(
    run: Run[Any], daemon: Daemon, buffer: int | None
) -> None:
    frame = encode("audit")

    async def main() -> AsyncSubscription:
        subscription = await audits(daemon, buffer=buffer).__aenter__()
        await connecting_ends()
        waiting = spawn(subscription.__anext__())
        daemon.send_frame(frame[:5])
        await until(lambda: bool(threads()))
        await cancel(waiting)
        return subscription

    subscription = run(main())
    daemon.send_frame(frame[5:])
    wait_until(lambda: subscription.stats().read == 1)
    subscription.close()
    wait_until(lambda: not daemon.subscribers)


def test_a_program_may_end_while_a_thread_reads(daemon: Daemon) -> None:
    program = f"""
import asyncio, threading
from confd_events import subscribe_async

async def main():
    global subscription
    subscription = await subscribe_async("audit", address={at(daemon)!r}).__aenter__()
    asyncio.ensure_future(subscription.__anext__())
    while not any(t.name.startswith("confd-events") for t in threading.enumerate()):
        await asyncio.sleep(0.01)

asyncio.run(main())
print("ended")
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.send_frame(encode("audit")[:5])
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert output == "ended\n"
