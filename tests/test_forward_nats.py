"""Records go to NATS JetStream: real servers, which are killed, full, picky or silent."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import ssl
import sys
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, Callable, NamedTuple, TypeVar

import nats
import nkeys
import pytest
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
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError
from servers import Relay, ServerProcess, nats_server
from subscribing import PATIENCE, wait_until

from confd_events.forward import (
    BusyError,
    ConfigError,
    Record,
    RefusedError,
    read_config,
    status_of,
)
from confd_events.forward._config import Table
from confd_events.forward.sinks.nats import NatsSink
from confd_events.testing import Daemon

T = TypeVar("T")

SECRET = "abc-s3cret-token"
AUDIT = f"events.{SOURCE}.audit.paris"


class Stored(NamedTuple):
    subject: str
    headers: dict[str, str]
    record: dict[str, Any]


class Observer:
    """A client of its own, to make streams and to look into them."""

    def __init__(self, server: ServerProcess, **options: Any) -> None:
        self._server = server
        self._options = options

    def do(self, what: Callable[[JetStreamContext], Coroutine[Any, Any, T]]) -> T:
        async def run() -> T:
            client = await nats.connect(f"nats://127.0.0.1:{self._server.port}", **self._options)
            try:
                return await what(client.jetstream(timeout=PATIENCE))
            finally:
                await client.close()

        return asyncio.run(run())

    def make(self, **options: Any) -> None:
        """Makes a stream, NSO, or changes it."""
        options = {"name": "NSO", "subjects": ["events.>"], **options}
        self.do(lambda stream: stream.add_stream(**options))

    def count(self) -> int:
        async def messages(stream: JetStreamContext) -> int:
            try:
                return (await stream.stream_info("NSO")).state.messages
            except NotFoundError:
                return 0

        return self.do(messages)

    def stored(self) -> list[Stored]:
        """All that the stream has."""

        async def read(stream: JetStreamContext) -> list[Stored]:
            left = (await stream.stream_info("NSO")).state.messages
            config = ConsumerConfig(ack_policy=AckPolicy.NONE)
            reader = await stream.pull_subscribe("", stream="NSO", config=config)
            found: list[Stored] = []
            while len(found) < left:
                for each in await reader.fetch(min(500, left - len(found)), timeout=PATIENCE):
                    found.append(Stored(each.subject, each.headers or {}, json.loads(each.data)))
            return found

        return self.do(read)

    def records(self) -> list[dict[str, Any]]:
        return [each.record for each in self.stored()]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with nats_server(tmp_path) as running:
        yield running


@pytest.fixture
def observer(server: ServerProcess) -> Observer:
    return Observer(server)


def nats_sink(port: int, more: str = "", scheme: str = "nats") -> str:
    return (
        f'[[sinks]]\ntype = "nats"\nservers = ["{scheme}://127.0.0.1:{port}"]\nstream = "NSO"\n'
        f"retry = 0.05\n{more}\n"
    )


def sink_of(server: ServerProcess | Relay, **options: Any) -> NatsSink:
    """A sink without a forwarder."""
    servers = [f"nats://127.0.0.1:{server.port}"]
    return NatsSink(Table("sinks[0]", {"servers": servers, "stream": "NSO", **options}))


def test_records_are_published(daemon: Daemon, tmp_path: Path, server: ServerProcess) -> None:
    observer = Observer(server)
    observer.make()
    with forwarding(written(tmp_path, daemon, sink=nats_sink(server.port))):
        send(daemon, 1, 2, 3)
        wait_until(lambda: observer.count() == 4)
    found = observer.stored()
    assert usids([each.record for each in found]) == ["started", 1, 2, 3]
    assert [each.subject for each in found] == [f"events.{SOURCE}.started.paris", *[AUDIT] * 3]
    for each in found:
        assert each.headers["Nats-Msg-Id"] == each.record["id"]
        assert each.headers["Content-Type"] == "application/cloudevents+json"


def test_a_stream_that_is_not_there_is_said_and_other_sinks_go_on(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    observer, out = Observer(server), tmp_path / "out"
    with forwarding(written(tmp_path, daemon, sink=nats_sink(server.port) + file_sink(out))):
        send(daemon, 1)
        await_usids(out, ["started", 1])
        said = trouble(tmp_path, "nats")
        observer.make()
        wait_until(lambda: observer.count() == 2)
    assert said == f"events.{SOURCE}.started.paris: no stream takes it now"
    assert usids(observer.records()) == ["started", 1]


def test_a_stream_of_another_name_is_not_taken_for_it(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    observer = Observer(server)
    observer.make(name="OTHER")
    path = written(tmp_path, daemon, sink=nats_sink(server.port))
    path.write_text(f"drain = 0.2\n{path.read_text()}")
    with forwarding(path):
        assert "expected stream does not match" in trouble(tmp_path, "nats")


def test_a_stream_is_made_when_that_is_wanted(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    sink = nats_sink(server.port, 'create = true\nsubject = "audit.{node}.of.{type}"')
    path = written(tmp_path, daemon, node='name = "paris.x*"', sink=sink)
    path.write_text(path.read_text().replace('name = "paris"\n', "", 1))
    observer = Observer(server)
    for number in (1, 2):  # the second time it is there
        with forwarding(path):
            send(daemon, number)
            wait_until(lambda: observer.count() == 2 * number)  # noqa: B023
    assert usids(observer.records()) == ["started", 1, "started", 2]
    assert observer.stored()[1].subject == f"audit.paris_x_.of.{SOURCE}.audit"


def test_a_server_that_comes_later(daemon: Daemon, tmp_path: Path) -> None:
    server = nats_server(tmp_path)
    with forwarding(written(tmp_path, daemon, sink=nats_sink(server.port, "create = true"))):
        send(daemon, 1)
        said = trouble(tmp_path, "nats")
        with server:
            observer = Observer(server)
            wait_until(lambda: observer.count() == 2)
            assert usids(observer.records()) == ["started", 1]
    assert f"nats://127.0.0.1:{server.port}" in said
    assert "Connect call failed" in said


def test_a_server_that_is_killed_again_and_again(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    observer, count = Observer(server), 20_000
    observer.make()
    path = written(tmp_path, daemon, sink=nats_sink(server.port))
    spooled(tmp_path, "nats", [body(number) for number in range(count)])
    with forwarding(path):
        for part in (0.1, 0.4, 0.7):
            wait_until(lambda: observer.count() > part * count)  # noqa: B023
            server.kill()
            server.start()
        delivered(tmp_path)
    found = observer.records()
    assert len(found) == count + 1
    assert usids(found) == [*range(count), "started"]


def test_answers_that_are_lost_make_no_repeats(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    observer = Observer(server)
    observer.make()
    with Relay(server) as relay:
        sink = nats_sink(relay.port, "timeout = 1")
        with forwarding(written(tmp_path, daemon, sink=sink)):
            send(daemon, 1)
            wait_until(lambda: observer.count() == 2)
            relay.mute = True
            send(daemon, *range(2, 100))
            wait_until(lambda: observer.count() > 2)
            assert "no acknowledgement came within 1 s" in trouble(tmp_path, "nats")
            relay.mute = False
            relay.cut()
            delivered(tmp_path)
    assert usids(observer.records()) == ["started", *range(1, 100)]


def test_a_server_that_hangs(daemon: Daemon, tmp_path: Path, server: ServerProcess) -> None:
    observer = Observer(server)
    observer.make()
    path = written(tmp_path, daemon, sink=nats_sink(server.port, "timeout = 1"))
    spooled(tmp_path, "nats", [body(number, 50_000) for number in range(500)])
    server.signal(signal.SIGSTOP)
    with forwarding(path):
        assert trouble(tmp_path, "nats")
        server.signal(signal.SIGCONT)
        delivered(tmp_path)
    assert usids(once(observer.records())) == [*range(500), "started"]


def test_what_is_too_large_is_refused_alone(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    observer = Observer(server)
    observer.make(max_msg_size=500_000)
    path = written(tmp_path, daemon, sink=nats_sink(server.port, "attempts = 2"))
    sizes = {3: 600_000, 7: 2_000_000}
    spooled(tmp_path, "nats", [body(number, sizes.get(number, 0)) for number in range(10)])
    with forwarding(path):
        delivered(tmp_path)
    assert usids(observer.records()) == [0, 1, 2, 4, 5, 6, 8, 9, "started"]
    assert status_of(tmp_path / "spool.db").sinks[0].dead == 2


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_limit_counts_as_the_server_does(
    tmp_path: Path, server: ServerProcess, more: int
) -> None:
    Observer(server).make()
    limit = 1024 * 1024
    sink = sink_of(server)
    first = Record(1, body(1))
    around = sink._messages([first, Record(2, body(2))])[1].size
    batch = [first, Record(2, body(2, limit - around + more))]
    sink.open()
    try:
        if more > 0:
            with pytest.raises(RefusedError, match=f"its {limit + 1} bytes are more than"):
                sink.send(batch)
        else:
            sink.send(batch)
    finally:
        sink.close()
    assert Observer(server).count() == (1 if more > 0 else 2)


def test_nothing_overtakes_what_does_not_fit(tmp_path: Path, server: ServerProcess) -> None:
    observer = Observer(server)
    observer.make(max_bytes=100_000, discard=DiscardPolicy.NEW)
    bodies = [body(number, 60_000 if number in (2, 3) else 0) for number in range(10)]
    records = [Record(number, text) for number, text in enumerate(bodies)]
    sink = sink_of(server)
    sink.open()
    with pytest.raises(BusyError, match="maximum bytes exceeded") as caught:
        sink.send(records)
    assert caught.value.delivered == 3
    assert usids(observer.records()) == [0, 1, 2]
    observer.do(lambda stream: stream.purge_stream("NSO"))
    sink.send(records[3:])
    sink.close()
    assert usids(observer.records()) == [*range(3, 10)]


def test_somebody_else_publishes_between(tmp_path: Path, server: ServerProcess) -> None:
    observer = Observer(server)
    observer.make()
    count, others = 3000, 0

    async def publish(stream: JetStreamContext) -> int:
        number = 0
        while len(sent) < count:
            await stream.publish("events.other", json.dumps({"usid": number}).encode())
            number += 1
        return number

    sent: list[Record] = []

    def run() -> None:
        sink = sink_of(server)
        sink.open()
        for first in range(0, count, 500):
            batch = [Record(number, body(number)) for number in range(first, first + 500)]
            sink.send(batch)
            sent.extend(batch)
        sink.close()

    async def both(stream: JetStreamContext) -> int:
        running = asyncio.get_running_loop().run_in_executor(None, run)
        published = await publish(stream)
        await running
        return published

    others = observer.do(both)
    found = observer.stored()
    assert others > 10
    assert len(found) == count + others
    assert usids([each.record for each in found if each.subject == AUDIT]) == [*range(count)]


def written_file(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


NKEY = nkeys.from_seed(nkeys.encode_seed(b"n" * 32, nkeys.PREFIX_BYTE_USER))
SEED = bytes(NKEY.seed).decode()
TOKEN = f'authorization {{ token: "{SECRET}" }}'
USER = f'authorization {{ users: [{{ user: "ada", password: "{SECRET}" }}] }}'
BY_NKEY = f'authorization {{ users: [{{ nkey: "{NKEY.public_key.decode()}" }}] }}'


@pytest.mark.parametrize(
    ("rules", "options", "right", "keys"),
    [
        (TOKEN, {"token": SECRET}, SECRET, "token_file = {}"),
        (USER, {"user": "ada", "password": SECRET}, SECRET, 'user = "ada"\npassword_file = {}'),
        (BY_NKEY, {"nkeys_seed_str": SEED}, SEED, "nkey_file = {}"),
    ],
    ids=["token", "password", "nkey"],
)
def test_who_it_is(
    daemon: Daemon,
    tmp_path: Path,
    rules: str,
    options: dict[str, Any],
    right: str,
    keys: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = bytes(nkeys.from_seed(nkeys.encode_seed(b"w" * 32, nkeys.PREFIX_BYTE_USER)).seed)
    given = wrong.decode() if right == SEED else "wr0ng"
    file = tmp_path / "secret"
    sink = nats_sink(0, keys.format(f'"{file}"'))
    with nats_server(tmp_path, rules) as server:
        observer = Observer(server, **options)
        observer.make()
        file.write_text(f"{given}\n")
        path = written(tmp_path, daemon, sink=sink.replace(":0", f":{server.port}"))
        path.write_text(f"drain = 0.2\n{path.read_text()}")
        with forwarding(path):
            said = trouble(tmp_path, "nats")
        file.write_text(f"{right}\n")
        with forwarding(path):
            wait_until(lambda: observer.count() >= 2)
    assert "Authorization" in said
    for secret in (SECRET, SEED, given):
        assert secret not in said + caplog.text + repr(read_config(str(path)))


def jwt(issuer: Any, subject: str, **claims: Any) -> str:
    """A token of NATS's decentralized way to say who is who."""
    parts = (
        {"typ": "JWT", "alg": "ed25519-nkey"},
        {"jti": "x", "iat": 1, "iss": issuer.public_key.decode(), "sub": subject, **claims},
    )
    text = b".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts
    )
    signature = base64.urlsafe_b64encode(issuer.sign(text)).rstrip(b"=")
    return (text + b"." + signature).decode()


