"""The subscribers' side: one process with subscribers of all kinds, which keep count.

It is given the daemons' addresses as JSON, prints a line of JSON now and then, and ends when its
standard input does.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import queue
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Callable

import confd_events as events
from confd_events import Backoff, BufferFull, Event, subscribe, subscribe_async

from .kinds import HEARTBEAT, KINDS, STREAM
from .tally import Tally

PATIENT = Backoff(first=0.02, longest=0.5)
INTERVAL = 5.0  # seconds between samples

ending = threading.Event()
_closers: set[Callable[[], object]] = set()


@contextmanager
def closed_at_the_end(close: Callable[[], object]) -> Iterator[None]:
    """Lets end() call a function while the block runs."""
    _closers.add(close)
    try:
        if ending.is_set():
            close()
        yield
    finally:
        _closers.discard(close)


def end() -> None:
    """Makes all subscribers return."""
    ending.set()
    for close in list(_closers):
        with suppress(OSError):
            close()


class Subscribers:
    """All of them; each runs until `ending`."""

    def __init__(self, addresses: dict[str, tuple[str, int]]) -> None:
        self._addresses = addresses
        self.tallies = {name: Tally(name) for name in KINDS}

    def options(self, name: str) -> dict[str, Any]:
        """What subscribe() takes for one of the kinds."""
        kind = KINDS[name]
        options: dict[str, Any] = {"address": tuple(self._addresses[kind.daemon])}
        if kind.daemon == "stream":
            options.update(stream=STREAM, heartbeat=HEARTBEAT)
        if kind.daemon != "churn":
            options.update(reconnect=PATIENT)
        return options

    # By the functions

    def low_level(self, name: str, read: Callable[[socket.socket], list[Any]]) -> None:
        """Reads by a function, and connects again by hand."""
        tally = self.tallies[name]
        ip, port = self._addresses["exact"]
        mask = KINDS[name].what[0]
        while not ending.is_set():
            with socket.socket() as sock, suppress(events.Error):
                events.notifications_connect(sock, mask, ip, port)
                tally.gap()
                with closed_at_the_end(partial(sock.shutdown, socket.SHUT_RDWR)):
                    while True:
                        for notification in read(sock):
                            tally.take(notification)
            ending.wait(0.02)

    # Blocking subscriptions

    def follow(self, name: str, pause: float = 0.0, **options: Any) -> None:
        """Iterates; pauses now and then, as a slow handler does."""
        tally = self.tallies[name]
        subscription = subscribe(*KINDS[name].what, **self.options(name), **options)
        with closed_at_the_end(subscription.close), subscription, tally.of(subscription):
            for event in subscription:
                tally.handle(event)
                if pause and random.random() < 0.02:
                    time.sleep(pause)

    def acknowledge_elsewhere(self, name: str) -> None:
        """Leaves the acknowledgement to another thread."""
        tally, handed = self.tallies[name], queue.SimpleQueue[Event]()

        def acknowledge() -> None:
            while True:
                with suppress(events.Error):
                    handed.get().ack()

        threading.Thread(target=acknowledge, daemon=True).start()
        options = self.options(name)
        subscription = subscribe(*KINDS[name].what, **options, ack="manual", buffer=100)
        with closed_at_the_end(subscription.close), subscription, tally.of(subscription):
            for event in subscription:
                tally.handle(event)
                handed.put(event)

    def close_again_and_again(self, name: str) -> None:
        """Subscribes for a short time; another thread closes."""
        tally = self.tallies[name]
        while not ending.is_set():
            tally.gap()
            with suppress(events.Error):
                subscription = subscribe(*KINDS[name].what, **self.options(name))
                closer = threading.Timer(random.uniform(0, 0.5), subscription.close)
                closer.start()
                with subscription, tally.of(subscription):
                    for event in subscription:
                        tally.handle(event)
                closer.join()

    def overflow(self, name: str) -> None:
        """Is too slow for its buffer, again and again."""
        tally = self.tallies[name]
        options = {**self.options(name), "buffer": 20, "when_full": "raise"}
        while not ending.is_set():
            tally.gap()
            with suppress(events.Error, BufferFull):
                subscription = subscribe(*KINDS[name].what, **options)
                with closed_at_the_end(subscription.close), subscription, tally.of(subscription):
                    for event in subscription:
                        tally.handle(event)
                        time.sleep(0.01)

    # For asyncio

    async def follow_async(self, name: str, **options: Any) -> None:
        """Iterates."""
        tally = self.tallies[name]
        subscription = subscribe_async(*KINDS[name].what, **self.options(name), **options)
        async with subscription:
            with closed_at_the_end(subscription.close), tally.of(subscription):
                async for event in subscription:
                    tally.handle(event)

    async def cancel_again_and_again(self, name: str) -> None:
        """Iterates for a short time and is cancelled."""
        tally = self.tallies[name]
        while not ending.is_set():
            tally.gap()
            with suppress(events.Error, asyncio.TimeoutError):
                await asyncio.wait_for(self._take_async(name), random.uniform(0, 0.5))

    async def _take_async(self, name: str) -> None:
        tally = self.tallies[name]
        subscription = subscribe_async(*KINDS[name].what, **self.options(name))
        async with subscription:
            with tally.of(subscription):
                async for event in subscription:
                    tally.handle(event)

    async def all_async(self) -> None:
        """Those that share an event loop."""
        await asyncio.gather(
            self.follow_async("asyncio"),
            self.follow_async("asyncio, buffer", buffer=200),
            self.follow_async("stream, replay, asyncio"),
            self.cancel_again_and_again("asyncio, cancelled"),
        )

    def start(self) -> list[threading.Thread]:
        """All but one, which is for the main thread."""
        one: Callable[..., list[Any]] = lambda sock: [events.read_notification(sock)]  # noqa: E731
        targets: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = [
            (self.low_level, ("read_notification", one), {}),
            (self.low_level, ("read_notifications", events.read_notifications), {}),
            (self.follow, ("iterator, commit-diff",), {}),
            (self.follow, ("buffer, wait", 0.2), {"buffer": 500}),
            (
                self.follow,
                ("buffer, drop-oldest", 0.5),
                {"buffer": 10, "when_full": "drop-oldest"},
            ),
            (self.follow, ("stream, replay",), {}),
            (self.acknowledge_elsewhere, ("manual, ha-info-sync",), {}),
            (self.close_again_and_again, ("closed by a thread",), {}),
            (self.overflow, ("buffer, raise",), {}),
            (lambda: asyncio.run(self.all_async()), (), {}),
        ]
        threads = [
            threading.Thread(target=target, args=arguments, kwargs=options)
            for target, arguments, options in targets
        ]
        for thread in threads:
            thread.start()
        return threads


def sample(subscribers: Subscribers) -> dict[str, Any]:
    """What the process holds at the moment, and all counts."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "rss": pages * os.sysconf("SC_PAGE_SIZE"),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "tallies": {name: tally.report() for name, tally in subscribers.tallies.items()},
    }


def report(subscribers: Subscribers) -> None:
    """Prints samples until the end."""
    while True:
        print(json.dumps(sample(subscribers)), flush=True)
        if ending.wait(INTERVAL):
            return


def collect_garbage() -> None:
    """Keeps the garbage collector busy."""
    while not ending.wait(0.1):
        gc.collect()


def end_with_the_input() -> None:
    """Ends when the parent process says so, or is gone."""
    sys.stdin.read()
    end()


def main() -> None:
    subscribers = Subscribers(json.loads(sys.argv[1]))
    threads = subscribers.start()
    for target in (partial(report, subscribers), collect_garbage):
        threads.append(threading.Thread(target=target))
        threads[-1].start()
    # Signals interrupt the main thread alone: it reads, too.
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    threading.Thread(target=end_with_the_input, daemon=True).start()
    subscribers.follow("iterator, audit-sync")
    signal.setitimer(signal.ITIMER_REAL, 0)
    for thread in threads:
        thread.join()
    print(json.dumps(sample(subscribers)), flush=True)


if __name__ == "__main__":
    main()
