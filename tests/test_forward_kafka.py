"""Records go to Kafka: a real broker, lost connections, and brokers that fail as they are told."""

from __future__ import annotations

import json
import logging
import ssl
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError
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
from kafka_servers import MockCluster, Observer, Produced, SaslGate, kafka_server, mock_cluster
from servers import Relay, ServerProcess, free_port
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
from confd_events.forward.sinks.kafka import KafkaSink
from confd_events.testing import Daemon

SECRET = "abc-s3cret-token"
ONE_REQUEST = {"linger.ms": 100}  # what is produced in a row goes out together


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with kafka_server(tmp_path) as running:
        yield running


@pytest.fixture
def observer(server: ServerProcess) -> Observer:
    """Of the server, with the topic confd-events."""
    observer = Observer(f"127.0.0.1:{server.port}")
    observer.make()
    return observer


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with mock_cluster() as running:
        running.make()
        yield running


def kafka_sink(port: int, more: str = "") -> str:
    servers = f'["127.0.0.1:{port}"]'
    return f'[[sinks]]\ntype = "kafka"\nservers = {servers}\nretry = 0.05\n{more}\n'


def numbered(count: int) -> list[Record]:
    return [Record(number, body(number)) for number in range(count)]


def sink_of(cluster: MockCluster, **more: Any) -> KafkaSink:
    """A sink without a forwarder."""
    servers = cluster.servers.split(",")
    return KafkaSink(Table("sinks[0]", {"servers": servers, "timeout": 5, **more}))


def sent(sink: KafkaSink, records: Sequence[Record]) -> int:
    """Sends them as the forwarder does: again from where it failed. Returns how often it failed."""
    done = failures = 0
    while True:
        sink.open()
        try:
            sink.send(records[done:])
            return failures
        except BusyError as error:
            done += error.delivered
            failures += 1
        finally:
            sink.close()


def records(messages: Sequence[Produced]) -> list[dict[str, Any]]:
    return [json.loads(each.value) for each in messages]


def test_records_are_produced(
    daemon: Daemon, tmp_path: Path, server: ServerProcess, observer: Observer
) -> None:
    with forwarding(written(tmp_path, daemon, sink=kafka_sink(server.port))):
        send(daemon, 1, 2, 3)
        wait_until(lambda: observer.count() == 4)
    found = observer.produced()
    assert usids(records(found)) == ["started", 1, 2, 3]
    for each in found:
        record = json.loads(each.value)
        about = set(record) - {"data", "datacontenttype"}
        assert each.key == "paris"
        assert each.headers == {
            "content-type": "application/cloudevents+json",
            **{f"ce_{key}": record[key] for key in about},
        }


def test_a_topic_for_each_type_and_a_key_for_each_session(
    daemon: Daemon, tmp_path: Path, server: ServerProcess
) -> None:
    observer = Observer(f"127.0.0.1:{server.port}")
    observer.make(f"paris_.{SOURCE}.audit", partitions=5)
    observer.make(f"paris_.{SOURCE}.started")
    more = 'topic = "{node}.{type}"\nkey_by = "session"'
    path = written(tmp_path, daemon, node='name = "paris/"', sink=kafka_sink(server.port, more))
    path.write_text(path.read_text().replace('name = "paris"\n', "").replace("paris/", "paris("))
    with forwarding(path):
        send(daemon, *[1, 2, 3] * 10)
        delivered(tmp_path)
    (started,) = observer.produced(f"paris_.{SOURCE}.started")
    assert started.key == "paris("
    found = observer.produced(f"paris_.{SOURCE}.audit")
    of_key = {each.key: each.partition for each in found}
    assert len(found) == 30
    assert set(of_key) == {"paris(/1", "paris(/2", "paris(/3"}
    for each in found:
        assert each.key == f"paris(/{json.loads(each.value)['data']['audit']['usid']}"
        assert each.partition == of_key[each.key]
        sequence = [int(m.headers["ce_id"].rpartition("/")[2]) for m in found if m.key == each.key]
        assert sequence == sorted(sequence)


