"""Spans as whole traces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ._span import Span

_QUIET = 10_000_000  # µs after which a trace whose topmost span was not seen counts as complete


def traces(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """The spans of one trace after the other, as the traces are complete.

    spans -- as they are finished, such as spans() gives them

    A trace is complete with the span that has no parent. One whose topmost span was not seen, for a
    client's is around it, is complete when nothing has come of it for ten seconds of the spans'
    time. What comes later is a list of its own.
    """
    running: dict[str, list[Span]] = {}
    newest = 0
    for span in spans:
        running.setdefault(span.trace_id, []).append(span)
        if span.parent_id is None:
            yield running.pop(span.trace_id)
        if span.end > newest + _QUIET // 10:
            newest = span.end
            quiet = [each for each, found in running.items() if found[-1].end < newest - _QUIET]
            yield from (running.pop(each) for each in quiet)
    yield from running.values()
