"""The ways to read that are compared. Each reads so many notifications and drops them."""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import select
import socket
import sys
import time
from typing import Any, Callable, NamedTuple

import confd_events as events
from confd_events.subscription._connection import Connection

from .ctypes_binding import Binding
from .loads import LOADS
from .sender import Job, Sender

Run = Callable[[Sender, Job], int]
"""Reads the job's notifications from the sender; returns the nanoseconds that it took."""


class Candidate(NamedTuple):
    """One row of the table."""

    name: str
    run: Run
    loads: tuple[str, ...] = ()
    """The only loads that it can read; empty for all."""


def candidates(loops: ctypes.CDLL, vendor: str | None = None) -> list[Candidate]:
    """All rows; the ratios are to the first.

    vendor -- where the vendor's Python modules are, for a row of theirs
    """
    rows = [
        Candidate("C: poll, read, free", _on_socket(_c_loop(loops.poll_and_read))),
        Candidate("C: read, free", _on_socket(_c_loop(loops.read_only))),
        Candidate("read_notification()", _on_socket(_one_by_one(events.read_notification))),
        Candidate("read_notifications()", _on_socket(_in_bursts)),
        Candidate("for event in subscription", _iterate(), _EVENTS),
        Candidate("for event ..., buffer=1000", _iterate(buffer=1000), _EVENTS),
        Candidate("async for event", _iterate_async, _EVENTS),
        Candidate("ctypes", _on_socket(_one_by_one(Binding(loops).read_notification)), _SIMPLE),
    ]
    if vendor is not None:
        rows.append(Candidate("vendor's, select and read", _on_socket(_vendors(vendor))))
    return rows


# To a subscription, heartbeats are no events unless it asked for them.
_EVENTS = tuple(load for load in LOADS if load != "heartbeat")
_SIMPLE = ("audit", "commit")


def _on_socket(read: Callable[[socket.socket, int], None]) -> Run:
    """The clock runs from when the first notification is there to when the last has been read."""

    def run(sender: Sender, job: Job) -> int:
        with sender.connected(job) as sock:
            _await_first(sock)
            started = time.perf_counter_ns()
            read(sock, job.total)
            return time.perf_counter_ns() - started

    return run


def _await_first(connection: socket.socket | Connection | None) -> None:
    assert connection is not None
    select.select([connection], [], [])


def _c_loop(loop: Callable[[int, int], int]) -> Callable[[socket.socket, int], None]:
    def read(sock: socket.socket, count: int) -> None:
        if loop(sock.fileno(), count) != count:
            raise RuntimeError("the loop in C ended early")

    return read


def _one_by_one(read_one: Callable[[socket.socket], Any]) -> Callable[[socket.socket, int], None]:
    def read(sock: socket.socket, count: int) -> None:
        for _ in range(count):
            read_one(sock)

    return read


def _vendors(directory: str) -> Callable[[socket.socket, int], None]:
    """The loop that the vendor's documentation shows."""
    theirs = vendors_module(directory, "events")

    def read(sock: socket.socket, count: int) -> None:
        for _ in range(count):
            select.select([sock], [], [])
            theirs.read_notification(sock)

    return read


def vendors_module(directory: str, name: str) -> Any:
    """One of the vendor's Python modules, which are in a directory."""
    module = f"_{events.library()['product'].lower()}"
    sys.path.append(directory)
    try:
        return importlib.import_module(f"{module}.{name}")
    except ImportError as error:
        trouble = f"{module} can't be imported: {error}"
        raise SystemExit(f"bench: --vendor {directory}: {trouble}") from None


def _in_bursts(sock: socket.socket, count: int) -> None:
    read = 0
    while read < count:
        read += len(events.read_notifications(sock))


def _iterate(**options: Any) -> Run:
    def run(sender: Sender, job: Job) -> int:
        sender.expect(job)
        with events.subscribe("audit", address=sender.path, **options) as subscription:
            left = job.total
            if not options:  # with a buffer, a thread reads already
                _await_first(subscription._reader.connection)
            started = time.perf_counter_ns()
            for _event in subscription:
                left -= 1
                if not left:
                    break
            return time.perf_counter_ns() - started

    return run


def _iterate_async(sender: Sender, job: Job) -> int:
    async def iterate() -> int:
        sender.expect(job)
        async with events.subscribe_async("audit", address=sender.path) as subscription:
            left = job.total
            _await_first(subscription._reader.connection)
            started = time.perf_counter_ns()
            async for _event in subscription:
                left -= 1
                if not left:
                    break
            return time.perf_counter_ns() - started

    return asyncio.run(iterate())
