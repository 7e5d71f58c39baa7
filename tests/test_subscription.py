"""subscribe(): what is asked for, events, statistics, and the ways to end a subscription."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from conftest import PRODUCT
from subscribing import (
    HANDSHAKE,
    NEVER,
    PATIENCE,
    QUICK,
    alarm,
    descriptors,
    in_thread,
    own_threads,
    run_program,
    subscribed,
    usids,
    wait_until,
    where,
)

import confd_events as events
from confd_events import Backoff, Event, Notif, Subscription, subscribe
from confd_events.enums import ConfirmedCommit, Database, Proto, UserSess
from confd_events.testing import Daemon, Faults, User, encode, frame_of

NOWHERE = ("127.0.0.1", 1)  # nobody listens there
BUFFERS: list[dict[str, Any]] = [{}, {"buffer": 10}]
each_buffer = pytest.mark.parametrize("options", BUFFERS, ids=["unbuffered", "buffered"])


@pytest.fixture(autouse=True)
def _leaves_no_thread() -> Iterator[None]:
    yield
    wait_until(lambda: not own_threads())


def audits(daemon: Daemon, count: int) -> None:
    for number in range(count):
        daemon.audit(usid=number)


# What


@pytest.mark.parametrize(
    ("what", "mask"),
    [
        (("audit",), Notif.AUDIT),
        ((Notif.AUDIT | Notif.DAEMON,), Notif.AUDIT | Notif.DAEMON),
        ((events.NOTIF_AUDIT, "commit-diff"), Notif.AUDIT | Notif.COMMIT_DIFF),
        pytest.param(
            *(("NOTIF_AUDIT", "ncs_notif_cq_progress"), Notif.AUDIT | Notif.CQ_PROGRESS),
            marks=pytest.mark.nso,
        ),
        ((1,), Notif.AUDIT),
    ],
)
def test_what(daemon: Daemon, what: tuple[int | str, ...], mask: int) -> None:
    with subscribed(daemon, *what):
        assert daemon.subscribers[0].mask == mask


def test_all_options_reach_the_daemon() -> None:
    start = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    stop = datetime.now(timezone.utc) + timedelta(days=1)
    with Daemon(sessions=[7]) as daemon:
        daemon.add_stream("alarms")
        with subscribed(
            daemon,
            "progress",
            heartbeat=60,
            health_check=timedelta(minutes=2),
            stream="alarms",
            start=start,
            stop=stop.isoformat(),
            filter="/a:b",
            usid=7,
            verbosity="debug",
        ):
            subscriber = daemon.subscribers[0]
    wanted = Notif.PROGRESS | Notif.HEARTBEAT | Notif.HEALTH_CHECK | Notif.STREAM_EVENT
    assert subscriber.mask == wanted
    assert (subscriber.heartbeat_interval, subscriber.health_check_interval) == (60_000, 120_000)
    assert (subscriber.stream, subscriber.filter, subscriber.usid) == ("alarms", "/a:b", 7)
    assert (subscriber.start, subscriber.stop) == (start, stop)
    assert subscriber.verbosity == 3


def test_events_of_an_option_come(daemon: Daemon) -> None:
    with subscribed(daemon, health_check=0.01) as subscription:
        assert next(subscription).type == Notif.HEALTH_CHECK


WRONG: list[tuple[tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
    ((), {}, ValueError, "what: nothing"),
    ((0,), {}, ValueError, "what: nothing"),
    ((1.5,), {}, TypeError, "what: .*float"),
    ((None,), {}, TypeError, "what: .*NoneType"),
    (("audti",), {}, ValueError, "'audti'.*audit"),
    ((), {"heartbeat": 1}, ValueError, "what: nothing"),
    (("audit-sync",), {}, ValueError, "audit-sync does nothing without audit"),
    (("ha-info-sync", "audit"), {}, ValueError, "ha-info-sync .* without ha-info"),
    (
        *(("audit-network-sync", "audit"), {}, ValueError),
        "without audit-network" if PRODUCT == "NCS" else "not in ConfD",
    ),
    (("progress",), {"usid": 7}, ValueError, "^usid: is for a stream"),
    (("heartbeat",), {}, ValueError, "^heartbeat: give the interval"),
    (("health-check",), {}, ValueError, "^health_check: give the interval"),
    (("stream-event",), {}, ValueError, "^stream: give the name"),
    (("audit",), {"stream": ""}, ValueError, "^stream: give the name"),
    (("audit",), {"stream": 5}, TypeError, "^stream: .*int"),
    (("audit",), {"filter": "a"}, ValueError, "^filter: .* give stream"),
    (("audit",), {"start": "2026-01-01T00:00:00Z"}, ValueError, "^start: .* give stream"),
    (("audit",), {"stop": "2026-01-01T00:00:00Z"}, ValueError, "^stop: .* give stream"),
    ((), {"stream": "a", "start": "soon"}, ValueError, "^start: 'soon'"),
    ((), {"stream": "a", "stop": 5}, TypeError, "^stop: 5"),
    ((), {"stream": "a", "start": datetime(2026, 1, 1)}, ValueError, "^start: .*time zone"),
    ((), {"stream": "a", "filter": 5}, TypeError, "^filter: .*int"),
    (("audit",), {"heartbeat": "1"}, TypeError, "^heartbeat: expected seconds, not str"),
    (("audit",), {"heartbeat": 0}, ValueError, "^heartbeat: 0 s"),
    (("audit",), {"heartbeat": -1}, ValueError, "^heartbeat: -1"),
    (("audit",), {"heartbeat": float("nan")}, ValueError, "^heartbeat: nan"),
    (("audit",), {"health_check": float("inf")}, ValueError, "^health_check: inf"),
    (("audit",), {"health_check": timedelta(0)}, ValueError, "^health_check: 0"),
    ((), {"stream": "a", "usid": "x"}, TypeError, "^usid: "),
    ((), {"stream": "a", "usid": 1 << 40}, OverflowError, "^usid: "),
    (("progress",), {"verbosity": "loud"}, ValueError, "^verbosity: 'loud' .*debug"),
    (("progress",), {"verbosity": 1.5}, TypeError, "^verbosity: .*float"),
    (("audit",), {"ack": "maybe"}, ValueError, "^ack: .*'maybe'"),
    (("audit",), {"ack": True}, ValueError, "^ack: "),
    (("audit",), {"buffer": 0}, ValueError, "^buffer: 0"),
    (("audit",), {"buffer": -1}, ValueError, "^buffer: -1"),
    (("audit",), {"buffer": 1.5}, TypeError, "^buffer: .*float"),
    (("audit",), {"buffer": True}, TypeError, "^buffer: .*bool"),
    (("audit",), {"buffer": 5, "when_full": "panic"}, ValueError, "^when_full: 'panic'"),
    (("audit",), {"when_full": "raise"}, ValueError, "^when_full: .* give buffer"),
    (("audit",), {"reconnect": "yes"}, TypeError, "^reconnect: .*str"),
    (("audit",), {"reconnect": None}, TypeError, "^reconnect: .*NoneType"),
    (("audit",), {"reconnect": Backoff(first=0)}, ValueError, "^reconnect: "),
    (("audit",), {"reconnect": Backoff(first=float("nan"))}, ValueError, "^reconnect: "),
    (("audit",), {"reconnect": Backoff(longest=float("inf"))}, ValueError, "^reconnect: "),
    (("audit",), {"reconnect": Backoff(factor=0.5)}, ValueError, "^reconnect: "),
    (("audit",), {"reconnect": Backoff(jitter=1.5)}, ValueError, "^reconnect: jitter"),
    (("audit",), {"reconnect": Backoff(attempts=0)}, ValueError, "^reconnect: attempts"),
    (("audit",), {"reconnect": Backoff(first="1")}, TypeError, "^reconnect: first"),  # type: ignore[arg-type]
    (("audit",), {"reconnect": Backoff(attempts=1.5)}, TypeError, "^reconnect: attempts"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("what", "options", "error", "said"), WRONG)
def test_wrong_argument(
    what: tuple[Any, ...], options: dict[str, Any], error: type[Exception], said: str
) -> None:
    """It is said before anybody is asked for a connection, which would be refused."""
    with pytest.raises(error, match=said):
        subscribe(*what, address=NOWHERE, **options)


def test_nobody_listens() -> None:
    before = descriptors()
    with pytest.raises(events.Error, match="refused"):
        subscribe("audit", address=NOWHERE, reconnect=True)
    assert descriptors() == before


def test_refused(daemon: Daemon) -> None:
    before = descriptors()
    with pytest.raises(events.Error, match=r"no such stream: .+ \(127\.0\.0\.1:\d+\)$") as caught:
        subscribed(daemon, stream="missing")
    assert caught.value.confd_errno == events.ERR_NOEXISTS
    daemon.disconnect()
    assert descriptors() == before


# Events


@pytest.mark.parametrize("count", [1, 100, 5000])
@each_buffer
def test_events_come_in_order(daemon: Daemon, options: dict[str, Any], count: int) -> None:
    with subscribed(daemon, "audit", **options) as subscription:
        audits(daemon, count)
        assert usids([next(subscription) for _ in range(count)]) == list(range(count))


def test_event(daemon: Daemon) -> None:
    before = datetime.now(timezone.utc)
    with subscribed(daemon, "user-session") as subscription:
        daemon.user_session(
            type=UserSess.LOCK,
            database=Database.RUNNING,
            uinfo=User(username="ada", clearpass="geheim", proto=Proto.SSH),
        )
        event = next(subscription)
    assert event.type is Notif.USER_SESSION
    assert event.name == "user-session"
    assert event.raw["type"] == Notif.USER_SESSION
    assert event["type"] is UserSess.LOCK
    assert event["database"] is event.get("database") is Database.RUNNING
    assert event["uinfo"].username == "ada"
    assert event.payload is event.raw["user_sess"]
    assert ("uinfo" in event, "nothing" in event) == (True, False)
    assert (event.get("nothing"), event.get("nothing", 5)) == (None, 5)  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="nothing"):
        event["nothing"]  # type: ignore[index]
    assert before <= event.read_at <= datetime.now(timezone.utc)
    assert event.ack() is event.unacknowledged is False


def test_event_as_json(daemon: Daemon) -> None:
    with subscribed(daemon, "user-session") as subscription:
        daemon.user_session(uinfo=User(clearpass="geheim"))
        event = next(subscription)
    plain = event.to_dict()
    assert plain["read_at"] == event.read_at.isoformat()
    assert plain["type_name"] == event.name
    assert json.loads(event.to_json()) == plain
    assert "\n" not in event.to_json()
    assert "geheim" not in event.to_json()
    assert "geheim" in event.to_json(secrets=True)
    assert "geheim" in str(event.to_dict(secrets=True))


def test_repr(daemon: Daemon) -> None:
    with subscribed(daemon, "user-session", "audit", "confirmed-commit") as subscription:
        daemon.user_session(type=UserSess.START, uinfo=User(clearpass="geheim"))
        daemon.audit(user="ada", msg="x" * 10_000)
        daemon.confirmed_commit(type=ConfirmedCommit.CONFIRMING)
        session, audit, confirmed = (repr(next(subscription)) for _ in range(3))
    assert "<Event user-session type=start" in session
    assert "geheim" not in session
    assert len(session) < 300
    assert "user='ada'" in audit
    assert len(audit) < 200
    assert audit.count("\n") == 0
    assert "type=confirming" in confirmed


@pytest.mark.parametrize("bit", [1 << 45, 1 << 45 | 1 << 46])
def test_event_of_an_unknown_bit(bit: int) -> None:
    event = Event({"type": bit}, time.time())
    assert event.type == bit
    assert event.name == hex(bit)
    assert event.payload == {}
    assert repr(event) == f"<Event {bit:#x}>"
    assert event.to_dict()["type"] == bit


def test_event_without_a_payload(daemon: Daemon) -> None:
    with subscribed(daemon, "reopen-logs") as subscription:
        daemon.reopen_logs()
        event = next(subscription)
    assert event.payload == {}
    assert repr(event) == "<Event reopen-logs>"


# Statistics


def test_statistics_without_a_buffer(daemon: Daemon) -> None:
    with subscribed(daemon, "audit") as subscription:
        assert subscription.stats() == (0, 0, 0, 0, 0, 0, 0.0, 0, 0, None)
        for _ in range(3):
            daemon.send_frame(encode("audit") * 2)
        wait_until(lambda: _unread(subscription) >= 6 * len(encode("audit")))
        next(subscription)
        assert subscription.stats()[:6] == (6, 1, 0, 5, 0, 0)
        assert subscription.stats().lag > 0
        for _ in range(5):
            next(subscription)
        assert subscription.stats() == (6, 6, 0, 0, 0, 0, 0.0, 0, 0, None)
    assert subscription.stats() == (6, 6, 0, 0, 0, 0, 0.0, 0, 0, None)


def _unread(subscription: Subscription) -> int:
    connection = subscription._reader.connection
    assert connection is not None
    return len(connection._sock.recv(10_000, socket.MSG_PEEK))


def test_closing_drops_what_waits(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", buffer=10) as subscription:
        audits(daemon, 10)
        next(subscription)
        wait_until(lambda: subscription.stats().waiting == 9)
    assert subscription.stats() == (10, 1, 9, 0, 0, 0, 0.0, 0, 0, None)


def test_statistics_of_acknowledgements(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", "audit-sync") as subscription:
        audits(daemon, 3)
        for _ in range(3):
            next(subscription)
        assert subscription.stats().acknowledged == 2
    assert subscription.stats().acknowledged == 3


@pytest.mark.parametrize("policy", ["wait", "drop-oldest"])
def test_statistics_add_up_at_each_moment(daemon: Daemon, policy: str) -> None:
    seen: list[Any] = []
    with subscribed(daemon, "audit", buffer=50, when_full=policy) as subscription:
        watching = threading.Event()

        def watch() -> None:
            while not watching.is_set():
                seen.append(subscription.stats())

        watcher = in_thread(watch)
        delivered = 0
        daemon.send_frame(encode("audit") * 3000)
        while subscription.stats().read < 3000 or subscription.stats().waiting:
            delivered += next(subscription).type == Notif.AUDIT
            assert subscription.stats().delivered == delivered
        watching.set()
        watcher.result(PATIENCE)
    for stats in seen:
        assert stats.read == stats.delivered + stats.dropped + stats.waiting
        assert min(stats[:7]) >= 0
        assert stats.waiting <= 50 + 100  # and a burst that is about to be dropped
    assert [s.read for s in seen] == sorted(s.read for s in seen)
    assert [s.delivered for s in seen] == sorted(s.delivered for s in seen)
    assert subscription.stats()[:2] == (3000, delivered)


# Iteration


def test_the_loop_ends_when_closed_in_it(daemon: Daemon) -> None:
    with subscribed(daemon, "audit") as subscription:
        audits(daemon, 5)
        got = []
        for event in subscription:
            got.append(event)
            if len(got) == 2:
                subscription.close()
    assert usids(got) == [0, 1]


def test_loops_after_another_go_on(daemon: Daemon) -> None:
    with subscribed(daemon, "audit") as subscription:
        audits(daemon, 6)
        got = []
        for event in subscription:
            got.append(event)
            break
        for event in subscription:
            got.append(event)
            for inner in subscription:
                got.append(inner)
                if len(got) % 2:
                    break
            if len(got) >= 5:
                break
        got.append(next(subscription))
    assert usids(got) == [0, 1, 2, 3, 4, 5]


@each_buffer
def test_an_error_ends_the_iteration_once(daemon: Daemon, options: dict[str, Any]) -> None:
    with subscribed(daemon, "audit", **options) as subscription:
        daemon.audit(usid=1)
        next(subscription)
        daemon.disconnect()
        with pytest.raises(events.EOF):
            next(subscription)
        assert subscription.closed
        with pytest.raises(StopIteration):
            next(subscription)
        assert list(subscription) == []


@each_buffer
def test_what_came_before_an_undecodable_notification(
    daemon: Daemon, options: dict[str, Any]
) -> None:
    with subscribed(daemon, "audit", **options) as subscription:
        bad = frame_of((1 << 50,))
        daemon.send_frame(encode("audit", usid=1) + encode("audit", usid=2) + bad)
        assert usids([next(subscription), next(subscription)]) == [1, 2]
        with pytest.raises(events.Error) as caught:
            next(subscription)
    assert caught.value.confd_errno == events.ERR_INTERNAL
    assert caught.value.notifications == []


# Closing


def test_close_twice_and_after_the_block(daemon: Daemon) -> None:
    with subscribed(daemon, "audit") as subscription:
        assert not subscription.closed
        subscription.close()
        assert subscription.closed
        subscription.close()
    subscription.close()
    with pytest.raises(StopIteration):
        next(subscription)


Ending = Callable[[Callable[[], object], Callable[[], object]], None]


def _from_thread(block: Callable[[], object], close: Callable[[], object]) -> None:
    timer = threading.Timer(0.1, close)
    timer.start()
    block()
    timer.join()


def _from_signal_handler(block: Callable[[], object], close: Callable[[], object]) -> None:
    with alarm(close) as set_off:
        set_off()
        block()


each_ending = pytest.mark.parametrize("ending", [_from_thread, _from_signal_handler])


@each_ending
@pytest.mark.parametrize("part", [b"", encode("audit")[:10]], ids=["nothing", "part"])
@each_buffer
def test_close_ends_a_read(
    daemon: Daemon, options: dict[str, Any], part: bytes, ending: Ending
) -> None:
    before = descriptors()
    with subscribed(daemon, "audit", **options) as subscription:
        if part:
            daemon.send_frame(part)
        ending(lambda: list(subscription), subscription.close)
        assert subscription.closed
    daemon.disconnect()
    assert descriptors() == before


@each_ending
@each_buffer
def test_close_ends_a_back_off(daemon: Daemon, options: dict[str, Any], ending: Ending) -> None:
    with subscribed(daemon, "audit", reconnect=NEVER, **options) as subscription:
        daemon.disconnect()
        assert next(subscription).name == "disconnected"
        ending(lambda: list(subscription), subscription.close)


@each_ending
@pytest.mark.parametrize("answered", [0, 9])
@each_buffer
def test_close_ends_an_attempt_to_connect(
    daemon: Daemon, options: dict[str, Any], answered: int, ending: Ending
) -> None:
    """To a daemon that accepts and does not answer."""
    with subscribed(daemon, "audit", reconnect=QUICK, **options) as subscription:
        daemon.set_faults(Faults(silent_after=answered))
        daemon.disconnect()
        assert next(subscription).name == "disconnected"
        ending(lambda: list(subscription), subscription.close)


@each_ending
def test_close_ends_a_connect_that_nobody_accepts(daemon: Daemon, ending: Ending) -> None:
    """The listener's queue is full, so that the kernel does not answer."""
    with socket.socket() as listener, socket.socket() as queued:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        subscription = subscribed(daemon, "audit", reconnect=QUICK)
        queued.connect(listener.getsockname())
        subscription._reader._address = listener.getsockname()
        daemon.disconnect()
        assert next(subscription).name == "disconnected"
        ending(lambda: list(subscription), subscription.close)


