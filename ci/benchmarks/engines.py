"""What sinks deliver to, and what the client of each does alone, without the forwarder."""

from __future__ import annotations

import asyncio
import http.client
import multiprocessing
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Callable, NamedTuple

import nats
import redis
from confluent_kafka import Producer

from confd_events.forward import Record

sys.path.append(str(Path(__file__).parents[2] / "tests"))

from kafka_servers import Observer as KafkaObserver
from kafka_servers import kafka_server
from servers import nats_server, valkey_server

BATCH = 500

Prepared = tuple[str, dict[str, str]]
"""The JSON of a record, and its attributes."""
Client = Callable[[Sequence[Sequence[Prepared]]], None]
"""Delivers batches, as the sink does but with nothing else to do."""


class Engine(NamedTuple):
    """Where a sink delivers to."""

    name: str
    keys: str
    """The sink's keys in the configuration."""
    client: Client


@contextmanager
def engines(folder: Path) -> Iterator[list[Engine]]:
    """All of them, with their servers running."""
    homes = {name: folder / name for name in ("nats", "redis", "kafka")}
    for home in homes.values():
        home.mkdir()
    with (
        _receiver() as port,
        nats_server(homes["nats"]) as of_nats,
        valkey_server(homes["redis"]) as of_redis,
        kafka_server(homes["kafka"]) as of_kafka,
    ):
        KafkaObserver(f"127.0.0.1:{of_kafka.port}").make("bench")
        asyncio.run(_make_stream(of_nats.port))
        yield [
            Engine("file", f'path = "{folder}/out"', _to_file(folder / "out alone")),
            Engine("sqlite", f'path = "{folder}/out.db"', _to_sqlite(folder / "alone.db")),
            Engine("http", f'url = "http://127.0.0.1:{port}/"', _to_http(port)),
            Engine(
                "nats",
                f'servers = ["nats://127.0.0.1:{of_nats.port}"]\nstream = "bench"',
                _to_nats(of_nats.port),
            ),
            Engine("redis", f'url = "redis://127.0.0.1:{of_redis.port}"', _to_redis(of_redis.port)),
            Engine(
                "kafka",
                f'servers = ["127.0.0.1:{of_kafka.port}"]\ntopic = "bench"',
                _to_kafka(of_kafka.port),
            ),
        ]


def prepared(records: Sequence[Record]) -> list[list[Prepared]]:
    """Batches of records, of which a client has nothing to parse any more."""
    ready = [(record.json, record.attributes()) for record in records]
    return [ready[first : first + BATCH] for first in range(0, len(ready), BATCH)]


def _to_file(path: Path) -> Client:
    def deliver(batches: Sequence[Sequence[Prepared]]) -> None:
        with open(path, "a") as file:
            for batch in batches:
                file.write("".join(f"{text}\n" for text, _ in batch))
                file.flush()
                os.fdatasync(file.fileno())

    return deliver


def _to_sqlite(path: Path) -> Client:
    """As the sink has it: a table with an index of ids."""
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute(
            "CREATE TABLE events (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
            " source TEXT, type TEXT, time TEXT, record TEXT)"
        )

    def deliver(batches: Sequence[Sequence[Prepared]]) -> None:
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA synchronous = FULL")
            for batch in batches:
                rows = [
                    (about["id"], about["source"], about["type"], about["time"], text)
                    for text, about in batch
                ]
                with database:
                    database.executemany(
                        "INSERT INTO events (id, source, type, time, record)"
                        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                        rows,
                    )

    return deliver


def _to_http(port: int) -> Client:
    def deliver(batches: Sequence[Sequence[Prepared]]) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
            for batch in batches:
                body = f"[{','.join(text for text, _ in batch)}]".encode()
                connection.request("POST", "/", body)
                connection.getresponse().read()

    return deliver


def _to_nats(port: int) -> Client:
    async def publish(batches: Sequence[Sequence[Prepared]]) -> None:
        async with await nats.connect(f"nats://127.0.0.1:{port}") as client:
            stream = client.jetstream(publish_async_max_pending=BATCH)
            for batch in batches:
                for text, about in batch:
                    headers = {"Nats-Msg-Id": about["id"]}
                    subject = f"events.{about['type']}.bench"
                    await stream.publish_async(subject, text.encode(), headers=headers)
                await stream.publish_async_completed()

    return lambda batches: asyncio.run(publish(batches))


async def _make_stream(port: int) -> None:
    async with await nats.connect(f"nats://127.0.0.1:{port}") as client:
        await client.jetstream().add_stream(name="bench", subjects=["events.>"])


def _to_redis(port: int) -> Client:
    def deliver(batches: Sequence[Sequence[Prepared]]) -> None:
        with redis.Redis(port=port) as client:
            for batch in batches:
                pipeline = client.pipeline(transaction=True)
                for text, about in batch:
                    fields: dict[Any, Any] = {
                        key: about[key] for key in ("id", "source", "type", "time")
                    }
                    pipeline.xadd("alone", {**fields, "record": text})
                pipeline.execute()

    return deliver


def _to_kafka(port: int) -> Client:
    def deliver(batches: Sequence[Sequence[Prepared]]) -> None:
        options: dict[str, Any] = {"enable.idempotence": True, "acks": "all", "linger.ms": 1}
        producer = Producer({"bootstrap.servers": f"127.0.0.1:{port}", **options})
        failures: list[object] = []

        def report(error: object, _: object) -> None:
            if error is not None:
                failures.append(error)

        for batch in batches:
            for text, about in batch:
                headers: Any = [(f"ce_{key}", value) for key, value in about.items()]
                producer.produce("bench", text, "bench", headers=headers, on_delivery=report)
            producer.flush()
        assert not failures

    return deliver


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Of no interest."""


@contextmanager
def _receiver() -> Iterator[int]:
    """A web server in a process of its own; its port."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_receive, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def _receive(pipe: Connection) -> None:
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        pipe.send(server.server_port)
        server.serve_forever()
