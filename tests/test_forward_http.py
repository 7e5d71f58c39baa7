"""Records go to a web server: a real one, which answers as the tests say."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import DATA
from forwarding import forwarding, once, send, usids, written
from subscribing import PATIENCE, wait_until

from confd_events.forward import ConfigError, Spool, read_config, status_of
from confd_events.testing import Daemon

SECRET = "abc-s3cret-token"


class Request(NamedTuple):
    path: str
    kind: str
    authorization: str | None
    body: str


class Server(ThreadingHTTPServer):
    """Keeps what it takes; the first answers are those it is told."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.taken: list[Request] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.asked: list[float] = []
        self.refuses = '"usid": -'
        self.hangs_up = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/events?source=nso"

    def records(self) -> list[dict[str, Any]]:
        return [record for request in self.taken for record in json.loads(request.body)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append(time.monotonic())
        status, headers = self.server.answers.pop(0) if self.server.answers else (200, {})
        if status == 200 and self.server.refuses in body:
            status = 400
        if status == 200:
            kind, authorization = self.headers["Content-Type"], self.headers["Authorization"]
            self.server.taken.append(Request(self.path, kind, authorization, body))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"said")
        self.close_connection = self.close_connection or self.server.hangs_up

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


def http_sink(server: Server, more: str = "") -> str:
    return f'[[sinks]]\ntype = "http"\nurl = "{server.url}"\nretry = 0.05\n{more}\n'


def test_batches_are_posted(
    daemon: Daemon, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", SECRET)
    sink = http_sink(server, 'token_env = "A_TOKEN"')
    with forwarding(written(tmp_path, daemon, sink=sink)):
        send(daemon, 1, 2, 3)
        wait_until(lambda: len(server.records()) == 4)
    assert usids(server.records()) == ["started", 1, 2, 3]
    kind = "application/cloudevents-batch+json; charset=utf-8"
    seen = {request[:3] for request in server.taken}
    assert seen == {("/events?source=nso", kind, f"Bearer {SECRET}")}


def test_lines_and_splunk(daemon: Daemon, tmp_path: Path, server: Server) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n")
    sinks = http_sink(server, 'name = "lines"\nformat = "lines"') + http_sink(
        server, f'name = "hec"\nformat = "splunk"\ntoken_file = "{tmp_path / "token"}"'
    )
    with forwarding(written(tmp_path, daemon, sink=sinks)):
        send(daemon, 1, 2)
        wait_until(lambda: sum(each.body.count('"usid"') for each in server.taken) == 4)
    of_kind: dict[str | None, str] = {}
    for request in server.taken:
        before = of_kind.get(request.authorization, "")
        of_kind[request.authorization] = before + request.body
    assert usids([json.loads(line) for line in of_kind[None].splitlines()]) == ["started", 1, 2]
    decoder, text, found = json.JSONDecoder(), of_kind[f"Splunk {SECRET}"], []
    while text:
        event, end = decoder.raw_decode(text)
        found.append(event)
        text = text[end:]
    assert usids([event["event"] for event in found]) == ["started", 1, 2]
    assert {event["host"] for event in found} == {"paris"}
    assert abs(found[-1]["time"] - time.time()) < 10 * PATIENCE


def test_a_record_that_is_too_deep_to_parse(daemon: Daemon, tmp_path: Path, server: Server) -> None:
    about = '"source": "//nso/paris", "type": "nso.audit", "time": "2026-01-01T00:00:00+00:00"'
    deep = "[" * 100_000 + "]" * 100_000
    path = written(tmp_path, daemon, sink=http_sink(server, 'format = "splunk"'))
    with Spool(tmp_path / "spool.db") as spool:
        spool.serve(["http"])
        spool.append("paris", [f'{{"id": "1", {about}, "data": {deep}}}'])
    with forwarding(path):
        wait_until(lambda: any(deep in request.body for request in server.taken))


def test_what_it_refuses_is_found_in_its_batch(
    daemon: Daemon, tmp_path: Path, server: Server
) -> None:
    path = written(tmp_path, daemon, sink=http_sink(server, "attempts = 2"))
    with Spool(tmp_path / "spool.db") as spool:
        spool.serve(["http"])
        audit = '{"id": "%d", "data": {"type": 1, "audit": {"usid": %d}}}'
        spool.append("paris", [audit % (n, -n if n in (3, 7) else n) for n in range(1, 10)])
    with forwarding(path):
        wait_until(lambda: usids(once(server.records()))[-1:] == ["started"])
        wait_until(lambda: status_of(tmp_path / "spool.db").records == 0)
    assert usids(once(server.records())) == [1, 2, 4, 5, 6, 8, 9, "started"]
    (status,) = status_of(tmp_path / "spool.db").sinks
    assert status.dead == 2


@pytest.mark.parametrize("as_date", [False, True])
def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(
    daemon: Daemon, tmp_path: Path, server: Server, as_date: bool
) -> None:
    after = formatdate(time.time() + 3, usegmt=True) if as_date else "2"
    server.answers = [(503, {"Retry-After": after}), (500, {}), (404, {}), (429, {})]
    with forwarding(written(tmp_path, daemon, sink=http_sink(server))):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].error is not None)
        said = str(status_of(tmp_path / "spool.db").sinks[0].error)
        assert said.startswith("127.0.0.1 answers 503 ")
        send(daemon, 1)
        wait_until(lambda: len(server.records()) == 2)
    assert usids(server.records()) == ["started", 1]
    assert server.asked[1] - server.asked[0] >= 1


