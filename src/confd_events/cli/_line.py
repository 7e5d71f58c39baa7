"""What a line says of a notification: names for numbers, units, local times, nothing twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from enum import IntFlag
from functools import partial
from typing import Any, Callable, NamedTuple

from confd_events import enums, log_symbol
from confd_events.description.catalog import NOTIFICATIONS, Field, spread

# Empty values. A text that is "none" is none of them.
_NOTHING: tuple[Any, ...] = (None, "", [], {})
# Older names of keys, and what an address shows by itself.
_AGAIN = {field.also for each in NOTIFICATIONS for field in each.fields} | {"af"}
# Keys whose value another key has, where both are there.
_SAME = {"database": "datastore", "thandle": "tid"}
# Whose keys are not the catalog's, but a data model's or a program's.
_VERBATIM = ("list[TagValue]", "dict[str, str | int]")
# Of a user session, what tells who it is.
_USER = ("username", "usid", "context", "addr", "clearpass")


def concise(bit: int, payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload, as to_dict() has it, without what says nothing or says something again.

    bit -- the type of the notification; 0 for a marker, which stays as it is
    """
    keys = _KEYS.get(bit)
    if keys is None:
        return dict(payload)
    fields: dict[str, Any] = {}
    for key, value in payload.items():
        if key not in keys or _SAME.get(key) in payload:
            continue
        shown = keys[key](value, payload.get(f"{key}_name"))
        if shown not in _NOTHING:
            fields[key] = shown
    return fields


_Show = Callable[[Any, Any], Any]
"""From a value and the name of the number that it is, or None, to what a line has."""


def _as_it_is(value: Any, name: Any) -> Any:
    return value


def _named(value: Any, name: Any) -> Any:
    return value if name is None else name


def _flags(value: Any, name: Any) -> Any:
    return _named(value, name) if value else None


def _symbol(value: int, name: Any) -> int | str:
    return log_symbol(value) or value


def _user(value: Mapping[str, Any], name: Any) -> dict[str, Any]:
    return {key: value[key] for key in _USER if value.get(key) not in _NOTHING}


def _local(value: Any, name: Any) -> Any:
    """A time as the time of the line is; the daemon's own when it has no zone."""
    with suppress(ValueError, TypeError):
        time = datetime.fromisoformat(value)
        local = time if time.tzinfo is None else time.astimezone().replace(tzinfo=None)
        return local.isoformat(timespec="microseconds" if local.microsecond else "seconds")
    return value


def _part(value: Any, name: Any) -> Any:
    """A value of several parts, by the names of its numbers."""
    if isinstance(value, list):
        return [_part(element, None) for element in value]
    if not isinstance(value, Mapping):
        return value
    parts = {
        key: _part(value.get(f"{key}_name", part), None)
        for key, part in value.items()
        if key not in _AGAIN and not (key.endswith("_name") and key[: -len("_name")] in value)
    }
    return {key: part for key, part in parts.items() if part not in _NOTHING}


# Amounts


class _Unit(NamedTuple):
    """A unit, and from how many of the smaller one before it on it is used."""

    name: str
    size: float


_SMALL_TIMES = (_Unit("us", 1e-6), _Unit("ms", 1e-3), _Unit("s", 1))
_LONG_TIMES = (_Unit("d", 86400), _Unit("h", 3600), _Unit("m", 60), _Unit("s", 1))
_SIZES = (_Unit("B", 1), _Unit("kB", 1e3), _Unit("MB", 1e6), _Unit("GB", 1e9), _Unit("TB", 1e12))


def written_seconds(seconds: float) -> str:
    """A length of time, such as 94.7ms, 1.25s or 2m5s."""
    if seconds < 60:
        return _scaled(seconds, _SMALL_TIMES)
    rest, parts = round(seconds), ""
    for name, size in _LONG_TIMES:
        count, rest = divmod(rest, int(size))
        parts += f"{count}{name}" if count else ""
    return parts


def written_bytes(amount: int) -> str:
    """An amount of bytes, such as 4.1kB."""
    return _scaled(amount, _SIZES)


def _scaled(amount: float, units: Iterable[_Unit]) -> str:
    """In the largest unit of which it is 1 or more, to three digits."""
    fitting = [unit for unit in units if amount >= unit.size] or list(units)[:1]
    number = amount / fitting[-1].size
    digits = f"{number:.0f}" if number >= 100 else f"{number:.3g}"
    return digits + fitting[-1].name


def _seconds(value: Any, name: Any, unit: float) -> Any:
    return written_seconds(value * unit) if isinstance(value, int) and value >= 0 else value


def _bytes(value: Any, name: Any) -> Any:
    return _scaled(value, _SIZES) if isinstance(value, int) and value >= 0 else value


_AMOUNTS: dict[str, _Show] = {
    "us": partial(_seconds, unit=1e-6),
    "cs": partial(_seconds, unit=1e-2),
    "s": partial(_seconds, unit=1.0),
    "B": _bytes,
}


# What the catalog says


def _show(field: Field) -> _Show:
    if field.key == "logno":
        return _symbol
    if field.enum:
        return _flags if issubclass(getattr(enums, field.enum), IntFlag) else _named
    if field.epoch or field.type == "DateTime":
        return _local
    if field.unit:
        return _AMOUNTS[field.unit]
    if field.type == "UserInfo":
        return _user
    return _as_it_is if field.type in ("int", "str", *_VERBATIM) else _part


_KEYS = {
    int(enums.notif(notification.name)): {
        field.key: _show(field) for field in spread(notification.fields) if field.key not in _AGAIN
    }
    for notification in NOTIFICATIONS
}
