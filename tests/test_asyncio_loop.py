"""subscribe_async(): the event loop is never held up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from looping import (
    MANY,
    Deaf,
    Run,
    Ticker,
    audits,
    blocking,
    cancel,
    connecting_ends,
    deaf_fixture,  # noqa: F401
    run_fixture,  # noqa: F401
    send_slowly,
    spawn,
    take,
    ticks,
    until,
    users,
)
from subscribing import PATIENCE, QUICK, own_threads

from confd_events import AsyncSubscription, Backoff, Event
from confd_events.testing import Daemon, Faults, encode


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
            await until(lambda: bool(own_threads()))
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
