"""Progress becomes spans and the rest log records: a real receiver, and the official decoder."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from forwarding import SOURCE, ending_soon, forwarding, written
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from subscribing import PATIENCE, wait_until
from test_traces_otlp import attributes_of
from tracing import BEGIN, START, STOP, number, progress, span_of

from confd_events.forward import ConfigError, read_config, status_of
from confd_events.testing import Daemon

SECRET = "abc-s3cret-token"


class Collector(ThreadingHTTPServer):
    """Keeps what it takes; answers as it is told, and then well."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.spans: list[Any] = []
        self.logs: list[Any] = []
        self.resources: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.answers: list[int] = []
        self.refuses = ""
        self.rejected = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def names(self) -> list[str]:
        return [span.name for span in self.spans]

    def bodies(self) -> list[str]:
        return [record.body.string_value for record in self.logs]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Collector

    def do_POST(self) -> None:
        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.tokens.append(self.headers.get("Authorization"))
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 200:
            status = self.take(body)
        self.send_response(status)
        answer = self.partial_success() if status == 200 and self.server.rejected else b""
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def partial_success(self) -> bytes:
        answer = ExportTraceServiceResponse()
        answer.partial_success.rejected_spans = self.server.rejected
        answer.partial_success.error_message = "too old"
        return bytes(answer.SerializeToString())

    def take(self, body: bytes) -> int:
        if self.path == "/v1/traces":
            found: Any = ExportTraceServiceRequest.FromString(body).resource_spans
            spans = [span for each in found for scope in each.scope_spans for span in scope.spans]
            if any(span.name == self.server.refuses for span in spans):
                return 400
            self.server.spans += spans
        elif self.path == "/v1/logs":
            found = ExportLogsServiceRequest.FromString(body).resource_logs
            self.server.logs += [
                log for each in found for scope in each.scope_logs for log in scope.log_records
            ]
        else:
            return 404
        self.server.resources += [attributes_of(each.resource) for each in found]
        return 200

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


def configured(tmp_path: Path, daemon: Daemon, collector: Collector, more: str = "") -> Path:
    sink = f'[[sinks]]\ntype = "otlp"\nurl = "{collector.url}"\nretry = 0.05\n{more}\n'
    path = written(tmp_path, daemon, sink=sink)
    text = path.read_text().replace('["audit", "audit-sync"]', '["audit", "progress"]')
    path.write_text(text)
    return path


def now() -> int:
    """What makes the times of the made traces begin now, in µs."""
    return time.time_ns() // 1000 - BEGIN


def tell(daemon: Daemon, *events: dict[str, Any], after: int) -> None:
    for event in events:
        daemon.progress(**{**event, "timestamp": event["timestamp"] + after})


@pytest.mark.since(8, 2)  # span ids
def test_spans_and_log_records(tmp_path: Path, daemon: Daemon, collector: Collector) -> None:
    with forwarding(configured(tmp_path, daemon, collector)):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        after = now()
        start, stop = span_of("applying transaction", 0, 3_600_000_000, number(1))
        tell(daemon, start, after=after)
        daemon.audit(user="ada", usid=41, msg="commit")
        daemon.audit(user="bob", usid=7, msg="show")
        wait_until(lambda: {"commit", "show"} <= set(collector.bodies()))
        tell(daemon, {**stop, "timestamp": now() + BEGIN - after}, after=after)
        wait_until(lambda: "applying transaction" in collector.names())
    (span,) = collector.spans
    logs = {record.body.string_value: record for record in collector.logs}
    assert (logs["commit"].trace_id, logs["commit"].span_id) == (span.trace_id, span.span_id)
    assert (logs["show"].trace_id, logs["show"].span_id) == (b"", b"")
    assert logs["commit"].event_name == f"{SOURCE}.audit"
    said = attributes_of(logs["commit"])
    assert said.items() >= {"nso.user": "ada", "nso.usid": 41}.items()
    assert said["log.record.uid"].startswith("paris/")
    expected = {"service.name": SOURCE, "service.instance.id": "paris"}
    assert all(each == expected for each in collector.resources)


