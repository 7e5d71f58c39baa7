"""Records go into a table of an SQLite database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from forwarding import forwarding, send, spooled, usids, written
from subscribing import PATIENCE, wait_until

from confd_events.forward import ConfigError, Record, read_config, status_of
from confd_events.testing import Daemon

DEPTH = 100_000


def sqlite_sink(path: Path, more: str = "") -> str:
    return f'[[sinks]]\ntype = "sqlite"\npath = "{path}"\nretry = 0.05\n{more}\n'


def rows(path: Path, query: str = "SELECT record FROM events ORDER BY number") -> list[Any]:
    """The first column, once there is a table."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(path, timeout=PATIENCE)) as database:
        try:
            return [row[0] for row in database.execute(query)]
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            return []


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(row) for row in rows(path)]


def body(number: int, data: str = "") -> str:
    data = data or f'{{"type": 1, "audit": {{"usid": {number}}}}}'
    about = f'"source": "//nso/paris", "type": "nso.audit", "time": "2026-01-01T00:00:00.{number}"'
    return f'{{"id": "paris/{number}", {about}, "data": {data}}}'


def test_records_become_rows(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.db"
    with forwarding(written(tmp_path, daemon, sink=sqlite_sink(out))):
        send(daemon, 1, 2, 3)
        wait_until(lambda: len(rows(out)) == 4)
    assert usids(records(out)) == ["started", 1, 2, 3]
    last = records(out)[-1]
    for key in ("id", "source", "type", "time"):
        assert rows(out, f"SELECT {key} FROM events ORDER BY number")[-1] == last[key]
    assert out.stat().st_mode & 0o7 == 0


def test_a_record_that_comes_twice_is_there_once(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.db"
    path = written(tmp_path, daemon, sink=sqlite_sink(out, 'table = "audit"\nfsync = false'))
    spooled(tmp_path, "sqlite", [body(1), body(2), body(1), body(3), body(2)])
    with forwarding(path):
        wait_until(lambda: status_of(tmp_path / "spool.db").records == 0)
        wait_until(lambda: len(rows(out, "SELECT record FROM audit")) == 4)
    ids = rows(out, "SELECT id FROM audit ORDER BY number")
    assert ids[:3] == ["paris/1", "paris/2", "paris/3"]


def test_what_a_table_refuses_is_refused_alone(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.db"
    with closing(sqlite3.connect(out)) as database:
        database.executescript(
            "CREATE TABLE events (number INTEGER PRIMARY KEY, id TEXT UNIQUE, source TEXT,"
            " type TEXT, time TEXT, record TEXT CHECK (record NOT LIKE '%\"usid\": -%'))"
        )
    path = written(tmp_path, daemon, sink=sqlite_sink(out, "attempts = 2"))
    bad = '{"type": 1, "audit": {"usid": -1}}'
    spooled(tmp_path, "sqlite", [body(n, bad if n in (3, 7) else "") for n in range(1, 10)])
    with forwarding(path):
        wait_until(lambda: usids(records(out))[-1:] == ["started"])
        wait_until(lambda: status_of(tmp_path / "spool.db").records == 0)
    assert usids(records(out)) == [1, 2, 4, 5, 6, 8, 9, "started"]
    assert status_of(tmp_path / "spool.db").sinks[0].dead == 2


def test_a_database_that_is_locked_is_waited_for(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.db"
    with forwarding(written(tmp_path, daemon, sink=sqlite_sink(out))):
        send(daemon, 1)
        wait_until(lambda: len(rows(out)) == 2)
        with closing(sqlite3.connect(out, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            send(daemon, 2)
            wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].error is not None)
            said = str(status_of(tmp_path / "spool.db").sinks[0].error)
            database.execute("ROLLBACK")
        wait_until(lambda: len(rows(out)) == 3)
    assert usids(records(out)) == ["started", 1, 2]
    assert "database is locked" in said


def test_a_database_that_is_moved_away_is_left_for_a_new_one(
    daemon: Daemon, tmp_path: Path
) -> None:
    out, aside = tmp_path / "out.db", tmp_path / "aside.db"
    with forwarding(written(tmp_path, daemon, sink=sqlite_sink(out))):
        send(daemon, 1)
        wait_until(lambda: len(rows(out)) == 2)
        with closing(sqlite3.connect(out)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for path in tmp_path.glob("out.db*"):
            path.rename(aside.with_name(path.name.replace("out", "aside")))
        send(daemon, 2)
        wait_until(lambda: len(rows(out)) == 1)
    assert usids(records(aside)) == ["started", 1]
    assert usids(records(out)) == [2]


def test_a_record_that_is_too_deep_to_parse(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.db"
    path = written(tmp_path, daemon, sink=sqlite_sink(out))
    deep = "[" * DEPTH + "]" * DEPTH
    spooled(tmp_path, "sqlite", [body(1), body(2, deep), body(3)])
    with forwarding(path):
        wait_until(lambda: len(rows(out)) == 4)
    assert rows(out, "SELECT id FROM events ORDER BY number")[1] == "paris/2"
    assert rows(out)[1] == body(2, deep)


def test_attributes_are_told_from_data() -> None:
    tricky = '{"id": "a\\"data\\": {", "time": "t", "data": {"data": {"id": "no"}}}'
    assert Record(1, tricky).attributes() == {"id": 'a"data": {', "time": "t"}


@pytest.mark.parametrize("table", ["a b", "sqlite_x", "x; DROP TABLE y", "1st", "é"])
def test_a_name_that_is_no_plain_name(daemon: Daemon, tmp_path: Path, table: str) -> None:
    path = written(tmp_path, daemon, sink=sqlite_sink(tmp_path / "x", f'table = "{table}"'))
    with pytest.raises(ConfigError, match=r"^sinks\[0\]\.table: .* is no plain name"):
        read_config(str(path))


def test_a_directory_that_is_not_there(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "later" / "out.db"
    with forwarding(written(tmp_path, daemon, sink=sqlite_sink(out))):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].error is not None)
        said = str(status_of(tmp_path / "spool.db").sinks[0].error)
        out.parent.mkdir()
        wait_until(lambda: len(rows(out)) == 1)
    assert f"No such file or directory: '{out}'" in said
