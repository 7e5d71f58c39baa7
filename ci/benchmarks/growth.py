"""How the cost of an event grows: with events, tags, devices, and subscriptions."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import confd_events as events

from .candidates import Run
from .loads import LOADS, audit, commit_queue, stream, variants
from .sender import Job, Sender


class Growth(NamedTuple):
    """The cost of one event of a size."""

    of: str
    size: int
    ns: float
    """For an event, or for a tag or device of it."""


def grown(sender: Sender, run: Run, most: int, subscriptions: int) -> list[Growth]:
    """Sizes from 10 up to the most, by powers of ten."""
    sizes = [10**n for n in range(1, 6) if 10**n <= most]
    parts = {"tags": stream, "devices": commit_queue}
    if "commit queue" not in LOADS:
        del parts["devices"]
    return [
        *(_by_events(sender, run, 100 * size) for size in sizes),
        *(
            _by_size(sender, run, of, size, make(0, size), most // size)
            for of, make in parts.items()
            for size in sizes
        ),
        *(_by_subscriptions(sender, n, 10 * most) for n in (1, subscriptions)),
    ]


def _by_events(sender: Sender, run: Run, count: int) -> Growth:
    return Growth("events", count, run(sender, Job(variants(audit), count)) / count)


def _by_size(sender: Sender, run: Run, of: str, size: int, frame: bytes, count: int) -> Growth:
    count = max(10, 10 * count)
    return Growth(of, size, run(sender, Job((frame,), count)) / count / size)


def _by_subscriptions(sender: Sender, subscriptions: int, count: int) -> Growth:
    """So many in one process, one thread for each, events for all of them counted."""
    job = Job(variants(audit), count)
    with ExitStack() as stack:
        sockets = [stack.enter_context(sender.connected(job)) for _ in range(subscriptions)]
        threads = [threading.Thread(target=partial(_read, sock, count)) for sock in sockets]
        started = time.perf_counter_ns()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent = time.perf_counter_ns() - started
    return Growth("subscriptions", subscriptions, spent / count / subscriptions)


def _read(sock: socket.socket, count: int) -> None:
    while count:
        count -= len(events.read_notifications(sock, min(1000, count)))