def test_a_key_by_session_of_what_has_none(cluster: MockCluster) -> None:
    user = Record(1, body(1).replace('"usid": 1', '"uinfo": {"usid": 9}'))
    none = Record(2, body(2).replace('"usid": 2', '"uinfo": {}'))
    deep = Record(3, body(3).replace('"usid": 3', f'"deep": {"[" * 100_000}{"]" * 100_000}'))
    assert sent(sink_of(cluster, key_by="session"), [user, none, deep]) == 0
    assert [each.key for each in Observer(cluster.servers).produced()] == [
        "paris/9",
        "paris",
        "paris",
    ]


def test_a_topic_that_is_not_there_is_said_and_other_sinks_go_on(
    daemon: Daemon, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with mock_cluster() as cluster:
        cluster.fail_topic(KafkaError.UNKNOWN_TOPIC_OR_PART)
        sink = kafka_sink(int(cluster.servers.rpartition(":")[2]), "timeout = 2")
        with forwarding(written(tmp_path, daemon, sink=sink + file_sink(out))):
            send(daemon, 1)
            await_usids(out, ["started", 1])
            said = trouble(tmp_path, "kafka")
            cluster.fail_topic(0)
            delivered(tmp_path)
        found = Observer(cluster.servers).produced()
    assert said == "there is no topic confd-events"
    assert usids(records(found)) == ["started", 1]


def test_a_topic_that_it_may_not_write_to(cluster: MockCluster) -> None:
    cluster.fail(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    sink = sink_of(cluster)
    sink.open()
    with pytest.raises(BusyError, match=r"^topic confd-events: we may not write to it$") as caught:
        sink.send(numbered(3))
    sink.close()
    assert caught.value.delivered == 0


def test_a_server_that_comes_later(daemon: Daemon, tmp_path: Path) -> None:
    port = free_port()
    with forwarding(written(tmp_path, daemon, sink=kafka_sink(port, "timeout = 1"))):
        send(daemon, 1)
        said = trouble(tmp_path, "kafka")
        with kafka_server(tmp_path, port=port):
            observer = Observer(f"127.0.0.1:{port}")
            with suppress(Exception):  # the sink may have had the broker make it
                observer.make()
            delivered(tmp_path)
            assert usids(records(observer.produced())) == ["started", 1]
    assert said.startswith(f"127.0.0.1:{port}/bootstrap: ")
    assert said.endswith("Connection refused")


def relayed(directory: Path, relay: Relay) -> ServerProcess:
    """A broker whose clients come by a relay."""
    server = kafka_server(directory, advertised=relay.port)
    relay.server = server
    return server


def test_connections_that_are_cut_again_and_again(daemon: Daemon, tmp_path: Path) -> None:
    count = 20_000
    with Relay() as relay, relayed(tmp_path, relay) as server:
        observer = Observer(f"127.0.0.1:{server.port}")
        observer.make()
        path = written(tmp_path, daemon, sink=kafka_sink(relay.port))
        spooled(tmp_path, "kafka", [body(number) for number in range(count)])
        with forwarding(path):
            for part in (0.1, 0.4, 0.7):
                position = part * count
                wait_until(
                    lambda: status_of(tmp_path / "spool.db").sinks[0].position > position  # noqa: B023
                )
                relay.cut()
            delivered(tmp_path)
        found = records(observer.produced())
    assert usids(once(found)) == [*range(count), "started"]


def test_answers_that_are_lost_make_repeats_in_the_same_order(
    daemon: Daemon, tmp_path: Path
) -> None:
    with Relay() as relay, relayed(tmp_path, relay) as server:
        observer = Observer(f"127.0.0.1:{server.port}")
        observer.make()
        with forwarding(written(tmp_path, daemon, sink=kafka_sink(relay.port, "timeout = 1"))):
            send(daemon, 1)
            delivered(tmp_path)
            relay.mute = True
            send(daemon, *range(2, 100))
            said = trouble(tmp_path, "kafka")
            relay.mute = False
            relay.cut()
            delivered(tmp_path)
        found = records(observer.produced())
    assert said == f"127.0.0.1:{relay.port}: no acknowledgement came within 1 s"
    assert usids(once(found)) == ["started", *range(1, 100)]


def test_errors_that_pass_make_no_repeats(cluster: MockCluster) -> None:
    passing = (KafkaError.NOT_ENOUGH_REPLICAS, KafkaError.NOT_LEADER_FOR_PARTITION)
    cluster.fail(0, *passing, 0, *passing)
    sink = sink_of(cluster, options={"batch.num.messages": 10, "retry.backoff.ms": 10})
    assert sent(sink, numbered(100)) == 0
    found = Observer(cluster.servers).produced()
    assert usids(records(found)) == [*range(100)]


def test_brokers_that_fail_by_turns(tmp_path: Path) -> None:
    with mock_cluster(3) as cluster:
        cluster.make(partitions=3)
        batch = [
            Record(number, body(number).replace("paris", f"node-{number % 7}"))
            for number in range(2100)
        ]
        sink = sink_of(cluster, timeout=1)
        for first in range(0, 2100, 300):
            broker = first // 300 % 3 + 1
            cluster.down(broker)
            sink.open()
            done = 0
            with suppress(BusyError):
                sink.send(batch[first : first + 300])
                done = 300
            sink.close()
            cluster.up(broker)
            sent(sink, batch[first + done : first + 300])
        found = Observer(cluster.servers).produced()
    assert len({each.partition for each in found}) == 3
    for node in range(7):
        of_node = [json.loads(each.value) for each in found if each.key == f"node-{node}"]
        assert usids(once(of_node)) == [*range(node, 2100, 7)]


def test_nothing_overtakes_what_fails_in_the_middle(cluster: MockCluster) -> None:
    cluster.fail(0, KafkaError.POLICY_VIOLATION)
    sink = sink_of(cluster, options={"batch.num.messages": 10, **ONE_REQUEST})
    batch = numbered(50)
    sink.open()
    with pytest.raises(BusyError, match=r"^topic confd-events: ") as caught:
        sink.send(batch)
    sink.close()
    assert caught.value.delivered == 10
    assert usids(records(Observer(cluster.servers).produced())) == [*range(10)]
    assert sent(sink, batch[10:]) == 0
    assert usids(records(Observer(cluster.servers).produced())) == [*range(50)]


def test_a_fatal_error_takes_another_producer(
    daemon: Daemon, tmp_path: Path, cluster: MockCluster
) -> None:
    cluster.fail(0, KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER)
    sink = kafka_sink(int(cluster.servers.rpartition(":")[2]), "batch = 10")
    path = written(tmp_path, daemon, sink=sink)
    spooled(tmp_path, "kafka", [body(number) for number in range(50)])
    with forwarding(path):
        delivered(tmp_path)
    found = Observer(cluster.servers).produced()
    assert usids(records(found)) == [*range(50), "started"]


def test_what_is_too_large_for_us_is_refused_alone(
    daemon: Daemon, tmp_path: Path, server: ServerProcess, observer: Observer
) -> None:
    more = 'attempts = 2\noptions."message.max.bytes" = 2000'
    path = written(tmp_path, daemon, sink=kafka_sink(server.port, more))
    sizes = {3: 3000, 7: 2_000_000}
    spooled(tmp_path, "kafka", [body(number, sizes.get(number, 0)) for number in range(10)])
    with forwarding(path):
        delivered(tmp_path)
    assert usids(records(observer.produced())) == [0, 1, 2, 4, 5, 6, 8, 9, "started"]
    assert status_of(tmp_path / "spool.db").sinks[0].dead == 2


@pytest.mark.parametrize("error", [KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD])
def test_what_a_broker_refuses_is_found(cluster: MockCluster, error: int) -> None:
    # 8 records, then 4 and 4, then 2 and 2, then 1 and 1: each time in the last part.
    cluster.fail(error, 0, error, 0, error, 0, error)
    sink = sink_of(cluster, options=ONE_REQUEST)
    batch = numbered(9)
    sink.open()
    with pytest.raises(RefusedError, match=r"^topic confd-events: Broker: ") as caught:
        sink.send(batch[:8])
    assert caught.value.index == 7
    sink.send(batch[8:])  # without close() and open(): it was buried
    sink.close()
    assert usids(records(Observer(cluster.servers).produced())) == [*range(7), 8]


def test_a_batch_that_is_too_large_in_all_is_parted(cluster: MockCluster) -> None:
    cluster.fail(KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.MSG_SIZE_TOO_LARGE)
    sink = sink_of(cluster, options=ONE_REQUEST)
    assert sent(sink, numbered(100)) == 0
    assert usids(records(Observer(cluster.servers).produced())) == [*range(100)]


def test_more_than_librdkafka_holds_at_a_time(cluster: MockCluster) -> None:
    sink = sink_of(cluster, options={"queue.buffering.max.messages": 30})
    assert sent(sink, numbered(100)) == 0
    assert usids(records(Observer(cluster.servers).produced())) == [*range(100)]


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_password(
    daemon: Daemon, tmp_path: Path, caplog: pytest.LogCaptureFixture, mechanism: str
) -> None:
    caplog.set_level(logging.DEBUG, "confd_events.forward")
    file = tmp_path / "password"
    with SaslGate("ada", SECRET) as gate, kafka_server(tmp_path, advertised=gate.port) as server:
        gate.server = server
        more = f'user = "ada"\npassword_file = "{file}"\nmechanism = "{mechanism}"\ntimeout = 1\n'
        sink = kafka_sink(gate.port, f'{more}options.debug = "security"')
        path = written(tmp_path, daemon, sink=sink)
        path.write_text(f"drain = 0.2\n{path.read_text()}")
        file.write_text("wr0ng\n")
        with forwarding(path):
            wait_until(lambda: "SASL authentication error" in trouble(tmp_path, "kafka"))
            said = trouble(tmp_path, "kafka")
        file.write_text(f"{SECRET}\n")
        with forwarding(path):
            daemon.wait_for_subscribers(timeout=PATIENCE)
            delivered(tmp_path)
    for secret in (SECRET, "wr0ng"):
        assert secret not in said + caplog.text + repr(read_config(str(path)))


def test_a_user_that_the_broker_does_not_know(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(SECRET)
    with kafka_server(tmp_path, "--authentication") as server:
        more = f'user = "ada"\npassword_file = "{tmp_path}/password"\ntimeout = 1'
        path = written(tmp_path, daemon, sink=kafka_sink(server.port, more))
        path.write_text(f"drain = 0.2\n{path.read_text()}")
        with forwarding(path):
            # Until the broker has answered, it is that nothing was acknowledged in time.
            wait_until(lambda: "SCRAM authentication failed" in trouble(tmp_path, "kafka"))


def test_tls_checks_the_certificate(daemon: Daemon, tmp_path: Path) -> None:
    certificate = DATA / "tls" / "certificate.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, DATA / "tls" / "key.pem")
    with Relay(context=context) as relay, relayed(tmp_path, relay):
        secure = kafka_sink(relay.port, "tls = true\ntimeout = 1")
        sinks = f'{secure}name = "unknown"\n{secure}ca = "{certificate}"\n'
        path = written(tmp_path, daemon, sink=sinks)
        path.write_text(f"drain = 0.2\n{path.read_text()}")
        with forwarding(path):
            send(daemon, 1)
            said = trouble(tmp_path, "unknown")
            wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].waiting == 0)
    assert "certificate verify failed" in said


def test_the_log_of_librdkafka_is_ours(
    cluster: MockCluster, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, "confd_events.forward")
    assert sent(sink_of(cluster, options={"debug": "msg"}), numbered(3)) == 0
    lines = [each for each in caplog.records if each.getMessage().startswith("librdkafka: ")]
    assert {(each.name, each.levelno) for each in lines} == {("confd_events.forward", logging.INFO)}
    caplog.clear()
    down = KafkaSink(Table("sinks[0]", {"servers": ["127.0.0.1:1"], "timeout": 0.3}))
    down.open()
    with pytest.raises(BusyError, match=r"Connection refused$"):
        down.send(numbered(1))
    down.close()
    assert {each.levelno for each in caplog.records} == {logging.DEBUG}
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", r"^sinks\[0\]\.servers: name one or more"),
        ('servers = ["h"]', r"^sinks\[0\]\.servers: 'h' is not as host:9092"),
        ('servers = ["h:x"]', r"^sinks\[0\]\.servers: 'h:x' is not as host:9092"),
        ('servers = ["lovelace@h:1"]', r"^sinks\[0\]\.servers: one has a user"),
        ('{}topic = "a b"', r"^sinks\[0\]\.topic: 'a b' is no name of a topic"),
        ('{}topic = "{{x}}"', r"^sinks\[0\]\.topic: {x} is neither {node} nor {type}"),
        ('{}key_by = "user"', r"^sinks\[0\]\.key_by: 'user' is none of node, session"),
        ('{}user = "ada"', r"^sinks\[0\]\.user: give user, and password_env or password_file"),
        ('{}mechanism = "PLAIN"', r"^sinks\[0\]\.mechanism: is for a user"),
        ('{}password = "lovelace"', r"^sinks\[0\]\.password: a secret does not belong here"),
        ('{}ca = "x"', r"^sinks\[0\]\.ca: is for tls = true"),
        ('{}tls = true\nca = "/nowhere"', r"^sinks\[0\]\.ca: /nowhere: No such file"),
        ("{}options.acks = 1", r"^sinks\[0\]\.options\.acks: is the sink's own"),
        ('{}options."bootstrap.servers" = "x"', r"^sinks\[0\]\.options\.bootstrap.servers: use s"),
        ('{}options.sasl.password = "lovelace"', r"^sinks\[0\]\.options\.sasl.password: use pass"),
        ('{}options.ssl.key.password = "lovelace"', r"\.options\.ssl.key.password: a secret does"),
        ("{}options.foo = 1", r"^sinks\[0\]\.options\.foo: No such configuration property"),
        ('{}options.linger.ms = "x"', r"^sinks\[0\]\.options: Invalid value for configuration"),
        ("{}options.linger.ms = [1]", r"^sinks\[0\]\.options\.linger.ms: expected text, a number"),
        ('{}options.error_cb = "x"', r"^sinks\[0\]\.options\.error_cb: expected error_cb"),
        ('{}options.foo_env = "X"', r"^sinks\[0\]\.options\.foo_env: there is no such key"),
    ],
)
def test_what_is_wrong_is_named(daemon: Daemon, tmp_path: Path, more: str, said: str) -> None:
    right = 'servers = ["h:9092"]\n'
    more = more.format(right) if more.startswith("{}") else more
    path = written(tmp_path, daemon, sink=f'[[sinks]]\ntype = "kafka"\n{more}\n')
    with pytest.raises(ConfigError, match=said) as caught:
        read_config(str(path))
    assert "lovelace" not in str(caught.value)


def test_it_says_what_is_not_installed(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    monkeypatch.delitem(sys.modules, "confd_events.forward.sinks.kafka")
    path = written(tmp_path, daemon, sink=kafka_sink(9092))
    with pytest.raises(
        ConfigError, match=r"^sinks\[0\]\.type: 'kafka' needs confluent_kafka: pip install"
    ):
        read_config(str(path))
