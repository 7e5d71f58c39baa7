"""Reading what a commit changes, against a loop in C that counts the changes.

The daemon, a process of its own, sends all changes at once and takes the answers as they come, so
that what is measured is the reader alone and not the way there and back.
"""

from __future__ import annotations

import ctypes
import importlib
import multiprocessing
import resource
import socket
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Callable, NamedTuple

import confd_events as events
from confd_events import Event, maapi
from confd_events.testing import Atom, Daemon, DataChange, frame_of

from .candidates import vendors_module

_THANDLE = 7
_PATIENCE = 3600.0  # seconds that the daemon waits for the acknowledgement
_Read = Callable[[Event, socket.socket], int]
"""Reads the changes, by the event or by a socket that is attached; returns how many."""


class Row(NamedTuple):
    """How fast the changes were read."""

    candidate: str
    changes: int
    median: float
    """Nanoseconds for a change."""
    ratio: float
    """To the loop in C: the median of the ratios of each round."""
    grown: float
    """MB by which the largest size of the process grew, from the first round to the last."""


def changes_read(
    loops: ctypes.CDLL, path: Path, vendor: str | None, count: int, rounds: int
) -> list[Row]:
    """Read so many changes by each candidate, round by round."""
    readers = _readers(loops, vendor)
    times: dict[str, list[float]] = {name: [] for name in readers}
    grown = dict.fromkeys(readers, 0.0)
    with _daemon(path, count) as pipe, events.subscribe("commit-diff", address=path) as commits:
        pipe.send(None)
        event = next(commits)
        events.load_schemas(path=str(path))
        for number in range(rounds + 1):
            for name, read in readers.items():
                before = _largest()
                took = _timed(read, event, path, count)
                if number:  # the first round warms up
                    times[name].append(took / count)
                    grown[name] += _largest() - before
    first = times[next(iter(readers))]
    return [_row(name, count, spent, first, grown[name]) for name, spent in times.items()]


def _row(
    name: str, count: int, times: Sequence[float], first: Sequence[float], grown: float
) -> Row:
    ratios = [mine / its for mine, its in zip(times, first)]
    return Row(name, count, statistics.median(times), statistics.median(ratios), grown)


def _readers(loops: ctypes.CDLL, vendor: str | None) -> dict[str, _Read]:
    readers: dict[str, _Read] = {
        "C: maapi_diff_iterate()": lambda _, sock: int(
            loops.count_changes(sock.fileno(), _THANDLE)
        ),
        "event.changes()": lambda event, _: sum(1 for _ in event.changes(limit=None)),
        "event.changes(), path as text": lambda event, _: sum(
            1 for change in event.changes(limit=None) if str(change.path)
        ),
        "event.changes(), in a thread": lambda event, _: _in_thread(
            lambda: sum(1 for _ in event.changes(limit=None))
        ),
        "maapi.diff_iterate()": _iterating(maapi.diff_iterate),
        "maapi.diff_iterate(), in a thread": lambda event, sock: _in_thread(
            lambda: _iterating(maapi.diff_iterate)(event, sock)
        ),
    }
    if vendor is not None:
        theirs = vendors_module(vendor, "maapi")
        readers["vendor's diff_iterate()"] = _iterating(theirs.diff_iterate)
    return readers


def _iterating(diff_iterate: Callable[..., Any]) -> _Read:
    def read(event: Event, sock: socket.socket) -> int:
        count = 0

        def note(path: object, op: int, old: object, new: object) -> int:
            nonlocal count
            count += 1
            return maapi.ITER_RECURSE

        diff_iterate(sock, _THANDLE, note, 0)
        return count

    return read


def _in_thread(read: Callable[[], int]) -> int:
    found: list[int] = []
    reader = threading.Thread(target=lambda: found.append(read()))
    reader.start()
    reader.join()
    return found[0]


def _timed(read: _Read, event: Event, path: Path, count: int) -> int:
    """The nanoseconds that it took."""
    with socket.socket(socket.AF_UNIX) as sock:
        maapi.connect(sock, path=path)
        maapi.attach2(sock, 0, 0, _THANDLE)
        started = time.perf_counter_ns()
        found = read(event, sock)
        took = time.perf_counter_ns() - started
    if found != count:
        raise SystemExit(f"bench: {found} of {count} changes were read")
    return took


def _largest() -> float:
    """The largest size that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# The daemon


@contextmanager
def _daemon(path: Path, count: int) -> Iterator[Connection]:
    """A daemon that sends the commit once it is told that there is a subscriber."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(path, count, theirs), daemon=True)
    process.start()
    theirs.close()
    ours.recv()
    try:
        yield ours
    finally:
        ours.close()
        process.join()


def _serve(path: Path, count: int, pipe: Connection) -> None:
    maapi_of_daemon = importlib.import_module("confd_events.testing._maapi")
    maapi_of_daemon.Maapi._iterate = _send_ahead
    changes = [
        DataChange("value-set", f"/ex:servers/server{{s{number}}}/port", number)
        for number in range(count)
    ]
    with Daemon(path=path, event_reply_timeout=_PATIENCE) as daemon:
        pipe.send(None)
        pipe.recv()
        daemon.wait_for_subscribers()
        daemon.commit_diff(thandle=_THANDLE, changes=changes)
        try:
            pipe.recv()
        except EOFError:
            return


_encoded: list[bytes] = []  # in the first round, which warms up


def _send_ahead(session: Any, request: bytes) -> None:
    """In place of a question for each change."""
    changes = session._attached[_THANDLE]
    if not _encoded:
        names = session._daemon.names
        _encoded.append(b"".join(frame_of(change.term(names)) for change in changes))
    writer = threading.Thread(target=session._wire._sock.sendall, args=(_encoded[0],))
    writer.start()
    left = 8 * len(changes)  # of a length and a number for each
    while left:
        taken = len(session._wire._sock.recv(min(left, 1 << 12), socket.MSG_WAITALL))
        if not taken:
            break
        left -= taken
    writer.join()
    session._wire.write(frame_of((Atom("return"),)))
