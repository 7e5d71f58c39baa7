"""What a client asks for when it subscribes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from confd_events.enums import Notif

from ._terms import Atom, Term
from ._times import NO_ZONE, DateTime
from ._wire import ProtocolError

if TYPE_CHECKING:
    from datetime import datetime

    from ._handshake import Hello

T = TypeVar("T")

_DATETIME = 19


@dataclass(frozen=True)
class Subscriber:
    """A subscription: its number, the client's level, and what was asked for.

    Intervals are in milliseconds; `stream` is None without STREAM_EVENT in the mask.
    """

    id: int
    mask: int
    protocol: int
    version: int
    heartbeat_interval: int = 0
    health_check_interval: int = 0
    verbosity: int = 0
    stream: str | None = None
    start: datetime | None = None
    stop: datetime | None = None
    filter: str | None = None
    usid: int = 0

    @classmethod
    def parse(cls, number: int, hello: Hello, term: Term) -> Subscriber:
        """The subscription in a client's frame; ProtocolError for any other term.

        Levels below 7.7 have no verbosity and may leave it out.
        """
        mask, heartbeat, health_check, stream, *rest = _tuple(term, 4, 5)
        verbosity = _a(int, rest[0]) if rest else 0
        intervals = (_a(int, heartbeat), _a(int, health_check))
        asked = _a(int, mask)
        plain = cls(number, asked, hello.protocol, hello.version, *intervals, verbosity)
        return plain if stream is None else plain._on_stream(stream)

    def _on_stream(self, term: Term) -> Subscriber:
        name, start, stop, filter_, usid, _ = _tuple(term, 6)
        return replace(
            self,
            stream=str(_a(Atom, name)),
            start=_time(start),
            stop=_time(stop),
            filter=None if filter_ is None else _a(bytes, filter_).decode(errors="replace"),
            usid=_a(int, usid),
        )

    def interval(self, bit: Notif) -> float:
        """Seconds between the daemon's notifications of one kind, 0 when there are none."""
        if not self.mask & bit:
            return 0
        asked = {
            Notif.HEARTBEAT: self.heartbeat_interval,
            Notif.HEALTH_CHECK: self.health_check_interval,
        }
        return asked[bit] / 1000


def _a(kind: type[T], term: Term) -> T:
    if isinstance(term, kind) and not isinstance(term, bool):
        return term
    raise ProtocolError(f"{term!r} is no {kind.__name__}")


def _tuple(term: Term, *lengths: int) -> tuple[Term, ...]:
    if isinstance(term, tuple) and len(term) in lengths:
        return term
    raise ProtocolError(f"unexpected term {term!r}")


def _time(term: Term) -> datetime | None:
    if term is None:
        return None
    kind, numbers = _tuple(term, 2)
    if kind != _DATETIME:
        raise ProtocolError(f"{term!r} is no date and time")
    try:
        *parts, zone, minutes = _tuple(numbers, 9)
        parts += [NO_ZONE, 0] if zone == [] else [zone, minutes]
        return DateTime(*(_a(int, part) for part in parts)).to_datetime()
    except (ValueError, OverflowError) as error:
        raise ProtocolError(f"{term!r}: {error}") from error
