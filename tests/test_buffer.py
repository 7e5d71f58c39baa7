"""A subscription's buffer: the daemon is not held up while a slow handler runs."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from conftest import PRODUCT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from subscribing import (
    PATIENCE,
    QUICK,
    in_thread,
    own_threads,
    subscribed,
    usids,
    wait_until,
)

import confd_events as events
from confd_events import BufferFull, Connected, Disconnected, Dropped, Event, Notif, Subscription
from confd_events.error import EOF
from confd_events.subscription._buffer import POLICIES, Buffer
from confd_events.testing import Daemon, encode, frame_of


@pytest.fixture(autouse=True)
def _leaves_no_thread() -> Iterator[None]:
    yield
    wait_until(lambda: not own_threads())


def audit(number: int) -> bytes:
    return encode("audit", usid=number, msg="x" * 2000)


def waiting(subscription: Subscription, count: int) -> None:
    wait_until(lambda: subscription.stats().waiting == count)


# While a handler runs


@pytest.mark.parametrize("buffer", [None, 100_000])
def test_the_daemon_does_not_block_while_the_handler_does(buffer: int | None) -> None:
    """The daemon cuts off who takes nothing for a while, unless a buffer takes it."""
    with (
        Daemon(product=PRODUCT.lower(), write_timeout=0.5) as daemon,
        subscribed(daemon, "audit", buffer=buffer) as subscription,
    ):
        daemon.audit(usid=0)
        assert next(subscription)["usid"] == 0
        flood = b"".join(map(audit, range(1, 10_001)))  # more than sockets hold
        daemon.send_frame(flood)
        if buffer is None:
            wait_until(lambda: not daemon.subscribers)
            with pytest.raises(events.Error):
                list(subscription)
        else:
            waiting(subscription, 10_000)
            assert daemon.subscribers
            got = usids([next(subscription) for _ in range(10_000)])
            assert got == list(range(1, 10_001))


def test_one_burst_is_not_more_than_fits(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", buffer=7) as subscription:
        daemon.send_frame(b"".join(map(audit, range(100))))
        waiting(subscription, 7)
        assert subscription.stats().read == 7
        assert usids([next(subscription) for _ in range(100)]) == list(range(100))


def test_the_lag_is_that_of_the_oldest(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", buffer=5) as subscription:
        daemon.audit()
        waiting(subscription, 1)
        first = subscription.stats().lag
        daemon.audit()
        waiting(subscription, 2)
        assert subscription.stats().lag > first
        next(subscription)
        next(subscription)
        assert subscription.stats().lag == 0


# Full


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_wait(daemon: Daemon, size: int) -> None:
    """Nothing is dropped, at any size."""
    with subscribed(daemon, "audit", buffer=size) as subscription:
        daemon.send_frame(b"".join(map(audit, range(1000))))
        waiting(subscription, size)
        got = usids([next(subscription) for _ in range(1000)])
    assert got == list(range(1000))
    assert subscription.stats()[:4] == (1000, 1000, 0, 0)


@pytest.mark.parametrize("size", [1, 2, 99, 100, 101])
def test_drop_oldest(daemon: Daemon, size: int) -> None:
    with subscribed(daemon, "audit", buffer=size, when_full="drop-oldest") as subscription:
        daemon.send_frame(b"".join(map(audit, range(1000))))
        wait_until(lambda: subscription.stats().read == 1000)
        waiting(subscription, size)
        marker = next(subscription)
        assert isinstance(marker, Dropped)
        assert marker["count"] == 1000 - size
        assert usids([next(subscription) for _ in range(size)]) == list(range(1000 - size, 1000))
        daemon.audit(usid=-1)
        assert usids([next(subscription)]) == [-1]
    assert subscription.stats()[:4] == (1001, size + 1, 1000 - size, 0)


def test_a_marker_for_each_gap(daemon: Daemon) -> None:
    """It stands where the events were."""
    with subscribed(daemon, "audit", buffer=2, when_full="drop-oldest") as subscription:
        got: list[Event] = []
        for first in (0, 10):
            for number in range(first, first + 5):
                daemon.audit(usid=number)
                wait_until(lambda n=number: subscription.stats().read % 5 == (n + 1) % 5)  # type: ignore[misc]
            waiting(subscription, 2)
            got += [next(subscription) for _ in range(3)]
    assert usids(got) == ["dropped", 3, 4, "dropped", 13, 14]
    assert [event["count"] for event in got if isinstance(event, Dropped)] == [3, 3]


def test_raise(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", buffer=5, when_full="raise") as subscription:
        daemon.audit(usid=0)
        next(subscription)
        daemon.send_frame(b"".join(map(audit, range(6))))
        wait_until(lambda: subscription.stats().read >= 7)
        wait_until(lambda: subscription.stats().dropped)
        marker = next(subscription)
        assert isinstance(marker, Dropped)
        with pytest.raises(BufferFull, match=rf"5 events was full and {marker['count']} events"):
            next(subscription)
        assert subscription.closed
        with pytest.raises(StopIteration):
            next(subscription)
    assert subscription.stats().dropped == marker["count"]


def test_exactly_full_is_not_too_full(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", buffer=5, when_full="raise") as subscription:
        daemon.send_frame(b"".join(map(audit, range(5))))
        waiting(subscription, 5)
        assert usids([next(subscription) for _ in range(5)]) == list(range(5))


@pytest.mark.parametrize("policy", ["drop-oldest", "raise"])
@pytest.mark.parametrize("ack", ["auto", "manual"])
def test_the_daemon_does_not_wait_for_what_is_dropped(
    daemon: Daemon, policy: str, ack: str
) -> None:
    """And nobody is told to have forgotten it; what the consumer has is its own."""
    with subscribed(
        daemon, "audit", "audit-sync", buffer=3, when_full=policy, ack=ack
    ) as subscription:
        had = daemon.audit(usid=99)
        event = next(subscription)
        deliveries = [daemon.audit(usid=number) for number in range(4)]
        assert deliveries[0].wait(PATIENCE)
        assert not had.done
        if policy == "raise":
            assert all(delivery.wait(PATIENCE) for delivery in deliveries[:3])
        if ack == "manual":
            assert event.ack()
    assert all(delivery.wait(PATIENCE) for delivery in [had, *deliveries])
    daemon.disconnect()
    acknowledged = [a.id or 0 for a in daemon.acknowledgements]
    assert len(acknowledged) == len(set(acknowledged))


@pytest.mark.parametrize("policy", POLICIES)
def test_markers_take_no_room_and_are_not_dropped(daemon: Daemon, policy: str) -> None:
    with subscribed(daemon, "audit", buffer=1, when_full=policy, reconnect=QUICK) as subscription:
        for count in range(3):
            daemon.disconnect()
            wait_until(lambda n=count: subscription.stats().reconnects == n + 1)  # type: ignore[misc]
            daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.audit(usid=5)
        names = usids([next(subscription) for _ in range(7)])
    assert names == ["disconnected", "connected"] * 3 + [5]
    assert subscription.stats().dropped == 0


def test_markers_keep_their_place_among_dropped_events() -> None:
    reader = Fake([[0, 1], [Disconnected(error=None)], [Connected(attempts=1, gap=0.0)], [2, 3, 4]])
    waiting_: deque[Event] = deque()
    buffer = Buffer(reader, waiting_, 1, "drop-oldest")  # type: ignore[arg-type]
    wait_until(lambda: buffer.ended)
    got = [f"{e.name} {e.get('count', '')}".strip() for e in waiting_]
    assert got == ["dropped 2", "disconnected", "connected", "dropped 2", "audit"]
    assert buffer.dropped == 4


# The end


def test_an_error_comes_after_what_was_read_before(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", buffer=10) as subscription:
        for number in range(5):
            daemon.audit(usid=number)
        waiting(subscription, 5)
        daemon.disconnect()
        assert usids([next(subscription) for _ in range(5)]) == list(range(5))
        with pytest.raises(EOF):
            next(subscription)


def test_an_undecodable_notification_comes_after_those_before(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", buffer=2) as subscription:
        daemon.send_frame(b"".join(map(audit, range(5))) + frame_of((1 << 50,)))
        waiting(subscription, 2)
        assert usids([next(subscription) for _ in range(5)]) == list(range(5))
        with pytest.raises(events.Error, match=r"\S"):
            next(subscription)


@pytest.mark.parametrize("policy", ["wait", "drop-oldest"])
@pytest.mark.parametrize("size", [1, 10])
def test_close_while_full(daemon: Daemon, policy: str, size: int) -> None:
    with subscribed(daemon, "audit", buffer=size, when_full=policy) as subscription:
        daemon.send_frame(b"".join(map(audit, range(50))))
        waiting(subscription, size)
    assert subscription.stats().waiting == 0
    assert not own_threads()


def test_the_block_leaves_no_thread_behind(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", buffer=5):
        assert len(own_threads()) == 1
    assert own_threads() == []


def test_the_consumer_may_be_faster(daemon: Daemon) -> None:
    """It waits, and is woken each time."""
    with subscribed(daemon, "audit", buffer=1) as subscription:
        for number in range(200):
            reader = in_thread(lambda: next(subscription)["usid"])
            daemon.audit(usid=number)
            assert reader.result(PATIENCE) == number


# Any sizes


class Fake:
    """A reader whose bursts are made up: of numbers for notifications, and of markers."""

    def __init__(self, bursts: Sequence[Sequence[Any]], pause: float = 0) -> None:
        self._bursts = deque(bursts)
        self._pause = pause
        self._rest: list[Event] = []
        self.closed = False

    def read(self, into: deque[Event], limit: int) -> None:
        time.sleep(self._pause)
        if not self._rest:
            if not self._bursts:
                raise EOF(events.ERR_EOF, "The end")
            self._rest = [
                one if isinstance(one, Event) else numbered(one) for one in self._bursts.popleft()
            ]
        into.extend(self._rest[:limit])
        self._rest = self._rest[limit:]


def numbered(number: int) -> Event:
    raw: Any = {"type": Notif.AUDIT, "audit": {"usid": number}}
    return Event(raw, time.time())


@given(
    sizes=st.lists(st.integers(1, 150), max_size=12),
    size=st.integers(1, 120),
    policy=st.sampled_from(POLICIES),
    pauses=st.tuples(st.sampled_from([0, 0.0003]), st.sampled_from([0, 0.0003])),
    marked=st.booleans(),
)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_each_is_delivered_or_counted_as_dropped(
    sizes: list[int], size: int, policy: str, pauses: tuple[float, float], marked: bool
) -> None:
    """In order, and each marker where it was."""
    total = sum(sizes)
    numbers = iter(range(total))
    bursts: list[list[Any]] = []
    for count in sizes:
        bursts.append([next(numbers) for _ in range(count)])
        if marked:
            bursts.append([Disconnected(error=None)])
    waiting_: deque[Event] = deque()
    buffer = Buffer(Fake(bursts, pauses[0]), waiting_, size, policy)  # type: ignore[arg-type]
    position, lost, got, marks = 0, 0, 0, 0
    ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
    while True:
        buffer.wait()
        try:
            event = buffer.take()
        except IndexError:
            break
        time.sleep(pauses[1])
        if isinstance(event, Dropped):
            lost += event["count"]
            position += event["count"]
        elif isinstance(event, Disconnected):
            assert position == ends[marks]
            marks += 1
        else:
            assert event["usid"] == position
            position += 1
            got += 1
    error = EOF
    if lost and policy == "raise":
        error = BufferFull  # type: ignore[assignment]
    else:
        assert got + lost == total
        assert marks == (len(sizes) if marked else 0)
    with pytest.raises(error):
        buffer.raise_error()
    assert buffer.dropped == lost
    assert policy != "wait" or lost == 0
    buffer.close()
    buffer.join()


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("policy", ["wait", "drop-oldest"])
def test_both_sides_at_full_speed(daemon: Daemon, policy: str, size: int) -> None:
    with subscribed(daemon, "audit", buffer=size, when_full=policy) as subscription:
        count, lost, last = 0, 0, -1
        sender = in_thread(
            lambda: [daemon.send_frame(encode("audit", usid=number)) for number in range(2000)]
        )
        while count + lost < 2000:
            event = next(subscription)
            if isinstance(event, Dropped):
                lost += event["count"]
            else:
                assert event["usid"] == last + 1 if policy == "wait" else event["usid"] > last
                last = event["usid"]
                count += 1
        sender.result(PATIENCE)
        waiting(subscription, 0)
        assert subscription.stats()[:4] == (2000, count, lost, 0)


def test_several_subscriptions_do_not_share(daemon: Daemon) -> None:
    barrier = threading.Barrier(4)

    def follow() -> list[int]:
        with subscribed(daemon, "audit", buffer=20) as subscription:
            barrier.wait(PATIENCE)
            return usids([next(subscription) for _ in range(500)])

    readers = [in_thread(follow) for _ in range(3)]
    barrier.wait(PATIENCE)
    for number in range(500):
        daemon.audit(usid=number)
    assert [reader.result(PATIENCE) for reader in readers] == [list(range(500))] * 3
