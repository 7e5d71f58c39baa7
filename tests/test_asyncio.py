"""subscribe_async(): the same as subscribe(), in an event loop."""

from __future__ import annotations

import asyncio
import gc
import inspect
import subprocess
import sys
from typing import Any

import pytest
from looping import (
    Run,
    audits,
    blocking,
    cancel,
    connecting_ends,
    run_fixture,  # noqa: F401
    spawn,
    take,
    until,
    users,
)
from subscribing import PATIENCE, own_threads, wait_until, where

import confd_events as events
from confd_events import AsyncSubscription, BufferFull, Event, subscribe, subscribe_async
from confd_events.testing import Acknowledgement, Daemon, encode

# The same as the blocking side


def test_takes_the_same_options_as_the_blocking_function() -> None:
    assert inspect.signature(subscribe_async).parameters == inspect.signature(subscribe).parameters


@pytest.mark.parametrize(
    ("function", "made"), [(subscribe, "Subscription"), (subscribe_async, "AsyncSubscription")]
)
def test_shows_its_options_and_what_it_returns(function: Any, made: str) -> None:
    assert inspect.signature(function).return_annotation == made
    assert inspect.getdoc(function)
    with pytest.raises(TypeError, match=r"subscribe\(\) got an unexpected keyword argument 'nix'"):
        function("audit", nix=1)


def test_checks_its_arguments_before_it_connects() -> None:
    with pytest.raises(ValueError, match="buffer"):
        subscribe_async("audit", buffer=0)
    with pytest.raises(ValueError, match="nothing to subscribe to"):
        subscribe_async()


def test_gives_the_same_events_as_the_blocking_side(run: Run[Any], daemon: Daemon) -> None:
    daemon.add_stream("alarms")
    what: Any = ("audit", "commit-diff", events.NOTIF_HA_INFO)
    options: Any = {"stream": "alarms", "heartbeat": 0.05, "address": where(daemon)}

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
        async with subscribe_async("commit-diff", address=where(daemon), buffer=buffer) as events_:
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
        async with subscribe_async("commit-diff", address=where(daemon), buffer=buffer) as events_:
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
        options: Any = {"ack": "manual", "address": where(daemon)}
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
        options: Any = {"ack": "manual", "address": where(daemon)}
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
            await until(lambda: not own_threads())
            received = await take(subscription, 1)
            with pytest.raises(BufferFull):
                await subscription.__anext__()
            assert subscription.closed
            assert users(received) == ["dropped"]

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
        await until(lambda: bool(own_threads()))
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
    subscription = await subscribe_async("audit", address={where(daemon)!r}).__aenter__()
    asyncio.ensure_future(subscription.__anext__())
    while not any(t.name.startswith("confd-events") for t in threading.enumerate()):
        await asyncio.sleep(0.01)

asyncio.run(main())
print("ended")
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.send_frame(encode("audit")[:5])
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert output == "ended\n"
