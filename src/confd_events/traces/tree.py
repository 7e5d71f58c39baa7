"""Traces as text: a line for each span, indented, with its time and its own part of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ._forest import Node, forest
from ._span import Span, SpanEvent, written_time

_COLUMNS = "       time   its own  step"


def tree(spans: Iterable[Span], *, events: bool = False) -> Iterator[str]:
    """The lines of traces, by their start.

    spans -- of any traces, in any order
    events -- with the events of each span

    The first column is how long a span took, the second how much of that was in none of the spans
    within it. Steps that failed say why, those whose end was not seen say so.
    """
    for number, root in enumerate(forest(spans)):
        if number:
            yield ""
        yield f"trace {root.span.trace_id}  {written_time(root.span.start)}"
        yield _COLUMNS
        for depth, node in root.walk():
            yield _line(node, depth)
            if events:
                yield from (_event(node.span, event, depth) for event in node.span.events)


def _line(node: Node, depth: int) -> str:
    span = node.span
    remarks = [f"[{what}]" for what in (span.device, span.service) if what]
    if span.error:
        remarks.append(f"FAILED: {span.error}")
    if span.incomplete:
        remarks.append("(end not seen)")
    times = f"{duration(span.duration):>11} {duration(node.self_time):>9}"
    return " ".join([f"{times}  {'  ' * depth}{span.name}", *remarks])


def _event(span: Span, event: SpanEvent, depth: int) -> str:
    after = f"+{duration(event.time - span.start)}"
    subsystem = event.attributes.get("nso.subsystem")
    told = f"{subsystem}: {event.name}" if subsystem else event.name
    return f"{after:>11} {'':>9}  {'  ' * depth}  · {told}"


def duration(microseconds: int) -> str:
    """A length of time as people read it, such as 350 µs, 16.2 ms or 1.50 s."""
    if abs(microseconds) < 1_000:
        return f"{microseconds} µs"
    if abs(microseconds) < 1_000_000:
        return f"{microseconds / 1_000:.1f} ms"
    if abs(microseconds) < 600_000_000:
        return f"{microseconds / 1_000_000:.2f} s"
    minutes, seconds = divmod(microseconds // 1_000_000, 60)
    return f"{minutes} min {seconds} s"
