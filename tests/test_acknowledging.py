"""Acknowledgements of a subscription: by itself, or by its consumer's event.ack()."""

from __future__ import annotations

import gc
import operator
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import LEVEL, PRODUCT
from subscribing import (
    PATIENCE,
    QUICK,
    alarm,
    descriptors,
    in_thread,
    own_threads,
    subscribed,
    wait_until,
    where,
)

import confd_events as events
from confd_events import DaemonSilent, Event, Notif, Subscription, subscribe
from confd_events.description.catalog import NOTIFICATIONS
from confd_events.enums import notif
from confd_events.subscription._acknowledgement import ACKNOWLEDGEMENTS, awaited
from confd_events.testing import Daemon, Delivery, encode

SYNC: tuple[str, ...] = ("audit", "audit-sync", "ha-info", "ha-info-sync", "commit-diff")
KINDS: list[tuple[str, dict[str, Any], tuple[str, int | None]]] = [
    ("audit", {"usid": 11}, ("audit", 11)),
    ("audit", {"usid": -5}, ("audit", -5)),
    ("commit_diff", {"thandle": 77}, ("commit_diff", 77)),
    ("ha_is_primary", {}, ("ha", None)),
]
if hasattr(events, "sync_audit_network_notification"):
    SYNC += ("audit-network", "audit-network-sync")
    KINDS.append(("audit_network", {"usid": 12}, ("audit_network", 12)))

each_kind = pytest.mark.parametrize(("kind", "fields", "expected"), KINDS)
each_buffer = pytest.mark.parametrize("buffer", [None, 10], ids=["unbuffered", "buffered"])


@pytest.fixture(autouse=True)
def _leaves_no_thread() -> Iterator[None]:
    yield
    wait_until(lambda: not own_threads())


def acknowledged(daemon: Daemon) -> list[int | None]:
    return [acknowledgement.id for acknowledgement in daemon.acknowledgements]


def test_the_library_has_what_its_release_has() -> None:
    """So that no kind is left out below because of a mistake."""
    assert (len(KINDS) == 5) == (PRODUCT == "NCS" and LEVEL >= (8, 0))


def test_every_notification_that_the_catalog_says() -> None:
    expected = {notif(n.name) for n in NOTIFICATIONS if hasattr(events, n.acknowledge or " ")}
    assert set(ACKNOWLEDGEMENTS) == expected
    assert len(expected) == len(KINDS) - 1  # audit is there twice


@pytest.mark.parametrize(
    ("mask", "bits"),
    [
        (Notif.AUDIT, 0),
        (Notif.AUDIT | Notif.AUDIT_SYNC, Notif.AUDIT),
        (Notif.COMMIT_DIFF, Notif.COMMIT_DIFF),
        (Notif.HA_INFO | Notif.AUDIT | Notif.HA_INFO_SYNC, Notif.HA_INFO),
        (Notif.COMMIT_SIMPLE | Notif.DAEMON, 0),
    ],
)
def test_what_the_daemon_waits_for(mask: int, bits: int) -> None:
    assert awaited(mask) == bits


