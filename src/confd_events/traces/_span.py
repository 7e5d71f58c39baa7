"""What a trace is made of."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, Union

AttributeValue = Union[str, int, bool]
"""The value of an attribute of a span."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class SpanEvent(NamedTuple):
    """Something that happened within a span: a notification of type PROGRESS_INFO."""

    time: int
    """µs since the epoch."""
    name: str
    attributes: dict[str, AttributeValue]


class Link(NamedTuple):
    """A span of another trace that belongs to this one."""

    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits."""


class LogRecord(NamedTuple):
    """What is told beside spans, such as an audit record."""

    time: int
    """When it happened, in µs since the epoch."""
    name: str
    """Of the kind of event, such as nso.audit."""
    body: str
    attributes: dict[str, AttributeValue]
    severity: int = 9
    """OpenTelemetry's number: 9 is INFO, 13 WARN, 17 ERROR."""
    observed: int | None = None
    """When it was read, in µs since the epoch."""
    trace_id: str | None = None
    span_id: str | None = None
    """Of the span that it belongs to."""


class Span:
    """A step of a transaction or an action, from its start to its end.

    trace_id -- 32 hexadecimal digits
    span_id, parent_id -- 16 hexadecimal digits; parent_id is None where nothing is around it
    name -- the step, such as "applying transaction"
    start, end -- µs since the epoch; end is not before start
    attributes -- by name; those of NSO begin with "nso."
    events -- what happened within it, by time
    links -- spans of other traces
    error -- why it failed, None if it did not
    incomplete -- whether its end was not seen: it ends where the trace's last event was
    """

    __slots__ = (
        "attributes",
        "end",
        "error",
        "events",
        "incomplete",
        "links",
        "name",
        "parent_id",
        "span_id",
        "start",
        "trace_id",
    )

    def __init__(
        self,
        trace_id: str,
        span_id: str,
        name: str,
        start: int,
        end: int,
        parent_id: str | None = None,
        attributes: dict[str, AttributeValue] | None = None,
    ) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.parent_id = parent_id
        self.name = name
        self.start = start
        self.end = end
        self.attributes: dict[str, AttributeValue] = {} if attributes is None else attributes
        self.events: list[SpanEvent] = []
        self.links: list[Link] = []
        self.error: str | None = None
        self.incomplete = False

    @property
    def duration(self) -> int:
        """How long it took, in µs."""
        return self.end - self.start

    @property
    def device(self) -> str | None:
        """The device that it deals with, None for none."""
        device = self.attributes.get("nso.device")
        return None if device is None else str(device)

    @property
    def service(self) -> str | None:
        """The service that it deals with, None for none."""
        service = self.attributes.get("nso.service")
        return None if service is None else str(service)

    def to_dict(self) -> dict[str, Any]:
        """The span as plain types that JSON has; times are ISO 8601 text in UTC."""
        return {
            "trace_id": self.trace_id,
            "span_id": self.span_id,
            "parent_id": self.parent_id,
            "name": self.name,
            "start": written_time(self.start),
            "end": written_time(self.end),
            "duration_us": self.duration,
            "error": self.error,
            "incomplete": self.incomplete,
            "attributes": dict(self.attributes),
            "events": [
                {"time": written_time(event.time), "name": event.name, **_given(event)}
                for event in self.events
            ],
            "links": [link._asdict() for link in self.links],
        }

    def __repr__(self) -> str:
        state = " incomplete" if self.incomplete else " failed" if self.error else ""
        return f"<Span {self.name!r} {self.span_id} {self.duration} µs{state}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Span) and all(
            getattr(self, name) == getattr(other, name) for name in self.__slots__
        )

    __hash__ = None  # type: ignore[assignment]


def _given(event: SpanEvent) -> dict[str, Any]:
    return {"attributes": dict(event.attributes)} if event.attributes else {}


def written_time(microseconds: int) -> str:
    """A time in µs since the epoch as ISO 8601 text in UTC, or the number if it has no date."""
    try:
        return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds")
    except OverflowError:
        return str(microseconds)
