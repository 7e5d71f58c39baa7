"""From Python values to the numbers that make up confd values.

Value() accepts what a Python program has at hand; these functions reduce it to the members of
the C structs. They raise ValueError or TypeError with a text that begins with what was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

TIMEZONE_UNDEF = -111

_ZONE = r"(?P<zone>Z|[+-]\d\d:?\d\d)?"
# A year as libconfd prints it: not padded.
_DATE = r"(?P<year>-?\d+)-(?P<month>\d\d)-(?P<day>\d\d)"
_TIME = r"(?P<hour>\d\d):(?P<min>\d\d)(:(?P<sec>\d\d)([.,](?P<fraction>\d{1,6})\d*)?)?"
_DATETIME_TEXT = re.compile(f"{_DATE}[Tt ]{_TIME}{_ZONE}", re.ASCII)
_DATE_TEXT = re.compile(f"{_DATE}{_ZONE}", re.ASCII)
_TIME_TEXT = re.compile(f"{_TIME}{_ZONE}", re.ASCII)
# The micros stand after the S, unpadded, where libconfd prints them.
_DURATION_TEXT = re.compile(
    r"P((?P<years>\d+)Y)?((?P<months>\d+)M)?((?P<days>\d+)D)?"
    r"(T((?P<hours>\d+)H)?((?P<mins>\d+)M)?((?P<secs>\d+)([.](?P<fraction>\d{1,6}))?S)?"
    r"([.](?P<micros>\d{1,6}))?)?",
    re.ASCII,
)


def _zone(offset: int | None) -> tuple[int, int]:
    """timezone and timezone_minutes of an offset in minutes east of UTC, or of none."""
    if offset is None:
        return TIMEZONE_UNDEF, 0
    hours, minutes = divmod(abs(offset), 60)
    # The minutes have a sign only where there are no hours to have it.
    if offset < 0:
        return (-hours, minutes) if hours else (0, -minutes)
    return hours, minutes


def _zone_of_text(text: str | None) -> tuple[int, int]:
    if text is None or re.fullmatch("-00:?00", text):  # RFC 3339: the zone is not known
        return _zone(None)
    if text == "Z":
        return _zone(0)
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    if int(text[-2:]) > 59:
        raise ValueError(f"{text} is no offset of hours and minutes")
    return _zone(-minutes if text[0] == "-" else minutes)


def _zone_of_offset(offset: timedelta | None) -> tuple[int, int]:
    if offset is None:
        return _zone(None)
    minutes, rest = divmod(offset, timedelta(minutes=1))
    if rest:
        raise ValueError(f"the zone's offset {offset} is not in whole minutes; convert it to UTC")
    return _zone(minutes)


def _match(pattern: re.Pattern[str], text: str, what: str) -> dict[str, str]:
    match = pattern.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not {what}")
    found = match.groupdict()
    # Not by items(): when memory runs out there, Python 3.11 crashes.
    return {name: found[name] for name in found if found[name] is not None}


def _micros(parts: dict[str, str]) -> int:
    return int(parts.get("fraction", "0").ljust(6, "0"))


def _clock(parts: dict[str, str]) -> tuple[int, int, int, int]:
    hour, minute, second = int(parts["hour"]), int(parts["min"]), int(parts.get("sec", 0))
    micros = _micros(parts)
    end_of_day = (hour, minute, second, micros) == (24, 0, 0, 0)
    if not end_of_day and (hour > 23 or minute > 59 or second > 60):
        raise ValueError(f"{hour:02}:{minute:02}:{second:02} is not a time of day")
    return hour, minute, second, micros


def _day(parts: dict[str, str]) -> tuple[int, int, int]:
    year, month, day = int(parts["year"]), int(parts["month"]), int(parts["day"])
    try:
        date(2000 + year % 400, month, day)  # years repeat after 400; date itself ends at 9999
    except ValueError as error:
        raise ValueError(f"{year}-{month:02}-{day:02} is not a day: {error}") from None
    return year, month, day


def datetime_parts(value: object) -> tuple[int, ...]:
    """Year to timezone_minutes, from a datetime or ISO 8601 text."""
    if isinstance(value, datetime):
        clock = (value.hour, value.minute, value.second, value.microsecond)
        return value.year, value.month, value.day, *clock, *_zone_of_offset(value.utcoffset())
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a DateTime, a datetime or ISO 8601 text")
    p = _match(_DATETIME_TEXT, value, "a date and time such as 2026-11-23T07:50:01+00:00")
    return *_day(p), *_clock(p), *_zone_of_text(p.get("zone"))


def date_parts(value: object) -> tuple[int, ...]:
    """Year to timezone_minutes, from a date or ISO 8601 text."""
    if isinstance(value, date):
        return value.year, value.month, value.day, *_zone(None)
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a date or ISO 8601 text")
    p = _match(_DATE_TEXT, value, "a date such as 2026-11-23Z")
    return *_day(p), *_zone_of_text(p.get("zone"))


def time_parts(value: object) -> tuple[int, ...]:
    """Hour to timezone_minutes, from a time or ISO 8601 text."""
    if isinstance(value, time):
        clock = (value.hour, value.minute, value.second, value.microsecond)
        return *clock, *_zone_of_offset(value.utcoffset())
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a time or ISO 8601 text")
    p = _match(_TIME_TEXT, value, "a time such as 07:50:01Z")
    return *_clock(p), *_zone_of_text(p.get("zone"))


def duration_parts(value: object) -> tuple[int, ...]:
    """Years to microseconds, from a timedelta or ISO 8601 text."""
    if isinstance(value, timedelta):
        if value < timedelta(0):
            raise ValueError(f"{value!r} is negative")
        hours, seconds = divmod(value.seconds, 3600)
        return 0, 0, value.days, hours, seconds // 60, seconds % 60, value.microseconds
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a timedelta or ISO 8601 text")
    p = _match(_DURATION_TEXT, value, "a duration such as P1DT2H")
    names = ("years", "months", "days", "hours", "mins", "secs")
    micros = int(p["micros"]) if "micros" in p else _micros(p)
    # Not by a generator: when memory runs out as it begins, Python 3.13 crashes.
    return *[int(p.get(name, 0)) for name in names], micros


def oid_parts(value: object) -> list[int]:
    """The numbers of an object identifier, from text such as 1.3.6 or a sequence."""
    if isinstance(value, str):
        if not re.fullmatch(r"\.?\d+(\.\d+)*", value, re.ASCII):
            raise ValueError(f"{value!r} is not an object identifier such as 1.3.6.1")
        return [int(number) for number in value.lstrip(".").split(".")]
    if not isinstance(value, Iterable) or isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"{value!r} is not text or a sequence of integers")
    return list(value)


def prefix_parts(value: object) -> tuple[str, int]:
    """Address and length, from text such as 10.0.0.0/8 or a pair."""
    if isinstance(value, tuple) and len(value) == 2:
        return str(value[0]), value[1]
    address, slash, length = str(value).partition("/")
    if not slash or not length.isdecimal():
        raise ValueError(f"{value!r} is not an address with a length such as 10.0.0.0/8")
    return address, int(length)


def check_prefix(address: bytes, length: int) -> None:
    """Raises ValueError when the address of a prefix has bits behind its length."""
    if int.from_bytes(address, "big") & ((1 << (8 * len(address) - length)) - 1):
        raise ValueError(
            f"init: the address has bits set behind its first {length}, so it is no prefix"
        )


def decimal64_parts(value: object) -> tuple[int, int]:
    """The number without its point and the digits behind the point."""
    if isinstance(value, tuple) and len(value) == 2:
        return value
    if not isinstance(value, (Decimal, str, int)):
        raise TypeError(f"{value!r} is not a Decimal, text, or (value, fraction_digits)")
    try:
        number = Decimal(value)
    except ArithmeticError:
        raise ValueError(f"{value!r} is not a decimal number such as 1.50") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    exponent: Any = number.as_tuple().exponent
    digits = max(1, -exponent)  # a decimal64 has at least one
    if digits > 18 or number.adjusted() > 18:
        raise OverflowError(f"{value!r} does not fit a decimal64, which has 19 digits")
    return int(number.scaleb(digits)), digits


def hex_octets(value: object) -> bytes:
    """The octets of a hex-string such as aa:bb."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not bytes or text such as aa:bb")
    return bytes.fromhex(value.replace(":", " "))


def quad_octets(value: object) -> bytes:
    """The four octets of a dotted quad such as 1.2.3.4."""
    numbers = oid_parts(value)
    if len(numbers) != 4 or [number for number in numbers if number not in range(256)]:
        raise ValueError(f"{value!r} is not a dotted quad such as 1.2.3.4")
    return bytes(numbers)
