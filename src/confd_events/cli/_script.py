"""Scripts for the simulated daemon: notifications written as JSON, a line each."""

from __future__ import annotations

import inspect
import json
import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import DecimalException
from difflib import get_close_matches
from enum import IntEnum, IntFlag
from ipaddress import ip_address
from typing import Any, Callable, NamedTuple, Union

from confd_events import enums
from confd_events._written import zoned
from confd_events.description.catalog import NOTIFICATIONS, USER_INFO, Field
from confd_events.testing import (
    Atom,
    DataChange,
    SnmpColumn,
    SnmpOid,
    SnmpVariable,
    User,
    encode,
    value,
)
from confd_events.testing._notifications import KINDS, NEWEST_PROTOCOL

from ._recording import (
    Names,
    frame_of_line,
    is_marker,
    kind_of_type,
    kinds_named,
    moment_of,
    script_line,
    shown_as,
)

Object = Mapping[str, Any]
Enum = Union[type[IntEnum], type[IntFlag]]

# SyntaxError is what the encoder raises for a name that is too long.
_UNENCODABLE = (TypeError, ValueError, ArithmeticError, SyntaxError, struct.error)


class Step(NamedTuple):
    """One notification of a script."""

    after: float
    """Seconds since the notification before."""
    kind: str
    """The name of the daemon's method."""
    fields: dict[str, Any]
    """As the method takes them."""
    written: Object
    """The same as it is in JSON, by the names that monitor has for the keys."""
    name: str
    """The name that monitor has for it."""


def read_script(name: str, lines: Iterable[str], names: Names | None = None) -> Iterator[Step]:
    """The steps of a script or a recording; lines that are blank or begin with # are none.

    names -- gets the names of tags that a recording has

    Raises ValueError that tells the script's name, the line's number and what is wrong.
    """
    before: datetime | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            written = _object(_parsed(line))
            if is_marker(written):
                continue
            moment = moment_of(written)
            after = 0.0 if moment is None or before is None else (moment - before).total_seconds()
            before = moment or before
            yield _step_of(written, max(0.0, after), names or Names())
        except ValueError as error:
            raise ValueError(f"{name}, line {number}: {error}") from error


def _step_of(written: Object, after: float, names: Names) -> Step:
    if "frame" in written:
        frame = frame_of_line(written)
        return Step(after, "replay", {"frame": frame}, {}, str(written.get("notification", "")))
    if "type_name" in written:
        return step({**script_line(written, names), "after": after})
    return step(written)


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise ValueError("not JSON for people: too deeply nested") from error


def step(written: Any) -> Step:
    """One step from its JSON; ValueError when the daemon could not send it."""
    fields = dict(_object(written))
    name = fields.pop("notification", None)
    if not isinstance(name, str):
        raise ValueError('"notification" is missing, or no text; it names one, such as "audit"')
    kinds = kinds_named(name)
    kind = kinds[0] if len(kinds) == 1 else kind_of_type(kinds, fields.pop("type", None))
    after = _after(fields.pop("after", 0))
    converted = _arguments(KINDS[kind].shape, fields, _enums_of(kind))
    try:
        encode(kind, NEWEST_PROTOCOL, **converted)
    except _UNENCODABLE as error:
        raise ValueError(f"{kind}: {error}") from error
    shown, fields = shown_as(kind, fields)
    return Step(after, kind, converted, fields, shown)


def _hint(name: str, known: Iterable[str]) -> str:
    known = list(known)
    close = get_close_matches(name, known)
    return f"; did you mean {' or '.join(close)}?" if close else f"; there are {', '.join(known)}"


def _after(seconds: Any) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise ValueError("after: expected seconds, a number")
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"after: {seconds} is no number of seconds to wait")
    return float(seconds)


# From JSON to an argument, by the annotation of the parameter


def _arguments(
    function: Callable[..., Any], given: Object, named: Mapping[str, Enum]
) -> dict[str, Any]:
    """The keyword arguments for a function, from JSON; `named` has enumerations of parameters."""
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is not inspect.Parameter.POSITIONAL_ONLY
    }
    for name, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and name not in given:
            raise ValueError(f"{name} is missing")
    converted = {}
    for name, item in given.items():
        if name not in parameters:
            raise ValueError(f"no field is called {name!r}{_hint(name, parameters)}")
        try:
            converted[name] = _argument(parameters[name], item, named.get(name))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return converted


def _argument(parameter: inspect.Parameter, item: Any, enum: Enum | None) -> Any:
    if item is None and parameter.default is None:
        return None
    if isinstance(item, str) and enum is not None:
        return _member(enum, item)
    return CONVERTERS[annotation_of(parameter)](item)


def annotation_of(parameter: inspect.Parameter) -> str:
    """A parameter's annotation as text."""
    # Those of a NamedTuple are references.
    return str(getattr(parameter.annotation, "__forward_arg__", parameter.annotation))


def _enums_of(kind: str) -> dict[str, Enum]:
    """The enumerations of a notification's fields."""
    bit = KINDS[kind].bit
    for notification in NOTIFICATIONS:
        if enums.notif(notification.name) == bit:
            return _enums_in(notification.fields)
    return {}


def _enums_in(fields: Iterable[Field]) -> dict[str, Enum]:
    return {field.key: getattr(enums, field.enum) for field in fields if field.enum}


