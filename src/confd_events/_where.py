"""Conditions that a notification has to meet, such as user=adm*."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from difflib import get_close_matches
from enum import IntFlag
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Callable, NamedTuple, Protocol

from . import enums
from ._events import log_symbol
from ._written import length_of_time, size, time_of
from .description.catalog import (
    HA_NODE,
    NOTIFICATIONS,
    PROGRESS_LINK,
    SNMP_VARBIND,
    USER_INFO,
    Field,
    spread,
)
from .enums import SyslogPriority, label, notif

Payload = Mapping[str, Any]

_STEP = r"(?:tag<\d+>|[\w@:-])+"
_COMPARISON = rf"({_STEP}(?:\.{_STEP})*)\s*(!=|!~|<=|>=|=|~|<|>)\s*"
# Before what could be a comparison only: a pattern may have these words.
_OR = re.compile(rf"\s+or\s+(?={_COMPARISON})")
_AND = re.compile(rf"\s+and\s+(?={_COMPARISON})")
_ONE = re.compile(rf"{_COMPARISON}(.*)", re.DOTALL)

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_INNER = {
    "UserInfo": USER_INFO,
    "HaNode": HA_NODE,
    "list[SnmpVarbind]": SNMP_VARBIND,
    "list[ProgressLink]": PROGRESS_LINK,
}
# What is in them is a data model's, or a program's.
_OPEN = ("list[TagValue]", "dict[str, str | int]", "Value", "list[Value]")
_UNITS = {"us": 1e-6, "cs": 1e-2, "s": 1.0}
# As other programs call them.
_SEVERITIES = {"panic": "emerg", "critical": "crit", "error": "err", "warn": "warning"}


class Condition(Protocol):
    """What a notification has to meet."""

    def holds(self, payload: Payload) -> bool:
        """Whether a notification with this payload meets it; see to_dict()."""
        ...

    def bound(self, mask: int) -> Condition:
        """The same for the notifications of a mask.

        Raises ValueError when none of them has such a key, or it can't have such a value.
        """
        ...


class AnyOf(NamedTuple):
    """Holds when one of several does."""

    parts: tuple[Condition, ...]
    strict: bool = True
    """Whether each part must be possible; else one of them."""

    def holds(self, payload: Payload) -> bool:
        return any(part.holds(payload) for part in self.parts)

    def bound(self, mask: int) -> Condition:
        if self.strict:
            return self._replace(parts=tuple(part.bound(mask) for part in self.parts))
        possible: list[Condition] = []
        refusals: list[ValueError] = []
        for part in self.parts:
            try:
                possible.append(part.bound(mask))
            except ValueError as error:
                refusals.append(error)
        if not possible:
            raise refusals[0]
        return self._replace(parts=tuple(possible))


class AllOf(NamedTuple):
    """Holds when all of several do."""

    parts: tuple[Condition, ...]

    def holds(self, payload: Payload) -> bool:
        return all(part.holds(payload) for part in self.parts)

    def bound(self, mask: int) -> Condition:
        return AllOf(tuple(part.bound(mask) for part in self.parts))


class Comparison(NamedTuple):
    """A key of the payload, such as uinfo.username, and what its value is to be."""

    path: tuple[str, ...]
    operator: str
    wanted: str
    limit: Any = None
    """For <, <=, > and >=: what is wanted, as a value of the key's type."""

    def holds(self, payload: Payload) -> bool:
        """Whether a value at the path is as wanted; of != and !~, whether none is otherwise."""
        found = list(_found(payload, self.path))
        if self.operator in _ORDER:
            compare = _ORDER[self.operator]
            return any(_is_ordered(value[0], self.limit, compare) for value in found)
        matches = any(self._matches(_text(each)) for value in found for each in value)
        return matches != self.operator.startswith("!") and bool(found)

    def _matches(self, text: str) -> bool:
        if "~" in self.operator:
            return _regex(self.wanted).search(text) is not None
        return fnmatchcase(text, self.wanted)

    def bound(self, mask: int) -> Condition:
        fields = list(_fields(mask, self.path))
        if fields == [None]:  # of a data model
            limit = _number(self.wanted) if self.operator in _ORDER else None
            return self._replace(limit=limit)
        known = [field for field in fields if field is not None]
        if self.operator in _ORDER:
            return self._replace(limit=_first(known, self._limit))
        if self.operator in ("=", "!="):
            _first(known, self._check_name)
        return self

    def _limit(self, field: Field) -> Any:
        if field.enum:
            return _member(field, self.wanted)
        if field.epoch or field.type == "DateTime":
            return time_of(self.wanted)
        if field.unit == "B":
            return size(self.wanted)
        if field.unit:
            return _amount(self.wanted, field)
        if field.type != "int":
            raise ValueError(f"{self.operator} is for numbers and times; {field.key} is text")
        return _number(self.wanted)

    def _check_name(self, field: Field) -> None:
        """Refuses what no value of an enumeration matches."""
        if not field.enum or re.fullmatch(r"-?\d+", self.wanted):
            return
        enum = getattr(enums, field.enum)
        labels = [label(member) for member in enum]
        if not issubclass(enum, IntFlag) and not any(
            fnmatchcase(each, self.wanted) for each in labels
        ):
            raise ValueError(_no_member(field, self.wanted, labels))


