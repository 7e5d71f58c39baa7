"""Records: events in an envelope of CloudEvents 1.0, as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from .._events import library
from .._render import to_json
from ..description.catalog import NOTIFICATIONS
from ..enums import notif
from ..subscription import Connected, Event
from ..traces._ids import span_id_of, trace_id_of

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d", re.ASCII)
_DECODER = json.JSONDecoder()
# The key that says when it happened, of each notification that has one.
_TIMES = {
    int(notif(notification.name)): field.key
    for notification in NOTIFICATIONS
    for field in notification.fields
    if field.epoch or field.type == "DateTime"
}


# Those that may belong to a trace.
_TRACED = {
    int(notif(notification.name))
    for notification in NOTIFICATIONS
    if {"trace_id", "span_id"} <= {field.key for field in notification.fields}
}


class Record(NamedTuple):
    """A record, as the spool has it."""

    number: int
    """Its place in the spool's order."""
    json: str
    """The envelope, one line of ASCII."""

    def envelope(self) -> dict[str, Any]:
        """The envelope, parsed. Raises RecursionError for one that is too deep for that."""
        envelope: dict[str, Any] = json.loads(self.json)
        return envelope

    def attributes(self) -> dict[str, str]:
        """What the envelope says beside its data, which comes last, is long, and may be deep."""
        # Within a string there is no quote without a backslash before it.
        end = self.json.index('"data":')
        attributes: dict[str, str] = _DECODER.raw_decode(self.json[:end].rstrip(", ") + "}")[0]
        return attributes


class Envelopes:
    """Puts the events of one node into envelopes, with ids that are never used again."""

    def __init__(self, node: str, boot: str, stream: str | None = None) -> None:
        """boot -- what no other run of a forwarder has had; stream -- of which the events are"""
        product = "nso" if library()["product"] == "NCS" else "confd"
        run = f"{node}/{boot}" if stream is None else f"{node}/{stream}/{boot}"
        source = json.dumps(f"//{product}/{node}")
        subject = f'"subject": {json.dumps(stream)}, ' if stream else ""
        self._id = f'{{"specversion": "1.0", "id": "{json.dumps(run)[1:-1]}/'
        self._type = f'", "source": {source}, "type": "{product}.'
        self._time = f'", {subject}"time": "'
        self._end = '", "datacontenttype": "application/json", '
        self._connection = 1
        self._number = 0
        self.role: str | None = None
        """The role of the node in its high availability cluster; None while it is not known."""

    def of(self, event: Event, **more: Any) -> str:
        """The record of an event, as JSON, and what more there is of it; a password is masked."""
        if isinstance(event, Connected):
            self._connection, self._number = self._connection + 1, 0
        data = event.to_dict()
        if more:
            data.update(more)
        return self._written(data)

    def own(self, name: str, **payload: Any) -> str:
        """The record of something that happened to the forwarder itself, as JSON."""
        now = datetime.now(timezone.utc).isoformat()
        return self._written({"read_at": now, "type": 0, "type_name": name, name: payload})

    def _written(self, data: dict[str, Any]) -> str:
        self._number += 1
        bit = data["type"]
        # Not by a dict: it would take as long again as the data.
        return (
            f"{self._id}{self._connection}/{self._number}"
            f"{self._type}{data['type_name'] or bit}"
            f"{self._time}{_time(data) if bit in _TIMES else data['read_at']}"
            f"{self._end}{_trace_context(data) if bit in _TRACED else ''}{self._role()}"
            f'"data": {to_json(data)}}}'
        )

    def _role(self) -> str:
        return f'"harole": {json.dumps(self.role)}, ' if self.role else ""


def payload_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The payload in what to_dict() returned; empty when there is none."""
    return next((part for part in data.values() if isinstance(part, dict)), {})


def _time(data: Mapping[str, Any]) -> str:
    """When it happened; when it was read, if it does not say so, or not in which zone."""
    time = payload_of(data).get(_TIMES[data["type"]])
    is_whole = isinstance(time, str) and _RFC_3339.fullmatch(time)
    return str(time if is_whole else data["read_at"])


def _trace_context(data: Mapping[str, Any]) -> str:
    """CloudEvents' extension for distributed tracing, of an event within a span."""
    payload = payload_of(data)
    trace, span = payload.get("trace_id"), payload.get("span_id")
    if not trace or not span:
        return ""
    return f'"traceparent": "00-{trace_id_of(trace)}-{span_id_of(span)}-01", '
