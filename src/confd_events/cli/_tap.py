"""Frames on their way from the daemon to libconfd: a relay between the two that shows each."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory
from typing import Any

_LENGTH = 4  # bytes of a frame's length
_HELLO = 9  # bytes of the daemon's answer to a client's first message
# Of the first byte of a client that has a secret, and what the daemon asks it before the hello: an
# id, the challenge, and afterwards whether the answer was right.
_CHALLENGES = {0x8B: 1 + 16 + 1, 0xCB: 1 + 32 + 1}
_GRACE = 1.0  # seconds for a daemon to hang up when libconfd has

See = Callable[[bytes], None]


@contextmanager
def tapped(where: Mapping[str, Any], see: See) -> Iterator[str]:
    """The path of a UNIX socket that leads to the daemon.

    where -- the daemon's address, as notifications_connect() takes it
    see -- gets each frame of a notification, its length included, before libconfd does; an OSError
        that it raises ends the connection

    Raises OSError when the daemon can't be reached.
    """
    with TemporaryDirectory(prefix="confd-events-") as directory:
        path = os.path.join(directory, "ipc")
        relay = _Relay(path, where, see)
        try:
            yield path
        finally:
            relay.stop()


class _Relay:
    """Serves libconfd's connections, one after another: it connects again when one is lost."""

    def __init__(self, path: str, where: Mapping[str, Any], see: See) -> None:
        self._where = where
        self._see = see
        # Now, so that an error of connecting is the daemon's, and tells its address.
        self._next: socket.socket | None = _connected(where)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._open: tuple[socket.socket, ...] = ()
        self._over = False
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def stop(self) -> None:
        """Ends all connections; what libconfd has sent last, still arrives."""
        self._over = True
        _shut_down(self._listener)
        self._accepting.join(_GRACE)
        _shut_down(*self._open)
        self._accepting.join()
        self._listener.close()
        if self._next is not None:
            self._next.close()

    def _accept(self) -> None:
        while not self._over:
            with suppress(OSError):
                client, _ = self._listener.accept()
                with client, self._daemon() as daemon:
                    self._open = (client, daemon)
                    if not self._over:
                        _relay(client, daemon, self._see)

    def _daemon(self) -> socket.socket:
        daemon, self._next = self._next, None
        return daemon or _connected(self._where)


def _connected(where: Mapping[str, Any]) -> socket.socket:
    if "path" in where:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(where["path"])
        except OSError:
            sock.close()
            raise
        return sock
    return socket.create_connection((where["ip"], where["port"]))


def _shut_down(*sockets: socket.socket) -> None:
    for sock in sockets:
        with suppress(OSError):  # closed, or not connected any more
            sock.shutdown(socket.SHUT_RDWR)


def _relay(client: socket.socket, daemon: socket.socket, see: See) -> None:
    first = client.recv(1, socket.MSG_PEEK)
    back = threading.Thread(target=_copy, args=(client, daemon), daemon=True)
    back.start()
    try:
        _pass_on(daemon, client, _CHALLENGES.get(first[0] if first else 0, 0) + _HELLO, see)
    finally:
        _shut_down(client, daemon)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _pass_on(daemon: socket.socket, client: socket.socket, greeting: int, see: See) -> None:
    """Passes on the greeting as it comes, then the answer to the subscription, then frames."""
    while greeting:
        data = daemon.recv(greeting)
        if not data:
            return
        client.sendall(data)
        greeting -= len(data)
    answered = False
    for frame in _frames(daemon):
        if answered:
            see(frame)
        answered = True
        client.sendall(frame)


def _frames(sock: socket.socket) -> Iterator[bytes]:
    """Whole frames, as long as they come."""
    buffer = bytearray()
    while data := sock.recv(65536):
        buffer += data
        while len(buffer) >= _LENGTH:
            size = _LENGTH + int.from_bytes(buffer[:_LENGTH], "big")
            if len(buffer) < size:
                break
            yield bytes(buffer[:size])
            del buffer[:size]
