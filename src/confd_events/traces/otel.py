"""Spans for exporters of the OpenTelemetry SDK. Needs the extra otel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from .._version import __version__
from ._span import AttributeValue, Span

_SCOPE = InstrumentationScope("confd-events", __version__)
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class ExportError(Exception):
    """An exporter says that it has not exported."""


def readable_span(span: Span, resource: Resource) -> ReadableSpan:
    """A span as exporters of the SDK take it.

    resource -- what it comes from
    """
    parent = None if span.parent_id is None else _context(span.trace_id, span.parent_id)
    return ReadableSpan(
        name=span.name,
        context=_context(span.trace_id, span.span_id),
        parent=parent,
        resource=resource,
        attributes=span.attributes,
        events=[Event(event.name, event.attributes, event.time * 1000) for event in span.events],
        links=[Link(_context(link.trace_id, link.span_id)) for link in span.links],
        kind=SpanKind.INTERNAL,
        status=Status() if span.error is None else Status(StatusCode.ERROR, span.error),
        start_time=span.start * 1000,
        end_time=span.end * 1000,
        instrumentation_scope=_SCOPE,
    )


class SdkSender:
    """Gives spans to an exporter of the SDK, whichever that is.

    exporter -- its shutdown() is the caller's
    resource -- what the spans come from; service.name is "nso" unless it says another
    """

    def __init__(
        self, exporter: SpanExporter, *, resource: Mapping[str, AttributeValue] | None = None
    ) -> None:
        self._exporter = exporter
        self._resource = Resource({"service.name": "nso", **(resource or {})})

    def send(self, spans: Iterable[Span]) -> None:
        """Exports spans, and returns when the exporter has.

        Raises ExportError when it says that it has not.
        """
        readable: Sequence[ReadableSpan] = [readable_span(span, self._resource) for span in spans]
        result = self._exporter.export(readable)
        if result is not SpanExportResult.SUCCESS:
            raise ExportError(f"{type(self._exporter).__name__} has not exported {len(readable)}")


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=_SAMPLED)
