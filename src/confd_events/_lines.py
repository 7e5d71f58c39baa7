"""A file of lines that grows: it is rotated by size and by time, and reopened when asked to."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from stat import S_ISREG
from types import FrameType
from typing import NamedTuple

_STAMP = re.compile(r"\d{8}T\d{6}\.\d{6}Z(\.gz)?")


class Rotation(NamedTuple):
    """When a file is put aside, and how many of those are kept."""

    size: int | None = None
    """Bytes that it is not to exceed, unless one line does."""
    every: float | None = None
    """Seconds; it changes at multiples of these since midnight, local time."""
    keep: int | None = None
    """How many to keep of those put aside; None for all."""
    compress: bool = False
    """Whether those put aside are compressed by gzip."""


class File:
    """The file at a path, open to append lines; they are in the file when the call returns.

    Raises OSError, with the path, when they can't be written, or it can't be rotated.
    """

    def __init__(self, path: str, rotation: Rotation, sync: bool) -> None:
        self._path = Path(path)
        self._rotation = rotation
        self._sync = sync
        self._busy = self._asked = False
        self._file = -1
        self._open()

    def append(self, *lines: str) -> None:
        """Writes lines, given without their ends; with `sync` they are on the disk then."""
        self._busy = True
        try:
            self._append([line.encode("utf-8", "backslashreplace") + b"\n" for line in lines])
        finally:
            self._busy = False
        if self._asked:
            self.reopen()

    def _append(self, lines: Sequence[bytes]) -> None:
        """Writes as many lines at a time as the file may take before it is put aside."""
        together: list[bytes] = []
        length, period = 0, self._period_of(None)
        for line in lines:
            if self._is_due(length, len(line), period):
                self._write(b"".join(together))
                self._rotate()
                together, length, period = [], 0, self._period
            together.append(line)
            length += len(line)
        self._write(b"".join(together))

    def reopen(self) -> None:
        """Leaves the file for what is at the path now; a signal handler may call it."""
        self._asked = self._busy  # then append() does it
        if not self._busy:
            self._open()

    def is_there(self) -> bool:
        """Whether the file is still the one at the path: another program may have moved it."""
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._file))
        except FileNotFoundError:
            return False

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
            raise OSError(f"{self._path} is no plain file, so it can't be rotated")
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

    def _is_due(self, waiting: int, length: int, period: int | None) -> bool:
        """Whether to put the file aside before a line; so many bytes wait to be written."""
        size, full = self._rotation.size, self._size + waiting
        too_large = size is not None and full + length > size
        return full > 0 and (too_large or self._period != period)

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
        if self._rotation.compress:
            # Those, too, at which an earlier process was ended.
            for path in self._rotated():
                if path.suffix != ".gz":
                    _compress(path)
        if self._sync:
            self._sync_directory()
        if self._rotation.keep is not None:
            for old in self._rotated()[: -self._rotation.keep]:
                with suppress(FileNotFoundError):
                    old.unlink()

    def _aside(self) -> Path:
        """A name that sorts behind those before it, also after the clock was set back."""
        time = datetime.now(timezone.utc)
        for before in self._rotated()[-1:]:
            with suppress(ValueError, OverflowError):  # it only looks like a time
                stamp = before.name[len(self._path.name) + 1 :].partition("Z")[0]
                last = datetime.strptime(f"{stamp}+0000", "%Y%m%dT%H%M%S.%f%z")
                time = max(time, last + timedelta(microseconds=1))
        return self._path.with_name(f"{self._path.name}.{time:%Y%m%dT%H%M%S.%fZ}")

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


def _compress(path: Path) -> None:
    """Puts path.gz, which is on the disk and as private as it was, in the place of a file."""
    unfinished = path.with_name(f"{path.name}.gz.part")
    with path.open("rb") as source, unfinished.open("wb") as target:
        os.fchmod(target.fileno(), os.fstat(source.fileno()).st_mode & 0o777)
        with gzip.GzipFile(path.name, "wb", fileobj=target) as packed:
            shutil.copyfileobj(source, packed)
        target.flush()
        os.fsync(target.fileno())
    unfinished.rename(path.with_name(f"{path.name}.gz"))
    path.unlink()


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
