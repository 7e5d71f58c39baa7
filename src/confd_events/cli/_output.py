"""A file of lines that grows: it is rotated by size and by time, and reopened when asked to."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from stat import S_ISREG
from types import FrameType
from typing import NamedTuple

from ._exit import UsageError
from ._render import Piece

_STAMP = re.compile(r"\d{8}T\d{6}\.\d{6}Z")


class Rotation(NamedTuple):
    """When a file is put aside, and how many of those are kept."""

    size: int | None = None
    """Bytes that it is not to exceed, unless one line does."""
    every: float | None = None
    """Seconds; it changes at multiples of these since midnight, local time."""
    keep: int | None = None
    """How many to keep of those put aside; None for all."""


class File:
    """The file at a path, open to append lines; each is in the file when the call returns.

    Raises OSError, with the path, when a line can't be written.
    """

    def __init__(self, path: str, rotation: Rotation, sync: bool) -> None:
        self._path = Path(path)
        self._rotation = rotation
        self._sync = sync
        self._busy = self._asked = False
        self._file = -1
        self._open()

    def show(self, pieces: Sequence[Piece]) -> None:
        """Writes one line; with `sync` it is on the disk when this returns."""
        line = "".join(piece.text for piece in pieces).encode("utf-8", "backslashreplace") + b"\n"
        self._busy = True
        try:
            if self._is_due(len(line)):
                self._rotate()
            self._write(line)
        finally:
            self._busy = False
        if self._asked:
            self.reopen()

    def reopen(self) -> None:
        """Leaves the file for what is at the path now; a signal handler may call it."""
        self._asked = self._busy  # then show() does it
        if not self._busy:
            self._open()

    def close(self) -> None:
        """Closes the file."""
        os.close(self._file)

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        # Audit records are not for everybody.
        before, self._file = self._file, os.open(self._path, flags, 0o640)
        if before >= 0:
            os.close(before)
        status = os.fstat(self._file)
        if self._rotation != Rotation() and not S_ISREG(status.st_mode):
            raise UsageError(f"{self._path} is no plain file, so it can't be rotated")
        self._size = status.st_size
        self._period = self._period_of(status.st_mtime if status.st_size else None)
        if status.st_size and self._is_torn():
            self._write(b"\n")

    def _is_torn(self) -> bool:
        """Whether the last line has no end: the disk was full, or the host went down."""
        with suppress(OSError):  # not a plain file
            return os.pread(self._file, 1, self._size - 1) != b"\n"
        return False

    def _write(self, data: bytes) -> None:
        try:
            while data:
                written = os.write(self._file, data)
                self._size += written
                data = data[written:]
            if self._sync:
                os.fdatasync(self._file)
        except OSError as error:
            error.filename = str(self._path)
            raise

    def _is_due(self, length: int) -> bool:
        size = self._rotation.size
        too_large = size is not None and self._size + length > size
        return self._size > 0 and (too_large or self._period != self._period_of(None))

    def _period_of(self, moment: float | None) -> int | None:
        """The number of the period in which a time is, or that of now."""
        if self._rotation.every is None:
            return None
        time = datetime.now().astimezone()
        if moment is not None:
            time = datetime.fromtimestamp(moment).astimezone()
        offset = time.utcoffset()
        assert offset is not None
        return int((time.timestamp() + offset.total_seconds()) // self._rotation.every)

    def _rotate(self) -> None:
        os.rename(self._path, self._aside())
        self._open()
        if self._sync:
            self._sync_directory()
        if self._rotation.keep is not None:
            for old in self._rotated()[: -self._rotation.keep]:
                with suppress(FileNotFoundError):
                    old.unlink()

    def _aside(self) -> Path:
        """A name that is not taken, and sorts behind those before it."""
        while True:
            now = datetime.now(timezone.utc)
            path = self._path.with_name(f"{self._path.name}.{now:%Y%m%dT%H%M%S.%fZ}")
            if not path.exists():
                return path

    def _rotated(self) -> list[Path]:
        """The files put aside, oldest first."""
        stem = f"{self._path.name}."
        return sorted(
            path
            for path in self._path.parent.iterdir()
            if path.name.startswith(stem) and _STAMP.fullmatch(path.name, len(stem))
        )

    def _sync_directory(self) -> None:
        directory = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


@contextmanager
def opened(path: str, rotation: Rotation, sync: bool) -> Iterator[File]:
    """The file, reopened on SIGHUP, as programs that rotate logs ask for it."""
    file = File(path, rotation, sync)

    def reopen(number: int, frame: FrameType | None) -> None:
        file.reopen()

    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGHUP, reopen) if in_main else None
    try:
        yield file
    finally:
        if in_main:
            signal.signal(signal.SIGHUP, before)
        file.close()
