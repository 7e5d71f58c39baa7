"""Whether a dict is one that read_notification() may return: by the catalogue's keys and types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import confd_events as events
from confd_events._events import SnmpVarbind, TransCtxRef
from confd_events.description.catalog import HA_NODE, NOTIFICATIONS, Field, Notification, spread


class WrongDictError(Exception):
    """A dict that contradicts the catalogue; the text says where."""


_CLASSES: dict[str, type] = {
    "int": int,
    "str": str,
    "DateTime": events.DateTime,
    "ProgressLink": events.ProgressLink,
    "SnmpVarbind": SnmpVarbind,
    "TagValue": events.TagValue,
    "TransCtxRef": TransCtxRef,
    "UserInfo": events.UserInfo,
    "Value": events.Value,
    "str | int": object,
}


def _require(condition: bool, where: str) -> None:
    if not condition:
        raise WrongDictError(where)


def _rows(fields: tuple[Field, ...]) -> Iterator[tuple[str, Field]]:
    for field in spread(fields):
        yield field.key, field
        if field.also:
            yield field.also, field


_KNOWN: dict[int, tuple[Notification, dict[str, Field]]] = {
    getattr(events, n.name): (n, dict(_rows(n.fields)))
    for n in NOTIFICATIONS
    if hasattr(events, n.name)
}
_NODE = dict(_rows(HA_NODE))


def _examine_one(value: Any, type_: str, where: str) -> None:
    if type_ == "HaNode":
        _examine_fields(value, _NODE, where)
        return
    _require(isinstance(value, _CLASSES[type_]), f"{where}: a {type(value).__name__}, not {type_}")
    # All text is decoded, all of a value is read.
    repr(value)
    held = {"TagValue": "v", "SnmpVarbind": "val"}.get(type_)
    held_value = getattr(value, held) if held else value
    if isinstance(held_value, events.Value):
        str(held_value)
        held_value.as_pyval()
    if isinstance(value, events.TagValue):
        hash(value)


def _examine(value: Any, type_: str, where: str) -> None:
    if type_.startswith("list["):
        _require(type(value) is list, where)
        for item in value:
            _examine_one(item, type_[5:-1], where)
    elif type_.startswith("dict["):
        _require(type(value) is dict, where)
        _require(all(type(name) is str for name in value), where)
        _require(all(type(item) in (str, int) for item in value.values()), where)
    else:
        _examine_one(value, type_, where)


def _examine_fields(payload: Any, known: dict[str, Field], where: str) -> None:
    _require(type(payload) is dict, where)
    _require(payload.keys() <= known.keys(), f"{where}: {payload.keys() - known.keys()}")
    for key, value in payload.items():
        _examine(value, known[key].type, f"{where}[{key!r}]")


def examine(notification: Any) -> None:
    """Raises WrongDictError unless the dict is as the catalogue describes it."""
    bit = notification["type"]
    _require(bit in _KNOWN, f"type {bit}")
    described, known = _KNOWN[bit]
    members = {described.member} - {""}
    _require(notification.keys() == {"type"} | members, f"{described.name}: keys")
    for member in members:
        _examine_fields(notification[member], known, described.name)
