"""What tells a program with a select loop of its own that there may be events."""

from __future__ import annotations

import os
import select
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._connection import Connection


class Readiness:
    """A descriptor that is readable from when something arrives until nothing more is there.

    Its own, not the socket's: that says nothing of what is read already, tells of the first part of
    a notification over and over, and is another one after each loss of the connection.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        # Always readable; set() and clear() switch whether the epoll looks at it.
        self._readable, self._kept_open = os.pipe2(os.O_CLOEXEC)
        os.write(self._kept_open, b"\0")
        self._epoll.register(self._readable, select.EPOLLIN)
        self._connection: Connection | None = None

    def fileno(self) -> int:
        """The descriptor."""
        return self._epoll.fileno()

    def set(self) -> None:
        """Makes it readable. Any thread, and a signal handler, may do so."""
        self._epoll.modify(self._readable, select.EPOLLIN)

    def clear(self, connection: Connection | None) -> None:
        """Makes it unreadable until set(), or until something new arrives at the connection."""
        self._epoll.modify(self._readable, 0)
        if connection is not None and connection is not self._connection:
            self._connection = connection
            with suppress(OSError, ValueError):  # closed by another thread: the next read says so
                self._epoll.register(
                    connection, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
                )
        self._epoll.poll(0)  # what has arrived so far is told

    def __del__(self) -> None:
        self._epoll.close()
        os.close(self._readable)
        os.close(self._kept_open)