def test_a_server_that_is_gone_and_comes_back(daemon: Daemon, tmp_path: Path) -> None:
    with Server() as gone:
        path = written(tmp_path, daemon, sink=http_sink(gone))
        port = gone.server_address[1]
    with forwarding(path):
        send(daemon, 1)
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].error is not None)
        with Server(port) as back:
            threading.Thread(target=back.serve_forever, args=(0.01,), daemon=True).start()
            wait_until(lambda: len(back.records()) == 2)
            back.shutdown()
    assert usids(back.records()) == ["started", 1]


def test_a_server_that_closes_idle_connections_is_no_trouble(
    daemon: Daemon, tmp_path: Path, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.hangs_up = True
    with forwarding(written(tmp_path, daemon, sink=http_sink(server))):
        for number in (1, 2, 3):
            send(daemon, number)
            wait_until(lambda: usids(server.records())[-1:] == [number])  # noqa: B023
    assert usids(server.records()) == ["started", 1, 2, 3]
    assert "tried again" not in caplog.text


def test_tls_checks_the_certificate(daemon: Daemon, tmp_path: Path, server: Server) -> None:
    # Made for this test: of 127.0.0.1, signed by itself, valid for a hundred years.
    certificate = DATA / "tls" / "certificate.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, DATA / "tls" / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    secure = http_sink(server).replace("http://", "https://")
    sinks = f'{secure}name = "trusted"\nca = "{certificate}"\n{secure}name = "unknown"\n'
    path = written(tmp_path, daemon, sink=sinks)
    path.write_text(f"drain = 0.2\n{path.read_text()}")
    with forwarding(path):
        send(daemon, 1)
        wait_until(lambda: usids(server.records()) == ["started", 1])
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[1].error is not None)
        statuses = {each.name: each for each in status_of(tmp_path / "spool.db").sinks}
    assert "certificate verify failed" in str(statuses["unknown"].error)
    assert statuses["unknown"].position == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('url = "ftp://host/"', r"^sinks\[0\]\.url: expected one that begins with http"),
        ('url = "http://host:x/"', r"^sinks\[0\]\.url: "),
        ('url = "http://ada:lovelace@host/"', r"^sinks\[0\]\.url: has a user or a password"),
        ('url = "http://h/"\nca = "x"', r"^sinks\[0\]\.ca: is for https"),
        ('url = "https://h/"\nca = "/nowhere"', r"^sinks\[0\]\.ca: /nowhere: No such file"),
        ('url = "http://h/"\nformat = "xml"', r"^sinks\[0\]\.format: 'xml' is none of cloudevents"),
        ('url = "http://h/"\ntoken = "abc-s3cret-token"', r"^sinks\[0\]\.token: a secret does not"),
        ('url = "http://h/"\ntoken_env = "NOT_SET_1"', r"^sinks\[0\]\.token_env: variable NOT_SET"),
        ('url = "http://h/"\ntoken_file = "/nowhere"', r"^sinks\[0\]\.token_file: /nowhere can't"),
        ('url = "http://h/"\ntoken_file = "a"\ntoken_env = "b"', "give token_env or token_file"),
    ],
)
def test_what_is_wrong_is_named(daemon: Daemon, tmp_path: Path, more: str, said: str) -> None:
    path = written(tmp_path, daemon, sink=f'[[sinks]]\ntype = "http"\n{more}\n')
    with pytest.raises(ConfigError, match=said) as caught:
        read_config(str(path))
    assert SECRET not in str(caught.value)
    assert "lovelace" not in str(caught.value)


def test_a_token_is_in_no_repr(
    daemon: Daemon, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", SECRET)
    path = written(tmp_path, daemon, sink=http_sink(server, 'token_env = "A_TOKEN"'))
    assert SECRET not in repr(read_config(str(path)))
