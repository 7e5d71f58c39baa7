"""A daemon, in a process of its own, that sends frames as fast as they are read."""

from __future__ import annotations

import multiprocessing
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import confd_events as events
from confd_events.testing import Atom, frame_of

_VERSION_REPLY = struct.pack(">BHIBB", 0, 82, 0x08020500, 60, 18)
_CHUNK = 256 * 1024


class Job(NamedTuple):
    """What the next client gets."""

    frames: tuple[bytes, ...]
    """Sent one after another, again and again."""
    total: int
    """How many in all."""
    pause: float = 0.0
    """Seconds from one frame to the next; 0 for no pause: many frames in one write."""


class Sender:
    """The other process, at path."""

    def __init__(self, path: str, pipe: Connection) -> None:
        self.path = path
        self._pipe = pipe

    @contextmanager
    def connected(self, job: Job) -> Iterator[socket.socket]:
        """A socket, subscribed, at which the job's notifications arrive."""
        self.expect(job)
        with self.connection() as sock:
            yield sock

    @contextmanager
    def connection(self) -> Iterator[socket.socket]:
        """A socket, subscribed, for the job that was told before."""
        with socket.socket(socket.AF_UNIX) as sock:
            events.notifications_connect(sock, events.NOTIF_AUDIT, path=self.path)
            yield sock

    def expect(self, job: Job) -> None:
        """The client that connects next gets this job."""
        self._pipe.send(job)

    def sent_at(self) -> list[int]:
        """When each frame of the last job with a pause was written, in monotonic nanoseconds."""
        times: list[int] = self._pipe.recv()
        return times


@contextmanager
def running_sender() -> Iterator[Sender]:
    """Start the process, and end it at last."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "daemon")
        process = context.Process(target=_serve, args=(path, theirs), daemon=True)
        process.start()
        theirs.close()
        ours.recv()
        try:
            yield Sender(path, ours)
        finally:
            ours.close()
            process.join()


def _serve(path: str, pipe: Connection) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        pipe.send("listening")
        while True:
            try:
                job = pipe.recv()
            except EOFError:
                return
            client, _ = listener.accept()
            threading.Thread(target=_serve_client, args=(client, job, pipe)).start()


def _serve_client(client: socket.socket, job: Job, pipe: Connection) -> None:
    with client, suppress(OSError):  # the client may have had enough
        shake_hands(client)
        if job.pause:
            pipe.send(_trickle(client, job))
        else:
            _blast(client, job)
        client.recv(1)  # until the client has closed


def shake_hands(client: socket.socket) -> None:
    """Answer a client that connects and subscribes, whatever to."""
    client.recv(len(_VERSION_REPLY), socket.MSG_WAITALL)
    client.sendall(_VERSION_REPLY)
    length = client.recv(4, socket.MSG_WAITALL)
    client.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
    client.sendall(frame_of(Atom("ok")))


def _blast(client: socket.socket, job: Job) -> None:
    cycle = b"".join(job.frames)
    cycles = max(1, _CHUNK // len(cycle))
    chunk = cycle * cycles
    chunks, rest = divmod(job.total, cycles * len(job.frames))
    for _ in range(chunks):
        client.sendall(chunk)
    whole, part = divmod(rest, len(job.frames))
    client.sendall(cycle * whole + b"".join(job.frames[:part]))


def _trickle(client: socket.socket, job: Job) -> list[int]:
    times = []
    due = time.monotonic()
    for n in range(job.total):
        due += job.pause
        time.sleep(max(0.0, due - time.monotonic()))
        times.append(time.monotonic_ns())
        client.sendall(job.frames[n % len(job.frames)])
    return times
