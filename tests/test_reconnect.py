"""Losing the daemon: how it is told, connecting again, and a stream without gap or duplicate."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any

import pytest
from conftest import PRODUCT
from hypothesis import given
from hypothesis import strategies as st
from subscribing import (
    HANDSHAKE,
    PATIENCE,
    POISON,
    QUICK,
    Relay,
    brief_heartbeats,
    in_thread,
    own_threads,
    subscribed,
    usids,
    wait_until,
    where,
)

import confd_events as events
from confd_events import (
    Backoff,
    Connected,
    DaemonSilent,
    Disconnected,
    Event,
    Notif,
    Subscription,
    subscribe,
)
from confd_events.enums import StreamType
from confd_events.subscription import _reader
from confd_events.subscription._replay import Replay
from confd_events.testing import Daemon, DaemonProcess, Faults, encode, value

each_buffer = pytest.mark.parametrize("buffer", [None, 10], ids=["unbuffered", "buffered"])
each_reset = pytest.mark.parametrize("reset", [False, True], ids=["end", "reset"])

LARGE = encode("audit", msg="x" * 60_000)


__all__ = ["brief_heartbeats"]

pytestmark = pytest.mark.usefixtures("brief_heartbeats")


@pytest.fixture(autouse=True)
def _leaves_no_thread() -> Iterator[None]:
    yield
    wait_until(lambda: not own_threads())


def some(subscription: Subscription, count: int) -> list[Event]:
    return [next(subscription) for _ in range(count)]


# Lost for good


@each_buffer
@each_reset
def test_it_ends_the_iteration(daemon: Daemon, buffer: int | None, reset: bool) -> None:
    with subscribed(daemon, "audit", buffer=buffer) as subscription:
        daemon.audit(usid=1)
        assert usids(some(subscription, 1)) == [1]
        daemon.disconnect(reset=reset)
        with pytest.raises(events.EOF):
            list(subscription)
        assert subscription.closed


@each_buffer
@pytest.mark.parametrize("fault", ["close_after", "reset_after"])
def test_it_ends_in_the_middle_of_a_notification(buffer: int | None, fault: str) -> None:
    whole = encode("audit", usid=1)
    limit: Any = {fault: HANDSHAKE + len(whole) + len(LARGE) // 2}
    faults = Faults(**limit)
    with (
        Daemon(minimum_interval=0, faults=faults) as daemon,
        subscribed(daemon, "audit", buffer=buffer) as subscription,
    ):
        daemon.send_frame(whole)
        daemon.send_frame(LARGE)
        with pytest.raises(events.Error):  # noqa: PT012, a reset may take the first with it
            assert usids(some(subscription, 1)) == [1]
            next(subscription)


@each_buffer
def test_heartbeats_stop(buffer: int | None) -> None:
    beats = 2 * len(encode("heartbeat"))
    with (
        Daemon(minimum_interval=0, faults=Faults(silent_after=HANDSHAKE + beats)) as daemon,
        subscribed(daemon, "heartbeat", heartbeat=0.5, buffer=buffer) as subscription,
    ):
        assert [event.name for event in some(subscription, 2)] == ["heartbeat"] * 2
        with pytest.raises(DaemonSilent, match=r"nothing came for 1\.5 s, 3 heart") as caught:
            next(subscription)
        assert caught.value.confd_errno == events.ERR_TIMEOUT
        assert subscription.closed


@each_buffer
def test_heartbeats_are_not_delivered_unless_asked_for(daemon: Daemon, buffer: int | None) -> None:
    with subscribed(daemon, "audit", heartbeat=PATIENCE, buffer=buffer) as subscription:
        for number in range(2):
            daemon.heartbeat()
            daemon.audit(usid=number)
        assert usids(some(subscription, 2)) == [0, 1]
        assert subscription.stats().read == 2


@each_buffer
def test_a_slow_handler_is_no_silent_daemon(daemon: Daemon, buffer: int | None) -> None:
    with subscribed(daemon, "audit", heartbeat=0.5, buffer=buffer) as subscription:
        daemon.audit(usid=1)
        assert usids(some(subscription, 1)) == [1]
        time.sleep(2.5)  # 5 intervals
        daemon.audit(usid=2)
        assert usids(some(subscription, 1)) == [2]


def test_a_slow_notification_is_no_silent_daemon(daemon: Daemon) -> None:
    """A part of it has come since the last look, though no whole one for long."""
    whole = encode("audit", usid=5)
    with (
        Relay(daemon) as relay,
        subscribe("audit", address=relay.address, heartbeat=PATIENCE) as subscription,
    ):
        connection = subscription._reader.connection
        assert connection is not None
        relay.send(whole[:10])
        wait_until(connection.has_begun)
        connection.heard_at -= 1000  # as if the handler before had taken so long
        reader = in_thread(lambda: next(subscription))
        wait_until(lambda: connection.heard_at > time.monotonic() - 500 or reader.done())
        relay.send(whole[10:])
        assert reader.result(PATIENCE)["usid"] == 5


@each_buffer
@pytest.mark.parametrize("arrived", [2, 100, 30_000])
def test_a_large_notification_stops_midway(buffer: int | None, arrived: int) -> None:
    faults = Faults(silent_after=HANDSHAKE + arrived)
    with (
        Daemon(minimum_interval=0, faults=faults) as daemon,
        subscribed(daemon, "audit", heartbeat=0.4, buffer=buffer) as subscription,
    ):
        daemon.send_frame(LARGE)
        with pytest.raises(DaemonSilent):
            next(subscription)


# Connecting again


@each_buffer
@each_reset
def test_markers(daemon: Daemon, buffer: int | None, reset: bool) -> None:
    with subscribed(daemon, "audit", buffer=buffer, reconnect=QUICK) as subscription:
        daemon.audit(usid=1)
        assert usids(some(subscription, 1)) == [1]
        daemon.disconnect(reset=reset)
        lost, found = some(subscription, 2)
        daemon.audit(usid=2)
        assert usids(some(subscription, 1)) == [2]
        assert subscription.stats()[:6] == (2, 2, 0, 0, 0, 1)
        assert not subscription.closed
    assert (type(lost), type(found)) == (events.Disconnected, events.Connected)
    assert lost.type == found.type == Notif(0)
    assert isinstance(lost["error"], events.EOF)
    assert found["attempts"] == 1
    assert found["gap"] > 0
    assert lost.to_dict()["disconnected"] == {"error": str(lost["error"])}
    assert found.to_dict()["connected"] == {"attempts": 1, "gap": found["gap"]}
    assert repr(lost).startswith("<Disconnected error=")
    assert repr(found).startswith("<Connected attempts=1 gap=")


@each_buffer
def test_attempts_until_the_daemon_is_back(daemon: Daemon, buffer: int | None) -> None:
    port = daemon.address["port"]
    with subscribed(daemon, "audit", buffer=buffer, reconnect=QUICK) as subscription:
        daemon.stop()
        assert usids(some(subscription, 1)) == ["disconnected"]
        reader = in_thread(lambda: next(subscription))
        wait_until(lambda: subscription.stats().attempts >= 3 or reader.done())
        with Daemon(port=port, product=PRODUCT.lower()) as again:
            assert reader.result(PATIENCE)["attempts"] >= 3
            again.audit(usid=3)
            assert usids(some(subscription, 1)) == [3]
    daemon.start()


def test_heartbeats_that_stop_connect_again() -> None:
    with (
        Daemon(minimum_interval=0, faults=Faults(silent_after=HANDSHAKE)) as daemon,
        subscribed(daemon, "audit", heartbeat=0.5, reconnect=QUICK) as subscription,
    ):
        daemon.set_faults(Faults())
        lost, found = some(subscription, 2)
        assert isinstance(lost["error"], DaemonSilent)
        assert found.name == "connected"
        daemon.audit(usid=1)
        assert usids(some(subscription, 1)) == [1]


@each_buffer
def test_after_an_undecodable_notification_reading_goes_on(
    daemon: Daemon, buffer: int | None
) -> None:
    with subscribed(daemon, "audit", buffer=buffer, reconnect=QUICK) as subscription:
        daemon.send_frame(encode("audit", usid=1) + POISON + encode("audit", usid=2))
        got = some(subscription, 3)
        assert usids(got) == [1, "undecodable", 2]
        assert got[1]["error"].confd_errno == events.ERR_INTERNAL
        assert got[1].to_dict()["undecodable"] == {"error": str(got[1]["error"])}
        assert subscription.stats()[:8] == (2, 2, 0, 0, 0, 0, 0.0, 1)


def test_an_undecodable_notification_that_the_daemon_may_wait_for(daemon: Daemon) -> None:
    """It can't be acknowledged: only the end of the connection lets the daemon go on."""
    with subscribed(daemon, "audit", "audit-sync", reconnect=QUICK) as subscription:
        daemon.send_frame(POISON)
        lost, found = some(subscription, 2)
        assert lost["error"].confd_errno == events.ERR_INTERNAL
        assert found.name == "connected"
        assert subscription.stats().reconnects == 1


