"""From recordings to what a script may hold: lines of record, and of monitor --json."""

from __future__ import annotations

import base64
import binascii
import inspect
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from difflib import get_close_matches
from typing import Any

from confd_events import enums
from confd_events._written import zoned
from confd_events.description.catalog import NOTIFICATIONS, USER_INFO, Field, spread
from confd_events.testing._notifications import KINDS
from confd_events.testing._terms import decode

Line = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_UNITS = {"us": timedelta(microseconds=1), "s": timedelta(seconds=1)}
# What the daemon's methods are called where it is not the name of the notification.
_METHODS = {
    "daemon": "daemon_log",
    "commit_simple": "commit",
    "subagent_info": "subagent",
    "forward_info": "forward",
    "upgrade_event": "upgrade",
    "call_home_info": "call_home",
}
# Those of a kind that has several, by the name of its type.
_SEVERAL = {
    "ha_info": {
        "noprimary": "ha_noprimary",
        "secondary-died": "ha_secondary_died",
        "secondary-arrived": "ha_secondary_arrived",
        "secondary-initialized": "ha_initialized",
        "is-primary": "ha_is_primary",
        "is-none": "ha_is_none",
        "besecondary-result": "ha_besecondary_result",
    },
    "stream_event": {
        "notification-event": "stream_event",
        "notification-complete": "stream_notification_complete",
        "replay-complete": "stream_replay_complete",
        "replay-failed": "stream_replay_failed",
    },
}
# What the methods call a key of the payload.
_RENAMED = {"noprimary": "reason", "besecondary_result": "result", "event_time": "time"}
_STREAM = "NETCONF"  # of monitor --json, which does not tell it
_NAMESPACE = 1  # of the elements; any will do
_FIELDS = {
    enums.label(enums.notif(each.name)): {field.key: field for field in spread(each.fields)}
    for each in NOTIFICATIONS
}
_USER = {field.key: field for field in USER_INFO}


def moment_of(line: Line) -> datetime | None:
    """When a line of a recording came; None for a line of a script. ValueError for no time."""
    written = line.get("at", line.get("read_at"))
    return None if written is None else zoned(str(written))


def is_marker(line: Line) -> bool:
    """Whether it is no notification: a recording's first line, or what a subscription says."""
    return "recording" in line or ("type_name" in line and line.get("type") == 0)


def frame_of_line(line: Line) -> bytes:
    """The frame of a line of record; ValueError when it is none."""
    try:
        frame = base64.b64decode(line["frame"], validate=True)
    except (TypeError, binascii.Error) as error:
        raise ValueError("frame: not base64") from error
    if len(frame) < 5 or int.from_bytes(frame[:4], "big") != len(frame) - 4:
        raise ValueError("frame: its length is another than it says")
    decode(frame[4:])  # TermError is a ValueError
    return frame


# What a script calls the operations that monitor calls otherwise.
_OPERATIONS = {"default-set": "value-set", "moved": "moved-after", "attribute-set": "attr-set"}


def script_line(line: Line, names: Names) -> dict[str, Any]:
    """A line of monitor --json as one of a script; ValueError when there is no such."""
    name: str = line["type_name"]
    fields = _FIELDS.get(name)
    if fields is None:
        raise ValueError(f"type_name: {name!r} is no notification")
    payload: Line = next((part for part in line.values() if isinstance(part, dict)), {})
    key = name.replace("-", "_")
    kind = _METHODS.get(key, key)
    if key in _SEVERAL:
        kind = kind_of_type(list(_SEVERAL[key].values()), payload.get("type_name"))
    given: dict[str, Any] = {}
    for key, item in payload.items():
        if key in fields:
            given[_RENAMED.get(key) or key] = _written(fields[key], item)
    _inner(given, payload)
    if kind.startswith("stream_"):
        given["stream"] = _STREAM
        if "values" in given:
            given["values"] = list(names.elements(given["values"]))
    if kind == "commit_diff":
        given["changes"] = [_script_change(change) for change in line.get("changes", ())]
    known = inspect.signature(KINDS[kind].shape).parameters
    return {"notification": kind, **{key: given[key] for key in given if key in known}}


def _script_change(change: Mapping[str, Any]) -> dict[str, Any]:
    """A change as Change.to_dict() has it, for a script."""
    op = _OPERATIONS.get(change["operation"], change["operation"])
    new = change.get("after", change.get("new"))
    if change["operation"] == "default-set":
        new = {"constant": "DEFAULT"}
    elif "attribute" in change:
        new = [change["attribute"], *([] if new is None else [new])]
    given = {"op": op, "path": change["path"], "new": new, "old": change.get("old")}
    return {key: value for key, value in given.items() if value is not None}


