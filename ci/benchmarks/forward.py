"""The forwarder: into the spool, and from the spool to each sink."""

from __future__ import annotations

import itertools
import sqlite3
import statistics
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Callable, NamedTuple

from confd_events import Event
from confd_events.forward import Config, Record, Spool, read_config, records_of
from confd_events.forward._delivery import Delivery
from confd_events.forward._intake import Intake
from confd_events.forward._observer import Observer

from .engines import BATCH, Engine, engines, prepared
from .loads import audit, variants
from .sender import Job, Sender

_AUDIT = '.audit", "time"'
_PATIENCE = 300.0  # seconds before it fails instead of hanging


class Flow(NamedTuple):
    """How fast records go, and how fast with nothing but the client that carries them."""

    what: str
    per_second: float
    alone: float
    ratio: float
    """Of the two: the median of those of each round."""
    cpu: float
    """Microseconds of processor time for a record, of the forwarder."""


class Spent(NamedTuple):
    """What a round took, in seconds."""

    clock: float
    cpu: float


class _Tally(Observer):
    """Counts what is stored and what is delivered."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._began: tuple[float, float] | None = None
        self._ended = 0.0, 0.0
        self._done = threading.Event()

    def begin(self) -> None:
        """From now on it counts."""
        self._began = self._began or _now()

    def connected(self, node: str, is_connected: bool) -> None:
        self.begin()

    def read(self, node: str, events: Sequence[Event]) -> None:
        self._count(len(events))

    def delivered(self, sink: str, count: int) -> None:
        self._count(count)

    def _count(self, count: int) -> None:
        self._left -= count
        if self._left <= 0 and not self._done.is_set():
            self._ended = _now()
            self._done.set()

    def spent(self) -> Spent:
        """What it took, once it is over."""
        assert self._done.wait(_PATIENCE), f"{self._left} are missing"
        assert self._began is not None
        return Spent(*(end - begin for end, begin in zip(self._ended, self._began)))


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def forwarded(sender: Sender, folder: Path, count: int, rounds: int) -> list[Flow]:
    """Audit events, so many in each round."""
    count = max(BATCH, count // BATCH * BATCH)
    with engines(folder) as all_engines:
        rows, records = _into_spool(sender, folder, count, rounds)
        rows += [_delivered(folder, engine, records, rounds) for engine in all_engines]
    return rows


def _into_spool(
    sender: Sender, folder: Path, count: int, rounds: int
) -> tuple[list[Flow], list[Record]]:
    """Reads, stores and acknowledges; returns the records, too."""
    times, alone = [], []
    for number in range(rounds + 1):
        config = _config(folder, f"in{number}.db", sender.path, 'type = "stdout"')
        times.append(_stored(sender, config, count))
        records = [
            r for r in records_of(config.spool) if "nso.audit" in r.json or "confd.audit" in r.json
        ]
        alone.append(_inserted(folder / f"alone{number}.db", records))
    return [_flow("into the spool", count, times, alone)], records[:count]


def _stored(sender: Sender, config: Config, count: int) -> Spent:
    tally = _Tally(count)
    with Spool(config.spool) as spool:
        spool.serve(["stdout"])
        sender.expect(Job(variants(audit), count))
        intake = Intake(config.nodes[0], spool, "bench", tally)
        intake.start()
        spent = tally.spent()
        intake.stop()
        intake.join()
    return spent


def _inserted(path: Path, records: Sequence[Record]) -> float:
    """What SQLite takes for as many rows, and as many to a commit."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE records (number INTEGER PRIMARY KEY, at REAL, json TEXT)")
        began = time.perf_counter()
        for first in range(0, len(records), BATCH):
            rows = [(0.0, record.json) for record in records[first : first + BATCH]]
            database.execute("BEGIN")
            database.executemany("INSERT INTO records (at, json) VALUES (?, ?)", rows)
            database.execute("COMMIT")
        return time.perf_counter() - began


def _delivered(folder: Path, engine: Engine, records: Sequence[Record], rounds: int) -> Flow:
    """The same records with other ids each time, for none is to be left out as a repeat."""
    times, alone = [], []
    numbers = itertools.count()
    for _ in range(rounds + 1):
        config = _config(folder, f"{engine.name}{next(numbers)}.db", "/", _sink(engine))
        times.append(_drained(config, engine.name, _renamed(records, next(numbers))))
        batches = prepared(_renamed(records, next(numbers)))
        alone.append(_seconds(lambda: engine.client(batches)))  # noqa: B023
    return _flow(engine.name, len(records), times, alone)


def _sink(engine: Engine) -> str:
    return f'type = "{engine.name}"\nbatch = {BATCH}\n{engine.keys}'


def _renamed(records: Sequence[Record], number: int) -> list[Record]:
    return [r._replace(json=r.json.replace("/bench/", f"/{number}/", 1)) for r in records]


def _drained(config: Config, name: str, records: Sequence[Record]) -> Spent:
    tally = _Tally(len(records))
    with Spool(config.spool) as spool:
        spool.serve([name])
        for first in range(0, len(records), BATCH):
            spool.append("bench", [r.json for r in records[first : first + BATCH]])
        delivery = Delivery(config.sinks[0], spool, tally)
        tally.begin()
        delivery.start()
        spent = tally.spent()
        delivery.stop()
        delivery.join()
    return spent


def _seconds(run: Callable[[], None]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _config(folder: Path, spool: str, address: str, sink: str) -> Config:
    path = folder / "forward.toml"
    path.write_text(
        f'[spool]\npath = "{folder}/{spool}"\n'
        f'[[nodes]]\nname = "bench"\naddress = "{address}"\nsubscribe = ["audit"]\n'
        f"[[sinks]]\n{sink}\n"
    )
    return read_config(str(path))


def _flow(what: str, count: int, spent: Sequence[Spent], alone: Sequence[float]) -> Flow:
    """Without the first round, which warms up."""
    clocks = [each.clock for each in spent[1:]]
    ratios = [client / ours for ours, client in zip(clocks, alone[1:])]
    mine, its = (count / statistics.median(each) for each in (clocks, alone[1:]))
    cpu = statistics.median(each.cpu for each in spent[1:]) / count * 1e6
    return Flow(what, mine, its, statistics.median(ratios), cpu)