def _member(enum: Enum, name: str) -> int:
    labels = {enums.label(member): member for member in enum}
    found = labels.get(name.lower().replace("_", "-"))
    if found is None:
        raise ValueError(f"{name!r} is none of {', '.join(labels)}")
    return found


def _typed(item: Any, types: type | tuple[type, ...], expected: str) -> Any:
    """The item, if it is of one of the types; a boolean is no number."""
    if not isinstance(item, types) or (isinstance(item, bool) and types is not bool):
        raise ValueError(f"expected {expected}, not {json.dumps(item)}")
    return item


def _text(item: Any) -> str:
    text: str = _typed(item, str, "text")
    return text


def _integer(item: Any) -> int:
    number: int = _typed(item, int, "a whole number")
    return number


def _object(item: Any) -> Object:
    parts: Object = _typed(item, dict, "an object {...}")
    return parts


def _array(item: Any) -> list[Any]:
    items: list[Any] = _typed(item, list, "an array [...]")
    return items


def _user(item: Any) -> User:
    return User(**_arguments(User, _object(item), _enums_in(USER_INFO)))


def _time(item: Any) -> datetime:
    return zoned(_text(item))


def _oid(item: Any) -> Any:
    return item if isinstance(item, str) else [_integer(part) for part in _array(item)]


def _varbind(item: Any) -> Any:
    written = _object(item)
    classes = {"name": SnmpVariable, "oid": SnmpOid, "column": SnmpColumn}
    for key, cls in classes.items():
        if key in written:
            return cls(**_arguments(cls, written, {"vartype": enums.SnmpType}))
    raise ValueError(f"a variable needs one of {', '.join(classes)}")


def _change(item: Any) -> DataChange:
    return DataChange(**_arguments(DataChange, _object(item), {}))


def _attributes(item: Any) -> dict[str, Any]:
    return {
        name: _typed(part, (str, int), "text or a whole number")
        for name, part in _object(item).items()
    }


def _tuple(item: Any, *converters: Callable[[Any], Any]) -> tuple[Any, ...]:
    items = _array(item)
    if len(items) != len(converters):
        raise ValueError(f"expected {len(converters)} elements, not {json.dumps(item)}")
    return tuple(convert(part) for convert, part in zip(converters, items))


def _list_of(convert: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def convert_all(item: Any) -> list[Any]:
        return [_element(convert, *numbered) for numbered in enumerate(_array(item), start=1)]

    return convert_all


def _element(convert: Callable[[Any], Any], number: int, item: Any) -> Any:
    try:
        return convert(item)
    except ValueError as error:
        raise ValueError(f"element {number}: {error}") from error


# Values of stream events and HA nodes

_MAKERS: dict[str, Callable[..., Any]] = {
    name: function
    for name, function in inspect.getmembers(value, inspect.isfunction)
    if name[0] != "_" and inspect.signature(function).return_annotation == "Typed"
}
_CONSTANTS = {name: item for name, item in vars(value).items() if isinstance(item, Atom)}


def _value(item: Any) -> Any:
    """A value: what JSON has a type for, or an object such as {"uint8": 3}."""
    if isinstance(item, list):
        return _list_of(_value)(item)
    if not isinstance(item, dict):
        return _typed(item, bool if isinstance(item, bool) else (str, int, float), "a value")
    if len(item) != 1:
        raise ValueError('expected an object of one key, its type, such as {"uint8": 3}')
    ((name, written),) = item.items()
    if name == "constant":
        return _CONSTANTS[_one_of(_CONSTANTS, _text(written))]
    if name == "ip":
        return ip_address(_text(written))
    return _made(_one_of([*_MAKERS, "constant", "ip"], name), written)


def _one_of(known: Iterable[str], name: str) -> str:
    if name not in known:
        raise ValueError(f"no value is called {name!r}{_hint(name, known)}")
    return name


def _made(name: str, written: Any) -> Any:
    maker = _MAKERS[name]
    parameters = list(inspect.signature(maker).parameters)
    arguments = {parameters[0]: written} if len(parameters) == 1 else _object(written)
    try:
        return maker(**_arguments(maker, arguments, {}))
    except _UNENCODABLE as error:
        # Those of decimal say nothing.
        reason = "not a number" if isinstance(error, DecimalException) else error
        raise ValueError(f"{name}: {reason}") from error


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "Text": _text,
    "OptionalText": _text,
    "Ip": _text,
    "Ip | Text": _text,
    "Decimal | str": _text,
    "int": _integer,
    "int | None": _integer,
    "bytes": lambda item: bytes.fromhex(_text(item)),
    "User": _user,
    "Time": _time,
    "Time | None": _time,
    "Oid": _oid,
    "object": _value,
    "Sequence[Varbind]": _list_of(_varbind),
    "Sequence[tuple[int, int, object]]": _list_of(
        lambda item: _tuple(item, _integer, _integer, _value)
    ),
    "Sequence[tuple[Text, Text]]": _list_of(lambda item: _tuple(item, _text, _text)),
    "Sequence[Text]": _list_of(_text),
    "Sequence[DataChange]": _list_of(_change),
    "Sequence[Sequence[Text]]": _list_of(_list_of(_text)),
    "Mapping[Text, Text | int] | None": _attributes,
}
