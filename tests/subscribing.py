"""What the tests of subscriptions share."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Callable, TypeVar

import pytest

import confd_events as events
from confd_events import Backoff, Event, Subscription, subscribe
from confd_events.testing import Daemon, DaemonProcess, frame_of

T = TypeVar("T")

PATIENCE = 30.0  # seconds after which a test fails instead of hanging
QUICK = Backoff(first=0.01, longest=0.05)
NEVER = Backoff(first=3600, longest=3600, jitter=0)
HANDSHAKE = 9 + 10  # bytes: the version reply, and the frame with the atom ok


# A notification of a bit that no library has.
POISON = frame_of((1 << 50,))


@pytest.fixture
def brief_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is told by intervals as short as the simulated daemon's, which keeps them."""
    monkeypatch.setattr("confd_events.subscription._request._SHORTEST", 1)


def where(daemon: Daemon | DaemonProcess) -> Any:
    """A daemon's address, as subscribe() takes it."""
    address = daemon.address
    return address.get("path") or (address["ip"], address["port"])


def subscribed(daemon: Daemon | DaemonProcess, *what: Any, **options: Any) -> Subscription:
    """A subscription to the daemon."""
    return subscribe(*what, address=where(daemon), **options)


def usids(got: list[Event]) -> list[Any]:
    """The user session ids of audit events; the name of any other event."""
    return [event["usid"] if event.type == events.NOTIF_AUDIT else event.name for event in got]


def wait_until(condition: Callable[[], object]) -> None:
    """Fails when the condition does not come true."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.002)


def in_thread(function: Callable[[], T]) -> Future[T]:
    """The result of a function, called in a thread; result() is to be given PATIENCE."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="test", daemon=True).start()
    return future


def own_threads() -> list[str]:
    """The package's threads that are there."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("confd-events")]


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@contextmanager
def alarm(handler: Callable[[], object]) -> Iterator[Callable[[], object]]:
    """A function that has a signal call the handler in a moment, and once more a second later.

    The second is for a signal that came just before what it is to interrupt.
    """
    before = signal.signal(signal.SIGALRM, lambda *_: handler())
    try:
        yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.1, 1.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run_program(
    program: str, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs Python text in a process of its own, with variables added to its environment."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )


class Relay:
    """A connection to a daemon through this test, which says what comes of the daemon's bytes.

    Those of the handshake go through; then the client gets what send() says.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self._sockets: list[socket.socket] = []
        self._client: Future[socket.socket] = in_thread(self._accept)

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in [self._listener, *self._sockets]:
            sock.close()

    def send(self, data: bytes) -> None:
        """Sends bytes to the client."""
        self._client.result(PATIENCE).sendall(data)

    def _accept(self) -> socket.socket:
        client, _ = self._listener.accept()
        server = socket.create_connection(
            (self._daemon.address["ip"], self._daemon.address["port"])
        )
        self._sockets += [client, server]
        in_thread(lambda: _copy(client, server))
        left = HANDSHAKE
        while left and (data := server.recv(left)):
            client.sendall(data)
            left -= len(data)
        return client


def _copy(source: socket.socket, target: socket.socket) -> None:
    while data := source.recv(1000):
        target.sendall(data)