def kinds_named(name: str) -> list[str]:
    """The daemon's methods for a notification, by the name that monitor and subscribe() have for
    it, or by the method's own. ValueError for any other.
    """
    key = name.strip().lower().replace("-", "_")
    if key in KINDS:
        return [key]
    with suppress(ValueError):
        key = enums.label(enums.notif(key)).replace("-", "_")
    kinds = list(_SEVERAL.get(key, {}).values()) or [_METHODS.get(key, key)]
    if kinds[0] in KINDS:
        return kinds
    written = key.replace("_", "-")
    parts = [each for each in _FIELDS if written and written in each]
    close = parts[:3] or get_close_matches(written, _FIELDS)
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(_FIELDS)}"
    raise ValueError(f"no notification is called {name!r}; {hint}")


def kind_of_type(kinds: Sequence[str], type_name: object) -> str:
    """Of the methods for one notification, that for its type; ValueError when none is."""
    for several in _SEVERAL.values():
        methods = {name: kind for name, kind in several.items() if kind in kinds}
        if methods and type_name in methods:
            return methods[str(type_name)]
        if methods:
            raise ValueError(f"type: {type_name!r} is none of {', '.join(methods)}")
    raise AssertionError(kinds)


def shown_as(kind: str, written: Line) -> tuple[str, dict[str, Any]]:
    """The notification that a method sends, and its fields, by the names that monitor has."""
    for several in _SEVERAL.values():
        for type_name, method in several.items():
            if method == kind:
                return enums.label(KINDS[kind].bit), {"type": type_name, **written}
    return enums.label(KINDS[kind].bit), dict(written)


def _inner(given: dict[str, Any], payload: Line) -> None:
    """What the methods have in other places than the payload has."""
    for key in ("secondary_died", "secondary_arrived"):
        node = payload.get(key)
        if node:
            given["nodeid"] = node.get("nodeid")
            given["peer"] = _address(node) or node.get("str", "")
    if "tctx" in payload:
        given["thandle"] = payload["tctx"]["th"] or 0
    if _address(payload):
        given["ip"] = _address(payload)


def _address(part: Line) -> Any:
    return part.get("ip4", part.get("ip6"))


def _written(field: Field, item: Any) -> Any:
    if field.epoch:
        return (zoned(item) - _EPOCH) // _UNITS[field.epoch] if isinstance(item, str) else item
    if field.type == "UserInfo":
        return _user(item)
    if field.type == "list[SnmpVarbind]":
        return [_varbind(part) for part in item]
    if field.type == "list[ProgressLink]":
        return [[part["trace_id"], part["span_id"]] for part in item]
    return item


def _user(item: Line) -> dict[str, Any]:
    user = {key: _written(_USER[key], part) for key, part in item.items() if key in _USER}
    user["ip"] = user.pop("addr", "") or "0.0.0.0"
    for key in ("af", "lmode", "actx_thandle", "clearpass"):
        user.pop(key, None)
    return user


def _varbind(item: Line) -> dict[str, Any]:
    keys = ("name", "oid", "column", "rowindex", "vartype")
    return {**{key: item[key] for key in keys if key in item}, "value": _text(item.get("val"))}


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


class Names:
    """Numbers for the names of tags, which --json tells without theirs."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._next = itertools.count(100_001)

    @property
    def numbers(self) -> dict[int, str]:
        """The names of those that were made up, by number."""
        return {number: name for name, number in self._numbers.items()}

    def elements(self, tree: Mapping[str, Any]) -> Iterator[list[Any]]:
        """The elements of a stream event, as a script has them."""
        for name, item in tree.items():
            if name != "@deleted":
                # A list is that of siblings; one of values looks the same.
                for part in item if isinstance(item, list) else [item]:
                    yield from self._element(self._number(name), part)

    def _element(self, number: int, item: Any) -> Iterator[list[Any]]:
        if isinstance(item, dict):
            yield [_NAMESPACE, number, {"constant": "XMLBEGIN"}]
            yield from self.elements(item)
            yield [_NAMESPACE, number, {"constant": "XMLEND"}]
        else:
            yield [_NAMESPACE, number, {"constant": "NOEXISTS"} if item is None else item]

    def _number(self, name: str) -> int:
        if name.startswith("tag<") and name[4:-1].isdecimal():
            return int(name[4:-1])
        if name not in self._numbers:
            self._numbers[name] = next(self._next)
        return self._numbers[name]