def key_pair(prefix: int, letter: bytes) -> Any:
    return nkeys.from_seed(nkeys.encode_seed(letter * 32, prefix))


def test_a_file_of_credentials(daemon: Daemon, tmp_path: Path) -> None:
    operator = key_pair(nkeys.PREFIX_BYTE_OPERATOR, b"o")
    system = key_pair(nkeys.PREFIX_BYTE_ACCOUNT, b"s").public_key.decode()
    account = key_pair(nkeys.PREFIX_BYTE_ACCOUNT, b"a")
    user = key_pair(nkeys.PREFIX_BYTE_USER, b"u")
    name = account.public_key.decode()
    unlimited = {"subs": -1, "conn": -1, "leaf": -1, "data": -1, "payload": -1, "exports": -1}
    store = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1, "imports": -1}
    of_operator = jwt(
        operator, operator.public_key.decode(), name="o", nats={"type": "operator", "version": 2}
    )
    of_account = jwt(
        operator,
        name,
        name="a",
        nats={"limits": {**unlimited, **store}, "type": "account", "version": 2},
    )
    of_system = jwt(
        operator, system, name="s", nats={"limits": unlimited, "type": "account", "version": 2}
    )
    of_user = jwt(
        account,
        user.public_key.decode(),
        name="u",
        nats={"subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2},
    )
    file = tmp_path / "user.creds"
    file.write_text(
        f"-----BEGIN NATS USER JWT-----\n{of_user}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{bytes(user.seed).decode()}\n"
        "------END USER NKEY SEED------\n"
    )
    rules = f"""
        operator: {of_operator}
        system_account: {system}
        resolver: MEMORY
        resolver_preload: {{ {name}: {of_account}, {system}: {of_system} }}
    """
    with nats_server(tmp_path, rules) as server:
        observer = Observer(server, user_credentials=str(file))
        observer.make()
        sink = nats_sink(server.port, f'credentials = "{file}"')
        with forwarding(written(tmp_path, daemon, sink=sink)):
            send(daemon, 1)
            wait_until(lambda: observer.count() == 2)


def test_what_may_not_be_published_is_said(daemon: Daemon, tmp_path: Path) -> None:
    rules = """authorization { users: [
        { user: "ada", password: "right", permissions: { publish: "audit.>" } }
    ] }"""
    password = written_file(tmp_path / "password", "right")
    with nats_server(tmp_path, rules) as server:
        keys = f'user = "ada"\npassword_file = "{password}"\ntimeout = 0.5'
        path = written(tmp_path, daemon, sink=nats_sink(server.port, keys))
        path.write_text(f"drain = 0.2\n{path.read_text()}")
        with forwarding(path):
            said = trouble(tmp_path, "nats").lower()
    assert f'permissions violation for publish to "events.{SOURCE}.started.paris"' in said


def test_tls_checks_the_certificate(daemon: Daemon, tmp_path: Path) -> None:
    certificate, key = DATA / "tls" / "certificate.pem", DATA / "tls" / "key.pem"
    rules = f"""tls {{
        cert_file: "{certificate}", key_file: "{key}", ca_file: "{certificate}", verify: true
    }}"""
    with nats_server(tmp_path, rules) as server:
        context = ssl.create_default_context(cafile=certificate)
        context.load_cert_chain(certificate, key)
        observer = Observer(server, tls=context)
        observer.make()
        ours = f'certificate = "{certificate}"\nkey = "{key}"\n'
        trusted = f'name = "trusted"\nca = "{certificate}"\n{ours}'
        sinks = nats_sink(server.port, f'name = "unknown"\n{ours}', "tls")
        sinks += nats_sink(server.port, trusted, "tls")
        path = written(tmp_path, daemon, sink=sinks)
        path.write_text(f"drain = 0.2\n{path.read_text()}")
        with forwarding(path):
            send(daemon, 1)
            wait_until(lambda: observer.count() == 2)
            said = trouble(tmp_path, "unknown")
    assert "certificate verify failed" in said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", r"^sinks\[0\]\.servers: name one or more"),
        ('servers = ["nats://h", "tls://h"]', r"^sinks\[0\]\.servers: name one or more, all nats"),
        ('servers = ["http://h"]', r"^sinks\[0\]\.servers: 'http://h' is not as nats://"),
        ('servers = ["nats://h:x"]', r"^sinks\[0\]\.servers: 'nats://h:x': "),
        ('servers = ["nats://lovelace@h"]', r"^sinks\[0\]\.servers: one has a user"),
        ('servers = ["nats://h"]', r"^sinks\[0\]\.stream: is missing"),
        ('{}subject = "a b"', r"^sinks\[0\]\.subject: 'a b' is no subject"),
        ('{}subject = "a.>"', r"^sinks\[0\]\.subject: 'a.>' is no subject"),
        ('{}subject = "a..{{type}}"', r"^sinks\[0\]\.subject: 'a..{type}' is no subject"),
        ('{}subject = "a.{{user}}"', r"^sinks\[0\]\.subject: {user} is neither {node} nor {type}"),
        ('{}subject = "a.{{type"', r"^sinks\[0\]\.subject: 'a.{type': expected '}'"),
        ('{}ca = "x"', r"^sinks\[0\]\.ca: is for tls://"),
        ('{}user = "ada"', r"^sinks\[0\]\.user: give user, and password_env or password_file"),
        ('{}token = "abc-s3cret-token"', r"^sinks\[0\]\.token: a secret does not belong here"),
        ('{}credentials = "/nowhere"', r"^sinks\[0\]\.credentials: /nowhere can't be read"),
        ('{}nkey_file = "s"\ntoken_file = "s"', r"^sinks\[0\]\.credentials: give one of user"),
    ],
)
def test_what_is_wrong_is_named(
    daemon: Daemon, tmp_path: Path, more: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written_file(tmp_path / "s", "s")
    right = 'servers = ["nats://h"]\nstream = "NSO"\n'
    more = more.format(right) if more.startswith("{}") else more
    path = written(tmp_path, daemon, sink=f'[[sinks]]\ntype = "nats"\n{more}\n')
    with pytest.raises(ConfigError, match=said) as caught:
        read_config(str(path))
    assert SECRET not in str(caught.value)
    assert "lovelace" not in str(caught.value)


def test_it_says_what_is_not_installed(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nats", None)
    monkeypatch.delitem(sys.modules, "confd_events.forward.sinks.nats")
    path = written(tmp_path, daemon, sink=nats_sink(4222))
    with pytest.raises(ConfigError, match=r"^sinks\[0\]\.type: 'nats' needs nats: pip install"):
        read_config(str(path))


def test_an_idle_connection_lasts(daemon: Daemon, tmp_path: Path) -> None:
    with nats_server(tmp_path, 'ping_interval: "200ms"\nping_max: 1') as server:
        observer = Observer(server)
        observer.make()
        with forwarding(written(tmp_path, daemon, sink=nats_sink(server.port))):
            send(daemon, 1)
            wait_until(lambda: observer.count() == 2)
            time.sleep(1.5)
            send(daemon, 2)
            wait_until(lambda: observer.count() == 3)
            assert status_of(tmp_path / "spool.db").sinks[0].error is None
