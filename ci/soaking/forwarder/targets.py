"""A sink of each kind: its server, its keys in the configuration, and what it has got."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import nats
import redis
from confluent_kafka import Consumer, TopicPartition
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

sys.path.append(str(Path(__file__).parents[3] / "tests"))

from kafka_servers import Observer, kafka_server
from rsyslog import rsyslog_process
from servers import Relay, ServerProcess, nats_server, valkey_server
from servers import free_port as free_port

_FETCH = 2000
_RSYSLOG = """
global(workDirectory="{directory}" net.enableDNS="off" maxMessageSize="64k")
main_queue(queue.type="direct")
template(name="line" type="string" string="%msg:::drop-last-lf%\\n")
module(load="{module}")
input(type="{module}" port="{port}" {more})
if $syslogtag != "rsyslogd:" then action(type="omfile" file="{directory}/taken" template="line")
"""


class Target:
    """Where records are sent to; its troubles are methods of its own."""

    name = ""
    troubles: Sequence[str] = ()

    def __init__(self, home: Path, seed: int) -> None:
        self.home = home
        self.random = random.Random(f"{seed} {self.name}")
        home.mkdir()

    @property
    def keys(self) -> str:
        """In the configuration, beside the type."""
        raise NotImplementedError

    @contextmanager
    def running(self) -> Iterator[None]:
        """With its server."""
        yield

    def read(self) -> list[str]:
        """The records that have come since the last call; it may fail while the server is away."""
        raise NotImplementedError


class Tail:
    """The lines of a file that others write, and may put aside."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._rest = b""

    def read(self) -> list[str]:
        """The whole lines that have come."""
        lines = self._lines()
        if self._is_aside():
            lines += self._lines()  # nobody writes to the old one any more
            os.close(self._descriptor)
            self._descriptor = -1
            lines += self._lines()
        return lines

    def _is_aside(self) -> bool:
        """Whether there is another file now."""
        if self._descriptor < 0:
            return False
        with suppress(FileNotFoundError):
            return not os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))
        return False

    def _lines(self) -> list[str]:
        if self._descriptor < 0:
            with suppress(FileNotFoundError):
                self._descriptor = os.open(self._path, os.O_RDONLY)
        if self._descriptor < 0:
            return []
        while data := os.read(self._descriptor, 1 << 20):
            self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        return [line.decode() for line in lines]


class FileTarget(Target):
    """A file, which is moved away as by logrotate."""

    name = "file"
    troubles: Sequence[str] = ("moved away",)

    @property
    def keys(self) -> str:
        return f'path = "{self.home}/out"'

    @contextmanager
    def running(self) -> Iterator[None]:
        self._tail = Tail(self.home / "out")
        yield

    def moved_away(self) -> None:
        with suppress(FileNotFoundError):
            (self.home / "out").rename(self.home / "old")

    def read(self) -> list[str]:
        return self._tail.read()


