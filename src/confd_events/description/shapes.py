"""The shape of each notification's term, described once, as far as libconfd depends on it.

libconfd does not check the terms that it decodes: where it expects a tuple it takes the bytes of
anything for one. The build writes these shapes as tables for the check in terms.h, which looks at a
frame before the library gets it; the tests hold the simulated daemon and the stub against them.

They are as lenient as the library was seen to be, where a daemon may use it: a text may be an
atom, a list of small numbers a string, and tuples may have further elements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .catalog import Span

ARITY, KIND = "arity", "kind"
"""What may choose a shape, besides the number of an element: how many elements a tuple has, and the
kind of its first."""


class Shape(NamedTuple):
    """What a term may be. Other shapes are called by name."""

    what: str
    """For people: "expected ..." """
    kinds: str
    """Of integer, float, atom, binary, tuple, nil, string, list."""
    elements: str = ""
    """The shapes of a tuple's first elements, all of which must be there."""
    rest: str = "any"
    """The shape of further elements."""
    items: str = "any"
    """The shape of a list's elements."""
    fewest: int | None = None
    """Elements of a tuple or list, or bytes of a binary; default for a tuple: all described."""
    most: int | str = 0
    """0: no limit; or C of libconfd's headers."""
    range: str = "uint64"
    """Which integers fit: uint64 (all of 64 bits), int64, int32, or word (int32 and uint32)."""
    counted: bool = False
    """A list of as many elements as the integer before it says."""
    tag: bool | None = False
    """A list of one integer whose tail is one too: None if it may be, True if it must be that."""
    choose: str | int | None = None
    """ARITY, KIND, or the element of a tuple whose number tells it apart."""
    choices: Mapping[Any, str] = {}
    """The shape for each. Another number or kind means this shape; another arity is wrong."""
    only: bool = False
    """Whether another number is wrong, too."""


def _tuple(elements: str, **more: object) -> Shape:
    return Shape("a tuple", "tuple", elements, **more)  # type: ignore[arg-type]


def _list(items: str, **more: object) -> Shape:
    return Shape("a list", "nil string list", items=items, **more)  # type: ignore[arg-type]


_ADDRESS = {4: "ip4", 8: "ip6"}

# The second element of {Type, Content}, for each type of value that has that form.
_TYPED: dict[int, str] = {
    **dict.fromkeys((*range(6, 14), 28, 29, 30), "int"),
    9: "int64",
    18: "pair_of_texts",
    19: "datetime",
    20: "date",
    23: "time",
    27: "duration",
    34: "path",
    38: "oid_bytes",
    **dict.fromkeys((39, 47, 50), "bytes"),
    **dict.fromkeys((40, 48), "prefix4"),
    **dict.fromkeys((41, 49), "prefix6"),
    43: "decimal",
    44: "identity",
    46: "quad",
}

