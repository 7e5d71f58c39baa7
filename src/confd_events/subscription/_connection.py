"""One connection to the daemon: connect, read, acknowledge, close."""

from __future__ import annotations

import _socket
import copy
import itertools
import os
import select
import socket
import struct
import threading
import time
from collections import deque
from contextlib import suppress
from errno import EAGAIN, EALREADY, EINPROGRESS
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Any, Callable

from .._address import written_address
from .._events import (
    ERR_EOF,
    ERR_OS,
    ERR_TIMEOUT,
    _count_begun,
    _read_into,
    notifications_connect2,
)
from ..error import EOF, DaemonSilent, Error
from . import _acknowledgement

if TYPE_CHECKING:
    from .._address import Endpoint
    from ..payloads import NotificationDict
    from ._request import Request

# How many heartbeats may fail to come before the daemon is taken for lost.
BEATS = 3

# How often in a heartbeat's interval to look whether more of a notification has come.
_LOOKS = 4

# Seconds for the daemon to accept a connection, and again for each of its answers.
_CONNECT = 30.0

# Errors of the system when one of the times of _set_patience() is over.
_TIMED_OUT = (EAGAIN, EALREADY, EINPROGRESS)


class Connection:
    """A socket on which notifications come, and what the daemon waits for on it.

    One thread at a time may open or read it; any thread, and a signal handler, may close it or
    acknowledge. In a child process it only closes: the stream belongs to the parent.
    """

    def __init__(self, request: Request, endpoint: Endpoint) -> None:
        self._request = request
        self.endpoint = endpoint
        self._sock = _stream_socket(endpoint.family)
        self._pid = os.getpid()
        self._in_library = False
        self._closing = False
        # Reentrant, for a signal handler may close what its thread is acknowledging.
        self._lock = threading.RLock()
        self._awaited: dict[int, NotificationDict] = {}
        self._noted: NotificationDict | None = None
        # What it waited for when the connection was lost, and how that was.
        self._unanswered: frozenset[int] = frozenset()
        self._numbers = itertools.count()
        self._handed_over = self._settled = 0
        self._failure: Error | None = None
        self._to_raise: Error | None = None
        self._arrived = 0
        self.heard_at = 0.0
        self.acknowledged = 0
        self.silence = None if request.heartbeat is None else BEATS * request.heartbeat
        """Seconds without a sign of life after which the daemon is lost, or None."""
        self._set_patience(_CONNECT)

    def __str__(self) -> str:
        return written_address(self.endpoint.where)

    def fileno(self) -> int:
        """The socket's descriptor, -1 when it is closed."""
        return self._sock.fileno()

    def open(self) -> None:
        """Connects and subscribes. Raises Error, EOF when closed meanwhile; then close it."""
        self._enter_library()
        failure = None
        try:
            notifications_connect2(
                self._sock, self._request.mask, self._request.data, **self.endpoint.where
            )
            self._set_patience(self.silence or 0)
        except Error as error:
            failure = self._explained(error, f"the daemon did not answer for {_CONNECT:g} s")
        finally:
            self._leave_library()
        if failure is not None:
            failure.confd_lasterr += f" ({self})"
            raise failure
        self.heard_at = time.monotonic()

    def read(self, into: list[NotificationDict], limit: int, timeout: float | None = None) -> None:
        """Appends what has arrived, at most `limit` notifications; waits for the first.

        There may be none: a timeout, in seconds, is over, or only a part of a notification has
        come. Raises Error or EOF when the daemon is lost, DaemonSilent when it has been silent for
        too long.
        """
        if self._failure is not None:
            raise self._failure
        failure, self._to_raise = self._to_raise, None
        if failure is None:
            failure = self._read(into, limit, timeout)
        if into:  # first what has come before it
            self._to_raise = failure
        elif failure is not None:
            raise failure
        if into or self._has_grown():
            self.heard_at = time.monotonic()
        elif self.silent_in() == 0:
            raise self.silence_error()

    def _read(
        self, into: list[NotificationDict], limit: int, timeout: float | None
    ) -> Error | None:
        """What has arrived is appended; returns what has ended the reading."""
        patience = self._patience(timeout)
        self._enter_library()
        try:
            _read_into(into, self._sock, limit, patience)
        except Error as error:
            error.notifications = []  # they are in `into`
            return self._explained(error, "the daemon stopped in the middle of a notification")
        finally:
            self._leave_library()
        return None

    def has_begun(self) -> bool:
        """Whether a part of a notification has arrived."""
        return _count_begun(self._sock) > 0

    def _has_grown(self) -> bool:
        """Whether more of a notification has arrived than at the last look."""
        before, self._arrived = self._arrived, _count_begun(self._sock)
        return self._arrived not in (0, before)

    def silent_in(self) -> float | None:
        """Seconds until the daemon has been silent for too long; None when nothing tells."""
        if self.silence is None:
            return None
        return max(0.0, self.heard_at + self.silence - time.monotonic())

    def _patience(self, timeout: float | None) -> float | None:
        """How long to wait before the next look at what has arrived."""
        silent_in = self.silent_in()
        if silent_in is None or self.silence is None:
            return timeout
        look = min(silent_in, self.silence / (BEATS * _LOOKS))
        return look if timeout is None else min(look, timeout)

    def silence_error(self) -> DaemonSilent:
        """What to raise when silent_in() is over."""
        silence = f"nothing came for {self.silence:g} s, {BEATS} heartbeat intervals"
        return DaemonSilent(ERR_TIMEOUT, "No heartbeat", silence)

    def _explained(self, error: Error, timed_out: str) -> Error:
        """An error of the library, in plain words if it is that of _set_patience()."""
        if self._failure is not None:
            return self._failure
        if error.errno not in _TIMED_OUT:
            return error.with_traceback(None)
        return closed() if self._closing else DaemonSilent(ERR_TIMEOUT, "No answer", timed_out)

    def _set_patience(self, seconds: float) -> None:
        # libconfd's own reads and writes end after that time, too: a frame that stops midway.
        value = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._sock.setsockopt(socket.SOL_SOCKET, option, value)

    def expect_acknowledgement(self, notification: NotificationDict) -> int:
        """Notes that the daemon waits for a notification; the number is for acknowledge()."""
        number = next(self._numbers)
        self._awaited[number] = notification
        self._noted = notification
        if self._closing:  # after the line before close() forgets it
            self._awaited.pop(number, None)
        return number

    def give_up(self, notification: NotificationDict) -> None:
        """Acknowledges what will be nobody's, unless it was noted last, so that settle() will."""
        if self._noted is not notification:
            self.release(self.expect_acknowledgement(notification))

    def hand_over(self, number: int) -> None:
        """Notes that the consumer has a notification, and all before it."""
        self._handed_over = number + 1

    def acknowledge(self, number: int) -> bool:
        """Acknowledges a notification, once; returns whether the daemon still waited for it.

        Raises Error when the connection is lost, RuntimeError in a child process.
        """
        check_process(self._pid)
        if number in self._awaited:
            self._await_room()
            if self._send(number):
                return True
        if number in self._unanswered and self._failure is not None:
            raise copy.copy(self._failure)
        return False

    def _send(self, number: int) -> bool:
        with self._lock:
            notification = self._awaited.get(number)
            if notification is None:
                return False
            forget = partial(self._awaited.pop, number, None)
            try:
                _uninterrupted(_acknowledgement.call(self._sock, notification), forget)
            except (Error, ValueError) as error:
                forget()
                if isinstance(error, Error):
                    raise
                return False  # meanwhile closed by a signal handler; or the consumer did it
            self.acknowledged += 1
            return True

    def settle(self, number: int) -> None:
        """As release(), and for all before it: what a signal has kept from the consumer."""
        for earlier in range(self._settled, number):
            self.release(earlier)
        self.release(number)
        self._settled = number + 1

    def _await_room(self) -> None:
        # libconfd's own wait would keep signal handlers waiting, and close().
        if not self.takes_acknowledgement(self.silence):
            explanation = f"the daemon took no acknowledgement for {self.silence:g} s"
            self._failure = DaemonSilent(ERR_TIMEOUT, "No answer", explanation)
            self.close()  # for all that read and acknowledge
            raise self._failure

    def release(self, number: int) -> None:
        """As acknowledge(), for a notification that nobody handles any more."""
        with suppress(Error, RuntimeError):  # nobody waits for a lost connection
            self.acknowledge(number)

    def check_process(self) -> None:
        """Raises RuntimeError in a child process."""
        check_process(self._pid)

    def waits_for(self, number: int) -> bool:
        """Whether the daemon waits for the acknowledgement of a notification."""
        return number in self._awaited

    def is_owed(self, number: int) -> bool:
        """Whether the consumer has a notification and did not acknowledge it."""
        return number < self._handed_over and self.waits_for(number) and self._pid == os.getpid()

    def count_owed(self) -> int:
        """How many notifications the consumer has and did not acknowledge."""
        return sum(map(self.is_owed, list(self._awaited)))

    def takes_acknowledgement(self, seconds: float | None = 0) -> bool:
        """Whether acknowledge() would not block: there is room, or the socket is closed.

        It waits for that, at most so many seconds; None for as long as it takes.
        """
        descriptor = self._sock.fileno()
        poller = select.poll()
        if descriptor >= 0:
            poller.register(descriptor, select.POLLOUT)
        return descriptor < 0 or bool(poller.poll(None if seconds is None else seconds * 1000))

    def abandon(self, error: Error) -> None:
        """Closes a lost connection. The daemon that lost it waits for nothing any more.

        Its transactions are left as they are: who has one yet to handle may look at it.
        """
        self._failure = error
        self._unanswered = frozenset(self._awaited)
        self._awaited.clear()
        self.close()

    def close(self) -> None:
        """Releases the daemon from what it waits for and closes; a reader gets EOF at once.

        It may be called again.
        """
        self._closing = True
        if self._pid != os.getpid():
            self._sock.close()  # a copy; the lock may be held, by a thread that is not here
            return
        if self._sock.fileno() >= 0:
            self._release()
            self._end_calls()
        if not self._in_library:
            self._close_socket()

    def _end_calls(self) -> None:
        with suppress(OSError):  # not connected
            # For a call that is about to connect: there is nothing to shut down yet.
            self._set_patience(0.001)
            self._sock.shutdown(socket.SHUT_RDWR)

    def _release(self) -> None:
        # An acknowledgement that blocks holds the lock: closing will end it.
        if not self._lock.acquire(timeout=1.0 if self.takes_acknowledgement() else 0):
            self._awaited.clear()
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
            raise self._failure or closed()

    def _leave_library(self) -> None:
        self._in_library = False
        if self._closing:
            self._close_socket()


