"""Waiting with a limit, and what a signal handler that raises leaves behind."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from conftest import PRODUCT
from looping import Run, cancel, run_fixture, spawn
from subscribing import (
    PATIENCE,
    QUICK,
    Relay,
    alarm,
    in_thread,
    run_program,
    subscribed,
    usids,
    where,
)

import confd_events as events
from confd_events import Backoff, Event, Subscription, subscribe, subscribe_async
from confd_events.enums import notif
from confd_events.testing import Daemon, encode

__all__ = ["run_fixture"]

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "buffered": {"buffer": 200},
    "reconnecting": {"reconnect": QUICK},
}
SYNC: dict[str, tuple[str, ...]] = {"audit": ("audit",), "audit-sync": ("audit", "audit-sync")}
each_kind = pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
each_what = pytest.mark.parametrize("what", SYNC.values(), ids=SYNC)


def some(subscription: Subscription, count: int) -> list[Event]:
    return [next(subscription) for _ in range(count)]


class HandlerError(Exception):
    """Raised by a signal handler."""


def interrupt() -> None:
    raise HandlerError


# With a limit


@each_what
@each_kind
def test_nothing_comes_in_time(
    daemon: Daemon, what: tuple[str, ...], options: dict[str, Any]
) -> None:
    with subscribed(daemon, *what, **options) as subscription:
        assert subscription.next(timeout=0) is None
        assert subscription.next(timeout=timedelta(milliseconds=20)) is None
        delivery = daemon.audit(usid=1)
        event = subscription.next(timeout=PATIENCE)
        assert event is not None
        assert event["usid"] == 1
        del event
        assert subscription.next(timeout=0.01) is None
        assert delivery.wait(PATIENCE)  # the next one was asked for
        assert not subscription.closed


@each_kind
def test_waiting_for_an_event(daemon: Daemon, options: dict[str, Any]) -> None:
    with subscribed(daemon, "audit", **options) as subscription:
        for number in range(5):
            daemon.audit(usid=number)
        found = subscription.wait_for(lambda event: event["usid"] == 3, timeout=PATIENCE)
        assert found is not None
        assert found["usid"] == 3
        assert subscription.wait_for(lambda event: event["usid"] == 3, timeout=0.05) is None
        assert subscription.stats().delivered == 5


@each_kind
def test_no_next_one_after_close(daemon: Daemon, options: dict[str, Any]) -> None:
    with subscribed(daemon, "audit", **options) as subscription:
        waiting = in_thread(lambda: subscription.next(timeout=PATIENCE))
        subscription.close()
        with pytest.raises(events.EOF, match="the subscription was closed"):
            waiting.result(PATIENCE)
        with pytest.raises(events.EOF, match="the subscription was closed"):
            subscription.next()
        with pytest.raises(events.EOF, match="the subscription was closed"):
            subscription.wait_for(bool)


@pytest.mark.parametrize(
    ("timeout", "error"), [(-1, ValueError), (float("nan"), ValueError), ("1", TypeError)]
)
def test_a_limit_that_is_none(daemon: Daemon, timeout: Any, error: type[Exception]) -> None:
    with subscribed(daemon, "audit") as subscription:
        with pytest.raises(error, match=r"^timeout: "):
            subscription.next(timeout=timeout)
        assert not subscription.closed


def test_the_limit_holds_while_the_daemon_is_away(daemon: Daemon) -> None:
    """Waiting for the next attempt, and in the midst of one."""
    with subscribed(daemon, "audit", reconnect=Backoff(first=0.2, jitter=0)) as subscription:
        with silent_listener() as address:
            subscription._reader._address = address
            daemon.disconnect()
            lost = subscription.next(timeout=PATIENCE)
            assert lost is not None
            assert lost.name == "disconnected"
            before = time.monotonic()
            assert subscription.next(timeout=0.05) is None
            assert subscription.next(timeout=0.5) is None
            assert time.monotonic() - before < 10
            subscription._reader._address = where(daemon)
        found = subscription.wait_for(lambda event: event.name == "connected", PATIENCE)
        assert found is not None


@contextmanager
def silent_listener() -> Iterator[tuple[str, int]]:
    """Somebody who accepts connections, and says nothing until the block is left."""
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as listener:
        stack.callback(listener.close)
        yield listener.getsockname()


@pytest.mark.parametrize("options", [{}, {"buffer": 10}], ids=["plain", "buffered"])
@each_what
def test_limits_in_a_loop(run: Run[None], what: tuple[str, ...], options: dict[str, Any]) -> None:
    async def main(daemon: Daemon) -> None:
        async with subscribe_async(
            *map(notif, what), address=where(daemon), **options
        ) as subscription:
            assert await subscription.next(timeout=0) is None
            assert await subscription.next(timeout=0.02) is None
            for number in range(3):
                daemon.audit(usid=number)
            event = await subscription.wait_for(lambda one: one["usid"] == 1, timeout=PATIENCE)
            assert event is not None
            assert usids([event]) == [1]
            assert await subscription.wait_for(lambda one: False, timeout=0.05) is None
            subscription.close()
            with pytest.raises(events.EOF, match="the subscription was closed"):
                await subscription.next(timeout=1)

    with Daemon(product=PRODUCT.lower()) as daemon:
        run(main(daemon))


# Cancelled waits


@each_kind
@each_what
def test_an_iterator_survives_a_cancelled_wait(
    run: Run[None], what: tuple[str, ...], options: dict[str, Any]
) -> None:
    async def main(daemon: Daemon) -> None:
        async with subscribe_async(
            *map(notif, what), address=where(daemon), **options
        ) as subscription:
            iterator: Any = subscription.__aiter__()
            for number in range(3):
                task = spawn(iterator.__anext__())
                await asyncio.sleep(0.01)
                await cancel(task)
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(iterator.__anext__(), 0.01)
                daemon.audit(usid=number)
                event = await asyncio.wait_for(iterator.__anext__(), PATIENCE)
                assert event["usid"] == number
            assert not subscription.closed

    with Daemon(product=PRODUCT.lower()) as daemon:
        run(main(daemon))


# Signal handlers that raise


@each_kind
@each_what
def test_an_iterator_survives_a_handler_that_raises(
    daemon: Daemon, what: tuple[str, ...], options: dict[str, Any]
) -> None:
    with subscribed(daemon, *what, **options) as subscription, alarm(interrupt) as soon:
        iterator = iter(subscription)
        for number in range(2):
            soon()
            with pytest.raises(HandlerError):
                next(iterator)
            signal.setitimer(signal.ITIMER_REAL, 0)
            daemon.audit(usid=number)
            assert next(iterator)["usid"] == number
        assert not subscription.closed


UNFINISHED: dict[str, dict[str, Any]] = {**KINDS, "heartbeats": {"heartbeat": 10}}


@pytest.mark.parametrize("options", UNFINISHED.values(), ids=UNFINISHED)
def test_the_rest_of_a_notification_is_waited_for_interruptibly(
    daemon: Daemon, options: dict[str, Any]
) -> None:
    frame = encode("audit", usid=1, msg="x" * 100_000)
    with (
        Relay(daemon) as relay,
        subscribe("audit", address=relay.address, **options) as subscription,
        alarm(interrupt) as soon,
    ):
        relay.send(frame[:50_000])
        soon()
        with pytest.raises(HandlerError):
            subscription.next(timeout=PATIENCE)
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert subscription.next(timeout=0.05) is None
        relay.send(frame[50_000:] + encode("audit", usid=2))
        assert usids(some(subscription, 2)) == [1, 2]


@pytest.mark.parametrize("options", UNFINISHED.values(), ids=UNFINISHED)
def test_a_handler_may_close_in_the_midst_of_a_notification(
    daemon: Daemon, options: dict[str, Any]
) -> None:
    with (
        Relay(daemon) as relay,
        subscribe("audit", address=relay.address, **options) as subscription,
        alarm(subscription.close) as soon,
    ):
        relay.send(encode("audit", usid=1, msg="x" * 100_000)[:50_000])
        soon()
        assert list(subscription) == []


STORM = """
    import json, random, signal, sys, warnings
    from confd_events import Backoff, subscribe

    port, count, ack, buffer, reconnect = json.loads(sys.argv[1])
    warnings.simplefilter("ignore")  # that events were dropped without ack()
    sys.unraisablehook = lambda _: None  # a handler that raises in a finalizer
    alarms = 0

    class HandlerError(Exception):
        pass

    def handler(*_):
        global alarms
        alarms += 1
        raise HandlerError

    # Not in the loop below: what is raised at its condition, Python 3.13.0 lets out of the try.
    def take():
        while not got or got[-1] < count:
            event = next(subscription)
            got.append(event["usid"])
            if ack == "manual":
                event.ack()

    got = []
    with subscribe(
        "audit", "audit-sync", address=("127.0.0.1", port), ack=ack, buffer=buffer,
        reconnect=Backoff() if reconnect else False,
    ) as subscription:
        signal.signal(signal.SIGALRM, handler)
        print("ready", flush=True)
        while not got or got[-1] < count:
            try:
                signal.setitimer(signal.ITIMER_REAL, random.uniform(0.00005, 0.002))
                take()
                signal.setitimer(signal.ITIMER_REAL, 0)  # here, for it may still raise
            except HandlerError:
                pass
        subscription.next(timeout=0.1)  # settles
        acknowledged = subscription.stats().acknowledged
    print(json.dumps([got, alarms, acknowledged]))
