"""Records go to a stream of Valkey: a real server, which is killed, full or silent."""

from __future__ import annotations

import json
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from conftest import DATA
from forwarding import (
    SOURCE,
    await_usids,
    body,
    delivered,
    file_sink,
    forwarding,
    once,
    send,
    spooled,
    trouble,
    usids,
    written,
)
from servers import Relay, ServerProcess, valkey_server
from subscribing import PATIENCE, wait_until

from confd_events.forward import ConfigError, read_config
from confd_events.testing import Daemon

SECRET = "abc-s3cret-token"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with valkey_server(tmp_path) as running:
        yield running


def client(server: ServerProcess, **options: Any) -> Any:
    return redis.Redis(port=server.port, decode_responses=True, **options)


def added(server: ServerProcess, key: str = "confd-events", **options: Any) -> list[dict[str, str]]:
    with client(server, **options) as reader:
        return [fields for _, fields in reader.xrange(key)]


def records(server: ServerProcess) -> list[dict[str, Any]]:
    return [json.loads(fields["record"]) for fields in added(server)]


def redis_sink(port: int, more: str = "") -> str:
    url = f"redis://127.0.0.1:{port}/0"
    return f'[[sinks]]\ntype = "redis"\nurl = "{url}"\nretry = 0.05\n{more}\n'


def test_records_are_added(daemon: Daemon, tmp_path: Path, server: ServerProcess) -> None:
    with forwarding(written(tmp_path, daemon, sink=redis_sink(server.port))):
        send(daemon, 1, 2, 3)
        wait_until(lambda: len(added(server)) == 4)
    assert usids(records(server)) == ["started", 1, 2, 3]
    for fields in added(server):
        record = json.loads(fields.pop("record"))
        assert fields == {key: record[key] for key in ("id", "source", "type", "time")}


