"""Records go to RELP: a real rsyslogd, which is killed; and a server that answers as tests say."""

from __future__ import annotations

import json
import select
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Callable, cast

import pytest
from forwarding import (
    body,
    delivered,
    ending_soon,
    forwarding,
    once,
    send,
    spooled,
    trouble,
    usids,
    written,
)
from rsyslog import CERTIFICATE, KEY, await_taken, records, rsyslog_server, taken
from servers import Relay, ServerProcess
from subscribing import PATIENCE, wait_until

from confd_events.forward import (
    BusyError,
    ConfigError,
    Record,
    RefusedError,
    letters_of,
    read_config,
    status_of,
)
from confd_events.forward._config import Table
from confd_events.forward.sinks.relp import RelpSink
from confd_events.testing import Daemon

PLAIN = """
module(load="imrelp")
input(type="imrelp" port="{port}" address="127.0.0.1")
"""
TLS = f"""
module(load="imrelp" tls.tlslib="gnutls")
input(type="imrelp" port="{{port}}" address="127.0.0.1" tls="on" tls.authMode="certvalid"
    tls.caCert="{CERTIFICATE}" tls.myCert="{CERTIFICATE}" tls.myPrivKey="{KEY}")
"""
ACCEPTED = b"200 OK"
AGREED = b"200 OK\nrelp_version=0\nrelp_software=test\ncommands=eventlog,syslog"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with rsyslog_server(tmp_path, PLAIN) as running:
        yield running


def relp_sink(port: int, more: str = "", scheme: str = "relp", host: str = "127.0.0.1") -> str:
    return f'[[sinks]]\ntype = "relp"\nurl = "{scheme}://{host}:{port}"\nretry = 0.05\n{more}\n'


Frame = tuple[bytes, bytes, bytes]
"""Number, command and data."""


class Server:
    """Speaks RELP in threads of this process; `answers` says what to each connection's frames."""

    def __init__(self, answers: Callable[[Server, socket.socket, BinaryIO], None]) -> None:
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.seen: list[list[Frame]] = []
        """The frames of each connection."""
        threading.Thread(target=self._accept, name="test", daemon=True).start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def next(self, stream: BinaryIO) -> Frame:
        """The next frame; EOFError at the end."""
        header = b""
        while header.count(b" ") < 3 and not header.endswith(b"\n"):
            header += read(stream, 1)
        number, command, size = header.split()
        data = read(stream, int(size)) if header.endswith(b" ") else b""
        if data:
            assert read(stream, 1) == b"\n"
        self.seen[-1].append((number, command, data))
        return number, command, data

    def usids(self) -> list[list[Any]]:
        """Those of the messages of each connection that had some."""
        each = [[data for _, command, data in seen if command == b"syslog"] for seen in self.seen]
        return [usids([json.loads(m[m.index(b"{") :]) for m in some]) for some in each if some]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.seen.append([])
                # Not buffered: what is not read yet can be seen on the socket.
                stream = cast(BinaryIO, client.makefile("rb", buffering=0))
                with client, stream, suppress(EOFError, OSError):
                    self._answers(self, client, stream)


def read(stream: BinaryIO, size: int) -> bytes:
    """So many bytes; EOFError when they are not there at the end."""
    data = b""
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def answer(client: socket.socket, number: bytes, data: bytes) -> None:
    client.sendall(b"%b rsp %d %b\n" % (number, len(data), data))


def agree(server: Server, client: socket.socket, stream: BinaryIO) -> None:
    number, command, _ = server.next(stream)
    assert command == b"open"
    answer(client, number, AGREED)


def refusing(
    refused: Callable[[int], bool], hangs_up: bool = False
) -> Callable[[Server, socket.socket, BinaryIO], None]:
    """Refuses the audit records of these users; with `hangs_up` closes the connection then."""

    def answers(server: Server, client: socket.socket, stream: BinaryIO) -> None:
        agree(server, client, stream)
        while True:
            number, command, data = server.next(stream)
            if command == b"close":
                client.sendall(b"%b rsp 0\n0 serverclose 0\n" % number)
                return
            usid = json.loads(data[data.index(b"{") :])["data"].get("audit", {}).get("usid", 0)
            if not refused(usid):
                answer(client, number, ACCEPTED)
                continue
            answer(client, number, b"500 no room for this\nmore about it")
            if hangs_up:
                return

    return answers


