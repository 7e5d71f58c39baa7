"""A syslog server, over UDP, TCP or TLS."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._errors import RefusedError
from ._connection import Connection, Endpoint
from ._messages import Messages

if TYPE_CHECKING:
    from .._config import Table
    from .._record import Record

_PORTS = {"udp": 514, "tcp": 514, "tls": 6514}
_DATAGRAM = 65507  # bytes that fit into one over IPv4
# What RFC 5426 wants every server to take, and what rsyslog takes unless it is told otherwise.
_MOST = {"udp": 2048, "tcp": 8000, "tls": 8000}
_VERDICT = 0.5  # seconds for a server to close a connection that it does not want


class SyslogSink:
    """Sends messages, which no server acknowledges.

    A connection that the server has closed is noticed before a batch, and what its host has not
    taken is sent again.
    """

    def __init__(self, table: Table) -> None:
        self._endpoint = Endpoint(table, _PORTS, "tls")
        self._messages = Messages(table, _MOST[self._endpoint.scheme])
        self._by_datagrams = self._endpoint.scheme == "udp"
        if self._by_datagrams and self._messages.most > _DATAGRAM:
            raise table.error("max_size", f"a datagram has at most {_DATAGRAM} bytes")
        self._socket: socket.socket | None = None
        self._connection: Connection | None = None

    def open(self) -> None:
        """Connects."""
        if self._by_datagrams:
            self._socket = self._endpoint.datagrams()
            return
        self._connection = self._endpoint.connect()
        try:
            # A server may check who we are, and an intermediate its server, after it has accepted.
            self._connection.arrived(_VERDICT)
        except BaseException:
            self.close()
            raise

    def send(self, batch: Sequence[Record]) -> None:
        """Sends them; over TCP and TLS the server's host has them then, if not the server."""
        messages, refusal = self._messages.fitting(batch)
        if messages and self._by_datagrams:
            self._send_datagrams(messages)
        elif messages:
            self._send_stream(messages)
        if refusal is not None:
            raise refusal

    def close(self) -> None:
        """Closes the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send_stream(self, messages: Sequence[bytes]) -> None:
        assert self._connection is not None
        try:
            self._connection.arrived()
        except ConnectionError:
            # The server was started again, or does not keep idle connections; that is no trouble.
            self.close()
            self.open()
        self._connection.send(b"".join(b"%d %b" % (len(each), each) for each in messages))
        self._connection.flush()

    def _send_datagrams(self, messages: Sequence[bytes]) -> None:
        assert self._socket is not None
        for index, message in enumerate(messages):
            try:
                self._socket.send(message)
            except OSError as error:
                if error.errno == errno.EMSGSIZE:
                    reason = f"its {len(message)} bytes are more than the network takes"
                    raise RefusedError(index, reason) from None
                raise self._endpoint.error(error) from None
        # Where the host answers that nobody listens, the kernel knows.
        refused = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if refused:
            raise self._endpoint.error(os.strerror(refused))
