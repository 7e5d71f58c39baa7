"""A file, a line of JSON for each record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..._lines import File, Rotation

if TYPE_CHECKING:
    from .._config import Table
    from .._record import Record


class FileSink:
    """Appends to a file, which it puts aside by size and by time.

    A file that another program has moved away is left for a new one at the path.
    """

    def __init__(self, table: Table) -> None:
        self._path = table.text("path")
        self._rotation = Rotation(
            table.size("rotate_size"),
            table.seconds("rotate_every"),
            table.count("keep"),
            table.flag("gzip"),
        )
        if self._rotation.size is None and self._rotation.every is None:
            for key in ("keep", "gzip"):
                if key in table:
                    raise table.error(key, "is for rotate_size or rotate_every; give one, too")
        self._sync = table.flag("fsync", default=True)
        self._file: File | None = None

    def open(self) -> None:
        """Opens the file, or makes it."""
        self._file = File(self._path, self._rotation, self._sync)

    def send(self, batch: Sequence[Record]) -> None:
        """Writes a line for each record; with fsync they are on the disk then."""
        assert self._file is not None
        if not self._file.is_there():
            self._file.reopen()
        self._file.append(*(record.json for record in batch))

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