def sink_of(server: Server, **options: Any) -> RelpSink:
    """A sink without a forwarder."""
    return RelpSink(Table("sinks[0]", {"url": f"relp://127.0.0.1:{server.port}", **options}))


def batch_of(*numbers: int) -> list[Record]:
    return [Record(number, body(number)) for number in numbers]


def test_messages_arrive(daemon: Daemon, tmp_path: Path, server: ServerProcess) -> None:
    sink = relp_sink(server.port, 'facility = "local0"\napp_name = "events"')
    with forwarding(written(tmp_path, daemon, sink=sink)):
        send(daemon, 1, 2)
        await_taken(tmp_path, ["started", 1, 2])
    for message, record in zip(taken(tmp_path), records(tmp_path)):
        assert message["time"] == record["time"]
        about = [message[key] for key in ("pri", "host", "app", "process")]
        assert about == [str(8 * 16 + 5), "paris", "events", "-"]
        assert f'id="{record["id"]}"' in message["data"]
    assert [each["id"] for each in taken(tmp_path)] == ["started", "audit", "audit"]


def test_a_server_that_is_killed_and_ended_again_and_again(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    count = 8000
    path = written(tmp_path, daemon, sink=relp_sink(server.port))
    spooled(tmp_path, "relp", [body(number) for number in range(count)])
    with forwarding(path):
        for part in (0.1, 0.3, 0.5, 0.7):
            wait_until(lambda: len(taken(tmp_path)) > part * count)  # noqa: B023
            if part == 0.5:
                server.signal(signal.SIGTERM)
            server.kill()
            server.start()
        delivered(tmp_path)
    assert usids(once(records(tmp_path))) == [*range(count), "started"]


def test_a_server_that_is_started_again_while_there_is_nothing_to_send(
    daemon: Daemon, tmp_path: Path, server: ServerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    with forwarding(written(tmp_path, daemon, sink=relp_sink(server.port))):
        for number in (1, 2, 3):
            send(daemon, number)
            await_taken(tmp_path, ["started", *range(1, number + 1)])
            delivered(tmp_path)
            server.kill()
            server.start()
    assert "tried again" not in caplog.text


def test_an_answer_that_is_lost_makes_repeats_with_the_same_id(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    with Relay(server) as relay:
        path = written(tmp_path, daemon, sink=relp_sink(relay.port, "timeout = 1"))
        with forwarding(path):
            send(daemon, 1)
            await_taken(tmp_path, ["started", 1])
            delivered(tmp_path)
            relay.mute = True
            send(daemon, 2)
            said = trouble(tmp_path, "relp")
            assert status_of(tmp_path / "spool.db").records == 1
            relay.mute = False
            relay.cut()
            delivered(tmp_path)
    assert said == f"127.0.0.1:{relay.port}: no answer within 1 s"
    assert usids(records(tmp_path))[:4] == ["started", 1, 2, 2]
    assert usids(once(records(tmp_path))) == ["started", 1, 2]


def test_what_is_too_large_becomes_a_dead_letter_and_is_not_cut(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    url = f"relp://127.0.0.1:{server.port}"
    empty = RelpSink(Table("sinks[0]", {"url": url}))._messages.of(Record(1, body(2)))
    fits = 8000 - len(empty)
    path = written(tmp_path, daemon, sink=relp_sink(server.port, "attempts = 2"))
    spooled(tmp_path, "relp", [body(1), body(2, fits), body(3, fits + 1), body(4)])
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        delivered(tmp_path)
    assert usids(records(tmp_path)) == [1, 2, 4, "started"]
    assert records(tmp_path)[1] == json.loads(body(2, fits))
    (letter,) = letters_of(tmp_path / "spool.db")
    assert letter.error == "its 8001 bytes are more than max_size, 8000"


def test_tls_checks_the_certificates(daemon: Daemon, tmp_path: Path) -> None:
    ca = f'ca = "{CERTIFICATE}"'
    ours = f'certificate = "{CERTIFICATE}"\nkey = "{KEY}"'
    with rsyslog_server(tmp_path, TLS) as server:

        def sink(name: str, more: str, host: str = "127.0.0.1") -> str:
            return relp_sink(server.port, f'name = "{name}"\n{more}', "relp+tls", host)

        sinks = [
            sink("trusted", f"{ca}\n{ours}"),
            sink("unknown", ours),
            # The certificate has 127.0.0.1 alone.
            sink("misnamed", f"{ca}\n{ours}", "localhost"),
            sink("named", f'{ca}\n{ours}\nserver_name = "127.0.0.1"', "localhost"),
            sink("nobody", ca),
        ]
        path = written(tmp_path, daemon, sink="\n".join(sinks))
        ending_soon(path)
        with forwarding(path):
            send(daemon, 1)
            said = {name: trouble(tmp_path, name) for name in ("unknown", "misnamed", "nobody")}
            wait_until(lambda: len(taken(tmp_path)) == 4)
            statuses = {each.name: each for each in status_of(tmp_path / "spool.db").sinks}
    assert "certificate verify failed" in said["unknown"]
    assert "certificate is not valid for 'localhost'" in said["misnamed"]
    assert said["nobody"].startswith(f"127.0.0.1:{server.port}: ")
    assert [statuses[name].position for name in said] == [0, 0, 0]
    assert sorted(map(str, usids(records(tmp_path)))) == [*["1"] * 2, *["started"] * 2]


def test_what_the_server_refuses_becomes_a_dead_letter(daemon: Daemon, tmp_path: Path) -> None:
    with Server(refusing(lambda usid: usid in (3, 7))) as server:
        path = written(tmp_path, daemon, sink=relp_sink(server.port, "attempts = 2"))
        spooled(tmp_path, "relp", [body(number) for number in range(1, 10)])
        with forwarding(path):
            daemon.wait_for_subscribers(timeout=PATIENCE)
            delivered(tmp_path)
    letters = list(letters_of(tmp_path / "spool.db"))
    assert [letter.json for letter in letters] == [body(3), body(7)]
    said = f"127.0.0.1:{server.port} answers 500 no room for this"
    assert {letter.error for letter in letters} == {said}
    # The first time with those behind it that were under way, then alone.
    first, second, *_ = server.usids()
    assert (first[:9], second[0]) == ([*range(1, 10)], 3)
    assert sorted({usid for some in server.usids() for usid in some}, key=str) == [
        *range(1, 10),
        "started",
    ]


def test_a_server_that_refuses_and_hangs_up_has_refused(daemon: Daemon, tmp_path: Path) -> None:
    with Server(refusing(lambda usid: usid == 2, hangs_up=True)) as server:
        path = written(tmp_path, daemon, sink=relp_sink(server.port, "attempts = 2"))
        spooled(tmp_path, "relp", [body(number) for number in (1, 2, 3)])
        with forwarding(path):
            daemon.wait_for_subscribers(timeout=PATIENCE)
            delivered(tmp_path)
    assert [letter.json for letter in letters_of(tmp_path / "spool.db")] == [body(2)]
    assert server.usids()[-1][-2:] == [3, "started"]


def test_after_a_refusal_the_next_is_sent_alone() -> None:
    refused = {2}
    with Server(refusing(lambda usid: usid in refused)) as server:
        sink = sink_of(server)
        sink.open()
        with pytest.raises(RefusedError) as caught:
            sink.send(batch_of(1, 2, 3))
        with pytest.raises(RefusedError):
            sink.send(batch_of(2, 3))
        refused.clear()
        sink.send(batch_of(2, 3))
        sink.close()
    assert caught.value.index == 1
    assert server.usids() == [[1, 2, 3, 2, 2, 3]]
    assert server.seen[0][-1][1] == b"close"


def test_no_more_than_the_window_is_under_way() -> None:
    beyond = []

    def answers(server: Server, client: socket.socket, stream: BinaryIO) -> None:
        agree(server, client, stream)
        frames = [server.next(stream) for _ in range(3)]
        beyond.append(bool(select.select([client], [], [], 0.1)[0]))
        for number, _, _ in frames:
            answer(client, number, ACCEPTED)
        for _ in range(2):
            answer(client, server.next(stream)[0], ACCEPTED)

    with Server(answers) as server:
        sink = sink_of(server, window=3)
        sink.open()
        sink.send(batch_of(1, 2, 3, 4, 5))
        sink.close()
    assert server.usids() == [[1, 2, 3, 4, 5]]
    assert beyond == [False]


def test_answers_may_come_in_any_order_and_in_pieces() -> None:
    def answers(server: Server, client: socket.socket, stream: BinaryIO) -> None:
        agree(server, client, stream)
        numbers = [server.next(stream)[0] for _ in range(3)]
        for number in reversed(numbers):
            for byte in b"%b rsp 6 200 OK\n" % number:
                client.sendall(bytes([byte]))

    with Server(answers) as server:
        sink = sink_of(server)
        sink.open()
        sink.send(batch_of(1, 2, 3))
        sink.close()


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (b"", "the server has closed the connection"),
        (b"0 serverclose 0\n", "the server closes the connection"),
        (b"77 rsp 6 200 OK\n", "answers 77, which was not asked"),
        (b"4 syslog 2 hi\n", "sends syslog in place of an answer"),
        (b"4 rsp 6\n200 OK\n", "answers what is not RELP"),
        (b"HTTP/1.1 400 Bad Request\r\n", "answers what is not RELP"),
    ],
)
def test_what_was_acknowledged_before_the_connection_is_lost_is_delivered(
    frame: bytes, said: str
) -> None:
    def answers(server: Server, client: socket.socket, stream: BinaryIO) -> None:
        agree(server, client, stream)
        numbers = [server.next(stream)[0] for _ in range(4)]
        for number in (numbers[0], numbers[1], numbers[3]):
            answer(client, number, ACCEPTED)
        client.sendall(frame)

    with Server(answers) as server:
        sink = sink_of(server)
        sink.open()
        with pytest.raises(BusyError) as caught:
            sink.send(batch_of(1, 2, 3, 4))
        sink.close()
    assert str(caught.value) == f"127.0.0.1:{server.port}: {said}"
    assert caught.value.delivered == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"200 OK\nrelp_version=0\ncommands=eventlog", ": takes no messages of syslog"),
        (b"500 too many clients", ": 127.0.0.1:{port} answers 500 too many clients"),
        (b"", ": the server has closed the connection"),
    ],
)
def test_a_server_that_does_not_agree(data: bytes, said: str) -> None:
    def answers(server: Server, client: socket.socket, stream: BinaryIO) -> None:
        number, _, offer = server.next(stream)
        assert offer.startswith(b"relp_version=0\n")
        if data:
            answer(client, number, data)
            server.next(stream)

    with Server(answers) as server, pytest.raises(ConnectionError) as caught:
        sink_of(server).open()
    assert str(caught.value) == f"127.0.0.1:{server.port}{said.format(port=server.port)}"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", r"^sinks\[0\]\.url: is missing$"),
        ('url = "relp://h"', r"^sinks\[0\]\.url: 'relp://h' names no port"),
        ('url = "tcp://h:1"', r"^sinks\[0\]\.url: 'tcp://h:1' is not as relp://host:port or relp"),
        ('url = "relp://:lovelace@h:1"', r"^sinks\[0\]\.url: has a user or a password"),
        ('url = "relp://h:1"\nca = "x"', r"^sinks\[0\]\.ca: is for relp\+tls://"),
        ('url = "relp+tls://h:1"\nkey = "x"', r"^sinks\[0\]\.key: is for a certificate"),
        ('url = "relp://h:1"\nwindow = 0', r"^sinks\[0\]\.window: 0 is not a whole number from 1"),
        ('url = "relp://h:1"\nmax_size = "x"', r"^sinks\[0\]\.max_size: 'x' is not a size"),
        ('url = "relp://h:1"\nwindows = 2', r"^sinks\[0\]\.windows: there is no such key; perhaps"),
    ],
)
def test_what_is_wrong_is_named(daemon: Daemon, tmp_path: Path, more: str, said: str) -> None:
    path = written(tmp_path, daemon, sink=f'[[sinks]]\ntype = "relp"\n{more}\n')
    with pytest.raises(ConfigError, match=said) as caught:
        read_config(str(path))
    assert "lovelace" not in str(caught.value)
