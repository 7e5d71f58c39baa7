"""Which parts of a record a sink gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from .._render import to_json
from ..description.catalog import NOTIFICATIONS, spread
from ..enums import notif
from ._record import Record

Path = tuple[str, ...]

_ALWAYS = ("type", "type_name")  # what sinks and readers tell records apart by
_BESIDE = ("read_at", "changes", "changes_incomplete")


class Selection(NamedTuple):
    """The parts of `data` that are kept; records of the way itself are whole."""

    fields: tuple[Path, ...] | None
    """Only these, and what is within them; None for all."""
    omit: tuple[Path, ...]

    def of(self, record: Record) -> Record:
        """The record with these parts. Raises RecursionError for one that is too deep for that."""
        envelope = record.envelope()
        data = envelope["data"]
        if not data["type"]:
            return record
        if self.fields is not None:
            kept = _kept(data, self.fields)
            data = {**{key: data[key] for key in _ALWAYS}, **kept}
        for path in self.omit:
            _drop(data, path)
        return Record(record.number, to_json({**envelope, "data": data}))


def parsed(text: str, mask: int) -> Path:
    """A path such as audit_network.config, in the data of the notifications of a mask.

    Raises ValueError when none of them has such a part, or it can't be left out.
    """
    first, _, rest = text.partition(".")
    known = {**dict.fromkeys(_BESIDE, ()), **dict(_members(mask))}
    if text in _ALWAYS:
        raise ValueError(f"{text!r} is in each record")
    if first not in known:
        raise ValueError(f"{text!r}: no such record has {first!r}{_perhaps(first, known)}")
    second = rest.partition(".")[0]
    if known[first] and rest and second not in known[first]:
        raise ValueError(f"{text!r}: {first} has no {second!r}{_perhaps(second, known[first])}")
    if not all(text.split(".")):
        raise ValueError(f"{text!r} is not a path such as audit_network.config")
    return tuple(text.split("."))


def _perhaps(name: str, known: Any) -> str:
    close = get_close_matches(name, known)
    return f"; perhaps {close[0]!r}" if close else ""


def _members(mask: int) -> Iterator[tuple[str, Sequence[str]]]:
    """The members of the notifications of a mask, and the keys of each."""
    for notification in NOTIFICATIONS:
        if notification.member and int(notif(notification.name)) & mask:
            fields = list(spread(notification.fields))
            keys = [key for field in fields for key in (field.key, field.also) if key]
            yield notification.member, [*keys, *(f"{f.key}_name" for f in fields if f.enum)]


def _kept(data: Any, paths: Sequence[Path]) -> Any:
    """What is at the paths, or within them; of a list, in each element."""
    if isinstance(data, list):
        return [_kept(each, paths) for each in data]
    if not isinstance(data, dict):
        return data
    kept = {}
    for key, value in data.items():
        below = [path[1:] for path in paths if path[0] == key]
        if below:
            kept[key] = value if () in below else _kept(value, below)
    return kept


def _drop(data: Any, path: Path) -> None:
    """Takes out what is at a path; of a list, in each element."""
    if isinstance(data, list):
        for each in data:
            _drop(each, path)
    elif isinstance(data, dict):
        if len(path) == 1:
            data.pop(path[0], None)
            # The name of its number says the same.
            data.pop(f"{path[0]}_name", None)
        elif path[0] in data:
            _drop(data[path[0]], path[1:])
