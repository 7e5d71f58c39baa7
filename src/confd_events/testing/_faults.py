"""How a daemon may misbehave."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Faults:
    """What goes wrong on a connection; counts are of all bytes the daemon sends on it.

    byte_pause: send one byte at a time, with this many seconds before the next.
    silent_after: send nothing more after so many bytes (0: never answer the hello).
    close_after: close the connection after so many bytes.
    reset_after: the same with a TCP reset; a UNIX socket is just closed.
    version_reply: bytes sent in place of the version reply.
    subscription_reply: bytes sent in place of the frame that answers the subscription.

    Raises ValueError for more than one limit, or a negative number.
    """

    byte_pause: float | None = None
    silent_after: int | None = None
    close_after: int | None = None
    reset_after: int | None = None
    version_reply: bytes | None = None
    subscription_reply: bytes | None = None

    def __post_init__(self) -> None:
        limits = [limit for limit in self._limits() if limit is not None]
        if len(limits) > 1:
            raise ValueError("only one of silent_after, close_after, reset_after")
        if any(number < 0 for number in (*limits, self.byte_pause or 0)):
            raise ValueError("a fault's number is negative")

    @property
    def limit(self) -> int | None:
        """Bytes to send before the connection goes bad, None for all."""
        return next((limit for limit in self._limits() if limit is not None), None)

    def _limits(self) -> tuple[int | None, ...]:
        return self.silent_after, self.close_after, self.reset_after
