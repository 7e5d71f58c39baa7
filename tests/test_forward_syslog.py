"""Records go to syslog: a real rsyslogd, over UDP, TCP and TLS."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from forwarding import (
    await_usids,
    body,
    delivered,
    ending_soon,
    forwarding,
    send,
    spooled,
    trouble,
    usids,
    written,
)
from rsyslog import (
    CERTIFICATE,
    KEY,
    await_taken,
    records,
    rsyslog_process,
    rsyslog_server,
    taken,
)
from servers import ServerProcess, free_port
from subscribing import PATIENCE, wait_until

from confd_events.forward import ConfigError, Record, letters_of, read_config, status_of
from confd_events.forward._config import Table
from confd_events.forward.sinks.syslog import SyslogSink
from confd_events.testing import Daemon

PLAIN = """
module(load="imtcp")
module(load="imudp")
input(type="imtcp" port="{port}" address="127.0.0.1")
input(type="imudp" port="{port}" address="127.0.0.1")
"""
TLS_OPTIONS = f"""
    defaultNetstreamDriver="gtls"
    defaultNetstreamDriverCAFile="{CERTIFICATE}"
    defaultNetstreamDriverCertFile="{CERTIFICATE}"
    defaultNetstreamDriverKeyFile="{KEY}"
"""


def encrypted(authentication: str) -> str:
    """An input over TLS; `authentication` says whom it takes messages from."""
    return f"""
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1"
    streamDriver.authMode="{authentication}")
input(type="imtcp" port="{{port}}" address="127.0.0.1")
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with rsyslog_server(tmp_path, PLAIN) as running:
        yield running


def syslog_sink(url: str, more: str = "") -> str:
    return f'[[sinks]]\ntype = "syslog"\nurl = "{url}"\nretry = 0.05\n{more}\n'


def of_kind(kind: str, name: str, payload: dict[str, Any], bit: int = 1) -> str:
    """The record of any notification, as the spool has it."""
    about = {"id": f"paris/{name}", "source": "//nso/paris", "type": f"nso.{name}"}
    time = {"time": "2026-01-01T00:00:00+00:00"}
    return json.dumps({**about, **time, "data": {"type": bit, "type_name": name, kind: payload}})


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_messages_arrive(
    daemon: Daemon, tmp_path: Path, server: ServerProcess, scheme: str
) -> None:
    sink = syslog_sink(f"{scheme}://127.0.0.1:{server.port}")
    with forwarding(written(tmp_path, daemon, sink=sink)):
        send(daemon, 1, 2)
        await_taken(tmp_path, ["started", 1, 2])
    for message, record in zip(taken(tmp_path), records(tmp_path)):
        assert message["time"] == record["time"]
        product = record["type"].partition(".")[0]
        assert (message["host"], message["app"], message["process"]) == ("paris", product, "-")
        named = " ".join(f'{key}="{record[key]}"' for key in ("id", "source", "type"))
        assert message["data"] == f"[event@32473 {named}]"
    assert [each["id"] for each in taken(tmp_path)] == ["started", "audit", "audit"]


