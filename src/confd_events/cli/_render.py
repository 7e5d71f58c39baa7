"""Lines for people: a time, a name, fields. In colour on a terminal, where rich is installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Callable, NamedTuple
from unicodedata import east_asian_width

_BARE = re.compile(r"[^\s\"'={}\[\]\\]+")
_ALARMING = frozenset("failed down abort aborted died unknown error".split())
# Of log lines, by their priority.
_SEVERITY = {
    "emerg": "bold white on red",
    "alert": "bold red",
    "crit": "bold red",
    "err": "red",
    "warning": "yellow",
    "notice": "bold",
    "debug": "dim",
}
_NAME = 17  # columns of the longest name
_INDENT = 12 + 1 + _NAME + 1  # of fields on a terminal: behind the time and the name
_NARROW = 60  # columns of a terminal on which they get little more than a step
_STEP = 4


class Piece(NamedTuple):
    """A part of a line, and its style in rich's terms."""

    text: str
    style: str = ""


Show = Callable[[Sequence[Piece]], None]


class Printer:
    """Prints lines, each at once: one for an event, which programs can search and split."""

    def __init__(self, show: Show) -> None:
        self._show = show

    def __call__(self, *pieces: Piece) -> None:
        """Prints one line."""
        self._show(pieces)

    def event(self, time: datetime, name: str, fields: Mapping[str, Any], remark: str = "") -> None:
        """Prints an event; `time` is shown as local time."""
        stamp = time.astimezone().replace(tzinfo=None)
        start = Piece(stamp.isoformat(" ", "milliseconds"), "dim")
        style = _style(name, fields)
        self(start, Piece(f" {name}", style), *_pieces(fields, style), *_remark(remark))


class Terminal(Printer):
    """Prints events in columns, as wide as the terminal is; texts of several lines as they are."""

    _day: date | None = None

    def event(self, time: datetime, name: str, fields: Mapping[str, Any], remark: str = "") -> None:
        width = shutil.get_terminal_size().columns
        indent = _INDENT if width >= _NARROW else _STEP
        stamp = time.astimezone().replace(tzinfo=None)
        if stamp.date() != self._day:
            self._day = stamp.date()
            self(Piece(f"{self._day:%A, %Y-%m-%d}", "dim"))
        style = _style(name, fields)
        start = [Piece(f"{stamp.time().isoformat('milliseconds')} ", "dim"), Piece(name, style)]
        if len(name) <= _NAME and indent == _INDENT:
            start.append(Piece(" " * (_NAME - len(name))))
        blocks = {key: fields[key] for key in fields if _is_block(fields[key])}
        rest = {key: fields[key] for key in fields if key not in blocks}
        for line in _folded([*start, *_pieces(rest, style), *_remark(remark)], width, indent):
            self(*line)
        for key, text in blocks.items():
            self(Piece(f"{' ' * indent}{key}:", "dim"))
            for line in text.splitlines():
                self(Piece(" " * (indent + 2) + escaped(line.expandtabs())))


def printer() -> Printer:
    """What prints to standard output: in colour on a terminal unless NO_COLOR is set."""
    _survive_encoding()
    show = (None if os.environ.get("NO_COLOR") else _colourful()) or _plain
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    return Terminal(show) if on_terminal else Printer(show)


def _survive_encoding() -> None:
    """Escapes what the terminal's encoding lacks, in place of an error."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _plain(pieces: Sequence[Piece]) -> None:
    if sys.stdout is None:  # closed; print() would lose the line without a word
        raise OSError("standard output is closed")
    try:
        print("".join(piece.text for piece in pieces), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        error.filename = "standard output"
        raise


def _colourful() -> Show | None:
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        return None
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal or console.color_system is None:
        return None

    def show(pieces: Sequence[Piece]) -> None:
        console.print(Text.assemble(*pieces))
        console.file.flush()

    return show


def _pieces(fields: Mapping[str, Any], style: str) -> Iterator[Piece]:
    for key, value in fields.items():
        yield Piece(f" {key}=", "dim")
        yield Piece(shown(value), style if key == "msg" and "prio" in fields else "")


def _remark(text: str) -> Iterator[Piece]:
    if text:
        yield Piece(f" {text}", "green")


def _style(name: str, fields: Mapping[str, Any]) -> str:
    if "prio" in fields:
        return _SEVERITY.get(fields["prio"], "bold cyan")
    words = [name, *(fields[key] for key in ("type", "event") if key in fields)]
    alarming = any(not _ALARMING.isdisjoint(str(word).split("-")) for word in words)
    return "bold red" if alarming else "bold cyan"


def _is_block(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value.strip("\n")


# Columns


def _folded(pieces: Iterable[Piece], width: int, indent: int) -> Iterator[list[Piece]]:
    """Lines of at most `width` columns, broken at spaces; all but the first are indented."""
    line: list[Piece] = []
    column = held = 0
    for word in _words(pieces):
        size = sum(_columns(piece.text) for piece in word)
        if held and column + size > width:
            yield line
            line, column, held = [Piece(" " * indent)], indent, 0
            word = [word[0]._replace(text=word[0].text.lstrip(" ")), *word[1:]]
            size = sum(_columns(piece.text) for piece in word)
        line += word
        column += size
        held += 1
    yield line


def _words(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """What is between spaces, with those before it; it may be of several pieces."""
    word: list[Piece] = []
    for text, style in pieces:
        for part in re.findall(r" +[^ ]*|[^ ]+", text):
            if part[0] == " " and word:
                yield word
                word = []
            word.append(Piece(part, style))
    yield word


def _columns(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


# Values


def shown(value: Any) -> str:
    """A value of JSON's types, short and on one line."""
    if isinstance(value, str):
        return value if _BARE.fullmatch(value) and value.isprintable() else _quoted(value)
    if isinstance(value, Mapping):
        return "{" + " ".join(f"{shown(key)}={shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(map(shown, value)) + "]"
    return json.dumps(value, default=str)


def _quoted(text: str) -> str:
    backslashes = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped(backslashes)}"'


def escaped(text: str) -> str:
    """Text without what could move a terminal's cursor or change its colours."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )
