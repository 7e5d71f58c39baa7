"""One connection to the daemon: connect, read, acknowledge, close."""

from __future__ import annotations

import itertools
import os
import select
import socket
import struct
import threading
import time
from contextlib import suppress
from errno import EAGAIN
from typing import TYPE_CHECKING, NoReturn

from . import _acknowledgement
from ._events import ERR_EOF, ERR_TIMEOUT, notifications_connect2, read_notifications
from .error import EOF, DaemonSilent, Error

if TYPE_CHECKING:
    from ._address import Endpoint
    from ._request import Request
    from .payloads import NotificationDict

# How many heartbeats may fail to come before the daemon is taken for lost.
BEATS = 3

# Seconds for the daemon to accept a connection, and again for each of its answers.
_CONNECT = 30.0


class Connection:
    """A socket on which notifications come, and what the daemon waits for on it.

    One thread at a time may open or read it; any thread, and a signal handler, may close it or
    acknowledge. In a child process it only closes: the stream belongs to the parent.
    """

    def __init__(self, request: Request, endpoint: Endpoint) -> None:
        self._request = request
        self._where = endpoint.where
        self._sock = socket.socket(endpoint.family, socket.SOCK_STREAM)
        self._pid = os.getpid()
        self._in_library = False
        self._closing = False
        # Reentrant, for a signal handler may close what its thread is acknowledging.
        self._lock = threading.RLock()
        self._awaited: dict[int, NotificationDict] = {}
        self._numbers = itertools.count()
        self._failure: Error | None = None
        self.heard_at = 0.0
        self.acknowledged = 0
        self.bits_awaited = _acknowledgement.awaited(request.mask)
        self.silence = None if request.heartbeat is None else BEATS * request.heartbeat
        """Seconds without a sign of life after which the daemon is lost, or None."""

    def fileno(self) -> int:
        """The socket's descriptor, -1 when it is closed."""
        return self._sock.fileno()

    def open(self) -> None:
        """Connects and subscribes. Raises Error, EOF when closed meanwhile; then close it."""
        self._set_patience(_CONNECT)
        self._enter_library()
        try:
            notifications_connect2(
                self._sock, self._request.mask, self._request.data, **self._where
            )
        except Error as error:
            self._raise_timeout(error, f"the daemon did not answer for {_CONNECT:g} s")
        finally:
            self._leave_library()
        self._set_patience(self.silence or 0)
        self.heard_at = time.monotonic()

    def read(self, limit: int, timeout: float | None = None) -> list[NotificationDict]:
        """What has arrived, at most `limit` notifications; waits for the first.

        With a timeout, in seconds, the list may be empty. Raises Error or EOF when the daemon is
        lost, DaemonSilent when it has been silent for too long.
        """
        if self._failure is not None:
            raise self._failure
        self._enter_library()
        try:
            notifications = read_notifications(self._sock, limit, self._patience(timeout))
        except Error as error:
            notifications = self._rescue(error)
        finally:
            self._leave_library()
        if notifications:
            self.heard_at = time.monotonic()
        elif timeout is None:
            raise self.silence_error()
        return notifications

    def _rescue(self, error: Error) -> list[NotificationDict]:
        """What was read before an error; the error itself is for the next call."""
        if not error.notifications:
            self._raise_timeout(error, "the daemon stopped in the middle of a notification")
        self._failure = error
        rescued, error.notifications = error.notifications, []
        return rescued  # type: ignore[return-value]

    def has_begun(self) -> bool:
        """Whether a part of a notification has arrived."""
        with suppress(OSError):
            return bool(self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        return False

    def silent_in(self) -> float | None:
        """Seconds until the daemon has been silent for too long; None when nothing tells."""
        if self.silence is None:
            return None
        return max(0.0, self.heard_at + self.silence - time.monotonic())

    def _patience(self, timeout: float | None) -> float | None:
        return self.silent_in() if timeout is None else timeout

    def silence_error(self) -> DaemonSilent:
        """What to raise when silent_in() is over."""
        silence = f"nothing came for {self.silence:g} s, {BEATS} heartbeat intervals"
        return DaemonSilent(ERR_TIMEOUT, "No heartbeat", silence)

    def _raise_timeout(self, error: Error, explanation: str) -> NoReturn:
        """Raises an error of the library, in plain words if it is that of _set_patience()."""
        if error.errno != EAGAIN:
            raise error
        raise DaemonSilent(ERR_TIMEOUT, "No answer", explanation) from error

    def _set_patience(self, seconds: float) -> None:
        # libconfd's own reads and writes end after that time, too: a frame that stops midway.
        value = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._sock.setsockopt(socket.SOL_SOCKET, option, value)

    def expect_acknowledgement(self, notification: NotificationDict) -> int:
        """Notes that the daemon waits for a notification; the number is for acknowledge()."""
        number = next(self._numbers)
        if not self._closing:
            self._awaited[number] = notification
        return number

    def acknowledge(self, number: int) -> bool:
        """Acknowledges a notification, once; returns whether the daemon still waited for it.

        Raises Error when the connection is lost, RuntimeError in a child process.
        """
        check_process(self._pid)
        with self._lock:
            notification = self._awaited.pop(number, None)
            if notification is None:
                return False
            try:
                _acknowledgement.send(self._sock, notification)
            except ValueError:  # closed by a signal handler after the line before
                if self._closing:
                    return False
                raise
            self.acknowledged += 1
            return True

    def release(self, number: int) -> None:
        """As acknowledge(), for a notification that nobody handles any more."""
        with suppress(Error, RuntimeError):  # nobody waits for a lost connection
            self.acknowledge(number)

    def waits_for(self, number: int) -> bool:
        """Whether the daemon waits for the acknowledgement of a notification."""
        return number in self._awaited

    @property
    def awaited_count(self) -> int:
        """For how many acknowledgements the daemon waits."""
        return len(self._awaited)

    def takes_acknowledgement(self) -> bool:
        """Whether an acknowledgement can be sent without blocking."""
        poller = select.poll()
        poller.register(self._sock, select.POLLOUT)
        return bool(poller.poll(0))

    def close(self) -> None:
        """Releases the daemon from what it waits for and closes; a reader gets EOF at once.

        It may be called again.
        """
        self._closing = True
        if self._pid == os.getpid() and self._sock.fileno() >= 0:
            self._release()
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
        if not self._in_library:
            self._close_socket()

    def _release(self) -> None:
        # A lock held for long is that of an acknowledgement that blocks: closing will end it.
        if not self._lock.acquire(timeout=1.0):
            return
        try:
            for number in list(self._awaited):
                if self.takes_acknowledgement():
                    self.acknowledge(number)
        except Error:
            pass  # the daemon is gone, it waits no more
        finally:
            self._awaited.clear()
            self._lock.release()

    def _close_socket(self) -> None:
        with self._lock:
            self._sock.close()

    # close() may come from another thread while libconfd has the descriptor; then the descriptor
    # is closed by who uses it, lest it be another file's by then.

    def _enter_library(self) -> None:
        check_process(self._pid)
        self._in_library = True
        if self._closing:
            self._leave_library()
            raise EOF(ERR_EOF, "Closed", "the subscription was closed")

    def _leave_library(self) -> None:
        self._in_library = False
        if self._closing:
            self._close_socket()


def check_process(owner: int) -> None:
    """Raises RuntimeError in another process than the owner's, that is, in a child."""
    if owner != os.getpid():
        raise RuntimeError(
            f"this subscription belongs to process {owner}; subscribe again in this one"
        )