SHAPES: dict[str, Shape] = {
    "any": Shape("a term", "integer float atom binary tuple nil string list"),
    "int": Shape("an integer", "integer"),
    "word": Shape("an integer of 32 bits", "integer", range="word"),
    "int32": Shape("an integer of 32 bits", "integer", range="int32"),
    "int64": Shape("an integer of 64 bits", "integer", range="int64"),
    "text": Shape("a text", "binary atom"),
    "bytes": Shape("a binary", "binary"),
    "int_or_atom": Shape("an integer or an atom", "integer atom"),
    "int_or_text": Shape("an integer or a text", "integer binary atom"),
    "zone": Shape("hours or the empty list", "integer nil"),
    # Addresses and times
    "ip": Shape("an address", "tuple", choose=ARITY, choices=_ADDRESS),
    "ip4": _tuple("int int int int", most=4),
    "ip6": _tuple("int int int int int int int int", most=8),
    "datetime": _tuple("int int int int int int int zone int"),
    "date": _tuple("int int int zone int"),
    "time": _tuple("int int int int zone int"),
    "duration": _tuple("int int int int int int int"),
    "stamp": _tuple("int any", most=2, choose=0, choices={19: "stamp_19"}, only=True),
    "stamp_19": _tuple("int datetime", most=2),
    # Values
    "value": Shape(
        "a value",
        "integer float atom binary tuple nil string list",
        items="value",
        tag=None,
        range="int32",
        choose=ARITY,
        choices={2: "typed", **_ADDRESS},
    ),
    # Of other types libconfd frees what it has never allocated.
    "typed": _tuple(
        "int any",
        only=True,
        choose=0,
        choices={number: f"typed_{what}" for number, what in _TYPED.items()},
    ),
    **{f"typed_{what}": _tuple(f"int {what}", most=2) for what in dict.fromkeys(_TYPED.values())},
    "pair_of_texts": _tuple("text text"),
    "decimal": _tuple("int64 int"),
    "identity": _tuple("int int"),
    "prefix4": _tuple("ip4 int"),
    "prefix6": _tuple("ip6 int"),
    "quad": Shape("a binary of 4 bytes", "binary", fewest=4),
    "oid_bytes": Shape("a binary of 128 numbers at most", "binary", most=4 * 128 + 3),
    "path": _list("step", most="MAXDEPTH - 1"),
    "step": Shape(
        "a tag or keys",
        "integer tuple list",
        items="word",
        rest="value",
        most="MAXKEYLEN",
        range="word",
        tag=True,
    ),
    "tag": Shape("a tag", "list", items="word", tag=True),
    "values": _list("tag_value"),
    "tag_value": _tuple("tag value"),
    # Parts of notifications
    "uinfo": _tuple("int text text text int ip int int text int"),
    "names": _list("bytes"),
    "devices": _list("value"),
    "failed_devices": _list("failed_device"),
    "failed_device": _tuple("bytes bytes"),
    "services": _list("service"),
    "service": _tuple("bytes devices"),
    "failed_services": _list("failed_service"),
    "failed_service": _tuple("bytes devices devices"),
    "attributes": _list("attribute"),
    "attribute": _tuple("text int_or_text"),
    "links": _list("link"),
    "link": _tuple("text text"),
    # Of other types 8.0.4 reports an end of the connection.
    "ha": _tuple(
        "int int",
        only=True,
        choose=0,
        choices={
            **dict.fromkeys((1, 4, 7), "ha_number"),
            **dict.fromkeys((2, 3), "ha_node"),
            **dict.fromkeys((5, 6), "ha_state"),
        },
    ),
    "ha_number": _tuple("int int"),
    "ha_node": _tuple("int node"),
    "ha_state": _tuple("int any"),
    "node": _tuple("value peer"),
    "peer": Shape("an address or a text", "atom binary tuple", choose=ARITY, choices=_ADDRESS),
    "subagent": _tuple("int text"),
    "oid": _list("int", most=128),
    "pdu": _tuple("int int ip int int int int varbinds", choose=0, choices={1: "trap"}),
    "trap": _tuple("int int ip int int int int varbinds any oid"),
    "varbinds": _list("varbind", counted=True),
    "varbind": _tuple("variable any"),
    "variable": _tuple(
        "int int any",
        only=True,
        choose=0,
        choices={1: "variable_name", 2: "variable_oid", 3: "variable_column"},
    ),
    "variable_name": _tuple("int int text"),
    "variable_oid": _tuple("int int oid"),
    "variable_column": _tuple("int int oid text"),
    "stream": Shape(
        "an event",
        "atom tuple",
        "any any",
        only=True,
        choose=KIND,
        choices={"atom": "replay_failed", "tuple": "event"},
    ),
    "replay_failed": _tuple("any text"),
    "event": _tuple("stamp values"),
    "audit_network": _tuple("int int text text text text"),
    "progress_82": _tuple(
        "int int int_or_atom text text text int int int text text text text attributes links",
        most=15,
    ),
    # What a daemon answers to calls
    "answer_refusal": Shape("a refusal", "binary tuple", "bytes any"),
    "answer_change": Shape(
        "a change",
        "tuple",
        "path int32 value any",
        choose=KIND,
        choices={"atom": "answer_end"},
    ),
    "answer_end": _tuple("any text", fewest=1),
    "answer_keys": Shape("keys", "tuple", rest="value", fewest=0, most="MAXKEYLEN"),
    "answer_attribute": _tuple("value value"),
    "progress_77": _tuple("int int int_or_atom int int int text text text text text text", most=12),
    "progress_77_nso": _tuple(
        "int int int_or_atom int int int text text text text text text"
        " text text int text text text text",
        most=19,
    ),
}