@pytest.mark.since(8, 2)  # span ids
def test_what_is_open_comes_again_with_the_next_run(
    tmp_path: Path, daemon: Daemon, collector: Collector
) -> None:
    """The position stays before a step that is open; the spool keeps its records."""
    path = configured(tmp_path, daemon, collector)
    ending_soon(path)
    after = now()
    start, stop = span_of("push", 0, 5_000, number(1))
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        tell(daemon, start, *span_of("connect", 10, 20, number(2), number(1)), after=after)
        wait_until(lambda: "connect" in collector.names())
    assert collector.names() == ["connect"]
    (sink,) = status_of(tmp_path / "spool.db").sinks
    assert sink.waiting >= 3
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        tell(daemon, stop, after=after)
        wait_until(lambda: "push" in collector.names())
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].waiting == 0)
    (push,) = [span for span in collector.spans if span.name == "push"]
    assert push.end_time_unix_nano - push.start_time_unix_nano == 5_000_000
    assert not attributes_of(push).get("nso.incomplete")
    assert {span.span_id for span in collector.spans if span.name == "connect"} == {
        bytes.fromhex(number(2))
    }


def test_nothing_is_lost_while_the_collector_is_busy(
    tmp_path: Path, daemon: Daemon, collector: Collector
) -> None:
    collector.answers = [503, 503, 429]
    (tmp_path / "token").write_text(SECRET)
    with forwarding(configured(tmp_path, daemon, collector, f'token_file = "{tmp_path}/token"')):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        after = now()
        for index in range(3):
            tell(daemon, *span_of(f"step {index}", index, 9, number(index + 1)), after=after)
        wait_until(lambda: {"step 0", "step 1", "step 2"} <= set(collector.names()))
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].waiting == 0)
    assert set(collector.tokens) == {f"Bearer {SECRET}"}
    assert collector.answers == []


@pytest.mark.since(8, 2)  # span ids
def test_a_span_that_is_refused_is_left_out_and_told(
    tmp_path: Path, daemon: Daemon, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    collector.refuses = "bad"
    with forwarding(configured(tmp_path, daemon, collector)):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        after = now()
        for index, name in enumerate(("good", "bad", "better")):
            tell(daemon, *span_of(name, index, index + 1, number(index + 1)), after=after)
        wait_until(lambda: len(collector.spans) >= 2)
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].waiting == 0)
    assert sorted(collector.names()) == ["better", "good"]
    assert f"span {number(2)} of trace" in caplog.text


def test_what_the_collector_says_it_did_not_take_is_told(
    tmp_path: Path, daemon: Daemon, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    collector.rejected = 1
    with forwarding(configured(tmp_path, daemon, collector, "logs = false")):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        tell(daemon, *span_of("old", 0, 1, number(1)), after=now())
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].waiting == 0)
        wait_until(lambda: "old" in collector.names())
    assert "1 spans are rejected and left out: too old" in caplog.text


def test_a_step_that_is_open_too_long(tmp_path: Path, daemon: Daemon, collector: Collector) -> None:
    with forwarding(configured(tmp_path, daemon, collector, 'longest = "1s"')):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        tell(daemon, progress(START, 0, "push"), after=now())
        wait_until(lambda: "push" in collector.names())
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].waiting == 0)
    (span,) = collector.spans
    assert attributes_of(span)["nso.incomplete"] is True


def test_spans_alone(tmp_path: Path, daemon: Daemon, collector: Collector) -> None:
    with forwarding(configured(tmp_path, daemon, collector, "logs = false")):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.audit(user="ada", usid=41, msg="commit")
        tell(daemon, progress(STOP, 5, "push", duration=5), after=now())
        wait_until(lambda: "push" in collector.names())
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].waiting == 0)
    assert collector.logs == []


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('url = "localhost:4318"', r"sinks\[0\].url: expected one that begins"),
        ('url = "http://a:b@h/"', r"sinks\[0\].url: has a user"),
        ('url = "http://h"\nca = "x"', r"sinks\[0\].ca: is for https"),
    ],
)
def test_what_is_wrong_in_the_configuration(
    tmp_path: Path, daemon: Daemon, table: str, said: str
) -> None:
    path = written(tmp_path, daemon, sink=f'[[sinks]]\ntype = "otlp"\n{table}\n')
    with pytest.raises(ConfigError, match=said):
        read_config(str(path))
