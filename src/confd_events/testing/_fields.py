"""Parts that several notifications share, or that nest inside one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Optional, Union

from confd_events.enums import SnmpType

from ._terms import MAX_ATOM, Atom, Improper, Term, Terms, Text, text
from ._times import DateTime, Time
from .value import Ip, Oid, ip_term, of, oid_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OptionalText = Optional[Text]


@dataclass(frozen=True)
class User:
    """The user behind a notification (`uinfo`).

    `proto` is the number of the transport (2: SSH), `logintime` seconds since the epoch.
    """

    usid: int = 11
    username: Text = "admin"
    clearpass: Text = field(default="", repr=False)
    context: Text = "cli"
    proto: int = 2
    ip: Ip = "127.0.0.1"
    port: int = 0
    logintime: int = 1700000000
    snmp_v3_ctx: Text = ""
    flags: int = 0

    def term(self) -> Terms:
        """The tuple that stands for the user."""
        return (
            self.usid,
            text(self.username),
            text(self.clearpass),
            text(self.context),
            self.proto,
            ip_term(self.ip),
            self.port,
            self.logintime,
            text(self.snmp_v3_ctx),
            self.flags,
        )


class SnmpVariable(NamedTuple):
    """A varbind named after its object."""

    name: str
    value: Text
    vartype: int = SnmpType.OCTET_STRING

    def term(self) -> Terms:
        """The tuple that stands for the varbind."""
        return (1, self.vartype, Atom(self.name)), text(self.value)


class SnmpOid(NamedTuple):
    """A varbind named by its object identifier, numbers or dotted text."""

    oid: Oid
    value: Text
    vartype: int = SnmpType.OCTET_STRING

    def term(self) -> Terms:
        """The tuple that stands for the varbind."""
        return (2, self.vartype, oid_list(self.oid)), text(self.value)


class SnmpColumn(NamedTuple):
    """A varbind named by the column and the row of a table."""

    column: str
    rowindex: Oid
    value: Text
    vartype: int = SnmpType.OCTET_STRING

    def term(self) -> Terms:
        """The tuple that stands for the varbind."""
        return (3, self.vartype, oid_list(self.rowindex), Atom(self.column)), text(self.value)


Varbind = Union[SnmpVariable, SnmpOid, SnmpColumn]


def optional(value: OptionalText) -> bytes | None:
    """The bytes of a text that may be absent."""
    return None if value is None else text(value)


def texts(values: Sequence[Text]) -> list[bytes]:
    """The bytes of each text."""
    return [text(value) for value in values]


def typed_time(time: Time | None) -> Terms:
    """A typed date and time; None is the present."""
    return 19, (DateTime.now() if time is None else DateTime.of(time)).term()


def attribute_list(attributes: Mapping[Text, Text | int]) -> list[Term]:
    """Pairs of a name and a text or number."""
    return [
        (_attribute_name(name), value if isinstance(value, int) else text(value))
        for name, value in attributes.items()
    ]


def _attribute_name(name: Text) -> Term:
    """An atom, as most are; a binary for bytes and for what is no plain name."""
    plain = isinstance(name, str) and name.isascii() and len(name) <= MAX_ATOM
    return Atom(name) if plain else text(name)


def link_list(links: Sequence[tuple[Text, Text]]) -> list[Term]:
    """Pairs of a trace id and a span id."""
    return [(text(trace_id), text(span_id)) for trace_id, span_id in links]


def device_lists(*columns: Sequence[Text | Sequence[Text]]) -> list[Term]:
    """Rows made of columns of equal length: a text, or a list of texts, from each.

    Raises ValueError when the columns differ in length.
    """
    if len({len(column) for column in columns}) > 1:
        raise ValueError("lists that belong together differ in length")
    return [tuple(_text_or_texts(cell) for cell in row) for row in zip(*columns)]


def _text_or_texts(cell: Text | Sequence[Text]) -> Term:
    return text(cell) if isinstance(cell, (str, bytes)) else texts(cell)


class TagValue(NamedTuple):
    """One element of a stream event; `ns` and `tag` are hashes, `v` as `value.of` takes it."""

    ns: int
    tag: int
    v: object


def tag_value_term(element: tuple[int, int, object]) -> Terms:
    """The tuple that stands for one element of a stream event."""
    ns, tag, v = element
    return Improper((ns,), tag), of(v)
