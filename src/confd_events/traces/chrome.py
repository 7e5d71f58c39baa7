"""Traces for chrome://tracing, Perfetto and Speedscope, as JSON.

Their tracks need slices that nest; NSO's steps may outlive the step around them. So each trace has
a track for each device and for the rest, and as many more beside it as there are steps at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from ._span import Span

_REST = "transaction"


def write_chrome(spans: Iterable[Span], file: TextIO) -> None:
    """Writes spans as a JSON object of the Trace Event Format.

    A process is a user session, a thread within it a track: a device, or what is done for all.
    Links, and steps whose parent is on another track, are there as arguments.
    """
    file.write('{"displayTimeUnit":"ms","traceEvents":[\n')
    for number, event in enumerate(_events(spans)):
        file.write((",\n" if number else "") + json.dumps(event, separators=(",", ":")))
    file.write("\n]}\n")


def _events(spans: Iterable[Span]) -> Iterator[dict[str, Any]]:
    tracks = _Tracks()
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        pid = _session(span)
        new, tid = tracks.place(span)
        yield from new
        yield {
            "ph": "X",
            "name": span.name,
            "cat": "failed" if span.error else "incomplete" if span.incomplete else "step",
            "ts": span.start,
            "dur": span.duration,
            "pid": pid,
            "tid": tid,
            "args": _arguments(span),
        }
        for event in span.events:
            yield {
                "ph": "i",
                "name": event.name,
                "cat": "info",
                "ts": event.time,
                "pid": pid,
                "tid": tid,
                "s": "t",
                "args": dict(event.attributes),
            }


def _session(span: Span) -> int:
    usid = span.attributes.get("nso.usid", 0)
    return usid if isinstance(usid, int) else 0


def _arguments(span: Span) -> dict[str, Any]:
    arguments: dict[str, Any] = {**span.attributes, "trace_id": span.trace_id}
    arguments["span_id"] = span.span_id
    if span.parent_id is not None:
        arguments["parent_id"] = span.parent_id
    if span.error is not None:
        arguments["error"] = span.error
    if span.links:
        arguments["links"] = [f"{link.trace_id}/{link.span_id}" for link in span.links]
    return arguments


class _Tracks:
    """Finds for each span a track on which it nests; spans come by their start."""

    def __init__(self) -> None:
        self._lanes: dict[tuple[int, str], list[tuple[int, list[int]]]] = {}
        self._named: set[int] = set()
        self._count = 0

    def place(self, span: Span) -> tuple[list[dict[str, Any]], int]:
        """What names new tracks, and the number of the span's track."""
        session, track = _session(span), span.device or _REST
        new: list[dict[str, Any]] = []
        if session not in self._named:
            self._named.add(session)
            new.append(_metadata("process_name", session, 0, f"session {session}"))
        lanes = self._lanes.setdefault((session, track), [])
        for number, ends in lanes:
            while ends and ends[-1] <= span.start:
                ends.pop()
            if not ends or span.end <= ends[-1]:
                ends.append(span.end)
                return new, number
        self._count += 1
        lanes.append((self._count, [span.end]))
        name = track if len(lanes) == 1 else f"{track} ({len(lanes)})"
        new.append(_metadata("thread_name", session, self._count, name))
        return new, self._count


def _metadata(what: str, pid: int, tid: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": pid, "tid": tid, "args": {"name": name}}
