"""The changes of a transaction as text that people read, and as what JSON has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Callable
from xml.sax.saxutils import escape, quoteattr

from .._render import readable
from ..error import DaemonSilent, Error

if TYPE_CHECKING:
    from .._events import HKeypathRef
    from ._change import Change

Written = dict[str, Any]
"""A change as Change.to_dict() has it."""

# More changes than this are no record any more.
_MOST = 10_000

# What XML can't have at all.
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN_WORD = re.compile(r"[^\s\"\\{};]+")


def difference(
    changes: Iterable[Change],
    format: str = "text",  # noqa: A002, the word for it
    *,
    secrets: bool = False,
) -> str:
    """Return changes as text, each on a line of its own.

    changes -- those of a transaction
    format -- text: a sign, the path, the value; cli: the commands that make such a change, as the
        J-style CLI has them; xml: an element for each, in one <changes>; json: an array of
        Change.to_dict()
    secrets -- show values that look like secrets, which are masked otherwise

    When the time for reading them is over, what has come is there, and a last line says that more
    may be missing. Raises ValueError for another format.
    """
    if format not in _WRITERS:
        raise ValueError(f"format: {format!r} is none of {', '.join(FORMATS)}")
    found: list[Change] = []
    gap = ""
    try:
        found.extend(changes)
    except DaemonSilent as error:
        gap = f"incomplete: {error.confd_lasterr}"
    return "\n".join(_WRITERS[format](found, secrets, gap))


def gathered(changes: Iterable[Change], *, secrets: bool = False) -> dict[str, Any]:
    """Return changes for a record: `changes`, a list of Change.to_dict().

    secrets -- show values that look like secrets, which are masked otherwise

    Where some are missing, `changes_incomplete` says why: the daemon refused or was lost, the time
    was over, or there are more than 10,000.
    """
    found: list[Written] = []
    record: dict[str, Any] = {"changes": found}
    reading = iter(changes)
    try:
        for change in islice(reading, _MOST):
            found.append(change.to_dict(secrets=secrets))
        if next(reading, None) is not None:
            record["changes_incomplete"] = f"there are more than {_MOST}"
    except Error as error:
        record["changes_incomplete"] = readable(str(error))
    return record


# As text

_SIGNS = {
    "created": "+",
    "deleted": "-",
    "modified": "~",
    "value-set": "=",
    "default-set": "=",
    "moved": ">",
    "attribute-set": "@",
}


def _text(changes: list[Change], secrets: bool, gap: str) -> Iterator[str]:
    for change in changes:
        yield line_of(change.to_dict(secrets=secrets))
    if gap:
        yield f"! {gap}"


def line_of(change: Written) -> str:
    """A change as a line of text: a sign, the path, the value."""
    return f"{_SIGNS[change['operation']]} {change['path']}{_text_of_values(change)}"


def _text_of_values(change: Written) -> str:
    was = f" (was {_word(change['old'])})" if "old" in change else ""
    operation = change["operation"]
    if operation == "default-set":
        return f" is the default{was}"
    if operation == "moved":
        after = " ".join(map(_word, change["after"]))
        return f" after {{{after}}}" if after else " to the beginning"
    if operation == "attribute-set":
        value = _word(change["new"]) if "new" in change else "deleted"
        return f" attribute {change.get('attribute')} {value}{was}"
    return f" {_word(change['new'])}{was}" if "new" in change else was


def _word(value: object) -> str:
    """A value as one word, in quotes where it needs them."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if _PLAIN_WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False)


# As commands

_COMMANDS = {
    "created": "set",
    "deleted": "delete",
    "value-set": "set",
    "default-set": "delete",
    "moved": "insert",
}


def _cli(changes: list[Change], secrets: bool, gap: str) -> Iterator[str]:
    for change in changes:
        command = _COMMANDS.get(change.operation)
        if command is not None:  # modified says nothing, and for attributes there is no command
            values = _cli_of_values(change.to_dict(secrets=secrets))
            yield f"{command} {_words_of(change.path)}{values}"
    if gap:
        yield f"! {gap}"


def _words_of(path: HKeypathRef) -> str:
    """The names and keys from the root down, without prefixes."""
    words: list[str] = []
    for element in reversed(path):
        names = element if isinstance(element, tuple) else (element,)
        words += [_word(readable(str(name))) for name in names]
    return " ".join(words)


def _cli_of_values(change: Written) -> str:
    if change["operation"] == "moved":
        after = " ".join(map(_word, change["after"]))
        return f" after {after}" if after else " first"
    return f" {_word(change['new'])}" if "new" in change else ""


# As XML and JSON


def _xml(changes: list[Change], secrets: bool, gap: str) -> Iterator[str]:
    yield "<changes>"
    for change in changes:
        yield f"  {_element(change.to_dict(secrets=secrets))}"
    if gap:
        yield f"  <!-- {gap} -->"
    yield "</changes>"


def _element(change: Written) -> str:
    attributes = "".join(
        f" {key}={quoteattr(_xml_text(change[key]))}"
        for key in ("operation", "path", "attribute")
        if key in change
    )
    values = "".join(
        f"<{key}>{escape(_xml_text(value))}</{key}>"
        for key in ("old", "new", "after")
        for value in _each(change, key)
    )
    return f"<change{attributes}>{values}</change>" if values else f"<change{attributes}/>"


def _each(change: Written, key: str) -> Iterator[object]:
    if key == "after":
        yield from change.get(key, ())
    elif key in change:
        yield change[key]


def _xml_text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _json(changes: list[Change], secrets: bool, gap: str) -> Iterator[str]:
    written = [change.to_dict(secrets=secrets) for change in changes]
    written += [{"incomplete": gap}] if gap else []
    yield "["
    for number, change in enumerate(written, start=1):
        yield f"  {json.dumps(change)}{',' if number < len(written) else ''}"
    yield "]"


_WRITERS: dict[str, Callable[[list[Change], bool, str], Iterator[str]]] = {
    "text": _text,
    "xml": _xml,
    "json": _json,
    "cli": _cli,
}
FORMATS = tuple(_WRITERS)
"""What difference() can write."""
