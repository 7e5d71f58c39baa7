"""NSO's own progress trace files, as comma-separated values, of NSO 4.7 and later."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Callable

from ..enums import Database, ProgressType, label
from ._span import Link

_NONE = "not a progress trace: no columns TIMESTAMP and MESSAGE"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TYPES = {label(member): int(member) for member in ProgressType}
_DATASTORES = {label(member): int(member) for member in Database}


def read_csv(lines: Iterable[str], *, zone: tzinfo | None = None) -> Iterator[dict[str, Any]]:
    """The events of a progress trace file, as payloads of progress notifications.

    lines -- its lines, such as an open text file
    zone -- the time zone of its times, which do not say it; None for the zone of this machine

    The columns are found by their names, so that files of every release are read; a column that
    is not known is left out. A line with the names may come again, as where files were put one
    after another.

    Raises ValueError, which names the line, for a file that is none, and for a value that is wrong.
    """
    return (each for each in rows_of(lines, zone) if each is not None)


def rows_of(lines: Iterable[str], zone: tzinfo | None) -> Iterator[dict[str, Any] | None]:
    """As read_csv(); None for a blank line."""
    rows = csv.reader(lines)
    columns: list[str | None] = []
    last: dict[str, Any] | None = None
    while True:
        try:
            row = next(rows)
            if not row or _names_columns(row) or not columns:
                if last is not None:
                    yield last
                last = None
                if not row:
                    yield None
                else:
                    columns = _columns(row)
                continue
            cells = {name: cell for name, cell in zip(columns, row) if name and cell}
            if "timestamp" in cells:
                if last is not None:
                    yield last
                last = _payload(cells, zone)
            elif last is not None:
                _add_further(last, cells)
        except StopIteration:
            break
        except (ValueError, csv.Error) as error:
            raise ValueError(f"line {rows.line_num}: {error}") from None
    if not columns:
        raise ValueError(f"line 1: {_NONE}")
    if last is not None:
        yield last


def _names_columns(row: list[str]) -> bool:
    return "TIMESTAMP" in row and "MESSAGE" in row


def _columns(row: list[str]) -> list[str | None]:
    """The keys of the columns that a line names; None for one that is not known."""
    columns = [_COLUMNS.get(name.strip().upper()) for name in row]
    if "timestamp" not in columns or "msg" not in columns:
        raise ValueError(_NONE)
    return columns


def _payload(cells: dict[str, str], zone: tzinfo | None) -> dict[str, Any]:
    payload: dict[str, Any] = {}
    for name, cell in cells.items():
        convert = _CONVERSIONS.get(name)
        if convert is not None:
            payload[name] = convert(cell)
        elif name not in _FURTHER:
            payload[name] = cell
    payload["timestamp"] = _microseconds(cells["timestamp"], zone)
    _add_further(payload, cells)
    return payload


def _add_further(payload: dict[str, Any], cells: dict[str, str]) -> None:
    """Attributes and links after the first stand on lines of their own, with nothing else."""
    if "attribute_name" in cells:
        attributes = payload.setdefault("attributes", {})
        attributes[cells["attribute_name"]] = cells.get("attribute_value", "")
    if "link_trace_id" in cells and "link_span_id" in cells:
        link = Link(cells["link_trace_id"], cells["link_span_id"])
        payload.setdefault("links", []).append(link)


def _microseconds(text: str, zone: tzinfo | None) -> int:
    try:
        # Python before 3.11 reads no Z, and fractions of 3 or 6 digits alone.
        time = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time") from None
    if time.tzinfo is None:
        time = time.replace(tzinfo=zone) if zone is not None else time.astimezone()
    since = time - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _length(text: str) -> int:
    try:
        return int(Decimal(text) * 1_000_000)
    except (InvalidOperation, OverflowError):
        raise ValueError(f"{text!r} is not a length of time in seconds") from None


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None


def _type(text: str) -> int:
    try:
        return _TYPES[text.lower()]
    except KeyError:
        raise ValueError(f"{text!r} is none of {', '.join(_TYPES)}") from None


_COLUMNS = {
    "EVENT TYPE": "type",
    "TIMESTAMP": "timestamp",
    "DURATION": "duration",
    "TRACE ID": "trace_id",
    "SPAN ID": "span_id",
    "PARENT SPAN ID": "parent_span_id",
    "SESSION ID": "usid",
    "TRANSACTION ID": "tid",
    "TID": "tid",
    "DATASTORE": "datastore",
    "CONTEXT": "context",
    "SUBSYSTEM": "subsystem",
    "PHASE": "phase",
    "SERVICE": "service",
    "SERVICE PHASE": "service_phase",
    "COMMIT QUEUE ID": "commit_queue_id",
    "NODE": "node",
    "DEVICE": "device",
    "DEVICE PHASE": "device_phase",
    "PACKAGE": "package",
    "MESSAGE": "msg",
    "ANNOTATION": "annotation",
    "ATTRIBUTE NAME": "attribute_name",
    "ATTRIBUTE VALUE": "attribute_value",
    "LINK TRACE ID": "link_trace_id",
    "LINK SPAN ID": "link_span_id",
}
_FURTHER = {"attribute_name", "attribute_value", "link_trace_id", "link_span_id"}
_CONVERSIONS: dict[str, Callable[[str], Any]] = {
    "type": _type,
    "duration": _length,
    "usid": _number,
    "tid": _number,
    "commit_queue_id": _number,
    "datastore": lambda text: _DATASTORES.get(text, text),
}
