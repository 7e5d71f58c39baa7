"""What the subcommands' argument parsers share."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from datetime import time as time_of_day
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Callable, NoReturn

from ._exit import USAGE

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction["Parser"]

_SECONDS = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1,
    "m": 60,
    "min": 60,
    "h": 3600,
    "d": 86400,
    "w": 7 * 86400,
}
_BYTES = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)\s*")
_OFFSET = re.compile(r"(?:now)?\s*([+-])\s*(.+)")
_TIME_OF_DAY = re.compile(r"\d\d:\d\d(:\d\d)?")
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_CENTURY = 100 * 365 * 86400.0


class _Help(argparse.RawDescriptionHelpFormatter):
    """Fills paragraphs as wide as the terminal is, and keeps lines that are indented."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        filled: list[str] = []
        for is_prose, lines in groupby(text.splitlines(), lambda line: line[:1].strip() != ""):
            block = list(lines)
            filled += wrap(" ".join(block), width) if is_prose else block
        return "\n".join(filled)


class Parser(argparse.ArgumentParser):
    """A parser that keeps line breaks, and tells an error in one line."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", _Help)
        # An option that a later release adds must not change what an abbreviation means.
        super().__init__(allow_abbrev=False, **options)
        # So that -1h is an argument, as -1 is; no option begins with a digit.
        self._negative_number_matcher = re.compile(r"-\.?\d")

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse does, but names may stand behind options, too: NAME --json NAME."""
        found, rest = super().parse_known_args(args, namespace)
        takes_more = any(action.dest == "names" for action in self._actions)
        if takes_more and not any(text.startswith("-") for text in rest):
            found.names, rest = [*found.names, *rest], []
        return found, rest

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"confd-events: {message}; see {self.prog} --help\n")


def argument_of(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """A function that raises ValueError, as the type of an argument: its text is told."""

    def converted(text: str) -> Any:
        try:
            return convert(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return converted


def length_of_time(text: str) -> float:
    """Seconds from text such as 90, 500ms, 1.5s, 2m or 1h30m; ValueError for other text."""
    seconds = _sum_of(text, {"": 1.0, **_SECONDS})
    if seconds is None or not 0 < seconds <= _CENTURY:
        raise ValueError(f"{text!r} is not a length of time above 0, such as 90, 1.5s, 2m or 1d")
    return seconds


def size(text: str) -> int:
    """Bytes from text such as 4096, 500k or 100M; ValueError for other text."""
    units = {unit + end: factor for unit, factor in _BYTES.items() for end in ("", "b")}
    found = _sum_of(text, units)
    if found is None or not 1 <= found < 2**63:
        raise ValueError(f"{text!r} is not a size of 1 byte or more, such as 500k, 100M or 2G")
    return int(found)


def _sum_of(text: str, units: dict[str, float] | dict[str, int]) -> float | None:
    """The sum of numbers with units, or None for text that is none."""
    at, total, lowered = 0, 0.0, text.strip().lower()
    while at < len(lowered):
        part = _PART.match(lowered, at)
        if part is None or part[2] not in units:
            return None
        total += float(part[1]) * units[part[2]]
        at = part.end()
    return total if at else None


seconds = argument_of(length_of_time)
"""A length of time from an argument."""
bytes_argument = argument_of(size)
"""An amount of bytes from an argument."""


def per_second(text: str) -> float:
    """A rate from an argument: a number above 0."""
    return _positive(text, "a number above 0")


def speed(text: str) -> float:
    """A speed from an argument: a number above 0, or max."""
    return math.inf if text == "max" else _positive(text, "a number above 0, or max")


def count(text: str) -> int:
    """How many from an argument: 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def time(text: str) -> datetime:
    """A time with its zone from ISO 8601 text; ValueError for other text."""
    found = _iso(text)
    if found.utcoffset() is None:
        raise ValueError(f"{text!r} has no time zone; add Z or an offset such as +02:00")
    return found


def time_of(text: str) -> datetime:
    """A time as people write it, local where it has no zone; ValueError for other text.

    text -- ISO 8601, a date alone, a time of today; now, today, yesterday, tomorrow; or relative
        to now, such as -1h or now-30m
    """
    now = datetime.now().astimezone()
    offset = _OFFSET.fullmatch(text.strip().lower())
    if text.strip().lower() == "now":
        return now
    try:
        if offset is not None:
            length = timedelta(seconds=length_of_time(offset[2]))
            return now + length if offset[1] == "+" else now - length
        return _absolute(text.strip(), now).astimezone()
    except (ValueError, OverflowError):
        examples = "2026-01-31, 2026-01-31T12:00:00Z, 12:30, yesterday, -1h or now-30m"
        raise ValueError(f"{text!r} is not a time, such as {examples}") from None


def _absolute(text: str, now: datetime) -> datetime:
    if text.lower() in _DAYS:
        day = now.date() + timedelta(days=_DAYS[text.lower()])
        return datetime.combine(day, time_of_day())
    if _TIME_OF_DAY.fullmatch(text):
        return datetime.combine(now.date(), time_of_day.fromisoformat(text))
    return _iso(text)


def _iso(text: str) -> datetime:
    # Python before 3.11 does not read the Z.
    return datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in ("Z", "z") else text)


time_argument = argument_of(time_of)
"""A time from an argument."""


def _positive(text: str, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return number
