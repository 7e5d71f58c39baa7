"""A table of an SQLite database, a row for each record."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING

from .._errors import RefusedError

if TYPE_CHECKING:
    from .._config import Table
    from .._record import Record

_NAME = re.compile(r"(?!sqlite_)[a-z_][a-z0-9_]*", re.IGNORECASE)
_REFUSALS = (sqlite3.IntegrityError, sqlite3.DataError)  # it is the record; other errors may pass

_ROWS = 100  # to insert by one statement

_Row = tuple[str, str, str, str, str]


class SqliteSink:
    """Inserts rows; a record that is there already is left out.

    A database that another program has moved away is left for a new one at the path.
    """

    def __init__(self, table: Table) -> None:
        self._path = table.text("path")
        self._table = table.text("table", "events")
        if not _NAME.fullmatch(self._table):
            raise table.error("table", f"{self._table!r} is no plain name of a table")
        self._sync = table.flag("fsync", default=True)
        self._database: sqlite3.Connection | None = None

    def open(self) -> None:
        """Opens the database, or makes it, and its table."""
        # Audit records are not for everybody.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640))
        self._database = sqlite3.connect(self._path, timeout=5.0, check_same_thread=False)
        self._status = os.stat(self._path)
        self._database.execute("PRAGMA journal_mode = WAL")  # who reads does not hold this up
        self._database.execute(f"PRAGMA synchronous = {'FULL' if self._sync else 'OFF'}")
        self._database.execute(
            f"CREATE TABLE IF NOT EXISTS {self._table} (number INTEGER PRIMARY KEY,"
            " id TEXT NOT NULL UNIQUE, source TEXT NOT NULL, type TEXT NOT NULL,"
            " time TEXT NOT NULL, record TEXT NOT NULL)"
        )

    def send(self, batch: Sequence[Record]) -> None:
        """Inserts them in one transaction; with fsync they are on the disk then."""
        if not self._is_there():
            self.close()
            self.open()
        rows = [_row(record) for record in batch]
        assert self._database is not None
        try:
            with self._database:
                for first in range(0, len(rows), _ROWS):
                    part = rows[first : first + _ROWS]
                    self._database.execute(self._insert(len(part)), [*chain.from_iterable(part)])
        except _REFUSALS:
            self._insert_each(rows)

    def close(self) -> None:
        """Closes the database."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _insert(self, count: int) -> str:
        """The statement that inserts so many rows."""
        values = ", ".join(["(?, ?, ?, ?, ?)"] * count)
        # Not OR IGNORE, which drops a row that any constraint refuses.
        return (
            f"INSERT INTO {self._table} (id, source, type, time, record) VALUES {values}"
            " ON CONFLICT (id) DO NOTHING"
        )

    def _insert_each(self, rows: Sequence[_Row]) -> None:
        """Inserts those before the first that a constraint or trigger of the table refuses."""
        assert self._database is not None
        for index, row in enumerate(rows):
            try:
                with self._database:
                    self._database.execute(self._insert(1), row)
            except _REFUSALS as error:
                raise RefusedError(index, f"{self._path}: {error}") from error

    def _is_there(self) -> bool:
        with suppress(FileNotFoundError):
            return os.path.samestat(os.stat(self._path), self._status)
        return False


def _row(record: Record) -> _Row:
    about = record.attributes()
    return about["id"], about["source"], about["type"], about["time"], record.json
