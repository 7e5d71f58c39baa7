"""Lengths of time, sizes and times as people write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from datetime import time as time_of_day

_SECONDS = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1,
    "m": 60,
    "min": 60,
    "h": 3600,
    "d": 86400,
    "w": 7 * 86400,
}
_BYTES = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)\s*")
_OFFSET = re.compile(r"(?:now)?\s*([+-])\s*(.+)")
_TIME_OF_DAY = re.compile(r"\d\d:\d\d(:\d\d)?")
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_CENTURY = 100 * 365 * 86400.0


def length_of_time(text: str) -> float:
    """Seconds from text such as 90, 500ms, 1.5s, 2m or 1h30m; ValueError for other text."""
    seconds = _sum_of(text, {"": 1.0, **_SECONDS})
    if seconds is None or not 0 < seconds <= _CENTURY:
        raise ValueError(f"{text!r} is not a length of time above 0, such as 90, 1.5s, 2m or 1d")
    return seconds


def size(text: str) -> int:
    """Bytes from text such as 4096, 500k or 100M; ValueError for other text."""
    units = {unit + end: factor for unit, factor in _BYTES.items() for end in ("", "b")}
    found = _sum_of(text, units)
    if found is None or not 1 <= found < 2**63:
        raise ValueError(f"{text!r} is not a size of 1 byte or more, such as 500k, 100M or 2G")
    return int(found)


def _sum_of(text: str, units: dict[str, float] | dict[str, int]) -> float | None:
    """The sum of numbers with units, or None for text that is none."""
    at, total, lowered = 0, 0.0, text.strip().lower()
    while at < len(lowered):
        part = _PART.match(lowered, at)
        if part is None or part[2] not in units:
            return None
        total += float(part[1]) * units[part[2]]
        at = part.end()
    return total if at else None


def zoned(text: str) -> datetime:
    """A time with its zone from ISO 8601 text; ValueError for other text."""
    found = _iso(text)
    if found.utcoffset() is None:
        raise ValueError(f"{text!r} has no time zone; add Z or an offset such as +02:00")
    return found


def time_of(text: str) -> datetime:
    """A time as people write it, local where it has no zone; ValueError for other text.

    text -- ISO 8601, a date alone, a time of today; now, today, yesterday, tomorrow; or relative
        to now, such as -1h or now-30m
    """
    now = datetime.now().astimezone()
    offset = _OFFSET.fullmatch(text.strip().lower())
    if text.strip().lower() == "now":
        return now
    try:
        if offset is not None:
            length = timedelta(seconds=length_of_time(offset[2]))
            return now + length if offset[1] == "+" else now - length
        return _absolute(text.strip(), now).astimezone()
    except (ValueError, OverflowError):
        examples = "2026-01-31, 2026-01-31T12:00:00Z, 12:30, yesterday, -1h or now-30m"
        raise ValueError(f"{text!r} is not a time, such as {examples}") from None


def _absolute(text: str, now: datetime) -> datetime:
    if text.lower() in _DAYS:
        day = now.date() + timedelta(days=_DAYS[text.lower()])
        return datetime.combine(day, time_of_day())
    if _TIME_OF_DAY.fullmatch(text):
        return datetime.combine(now.date(), time_of_day.fromisoformat(text))
    return _iso(text)


def _iso(text: str) -> datetime:
    # Python before 3.11 does not read the Z.
    return datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in ("Z", "z") else text)
