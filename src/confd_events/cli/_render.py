"""Lines for people: a time, a name, fields. In colour on a terminal, where rich is installed."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

_BARE = re.compile(r"[^\s\"'={}\[\]\\]+")
_ALARMING = frozenset("failed down abort aborted died unknown error emerg alert crit err".split())


class Piece(NamedTuple):
    """A part of a line, and its style in rich's terms."""

    text: str
    style: str = ""


class Printer(Protocol):
    """Prints lines, each at once."""

    def __call__(self, *pieces: Piece) -> None:
        """Prints one line."""


def printer() -> Printer:
    """What prints to standard output: in colour on a terminal unless NO_COLOR is set."""
    _survive_encoding()
    return (None if os.environ.get("NO_COLOR") else _colourful()) or _plain


def _survive_encoding() -> None:
    """Escapes what the terminal's encoding lacks, in place of an error."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _plain(*pieces: Piece) -> None:
    print("".join(piece.text for piece in pieces), flush=True)


def _colourful() -> Printer | None:
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        return None
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal or console.color_system is None:
        return None

    def show(*pieces: Piece) -> None:
        console.print(Text.assemble(*pieces))
        console.file.flush()

    return show


def event_line(
    time: datetime, name: str, fields: Mapping[str, Any], remark: str = ""
) -> Iterator[Piece]:
    """The pieces of an event's line; `time` is shown as local time."""
    stamp = time.astimezone().replace(tzinfo=None)
    yield Piece(stamp.isoformat(" ", "milliseconds"), "dim")
    yield Piece(f" {name}", "bold red" if _is_alarming(name, fields) else "bold cyan")
    for key, value in fields.items():
        yield Piece(f" {key}=", "dim")
        yield Piece(shown(value))
    if remark:
        yield Piece(f" {remark}", "green")


def _is_alarming(name: str, fields: Mapping[str, Any]) -> bool:
    words = [name, *(fields[key] for key in ("type", "prio", "event") if key in fields)]
    return any(not _ALARMING.isdisjoint(str(word).split("-")) for word in words)


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
