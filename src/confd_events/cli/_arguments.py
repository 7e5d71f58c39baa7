"""What the subcommands' argument parsers share."""

from __future__ import annotations

import argparse
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from ._exit import USAGE

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction["Parser"]


class Parser(argparse.ArgumentParser):
    """A parser that keeps line breaks, and tells an error in one line."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        # An option that a later release adds must not change what an abbreviation means.
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"confd-events: {message}; see {self.prog} --help\n")


def seconds(text: str) -> float:
    """A length of time from an argument: a number above 0."""
    return _positive(text, "a number of seconds above 0")


def per_second(text: str) -> float:
    """A rate from an argument: a number above 0."""
    return _positive(text, "a number above 0")


def count(text: str) -> int:
    """How many from an argument: 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def time(text: str) -> datetime:
    """A time with its zone from ISO 8601 text; ValueError for other text."""
    # Python before 3.11 does not read the Z.
    found = datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in ("Z", "z") else text)
    if found.utcoffset() is None:
        raise ValueError(f"{text!r} has no time zone; add Z or an offset such as +02:00")
    return found


def time_argument(text: str) -> datetime:
    """A time from an argument."""
    try:
        return time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _positive(text: str, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return number
