"""What events say that is worth counting: labels of few values, and lengths of time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from .._events import log_symbol
from .._render import readable
from ..enums import CqItem, label

OTHER = "other"
"""The label of what has none of its own."""

# Any program may choose the context of its sessions.
_CONTEXTS = frozenset("cli jsonrpc maapi netconf noaaa rest restconf snmp system webui".split())
_FAILED_LOGIN = re.compile(r"(AUTH|LOGIN).*(BAD|FAIL|NO_?USER|REFUSED|REJECTED)")
# Steps of transactions, by release, and which length of time they are.
_STEPS = {
    "applying transaction": "transaction",
    "grabbing transaction lock": "lock_wait",
    "taking transaction lock": "lock_wait",
    "holding transaction lock": "lock_hold",
}
# Steps with devices; an annotation, a package or a release may bring any other.
_DEVICE_STEPS = frozenset(
    (
        "check-sync",
        "close",
        "commit",
        "compare-config",
        "configure",
        "connect",
        "populating cdb",
        "prepare",
        "push configuration",
        "reading config",
        "show",
        "sync-from",
        "sync-to",
        "taking device lock",
    )
)
_DONE = (CqItem.COMPLETED, CqItem.FAILED, CqItem.DELETED)


class Few:
    """Values that become labels: the first so many that come; later ones are `other`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def of(self, value: str) -> str:
        """The label of a value."""
        if value not in self._known:
            if len(self._known) >= self._most:
                return OTHER
            self._known.add(value)
        return value


class Taken(NamedTuple):
    """How long a step took."""

    what: str
    """transaction, lock_wait, lock_hold or device."""
    seconds: float
    device: str = ""
    step: str = ""


def context_of(text: str | None) -> str:
    """The label of a user session's context."""
    return text if text in _CONTEXTS else OTHER


@lru_cache(maxsize=4096)
def failed_login(logno: int) -> str | None:
    """The symbol of the message of that number, if it tells of a failed login."""
    symbol = log_symbol(logno)
    return symbol if symbol and _FAILED_LOGIN.search(symbol) else None


def taken(progress: Mapping[str, Any]) -> Taken | None:
    """How long what a progress notification ends has taken; None where it says nothing of it."""
    duration = progress.get("duration")
    if duration is None:
        return None
    name = progress.get("msg")
    device = progress.get("device") or progress.get("attributes", {}).get("device")
    if device:
        step = name if name in _DEVICE_STEPS else OTHER
        return Taken("device", duration / 1e6, readable(str(device)), str(step))
    what = _STEPS.get(str(name))
    return None if what is None else Taken(what, duration / 1e6)


class QueueItems:
    """In which state each item of a commit queue is, as far as it was told."""

    _MOST = 10_000

    def __init__(self) -> None:
        self._states: dict[int, str] = {}
        self._counts: Counter[str] = Counter()

    def note(self, payload: Mapping[str, Any]) -> str:
        """Takes a cq-progress notification; returns the state that it tells of."""
        item, state = payload["cq_id"], payload["type"]
        try:
            name = label(CqItem(state))
        except ValueError:
            name = OTHER
        self._remove(item)
        if state not in _DONE:
            if len(self._states) >= self._MOST:
                self._remove(next(iter(self._states)))
            self._states[item] = name
            self._counts[name] += 1
        return name

    def _remove(self, item: int) -> None:
        before = self._states.pop(item, None)
        if before is not None:
            self._counts[before] -= 1

    def clear(self) -> None:
        """Forgets them: what has happened to them since is not known."""
        self._states.clear()
        self._counts.clear()

    def counts(self) -> Iterator[tuple[str, int]]:
        """How many items there are in each state that an item may wait in."""
        for state in CqItem:
            if state not in _DONE:
                yield label(state), self._counts[label(state)]