class SqliteTarget(Target):
    """A database, which somebody else locks."""

    name = "sqlite"
    troubles: Sequence[str] = ("locked",)

    @property
    def keys(self) -> str:
        return f'path = "{self.home}/out.db"'

    @contextmanager
    def running(self) -> Iterator[None]:
        self._last = 0
        yield

    def locked(self) -> None:
        with closing(sqlite3.connect(self.home / "out.db", isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            time.sleep(self.random.uniform(0.0, 8.0))
            database.execute("ROLLBACK")

    def read(self) -> list[str]:
        path = f"file:{self.home}/out.db?mode=ro"
        with closing(sqlite3.connect(path, uri=True)) as database:
            rows = database.execute(
                "SELECT number, record FROM events WHERE number > ? ORDER BY number", (self._last,)
            ).fetchall()
        self._last = rows[-1][0] if rows else self._last
        return [text for _, text in rows]


class ServedTarget(Target):
    """One with a server, which is killed, told to end, or stopped for a while."""

    troubles: Sequence[str] = ("killed", "told to end", "hangs")
    server: ServerProcess

    def killed(self) -> None:
        self.server.kill()
        self._pause(3.0)
        self.server.start()

    def told_to_end(self) -> None:
        self.server.signal(signal.SIGTERM)
        self._pause(2.0)
        self.killed()

    def hangs(self) -> None:
        self.server.signal(signal.SIGSTOP)
        self._pause(6.0)
        self.server.signal(signal.SIGCONT)

    def _pause(self, longest: float) -> None:
        time.sleep(self.random.uniform(0.0, longest))


class HttpTarget(ServedTarget):
    """A web server."""

    name = "http"

    @property
    def keys(self) -> str:
        return f'url = "http://127.0.0.1:{self.server.port}/"\nformat = "lines"\ntimeout = 3'

    @contextmanager
    def running(self) -> Iterator[None]:
        port = free_port()
        command = [sys.executable, "-m", "soaking.forwarder.receiver", str(port)]
        path = self.home / "out"
        # From where this process is, for that module is found there.
        command = ["env", f"PYTHONPATH={Path('ci').resolve()}", *command, str(path)]
        self._tail = Tail(path)
        self.server = ServerProcess(command, self.home, port)
        with self.server:
            yield

    def read(self) -> list[str]:
        return self._tail.read()


class _SyslogTarget(ServedTarget):
    module = ""
    more = ""

    @contextmanager
    def running(self) -> Iterator[None]:
        port = free_port()
        values = {"directory": self.home, "port": port, "module": self.module, "more": self.more}
        self._tail = Tail(self.home / "taken")
        self.server = rsyslog_process(self.home, _RSYSLOG.format(**values), port)
        with self.server:
            yield

    def read(self) -> list[str]:
        return [line for line in self._tail.read() if '{"specversion"' in line]


class RelpTarget(_SyslogTarget):
    """A rsyslogd that acknowledges."""

    name = "relp"
    module = "imrelp"
    more = 'maxDataSize="64k"'

    @property
    def keys(self) -> str:
        return f'url = "relp://127.0.0.1:{self.server.port}"\nmax_size = "64k"\ntimeout = 3'


class SyslogTarget(_SyslogTarget):
    """A rsyslogd over TCP. What its host has taken is lost when it is killed, so it is not."""

    name = "syslog"
    module = "imtcp"
    troubles: Sequence[str] = ("hangs",)

    @property
    def keys(self) -> str:
        return f'url = "tcp://127.0.0.1:{self.server.port}"\nmax_size = "64k"\ntimeout = 10'


class NatsTarget(ServedTarget):
    """A stream of JetStream, on the disk."""

    name = "nats"

    @property
    def keys(self) -> str:
        servers = f'servers = ["nats://127.0.0.1:{self.server.port}"]'
        return f'{servers}\nstream = "NSO"\ncreate = true\ntimeout = 3'

    @contextmanager
    def running(self) -> Iterator[None]:
        self._last = 0
        self.server = nats_server(self.home)
        with self.server:
            yield

    def read(self) -> list[str]:
        return asyncio.run(self._read())

    async def _read(self) -> list[str]:
        url = f"nats://127.0.0.1:{self.server.port}"
        client = await nats.connect(url, connect_timeout=2, allow_reconnect=False)
        try:
            stream = client.jetstream(timeout=2)
            left = (await stream.stream_info("NSO")).state.last_seq - self._last
            if not left:
                return []
            config = ConsumerConfig(
                ack_policy=AckPolicy.NONE,
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=self._last + 1,
                inactive_threshold=5,
            )
            reader = await stream.pull_subscribe("", stream="NSO", config=config)
            found = await reader.fetch(min(_FETCH, left), timeout=2)
            if found:
                self._last = found[-1].metadata.sequence.stream
            return [each.data.decode() for each in found]
        finally:
            await client.close()


class RedisTarget(ServedTarget):
    """A stream of Valkey, on the disk; what was read is removed."""

    name = "redis"

    @property
    def keys(self) -> str:
        return f'url = "redis://127.0.0.1:{self.server.port}"\ntimeout = 3'

    @contextmanager
    def running(self) -> Iterator[None]:
        self._last = "0"
        self.server = valkey_server(self.home)
        with self.server:
            yield

    def read(self) -> list[str]:
        with redis.Redis(port=self.server.port, socket_timeout=2) as client:
            answer: Any = client.xread({"confd-events": self._last}, count=_FETCH)
            entries = answer[0][1] if answer else []
            if not entries:
                return []
            client.xtrim("confd-events", minid=self._last, approximate=True)
            self._last = entries[-1][0].decode()
            return [fields[b"record"].decode() for _, fields in entries]


class KafkaTarget(ServedTarget):
    """A topic of Tansu, which has all in memory: so it is not killed, but loses connections."""

    name = "kafka"
    troubles: Sequence[str] = ("connections cut", "hangs")

    @property
    def keys(self) -> str:
        return f'servers = ["127.0.0.1:{self._relay.port}"]\ntimeout = 5'

    @contextmanager
    def running(self) -> Iterator[None]:
        with Relay() as self._relay:
            self.server = kafka_server(self.home, advertised=self._relay.port)
            self._relay.server = self.server
            with self.server:
                servers = f"127.0.0.1:{self.server.port}"
                Observer(servers).make()
                options: Any = {"bootstrap.servers": servers, "group.id": "soak", "log_level": 0}
                self._consumer = Consumer(options)
                self._consumer.assign([TopicPartition("confd-events", 0, 0)])
                yield
                self._consumer.close()

    def connections_cut(self) -> None:
        self._relay.cut()

    def read(self) -> list[str]:
        found = self._consumer.consume(_FETCH, timeout=0.5)
        return [str((m.value() or b"").decode()) for m in found if m.error() is None]


TARGETS: tuple[type[Target], ...] = (
    FileTarget,
    SqliteTarget,
    HttpTarget,
    SyslogTarget,
    RelpTarget,
    NatsTarget,
    RedisTarget,
    KafkaTarget,
)