def parsed(text: str) -> Condition:
    """The condition that an expression is; ValueError for other text.

    text -- KEY OPERATOR VALUE, the operator one of = != ~ !~ < <= > >=; several joined by "and"
        and "or", of which "and" binds more closely
    """
    return _joined(AnyOf, _OR, text, lambda part: _joined(AllOf, _AND, part, _comparison))


def _joined(
    kind: Callable[[tuple[Condition, ...]], Condition],
    word: re.Pattern[str],
    text: str,
    parse: Callable[[str], Condition],
) -> Condition:
    starts = [0, *(found.end() for found in word.finditer(text))]
    ends = [*(found.start() for found in word.finditer(text)), len(text)]
    parts = tuple(parse(text[start:end]) for start, end in zip(starts, ends))
    return parts[0] if len(parts) == 1 else kind(parts)


def _comparison(text: str) -> Comparison:
    found = _ONE.fullmatch(text.lstrip())
    if found is None:
        raise ValueError(f"{text!r} is not KEY=PATTERN, such as user=adm*")
    key, sign, wanted = found.groups()
    if "~" in sign:
        _regex(wanted)
    return Comparison(tuple(key.split(".")), sign, wanted)


@lru_cache(maxsize=64)
def _regex(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error


def severity(text: str) -> Condition:
    """A log line is of this severity, or worse; ValueError for text that names none."""
    name = _SEVERITIES.get(text.lower(), text.lower())
    labels = {label(member): member for member in SyslogPriority}
    if name not in labels and name not in map(str, map(int, SyslogPriority)):
        raise ValueError(f"{text!r} is none of {', '.join(labels)}")
    return Comparison(("prio",), "<=", name)


def user(text: str) -> Condition:
    """Who is behind it is one of these."""
    return _one_of(text, "user", "uinfo.username")


def device(text: str) -> Condition:
    """It is about one of these devices."""
    keys = ("device", "completed_devices", "transient_devices", "failed_devices")
    services = ("completed_services_completed_devices", "failed_services_completed_devices")
    return _one_of(text, *keys, *services, "failed_services_failed_devices", "attributes.device")


def _one_of(patterns: str, *keys: str) -> Condition:
    return AnyOf(
        tuple(
            Comparison(tuple(key.split(".")), "=", pattern.strip())
            for key in keys
            for pattern in patterns.split(",")
        ),
        strict=False,
    )


# What the catalog says of a key


def _fields(mask: int, path: tuple[str, ...]) -> Iterator[Field | None]:
    """The fields at a path; None alone for what only a data model knows."""
    fields = [
        field
        for notification in NOTIFICATIONS
        if mask & notif(notification.name)
        for field in spread(notification.fields)
    ]
    return _fields_at(fields, path, "nothing asked for has")


def _fields_at(fields: list[Field], path: tuple[str, ...], nothing: str) -> Iterator[Field | None]:
    key, *rest = path
    named = {key: field for field in fields for key in (field.key, field.also) if key}
    found = [field for field in fields if key in (field.key, field.also)]
    if not found:
        close = get_close_matches(key, named) or sorted(named)
        perhaps = f"; perhaps {', '.join(close)}" if close else ""
        raise ValueError(f"{nothing} a key {key!r}{perhaps}")
    if not rest:
        return iter([None] if found[0].type in _OPEN else found)
    if found[0].type in _OPEN:
        return iter([None])
    inner = list(_INNER.get(found[0].type, ()))
    return _fields_at(inner, tuple(rest), f"{key} has not")


def _first(fields: Iterable[Field], convert: Callable[[Field], Any]) -> Any:
    """What the first field that does not refuse gives; else the first refusal."""
    refusals = []
    for field in fields:
        try:
            return convert(field)
        except ValueError as error:
            refusals.append(error)
    raise refusals[0]


def _member(field: Field, text: str) -> int:
    if text.isdecimal():
        return int(text)
    labels = {label(member): int(member) for member in getattr(enums, field.enum)}
    if text not in labels:
        raise ValueError(_no_member(field, text, labels))
    return labels[text]


def _no_member(field: Field, text: str, labels: Iterable[str]) -> str:
    return f"{field.key}: {text!r} is none of {', '.join(labels)}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None


def _amount(text: str, field: Field) -> float:
    """In the field's unit; a number alone is in that unit already."""
    try:
        return float(text)
    except ValueError:
        return length_of_time(text) / _UNITS[field.unit]


# What a payload has


def _found(item: Any, path: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """What is at the path, with its name if it has one; in a list, what is in any element."""
    if isinstance(item, list):
        for element in item:
            yield from _found(element, path)
    elif not path:
        yield (item,)
    elif isinstance(item, Mapping) and path[0] in item:
        value = item[path[0]]
        name = log_symbol(value) if path[0] == "logno" else item.get(f"{path[0]}_name")
        if name is not None and len(path) == 1:
            yield value, name
        else:
            yield from _found(value, path[1:])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_ordered(value: Any, limit: Any, compare: Callable[[Any, Any], bool]) -> bool:
    if isinstance(limit, datetime):
        moment = _moment(value)
        return moment is not None and compare(moment, limit)
    return isinstance(value, (int, float)) and compare(value, limit)


def _moment(text: Any) -> datetime | None:
    # Without a zone it is the daemon's local time, which is most likely ours.
    with suppress(ValueError, TypeError):
        return datetime.fromisoformat(text).astimezone()
    return None
