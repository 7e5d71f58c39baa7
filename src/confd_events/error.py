"""The exceptions that libconfd's errors become."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # the module typing is slow to load
if TYPE_CHECKING:
    from typing import Any


class Error(Exception):
    """A call to libconfd failed.

    The attributes belong to the instance: other threads' errors don't change them.
    """

    confd_errno: int
    """What went wrong, one of ERR_… (C: confd_errno)."""
    confd_strerror: str
    """A sentence for confd_errno (C: confd_strerror())."""
    confd_lasterr: str
    """What the library or the daemon says of this very failure (C: confd_lasterr())."""
    errno: int | None
    """The operating system's error number when confd_errno is ERR_OS, else None."""
    strerror: str | None
    """A sentence for errno, or None."""
    notifications: list[dict[str, Any]]
    """What read_notifications() had read before the failure."""

    def __init__(
        self,
        confd_errno: int | str = 0,
        confd_strerror: str = "",
        confd_lasterr: str = "",
        errno: int | None = None,
    ) -> None:
        """Error(text) makes one that says just that; programs raise it on their own."""
        super().__init__(confd_errno, confd_strerror, confd_lasterr, errno)
        self.confd_errno = 0 if isinstance(confd_errno, str) else confd_errno
        self.confd_strerror = confd_errno if isinstance(confd_errno, str) else confd_strerror
        self.confd_lasterr = confd_lasterr
        self.errno = errno
        self.strerror = None if errno is None else os.strerror(errno)
        self.notifications = []

    def __str__(self) -> str:
        code = f" ({self.confd_errno})" if self.confd_errno else ""
        text = f"{self.confd_strerror}{code}"
        return f"{text}: {self.confd_lasterr}" if self.confd_lasterr else text


class EOF(Error):  # noqa: N818, the vendor's name
    """The daemon closed the connection."""


class DaemonSilent(Error):  # noqa: N818, an Error by its base
    """The daemon did not answer, or sent nothing for three heartbeat intervals.

    It comes from a subscription; confd_errno is ERR_TIMEOUT.
    """


class BufferFull(Exception):  # noqa: N818, as queue.Full
    """A subscription's buffer was full and `when_full="raise"`: the consumer is too slow.

    What was read and not delivered is lost; the daemon does not wait for it.
    """
