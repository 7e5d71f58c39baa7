"""Recordings: what `confd-events record`, `monitor --json` and the forwarder write."""

from __future__ import annotations

import base64
import binascii
import json
import socket
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from threading import Thread
from types import TracebackType
from typing import Any, Callable

from .._events import read_notification
from .._written import zoned
from ..error import Error
from ._span import Link

Told = Callable[[Mapping[str, Any]], object]
"""What is given the payloads of other notifications."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PROGRESS = ("progress", "commit-progress")
_AT_ONCE = 16_384  # bytes that a socket takes without somebody who reads


def read_recording(lines: Iterable[str], *, others: Told | None = None) -> Iterator[dict[str, Any]]:
    """The progress notifications of a recording, as payloads.

    lines -- of `confd-events record`, of `monitor --json`, or the forwarder's records; such as an
        open text file
    others -- is called with the payload of each other notification, in its place

    What record has written is read by libconfd. A payload without a timestamp, as daemons before
    API level 7.7 send it, gets the time at which it was read.

    Raises ValueError, which names the line, for what is none of that.
    """
    return (each for each in recorded(lines, others) if each is not None)


def recorded(lines: Iterable[str], others: Told | None = None) -> Iterator[dict[str, Any] | None]:
    """As read_recording(); None for a blank line."""
    with _Frames() as frames:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                yield None
                continue
            try:
                name, payload = _notification(json.loads(line), frames, others is not None)
                if name in _PROGRESS and payload:
                    yield _progress(payload)
                elif payload and others is not None:
                    others(payload)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise ValueError(f"line {number}: {_problem(error)}") from error


def _problem(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error}"
    return str(error) if type(error) is ValueError else "not a line of a recording"


def _notification(
    line: dict[str, Any], frames: _Frames, every: bool
) -> tuple[str, dict[str, Any] | None]:
    """The name of a notification and its payload; None for what is not asked for, or none."""
    if "specversion" in line:
        line = line["data"]
    if "frame" in line:
        name = line["notification"]
        wanted = every or name in _PROGRESS
        payload = frames.payload(line["frame"]) if wanted else None
    elif "type_name" in line:
        name = line["type_name"] or ""
        payload = next((dict(part) for part in line.values() if isinstance(part, dict)), None)
    elif "recording" in line:
        return "", None
    else:
        raise ValueError("not a line of a recording")
    if payload is not None and payload.get("timestamp") is None:
        payload["timestamp"] = line.get("at") or line["read_at"]
    return name, payload


def progress_of(line: Mapping[str, Any]) -> dict[str, Any] | None:
    """The payload of a progress notification, as Event.to_dict() has it; None for another."""
    if line["type_name"] not in _PROGRESS:
        return None
    payload = next((dict(part) for part in line.values() if isinstance(part, dict)), {})
    payload.setdefault("timestamp", line["read_at"])
    return _progress(payload)


def _progress(payload: dict[str, Any]) -> dict[str, Any]:
    """As read_notification() has it."""
    time = payload["timestamp"]
    if isinstance(time, str):
        payload["timestamp"] = (zoned(time) - _EPOCH) // timedelta(microseconds=1)
    links = payload.get("links")
    if links:
        payload["links"] = [
            Link(each["trace_id"], each["span_id"]) if isinstance(each, dict) else each
            for each in links
        ]
    return payload


class _Frames:
    """Has libconfd decode frames, as if a daemon had sent them."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()

    def __enter__(self) -> _Frames:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._ours.close()
        self._theirs.close()

    def payload(self, written: str) -> dict[str, Any] | None:
        """The payload of a frame in base64; None when there is none. ValueError for no frame."""
        try:
            frame = base64.b64decode(written, validate=True)
        except (TypeError, binascii.Error) as error:
            raise ValueError("frame: not base64") from error
        if len(frame) < 5 or int.from_bytes(frame[:4], "big") != len(frame) - 4:
            raise ValueError("frame: its length is another than it says")
        try:
            raw = self._read(frame)
        except Error as error:
            # What is left of the frame would be taken for the next.
            self._close()
            self._ours, self._theirs = socket.socketpair()
            raise ValueError(f"frame: the libconfd in use does not read it: {error}") from error
        return next((dict(part) for part in raw.values() if isinstance(part, dict)), None)

    def _read(self, frame: bytes) -> Mapping[str, Any]:
        if len(frame) <= _AT_ONCE:
            self._theirs.sendall(frame)
            return read_notification(self._ours)
        writer = Thread(target=self._theirs.sendall, args=(frame,), daemon=True)
        writer.start()
        raw = read_notification(self._ours)
        writer.join()
        return raw
