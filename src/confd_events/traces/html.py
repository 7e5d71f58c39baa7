"""Traces as a page: one file that a browser shows, and a person can send."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any, TextIO

from .._version import __version__
from ._forest import Node, forest
from ._span import Span

_PAGE = Path(__file__).with_name("page.html")


def write_html(spans: Iterable[Span], file: TextIO, *, title: str = "Traces") -> None:
    """Writes spans as an HTML page with a waterfall: all in one file, nothing is loaded for it.

    spans -- of any traces, in any order
    file -- its encoding should be UTF-8; the data are ASCII in any case
    title -- what the page is called

    In the browser, steps lie below the steps around them, or below their device, each below its
    user session; one can filter, fold and zoom.
    """
    for part in _PAGE.read_text(encoding="utf-8").split("@@"):
        if part == "DATA":
            _write_data(spans, file)
        elif part == "TITLE":
            file.write(escape(title))
        elif part == "VERSION":
            file.write(escape(__version__))
        else:
            file.write(part)


def _write_data(spans: Iterable[Span], file: TextIO) -> None:
    """Writes the steps as JSON, each behind the one around it, with its depth."""
    file.write("[\n")
    for number, (depth, node) in enumerate(_walked(spans)):
        written = json.dumps(_step(node, depth), separators=(",", ":"))
        # Within <script> nothing else ends the data, or is taken for a comment.
        file.write((",\n" if number else "") + written.replace("<", "\\u003c"))
    file.write("\n]")


def _walked(spans: Iterable[Span]) -> Iterator[tuple[int, Node]]:
    for root in forest(spans):
        yield from root.walk()


def _step(node: Node, depth: int) -> dict[str, Any]:
    span = node.span
    step: dict[str, Any] = {
        "depth": depth,
        "name": span.name,
        "start": span.start,
        "end": span.end,
        "own": node.self_time,
        "trace": span.trace_id,
        "id": span.span_id,
        "attributes": span.attributes,
    }
    if span.error is not None:
        step["error"] = span.error
    more = {
        "parent": span.parent_id,
        "incomplete": span.incomplete,
        "events": [[event.time, event.name, event.attributes] for event in span.events],
        "links": [[link.trace_id, link.span_id] for link in span.links],
    }
    return {**step, **{key: value for key, value in more.items() if value}}
