"""Which numbers have to arrive, and which have."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from typing import Any

_RECENT = 5000  # numbers of which the ids are kept; what comes twice does so soon
_SHOWN = 10


class Owed:
    """The numbers of one node: what was sent, and what of it must arrive."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._marks = bytearray()  # 1 at each number that must arrive
        self.sent = 0
        self.last = 0
        """The highest that must arrive."""

    def send(self) -> None:
        """One more was sent."""
        self.sent += 1

    def must_arrive(self, number: int) -> None:
        """It was acknowledged, or a replay has it."""
        with self._lock:
            if number >= len(self._marks):
                self._marks.extend(bytes(number + 10_000 - len(self._marks)))
            self._marks[number] = 1
            self.last = max(self.last, number)

    @property
    def count(self) -> int:
        """How many must arrive."""
        return self._marks.count(1)

    def is_owed(self, number: int) -> bool:
        """Whether it must arrive."""
        return number < len(self._marks) and bool(self._marks[number])

    def between(self, first: int, end: int) -> list[int]:
        """Those that must arrive, from first to before end."""
        with self._lock:
            return [n for n in range(first, min(end, len(self._marks))) if self._marks[n]]


class Arrived:
    """The numbers of one node at one sink: in order, each once but for repeats of its id."""

    def __init__(self) -> None:
        self.count = 0
        self.repeats = 0
        self.last = 0
        self.left_out: list[int] = []
        """The numbers that were left out; some were never acknowledged."""
        self.problems: list[str] = []
        self._recent: OrderedDict[int, str] = OrderedDict()

    def take(self, number: int, name: str) -> None:
        """A record with this number and this id has come."""
        if number in self._recent:
            self.repeats += 1
            if self._recent[number] != name:
                self._complain(f"{number} has two ids, {self._recent[number]} and {name}")
        elif number < self.last:
            self._complain(f"{number} came behind {self.last}")
        else:
            self.left_out += range(self.last + 1, number)
            self.last = number
            self.count += 1
            self._recent[number] = name
            if len(self._recent) > _RECENT:
                self._recent.popitem(last=False)

    def missing(self, owed: Owed) -> list[int]:
        """Those that had to arrive and have not."""
        return [n for n in self.left_out if owed.is_owed(n)] + owed.between(
            self.last + 1, owed.last + 1
        )

    def _complain(self, what: str) -> None:
        if len(self.problems) < _SHOWN:
            self.problems.append(what)


class Tally:
    """What has come to one sink, by node."""

    def __init__(self, nodes: list[str]) -> None:
        self.arrived = {node: Arrived() for node in nodes}
        self.torn = 0
        """Lines that a server was killed in the midst of."""

    def take(self, text: str) -> None:
        """A record, or a line of a file that ends with one."""
        begin = text.rfind('{"specversion"')
        self.torn += begin > 0 and text[:begin].startswith("{")
        record = json.loads(text[begin:])
        number = number_of(record["data"])
        if number is not None:
            node = record["source"].rpartition("/")[2]
            self.arrived[node].take(number, record["id"])

    @property
    def count(self) -> int:
        return sum(each.count for each in self.arrived.values())

    @property
    def repeats(self) -> int:
        return sum(each.repeats for each in self.arrived.values())


def number_of(data: dict[str, Any]) -> int | None:
    """The number of an audit record or an event of a stream; None for any other."""
    if "audit" in data:
        return int(data["audit"]["usid"])
    values = data.get("stream", {}).get("values")
    return int(next(iter(values.values()))) if values else None
