"""The spool: records on the disk, until every sink has them; an SQLite database.

It keeps a position for each sink, and the records that a sink refuses for good, its dead letters.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Callable, NamedTuple, cast

from ._errors import SpoolError, SpoolFullError
from ._place import WINDOW, Mark, Place
from ._record import Record

_APPLICATION = 0x63656673  # what `file` shows, and tells a spool from another program's database

# What makes each version of the layout from the one before; the last is that of this release.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # AUTOINCREMENT: numbers go on when the spool was empty in between.
        "CREATE TABLE records (number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL,"
        " json TEXT NOT NULL)",
        "CREATE TABLE sinks (name TEXT PRIMARY KEY, position INTEGER NOT NULL, error TEXT,"
        " failed_at REAL)",
        "CREATE TABLE dead (letter INTEGER PRIMARY KEY, sink TEXT NOT NULL,"
        " number INTEGER NOT NULL, at REAL NOT NULL, error TEXT NOT NULL, json TEXT NOT NULL,"
        " again INTEGER NOT NULL DEFAULT 0)",
        "CREATE TABLE nodes (name TEXT PRIMARY KEY, at REAL NOT NULL)",
    ),
    ("ALTER TABLE nodes ADD COLUMN role TEXT",),
    (
        # The marks of streams: in the order in which events came, at is µs since the epoch.
        "CREATE TABLE marks (number INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL,"
        " stream TEXT NOT NULL, at INTEGER NOT NULL, digest BLOB)",
        "CREATE INDEX marks_by_time ON marks (node, stream, at)",
    ),
)
_record = cast("Callable[[tuple[int, str]], Record]", partial(tuple.__new__, Record))
_ROWS = 100  # to insert by one statement
_CHUNK = 500  # records to drop at a time when room is made


class Marks(NamedTuple):
    """Where a stream is, after the events of these marks."""

    stream: str
    marks: Sequence[Mark]


class Spool:
    """A spool that is open, for one forwarder; its threads may share it.

    path -- of the database; what is not there is made, but for directories
    limit -- bytes that it is not to exceed; None for none

    Raises SpoolError when it can't be used, OSError when it can't be made. Each method raises
    SpoolFullError when the disk can't be used now, SpoolError when the spool is damaged.
    """

    def __init__(self, path: str | os.PathLike[str], limit: int | None = None) -> None:
        self._path = Path(path)
        self.limit = limit
        """Bytes that it is not to exceed; None for none."""
        self._changed = threading.Condition()
        self._changes = 0
        self._lock = _locked(self._path)
        try:
            self._database = _opened(self._path)
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes it; another forwarder may then open it."""
        with self._changed:
            self._database.close()
            os.close(self._lock)

    def serve(self, sinks: Sequence[str]) -> list[str]:
        """Keeps records for these sinks from now on; returns those that are forgotten.

        A sink that is new gets all records that are still there.
        """
        with self._transaction() as database:
            known = [name for (name,) in database.execute("SELECT name FROM sinks")]
            forgotten = [name for name in known if name not in sinks]
            database.executemany("DELETE FROM sinks WHERE name = ?", [(n,) for n in forgotten])
            database.executemany(
                "INSERT OR IGNORE INTO sinks (name, position) VALUES (?, 0)", [(n,) for n in sinks]
            )
            _prune(database)
        return forgotten

    # Coming in

    def append(
        self,
        node: str,
        records: Iterable[str],
        drop_oldest: Callable[[int], str] | None = None,
        beyond_limit: bool = False,
        marks: Marks | None = None,
    ) -> int:
        """Stores records of a node; they are on the disk when this returns.

        drop_oldest -- what makes the record that says how many of the oldest were dropped to make
            room; None to raise SpoolFullError instead when the limit is reached
        beyond_limit -- whether the limit does not hold for these
        marks -- of a stream, where it is with these records

        Returns how many were dropped.
        """
        bodies, now = list(records), time.time()
        with self._transaction() as database:
            dropped = 0
            if not beyond_limit:
                dropped = self._make_room(database, sum(map(len, bodies)), drop_oldest is not None)
            if dropped and drop_oldest is not None:
                bodies.insert(0, drop_oldest(dropped))
            _insert(database, now, bodies)
            database.execute(
                "INSERT INTO nodes (name, at) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET at = excluded.at",
                (node, now),
            )
            if marks is not None:
                _mark(database, node, marks)
        self.wake()
        return dropped

    def last_of(self, node: str) -> float | None:
        """When the last record of a node was stored, in seconds since the epoch; None if never."""
        with self._database_to("read") as database:
            found = database.execute("SELECT at FROM nodes WHERE name = ?", (node,)).fetchall()
        return float(found[0][0]) if found else None

    def mark(self, node: str, marks: Marks) -> None:
        """Keeps where a node's stream is, without a record."""
        with self._transaction() as database:
            _mark(database, node, marks)

    def place_of(self, node: str, stream: str) -> Place | None:
        """Where a node's stream is; None when nothing of it was ever kept."""
        with self._database_to("read") as database:
            rows = database.execute(
                "SELECT at, digest FROM marks WHERE node = ? AND stream = ? ORDER BY number",
                (node, stream),
            ).fetchall()
        return Place(map(Mark._make, rows)) if rows else None

    def note_role(self, node: str, role: str) -> None:
        """Keeps the role that a node has reported."""
        with self._transaction() as database:
            database.execute(
                "INSERT INTO nodes (name, at, role) VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET role = excluded.role",
                (node, time.time(), role),
            )

    def role_of(self, node: str) -> str | None:
        """The role that a node has reported last; None if never."""
        with self._database_to("read") as database:
            found = database.execute("SELECT role FROM nodes WHERE name = ?", (node,)).fetchall()
        return found[0][0] if found else None

    def _make_room(self, database: sqlite3.Connection, needed: int, may_drop: bool) -> int:
        """Drops the oldest until there is room. Where nothing is left, all is taken."""
        dropped = 0
        while self._is_full(database, needed):
            if not may_drop:
                raise SpoolFullError(f"{self._path} has reached its limit of {self.limit} bytes")
            dropped += database.execute(
                "DELETE FROM records WHERE number IN"
                " (SELECT number FROM records ORDER BY number LIMIT ?)",
                (_CHUNK,),
            ).rowcount
        return dropped

    def _is_full(self, database: sqlite3.Connection, needed: int) -> bool:
        if self.limit is None or _used(database) + needed <= self.limit:
            return False
        return bool(database.execute("SELECT EXISTS (SELECT 1 FROM records)").fetchone()[0])

    # Going out

    def pending(self, sink: str, count: int, after: int = 0) -> list[Record]:
        """The next records for a sink, oldest first, at most so many, all behind this number."""
        with self._database_to("read") as database:
            rows = database.execute(
                "SELECT number, json FROM records WHERE number >"
                " max(?, (SELECT position FROM sinks WHERE name = ?)) ORDER BY number LIMIT ?",
                (after, sink, count),
            )
            return list(map(_record, rows))

    @property
    def changes(self) -> int:
        """How often records have come, or wake() was called."""
        return self._changes

    def wait(self, changes: int, timeout: float) -> None:
        """Waits until there are more changes than so many; at most so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._changes > changes, timeout)

    def wake(self) -> None:
        """Ends the present waits."""
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def advance(self, sink: str, number: int) -> None:
        """A sink has all records up to this number; what all sinks have is removed.

        A crash of the host, not of the process, may undo that: then records come again.
        """
        with self._transaction(durable=False) as database:
            self._advance(database, sink, number)

    def bury(self, sink: str, record: Record, error: str) -> None:
        """A sink refuses this record for good: it becomes a dead letter, and the sink goes on."""
        with self._transaction() as database:
            database.execute(
                "INSERT INTO dead (sink, number, at, error, json) VALUES (?, ?, ?, ?, ?)",
                (sink, record.number, time.time(), error, record.json),
            )
            self._advance(database, sink, record.number)

    def _advance(self, database: sqlite3.Connection, sink: str, number: int) -> None:
        database.execute(
            "UPDATE sinks SET position = ?, error = NULL, failed_at = NULL WHERE name = ?",
            (number, sink),
        )
        _prune(database)

    def redriven(self, sink: str) -> Letter | None:
        """The oldest of a sink's dead letters that are to be tried again; None when none is."""
        with self._database_to("read") as database:
            found = database.execute(
                f"{_LETTERS} WHERE sink = ? AND again ORDER BY letter LIMIT 1", (sink,)
            ).fetchall()
        return Letter(*found[0]) if found else None

    def settle(self, letter: Letter, error: str | None = None) -> None:
        """A dead letter was tried again: it is delivered, or it stays with this error."""
        with self._transaction() as database:
            if error is None:
                database.execute("DELETE FROM dead WHERE letter = ?", (letter.letter,))
            else:
                database.execute(
                    "UPDATE dead SET again = 0, error = ? WHERE letter = ?", (error, letter.letter)
                )

    def note_failure(self, sink: str, error: str) -> None:
        """Keeps what was wrong with a sink, for those who ask for the status."""
        with self._transaction() as database:
            database.execute(
                "UPDATE sinks SET error = ?, failed_at = ? WHERE name = ?",
                (error, time.time(), sink),
            )

    @contextmanager
    def _database_to(self, use: str) -> Iterator[sqlite3.Connection]:
        """The database, for this thread alone. One statement that reads needs no transaction,
        which would wait for whoever writes."""
        with self._changed:
            try:
                yield self._database
            except sqlite3.OperationalError as error:
                raise SpoolFullError(f"{self._path} can't be {use}: {error}") from error
            except sqlite3.DatabaseError as error:
                raise _damaged(self._path, error) from error

    @contextmanager
    def _transaction(self, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """durable -- whether it waits for the disk; a later one that does covers it, too"""
        with self._database_to("written") as database:
            database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # SQLite may have rolled back by itself
                    database.execute("ROLLBACK")
                raise


def _mark(database: sqlite3.Connection, node: str, marks: Marks) -> None:
    """Adds marks; forgets those that no replay can bring again."""
    if not marks.marks:
        return
    key = (node, marks.stream)
    database.executemany(
        "INSERT INTO marks (node, stream, at, digest) VALUES (?, ?, ?, ?)",
        [(*key, *mark) for mark in marks.marks],
    )
    database.execute(
        "DELETE FROM marks WHERE node = ? AND stream = ? AND at < ?",
        (*key, marks.marks[-1].at - WINDOW),
    )


def _insert(database: sqlite3.Connection, now: float, bodies: Sequence[str]) -> None:
    """Many rows to a statement: each one lets other threads in, and has to wait for them."""
    for first in range(0, len(bodies), _ROWS):
        part = bodies[first : first + _ROWS]
        values = ", ".join(["(?1, ?)"] * len(part))
        database.execute(f"INSERT INTO records (at, json) VALUES {values}", (now, *part))


def _prune(database: sqlite3.Connection) -> None:
    """Removes what all sinks have."""
    database.execute("DELETE FROM records WHERE number <= (SELECT min(position) FROM sinks)")


def _used(database: sqlite3.Connection) -> int:
    """Bytes of the database that are in use; SQLite uses the rest again."""
    pages, free, size = (
        database.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _locked(path: Path) -> int:
    """The descriptor of the lock that a forwarder holds; SpoolError when another one does."""
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock, 0)
        os.write(lock, b"%d\n" % os.getpid())
    except BlockingIOError:
        process = os.read(lock, 20).decode().strip()
        os.close(lock)
        raise SpoolError(f"{path} is in use by another forwarder, process {process}") from None
    return lock


def _opened(path: Path) -> sqlite3.Connection:
    # Made here, so that it is not for everybody; SQLite gives its other files the same mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640))
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        _migrate(path, database)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        (result,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if result != "ok":
            raise _damaged(path, result)
    except sqlite3.OperationalError as error:
        database.close()
        raise SpoolError(f"{path} can't be opened: {error}") from error
    except sqlite3.DatabaseError as error:
        database.close()
        raise _damaged(path, error) from error
    except BaseException:
        database.close()
        raise
    return database


def _damaged(path: Path, reason: object) -> SpoolError:
    return SpoolError(
        f"{path} is damaged: {reason}. Move it away, with its -wal and -shm, and start again; "
        "`sqlite3 FILE .recover` may show what is left in it"
    )


def _layout(path: str | os.PathLike[str], database: sqlite3.Connection) -> int:
    """Which layout it has, 0 for none yet. SpoolError when it is none of this release or before."""
    # In this order: a forwarder may make all of it, by one commit, between two of these.
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if application != _APPLICATION and tables:
        raise SpoolError(f"{path} is the database of another program")
    if version > len(MIGRATIONS):
        raise SpoolError(f"{path} was made by a later release; its layout is {version}")
    return int(version)


def _migrate(path: Path, database: sqlite3.Connection) -> None:
    """Brings the layout up to this release's."""
    version = _layout(path, database)
    if version == len(MIGRATIONS):
        return
    database.execute("BEGIN IMMEDIATE")
    for statement in (s for migration in MIGRATIONS[version:] for s in migration):
        database.execute(statement)
    database.execute(f"PRAGMA application_id = {_APPLICATION}")
    database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    database.execute("COMMIT")


# Looking at it, and at its dead letters, also while a forwarder has it open


class Letter(NamedTuple):
    """A record that a sink has refused for good."""

    letter: int
    """Its own number."""
    sink: str
    number: int
    """That of the record."""
    at: float
    """When it was given up, in seconds since the epoch."""
    error: str
    """Why the sink refused it."""
    json: str
    """The envelope."""


_LETTERS = "SELECT letter, sink, number, at, error, json FROM dead"


class SinkStatus(NamedTuple):
    """How far a sink is."""

    name: str
    position: int
    """The number of the last record that it has."""
    waiting: int
    """Records that it does not have yet."""
    age: float
    """Seconds since the oldest of those was stored; 0 when none waits."""
    dead: int
    """Its dead letters."""
    error: str | None
    """What is wrong with it; None when nothing is."""


class Status(NamedTuple):
    """What is in a spool."""

    records: int
    bytes: int
    sinks: tuple[SinkStatus, ...]
    last: int = 0
    """The number of the last record that was ever stored."""


def status_of(path: str | os.PathLike[str]) -> Status:
    """What is in a spool. Raises SpoolError when it can't be read, as those below do."""
    with _visited(path, "ro") as database:
        database.execute("BEGIN")
        sinks = database.execute("SELECT name, position, error FROM sinks ORDER BY name")
        statuses = tuple(_sink_status(database, *row) for row in sinks.fetchall())
        last = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'").fetchone()
        records = _waiting(database, 0)[0]
        return Status(records, _used(database), statuses, last[0] if last else 0)


def records_of(path: str | os.PathLike[str], count: int | None = None) -> Iterator[Record]:
    """The records in a spool, oldest first; with `count` the last so many of them."""
    with _visited(path, "ro") as database:
        yield from map(
            Record._make,
            database.execute(
                "SELECT number, json FROM (SELECT number, json FROM records"
                " ORDER BY number DESC LIMIT ?) ORDER BY number",
                (-1 if count is None else count,),
            ),
        )


def letters_of(path: str | os.PathLike[str], sink: str | None = None) -> Iterator[Letter]:
    """The dead letters in a spool, of one sink or of all, oldest first."""
    with _visited(path, "ro") as database:
        rows = database.execute(
            f"{_LETTERS} WHERE sink = coalesce(?, sink) ORDER BY letter", (sink,)
        )
        yield from map(Letter._make, rows)


def redrive(path: str | os.PathLike[str], sink: str | None = None) -> int:
    """Has dead letters tried again, of one sink or of all; returns how many."""
    with _visited(path, "rw") as database:
        return database.execute(
            "UPDATE dead SET again = 1 WHERE sink = coalesce(?, sink)", (sink,)
        ).rowcount


def purge(path: str | os.PathLike[str], sink: str | None = None) -> int:
    """Removes dead letters, of one sink or of all; returns how many."""
    with _visited(path, "rw") as database:
        return database.execute("DELETE FROM dead WHERE sink = coalesce(?, sink)", (sink,)).rowcount


@contextmanager
def _visited(path: str | os.PathLike[str], mode: str) -> Iterator[sqlite3.Connection]:
    if not Path(path).exists():
        raise SpoolError(f"{path} is not there: no forwarder has made it yet")
    try:
        uri = f"{Path(path).absolute().as_uri()}?mode={mode}"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as database:
            if _layout(path, database) < len(MIGRATIONS):
                raise SpoolError(f"{path} is not ready: its forwarder has not made its tables yet")
            yield database
    except sqlite3.Error as error:
        raise SpoolError(f"{path} can't be used: {error}") from error


def _sink_status(
    database: sqlite3.Connection, name: str, position: int, error: str | None
) -> SinkStatus:
    waiting, oldest = _waiting(database, position)
    (dead,) = database.execute("SELECT count(*) FROM dead WHERE sink = ?", (name,)).fetchone()
    age = 0.0 if oldest is None else max(0.0, time.time() - oldest)
    return SinkStatus(name, position, waiting, age, dead, error)


def _waiting(database: sqlite3.Connection, position: int) -> tuple[int, float | None]:
    """How many records there are behind a position, and when the first of them was stored.

    Numbers have no gaps, for only the oldest records are ever removed: so nothing is counted.
    """
    (last,) = database.execute("SELECT max(number) FROM records").fetchone()
    oldest = database.execute(
        "SELECT number, at FROM records WHERE number > ? ORDER BY number LIMIT 1", (position,)
    ).fetchone()
    return (0, None) if oldest is None else (last - oldest[0] + 1, oldest[1])
