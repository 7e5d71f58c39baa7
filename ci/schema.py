"""Write docs/record.schema.json, the JSON Schema of a forwarder's record, from the catalog."""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import IntFlag
from pathlib import Path
from typing import Any

from confd_events import enums
from confd_events.description.catalog import (
    HA_NODE,
    NOTIFICATIONS,
    PROGRESS_LINK,
    SNMP_VARBIND,
    USER_INFO,
    Field,
    Notification,
    Span,
    spread,
)
from confd_events.enums import label, notif
from confd_events.forward._role import ROLES
from confd_events.maapi._diff import _SIGNS as OPERATIONS

TARGET = Path(__file__).resolve().parents[1] / "docs" / "record.schema.json"

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
TIME: Schema = {"type": "string", "format": "date-time"}
TRANSACTION: Schema = {"type": "object", "properties": {"th": INTEGER}, "required": ["th"]}
ATTRIBUTES: Schema = {"type": "object", "additionalProperties": {"type": ["string", "integer"]}}
# A leap second has no date-time, nor what is in no time zone.
TYPES: dict[str, Schema] = {
    "int": INTEGER,
    "str": TEXT,
    "list[str]": {"type": "array", "items": TEXT},
    "list[int]": {"type": "array", "items": INTEGER},
    "dict[str, str | int]": ATTRIBUTES,
    "DateTime": TEXT,
    "TransCtxRef": TRANSACTION,
    "Value": {},
    "list[Value]": {"type": "array"},
    "list[TagValue]": {"type": "object"},
}
# What happens to the way itself, by name.
MARKERS: dict[str, dict[str, Schema]] = {
    "started": {"last": {"type": ["string", "null"], "format": "date-time"}},
    "disconnected": {"error": TEXT},
    "connected": {"attempts": INTEGER, "gap": {"type": "number", "description": "seconds"}},
    "dropped": {"count": INTEGER},
    "undecodable": {"error": TEXT},
}
CHANGES: Schema = {
    "changes": {
        "type": "array",
        "description": "what the commit changes, where the node has changes = true",
        "items": {
            "type": "object",
            "properties": {
                "operation": {"enum": list(OPERATIONS)},
                "path": TEXT,
                "new": {},
                "old": {},
                "after": {"type": "array"},
                "attribute": {},
            },
            "required": ["operation", "path"],
        },
    },
    "changes_incomplete": {"type": "string", "description": "why some are missing"},
}


def value_of(field: Field) -> Schema:
    """What a key's value is."""
    if field.epoch:  # a number where no date-time has the time
        return {"type": ["string", "integer"], "format": "date-time"}
    return TYPES[field.type]


def properties(fields: Iterable[Field]) -> Schema:
    """The keys that there may be."""
    found: Schema = {}
    for field in spread(fields):
        about = {"description": field.doc} if field.doc and not field.epoch else {}
        for key in filter(None, (field.key, field.also)):
            found[key] = {**value_of(field), **about}
            if field.enum:
                found[f"{key}_name"] = names_of(field.enum)
    return found


def names_of(enum: str) -> Schema:
    """The names that a number of an enumeration may have."""
    members = getattr(enums, enum)
    return TEXT if issubclass(members, IntFlag) else {"enum": [label(each) for each in members]}


def required(fields: Iterable[Field]) -> list[str]:
    """The keys that are there whatever the release."""
    always = [field for field in fields if field.when is None and field.span == Span()]
    return [field.key for field in spread(always) if not field.optional]


def parts(fields: Iterable[Field]) -> Schema:
    """An object, of which an attribute that has no value is not there."""
    return {"type": "object", "properties": properties(fields)}


TYPES["UserInfo"], TYPES["HaNode"] = parts(USER_INFO), parts(HA_NODE)
TYPES["list[SnmpVarbind]"] = {"type": "array", "items": parts(SNMP_VARBIND)}
TYPES["list[ProgressLink]"] = {"type": "array", "items": parts(PROGRESS_LINK)}


def data_of(number: int, name: str | None, more: Schema, needed: list[str], doc: str) -> Schema:
    """The data of one kind of record."""
    shared = {"read_at": TIME, "type": {"const": number}, "type_name": {"const": name}}
    return {
        "description": doc,
        "type": "object",
        "properties": {**shared, **more},
        "required": [*shared, *needed],
    }


def kind(notification: Notification) -> Schema:
    """The data of a notification."""
    bit, member, fields = notif(notification.name), notification.member, notification.fields
    payload: Schema = {}
    if member:
        payload = {member: {**parts(fields), "required": required(fields)}}
    more = CHANGES if bit == enums.Notif.COMMIT_DIFF else {}
    needed = [member] if member else []
    return data_of(int(bit), label(bit), {**payload, **more}, needed, notification.doc)


def marker(name: str, payload: dict[str, Schema]) -> Schema:
    """The data of what happened to the way itself."""
    inner = {"type": "object", "properties": payload, "required": list(payload)}
    return data_of(0, name, {name: inner}, [name], "See docs/forward.md, Records.")


def kinds() -> dict[str, Schema]:
    """The data of each kind of record, by its name."""
    of_notifications = {label(notif(each.name)): kind(each) for each in NOTIFICATIONS}
    other = data_of(0, None, {}, [], "Of a notification that this release does not know.")
    other["properties"]["type"] = INTEGER
    of_notifications["other"] = other
    return {**of_notifications, **{name: marker(name, each) for name, each in MARKERS.items()}}


def schema() -> Schema:
    """The whole."""
    known = kinds()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A record of confd-events forward",
        "description": "CloudEvents 1.0. Written by ci/schema.py; see docs/forward.md. A later "
        "release of the daemon may add keys, and kinds of data. `fields` and `omit` of a sink "
        "leave out what is required here.",
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": TEXT,
            "source": {"type": "string", "pattern": "^//(nso|confd)/"},
            "type": {"type": "string", "pattern": r"^(nso|confd)\."},
            "subject": {"type": "string", "description": "the stream"},
            "time": TIME,
            "datacontenttype": {"const": "application/json"},
            "traceparent": {"type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$"},
            "harole": {"enum": list(ROLES)},
            "data": {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in known]},
        },
        "required": "specversion id source type time datacontenttype data".split(),
        "$defs": known,
    }


def text() -> str:
    """The file."""
    return json.dumps(schema(), indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