def test_ctrl_c_ends_subscribe() -> None:
    """Also when the daemon accepts and does not answer."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    with Daemon(faults=Faults(silent_after=0)) as daemon:
        before = descriptors()
        with alarm(interrupt) as set_off, pytest.raises(KeyboardInterrupt):  # noqa: PT012
            set_off()
            subscribed(daemon, "audit")
        daemon.disconnect()
        wait_until(lambda: not own_threads())
        assert descriptors() == before


@each_buffer
def test_an_exception_of_a_signal_handler_leaves_it_usable(
    daemon: Daemon, options: dict[str, Any]
) -> None:
    def interrupt() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise KeyboardInterrupt

    with subscribed(daemon, "audit", **options) as subscription:
        with alarm(interrupt) as set_off, pytest.raises(KeyboardInterrupt):  # noqa: PT012
            set_off()
            next(subscription)
        audits(daemon, 2)
        assert usids([next(subscription), next(subscription)]) == [0, 1]


@pytest.mark.parametrize("reconnect", [False, True])
@each_buffer
def test_close_at_any_moment(daemon: Daemon, options: dict[str, Any], reconnect: bool) -> None:
    """Again and again, while events come and are acknowledged, and connections are lost."""
    before = descriptors()
    flood = [encode("audit", usid=number) for number in range(20)]
    for round_ in range(60):
        subscription = subscribed(
            daemon, "audit", "audit-sync", reconnect=QUICK if reconnect else False, **options
        )
        reader = in_thread(lambda of=subscription: list(of))  # type: ignore[misc]
        daemon.send_frame(b"".join(flood))
        if reconnect:
            daemon.disconnect()
        time.sleep(round_ / 10_000)
        closers = [in_thread(subscription.close) for _ in range(2)]
        for thread in closers:
            thread.result(PATIENCE)
        got = reader.result(PATIENCE)
        stats = subscription.stats()
        assert stats.delivered == sum(event.type == Notif.AUDIT for event in got)
        assert stats.read == stats.delivered + stats.dropped
    wait_until(lambda: not own_threads())
    daemon.disconnect()
    wait_until(lambda: not daemon.subscribers)
    daemon.disconnect()
    wait_until(lambda: descriptors() == before)


# Dropped without close()


@pytest.mark.parametrize("options", [*BUFFERS, {"buffer": 1}])
def test_dropped_unclosed(daemon: Daemon, options: dict[str, Any]) -> None:
    before = descriptors()
    subscription = subscribed(daemon, "audit", **options)
    audits(daemon, 5)
    next(subscription)
    with pytest.warns(ResourceWarning, match="unclosed <confd_events.*Subscription"):
        del subscription
    wait_until(lambda: not daemon.subscribers and not own_threads())
    daemon.disconnect()
    assert descriptors() == before


def test_dropped_unclosed_while_the_daemon_is_lost(daemon: Daemon) -> None:
    """Nobody may connect again for a subscription that is no more."""
    subscription = subscribed(daemon, "audit", buffer=5, reconnect=QUICK)
    daemon.stop()
    try:
        assert next(subscription).name == "disconnected"
        reader = subscription._reader
        wait_until(lambda: reader.connection is None)
        with pytest.warns(ResourceWarning, match="unclosed"):
            del subscription
        wait_until(lambda: not own_threads())
    finally:
        daemon.start()


def test_dropped_after_close_says_nothing(daemon: Daemon) -> None:
    subscription = subscribed(daemon, "audit")
    subscription.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del subscription
        gc.collect()


def test_exit_with_an_open_subscription(daemon: Daemon) -> None:
    """Neither hangs nor crashes, whatever its thread is doing."""
    for options in ("", "buffer=5", "buffer=5, reconnect=True", "buffer=5, ack='manual'"):
        done = run_program(
            f"""
            import confd_events
            subscription = confd_events.subscribe(
                "audit", "audit-sync", address={where(daemon)!r}, {options})
            print("subscribed", flush=True)
            """
        )
        assert (done.stdout, done.returncode) == ("subscribed\n", 0), done.stderr
        assert "Fatal" not in done.stderr
        wait_until(lambda: not daemon.subscribers)


# Fork


FORK = """
import gc, os, sys, warnings, confd_events
warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads
warnings.simplefilter("error", ResourceWarning)
warnings.simplefilter("error", RuntimeWarning)
port, options = int(sys.argv[1]), eval(sys.argv[2])
subscription = confd_events.subscribe(
    "audit", "audit-sync", address=("127.0.0.1", port), **options)