_LOG = "int int int text"


class Described(NamedTuple):
    """The elements of a notification's tuple, its bit first."""

    elements: str
    fewest: int | None = None
    choose: int | None = None
    choices: Mapping[int, str] = {}
    span: Span = Span()
    """Which releases send it so."""


_NOTIFICATIONS: tuple[tuple[str, Described], ...] = (
    ("NOTIF_AUDIT", Described("int int text int text")),
    *(
        (f"NOTIF_{name}", Described(_LOG))
        for name in ("DAEMON NETCONF DEVEL JSONRPC WEBUI".split())
    ),
    ("NOTIF_COMMIT_SIMPLE", Described("int int uinfo int int")),
    ("NOTIF_COMMIT_DIFF", Described("int int uinfo int int text text", fewest=5)),
    ("NOTIF_USER_SESSION", Described("int int uinfo int")),
    ("NOTIF_HA_INFO", Described("int ha")),
    ("NOTIF_SUBAGENT_INFO", Described("int subagent")),
    (
        "NOTIF_COMMIT_FAILED",
        Described(
            "int int int", choose=1, choices={2: "int int int ip int", 3: "int int int text"}
        ),
    ),
    ("NOTIF_SNMPA", Described("int pdu")),
    ("NOTIF_FORWARD_INFO", Described("int int text uinfo")),
    ("NOTIF_CONFIRMED_COMMIT", Described("int int int uinfo")),
    ("NOTIF_UPGRADE_EVENT", Described("int int")),
    *(
        (f"NOTIF_{name}", described)
        for name in ("PROGRESS", "COMMIT_PROGRESS")
        for described in (
            Described("int progress_82", span=Span("8.2")),
            Described("int progress_77_nso", span=Span("7.7", "8.2", "NCS")),
            Described("int progress_77", span=Span("7.7", "8.2", "CONFD")),
        )
    ),
    ("NOTIF_COMPACTION", Described("int int int int int int int int int")),
    ("NOTIF_STREAM_EVENT", Described("int stream")),
    *(
        (
            "NCS_NOTIF_CQ_PROGRESS",
            Described(
                f"int int stamp int {texts} names names failed_devices services failed_services"
                f"{trace}",
                span=span,
            ),
        )
        for texts, trace, span in (
            ("text", "", Span(before="7.7")),
            ("text", " text", Span("7.7", "8.5")),
            ("text text", " text", Span("8.5", "8.7")),
            ("text", "", Span("8.7")),
        )
    ),
    (
        "NCS_NOTIF_CALL_HOME_INFO",
        Described(
            "int int ip int text text", choose=1, choices={1: "int int ip int text text text"}
        ),
    ),
    ("NCS_NOTIF_AUDIT_NETWORK", Described("int audit_network")),
)

_SEEN = Span(before="8.3")
"""The levels up to the newest whose library was looked at."""

_DESCRIBED = Span(before="8.8")
"""Of a newer level the check says nothing but whether a frame is a term."""


def notifications(api_level: str, product: str) -> Iterator[tuple[str, Described]]:
    """The notifications whose shape is known, by the name of their bit."""
    if _DESCRIBED.includes(api_level, product):
        for name, described in _NOTIFICATIONS:
            if described.span.includes(api_level, product):
                yield name, described


def shapes(api_level: str, product: str) -> dict[str, Shape]:
    """The shapes for a release; those that are newer than what was seen may have further types."""
    if _SEEN.includes(api_level, product):
        return SHAPES
    return {name: shape._replace(only=False) for name, shape in SHAPES.items()}
