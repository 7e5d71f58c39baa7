"""Connections to servers that take bytes: over UDP, TCP or TLS."""

from __future__ import annotations

import fcntl
import select
import socket
import ssl
import struct
import termios
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ._tls import tls_context

if TYPE_CHECKING:
    from .._config import Table

_SHORTEST_LOOK, _LONGEST_LOOK = 0.0005, 0.05  # seconds between looks at what TCP has delivered
_CHUNK = 65536


class Endpoint:
    """Where a server is, and how to speak to it; makes connections."""

    def __init__(self, table: Table, ports: Mapping[str, int | None], secure: str) -> None:
        """Reads the keys url, timeout, and those of TLS.

        ports -- by scheme of the url; None where the url has to name one
        secure -- the scheme that means TLS
        """
        self.scheme, self.host, self.port = _address(table, ports)
        self._timeout = table.seconds("timeout", 10.0) or 0.0
        self._context = tls_context(table, self.scheme == secure, f"{secure}://")
        name, check = table.optional_text("server_name"), table.flag("check_name", default=True)
        if self._context is None:
            for key in ("server_name", "check_name"):
                if key in table:
                    raise table.error(key, f"is for {secure}://")
        elif not check:
            self._context.check_hostname = False
        self._server_name = name or self.host

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def connect(self) -> Connection:
        """Connects to it; ConnectionError says where that failed, and why."""
        try:
            sock = socket.create_connection((self.host, self.port), self._timeout)
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                if self._context is not None:
                    sock = self._context.wrap_socket(sock, server_hostname=self._server_name)
            except BaseException:
                sock.close()
                raise
        except OSError as error:
            raise self.error(error) from None
        return Connection(self, sock, self._timeout)

    def datagrams(self) -> socket.socket:
        """A socket that sends datagrams to it; ConnectionError if it has no address."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)
            family, kind, protocol, _, address = found[0]
            sock = socket.socket(family, kind, protocol)
            try:
                sock.connect(address)
            except BaseException:
                sock.close()
                raise
        except OSError as error:
            raise self.error(error) from None
        sock.settimeout(self._timeout)
        return sock

    def error(self, reason: object) -> ConnectionError:
        """An error that says where it is."""
        return ConnectionError(f"{self}: {reason}")


class Connection:
    """A stream of bytes in both directions. Its methods raise ConnectionError when it is lost."""

    def __init__(self, endpoint: Endpoint, sock: socket.socket, timeout: float) -> None:
        self._endpoint = endpoint
        self._socket = sock
        self._timeout = timeout

    def send(self, data: bytes) -> None:
        """Hands bytes to TCP."""
        try:
            self._socket.sendall(data)
        except socket.timeout:
            raise self._took_nothing() from None
        except OSError as error:
            raise self._endpoint.error(error) from None

    def receive(self) -> bytes:
        """What comes next; waits for it."""
        try:
            # A server that waits for it, by Nagle's algorithm, would keep its answers for 40 ms.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            data = self._socket.recv(_CHUNK)
        except socket.timeout:
            raise self._endpoint.error(f"no answer within {self._timeout:g} s") from None
        except OSError as error:
            raise self._endpoint.error(error) from None
        if not data:
            raise self._lost()
        return data

    def arrived(self, within: float = 0.0) -> bytes:
        """What has come unasked, or comes within so many seconds; empty when nothing does."""
        end = time.monotonic() + within
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        self._socket.settimeout(0.0)
        try:
            while True:
                try:
                    data = self._socket.recv(_CHUNK)
                except (BlockingIOError, ssl.SSLWantReadError):
                    left = end - time.monotonic()
                    if left <= 0:
                        return b""
                    poll.poll(1000 * left)
                    continue
                if not data:
                    raise self._lost()
                return data
        except ConnectionError:
            raise self._lost() from None
        except OSError as error:
            raise self._endpoint.error(error) from None
        finally:
            self._socket.settimeout(self._timeout)

    def flush(self) -> None:
        """Waits until the server's host, which may be gone, has taken what was sent."""
        end = time.monotonic() + self._timeout
        pause = _SHORTEST_LOOK
        while self._under_way():
            self.arrived()
            if time.monotonic() >= end:
                raise self._took_nothing()
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_LOOK)
        self.arrived()

    def close(self) -> None:
        """Closes it."""
        self._socket.close()

    def _lost(self) -> ConnectionError:
        return self._endpoint.error("the server has closed the connection")

    def _took_nothing(self) -> ConnectionError:
        return self._endpoint.error(f"took nothing within {self._timeout:g} s")

    def _under_way(self) -> int:
        """Bytes that the other host has not acknowledged yet (SIOCOUTQ)."""
        got = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
        return int(struct.unpack("i", got)[0])


def _address(table: Table, ports: Mapping[str, int | None]) -> tuple[str, str, int]:
    """Scheme, host and port of the url in a table."""
    url = table.text("url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise table.error("url", str(error)) from error
    if parts.username is not None or parts.password is not None:
        raise table.error("url", "has a user or a password, which this protocol does not know")
    rest = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in ports or not parts.hostname or rest:
        expected = " or ".join(f"{scheme}://host:port" for scheme in ports)
        raise table.error("url", f"{url!r} is not as {expected}")
    port = ports[parts.scheme] if port is None else port
    if not port:
        raise table.error("url", f"{url!r} names no port")
    return parts.scheme, parts.hostname, port
