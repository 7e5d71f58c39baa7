"""Where a forwarder is in an event stream, so that its next run goes on from there."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from .._events import (
    C_IDENTITYREF,
    C_LIST,
    C_OBJECTREF,
    C_XMLBEGIN,
    C_XMLBEGINDEL,
    C_XMLEND,
    C_XMLTAG,
    TagValue,
    Value,
)

WINDOW = 10_000_000
"""How many µs the times of events may be out of order; so much of a stream is replayed again."""

AHEAD = 60_000_000
"""By how many µs this host's clock may be ahead of a daemon's of which no event has come yet."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_INSTANT = timedelta(microseconds=1)
# As text these have names or numbers, whether the schemas are loaded or not.
_NAMED = {C_IDENTITYREF, C_OBJECTREF, C_XMLBEGIN, C_XMLBEGINDEL, C_XMLEND, C_XMLTAG}


class Mark(NamedTuple):
    """An event that was stored, as the spool keeps it."""

    at: int
    """Its time, in µs since the epoch."""
    digest: bytes | None
    """What tells it from others of that time; None for no event, but a time before which nothing
    is wanted."""


class Place:
    """From when a stream is to be replayed, and which of its events are stored already."""

    def __init__(self, marks: Iterable[Mark]) -> None:
        """marks -- those of the last events, in the order in which they came; at least one"""
        known = list(marks)
        last = known[-1].at
        floor = max((mark.at for mark in known if mark.digest is None), default=last - WINDOW)
        start = last if known[-1].digest is None else min(max(floor, last - WINDOW), last - 1)
        self.start: datetime = _EPOCH + start * _INSTANT
        """The time from which to replay."""
        self._stored = Counter(mark for mark in known if mark.digest is not None)

    def is_new(self, mark: Mark) -> bool:
        """Whether an event of the replay is not stored yet; each is to be asked about once."""
        if not self._stored[mark]:
            return True
        self._stored[mark] -= 1
        return False

    def end(self) -> None:
        """The replay is over: what comes now is new, whatever it looks like."""
        self._stored.clear()


def mark_of(payload: Mapping[str, Any]) -> Mark | None:
    """The mark of a stream event; None for one whose time no replay can begin at."""
    try:
        when = payload["event_time"].to_datetime()
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=timezone.utc)
    digest = hashlib.sha256()
    for element in payload["values"]:
        digest.update("\0".join(_parts(element)).encode("utf-8", "surrogateescape"))
        digest.update(b"\1")
    return Mark((when - _EPOCH) // _INSTANT, digest.digest()[:16])


def _parts(element: TagValue) -> Iterator[str]:
    yield str(element.ns)
    yield str(element.tag)
    yield from _text(element.v)


def _text(value: Value) -> Iterator[str]:
    """What a value is, the same in each run of a program."""
    kind = value.confd_type()
    yield str(kind)
    if kind == C_LIST:
        for each in value.as_list():
            yield from _text(each)
    elif kind not in _NAMED:
        yield str(value)