event = next(subscription)
child = os.fork()
if child == 0:
    failed = 1
    try:
        for use in (lambda: next(subscription), event.ack, lambda: list(subscription)):
            try:
                use()
            except RuntimeError as error:
                assert "belongs to process" in str(error), error
            else:
                sys.exit("no error")
        descriptor = subscription._reader.connection.fileno()
        os.fstat(descriptor)
        {end}
        try:
            os.fstat(descriptor)
        except OSError:
            failed = 0
    finally:
        os._exit(failed)
_, status = os.waitpid(child, 0)
print(status, flush=True)
for event in subscription:
    print(event["usid"], event.unacknowledged, event.ack(), flush=True)
    if event["usid"] == 3:
        break
subscription.close()
"""


@pytest.mark.parametrize(
    "end",
    [
        "subscription.close()",
        "subscription.__exit__(None, None, None)",
        "del subscription, event, use; gc.collect()",
    ],
)
@pytest.mark.parametrize(
    "options", [{}, {"buffer": 10}, {"ack": "manual"}, {"ack": "manual", "buffer": 10}]
)
def test_fork(daemon: Daemon, options: dict[str, Any], end: str) -> None:
    """The child is told, and what it does to its copy does not disturb the parent."""
    arguments = [str(daemon.address["port"]), repr(options)]
    done = in_thread(lambda: run_program(FORK.replace("{end}", end), *arguments))
    daemon.wait_for_subscribers(timeout=PATIENCE)
    deliveries = [daemon.audit(usid=number) for number in (1, 2, 3)]
    finished = done.result(2 * PATIENCE)
    expected = "0\n2 True True\n3 True True\n"
    stderr = finished.stderr
    if options.get("ack") == "manual":  # the first is dropped
        assert stderr.count("without ack()") == 1
    else:
        assert stderr == ""
    assert finished.stdout == expected, stderr
    assert all(delivery.wait(PATIENCE) for delivery in deliveries)
    wait_until(lambda: sorted(a.id or 0 for a in daemon.acknowledgements) == [1, 2, 3])


# One library for other uses of the process


def test_descriptors_of_others_are_not_touched(daemon: Daemon) -> None:
    """A closed subscription's number may be another file's by the next use."""
    subscription = subscribed(daemon, "audit", "audit-sync", ack="manual")
    daemon.audit(usid=1)
    event = next(subscription)
    connection = subscription._reader.connection
    assert connection is not None
    with pytest.warns(RuntimeWarning, match="without ack"):
        subscription.close()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        assert event.ack() is False
        subscription.close()
        with pytest.raises(BlockingIOError):
            theirs.recv(1)


def test_a_socket_that_can_not_be_had(monkeypatch: pytest.MonkeyPatch, daemon: Daemon) -> None:
    def refuse(*_: object) -> None:
        raise OSError(24, "Too many open files")

    address = where(daemon)
    monkeypatch.setattr(
        "confd_events.subscription._connection.socket",
        SimpleNamespace(**{**vars(socket), "socket": refuse}),
    )
    with pytest.raises(events.Error, match="Too many open files") as caught:
        subscribe("audit", address=address)
    assert caught.value.errno == 24


def test_handshake_is_as_long_as_the_tests_count(tmp_path: Path) -> None:
    """For the faults that these tests ask for."""
    with Daemon(faults=Faults(close_after=HANDSHAKE)) as daemon:
        subscription = subscribed(daemon, "audit")
        with pytest.raises(events.EOF):
            next(subscription)
    assert os.listdir(tmp_path) == []