"""


@each_kind
@pytest.mark.parametrize("ack", ["auto", "manual"])
def test_handlers_that_raise_lose_one_event_each_at_most(
    daemon: Daemon, options: dict[str, Any], ack: str
) -> None:
    """And hold up nobody: who asks for the next one is done with all before."""
    count = 6000
    # A handler may take the last one, too: some more come behind.
    frames = b"".join(encode("audit", usid=number) for number in range(1, count + 50))
    port = daemon.address["port"]
    arguments = json.dumps([port, count, ack, options.get("buffer"), "reconnect" in options])

    def send() -> None:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.send_frame(frames)

    sender = in_thread(send)
    done = run_program(STORM, arguments)
    sender.result(PATIENCE)
    assert (done.stderr, done.returncode) == ("", 0)
    got, alarms, acknowledged = json.loads(done.stdout.split("\n")[1])
    assert alarms
    assert got == sorted(set(got))
    assert count - len(got) <= alarms
    assert count - acknowledged <= alarms


@pytest.mark.parametrize("ack", ["auto", "manual"])
def test_what_a_handler_keeps_from_becoming_an_event_is_acknowledged(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, ack: str
) -> None:
    def interrupted(*_: object) -> Event:
        raise HandlerError

    with subscribed(daemon, "audit", "audit-sync", ack=ack) as subscription:
        delivery = daemon.audit(usid=1)
        with monkeypatch.context() as patch:
            patch.setattr(subscription._reader, "_event", interrupted)
            with pytest.raises(HandlerError):
                subscription.next(timeout=PATIENCE)
        assert delivery.wait(PATIENCE)
        daemon.audit(usid=2)
        event = subscription.next(timeout=PATIENCE)
        assert event is not None
        assert event["usid"] == 2
        event.ack()
