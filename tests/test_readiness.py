"""The descriptor of a subscription, in a select loop of the program's own."""

from __future__ import annotations

import select
import time
from typing import Any

import pytest
from subscribing import PATIENCE, QUICK, Relay, in_thread, subscribed, usids

from confd_events import Event, Subscription, subscribe
from confd_events.testing import Daemon, encode

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "buffered": {"buffer": 500},
    "reconnecting": {"reconnect": QUICK},
}
each_kind = pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)


def is_readable(subscription: Subscription, seconds: float = 0) -> bool:
    return bool(select.select([subscription], [], [], seconds)[0])


def one_each_time(subscription: Subscription, count: int) -> list[Event]:
    """So many events: not more than one each time that the descriptor is readable."""
    got: list[Event] = []
    while len(got) < count:
        assert is_readable(subscription, PATIENCE)
        event = subscription.next(timeout=0)
        if event is not None:
            got.append(event)
    return got


def take_all(subscription: Subscription) -> list[Event]:
    return list(iter(lambda: subscription.next(timeout=0), None))


@each_kind
def test_each_event_is_told(daemon: Daemon, options: dict[str, Any]) -> None:
    """Those, too, that are read already when the loop comes to wait again."""
    with subscribed(daemon, "audit", **options) as subscription:
        subscription.fileno()
        daemon.send_frame(b"".join(encode("audit", usid=number) for number in range(300)))
        assert usids(one_each_time(subscription, 300)) == list(range(300))
        assert take_all(subscription) == []
        assert not is_readable(subscription)
        daemon.audit(usid=300)
        assert usids(one_each_time(subscription, 1)) == [300]


@each_kind
def test_what_came_before_the_descriptor_was_asked_for(
    daemon: Daemon, options: dict[str, Any]
) -> None:
    with subscribed(daemon, "audit", **options) as subscription:
        daemon.send_frame(b"".join(encode("audit", usid=number) for number in range(5)))
        assert next(subscription)["usid"] == 0
        assert usids(one_each_time(subscription, 4)) == [1, 2, 3, 4]


@each_kind
def test_a_part_of_a_notification_is_told_once(daemon: Daemon, options: dict[str, Any]) -> None:
    frame = encode("audit", usid=7)
    with (
        Relay(daemon) as relay,
        subscribe("audit", address=relay.address, **options) as subscription,
    ):
        assert take_all(subscription) == []
        relay.send(frame[:9])
        deadline = time.monotonic() + 0.3
        rounds = 0
        while time.monotonic() < deadline:
            if is_readable(subscription, 0.05):
                assert subscription.next(timeout=0) is None
                rounds += 1
        assert rounds <= 2
        relay.send(frame[9:])
        assert usids(one_each_time(subscription, 1)) == [7]


@each_kind
def test_the_loop_learns_of_the_end(daemon: Daemon, options: dict[str, Any]) -> None:
    with subscribed(daemon, "audit", **options) as subscription:
        assert take_all(subscription) == []
        waiting = in_thread(lambda: is_readable(subscription, PATIENCE))
        subscription.close()
        assert waiting.result(PATIENCE)
        assert is_readable(subscription)  # and it stays so


@each_kind
def test_the_descriptor_stays_the_same_when_the_connection_is_lost(
    daemon: Daemon, options: dict[str, Any]
) -> None:
    options = {**options, "reconnect": QUICK}
    with subscribed(daemon, "audit", **options) as subscription:
        descriptor = subscription.fileno()
        assert take_all(subscription) == []
        daemon.disconnect()
        assert usids(one_each_time(subscription, 1)) == ["disconnected"]
        found = subscription.next(timeout=PATIENCE)
        assert found is not None
        assert found.name == "connected"
        daemon.audit(usid=2)
        assert usids(one_each_time(subscription, 1)) == [2]
        assert subscription.fileno() == descriptor
