"""Notifications on their way, and the acknowledgements that some of them wait for."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Callable, NamedTuple

if TYPE_CHECKING:
    import threading


class Acknowledgement(NamedTuple):
    """What a subscriber (by its id) acknowledged.

    `kind` is commit_diff (`id` is the transaction handle), audit or audit_network (the user
    session id) or ha (None).
    """

    kind: str
    id: int | None
    subscriber: int


class Delivery:
    """One notification that was sent.

    `count` is the number of subscribers that it was sent to.
    """

    def __init__(
        self, changed: threading.Condition, missing: Callable[[Delivery], str] | None = None
    ) -> None:
        self._changed = changed
        self._missing = missing
        self._owing = 0
        self.count = 0

    @property
    def done(self) -> bool:
        """Whether nobody holds the notification up any more."""
        with self._changed:
            return not self._owing

    def wait(self, timeout: float = 5.0) -> bool:
        """True once the notification is done; TimeoutError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._owing, timeout):
                missing = "" if self._missing is None else f": {self._missing(self)}"
                raise TimeoutError(
                    f"sent to {self.count}, {self._owing} not acknowledged after "
                    f"{timeout:g} s{missing}"
                )
        return True


class Ledger:
    """Who owes which acknowledgement, and which have come. Used under the daemon's lock."""

    def __init__(self) -> None:
        self.received: list[Acknowledgement] = []
        self._owed: list[tuple[Acknowledgement, Delivery, float]] = []

    def owe(self, expected: Acknowledgement, delivery: Delivery) -> None:
        """Holds `delivery` up until `expected` comes."""
        delivery._owing += 1
        self._owed.append((expected, delivery, monotonic()))

    def settle(self, received: Acknowledgement) -> None:
        """Records an acknowledgement; the oldest delivery that waits for it is released."""
        self.received.append(received)
        for position, (expected, *_) in enumerate(self._owed):
            if expected == received:
                self._release(position)
                return

    def oldest(self, subscriber: int) -> float | None:
        """Since when (monotonic) a subscriber owes something, None when it owes nothing."""
        since = (since for expected, _, since in self._owed if expected.subscriber == subscriber)
        return next(since, None)

    def forgive(self, subscriber: int) -> None:
        """Releases whatever waits for a subscriber that is gone."""
        for position in reversed(range(len(self._owed))):
            if self._owed[position][0].subscriber == subscriber:
                self._release(position)

    def _release(self, position: int) -> None:
        _, delivery, _ = self._owed.pop(position)
        delivery._owing -= 1
