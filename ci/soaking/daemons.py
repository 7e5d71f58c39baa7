"""The daemons' side: what is sent, and what goes wrong."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any, Callable

from confd_events import library
from confd_events.testing import Daemon, Faults, value

from .kinds import KINDS, STREAM

NAMESPACE, EVENT, NUMBER = 100, 101, 102


class Daemons:
    """Three daemons; each of their subscribers gets numbered notifications.

    sent -- notifications by method, times their subscribers, for the daemon that loses nothing
    """

    def __init__(self, rate: float, seed: int) -> None:
        self._rate = rate
        self._random = random.Random(seed)
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []
        product = library()["product"].lower()
        self.exact, self.stream, self.churn = (Daemon(product=product) for _ in range(3))
        self.sent: Counter[str] = Counter()
        self.events = 0
        self.troubles: Counter[str] = Counter()

    @property
    def addresses(self) -> dict[str, tuple[str, int]]:
        """Host and port of each."""
        named = {"exact": self.exact, "stream": self.stream, "churn": self.churn}
        return {
            name: (daemon.address["ip"], daemon.address["port"]) for name, daemon in named.items()
        }

    @contextmanager
    def running(self) -> Iterator[Daemons]:
        """Sends and makes trouble until the block is left."""
        with ExitStack() as stack:
            for daemon in (self.exact, self.stream, self.churn):
                stack.enter_context(daemon)
            self.stream.add_stream(STREAM)
            yield self
            self.end()

    def begin(self) -> None:
        """Starts to send."""
        methods = sorted({kind.method for kind in KINDS.values() if kind.daemon == "exact"})
        rate = self._rate / len(methods)
        for method in methods:
            self._repeat(self._sender(method), rate)
        self._repeat(self._send_event, 50.0)
        self._repeat(self._flood(), 20.0)
        self._repeat(self._interrupt_exact, 0.5)
        self._repeat(self._break_stream, 0.7)
        self._repeat(self._break_churn, 1.0)

    def end(self) -> None:
        """Stops sending and making trouble."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, action: Callable[[], object], rate: float) -> None:
        """Does something so many times a second, in a thread."""

        def run() -> None:
            due = time.monotonic()
            while not self._ending.wait(max(0.0, due - time.monotonic())):
                due = max(due + 1 / rate, time.monotonic() - 1)
                action()

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def _sender(self, method: str) -> Callable[[], None]:
        send = getattr(self.exact, method)
        numbers = count(1)

        def once() -> None:
            self.sent[method] += send(**_fields(method, next(numbers))).count

        return once

    def _send_event(self) -> None:
        self.events += 1
        tag = (NAMESPACE, EVENT)
        values: list[Any] = [
            (*tag, value.XMLBEGIN),
            (NAMESPACE, NUMBER, value.uint32(self.events)),
            (*tag, value.XMLEND),
        ]
        self.stream.stream_event(stream=STREAM, values=values)

    def _flood(self) -> Callable[[], None]:
        numbers = count(1)

        def once() -> None:
            for _ in range(10):
                number = next(numbers)
                self.churn.audit(msg=str(number), usid=number)

        return once

    def _interrupt_exact(self) -> None:
        """Ends a connection after what was sent; sometimes all of them, as a restart does."""
        subscribers = self.exact.subscribers
        if self._random.random() < 0.1:
            self.troubles["daemon restarted"] += 1
            self.exact.disconnect()
        elif subscribers:
            self.troubles["connection closed"] += 1
            self.exact.disconnect(self._random.choice(subscribers))

    def _break_stream(self) -> None:
        """Cuts or resets a connection, and lets the next ones fail in the midst of a frame."""
        cut = self._random.randrange(200, 20_000)
        faults = self._random.choice(
            [
                Faults(),
                Faults(close_after=cut),
                Faults(reset_after=cut),
                Faults(silent_after=cut),
                Faults(byte_pause=0.0),
            ]
        )
        self.troubles["fault in a stream"] += 1
        self.stream.set_faults(faults)
        subscribers = self.stream.subscribers
        if subscribers:
            reset = self._random.random() < 0.5
            self.stream.disconnect(self._random.choice(subscribers), reset=reset)

    def _break_churn(self) -> None:
        subscribers = self.churn.subscribers
        if subscribers:
            self.troubles["connection reset"] += 1
            self.churn.disconnect(self._random.choice(subscribers), reset=True)


def _fields(method: str, number: int) -> dict[str, Any]:
    if method == "ha_noprimary":
        return {"reason": number % 2**31}
    if method == "commit_diff":
        return {"thandle": number % 2**31, "label": str(number)}
    if method == "audit":
        return {"msg": str(number), "usid": number % 2**31}
    return {"msg": str(number)}
