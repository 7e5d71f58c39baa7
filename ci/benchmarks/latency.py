"""From the daemon's write to the first line of the program that handles the event."""

from __future__ import annotations

import asyncio
import ctypes
import statistics
import time
from typing import Callable, NamedTuple

import confd_events as events

from .loads import LOADS, variants
from .sender import Job, Sender

PAUSE = 0.001


class Latency(NamedTuple):
    """In microseconds."""

    candidate: str
    median: float
    p99: float


Times = Callable[[Sender, int], list[int]]


def latencies(sender: Sender, loops: ctypes.CDLL, count: int) -> list[Latency]:
    """Single events at 1,000 a second."""
    ways: dict[str, Times] = {
        "C: poll, read, free": lambda sender, count: _c_times(sender, loops, count),
        "read_notification()": _blocking_times,
        "for event in subscription": _iterator_times,
        "async for event": lambda sender, count: asyncio.run(_async_times(sender, count)),
    }
    return [_latency(sender, name, way, count) for name, way in ways.items()]


def _latency(sender: Sender, name: str, way: Times, count: int) -> Latency:
    sender.expect(Job(variants(LOADS["audit"]), count, PAUSE))
    seen = way(sender, count)
    delays = sorted((there - sent) / 1000 for sent, there in zip(sender.sent_at(), seen))
    return Latency(name, statistics.median(delays), delays[int(len(delays) * 0.99)])


def _c_times(sender: Sender, loops: ctypes.CDLL, count: int) -> list[int]:
    times = (ctypes.c_long * count)()
    with sender.connection() as sock:
        loops.note_times(sock.fileno(), count, times)
    return list(times)


def _blocking_times(sender: Sender, count: int) -> list[int]:
    times = []
    with sender.connection() as sock:
        for _ in range(count):
            events.read_notification(sock)
            times.append(time.monotonic_ns())
    return times


def _iterator_times(sender: Sender, count: int) -> list[int]:
    times: list[int] = []
    with events.subscribe("audit", address=sender.path) as subscription:
        for _event in subscription:
            times.append(time.monotonic_ns())
            if len(times) == count:
                break
    return times


async def _async_times(sender: Sender, count: int) -> list[int]:
    times: list[int] = []
    async with events.subscribe_async("audit", address=sender.path) as subscription:
        async for _event in subscription:
            times.append(time.monotonic_ns())
            if len(times) == count:
                break
    return times
