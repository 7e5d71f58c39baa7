"""Events in batches."""

from __future__ import annotations

from typing import Any

import pytest
from subscribing import PATIENCE, QUICK, subscribed, usids, wait_until

from confd_events import EOF, Event, Subscription
from confd_events.testing import Daemon

PLAIN = ("audit",)
SYNC = ("audit", "audit-sync")


def audits(daemon: Daemon, *numbers: int) -> None:
    for number in numbers:
        daemon.audit(usid=number, msg="x")


def gathered(subscription: Subscription, most: int, count: int) -> list[list[Event]]:
    """Batches until so many events are there."""
    batches: list[list[Event]] = []
    while sum(map(len, batches)) < count:
        batches.append(subscription.batch(most, PATIENCE))
    return batches


@pytest.mark.parametrize("what", [PLAIN, SYNC], ids=["plain", "sync"])
@pytest.mark.parametrize("options", [{}, {"buffer": 1000}], ids=["", "buffer"])
def test_all_come_in_order_and_no_more_at_a_time_than_asked_for(
    daemon: Daemon, what: tuple[str, ...], options: dict[str, Any]
) -> None:
    with subscribed(daemon, *what, **options) as subscription:
        audits(daemon, *range(350))
        batches = gathered(subscription, 150, 350)
        assert subscription.stats().delivered == 350
    assert max(map(len, batches)) <= 150
    assert usids([event for batch in batches for event in batch]) == [*range(350)]


def test_it_is_more_than_is_read_at_a_time(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", buffer=1000) as subscription:
        audits(daemon, *range(350))
        wait_until(lambda: subscription.stats().waiting == 350)
        assert len(subscription.batch(1000)) == 350


def test_none_has_come(daemon: Daemon) -> None:
    with subscribed(daemon, "audit") as subscription:
        assert subscription.batch(10, 0) == []
        assert subscription.batch(10, 0.01) == []
        with pytest.raises(ValueError, match="most: 0 is not 1 or more"):
            subscription.batch(0)


def test_the_batch_before_is_acknowledged_as_a_whole(daemon: Daemon) -> None:
    with subscribed(daemon, *SYNC, buffer=10) as subscription:
        audits(daemon, 1, 2, 3)
        wait_until(lambda: subscription.stats().waiting == 3)
        assert usids(subscription.batch(2)) == [1, 2]
        assert daemon.acknowledgements == []
        assert usids(subscription.batch(2)) == [3]
        found = daemon.wait_for_acknowledgements(2, PATIENCE)
        assert [each.id for each in found] == [1, 2]


def test_its_consumer_may_acknowledge(daemon: Daemon) -> None:
    with subscribed(daemon, *SYNC, ack="manual") as subscription:
        audits(daemon, 1, 2)
        for batch in gathered(subscription, 10, 2):
            for event in batch:
                assert event.unacknowledged
                event.ack()
        assert [each.id for each in daemon.wait_for_acknowledgements(2, PATIENCE)] == [1, 2]


@pytest.mark.parametrize("options", [{}, {"buffer": 10}], ids=["", "buffer"])
def test_what_comes_before_the_end_is_given_before_it_is_told(
    daemon: Daemon, options: dict[str, Any]
) -> None:
    with subscribed(daemon, "audit", **options) as subscription:
        audits(daemon, 1, 2)
        daemon.disconnect()
        found = [event for batch in gathered(subscription, 10, 2) for event in batch]
        assert usids(found) == [1, 2]
        for _ in range(2):
            with pytest.raises(EOF):
                subscription.batch(10, PATIENCE)


def test_markers_are_among_them(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", reconnect=QUICK) as subscription:
        audits(daemon, 1)
        daemon.disconnect()
        assert [e.name for b in gathered(subscription, 10, 3) for e in b] == [
            "audit",
            "disconnected",
            "connected",
        ]
