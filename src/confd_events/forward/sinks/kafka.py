"""A topic of Kafka."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Union
from urllib.parse import urlsplit

from confluent_kafka import KafkaError, KafkaException, Producer

from .._errors import BusyError, RefusedError
from .._log import logger
from .._record import payload_of
from ._naming import Naming
from ._tls import TLS_KEYS, tls_context

if TYPE_CHECKING:
    from .._config import Table
    from .._record import Record

_UNFIT = r"[^a-zA-Z0-9._-]"  # of a node's name: what no topic's name has
_MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
_SERVE = 1.0  # seconds between looks at what librdkafka has to say while there is no record
_LATENCY = re.compile(r" \(after \d+ms.*\)$")  # differs each time
_PURGE = 1.0  # seconds for giving up what is under way

# What the order of records rests on: a request is sent when the one before it was answered, what
# can't be delivered stops all behind it, and time is over when this sink says so.
_ORDERED = {
    "enable.idempotence": True,
    "acks": "all",
    "enable.gapless.guarantee": True,
    "max.in.flight.requests.per.connection": 1,
    "message.timeout.ms": 0,
    "delivery.report.only.error": True,  # what has no report any more to come is delivered
}
_OWN = {
    **dict.fromkeys(_ORDERED, "is the sink's own: the order of records rests on it"),
    **dict.fromkeys(
        ("request.required.acks", "max.in.flight", "delivery.timeout.ms", "transactional.id"),
        "is the sink's own: the order of records rests on it",
    ),
    "bootstrap.servers": "use servers",
    "metadata.broker.list": "use servers",
    "security.protocol": "use tls and user",
    "sasl.username": "use user",
    "sasl.password": "use password_env or password_file",
    "ssl.ca.location": "use ca",
    "ssl.certificate.location": "use certificate",
    "ssl.key.location": "use key",
    "ssl.key.pem": "use key",
}
_SECRETS = ("ssl.key.password", "ssl.keystore.password", "sasl.oauthbearer.client.secret")

_NO_TOPIC = (
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)
# It is one of the records; other errors may pass.
_REFUSALS = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD)
# What befalls records behind the one with the error.
_CONSEQUENCES = (
    KafkaError._PURGE_QUEUE,
    KafkaError._PURGE_INFLIGHT,
    KafkaError._FATAL,
    KafkaError._GAPLESS_GUARANTEE,
)


_Headers = list[tuple[str, Union[str, bytes, None]]]


class KafkaSink:
    """Produces records to a topic, which has them when its brokers say so.

    Of a batch that fails, each partition has the beginning of what was for it.
    """

    def __init__(self, table: Table) -> None:
        self._topic = Naming(table, "topic", "confd-events", _UNFIT)
        if re.search(_UNFIT, self._topic.pattern.format(node="n", type="t.t")):
            raise table.error("topic", f"{self._topic.pattern!r} is no name of a topic")
        by = table.choice("key_by", ("node", "session"))
        self._key: Callable[[Record, str], str] = _session if by == "session" else _node
        self._timeout = table.seconds("timeout", 10.0) or 0.0
        self._options = _options(table, self._timeout)
        self._connection: _Connection | None = None
        self._window = 0  # how many to have under way; 0 for all

    def open(self) -> None:
        """Makes a producer, which connects by itself."""
        self._window = 0
        self._connection = _Connection(self._options)

    def send(self, batch: Sequence[Record]) -> None:
        """Produces them; the brokers have them when the last report of delivery is there."""
        assert self._connection is not None
        self._connection.said = ""
        done = 0
        while done < len(batch):
            done = self._some(batch, done)

    def close(self) -> None:
        """Gives up what is under way."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _some(self, batch: Sequence[Record], first: int) -> int:
        """Produces records from one on; returns how many of the batch are delivered."""
        assert self._connection is not None
        end = min(len(batch), first + (self._window or len(batch)))
        sent, refusal = self._produced(batch, first, end)
        failures = self._connection.awaited(self._timeout)
        if failures:
            return self._after(batch, failures, end - first)
        if refusal:
            raise RefusedError(sent, refusal)
        return sent

    def _produced(self, batch: Sequence[Record], first: int, end: int) -> tuple[int, str]:
        """Hands records to the producer; returns at which it stopped, and why it refuses that."""
        assert self._connection is not None
        for index in range(first, end):
            record = batch[index]
            attributes = record.attributes()
            topic = self._topic.of(attributes)
            key = self._key(record, attributes["source"].rpartition("/")[2])
            try:
                self._connection.produce(index, topic, key, record.json, _headers(attributes))
            except BufferError as error:
                if index == first:
                    raise BusyError(str(error), delivered=first) from None
                return index, ""  # the others when these are delivered
            except KafkaException as error:
                if error.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:
                    return index, _too_large(topic, record)
                self._connection.failed(index, error.args[0])
                break
        return end, ""

    def _after(self, batch: Sequence[Record], failures: Mapping[int, KafkaError], sent: int) -> int:
        """Goes on in smaller parts to find the record that is refused; else says what failed.

        sent -- how many records were under way

        Returns how many of the batch are delivered.
        """
        index = min(failures)
        refused = [each for each, error in failures.items() if error.code() in _REFUSALS]
        if not refused:
            raise BusyError(self._reason(batch, failures), delivered=index)
        # A producer that has had a failure delivers no more.
        self.close()
        self._connection = _Connection(self._options)
        if refused == [index]:
            self._window = 0
            raise RefusedError(index, self._told(batch[index], failures[index]))
        self._window = max(1, sent // 2)
        return index

    def _reason(self, batch: Sequence[Record], failures: Mapping[int, KafkaError]) -> str:
        assert self._connection is not None
        for index, error in sorted(failures.items()):
            if error.code() not in _CONSEQUENCES:
                return self._told(batch[index], error)
        servers = self._options["bootstrap.servers"]
        late = f"{servers}: no acknowledgement came within {self._timeout:g} s"
        return self._connection.said or late

    def _told(self, record: Record, error: KafkaError) -> str:
        topic = self._topic.of(record.attributes())
        if error.code() in _NO_TOPIC:
            return f"there is no topic {topic}"
        if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            return f"topic {topic}: we may not write to it"
        return f"topic {topic}: {error.str()}"


class _Connection:
    """A producer, and what it reports."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.said = ""
        """What librdkafka complains about."""
        self._failures: dict[int, KafkaError] = {}  # by the index in the batch
        log = _Log(logging.INFO if "debug" in options else logging.DEBUG)
        try:
            self._producer = Producer({**options, "error_cb": self._note, "logger": log})
        except KafkaException as error:
            raise BusyError(error.args[0].str()) from None
        self._serving = threading.Lock()
        self._closing = threading.Event()
        threading.Thread(target=self._serve, name="confd-events kafka", daemon=True).start()

    def produce(self, index: int, topic: str, key: str, value: str, headers: _Headers) -> None:
        """Hands over a record, which has this index in the batch."""
        report = partial(self._report, index)
        self._producer.produce(topic, value, key, on_delivery=report, headers=headers)

    def failed(self, index: int, error: KafkaError) -> None:
        """Notes that a record was not even handed over."""
        self._failures[index] = error

    def awaited(self, timeout: float) -> dict[int, KafkaError]:
        """Waits until all was delivered or has failed; returns what has failed, and why."""
        with self._serving:
            end = time.monotonic() + timeout
            while not self._is_served(end):
                if self._failures:  # nothing is to be sent behind it
                    self._producer.purge(in_flight=False)
                if time.monotonic() >= end:
                    self._give_up()
                    break
            failures, self._failures = self._failures, {}
        return failures

    def close(self) -> None:
        """Gives up what is under way; the producer ends when nobody refers to it."""
        self._closing.set()
        with self._serving:
            self._give_up()
        del self._producer

    def _give_up(self) -> None:
        said = self.said
        self._producer.purge()
        end = time.monotonic() + _PURGE
        while not self._is_served(end) and time.monotonic() < end:
            pass
        self.said = said  # not what came of giving up

    def _is_served(self, end: float) -> bool:
        """Takes the next reports, if they come in time; returns whether there are no others."""
        if len(self._producer):
            self._poll(max(0.0, end - time.monotonic()))
        return not len(self._producer)

    def _poll(self, timeout: float) -> None:
        # Not flush(), which would call us on while the exception of a fatal error is under way.
        try:
            self._producer.poll(timeout)
        except KafkaException as error:  # a fatal error; who polls gets it, once
            self._note(error.args[0])

    def _serve(self) -> None:
        """Lets librdkafka log, and refresh its tokens, while there is no record."""
        while not self._closing.wait(_SERVE):
            if self._serving.acquire(blocking=False):
                try:
                    if not self._closing.is_set():
                        self._poll(0)
                finally:
                    self._serving.release()

    def _report(self, index: int, error: KafkaError | None, _: object) -> None:
        if error is not None:
            self._failures[index] = error

    def _note(self, error: KafkaError) -> None:
        # That no broker is there says less than why.
        if not self.said or error.code() != KafkaError._ALL_BROKERS_DOWN:
            self.said = _LATENCY.sub("", error.str())


class _Log:
    """Takes librdkafka's log, which tells of each attempt to connect, as one of little weight."""

    def __init__(self, level: int) -> None:
        self._level = level

    def log(self, _: int, text: str, *arguments: object) -> None:
        """Logs a line; its own level is of no interest."""
        logger.log(self._level, f"librdkafka: {text}", *arguments)


def _headers(attributes: Mapping[str, str]) -> _Headers:
    """Those of CloudEvents' structured mode, and the attributes, for who looks at no value."""
    headers: _Headers = [("content-type", "application/cloudevents+json")]
    for key, text in attributes.items():
        if key != "datacontenttype":
            headers.append((f"ce_{key}", text))
    return headers


def _node(record: Record, node: str) -> str:
    return node


def _session(record: Record, node: str) -> str:
    """Node and user session; the node alone where there is no session."""
    try:
        payload = payload_of(record.envelope()["data"])
    except RecursionError:
        return node
    usid = payload.get("usid") or payload.get("uinfo", {}).get("usid")
    return f"{node}/{usid}" if usid else node


def _too_large(topic: str, record: Record) -> str:
    size = len(record.json)
    return f"topic {topic}: its {size} bytes are more than message.max.bytes of the options"


# The configuration


def _options(table: Table, timeout: float) -> dict[str, Any]:
    """The options of the producer."""
    given = _given(table)
    options: dict[str, Any] = {
        "client.id": "confd-events",
        "partitioner": "murmur2_random",  # as Kafka's own clients do it
        "linger.ms": 1,
        "log.connection.close": False,  # brokers end connections that are idle
        "topic.metadata.propagation.max.ms": max(1, int(timeout * 500)),
        **given,
        **_ORDERED,
        **_login(table),
        **_tls(table),
    }
    is_known = options.get("sasl.mechanism") or options.get("sasl.mechanisms")
    layers = ("sasl" if is_known else "", "ssl" if table.flag("tls") else "plaintext")
    options["security.protocol"] = "_".join(filter(None, layers))
    _check(table, options, given)
    return {"bootstrap.servers": ",".join(_servers(table)), **options}


def _servers(table: Table) -> list[str]:
    servers = table.texts("servers")
    if not servers:
        raise table.error("servers", "name one or more, such as 'kafka-1.example.com:9092'")
    for server in servers:
        if "@" in server:
            raise table.error("servers", "one has a user or a password; there are keys for it")
        try:
            parts = urlsplit(f"//{server}")
            is_right = (
                parts.netloc == server and "@" not in server and parts.hostname and parts.port
            )
        except ValueError:
            is_right = False
        if not is_right or "," in server:
            raise table.error("servers", f"{server!r} is not as host:9092")
    return servers


def _login(table: Table) -> dict[str, Any]:
    user, password = table.optional_text("user"), table.secret("password")
    if (user is None) != (password is None):
        raise table.error("user", "give user, and password_env or password_file")
    mechanism = table.choice("mechanism", _MECHANISMS)
    if user is None:
        if "mechanism" in table:
            raise table.error("mechanism", "is for a user; give user, too")
        return {}
    return {"sasl.mechanism": mechanism, "sasl.username": user, "sasl.password": password}


def _tls(table: Table) -> dict[str, Any]:
    if tls_context(table, table.flag("tls"), "tls = true") is None:
        return {}
    names = ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location")
    files = zip(names, (table.optional_text(each) for each in TLS_KEYS))
    return {name: path for name, path in files if path is not None}


def _given(table: Table) -> dict[str, Any]:
    """What the table options has, and its secrets."""
    options = table.options("options")
    secrets = {name: options.secret(name) for name in _SECRETS}
    given: dict[str, Any] = {name: text for name, text in secrets.items() if text is not None}
    for name in options:
        if name in _OWN:
            raise options.error(name, _OWN[name])
        if not name.endswith(("_env", "_file")):
            given[name] = options.plain(name)
    options.end()
    return given


def _check(table: Table, options: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Has librdkafka look at the options, by a producer that has no broker to connect to."""
    try:
        Producer({**options, "logger": _Log(logging.DEBUG)})
    except (KafkaException, TypeError, ValueError) as error:
        said = error.args[0].str() if isinstance(error, KafkaException) else str(error)
        named = [name for name in given if name in said]
        key = f"options.{named[0]}" if named else "options" if given else "type"
        raise table.error(key, said.strip()) from None