def _stream_socket(family: int) -> socket.socket:
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        text = f"socket: {error.strerror}"
        failure = Error(ERR_OS, "Operating system error", text, error.errno)
    else:
        if isinstance(sock, _socket.socket):
            return sock
        sock.close()
        raise RuntimeError(
            f"socket.socket is replaced by that of {type(sock).__module__}: subscriptions work "
            "with threads and asyncio, not with gevent or eventlet; subscribe in a process that "
            "is not monkey-patched"
        )
    raise failure


_call = methodcaller("__call__")


def _uninterrupted(*steps: Callable[[], Any]) -> None:
    """Calls functions that are not written in Python, one by one, up to one that raises.

    No signal handler runs in between: map() and deque() are not written in Python either.
    """
    deque(map(_call, steps), maxlen=0)


def closed() -> EOF:
    """What to raise when the subscription is over."""
    return EOF(ERR_EOF, "Closed", "the subscription was closed")


_process = os.getpid()


def _note_process() -> None:
    global _process
    _process = os.getpid()


# Not asked for each event: that is a system call.
os.register_at_fork(after_in_child=_note_process)


def check_process(owner: int) -> None:
    """Raises RuntimeError in another process than the owner's, that is, in a child."""
    if owner != _process:
        raise RuntimeError(
            f"this subscription belongs to process {owner}; subscribe again in this one"
        )
