"""Spans given to exporters of the OpenTelemetry SDK."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from test_traces_otlp import Collector, attributes_of, check_same
from tracing import TRACE, assembled, commit, number, span_of

from confd_events import __version__
from confd_events.traces import Span
from confd_events.traces.otel import ExportError, SdkSender


def made() -> list[Span]:
    """A commit, and a step that failed, with a link and a parent that was not seen."""
    link = SimpleNamespace(trace_id=TRACE, span_id=number(9))
    start, stop = span_of("push", 0, 5, number(7), number(8), links=[link], device="ce0")
    return assembled([*commit(), start, {**stop, "annotation": "error"}])


def test_every_part_of_a_span() -> None:
    exporter = InMemorySpanExporter()
    SdkSender(exporter, resource={"service.instance.id": "paris"}).send(made())
    found = exporter.get_finished_spans()
    assert len(found) == len(made())
    for read, span in zip(found, made()):
        assert f"{read.context.trace_id:032x}" == span.trace_id
        assert f"{read.context.span_id:016x}" == span.span_id
        parent = None if read.parent is None else f"{read.parent.span_id:016x}"
        assert parent == span.parent_id
        assert (read.name, read.kind) == (span.name, SpanKind.INTERNAL)
        assert (read.start_time, read.end_time) == (span.start * 1000, span.end * 1000)
        assert dict(read.attributes or {}) == span.attributes
        events = [(each.timestamp, each.name, dict(each.attributes or {})) for each in read.events]
        assert events == [(each.time * 1000, each.name, each.attributes) for each in span.events]
        links = [f"{each.context.span_id:016x}" for each in read.links]
        assert links == [each.span_id for each in span.links]
        expected = StatusCode.UNSET if span.error is None else StatusCode.ERROR
        assert (read.status.status_code, read.status.description) == (expected, span.error)
        resource = read.resource.attributes
        assert (resource["service.name"], resource["service.instance.id"]) == ("nso", "paris")
        assert read.instrumentation_scope is not None
        assert read.instrumentation_scope.version == __version__


def test_by_the_exporter_for_otlp() -> None:
    """What it sends is what OtlpSender sends."""
    with Collector() as collector:
        exporter = OTLPSpanExporter(endpoint=collector.url)
        SdkSender(exporter).send(made())
        exporter.shutdown()  # type: ignore[no-untyped-call]
    assert len(collector.spans) == len(made())
    for found, span in zip(collector.spans, made()):
        check_same(found, span)
    (resource,) = collector.requests[0].resource_spans
    assert attributes_of(resource.resource)["service.name"] == "nso"


class Failing(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.FAILURE


def test_an_exporter_that_fails() -> None:
    with pytest.raises(ExportError, match="Failing has not exported 5"):
        SdkSender(Failing()).send(made())
