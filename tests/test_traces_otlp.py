"""OTLP: what is encoded, as the official decoder reads it, and how it is sent."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from tracing import BEGIN, assembled, commit, number, span_of

from confd_events import __version__
from confd_events.traces import Link, Span, SpanEvent
from confd_events.traces.otlp import OtlpError, OtlpSender

Answer = tuple[int, dict[str, str], bytes]
OK: Answer = (200, {}, b"")


class Collector:
    """A collector that answers as it is told, and then well."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[ExportTraceServiceRequest] = []
        self.headers: list[Any] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.requests.append(ExportTraceServiceRequest.FromString(body))
                collector.headers.append(self.headers)
                status, headers, answer = collector.answers.pop(0) if collector.answers else OK
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/traces"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Collector:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def spans(self) -> list[OtlpSpan]:
        """What came in the last request."""
        return list(self.requests[-1].resource_spans[0].scope_spans[0].spans)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


def sent(spans: list[Span], **options: Any) -> Collector:
    with Collector() as collector:
        sender = OtlpSender(collector.url, **options)
        sender.send(spans)
        sender.close()
    return collector


def attributes_of(message: Any) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value")) for each in message.attributes
    }


def check_same(found: OtlpSpan, span: Span) -> None:
    assert found.trace_id.hex() == span.trace_id
    assert found.span_id.hex() == span.span_id
    assert found.parent_span_id.hex() == (span.parent_id or "")
    assert found.name == span.name
    assert found.kind == OtlpSpan.SPAN_KIND_INTERNAL
    assert found.start_time_unix_nano == span.start * 1000
    assert found.end_time_unix_nano == span.end * 1000
    assert attributes_of(found) == span.attributes
    for event, expected in zip(found.events, span.events):
        assert (event.time_unix_nano, event.name) == (expected.time * 1000, expected.name)
        assert attributes_of(event) == expected.attributes
    assert len(found.events) == len(span.events)
    assert [(link.trace_id.hex(), link.span_id.hex()) for link in found.links] == span.links
    error = span.error is not None
    assert found.status.code == (Status.STATUS_CODE_ERROR if error else Status.STATUS_CODE_UNSET)
    assert found.status.message == (span.error or "")


@pytest.mark.parametrize("compress", [True, False])
def test_a_commit(compress: bool) -> None:
    spans = assembled(commit())
    collector = sent(spans, resource={"service.instance.id": "paris"}, compress=compress)
    (resource,) = collector.requests[0].resource_spans
    expected = {"service.name": "nso", "service.instance.id": "paris"}
    assert attributes_of(resource.resource) == expected
    (scope,) = resource.scope_spans
    assert (scope.scope.name, scope.scope.version) == ("confd-events", __version__)
    assert len(collector.spans) == len(spans)
    for found, span in zip(collector.spans, spans):
        check_same(found, span)
    assert collector.headers[0]["Content-Type"] == "application/x-protobuf"


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
VALUES = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), TEXTS)
ATTRIBUTES = st.dictionaries(TEXTS.filter(bool), VALUES, max_size=5)
TIMES = st.integers(0, 2**53)
TRACE_IDS = st.integers(1, 16**32 - 1).map("{:032x}".format)
SPAN_IDS = st.integers(1, 16**16 - 1).map("{:016x}".format)


@st.composite
def any_span(draw: st.DrawFn) -> Span:
    start, end = sorted((draw(TIMES), draw(TIMES)))
    span = Span(draw(TRACE_IDS), draw(SPAN_IDS), draw(TEXTS), start, end)
    span.parent_id = draw(st.none() | SPAN_IDS)
    span.attributes = draw(ATTRIBUTES)
    span.events = draw(st.lists(st.builds(SpanEvent, TIMES, TEXTS, ATTRIBUTES), max_size=3))
    span.links = draw(st.lists(st.builds(Link, TRACE_IDS, SPAN_IDS), max_size=3))
    span.error = draw(st.none() | TEXTS)
    return span


@settings(deadline=None, max_examples=50)
@given(st.lists(any_span(), max_size=5))
def test_every_field_as_the_official_decoder_reads_it(spans: list[Span]) -> None:
    collector = sent(spans)
    assert len(collector.spans) == len(spans)
    for found, span in zip(collector.spans, spans):
        check_same(found, span)


def test_a_number_that_otlp_lacks_is_text() -> None:
    span = assembled(span_of("x", 0, 1, number(1)))[0]
    span.attributes["large"] = 2**64
    assert attributes_of(sent([span]).spans[0])["large"] == str(2**64)


# Sending


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_collector_is_asked_again(status: int) -> None:
    pauses: list[float] = []
    spans = assembled(commit())
    in_a_minute = formatdate(time.time() + 60, usegmt=True)
    answers: list[Answer] = [
        (status, {"Retry-After": "7"}, b"busy"),
        (status, {"Retry-After": in_a_minute}, b""),
        (status, {}, b""),
    ]
    with Collector(*answers) as collector:
        sender = OtlpSender(collector.url, patience=1000, wait=pauses.append)
        sender.send(spans)
        sender.close()
    assert len(collector.requests) == 4
    assert pauses[0] == 7
    assert 50 < pauses[1] <= 60
    assert 0 < pauses[2] < 30
    assert sender.stats()[:3] == (len(spans), 1, 3)


def test_the_connection_is_kept_and_made_again(collector: Collector) -> None:
    sender = OtlpSender(collector.url, wait=lambda _: None)
    spans = assembled(commit())
    sender.send(spans)
    assert sender._connection is not None
    sender._connection.sock.close()
    sender.send(spans)
    sender.close()
    assert sender.stats().spans == 2 * len(spans)


def test_what_is_refused_is_an_error() -> None:
    with Collector((400, {}, b"no such\ntenant")) as collector:
        sender = OtlpSender(collector.url)
        with pytest.raises(OtlpError, match=r"does not take the spans: status 400: no such tenant"):
            sender.send(assembled(commit()))
        sender.close()
    assert sender.stats().spans == 0


def test_patience_ends() -> None:
    sender = OtlpSender("http://127.0.0.1:1/v1/traces?token=hush", patience=0)
    with pytest.raises(OtlpError, match="was not reached") as caught:
        sender.send(assembled(commit()))
    assert "hush" not in str(caught.value)


def test_what_the_collector_did_not_take_is_counted() -> None:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 3
    answer.partial_success.error_message = "too old"
    spans = assembled(commit())
    with Collector((200, {}, answer.SerializeToString())) as collector:
        sender = OtlpSender(collector.url)
        sender.send(spans)
        sender.close()
    stats = sender.stats()
    assert (stats.spans, stats.rejected, stats.message) == (len(spans) - 3, 3, "too old")


def test_headers_are_sent_and_not_shown(collector: Collector) -> None:
    sender = OtlpSender(collector.url, headers={"Authorization": "Bearer hush"})
    sender.send(assembled(commit()))
    sender.close()
    assert collector.headers[0]["Authorization"] == "Bearer hush"
    assert "hush" not in repr(sender)


@pytest.mark.parametrize("endpoint", ["localhost:4318", "ftp://x/", "http://", ""])
def test_an_endpoint_that_is_none(endpoint: str) -> None:
    with pytest.raises(ValueError, match="is not a URL"):
        OtlpSender(endpoint)


def test_times_before_the_epoch_are_the_epoch() -> None:
    (span,) = assembled(span_of("x", -BEGIN - 5, -BEGIN + 7, number(1)))
    found = sent([span]).spans[0]
    assert (found.start_time_unix_nano, found.end_time_unix_nano) == (0, 7000)