def test_without_a_flag_nothing_is_sent(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", "ha-info") as subscription:
        daemon.audit(usid=1)
        daemon.ha_is_none()
        for event in (next(subscription), next(subscription)):
            assert not event.unacknowledged
            assert not event.ack()
    assert subscription.stats().acknowledged == 0
    daemon.disconnect()
    assert acknowledged(daemon) == []


# By itself


@each_buffer
@each_kind
def test_the_daemon_waits_until_the_next_is_asked_for(
    daemon: Daemon,
    kind: str,
    fields: dict[str, Any],
    expected: tuple[str, int | None],
    buffer: int | None,
) -> None:
    with subscribed(daemon, *SYNC, buffer=buffer) as subscription:
        first, second = getattr(daemon, kind)(**fields), daemon.audit(usid=99)
        event = next(subscription)
        assert event.unacknowledged
        with pytest.raises(TimeoutError):
            first.wait(0.02)
        assert next(subscription)["usid"] == 99
        assert first.wait(PATIENCE)
        assert not event.unacknowledged
        assert not second.done
    assert second.wait(PATIENCE)
    daemon.disconnect()
    assert [a[:2] for a in daemon.acknowledgements] == [expected, ("audit", 99)]


class HandlerError(Exception):
    """A handler's, in these tests."""


def leave_by_exception(subscription: Subscription) -> None:
    for _ in subscription:
        raise HandlerError


def leave_by_interrupt(subscription: Subscription) -> None:
    for _ in subscription:
        raise KeyboardInterrupt


def leave_by_break(subscription: Subscription) -> None:
    for _ in subscription:
        break


def leave_by_return(subscription: Subscription) -> None:
    for _ in subscription:
        return


def leave_by_closed_generator(subscription: Subscription) -> None:
    generator: Any = iter(subscription)
    next(generator)
    generator.close()


def leave_by_thrown_exception(subscription: Subscription) -> None:
    generator: Any = iter(subscription)
    next(generator)
    generator.throw(HandlerError)


LEFT = [
    leave_by_exception,
    leave_by_interrupt,
    leave_by_break,
    leave_by_return,
    leave_by_closed_generator,
    leave_by_thrown_exception,
]


@each_buffer
@pytest.mark.parametrize("leave", LEFT)
@each_kind
def test_leaving_the_loop_acknowledges(
    daemon: Daemon,
    kind: str,
    fields: dict[str, Any],
    expected: tuple[str, int | None],
    leave: Callable[[Subscription], None],
    buffer: int | None,
) -> None:
    """The daemon goes on though the block is not left; and it is told once."""
    with subscribed(daemon, *SYNC, buffer=buffer) as subscription:
        delivery = getattr(daemon, kind)(**fields)
        with suppress(HandlerError, KeyboardInterrupt):
            leave(subscription)
        assert delivery.wait(PATIENCE)
    daemon.disconnect()
    assert [a[:2] for a in daemon.acknowledgements] == [expected]


def leave_block_normally(_: Subscription) -> None:
    return


def leave_block_by_exception(_: Subscription) -> None:
    raise HandlerError


def leave_block_by_interrupt(_: Subscription) -> None:
    raise KeyboardInterrupt


def leave_block_by_exit(_: Subscription) -> None:
    raise SystemExit


def leave_block_by_close(subscription: Subscription) -> None:
    subscription.close()


@each_buffer
@pytest.mark.parametrize(
    "leave",
    [
        leave_block_normally,
        leave_block_by_exception,
        leave_block_by_interrupt,
        leave_block_by_exit,
        leave_block_by_close,
    ],
)
@each_kind
def test_leaving_the_block_acknowledges(
    daemon: Daemon,
    kind: str,
    fields: dict[str, Any],
    expected: tuple[str, int | None],
    leave: Callable[[Subscription], None],
    buffer: int | None,
) -> None:
    """By next(), without a loop; what was read and not delivered is acknowledged, too."""
    more = 2 if buffer else 0
    with (
        suppress(HandlerError, KeyboardInterrupt, SystemExit),
        subscribed(daemon, *SYNC, buffer=buffer) as subscription,
    ):
        deliveries = [getattr(daemon, kind)(**fields) for _ in range(1 + more)]
        next(subscription)
        wait_until(lambda: subscription.stats().waiting == more)
        leave(subscription)
    assert all(delivery.wait(PATIENCE) for delivery in deliveries)
    daemon.disconnect()
    assert [a[:2] for a in daemon.acknowledgements] == [expected] * (1 + more)
    assert subscription.stats().acknowledged == 1 + more


@each_buffer
def test_each_of_many_once(daemon: Daemon, buffer: int | None) -> None:
    with subscribed(daemon, *SYNC, buffer=buffer) as subscription:
        deliveries: list[Delivery] = []
        for number in range(300):
            deliveries += [daemon.audit(usid=number), daemon.commit_diff(thandle=1000 + number)]
        for count, _ in enumerate(subscription, start=1):
            if count == 500:
                break
        daemon.wait_for_acknowledgements(500, PATIENCE)
        assert all(delivery.done for delivery in deliveries[:500])
    assert all(delivery.wait(PATIENCE) for delivery in deliveries)
    sent = [number + offset for number in range(300) for offset in (0, 1000)]
    got = acknowledged(daemon)
    assert got[:500] == sent[:500]
    assert len(got) == len(set(got))


def test_nested_loops_acknowledge_each_once(daemon: Daemon) -> None:
    with subscribed(daemon, *SYNC) as subscription:
        for number in range(4):
            daemon.audit(usid=number)
        for outer in subscription:
            assert outer["usid"] == 0
            for inner in subscription:
                daemon.wait_for_acknowledgements(inner["usid"], PATIENCE)
                assert not outer.unacknowledged
                if inner["usid"] == 2:
                    break
            daemon.wait_for_acknowledgements(3, PATIENCE)
            break
    daemon.wait_for_acknowledgements(3, PATIENCE)
    assert acknowledged(daemon)[:3] == [0, 1, 2]


def is_over(tctx: Any) -> bool:
    return "done" in repr(tctx)


def test_the_transaction_is_open_in_the_loop_and_over_after(daemon: Daemon) -> None:
    with subscribed(daemon, "commit-diff") as subscription:
        daemon.commit_diff(thandle=77)
        for event in subscription:
            tctx = event["tctx"]
            assert operator.index(tctx) == tctx.th == 77
            assert not is_over(tctx)
            break
        assert is_over(tctx)


def test_the_transaction_is_open_while_the_consumer_has_another_read(daemon: Daemon) -> None:
    """Several of a burst, each in its turn."""
    with subscribed(daemon, "commit-diff", buffer=10) as subscription:
        for number in (1, 2, 3):
            daemon.commit_diff(thandle=number)
        wait_until(lambda: subscription.stats().waiting == 3)
        previous: Event | None = None
        for number in (1, 2, 3):
            event = next(subscription)
            assert operator.index(event["tctx"]) == number
            assert not is_over(event["tctx"])
            assert previous is None or is_over(previous["tctx"])
            previous = event
    assert is_over(event["tctx"])


def test_the_vendors_call_in_the_loop(daemon: Daemon) -> None:
    """A consumer that acknowledges by the function of old; it is not done again."""
    with subscribed(daemon, "commit-diff") as subscription:
        for number in (1, 2):
            daemon.commit_diff(thandle=number)
        for number in (1, 2):
            tctx = next(subscription)["tctx"]
            connection = subscription._reader.connection
            assert connection is not None
            events.diff_notification_done(connection._sock, tctx)
            daemon.wait_for_acknowledgements(number, PATIENCE)
    assert acknowledged(daemon) == [1, 2]


@pytest.mark.parametrize("reset", [False, True])
@each_kind
def test_the_connection_died_before_the_acknowledgement(
    daemon: Daemon,
    kind: str,
    fields: dict[str, Any],
    expected: tuple[str, int | None],
    reset: bool,
) -> None:
    """Neither a signal nor an error of its own: the next read says that the daemon is lost."""
    del expected
    with subscribed(daemon, *SYNC) as subscription:
        getattr(daemon, kind)(**fields)
        next(subscription)
        daemon.disconnect(reset=reset)
        with pytest.raises(events.Error) as caught:
            next(subscription)
    assert caught.value.confd_errno in (events.ERR_OS, events.ERR_EOF)
    assert subscription.closed


@each_kind
def test_a_new_connection_does_not_get_the_old_acknowledgement(
    daemon: Daemon, kind: str, fields: dict[str, Any], expected: tuple[str, int | None]
) -> None:
    with subscribed(daemon, *SYNC, reconnect=QUICK) as subscription:
        getattr(daemon, kind)(**fields)
        event = next(subscription)
        daemon.disconnect()
        assert next(subscription).name == "disconnected"
        assert not event.unacknowledged
        assert next(subscription).name == "connected"
        delivery = getattr(daemon, kind)(**fields)
        next(subscription)
        assert not event.ack()
    assert delivery.wait(PATIENCE)
    daemon.disconnect()
    latest = max(a.subscriber for a in daemon.acknowledgements)
    assert [a[:2] for a in daemon.acknowledgements if a.subscriber == latest] == [expected]


# An acknowledgement that the daemon does not take


def stuffed(daemon: Daemon, **options: Any) -> Subscription:
    """A subscription with 2000 acknowledgements to send, to a daemon that reads none."""
    subscription = subscribed(daemon, *SYNC, **options)
    daemon.send_frame(encode("ha_is_primary") * 2000)
    return subscription


@pytest.fixture
def deaf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A daemon at a UNIX socket, whose buffers are small, that does not read acknowledgements."""
    with Daemon(path=tmp_path / "s", product=PRODUCT.lower(), minimum_interval=0) as running:
        hub = running._hub
        taken = hub.acknowledge
        goes_on = threading.Event()
        monkeypatch.setattr(hub, "acknowledge", lambda ack: (goes_on.wait(PATIENCE), taken(ack)))
        yield running
        goes_on.set()


@each_buffer
@pytest.mark.parametrize("reconnect", [False, True])
def test_a_heartbeat_tells_that_acknowledgements_are_not_taken(
    deaf: Daemon, buffer: int | None, reconnect: bool
) -> None:
    """Of the many that wait to be sent only one waits that long."""
    with stuffed(deaf, heartbeat=0.5, buffer=buffer, reconnect=reconnect) as subscription:
        error: Any = None
        try:
            for event in subscription:
                if event.name == "disconnected":
                    error = event["error"]
                    break
        except DaemonSilent as silent:
            error = silent
    assert isinstance(error, DaemonSilent)
    assert "took no acknowledgement" in str(error)


@pytest.mark.parametrize("by_signal", [False, True])
def test_close_ends_an_acknowledgement_that_blocks(deaf: Daemon, by_signal: bool) -> None:
    subscription = stuffed(deaf)
    blocked = threading.Event()

    def close_when_blocked() -> None:
        if not subscription.closed and blocked.is_set():
            subscription.close()

    def watch() -> None:
        before = -1
        while (now := subscription.stats().acknowledged) != before or now < 10:
            before = now
            threading.Event().wait(0.1)
        blocked.set()
        if not by_signal:
            subscription.close()

    watcher = in_thread(watch)
    with alarm(close_when_blocked):
        signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
        got = len(list(subscription))
    watcher.result(PATIENCE)
    assert 10 <= got < 2000


# By the consumer


@pytest.fixture
def manual(daemon: Daemon) -> Iterator[Subscription]:
    with subscribed(daemon, *SYNC, ack="manual") as subscription:
        yield subscription


@each_kind
def test_ack(
    daemon: Daemon,
    manual: Subscription,
    kind: str,
    fields: dict[str, Any],
    expected: tuple[str, int | None],
) -> None:
    first, second = getattr(daemon, kind)(**fields), daemon.audit(usid=99)
    event, other = next(manual), next(manual)
    with pytest.raises(TimeoutError):
        first.wait(0.02)
    assert event.unacknowledged
    assert event.ack()
    assert not event.unacknowledged
    assert first.wait(PATIENCE)
    assert not second.done
    assert not event.ack()
    assert other.ack()
    assert second.wait(PATIENCE)
    daemon.disconnect()
    assert [a[:2] for a in daemon.acknowledgements] == [expected, ("audit", 99)]


def test_ack_in_any_order_and_thread(daemon: Daemon, manual: Subscription) -> None:
    for number in range(50):
        daemon.audit(usid=number)
    got = [next(manual) for _ in range(50)]
    reader = in_thread(lambda: next(manual))
    backwards = got[::-1]
    results = [in_thread(event.ack) for event in backwards for _ in range(2)]
    assert sum(result.result(PATIENCE) for result in results) == 50
    daemon.wait_for_acknowledgements(50, PATIENCE)
    assert sorted(number or 0 for number in acknowledged(daemon)) == list(range(50))
    daemon.audit(usid=50)
    assert reader.result(PATIENCE).ack()


def test_leaving_the_loop_does_not_acknowledge_by_itself(
    daemon: Daemon, manual: Subscription
) -> None:
    delivery = daemon.audit(usid=1)
    got = []
    for event in manual:
        got.append(event)
        break
    with pytest.raises(TimeoutError):
        delivery.wait(0.02)
    assert got[0].ack()
    assert delivery.wait(PATIENCE)


@each_kind
@each_buffer
def test_a_dropped_event_is_told_and_released(
    daemon: Daemon,
    kind: str,
    fields: dict[str, Any],
    expected: tuple[str, int | None],
    buffer: int | None,
) -> None:
    with subscribed(daemon, *SYNC, ack="manual", buffer=buffer) as subscription:
        delivery = getattr(daemon, kind)(**fields)
        with pytest.warns(RuntimeWarning, match=r"<Event .* was dropped without ack\(\)"):
            next(subscription)
        assert delivery.wait(PATIENCE)
    assert [a[:2] for a in daemon.acknowledgements] == [expected]


def test_an_event_dropped_in_a_loop_is_released_at_once(daemon: Daemon) -> None:
    """The loop does not hold it until the next comes."""
    with subscribed(daemon, *SYNC, ack="manual") as subscription:
        daemon.audit(usid=1)
        with pytest.warns(RuntimeWarning, match="was dropped"):
            _drop_in_a_loop(daemon, subscription)


def _drop_in_a_loop(daemon: Daemon, subscription: Subscription) -> None:
    for event in subscription:
        if event["usid"] == 2:
            event.ack()
            return
        del event
        daemon.wait_for_acknowledgements(1, PATIENCE)
        daemon.audit(usid=2)


@pytest.mark.parametrize("when_full", ["wait", "drop-oldest"])
def test_closing_tells_of_events_that_the_consumer_has(daemon: Daemon, when_full: Any) -> None:
    """Not of those that it was not given."""
    subscription = subscribed(daemon, *SYNC, ack="manual", buffer=3, when_full=when_full)
    deliveries = [daemon.audit(usid=number) for number in range(6)]
    wait_until(lambda: subscription.stats().waiting == 3)
    got = [next(subscription) for _ in range(2)]
    wait_until(lambda: subscription.stats().acknowledged == subscription.stats().dropped)
    with pytest.warns(RuntimeWarning) as told:
        subscription.close()
    kept = sum(event.type == Notif.AUDIT for event in got)
    assert [str(w.message).split(" without")[0] for w in told] == [
        f"the subscription is closed with {kept} event(s)"
    ]
    assert all(delivery.wait(PATIENCE) for delivery in deliveries)
    assert all(event.ack() is False for event in got)


@each_buffer
def test_no_warning_without_a_reason(daemon: Daemon, buffer: int | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with subscribed(daemon, *SYNC, ack="manual", buffer=buffer) as subscription:
            deliveries = [daemon.audit(usid=number) for number in range(20)]
            for event in subscription:
                assert event.ack()
                if event["usid"] == 5:
                    break
        del event
        gc.collect()
        assert all(delivery.wait(PATIENCE) for delivery in deliveries)


def test_no_warning_of_undelivered_events_at_any_moment(daemon: Daemon) -> None:
    """Again and again: what the thread reads while the subscription is closed was not given."""
    frames = encode("audit") * 200
    told: list[str] = []
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: told.append(str(message))
        warnings.simplefilter("always")
        for round_ in range(40):
            with subscribed(daemon, *SYNC, ack="manual", buffer=100) as subscription:
                daemon.send_frame(frames)
                wait_until(partial(_has_read, subscription, round_))
        gc.collect()
    assert told == []


def _has_read(subscription: Subscription, count: int) -> bool:
    return subscription.stats().read >= count


def test_a_warning_as_an_error_does_not_keep_the_daemon_waiting(daemon: Daemon) -> None:
    before = descriptors()
    subscription = subscribed(daemon, *SYNC, ack="manual")
    delivery = daemon.audit(usid=1)
    event = next(subscription)
    with pytest.raises(RuntimeWarning, match="is closed with 1 event"):
        subscription.close()
    assert delivery.wait(PATIENCE)
    daemon.disconnect()
    assert descriptors() == before
    del event


def test_ack_after_close(daemon: Daemon) -> None:
    with subscribed(daemon, *SYNC, ack="manual") as subscription:
        daemon.audit(usid=1)
        event = next(subscription)
        with pytest.warns(RuntimeWarning, match="is closed with 1 event"):
            subscription.close()
        assert not event.ack()
        assert not event.unacknowledged


def test_ack_on_a_lost_connection(daemon: Daemon) -> None:
    with subscribed(daemon, *SYNC, ack="manual") as subscription:
        daemon.audit(usid=1)
        event = next(subscription)
        daemon.disconnect(reset=True)
        with pytest.raises(events.Error):
            event.ack()
        assert not event.ack()
        with pytest.raises(events.EOF):
            next(subscription)


def test_no_warning_for_a_lost_connection(daemon: Daemon) -> None:
    """Nobody waits any more."""
    with subscribed(daemon, *SYNC, ack="manual", reconnect=QUICK) as subscription:
        daemon.audit(usid=1)
        event = next(subscription)
        daemon.disconnect()
        assert [next(subscription).name, next(subscription).name] == ["disconnected", "connected"]
        assert not event.unacknowledged
        del event
        gc.collect()


def test_an_event_outlives_its_subscription(daemon: Daemon) -> None:
    """It has what it read; its transaction is over."""
    with subscribed(daemon, "commit-diff") as subscription:
        daemon.commit_diff(thandle=5, comment="why")
        event = next(subscription)
    del subscription
    gc.collect()
    assert event["comment"] == "why"
    assert "TransCtxRef(th=5, done)" in repr(event)
    assert event.to_dict()["commit_diff"]["tctx"] == {"th": 5}


def test_a_subscriber_that_is_killed_holds_nothing_up(daemon: Daemon) -> None:
    address = where(daemon)
    subscription = subscribe(*map(notif, SYNC), address=address)
    delivery = daemon.audit(usid=1)
    next(subscription)
    connection = subscription._reader.connection
    assert connection is not None
    connection._sock.close()
    assert delivery.wait(PATIENCE)
    subscription.close()
