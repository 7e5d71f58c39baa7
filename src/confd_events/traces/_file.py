"""Files of any kind that tell progress, also while they grow."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from itertools import chain
from typing import Any, Callable, TextIO

from ._assemble import SpanAssembler
from ._csv import rows_of
from ._follow import in_batches
from ._recording import Told, recorded
from ._span import Span

_IDLE = 0.25  # seconds between looks whether there is more


def read_file(
    lines: Iterable[str], *, zone: tzinfo | None = None, others: Told | None = None
) -> Iterator[dict[str, Any]]:
    """The payloads of a progress trace file or a recording, whichever its first line begins.

    zone -- as for read_csv()
    others -- as for read_recording()

    Raises ValueError, which names the line, for what is none of both. An empty file has none.
    """
    return (each for each in _events(lines, zone, others) if each is not None)


def follow_file(
    path: str,
    *,
    zone: tzinfo | None = None,
    others: Told | None = None,
    until: Callable[[], bool] = lambda: False,
    size: int = 512,
    delay: float = 1.0,
) -> Iterator[list[Span]]:
    """The spans of a file that grows, in lists: what is in it, and then what is added.

    path -- of a file that read_file() takes; when another is put in its place, or it is cut
        short, that is read from its beginning
    zone, others -- as for read_file()
    until -- is asked several times a second whether to end; then what is open is given out
    size, delay -- as for follow_batches()

    The time passes by the file's own while it does not grow. Raises OSError when it can not be
    read, ValueError as read_file() does.
    """
    return in_batches(_finished(path, zone, others, until), size, delay)


def _events(
    lines: Iterable[str], zone: tzinfo | None, others: Told | None
) -> Iterator[dict[str, Any] | None]:
    """The payloads; None where a file that grows has nothing to say."""
    every = iter(lines)
    begun: list[str] = []
    for line in every:
        begun.append(line)
        if line.strip():
            whole = chain(begun, every)
            is_recording = line.lstrip().startswith("{")
            yield from recorded(whole, others) if is_recording else rows_of(whole, zone)
            return
        yield None


def _finished(
    path: str, zone: tzinfo | None, others: Told | None, until: Callable[[], bool]
) -> Iterator[list[Span]]:
    assembler = SpanAssembler()
    last = since = 0.0
    events = _events(_growing(path, until), zone, others)
    for payload in events:
        if payload is not None:
            last, since = payload["timestamp"], time.monotonic()
            yield assembler.add(payload)
        elif since:
            yield assembler.advance(round(last + (time.monotonic() - since) * 1e6))
        else:
            yield []
    yield assembler.flush()


def _growing(path: str, until: Callable[[], bool]) -> Iterator[str]:
    """Whole lines; an empty one when there is none yet."""
    file = _opened(path)
    begun = ""
    try:
        while True:
            line = begun + file.readline()
            if line.endswith("\n"):
                begun = ""
                yield line
                continue
            begun = line
            if until():
                break
            if _is_another(file, path):
                file.close()
                file, begun = _opened(path), ""
            else:
                yield ""
                time.sleep(_IDLE)
        if begun:
            yield begun
    finally:
        file.close()


def _opened(path: str) -> TextIO:
    return open(path, encoding="utf-8-sig")


def _is_another(file: TextIO, path: str) -> bool:
    """Whether the path names another file by now, or this one is shorter than what was read."""
    ours = os.fstat(file.fileno())
    try:
        now = os.stat(path)
    except FileNotFoundError:  # it is being replaced
        return False
    return not os.path.samestat(ours, now) or now.st_size < file.buffer.tell()