def test_a_stream_gets_past_an_undecodable_event() -> None:
    """Also when its replay brings it again."""
    with Daemon(product=PRODUCT.lower()) as daemon:
        daemon.add_stream("alarms")
        alarm_at(daemon, 1, 1)
        with subscribed(daemon, stream="alarms", start=BEFORE, reconnect=QUICK) as subscription:
            assert alarms(some(subscription, 2)) == [1, "REPLAY_COMPLETE"]
            daemon.send_frame(POISON)
            alarm_at(daemon, 2, 2)
            assert alarms(some(subscription, 2)) == ["undecodable", 2]


def processes() -> set[int]:
    return {child.pid or 0 for child in multiprocessing.active_children()}


@each_buffer
def test_a_daemon_killed_in_the_middle_of_a_notification(buffer: int | None) -> None:
    before = processes()
    daemon = DaemonProcess(product=PRODUCT.lower())
    daemon.start()
    (process,) = processes() - before
    port = daemon.address["port"]
    with subscribed(daemon, "audit", buffer=buffer, reconnect=QUICK) as subscription:
        daemon.audit(usid=1)
        daemon.send_frame(encode("audit", usid=2)[:-3])
        assert usids(some(subscription, 1)) == [1]
        os.kill(process, signal.SIGKILL)
        lost = next(subscription)
        assert isinstance(lost["error"], events.Error)
        with suppress(EOFError, OSError):
            daemon.stop()
        reader = in_thread(lambda: next(subscription))
        with DaemonProcess(port=port, product=PRODUCT.lower()) as again:
            assert reader.result(PATIENCE).name == "connected"
            again.audit(usid=3)
            assert usids(some(subscription, 1)) == [3]
    del daemon


