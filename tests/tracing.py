"""What the tests of traces share: payloads of progress notifications, and traces made of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from confd_events.traces import Span, SpanAssembler

START, STOP, INFO = 1, 2, 3
TRACE = "228f1996-9dc6-4ce0-8ebe-4f3abe763875"
BEGIN = 1_700_000_000_000_000
"""When the made traces begin, in µs since the epoch."""


def progress(kind: int, time: int, msg: str, **more: Any) -> dict[str, Any]:
    """The payload of a notification; `time` counts from BEGIN."""
    return {"type": kind, "timestamp": BEGIN + time, "usid": 41, "tid": 43, "msg": msg, **more}


def span_of(
    name: str, start: int, stop: int, span_id: str | None, parent: str | None = None, **more: Any
) -> list[dict[str, Any]]:
    """The payloads of a span's start and stop; without a span id, as before API level 8.2."""
    ids: dict[str, Any] = {}
    if span_id is not None:
        ids = {"trace_id": TRACE, "span_id": span_id}
    if parent is not None:
        ids["parent_span_id"] = parent
    return [
        progress(START, start, name, **ids, **more),
        progress(STOP, stop, name, duration=stop - start, **ids, **more),
    ]


def number(value: int) -> str:
    """A span id."""
    return f"{value:016x}"


def commit() -> list[dict[str, Any]]:
    """A transaction with two phases, an info, and a lock that outlives the phase around it."""
    events = [
        *span_of("applying transaction", 0, 9000, number(1)),
        *span_of("validate", 100, 4000, number(2), number(1)),
        *span_of("holding transaction lock", 3000, 8500, number(3), number(2)),
        *span_of("commit", 4100, 8000, number(4), number(1)),
        progress(INFO, 4200, "commit", trace_id=TRACE, span_id=number(4), subsystem="cdb"),
    ]
    return sorted(events, key=lambda event: event["timestamp"])


def assembled(events: Iterable[dict[str, Any]], **options: Any) -> list[Span]:
    """The spans of events, by start and id."""
    return in_order(spans_of(SpanAssembler(**options), events))


def spans_of(assembler: SpanAssembler, events: Iterable[dict[str, Any]]) -> list[Span]:
    """All spans of events, as an assembler gives them."""
    found = [span for event in events for span in assembler.add(event)]
    return [*found, *assembler.flush()]


def in_order(spans: Iterable[Span]) -> list[Span]:
    """Spans by start and id."""
    return sorted(spans, key=lambda span: (span.start, span.span_id))


def check(spans: Iterable[Span]) -> None:
    """Asserts what a tracing backend asks of spans."""
    ids = set()
    for span in spans:
        for text, digits in ((span.trace_id, 32), (span.span_id, 16), (span.parent_id, 16)):
            if text is not None:
                assert len(text) == digits
                assert int(text, 16) != 0
                assert text == text.lower()
        assert span.name
        assert span.end >= span.start
        assert span.parent_id != span.span_id
        assert (span.trace_id, span.span_id) not in ids
        ids.add((span.trace_id, span.span_id))
