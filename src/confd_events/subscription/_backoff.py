"""How long to wait between attempts to connect again."""

from __future__ import annotations

import random
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Backoff(NamedTuple):
    """Waits that grow, for `subscribe(reconnect=Backoff(...))`.

    Each wait is shortened by a random part, so that many subscribers do not all come back at the
    same moment.
    """

    first: float = 0.1
    """Seconds before the first attempt."""
    factor: float = 2.0
    """By what each further wait is longer than the one before."""
    longest: float = 30.0
    """Seconds that no wait exceeds."""
    jitter: float = 0.5
    """The largest part of a wait, 0 to 1, by which it may be shorter."""
    attempts: int | None = None
    """How many attempts to make after a loss before the error is raised; None for ever."""
    first_connection: bool = False
    """Whether the first connection, too, is tried again until it is there."""

    def delays(self) -> Iterator[float]:
        """The seconds to wait before each attempt."""
        delay, attempts = self.first, self.attempts
        while attempts is None or attempts > 0:
            yield min(delay, self.longest) * (1 - self.jitter * random.random())
            delay = min(delay * self.factor, self.longest)
            attempts = None if attempts is None else attempts - 1


def backoff_of(reconnect: bool | Backoff) -> Backoff | None:
    """The waits that subscribe()'s argument stands for; None when it is False.

    Raises TypeError or ValueError for an argument that is wrong.
    """
    if isinstance(reconnect, bool):
        return Backoff() if reconnect else None
    if not isinstance(reconnect, Backoff):
        raise TypeError(f"reconnect: expected bool or Backoff, not {type(reconnect).__name__}")
    _check_numbers(reconnect)
    if not (reconnect.first > 0 and reconnect.factor >= 1 and 0 < reconnect.longest <= TIMEOUT_MAX):
        raise ValueError(
            f"reconnect: a wait must be positive, at most {TIMEOUT_MAX:.0f} s, and not shrink: "
            f"{reconnect}"
        )
    if not 0 <= reconnect.jitter <= 1:
        raise ValueError(f"reconnect: jitter must be 0 to 1: {reconnect}")
    if reconnect.attempts is not None and reconnect.attempts < 1:
        raise ValueError(f"reconnect: attempts must be 1 or more: {reconnect}")
    return reconnect


def _check_numbers(backoff: Backoff) -> None:
    for name, value in backoff._asdict().items():
        if name == "first_connection":
            fits = isinstance(value, bool)
        elif name == "attempts":
            fits = value is None or isinstance(value, int)
        else:
            fits = isinstance(value, (int, float))
        if not fits:
            raise TypeError(f"reconnect: {name} does not fit: {backoff}")
