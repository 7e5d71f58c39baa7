"""Notifications for JSON: names beside the numbers, times as text, values as plain Python.

What a key holds is the catalog's; here is how each type of the catalog is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from enum import IntEnum, IntFlag
from functools import lru_cache, partial
from math import isfinite
from typing import Any, Callable, NamedTuple, Union

from . import enums
from ._events import (
    C_BUF,
    C_CDBBEGIN,
    C_NOEXISTS,
    C_STR,
    C_XMLBEGIN,
    C_XMLBEGINDEL,
    C_XMLEND,
    C_XMLTAG,
    DateTime,
    TagValue,
    TransCtxRef,
    UserInfo,
    Value,
)
from .description import catalog

Enumeration = Union[type[IntEnum], type[IntFlag]]
Render = Callable[[Any, bool], Any]
"""From a value, and whether to show passwords, to what JSON has."""

MASK = "********"
_SURROGATES = re.compile("[\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_UNITS = {"us": timedelta(microseconds=1), "s": timedelta(seconds=1)}
_BEGINS = {C_XMLBEGIN, C_XMLBEGINDEL, C_CDBBEGIN}


def to_dict(raw: Mapping[str, Any], *, secrets: bool = False) -> dict[str, Any]:
    """Return a notification as a dict that json.dumps() takes.

    raw -- what read_notification() returned
    secrets -- show passwords (UserInfo.clearpass), which are masked otherwise

    The keys are those of raw, the older names too. Beside a number that belongs to an enumeration
    is its label(), under the key with _name added: ``{"database": 2, "database_name":
    "running"}``. A number that the enumeration lacks has none; flags without a name are hexadecimal
    numbers. Other values become:

    - times: ISO 8601 text in UTC with microseconds, such as 2026-11-23T07:50:01.000000+00:00. A
      DateTime without a zone has none here. One that datetime can't hold, such as second 60,
      is its str(), in its own zone. A number too far from the epoch stays a number.
    - Value: None, bool, int, float, str or a list, else its str().
    - the elements of a stream event: dicts, by the tags' names; see _tree().
    - UserInfo, SnmpVarbind, ProgressLink: a dict of those attributes that are not None.
    - TransCtxRef: ``{"th": 7}``.
    - text that is not UTF-8: readable().
    """
    bit = raw["type"]
    keys = _KEYS.get(bit, {})
    result = {"type": bit, "type_name": _name(enums.Notif, bit)}
    for member, values in raw.items():
        if member != "type":
            result[member] = _dict(values, secrets, keys)
    return result


def _encoder() -> Callable[[Any], str]:
    """What json.dumps() does, made once: json makes an encoder for each call."""
    make = getattr(json.encoder, "c_make_encoder", None)
    plain = json.JSONEncoder(check_circular=False)  # there are no circles
    if make is None:  # a Python without it
        return plain.encode
    text = json.encoder.encode_basestring_ascii
    pieces = make(None, plain.default, text, None, ": ", ", ", False, False, True)
    join = "".join
    return lambda value: join(pieces(value, 0))


_encode = _encoder()


def to_json(rendered: Mapping[str, Any]) -> str:
    """Return what to_dict() returned as one line of JSON, all ASCII.

    It may be of any depth. Few parsers read more than about a thousand levels; json.loads() does
    not.
    """
    try:
        return _encode(rendered)
    except RecursionError:
        return "".join(_pieces(rendered))


def readable(text: str) -> str:
    r"""Return a text that every terminal, file and parser of JSON takes.

    Each byte that was not UTF-8, which libconfd's texts have as a lone surrogate, becomes \xNN.
    """
    return text if text.isascii() else _SURROGATES.sub(_escaped_byte, text)


def _escaped_byte(surrogate: re.Match[str]) -> str:
    code = ord(surrogate[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def member_of(bit: int, key: str, value: Any) -> Any:
    """Return a value of a notification's payload as its consumer gets it.

    bit -- the type of the notification

    A number is a member of its enumeration, when its key has one with such a number. Text is
    readable(), also that of lists, dicts and of a UserInfo. Other values are what they are.
    """
    enum = _KEYS.get(bit, {}).get(key, _ANY).enum
    if enum is None:
        return _readable(value)
    try:
        return enum(value)
    except ValueError:
        return value


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, UserInfo):
        return value._with_texts(readable)
    if isinstance(value, dict):
        return {_readable(key): _readable(each) for key, each in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], str):
        return [readable(text) for text in value]
    return value


# The types of the catalog


def _dict(values: Mapping[str, Any], secrets: bool, keys: Mapping[str, _Key]) -> dict[str, Any]:
    """Values by key, and the names of those that are numbers of an enumeration."""
    result = {}
    for key, value in values.items():
        render, enum = keys.get(key, _ANY)
        if render is None or (render is _text and value.isascii()):  # most are so
            result[key] = value
        else:
            result[key] = render(value, secrets)
        if enum is not None and (name := _name(enum, value)) is not None:
            result[f"{key}_name"] = name
    return result


@lru_cache(maxsize=1024)
def _name(enum: Enumeration, number: int) -> str | None:
    try:
        return enums.label(enum(number))
    except ValueError:
        return None


def _attributes(value: object, secrets: bool, keys: Mapping[str, _Key]) -> dict[str, Any]:
    values = ((key, getattr(value, key)) for key in keys)
    return _dict({key: part for key, part in values if part is not None}, secrets, keys)


def _user(user: UserInfo, secrets: bool) -> dict[str, Any]:
    result = _attributes(user, secrets, _USER)
    if user.clearpass and not secrets:
        result["clearpass"] = MASK
    return result


def _transaction(tctx: TransCtxRef, secrets: bool) -> dict[str, int]:
    return {"th": tctx.th}


def _epoch(number: int, secrets: bool, unit: timedelta) -> str | int:
    try:
        return (_EPOCH + number * unit).isoformat(timespec="microseconds")
    except OverflowError:
        return number


def _datetime(time: DateTime, secrets: bool) -> str:
    try:
        moment = time.to_datetime()
        if moment.tzinfo is not None:
            moment = moment.astimezone(timezone.utc)
        return moment.isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        return str(time)


def plain_value(value: Value, secrets: bool = False) -> Any:
    return value._mapped(_scalar)


def _scalar(value: Value) -> bool | float | str | None:
    kind = value.confd_type()
    if kind == C_NOEXISTS:
        return None
    plain = value.as_pyval()
    if isinstance(plain, int) or (isinstance(plain, float) and isfinite(plain)):
        return plain
    return readable(str(plain if kind in (C_BUF, C_STR) else value))


def _each(values: Iterable[Any], secrets: bool, render: Render) -> list[Any]:
    return [render(value, secrets) for value in values]


def _list(values: Iterable[Any], secrets: bool) -> list[Any]:
    return list(values)


def _text(text: str, secrets: bool) -> str:
    return readable(text)


def _texts(texts: Iterable[str], secrets: bool) -> list[str]:
    return [readable(text) for text in texts]


def _mapping(values: Mapping[str, Any], secrets: bool) -> dict[str, Any]:
    return {readable(name): _readable(value) for name, value in values.items()}


# Elements of a stream event

_Children = dict[str, list[Any]]


def _tree(elements: Iterable[TagValue], secrets: bool) -> dict[str, Any]:
    """The elements between XMLBEGIN and XMLEND as a dict, by the names of their tags.

    An unknown tag is called tag<number>. Siblings of the same name become a list, whatever their
    namespaces. An empty leaf is None. What XMLBEGINDEL begins has the key @deleted, with True. An
    end too many is ignored; what has no end ends with the event.
    """
    top: _Children = {}
    # Not recursive: the elements may nest to any depth.
    open_ = [("", top)]
    for element in elements:
        kind = element.v.confd_type()
        if kind in _BEGINS:
            deleted: _Children = {"@deleted": [True]} if kind == C_XMLBEGINDEL else {}
            open_.append((str(element), deleted))
        elif kind != C_XMLEND:
            leaf = None if kind == C_XMLTAG else plain_value(element.v)
            open_[-1][1].setdefault(str(element), []).append(leaf)
        elif len(open_) > 1:
            _close(open_)
    while len(open_) > 1:
        _close(open_)
    return _single(top)


def _close(open_: list[tuple[str, _Children]]) -> None:
    name, children = open_.pop()
    open_[-1][1].setdefault(name, []).append(_single(children))


def _single(children: _Children) -> dict[str, Any]:
    """One value itself, several as a list."""
    return {name: each[0] if len(each) == 1 else each for name, each in children.items()}


# What the catalog says


class _Key(NamedTuple):
    """How the value of a key is rendered."""

    render: Render | None
    """None: as it is."""
    enum: Enumeration | None


_ANY = _Key(None, None)


def _by_key(fields: Iterable[catalog.Field]) -> dict[str, _Key]:
    """How to render each key, the older names and the parts that lie beside them included."""
    parts = catalog.spread(fields)
    return {key: _key(part) for part in parts for key in (part.key, part.also) if key}


def _key(field: catalog.Field) -> _Key:
    if field.epoch:
        return _Key(partial(_epoch, unit=_UNITS[field.epoch]), None)
    return _Key(_RENDERS[field.type], getattr(enums, field.enum) if field.enum else None)


_RENDERS: dict[str, Render | None] = {
    "int": None,
    "str": _text,
    "list[str]": _texts,
    "list[int]": _list,
    "dict[str, str | int]": _mapping,
    "DateTime": _datetime,
    "TransCtxRef": _transaction,
    "UserInfo": _user,
    "Value": plain_value,
    "list[Value]": partial(_each, render=plain_value),
    "list[TagValue]": _tree,
}
_USER = _by_key(catalog.USER_INFO)
_RENDERS["HaNode"] = partial(_dict, keys=_by_key(catalog.HA_NODE))
_RENDERS["list[SnmpVarbind]"] = partial(
    _each, render=partial(_attributes, keys=_by_key(catalog.SNMP_VARBIND))
)
_RENDERS["list[ProgressLink]"] = partial(
    _each, render=partial(_attributes, keys=_by_key(catalog.PROGRESS_LINK))
)
_KEYS = {int(enums.notif(n.name)): _by_key(n.fields) for n in catalog.NOTIFICATIONS}


# JSON of any depth


def _pieces(value: Any) -> Iterator[str]:
    """What json.dumps() writes; it is recursive, this is not."""
    todo: list[Any] = [value]
    while todo:
        part = todo.pop()
        if isinstance(part, _Text):
            yield part.text
        elif part and isinstance(part, (dict, list)):
            todo += reversed(list(_parts(part)))
        else:
            yield json.dumps(part)


class _Text(NamedTuple):
    """Text of JSON, among values that have yet to become it."""

    text: str


def _parts(value: dict[str, Any] | list[Any]) -> Iterator[Any]:
    """The elements, and the texts around them."""
    if isinstance(value, dict):
        opening, closing = "{", "}"
        elements = [(f"{json.dumps(key)}: ", element) for key, element in value.items()]
    else:
        opening, closing = "[", "]"
        elements = [("", element) for element in value]
    for key, element in elements:
        yield _Text(opening + key)
        yield element
        opening = ", "
    yield _Text(closing)
