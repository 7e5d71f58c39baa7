"""Values of stream events and HA node ids, as the daemon types them.

Plain Python values have a type of their own: str and bytes are BUF, int is INT32, float DOUBLE,
bool BOOL, an `ipaddress` address IPV4 or IPV6, an aware datetime DATETIME, a list LIST. The
functions here make the others, such as ``uint8(3)``.
"""

from __future__ import annotations

import datetime as _dt
import struct
from collections.abc import Sequence
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface
from typing import Callable, NamedTuple, Union

from ._terms import Atom, Term, Terms, Text, text
from ._times import DateTime, Time, zone_term

Ip = Union[str, IPv4Address, IPv6Address]
Oid = Union[str, Sequence[int]]


class Typed(NamedTuple):
    """A value together with the number of its type, as it crosses the socket."""

    type: int
    term: Term


XMLBEGIN = Atom("start")
XMLEND = Atom("stop")
DEFAULT = Atom("default")
NOEXISTS = Atom("not_found")


def of(value: object) -> Term:
    """The term of a Python value or of one made here; other tuples and atoms are sent as is.

    Raises OverflowError for an int beyond 32 bits, TypeError for what has no type of its own.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _checked(value, 32, signed=True)
    if isinstance(value, (IPv4Address, IPv6Address)):
        return ip_term(value)
    if isinstance(value, _dt.datetime):
        return datetime(value)
    if isinstance(value, list):
        return [of(element) for element in value]
    if isinstance(value, (str, bytes, float, tuple)):
        return value
    raise TypeError(f"no value for a {type(value).__name__}")


def ip_term(address: Ip) -> Terms:
    """An address as 4 bytes or 8 words; ValueError for text that is no address."""
    address = ip_address(address)
    return struct.unpack(">4B" if address.version == 4 else ">8H", address.packed)


def oid_list(oid: Oid) -> list[int]:
    """An object identifier as numbers, from them or from dotted text."""
    return [int(part) for part in (oid.split(".") if isinstance(oid, str) else oid)]


def _checked(value: int, bits: int, signed: bool) -> int:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if not low <= value <= high:
        raise OverflowError(f"{value} is outside {low} to {high}")
    return int(value)


def _integer(number: int, bits: int, signed: bool) -> Callable[[int], Typed]:
    def make(value: int) -> Typed:
        return Typed(number, _checked(value, bits, signed))

    make.__doc__ = f"A{' signed' if signed else 'n unsigned'} integer of {bits} bits."
    return make


int8 = _integer(6, 8, signed=True)
int16 = _integer(7, 16, signed=True)
int64 = _integer(9, 64, signed=True)
uint8 = _integer(10, 8, signed=False)
uint16 = _integer(11, 16, signed=False)
uint32 = _integer(12, 32, signed=False)
uint64 = _integer(13, 64, signed=False)
enum = _integer(28, 32, signed=True)
bit32 = _integer(29, 32, signed=False)
bit64 = _integer(30, 64, signed=False)


def datetime(time: Time) -> Typed:
    """A date and time, from an aware datetime or nine numbers (see `DateTime`)."""
    return Typed(19, DateTime.of(time).term())


def date(year: int, month: int, day: int, zone: int = 0, zone_minutes: int = 0) -> Typed:
    """A date; the zone's offset as in `DateTime`: -05:30 is (-5, 30), -111 is none."""
    return Typed(20, (year, month, day, *zone_term(zone, zone_minutes)))


def time(
    hour: int, minute: int, second: int, micro: int = 0, zone: int = 0, zone_minutes: int = 0
) -> Typed:
    """A time of day; the zone's offset as for `date`."""
    return Typed(23, (hour, minute, second, micro, *zone_term(zone, zone_minutes)))


def duration(
    years: int = 0,
    months: int = 0,
    days: int = 0,
    hours: int = 0,
    minutes: int = 0,
    seconds: int = 0,
    micros: int = 0,
) -> Typed:
    """A length of time."""
    return Typed(27, (years, months, days, hours, minutes, seconds, micros))


def oid(oid: Oid) -> Typed:
    """An object identifier, from numbers or dotted text."""
    words = oid_list(oid)
    return Typed(38, struct.pack(f">{len(words)}I", *words))


def binary(data: bytes) -> Typed:
    """Bytes of YANG type binary."""
    return Typed(39, data)


def hexstr(data: bytes) -> Typed:
    """Bytes of type hex-string."""
    return Typed(47, data)


def bitbig(data: bytes) -> Typed:
    """More than 64 bits, little-endian."""
    return Typed(50, data)


def dquad(quad: str) -> Typed:
    """A dotted quad such as ``"1.2.3.4"``."""
    return Typed(46, IPv4Address(quad).packed)


def prefix(network: str) -> Typed:
    """An IPv4 or IPv6 prefix such as ``"10.0.0.0/8"``."""
    return _with_length(network, {4: 40, 6: 41})


def address_and_length(interface: str) -> Typed:
    """An IPv4 or IPv6 address with its prefix length, such as ``"10.0.0.1/8"``."""
    return _with_length(interface, {4: 48, 6: 49})


def decimal64(number: Decimal | str) -> Typed:
    """A decimal number; its fraction digits are those written: ``decimal64("1.50")`` has 2."""
    sign, digits, exponent = Decimal(number).as_tuple()
    if not isinstance(exponent, int) or exponent > 0:
        raise ValueError(f"not a plain decimal number: {number}")
    magnitude = int("".join(map(str, digits)))
    return Typed(43, (_checked(-magnitude if sign else magnitude, 64, signed=True), -exponent))


def identityref(ns: int, tag: int) -> Typed:
    """An identity, by the hashes of its namespace and its name."""
    return Typed(44, (ns, tag))


def _with_length(address: str, types: dict[int, int]) -> Typed:
    interface = ip_interface(address)
    return Typed(types[interface.version], (ip_term(interface.ip), interface.network.prefixlen))


def text_or_ip(address: Text | IPv4Address | IPv6Address) -> Term:
    """An address where text is one, else the text itself."""
    try:
        return address if isinstance(address, bytes) else ip_term(address)
    except ValueError:
        return text(str(address))