@each_buffer
def test_the_last_error_is_raised_when_attempts_are_used_up(
    daemon: Daemon, buffer: int | None
) -> None:
    backoff = Backoff(first=0.001, longest=0.001, attempts=3)
    with subscribed(daemon, "audit", buffer=buffer, reconnect=backoff) as subscription:
        daemon.stop()
        assert usids(some(subscription, 1)) == ["disconnected"]
        with pytest.raises(events.Error, match="refused"):
            next(subscription)
        assert subscription.stats().attempts == 3
        assert subscription.closed
        assert list(subscription) == []
    daemon.start()


@each_buffer
def test_a_refusal_is_raised_at_once(daemon: Daemon, buffer: int | None) -> None:
    """Another attempt would be refused, too."""
    daemon.add_stream("alarms")
    with subscribed(daemon, stream="alarms", buffer=buffer, reconnect=QUICK) as subscription:
        daemon._hub._streams.clear()
        daemon.disconnect()
        assert usids(some(subscription, 1)) == ["disconnected"]
        with pytest.raises(events.Error, match="no such stream"):
            next(subscription)
        assert subscription.stats().attempts == 1


@pytest.mark.parametrize("lives", ["not at all", "for heartbeats", "for a replay"])
def test_a_connection_that_is_lost_at_once_keeps_backing_off(
    daemon: Daemon, lives: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heartbeats and a replay of what was seen are no progress."""
    waits: list[float] = []
    delays = _reader._delays_of

    def noted(backoff: Backoff | None) -> Iterator[float]:
        for delay in delays(backoff):
            waits.append(delay)
            yield 0.0

    monkeypatch.setattr(_reader, "_delays_of", noted)
    backoff = Backoff(first=0.001, factor=2, longest=60, jitter=0)
    options: dict[str, Any] = {}
    if lives == "for a replay":
        daemon.add_stream("alarms")
        options = {"stream": "alarms"}
    elif lives == "for heartbeats":
        options = {"heartbeat": PATIENCE}
    with subscribed(daemon, "audit", reconnect=backoff, **options) as subscription:
        for _ in range(5):
            if lives == "for heartbeats":
                daemon.heartbeat()
            daemon.disconnect()
            assert [e.name for e in some(subscription, 2)] == ["disconnected", "connected"]
            daemon.wait_for_subscribers(timeout=PATIENCE)
        assert waits == [0.001, 0.002, 0.004, 0.008, 0.016]
        daemon.audit(usid=1)
        next(subscription)
        daemon.disconnect()
        some(subscription, 2)
        assert waits[5:] == [0.001]


def test_attempts_count_from_the_loss(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", reconnect=QUICK) as subscription:
        for _ in range(2):
            daemon.audit()
            next(subscription)
            daemon.disconnect()
            assert some(subscription, 2)[1]["attempts"] == 1
            daemon.wait_for_subscribers(timeout=PATIENCE)
        assert subscription.stats().reconnects == 2


# The waits


def test_waits_grow_to_a_limit() -> None:
    backoff = Backoff(first=0.5, factor=3, longest=10, jitter=0)
    assert list(islice(backoff.delays(), 5)) == [0.5, 1.5, 4.5, 10, 10]


def test_waits_do_not_exceed_the_limit_from_the_first() -> None:
    assert list(Backoff(first=50, longest=2, jitter=0, attempts=2).delays()) == [2, 2]


@given(jitter=st.floats(0, 1), count=st.integers(1, 20))
def test_waits_are_shortened_by_chance(jitter: float, count: int) -> None:
    backoff = Backoff(first=1, factor=2, longest=8, jitter=jitter, attempts=count)
    full = [min(2.0**attempt, 8) for attempt in range(count)]
    waits = list(backoff.delays())
    assert len(waits) == count
    for wait, most in zip(waits, full):
        assert most * (1 - jitter) - 1e-9 <= wait <= most


def test_waits_differ() -> None:
    assert len(set(islice(Backoff(jitter=0.5).delays(), 10))) == 10


# Streams

T0 = datetime(2026, 1, 1, tzinfo=timezone.utc)
BEFORE = T0 - timedelta(seconds=1)  # a replay brings what is later than its start


def alarm_at(daemon: Daemon, second: float, number: int = 0) -> None:
    daemon.stream_event(
        stream="alarms",
        time=T0 + timedelta(seconds=second),
        values=[(1, 2, value.uint8(number))],
    )


def alarms(got: list[Event]) -> list[Any]:
    """The numbers of stream events; the name of what is none."""
    result: list[Any] = []
    for event in got:
        if event.type != Notif.STREAM_EVENT:
            result.append(event.name)
        elif event["type"] != StreamType.NOTIFICATION_EVENT:
            result.append(event["type"].name)
        else:
            result.append(event["values"][0].v.as_pyval())
    return result


@pytest.fixture
def stream(daemon: Daemon) -> Daemon:
    daemon.add_stream("alarms")
    return daemon


def lose(daemon: Daemon, subscription: Subscription) -> None:
    daemon.disconnect()
    assert next(subscription).name == "disconnected"


@each_buffer
def test_a_stream_goes_on_without_gap_or_duplicate(stream: Daemon, buffer: int | None) -> None:
    with subscribed(stream, stream="alarms", buffer=buffer, reconnect=QUICK) as subscription:
        start = datetime.now(timezone.utc)
        for number in range(3):
            time_of = start + timedelta(seconds=number)
            stream.stream_event(stream="alarms", time=time_of, values=[(1, 2, value.uint8(number))])
        assert alarms(some(subscription, 3)) == [0, 1, 2]
        lose(stream, subscription)
        stream.stream_event(  # at the time of the last
            stream="alarms", time=time_of, values=[(1, 2, value.uint8(3))]
        )
        assert alarms(some(subscription, 2)) == ["connected", 3]
        later = time_of + timedelta(seconds=1)
        stream.stream_event(stream="alarms", time=later, values=[(1, 2, value.uint8(4))])
        assert alarms(some(subscription, 1)) == [4]
    assert subscription.stats().read == 5


def test_what_comes_in_a_gap_before_the_first_event(stream: Daemon) -> None:
    with subscribed(stream, stream="alarms", reconnect=QUICK) as subscription:
        lose(stream, subscription)
        stream.stream_event(stream="alarms", values=[(1, 2, value.uint8(1))])
        assert alarms(some(subscription, 2)) == ["connected", 1]


@pytest.mark.parametrize("before", [[10, 11], []])
def test_the_clock_of_the_daemon_is_set_back_in_a_gap(stream: Daemon, before: list[int]) -> None:
    """By an hour: what came in the gap is replayed once an event shows it."""
    now = datetime.now(timezone.utc)

    def send(second: float, number: int) -> None:
        when = now + timedelta(seconds=second)
        stream.stream_event(stream="alarms", time=when, values=[(1, 2, value.uint8(number))])

    with subscribed(stream, stream="alarms", reconnect=QUICK) as subscription:
        for number, second in enumerate(before):
            send(second, number)
        assert alarms(some(subscription, len(before))) == list(range(len(before)))
        lose(stream, subscription)
        send(-3590, 3)
        send(-3589, 4)
        assert alarms(some(subscription, 1)) == ["connected"]
        stream.wait_for_subscribers(timeout=PATIENCE)
        send(-3588, 5)
        assert alarms(some(subscription, 5)) == [5, "disconnected", "connected", 3, 4]
        stream.wait_for_subscribers(timeout=PATIENCE)
        send(-3587, 6)
        assert alarms(some(subscription, 1)) == [6]


def test_events_of_the_same_time(stream: Daemon) -> None:
    """Also equal ones: each is delivered as often as it came."""
    start = T0.isoformat()
    with subscribed(stream, stream="alarms", start=start, reconnect=QUICK) as subscription:
        assert alarms(some(subscription, 1)) == ["REPLAY_COMPLETE"]
        for number in (1, 2, 1):
            alarm_at(stream, 5, number)
        assert alarms(some(subscription, 3)) == [1, 2, 1]
        for more in ([1, 3], [1], []):
            lose(stream, subscription)
            for number in more:
                alarm_at(stream, 5, number)
            assert alarms(some(subscription, 1 + len(more))) == ["connected", *more]
            stream.wait_for_subscribers(timeout=PATIENCE)
        alarm_at(stream, 6, 9)
        assert alarms(some(subscription, 1)) == [9]


def test_the_end_of_the_replay_is_told_once_to_who_asked(stream: Daemon) -> None:
    for second in range(3):
        alarm_at(stream, second, second)
    with subscribed(stream, stream="alarms", start=BEFORE, reconnect=QUICK) as subscription:
        assert alarms(some(subscription, 4)) == [0, 1, 2, "REPLAY_COMPLETE"]
        lose(stream, subscription)
        alarm_at(stream, 3, 3)
        assert alarms(some(subscription, 2)) == ["connected", 3]


@each_buffer
def test_lost_during_the_replay(buffer: int | None) -> None:
    """The first, and that of a connection made again; its end is still told, once."""
    with Daemon(product=PRODUCT.lower()) as daemon:
        daemon.add_stream("alarms")
        for second in range(6):
            alarm_at(daemon, second, second)
        size = len(_frame(0))
        daemon.set_faults(Faults(close_after=HANDSHAKE + 2 * size + 5))
        options: dict[str, Any] = {"start": BEFORE, "buffer": buffer, "reconnect": QUICK}
        with subscribed(daemon, stream="alarms", **options) as subscription:
            assert alarms(some(subscription, 3)) == [0, 1, "disconnected"]
            got = []
            daemon.set_faults(Faults(close_after=HANDSHAKE + 3 * size + 5))
            while 3 not in got:
                got += alarms(some(subscription, 1))
            daemon.set_faults(Faults())
            while "REPLAY_COMPLETE" not in got:
                got += alarms(some(subscription, 1))
            alarm_at(daemon, 6, 6)
            while 6 not in got:
                got += alarms(some(subscription, 1))
    assert [each for each in got if not str(each).endswith("connected")] == [
        *[2, 3, 4, 5],
        "REPLAY_COMPLETE",
        6,
    ]


def _frame(number: int) -> bytes:
    return encode(
        "stream_event",
        product=PRODUCT.lower(),
        stream="alarms",
        time=T0,
        values=[(1, 2, value.uint8(number))],
    )


def test_after_a_replay_that_fails_the_stream_is_followed_live(daemon: Daemon) -> None:
    """What came in the gap is lost, which is told. On that connection nothing more would come."""
    daemon.add_stream("alarms", replay=False)
    with subscribed(daemon, stream="alarms", reconnect=QUICK) as subscription:
        lose(daemon, subscription)
        alarm_at(daemon, 1, 1)
        expected = ["connected", "REPLAY_FAILED", "disconnected", "connected"]
        assert alarms(some(subscription, 4)) == expected
        daemon.wait_for_subscribers(timeout=PATIENCE)
        alarm_at(daemon, 2, 2)
        assert alarms(some(subscription, 1)) == [2]


def test_the_end_of_the_stream_is_told_once(stream: Daemon) -> None:
    alarm_at(stream, 1, 1)
    stop = T0 + timedelta(seconds=10)
    with subscribed(stream, stream="alarms", start=T0, stop=stop, reconnect=QUICK) as subscription:
        ends = ["REPLAY_COMPLETE", "NOTIFICATION_COMPLETE"]
        assert alarms(some(subscription, 3)) == [1, *ends]
        lose(stream, subscription)
        assert alarms(some(subscription, 1)) == ["connected"]
        stream.wait_for_subscribers(timeout=PATIENCE)
        stream.disconnect()
        assert alarms(some(subscription, 1)) == ["disconnected"]


def test_a_start_without_a_time_zone(stream: Daemon) -> None:
    with subscribed(
        stream, stream="alarms", start="2026-01-01T00:00:00", reconnect=QUICK
    ) as subscription:
        alarm_at(stream, 1, 1)
        assert alarms(some(subscription, 2)) == ["REPLAY_COMPLETE", 1]
        lose(stream, subscription)
        alarm_at(stream, 2, 2)
        assert alarms(some(subscription, 2)) == ["connected", 2]


def test_all_but_the_start_is_asked_for_again() -> None:
    stop = datetime.now(timezone.utc) + timedelta(days=1)
    with Daemon(sessions=[7], product=PRODUCT.lower()) as daemon:
        daemon.add_stream("alarms")
        wanted: dict[str, Any] = {"filter": "/a", "usid": 7, "heartbeat": 50, "verbosity": 2}
        wanted.update(start=datetime.now(timezone.utc) - timedelta(days=1), stop=stop)
        with subscribed(
            daemon, "progress", stream="alarms", reconnect=QUICK, **wanted
        ) as subscription:
            (first,) = daemon.subscribers
            next(subscription)  # the replay is complete
            lose(daemon, subscription)
            next(subscription)
            (second,) = daemon.wait_for_subscribers(timeout=PATIENCE)
    assert second.start is not None
    ours = {key: value for key, value in vars(second).items() if key not in ("id", "start")}
    assert ours == {key: vars(first)[key] for key in ours}


# What a replay holds, whatever the times


@given(
    steps=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=4),
)
def test_each_event_once_whenever_the_connection_is_lost(
    steps: list[tuple[int, int]], cuts: list[int]
) -> None:
    """Events with times that grow or stay, and few different values."""
    second, log = 0, []
    for step, number in steps:
        second += step
        log.append((T0 + timedelta(seconds=second), number))
    replay = Replay(T0)
    seen: list[tuple[datetime, int]] = []
    for position, cut in enumerate([*cuts, len(log) + 1]):
        if position:
            replay.resume()
        again = [event for event in log if event[0] >= replay.start]
        seen += [event for event in again[:cut] if replay.is_new(_raw(*event))]
    assert seen == log


def _raw(time_of: datetime, number: int) -> Any:
    at = events.DateTime(
        time_of.year,
        time_of.month,
        time_of.day,
        time_of.hour,
        time_of.minute,
        time_of.second,
        0,
        0,
        0,
    )
    kind = StreamType.NOTIFICATION_EVENT
    return {"stream": {"type": kind, "event_time": at, "values": [number]}}


def test_an_address_that_is_asked_for_again(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is resolved anew: the daemon may have moved."""
    monkeypatch.setenv(f"{PRODUCT}_IPC_PORT", str(where(daemon)[1]))
    with subscribe("audit", reconnect=QUICK) as subscription, Daemon() as other:
        monkeypatch.setenv(f"{PRODUCT}_IPC_PORT", str(where(other)[1]))
        lose(daemon, subscription)
        assert next(subscription).name == "connected"
        assert len(other.subscribers) == 1


def test_signals_do_not_prolong_the_waits_between_attempts(daemon: Daemon) -> None:
    """Of some thousand waits, one may end just when a signal comes."""
    briefly = Backoff(first=0.001, longest=0.001)
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    with subscribed(daemon, "audit", reconnect=briefly) as subscription:
        reader = subscription._reader
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        try:
            for _ in range(3000):
                reader.wait(0.001)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        daemon.disconnect()
        assert isinstance(next(subscription), Disconnected)
        assert isinstance(next(subscription), Connected)
