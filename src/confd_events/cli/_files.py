"""Files of JSON lines: recordings and scripts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ._exit import UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def lines_of(name: str) -> Iterator[tuple[int, str]]:
    """The lines of a file and their numbers; those that are blank or begin with # are none.

    name -- its path; - for standard input

    Raises UsageError when it can't be read.
    """
    try:
        with opened(name) as file:
            for number, line in enumerate(file, start=1):
                if line.strip() and not line.lstrip().startswith("#"):
                    yield number, line
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: not UTF-8 text") from error


def opened(name: str) -> AbstractContextManager[TextIO]:
    """The file of that name, open to read; - for standard input."""
    return nullcontext(sys.stdin) if name == "-" else Path(name).open(encoding="utf-8-sig")
