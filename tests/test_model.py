"""Acknowledgements, by a model: whatever the order of events, errors, losses and closes.

Each notification that the daemon waits for is acknowledged once at most on its connection, and a
subscriber that lives never leaves the daemon waiting.
"""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import NamedTuple

import pytest
from conftest import PRODUCT
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from subscribing import wait_until

from confd_events import Backoff, Connected, Error, Event, Subscription, subscribe
from confd_events.enums import notif
from confd_events.testing import Daemon, Delivery

WHAT = ("audit", "audit-sync", "commit-diff", "ha-info", "ha-info-sync")
PROMPT = Backoff(first=0.001, longest=0.001)
HELD_UP = 10.0  # seconds after which the daemon counts as left waiting


class HandlerError(Exception):
    pass


class Sent(NamedTuple):
    """A notification on its way: its number and kind, who waits for it, and on which connection."""

    number: int
    kind: str
    delivery: Delivery
    subscriber: int


class Acknowledging(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.daemon = Daemon(product=PRODUCT.lower())
        self.daemon.start()
        self.number = 0
        self.deliveries: list[Delivery] = []
        self.pending: list[Sent] = []  # sent to the present subscription and not taken
        self.passed: list[Sent] = []  # taken, and the next was asked for
        self.held: dict[int, tuple[Event, Sent]] = {}  # for manual acknowledgement
        self.current: Sent | None = None
        self.connected = False
        self.subscriber = 0  # the number of the last connection
        self.subscription: Subscription

    @initialize(manual=st.booleans(), buffer=st.none() | st.integers(1, 5))
    def subscribe(self, manual: bool, buffer: int | None) -> None:
        self.manual, self.buffer = manual, buffer
        address = self.daemon.address
        self.subscription = subscribe(
            *map(notif, WHAT),
            address=(address["ip"], address["port"]),
            ack="manual" if manual else "auto",
            buffer=buffer,
            reconnect=PROMPT,
        )
        self.await_subscriber()

    def await_subscriber(self) -> None:
        """Waits until the daemon knows of the present connection."""
        before = self.subscriber
        deadline = time.monotonic() + HELD_UP
        while self.subscriber == before:
            assert time.monotonic() < deadline
            self.subscriber = max((each.id for each in self.daemon.subscribers), default=before)
        self.connected = True

    # With a buffer the connection comes back by itself, and nobody can say whether before the send.
    @precondition(lambda self: self.connected or self.buffer is None)
    @rule(kind=st.sampled_from(["audit", "commit_diff", "ha_noprimary"]))
    def send(self, kind: str) -> None:
        self.number += 1
        numbered = {"audit": "usid", "commit_diff": "thandle", "ha_noprimary": "reason"}[kind]
        delivery: Delivery = getattr(self.daemon, kind)(**{numbered: self.number})
        self.deliveries.append(delivery)
        if delivery.count:
            self.pending.append(Sent(self.number, kind, delivery, self.subscriber))

    @precondition(lambda self: self.pending)
    @rule()
    def take(self) -> None:
        while not self.note(next(self.subscription)):
            pass

    def note(self, event: Event) -> bool:
        """The consumer has an event, so it is done with the one before; False for a marker."""
        if isinstance(event, Connected):
            self.await_subscriber()
        if not event.type:
            return False
        if self.current is not None:
            self.passed.append(self.current)
        self.current = self.pending.pop(0)
        assert number_of(event) == self.current.number
        if self.manual:
            self.held[self.current.number] = event, self.current
        return True

    @precondition(lambda self: self.pending)
    @rule()
    def fail_in_the_handler(self) -> None:
        with pytest.raises(HandlerError):  # noqa: PT012, the loop is what is tested
            for event in self.subscription:
                if self.note(event):
                    raise HandlerError
        self.leave_the_loop()

    def leave_the_loop(self) -> None:
        """A loop that is left is done with its event."""
        if not self.manual and self.current is not None:
            self.current.delivery.wait(HELD_UP)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.held)))
        event, sent = self.held.pop(number)
        waits = self.connected and event.unacknowledged  # on the connection that is there
        with self.settling(sent), nullcontext() if waits else suppress(Error):
            assert event.ack() or not waits
        with suppress(Error):  # that its connection was lost
            assert not event.ack()

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.held)))
        event, sent = self.held.pop(number)
        with self.settling(sent), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # that it was forgotten
            del event

    @contextmanager
    def settling(self, sent: Sent) -> Iterator[None]:
        """A block after which the daemon does not wait for what it sent."""
        before = self.count_ha()
        yield
        if sent.kind != "ha_noprimary":
            sent.delivery.wait(HELD_UP)
        elif self.connected and sent.subscriber == self.subscriber:
            # These acknowledgements have no number: each settles the oldest that is left.
            wait_until(lambda: self.count_ha() > before)
            assert self.count_ha() == before + 1

    def count_ha(self) -> int:
        return sum(ack.kind == "ha" for ack in self.daemon.acknowledgements)

    @precondition(lambda self: self.connected)
    @rule()
    def lose_the_connection(self) -> None:
        self.daemon.disconnect()
        self.connected = False

    @precondition(lambda self: not self.connected)
    @rule()
    def come_back(self) -> None:
        while not self.connected:
            self.note(next(self.subscription))

    @rule()
    def close_and_subscribe_again(self) -> None:
        self.close()
        self.subscribe(self.manual, self.buffer)

    def close(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # that events are not acknowledged
            with self.subscription:
                self.subscription.close()
            self.held.clear()
        for delivery in self.deliveries:
            delivery.wait(HELD_UP)
        self.pending.clear()
        self.passed.clear()
        self.current = None

    @invariant()
    def acknowledged_once(self) -> None:
        received = [ack for ack in self.daemon.acknowledgements if ack.kind != "ha"]
        assert [ack for ack, count in Counter(received).items() if count > 1] == []

    @invariant()
    def nobody_waits_for_what_is_passed(self) -> None:
        if not getattr(self, "manual", True):
            for sent in self.passed:
                sent.delivery.wait(HELD_UP)

    def teardown(self) -> None:
        if hasattr(self, "subscription"):
            self.close()
        assert self.count_ha() <= self.number
        self.daemon.stop()


def number_of(event: Event) -> int:
    payload = event.payload
    if "tctx" in payload:
        return int(payload["tctx"].th)
    return int(payload["usid"] if "usid" in payload else payload["noprimary"])


TestAcknowledging = Acknowledging.TestCase
TestAcknowledging.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # each step takes its time: do not shrink
    suppress_health_check=list(HealthCheck),
)