def test_a_stream_for_each_type_that_is_kept_short(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    more = 'stream = "{node}:{type}"\nmax_length = 100'
    path = written(tmp_path, daemon, sink=redis_sink(server.port, more))
    spooled(tmp_path, "redis", [body(number) for number in range(2000)])
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        delivered(tmp_path)
    assert 100 <= len(added(server, f"paris:{SOURCE}.audit")) < 500
    assert len(added(server, f"paris:{SOURCE}.started")) == 1


def test_a_server_that_comes_later_and_other_sinks_go_on(daemon: Daemon, tmp_path: Path) -> None:
    server, out = valkey_server(tmp_path), tmp_path / "out"
    sinks = redis_sink(server.port) + file_sink(out)
    with forwarding(written(tmp_path, daemon, sink=sinks)):
        send(daemon, 1)
        await_usids(out, ["started", 1])
        said = trouble(tmp_path, "redis")
        with server:
            wait_until(lambda: len(added(server)) == 2)
            assert usids(records(server)) == ["started", 1]
    assert said.startswith(f"127.0.0.1:{server.port}: ")
    assert "Connection refused" in said


def test_a_server_that_is_killed_again_and_again(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    count = 20_000
    path = written(tmp_path, daemon, sink=redis_sink(server.port))
    spooled(tmp_path, "redis", [body(number) for number in range(count)])
    with forwarding(path):
        for part in (0.1, 0.4, 0.7):
            wait_until(lambda: len(added(server)) > part * count)  # noqa: B023
            server.kill()
            server.start()
        delivered(tmp_path)
    assert usids(once(records(server))) == [*range(count), "started"]


def test_an_answer_that_is_lost_makes_repeats_with_the_same_id(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    with Relay(server) as relay:
        sink = redis_sink(relay.port, "timeout = 1")
        with forwarding(written(tmp_path, daemon, sink=sink)):
            send(daemon, 1)
            wait_until(lambda: len(added(server)) == 2)
            relay.mute = True
            send(daemon, 2)
            assert "Timeout" in trouble(tmp_path, "redis")
            relay.mute = False
            relay.cut()
            delivered(tmp_path)
    assert usids(records(server))[:3] == ["started", 1, 2]
    assert usids(once(records(server))) == ["started", 1, 2]


def test_a_server_out_of_memory_takes_nothing_of_a_batch(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    with client(server) as admin:
        admin.config_set("maxmemory", "1kb")
        path = written(tmp_path, daemon, sink=redis_sink(server.port))
        spooled(tmp_path, "redis", [body(number) for number in range(100)])
        with forwarding(path):
            said = trouble(tmp_path, "redis")
            assert added(server) == []
            admin.config_set("maxmemory", "0")
            delivered(tmp_path)
    assert "maxmemory" in said
    assert usids(records(server)) == [*range(100), "started"]


def test_a_password(daemon: Daemon, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "password"
    with valkey_server(tmp_path, "--requirepass", SECRET) as server:
        path = written(tmp_path, daemon, sink=redis_sink(server.port, f'password_file = "{file}"'))
        path.write_text(f"drain = 0.2\n{path.read_text()}")
        file.write_text("wr0ng\n")
        with forwarding(path):
            said = trouble(tmp_path, "redis")
        file.write_text(f"{SECRET}\n")
        with forwarding(path):
            daemon.wait_for_subscribers(timeout=PATIENCE)
            wait_until(lambda: len(added(server, password=SECRET)) >= 2)
    for secret in (SECRET, "wr0ng"):
        assert secret not in said + caplog.text + repr(read_config(str(path)))


def test_tls_checks_the_certificate(daemon: Daemon, tmp_path: Path, server: ServerProcess) -> None:
    certificate = DATA / "tls" / "certificate.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, DATA / "tls" / "key.pem")
    with Relay(server, context) as relay:
        secure = redis_sink(relay.port).replace("redis://", "rediss://")
        sinks = f'{secure}{secure}name = "trusted"\nca = "{certificate}"\n'
        path = written(tmp_path, daemon, sink=sinks)
        path.write_text(f"drain = 0.2\n{path.read_text()}")
        with forwarding(path):
            send(daemon, 1)
            wait_until(lambda: len(added(server)) == 2)
            said = trouble(tmp_path, "redis")
    assert "certificate verify failed" in said
    assert usids(records(server)) == ["started", 1]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", r"^sinks\[0\]\.url: is missing"),
        ('url = "http://h"', r"^sinks\[0\]\.url: 'http://h' is not as redis://"),
        ('url = "redis://h/x"', r"^sinks\[0\]\.url: 'redis://h/x' is not as redis://"),
        ('url = "redis://h:x"', r"^sinks\[0\]\.url: "),
        ('url = "redis://:lovelace@h"', r"^sinks\[0\]\.url: has a user or a password"),
        ('url = "redis://h"\nca = "x"', r"^sinks\[0\]\.ca: is for rediss://"),
        ('url = "redis://h"\nuser = "ada"', r"^sinks\[0\]\.user: give password_env"),
        ('url = "redis://h"\nmax_length = 0', r"^sinks\[0\]\.max_length: 0 is not"),
        ('url = "redis://h"\nstream = "{x}"', r"^sinks\[0\]\.stream: {x} is neither"),
    ],
)
def test_what_is_wrong_is_named(daemon: Daemon, tmp_path: Path, more: str, said: str) -> None:
    path = written(tmp_path, daemon, sink=f'[[sinks]]\ntype = "redis"\n{more}\n')
    with pytest.raises(ConfigError, match=said) as caught:
        read_config(str(path))
    assert "lovelace" not in str(caught.value)


def test_it_says_what_is_not_installed(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, "confd_events.forward.sinks.redis", raising=False)
    path = written(tmp_path, daemon, sink=redis_sink(6379))
    with pytest.raises(ConfigError, match=r"^sinks\[0\]\.type: 'redis' needs redis: pip install"):
        read_config(str(path))
