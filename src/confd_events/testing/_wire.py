"""One accepted connection: exact reads, and writes that misbehave as asked."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._faults import Faults

_TIMEVAL = struct.Struct("@ll")
_LINGER = struct.Struct("@ii")
_LENGTH = struct.Struct(">I")
_MAX_FRAME = 1 << 20


class ClosedError(ConnectionError):
    """The connection is over."""


class ProtocolError(ClosedError):
    """The client sent what the protocol does not have."""


class Wire:
    """Reads from one thread, writes from one; `hang_up` from any."""

    def __init__(self, sock: socket.socket, faults: Faults, write_timeout: float) -> None:
        self._sock = sock
        self._faults = faults
        self._sent = 0
        self._hung_up = False
        # The kernel's own timeouts: reads and writes have each their own.
        self._limit(socket.SO_SNDTIMEO, write_timeout)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def patience(self, seconds: float | None) -> None:
        """How long a read waits for the next byte before it is an OSError; None: for ever."""
        self._limit(socket.SO_RCVTIMEO, seconds or 0)

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes; ClosedError when the client is gone before."""
        data = b""
        while len(data) < size:
            chunk = self._sock.recv(size - len(data))
            if not chunk:
                raise ClosedError("end of stream")
            data += chunk
        return data

    def read_frame(self) -> bytes:
        """The contents of the next frame; ProtocolError when it is longer than any can be."""
        (length,) = _LENGTH.unpack(self.read(_LENGTH.size))
        if length > _MAX_FRAME:
            raise ProtocolError(f"frame of {length} bytes")
        return self.read(length)

    def write(self, data: bytes) -> None:
        """Sends all of `data`, or what the faults let through; OSError when that fails."""
        limit = self._faults.limit
        if limit is not None:
            data = data[: limit - self._sent]
        self._transmit(data)
        self._sent += len(data)
        if self._sent == limit and self._faults.silent_after is None:
            self.hang_up(reset=self._faults.reset_after is not None)
            raise ClosedError("cut off")

    def hang_up(self, reset: bool = False) -> None:
        """Ends reads and writes; the client sees the end, or with `reset` will at `close`.

        The first call decides how the connection ends.
        """
        if self._hung_up:
            return
        self._hung_up = True
        with suppress(OSError):
            if reset and self._sock.family != socket.AF_UNIX:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER.pack(1, 0))
                # Sending must stay open: after a FIN the client would see a clean end.
                self._sock.shutdown(socket.SHUT_RD)
            else:
                self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Frees the socket."""
        self._sock.close()

    def _limit(self, option: int, seconds: float) -> None:
        whole, fraction = divmod(seconds, 1)
        timeval = _TIMEVAL.pack(int(whole), int(fraction * 1_000_000))
        self._sock.setsockopt(socket.SOL_SOCKET, option, timeval)

    def _transmit(self, data: bytes) -> None:
        pause = self._faults.byte_pause
        if pause is None:
            self._sock.sendall(data)
            return
        for byte in data:
            self._sock.sendall(bytes([byte]))
            time.sleep(pause)