def test_severity_and_facility(daemon: Daemon, tmp_path: Path, server: ServerProcess) -> None:
    more = 'facility = "local3"\napp_name = "events"\nhostname = "{node}.example.com"'
    sink = syslog_sink(f"tcp://127.0.0.1:{server.port}", more)
    path = written(tmp_path, daemon, sink=sink)
    path.write_text(path.read_text().replace('"audit-sync"', '"daemon", "commit-failed"'))
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.daemon_log(prio=2, msg="critical")
        daemon.daemon_log(prio=7, msg="debug")
        daemon.daemon_log(prio=99, msg="none")
        daemon.audit(msg="notice")
        daemon.commit_failed()
        wait_until(lambda: len(taken(tmp_path)) == 6)
    told = [(each["id"], int(each["pri"]) // 8, int(each["pri"]) % 8) for each in taken(tmp_path)]
    assert told == [
        ("started", 19, 5),
        ("daemon", 19, 2),
        ("daemon", 19, 7),
        ("daemon", 19, 6),
        ("audit", 19, 5),
        ("commit-failed", 19, 3),
    ]
    assert {(each["host"], each["app"]) for each in taken(tmp_path)} == {
        ("paris.example.com", "events")
    }


def test_severity_by_what_has_happened(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    bodies = [
        of_kind("hnot", "ha-info", {"type": 5, "type_name": "is-primary"}),
        of_kind("hnot", "ha-info", {"type": 1, "type_name": "noprimary"}),
        of_kind("cq_progress", "cq-progress", {"type": 4, "type_name": "completed"}),
        of_kind("cq_progress", "cq-progress", {"type": 5, "type_name": "failed"}),
        of_kind("progress", "progress", {"type": 1, "type_name": "start"}),
        of_kind("dropped", "dropped", {"count": 3}, 0),
        of_kind("stream", "stream-event", {"type": 1, "type_name": "notification-event"}),
        of_kind("stream", "stream-event", {"type": 4, "type_name": "replay-failed"}),
        of_kind("reopen", "reopen-logs", {}),
    ]
    path = written(tmp_path, daemon, sink=syslog_sink(f"tcp://127.0.0.1:{server.port}"))
    spooled(tmp_path, "syslog", bodies)
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        wait_until(lambda: len(taken(tmp_path)) == len(bodies) + 1)
    assert [int(each["pri"]) % 8 for each in taken(tmp_path)] == [5, 3, 6, 3, 7, 3, 6, 3, 6, 5]


def test_a_server_that_is_started_again(daemon: Daemon, tmp_path: Path) -> None:
    server = rsyslog_server(tmp_path, PLAIN)
    path = written(tmp_path, daemon, sink=syslog_sink(f"tcp://127.0.0.1:{server.port}"))
    with forwarding(path):
        send(daemon, 1)
        assert "Connection refused" in trouble(tmp_path, "syslog")
        with server:
            await_taken(tmp_path, ["started", 1])
            delivered(tmp_path)
        with server:
            send(daemon, 2)
            await_taken(tmp_path, ["started", 1, 2])
            delivered(tmp_path)
        send(daemon, 3)
        assert "Connection refused" in trouble(tmp_path, "syslog")
        with server:
            await_taken(tmp_path, ["started", 1, 2, 3])


def test_what_the_servers_host_does_not_take_is_not_delivered(
    daemon: Daemon, tmp_path: Path
) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # and never reads
        port = listener.getsockname()[1]
        path = written(tmp_path, daemon, sink=syslog_sink(f"tcp://127.0.0.1:{port}", "timeout = 1"))
        ending_soon(path)
        spooled(tmp_path, "syslog", [body(number, 500) for number in range(200)])
        with forwarding(path):
            said = trouble(tmp_path, "syslog")
            (status,) = status_of(tmp_path / "spool.db").sinks
    assert said == f"127.0.0.1:{port}: took nothing within 1 s"
    assert status.position == 0


def test_a_server_that_closes_each_connection_at_once(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # At once may take a while on a busy machine.
    monkeypatch.setattr("confd_events.forward.sinks.syslog._VERDICT", PATIENCE)

    def hang_up() -> None:
        with suppress(OSError):
            while True:
                listener.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=hang_up, name="test", daemon=True).start()
        port = listener.getsockname()[1]
        path = written(tmp_path, daemon, sink=syslog_sink(f"tcp://127.0.0.1:{port}"))
        ending_soon(path)
        with forwarding(path):
            said = trouble(tmp_path, "syslog")
            (status,) = status_of(tmp_path / "spool.db").sinks
        listener.shutdown(socket.SHUT_RDWR)
    assert said == f"127.0.0.1:{port}: the server has closed the connection"
    assert status.position == 0


def test_udp_to_a_port_where_nobody_listens(daemon: Daemon, tmp_path: Path) -> None:
    server = rsyslog_server(tmp_path, PLAIN)
    path = written(tmp_path, daemon, sink=syslog_sink(f"udp://127.0.0.1:{server.port}"))
    with forwarding(path):
        send(daemon, 1)
        said = trouble(tmp_path, "syslog")
        with server:
            await_taken(tmp_path, ["started", 1])
    assert said == f"127.0.0.1:{server.port}: Connection refused"


@pytest.mark.parametrize(("scheme", "most"), [("udp", 2048), ("tcp", 8000)])
def test_what_is_too_large_becomes_a_dead_letter_and_is_not_cut(
    daemon: Daemon, tmp_path: Path, server: ServerProcess, scheme: str, most: int
) -> None:
    url = f"{scheme}://127.0.0.1:{server.port}"
    empty = SyslogSink(Table("sinks[0]", {"url": url}))._messages.of(Record(1, body(2)))
    fits = most - len(empty)
    path = written(tmp_path, daemon, sink=syslog_sink(url, "attempts = 2"))
    spooled(tmp_path, "syslog", [body(1), body(2, fits), body(3, fits + 1), body(4)])
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        delivered(tmp_path)
        wait_until(lambda: len(taken(tmp_path)) == 4)
    assert usids(records(tmp_path)) == [1, 2, 4, "started"]
    assert records(tmp_path)[1] == json.loads(body(2, fits))
    (letter,) = letters_of(tmp_path / "spool.db")
    assert letter.json == body(3, fits + 1)
    assert letter.error == f"its {most + 1} bytes are more than max_size, {most}"


def test_a_header_is_of_visible_ascii_and_has_no_leap_second(tmp_path: Path) -> None:
    about = {"id": 'a"b\\c]d', "source": "//confd/zürich", "type": "confd.cq-progress"}
    about.update(subject="ncs-alarms", harole="primary")
    record = json.dumps({**about, "time": "2016-12-31T23:59:60+00:00", "data": {"type": 1}})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(PATIENCE)
        url = f"udp://127.0.0.1:{receiver.getsockname()[1]}"
        sink = SyslogSink(Table("sinks[0]", {"url": url, "enterprise": 99}))
        sink.open()
        sink.send([Record(1, record)])
        sink.close()
        got = receiver.recv(65536).decode()
    named = r'id="a\"b\\c\]d" source="//confd/zürich" type="confd.cq-progress"'
    named += ' subject="ncs-alarms" harole="primary"'
    assert got == f"<30>1 - z_rich confd - cq-progress [event@99 {named}] {record}"


def test_a_record_that_is_too_deep_to_parse(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    deep = "[" * 3000 + "]" * 3000
    record = body(1).replace('{"usid": 1, "msg": ""}', deep)
    path = written(tmp_path, daemon, sink=syslog_sink(f"tcp://127.0.0.1:{server.port}"))
    spooled(tmp_path, "syslog", [record])
    with forwarding(path):
        wait_until(lambda: any(deep in each["message"] for each in taken(tmp_path)))
    assert int(taken(tmp_path)[0]["pri"]) == 8 * 3 + 5


def test_tls_checks_the_certificate(daemon: Daemon, tmp_path: Path) -> None:
    with rsyslog_server(tmp_path, encrypted("anon"), TLS_OPTIONS) as server:
        url, ca = f"tls://127.0.0.1:{server.port}", f'ca = "{CERTIFICATE}"'
        # The certificate has 127.0.0.1 alone.
        other = syslog_sink(f"tls://localhost:{server.port}", ca)
        sinks = [
            syslog_sink(url, f'name = "trusted"\n{ca}'),
            syslog_sink(url, 'name = "unknown"'),
            f'{other}name = "misnamed"\n',
            f'{other}name = "named"\nserver_name = "127.0.0.1"\n',
            f'{other}name = "unchecked"\ncheck_name = false\n',
        ]
        path = written(tmp_path, daemon, sink="\n".join(sinks))
        ending_soon(path)
        with forwarding(path):
            send(daemon, 1)
            said = {name: trouble(tmp_path, name) for name in ("unknown", "misnamed")}
            wait_until(lambda: len(taken(tmp_path)) == 6)
            statuses = {each.name: each for each in status_of(tmp_path / "spool.db").sinks}
    assert "certificate verify failed" in said["unknown"]
    assert "certificate is not valid for 'localhost'" in said["misnamed"]
    assert [statuses[name].position for name in said] == [0, 0]
    assert sorted(map(str, usids(records(tmp_path)))) == [*["1"] * 3, *["started"] * 3]


def test_tls_shows_who_it_is(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("confd_events.forward.sinks.syslog._VERDICT", 2.0)
    with rsyslog_server(tmp_path, encrypted("x509/certvalid"), TLS_OPTIONS) as server:
        nobody = syslog_sink(f"tls://127.0.0.1:{server.port}", f'ca = "{CERTIFICATE}"')
        ours = f'{nobody}name = "ours"\ncertificate = "{CERTIFICATE}"\nkey = "{KEY}"\n'
        path = written(tmp_path, daemon, sink=f'{ours}{nobody}name = "nobody"\n')
        ending_soon(path)
        with forwarding(path):
            send(daemon, 1)
            await_taken(tmp_path, ["started", 1])
            said = trouble(tmp_path, "nobody")
            statuses = {each.name: each for each in status_of(tmp_path / "spool.db").sinks}
    assert said.startswith(f"127.0.0.1:{server.port}: ")
    assert statuses["nobody"].position == 0


def test_the_servers_side_as_documented(daemon: Daemon, tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "forward.md").read_text()
    (text,) = re.findall(r"```text\n(global\(.*?)```", page, re.DOTALL)
    of_tls, of_relp, out = free_port(), free_port(), tmp_path / "out"
    for old, new in (
        ("/etc/rsyslog.d/ca.pem", CERTIFICATE),
        ("/etc/rsyslog.d/certificate.pem", CERTIFICATE),
        ("/etc/rsyslog.d/key.pem", KEY),
        ("/var/log/nso.jsonl", out),
        ('"6514"', f'"{of_tls}"'),
        ('"2514"', f'"{of_relp}"'),
        ("maxMessageSize", 'abortOnUncleanConfig="on" maxMessageSize'),
    ):
        assert old in text
        text = text.replace(old, str(new))
    large = 'max_size = "64k"'
    relp = f'[[sinks]]\ntype = "relp"\nurl = "relp://127.0.0.1:{of_relp}"\n{large}\n'
    tls = syslog_sink(f"tls://127.0.0.1:{of_tls}", f'ca = "{CERTIFICATE}"\n{large}')
    for name, sink in (("syslog", tls), ("relp", relp)):
        path = written(tmp_path, daemon, sink=sink)
        out.unlink(missing_ok=True)
        spooled(tmp_path, name, [body(0, 60_000)])
        with rsyslog_process(tmp_path, text, of_relp), forwarding(path):
            send(daemon, 1)
            await_usids(out, [0, "started", 1])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", r"^sinks\[0\]\.url: is missing$"),
        ('url = "http://h"', r"^sinks\[0\]\.url: 'http://h' is not as udp://host:port or tcp:"),
        ('url = "tcp://"', r"^sinks\[0\]\.url: 'tcp://' is not as udp://"),
        ('url = "tcp://h/x"', r"^sinks\[0\]\.url: 'tcp://h/x' is not as udp://"),
        ('url = "tcp://h:x"', r"^sinks\[0\]\.url: "),
        ('url = "tcp://h:0"', r"^sinks\[0\]\.url: 'tcp://h:0' names no port"),
        ('url = "tls://ada:lovelace@h"', r"^sinks\[0\]\.url: has a user or a password"),
        ('url = "tcp://h"\nca = "x"', r"^sinks\[0\]\.ca: is for tls://"),
        ('url = "udp://h"\nserver_name = "x"', r"^sinks\[0\]\.server_name: is for tls://"),
        ('url = "tcp://h"\ncheck_name = false', r"^sinks\[0\]\.check_name: is for tls://"),
        ('url = "tls://h"\nca = "/nowhere"', r"^sinks\[0\]\.ca: /nowhere: No such file"),
        ('url = "tls://h"\ncertificate = "/n"', r"^sinks\[0\]\.certificate: /n: No such file"),
        ('url = "tcp://h"\nfacility = "log"', r"^sinks\[0\]\.facility: 'log' is none of daemon, "),
        ('url = "tcp://h"\napp_name = "a b"', r"^sinks\[0\]\.app_name: 'a b' is not 1 to 48"),
        ('url = "tcp://h"\nhostname = "{x}"', r"^sinks\[0\]\.hostname: {x} is neither {node}"),
        ('url = "tcp://h"\nhostname = "a b"', r"^sinks\[0\]\.hostname: 'a b' is not visible"),
        ('url = "tcp://h"\nenterprise = 0', r"^sinks\[0\]\.enterprise: 0 is not a whole number"),
        ('url = "udp://h"\nmax_size = "64K"', None),
        ('url = "udp://h"\nmax_size = "66K"', r"^sinks\[0\]\.max_size: a datagram has at most"),
        ('url = "tcp://h"\ntimeout = 0', r"^sinks\[0\]\.timeout: '0' is not a length of time"),
        ('url = "tcp://h"\nurls = "x"', r"^sinks\[0\]\.urls: there is no such key; perhaps url$"),
    ],
)
def test_what_is_wrong_is_named(
    daemon: Daemon, tmp_path: Path, more: str, said: str | None
) -> None:
    path = written(tmp_path, daemon, sink=f'[[sinks]]\ntype = "syslog"\n{more}\n')
    if said is None:
        read_config(str(path))
        return
    with pytest.raises(ConfigError, match=said) as caught:
        read_config(str(path))
    assert "lovelace" not in str(caught.value)
