"""What the subcommands' argument parsers share."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Callable, NoReturn

from confd_events._written import length_of_time, size, time_of

from ._exit import USAGE

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction["Parser"]


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
        found, rest = super().parse_known_args(args, namespace or argparse.Namespace())
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
