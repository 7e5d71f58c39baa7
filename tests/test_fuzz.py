"""Any notification with any values arrives as it was sent; any bytes give a dict, Error or EOF.

What a notification's fields may hold follows from its shape in the simulated daemon, and from the
C types of the struct behind it; what must arrive follows from the catalogue.
CONFD_EVENTS_FUZZ_EXAMPLES sets the number of examples for each test; ci/fuzz raises it.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from dataclasses import fields as dataclass_fields
from datetime import timedelta, timezone
from functools import partial
from inspect import signature
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA, LEVEL, LIBRARY, PEER, SENDABLE, plain
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_terms import TERMS

import confd_events as events
from confd_events.description.catalog import NOTIFICATIONS, USER_INFO, V1_TRAP, Field, Notification
from confd_events.enums import CallHome, HaInfo, ProgressType, StreamType
from confd_events.testing import (
    DateTime,
    SnmpColumn,
    SnmpOid,
    SnmpVariable,
    TagValue,
    User,
    decode,
    encode,
    frame_of,
    value,
)
from confd_events.testing._notifications import KINDS, Kind
from confd_events.testing._terms import text


def api() -> dict[str, Any]:
    """What is known of the release: that of the newest one not after it, as far as it is there."""
    described = {
        level_of(path): path for path in (DATA / "api").glob(f"libconfd-*-{PEER.product}.json")
    }
    found: dict[str, Any] = json.loads(
        described[max(level for level in described if level <= LEVEL)].read_text()
    )
    for struct, later in LATER_MEMBERS.items():
        found["structs"].get(struct, {"members": []})["members"] += later
    return found


def level_of(path: Path) -> tuple[int, ...]:
    return tuple(map(int, path.stem.split("-")[1].split(".")))


LATER_MEMBERS = {"ncs_cq_progress_notification": [{"name": "label", "type": "char *"}]}
MISSING = set(LIBRARY["missing"])
API = api()
ENUMERATORS = {name: number for enum in API["enums"].values() for name, number in enum.items()}
ROOT = Path(__file__).parents[1]
CORPUS = sorted((DATA / "corpus").glob("*.frames"))
TIMEOUT = 60

fuzzed = settings(
    max_examples=int(os.environ.get("CONFD_EVENTS_FUZZ_EXAMPLES", "25")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


# Sending and receiving


def receive(data: bytes) -> list[Any]:
    """What is read until the end of the stream: dicts, and the name of each error."""
    ours, theirs = socket.socketpair()
    sender = threading.Thread(target=send, args=(ours, data))
    sender.start()
    outcomes: list[Any] = []
    with theirs:
        theirs.settimeout(None)
        while not outcomes or outcomes[-1] != "EOF":
            try:
                outcomes += events.read_notifications(theirs)
            except events.Error as error:
                outcomes += [*error.notifications, type(error).__name__]
    sender.join(TIMEOUT)
    return outcomes


def send(sock: socket.socket, data: bytes) -> None:
    with sock:
        sock.sendall(data)


def shown(arrived: Any) -> Any:
    """A dict with every object in a form that can be compared whole."""
    if isinstance(arrived, dict):
        return {key: shown(item) for key, item in arrived.items()}
    if isinstance(arrived, list):
        return [shown(item) for item in arrived]
    if isinstance(arrived, events.Value):
        return arrived.confd_type_str(), arrived, str(arrived)
    if isinstance(arrived, events.TagValue):
        return arrived.ns, arrived.tag, shown(arrived.v)
    if "val" in dir(arrived):  # an SnmpVarbind
        return {**plain(arrived), "val": shown(arrived.val)}
    return plain(arrived)


# The struct behind a notification


def c_type(struct: str, path: str) -> str:
    """The C type of a member, also of one inside others; "" where the release lacks it."""
    listed = API["structs"].get(struct, {"members": []})["members"]
    name, _, rest = path.partition(".")
    for member in listed:
        if member["name"] == name:
            break
    else:
        return ""
    while rest and "members" in member:
        name, _, rest = rest.partition(".")
        member = next((m for m in member["members"] if m["name"] == name), {"type": ""})
    if rest:
        return c_type(member["type"].partition(" ")[2], rest)
    return str(member["type"])


def notification_of(kind: Kind) -> Notification:
    (found,) = (n for n in NOTIFICATIONS if getattr(events, n.name, None) == kind.bit)
    return found


def field_type(struct: str, field: Field) -> str:
    """The C type of the member that is read, "" where the release has none."""
    members = field.members or (field.key,)
    return next((found for name in members if (found := c_type(struct, name))), "")


def types_of(kind: Kind) -> dict[str, str]:
    """C types by the name of a field as the daemon takes it."""
    described = notification_of(kind)
    types = {field.key: field_type(described.struct, field) for field in described.fields}
    types.update({field.key: field_type("confd_v1_trap_info", field) for field in V1_TRAP})
    return {**types, **{name: types.get(key, "") for name, key in OTHER_NAMES.items()}}


# What the daemon calls otherwise than the catalogue.
OTHER_NAMES = {"reason": "noprimary", "result": "besecondary_result", "time": "event_time"}


# What fields may hold


def bounds(type_: str) -> tuple[int, int]:
    signed = {"int": 31, "time_t": 63}
    unsigned = {"u_int16_t": 16, "short unsigned int": 16, "unsigned int": 32, "uint32_t": 32}
    if type_ in signed:
        return -(1 << signed[type_]), (1 << signed[type_]) - 1
    if type_.startswith("enum "):
        return 0, (1 << 31) - 1
    return 0, (1 << unsigned.get(type_, 64)) - 1


def integers(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high) | st.sampled_from([low, high, 0, 1, high // 2])


def bits(count: int, signed: bool = False) -> st.SearchStrategy[int]:
    low = -(1 << count - 1) if signed else 0
    return integers(low, low + (1 << count) - 1)


def numbers(type_: str) -> st.SearchStrategy[int]:
    """Any number of the C type; enumerations more often one that means something."""
    any_number = integers(*bounds(type_))
    known = API["enums"].get(type_.partition(" ")[2]) if type_.startswith("enum ") else None
    return st.sampled_from(sorted(known.values())) | any_number if known else any_number


EDGES = st.sampled_from([16, 17, 31, 32, 64, 65, 127, 128, 254, 255, 256, 8191, 8192, 20_000])
TEXTS = (
    st.text()
    | st.binary()
    | st.builds(lambda size, part: (part * size)[:size], EDGES, st.binary(min_size=1, max_size=9))
)
ATOMS = st.text(st.characters(max_codepoint=255), max_size=255)
# The library loses some numbers in these fields, and takes timestamps of now alone.
NOT_LOST = st.integers(0, (1 << 31) - 1) | st.integers(1 << 32, (1 << 64) - 1)
BY_FIELD = {"timestamp": st.integers(1 << 32, (1 << 64) - 1), "duration": NOT_LOST}
IPS = st.ip_addresses().map(str)
OIDS = st.lists(bits(32), max_size=128)
ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = (
    st.datetimes(timezones=ZONES)
    | st.builds(
        DateTime,
        *(bits(16, signed=True), *[bits(8)] * 5, bits(32)),
        # Minutes have a sign only where there are no hours.
        timezone=bits(8, signed=True),
        timezone_minutes=bits(7),
    )
    | st.builds(
        DateTime, *(bits(16, signed=True), *[bits(8)] * 5, bits(32)), st.just(0), bits(8, True)
    )
)
VARTYPES = numbers("enum confd_snmp_type")
VARBINDS = (
    st.builds(SnmpVariable, ATOMS, TEXTS, VARTYPES)
    | st.builds(SnmpOid, OIDS, TEXTS, VARTYPES)
    | st.builds(SnmpColumn, ATOMS, OIDS, TEXTS, VARTYPES)
)


# Values: what is sent, and what must arrive

Sample = tuple[object, events.Value]


def same(x: Any) -> Any:
    return x


def prefix(type_: int, pair: tuple[str, int]) -> value.Typed:
    """As the term has it; value.prefix() clears the bits behind the length."""
    return value.Typed(type_, (value.ip_term(pair[0]), pair[1]))


def c_datetime(time: DateTime) -> events.DateTime:
    return events.DateTime(*time[:8], 0 if time.timezone == -111 else time.timezone_minutes)


def date(d: Any) -> value.Typed:
    return value.date(d.year, d.month, d.day, -111, -111)


def time(t: Any) -> value.Typed:
    return value.time(t.hour, t.minute, t.second, t.microsecond, -111, -111)


def duration(d: timedelta) -> value.Typed:
    return value.duration(0, 0, d.days, 0, 0, d.seconds, d.microseconds)


def duration_text(d: timedelta) -> str:
    return f"P{d.days}DT{d.seconds}S.{d.microseconds}"


V4, V6 = st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)
V4_LENGTHS = st.tuples(V4, st.integers(0, 32))
V6_LENGTHS = st.tuples(V6, st.integers(0, 128))


def networks(pairs: st.SearchStrategy[tuple[str, int]]) -> st.SearchStrategy[tuple[str, int]]:
    """Addresses without bits behind their lengths."""
    return pairs.map(lambda pair: ip_network("/".join(map(str, pair)), strict=False)).map(
        lambda network: (str(network.network_address), network.prefixlen)
    )


# By type: what to make values of, what is sent of it, what Value() takes.
ROWS: dict[str, tuple[st.SearchStrategy[Any], Any, Any]] = {
    "C_INT8": (bits(8, True), value.int8, same),
    "C_INT16": (bits(16, True), value.int16, same),
    "C_INT32": (bits(32, True), same, same),
    "C_INT64": (bits(64, True), value.int64, same),
    "C_UINT8": (bits(8), value.uint8, same),
    "C_UINT16": (bits(16), value.uint16, same),
    "C_UINT32": (bits(32), value.uint32, same),
    "C_UINT64": (bits(64), value.uint64, same),
    "C_DOUBLE": (st.floats(allow_nan=False, allow_infinity=False), same, same),
    "C_BOOL": (st.booleans(), same, same),
    "C_ENUM_HASH": (bits(32, True), value.enum, same),
    "C_BIT32": (bits(32), value.bit32, same),
    "C_BIT64": (bits(64), value.bit64, same),
    "C_DECIMAL64": (
        st.tuples(bits(64, True), st.integers(1, 18)),
        partial(value.Typed, events.C_DECIMAL64),
        same,
    ),
    "C_IDENTITYREF": (
        st.tuples(bits(32), bits(32)),
        partial(value.Typed, events.C_IDENTITYREF),
        same,
    ),
    "C_BUF": (TEXTS, same, text),
    "C_OID": (OIDS, value.oid, same),
    "C_BINARY": (st.binary(), value.binary, same),
    "C_HEXSTR": (st.binary(), value.hexstr, same),
    "C_BITBIG": (st.binary(), value.bitbig, same),
    "C_IPV4": (V4, ip_address, same),
    "C_IPV6": (V6, ip_address, same),
    "C_DQUAD": (V4, value.dquad, same),
    "C_IPV4PREFIX": (networks(V4_LENGTHS), partial(prefix, events.C_IPV4PREFIX), same),
    "C_IPV6PREFIX": (networks(V6_LENGTHS), partial(prefix, events.C_IPV6PREFIX), same),
    "C_IPV4_AND_PLEN": (V4_LENGTHS, partial(prefix, events.C_IPV4_AND_PLEN), same),
    "C_IPV6_AND_PLEN": (V6_LENGTHS, partial(prefix, events.C_IPV6_AND_PLEN), same),
    "C_DATETIME": (TIMES, value.datetime, lambda t: c_datetime(DateTime.of(t))),
    "C_DATE": (st.dates(), date, same),
    "C_TIME": (st.times(), time, same),
    "C_DURATION": (st.timedeltas(timedelta(0)), duration, duration_text),
    "C_DEFAULT": (st.none(), lambda _: value.DEFAULT, same),
    "C_NOEXISTS": (st.none(), lambda _: value.NOEXISTS, same),
}


def samples(type_name: str) -> st.SearchStrategy[Sample]:
    inits, make, init = ROWS[type_name]
    type_ = getattr(events, type_name)
    return inits.map(lambda x: (make(x), events.Value(init(x), type_)))


def list_sample(samples: list[Sample]) -> Sample:
    return [sent for sent, _ in samples], events.Value([v for _, v in samples], events.C_LIST)


VALUES = st.recursive(
    st.one_of(*map(samples, ROWS)),
    lambda inner: st.lists(inner, max_size=5).map(list_sample),
    max_leaves=20,
)


@st.composite
def tag_values(draw: st.DrawFn) -> tuple[TagValue, Any]:
    """What is sent, and what must arrive, as shown."""
    ns, tag = draw(bits(32)), draw(bits(32))
    bare = {value.XMLBEGIN: events.C_XMLBEGIN, value.XMLEND: events.C_XMLEND}
    marks = [(atom, events.Value(events.XmlTag(ns, tag), type_)) for atom, type_ in bare.items()]
    sent, arrives = draw(st.sampled_from(marks) | VALUES)
    return TagValue(ns, tag, sent), (ns, tag, shown(arrives))


# By the annotation of a field. A pair is what is sent and what must arrive.
BY_ANNOTATION: dict[str, st.SearchStrategy[Any]] = {
    "Text": TEXTS,
    "OptionalText": st.none() | TEXTS,
    "Ip": IPS,
    "Ip | Text": IPS | TEXTS.map(text),
    "Oid": OIDS,
    "object": VALUES,
    "str": st.just("stream"),
    "Time | None": TIMES,
    "Sequence[Varbind]": st.lists(VARBINDS, max_size=5),
    "Mapping[Text, Text | int] | None": st.dictionaries(TEXTS.map(text), NOT_LOST | TEXTS),
    "Sequence[tuple[Text, Text]]": st.lists(st.tuples(TEXTS, TEXTS)),
    "Sequence[tuple[int, int, object]]": st.lists(tag_values(), max_size=8),
}
SEQUENCES = {"Sequence[Text]": TEXTS, "Sequence[Sequence[Text]]": st.lists(TEXTS, max_size=4)}


@st.composite
def users(draw: st.DrawFn) -> User:
    return User(
        **{
            field.name: draw(one(str(field.type), c_type("confd_user_info", field.name)))
            for field in dataclass_fields(User)
            if field.name != "logintime"
        },
        logintime=draw(NOT_LOST.filter(lambda seconds: seconds < 1 << 63)),
    )


def one(annotation: str, type_: str) -> st.SearchStrategy[Any]:
    if annotation in ("int", "int | None"):
        return numbers(type_ or "int")
    return users() if annotation == "User" else BY_ANNOTATION[annotation]


@st.composite
def notifications(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """The fields of a notification. Lists that have their number in common are of one length."""
    kind = KINDS[name]
    types = types_of(kind)
    counted = {field.key: field.counted_by for field in notification_of(kind).fields}
    counts: dict[str, int] = {}
    given: dict[str, Any] = {}
    for field, parameter in list(signature(kind.shape).parameters.items())[1:]:
        if field == "changes":
            continue  # clients ask for them; the notification does not have them
        if parameter.annotation in SEQUENCES:
            count = counts.setdefault(counted[field], draw(st.integers(0, 5)))
            element = SEQUENCES[parameter.annotation]
            given[field] = draw(st.lists(element, min_size=count, max_size=count))
        elif name.endswith("progress") and parameter.annotation != "Time | None":
            otherwise = one(parameter.annotation, types.get(field, ""))
            given[field] = draw(BY_FIELD.get(field, otherwise))
        else:
            given[field] = draw(one(parameter.annotation, types.get(field, "")))
    if name == "call_home":
        given["device"] = draw(TEXTS) if given["type"] == CallHome.CONNECTED else None
    if given.get("type") in (ProgressType.START, ProgressType.STOP) and "span_id" in given:
        # Without one, the daemon makes one.
        given["span_id"] = given["span_id"] or draw(TEXTS.filter(bool))
    return given


def sent(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as the daemon takes them."""
    alone = dict(fields)
    if "nodeid" in fields:
        alone["nodeid"] = fields["nodeid"][0]
    if "values" in fields:
        alone["values"] = [pair[0] for pair in fields["values"]]
    return alone


# What must arrive


def arrives(octets: Any, type_: str = "char *") -> str:
    """Text as C keeps it: cut to fit its array, ending at a NUL."""
    kept = text(octets or b"")
    if type_.startswith("char["):
        kept = kept[: int(type_[5:-1]) - 1]
    return kept.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def address(ip: str) -> dict[str, Any]:
    parsed = ip_address(ip)
    family = socket.AF_INET if parsed.version == 4 else socket.AF_INET6
    # As C writes it, where ::ffff:0:0 is ::ffff:0.0.0.0.
    return {"af": int(family), f"ip{parsed.version}": socket.inet_ntop(family, parsed.packed)}


def user_info(user: User) -> dict[str, Any]:
    family, ip = address(str(user.ip)).values()
    made: dict[str, Any] = {"class": "UserInfo", "af": family, "addr": ip}
    for field in USER_INFO:
        given = getattr(user, field.key, 0)
        type_ = c_type("confd_user_info", field.key)
        made.setdefault(field.key, arrives(given, type_) if field.type == "str" else given)
    return made


def varbind(given: SnmpVariable | SnmpOid | SnmpColumn) -> dict[str, Any]:
    def atom(name: str) -> str:
        return arrives(name.encode("latin-1"), "char[256]")

    made = dict.fromkeys(("name", "oid", "column", "rowindex"), None)
    made = {**made, "class": "SnmpVarbind", "vartype": given.vartype}
    made["val"] = shown(events.Value(text(given.value), events.C_BUF))
    if isinstance(given, SnmpVariable):
        return {**made, "type": events.SNMP_VARIABLE, "name": atom(given.name)}
    if isinstance(given, SnmpOid):
        return {**made, "type": events.SNMP_OID, "oid": given.oid}
    column = {"column": atom(given.column), "rowindex": given.rowindex}
    return {**made, "type": events.SNMP_COL_ROW, **column}


def link(pair: tuple[Any, Any]) -> dict[str, Any]:
    names = ("trace_id", "span_id")
    texts = (arrives(x, c_type("confd_progress_link", n)) for n, x in zip(names, pair))
    return {"class": "ProgressLink", **dict(zip(names, texts))}


def attribute(given: Any) -> str | int:
    return given if isinstance(given, int) else arrives(given)


def devices(names: list[Any]) -> Any:
    return shown(events.Value([events.Value(text(n), events.C_BUF) for n in names], events.C_LIST))


ELSEWHERE = {
    getattr(events, f"C_{name}")
    for name in ("STR", "QNAME", "LIST", "OBJECTREF", "OID", "BINARY", "HEXSTR", "BITBIG")
    if hasattr(events, f"C_{name}")
}


def ha_node(given: dict[str, Any]) -> dict[str, Any]:
    node, peer = given["nodeid"][1], given["peer"]
    if node.confd_type() == events.C_BUF:
        # Kept in an array of 128, a NUL behind it; NULs within do not end it.
        octets = text(given["nodeid"][0])[:127]
        node = events.Value(octets, events.C_BUF)
    elif node.confd_type() in ELSEWHERE:
        node = events.Value(None, events.C_NOEXISTS)  # the library has freed its content
    found = {"nodeid": shown(node)}
    if isinstance(peer, str):
        return {**found, **address(peer)}
    return {**found, "af": int(socket.AF_UNSPEC), "str": arrives(peer, "char[128]")}


def v1_trap(given: dict[str, Any]) -> dict[str, Any]:
    found = {field.key: given[field.key] for field in V1_TRAP}
    found["time_stamp"] %= 1 << 32
    return found if found["enterprise"] else {k: v for k, v in found.items() if k != "enterprise"}


BY_TYPE: dict[str, Any] = {
    "UserInfo": user_info,
    "DateTime": lambda time: plain(c_datetime(DateTime.of(time))),
    "list[str]": lambda texts: [arrives(each) for each in texts],
    "list[Value]": lambda rows: [devices(row) for row in rows],
    "list[TagValue]": lambda pairs: [pair[1] for pair in pairs],
    "list[SnmpVarbind]": lambda given: [varbind(each) for each in given],
    "list[ProgressLink]": lambda given: [link(each) for each in given],
    "dict[str, str | int]": lambda given: {arrives(k): attribute(v) for k, v in given.items()},
}


def implied(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """The fields with what the notification's name says, under the catalogue's names."""
    known = {**given, **{key: given[n] for n, key in OTHER_NAMES.items() if n in given}}
    family, _, rest = name.partition("_")
    for prefix_, enum in (("ha", HaInfo), ("stream", StreamType)):
        if family == prefix_:
            (known["type"],) = (m.value for m in enum if m.name.endswith(rest.upper()))
    if known.get("pdu_type") == events.SNMPA_PDU_V1TRAP:
        known.update(request_id=0, error_status=0, error_index=0)
    # What an older level calls otherwise, and only some have.
    aliases = {"datastore": "database", "tid": "thandle"}
    return {**{new: known[old] for old, new in aliases.items() if old in known}, **known}


def expected_field(struct: str, field: Field, known: dict[str, Any]) -> dict[str, Any]:
    if field.type == "Address":
        return address(known["ip"])
    if field.type == "V1Trap":
        return v1_trap(known)
    type_ = field_type(struct, field)
    if field.type == "HaNode":
        made: Any = ha_node(known)
    elif field.type == "str":
        made = arrives(known[field.key], type_)
    elif field.type == "int":
        made = known[field.key]
    else:
        made = BY_TYPE[field.type](known[field.key])
    empty_text = field.type == "str" and type_.endswith("*") and known[field.key] is not None
    if field.optional and not made and not empty_text:
        return {}
    return {key: made for key in (field.key, field.also) if key}


def expected(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """The dict that must arrive, but for a transaction."""
    described = notification_of(KINDS[name])
    known = implied(name, given)
    payload: dict[str, Any] = {}
    for field in described.fields:
        known_type = field.type in ("Address", "TransCtxRef") or field_type(described.struct, field)
        there = known_type and f"{described.name}.{field.key}" not in MISSING
        meant = field.when is None or known[field.when[0]] == ENUMERATORS[field.when[1]]
        if there and meant and field.type != "TransCtxRef":
            payload.update(expected_field(described.struct, field, known))
    found: dict[str, Any] = {"type": KINDS[name].bit.value}
    return {**found, described.member: payload} if described.member else found


def transaction(payload: dict[str, Any]) -> tuple[int, Any]:
    """Take the transaction out of a commit diff; it is released with the object."""
    tctx = payload.pop("tctx")
    return tctx.th, plain(tctx.uinfo)


# The tests

# By notification: its fields of a C type that is a number.
INTEGERS = {
    name: {
        field
        for field, parameter in signature(KINDS[name].shape).parameters.items()
        if parameter.annotation in ("int", "int | None")
    }
    for name in SENDABLE
}


def flat(term: Any) -> list[Any]:
    """All that a term holds."""
    if isinstance(term, (tuple, list)):
        return [leaf for element in term for leaf in flat(element)]
    return [term]


@pytest.mark.parametrize("name", SENDABLE)
def test_any_fields_arrive_as_they_were_sent(name: str) -> None:
    @fuzzed
    @given(notifications(name))
    def check(given_fields: dict[str, Any]) -> None:
        frame = encode(name, PEER.protocol, PEER.product, **sent(given_fields))
        got, end = receive(frame)
        assert end == "EOF"
        if name == "commit_diff":
            handle, user = transaction(got["commit_diff"])
            assert handle == given_fields["thandle"]
            assert user == user_info(given_fields["uinfo"])
        assert shown(got) == expected(name, given_fields)

    check()


@pytest.mark.parametrize("type_name", ROWS)
def test_any_value_arrives_as_it_was_sent(type_name: str) -> None:
    @fuzzed
    @given(st.lists(samples(type_name), min_size=1))
    def check(drawn: list[Sample]) -> None:
        nested = list_sample([list_sample(drawn), *drawn])
        values = [TagValue(1, 2, each) for each, _ in [nested, *drawn]]
        (got, _) = receive(encode("stream_event", stream="s", values=values))
        arrived = [tag_value.v for tag_value in got["stream"]["values"]]
        assert shown(arrived) == shown([each for _, each in [nested, *drawn]])

    check()


def limits(type_: str) -> tuple[int, int]:
    """What the library takes and, if need be, cuts."""
    is_wide = bounds(type_)[1] >= 1 << 32
    return (-1 << 63, (1 << 64) - 1) if is_wide else (-1 << 31, (1 << 32) - 1)


@pytest.mark.stub  # others take the number for 0, or something else
@fuzzed
@given(st.data())
def test_a_number_that_does_not_fit_is_an_error(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(SENDABLE))
    given_fields = sent(data.draw(notifications(name)))
    types = types_of(KINDS[name])
    ints = [field for field in given_fields if types.get(field) and field in INTEGERS[name]]
    if not ints:
        return
    field = data.draw(st.sampled_from(ints))
    low, high = limits(types[field])
    given_fields[field] = data.draw(st.integers(high + 1) | st.integers(max_value=low - 1))
    frame = encode(name, PEER.protocol, PEER.product, **given_fields)
    if given_fields[field] not in flat(decode(frame[4:])):
        return  # this notification leaves the field out
    assert receive(frame + encode("reopen_logs")) == [
        "Error",
        {"type": events.NOTIF_REOPEN_LOGS},
        "EOF",
    ]


DEEPEST = 100  # what a Value may hold


@pytest.mark.parametrize("depth", [1, 20, DEEPEST])
def test_deep_lists_arrive(depth: int) -> None:
    nested: Any = 7
    for _ in range(depth):
        nested = [nested]
    (got, _) = receive(encode("stream_event", stream="s", values=[(1, 2, nested)]))
    assert got["stream"]["values"][0].v.as_pyval() == nested


@pytest.mark.parametrize("count", [255, 256, 65_535, 65_536, 200_000])
def test_huge_lists_arrive(count: int) -> None:
    huge = [number % 256 for number in range(count)]
    (got, _) = receive(encode("stream_event", stream="s", values=[(1, 2, huge)]))
    assert got["stream"]["values"][0].v.as_pyval() == huge


def test_a_huge_text_arrives() -> None:
    huge = "text" * 2_000_000
    (got, _) = receive(encode("stream_event", stream="s", values=[(1, 2, huge)]))
    assert got["stream"]["values"][0].v.as_pyval() == huge


OUTCOMES = {"Error", "EOF"}


def is_outcome(outcome: Any) -> bool:
    return outcome in OUTCOMES if isinstance(outcome, str) else "type" in outcome


@fuzzed
@given(st.binary() | TERMS.map(frame_of) | st.lists(TERMS).map(lambda t: frame_of(tuple(t))))
def test_any_bytes_give_a_dict_an_error_or_the_end(data: bytes) -> None:
    assert all(is_outcome(outcome) for outcome in receive(data))


# The vendor's library reads beyond the bytes of these, or ends the process.
ONLY_THE_STUB_REFUSES = {
    "all-that-the-decoder-tells-apart",
    "atom-cut",
    "binary-size-beyond-frame",
    "float-not-finite",
    "ha-node-cut",
    "list-as-string",
    "list-count-beyond-frame",
    "list-nested-beyond-the-limit",
    "trap-with-undefined-parts",
    "value-list-count-beyond-frame",
}


def case_of(path: Path) -> Any:
    marks = [pytest.mark.stub] if path.stem in ONLY_THE_STUB_REFUSES else []
    return pytest.param(path, id=path.stem, marks=marks)


@pytest.mark.parametrize("path", [case_of(path) for path in CORPUS])
def test_what_was_found_gives_a_dict_an_error_or_the_end(path: Path) -> None:
    """Files that fuzzing found or that come near a limit; their bytes are what a daemon sends."""
    outcomes = receive(path.read_bytes())
    assert all(is_outcome(outcome) for outcome in outcomes)
    shown([outcome for outcome in outcomes if not isinstance(outcome, str)])


# The command ci/fuzz


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {**os.environ, "PYTHONPATH": str(ROOT / "ci"), **environment}
    return subprocess.run(
        [sys.executable, *command], env=known, capture_output=True, text=True, timeout=5 * TIMEOUT
    )


def test_mutated_frames_are_survived() -> None:
    done = run("-m", "fuzzing", "mutation", "--frames", "5000", "--seed", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    said = (
        r"mutation: [\d,]+ frames in [\d,]+ connections, .* seeds 1 to \d+: .* 0 deaths, 0 hangs, "
    )
    assert re.match(said, done.stdout)


@pytest.mark.stub  # linked shared, the vendor's library gets them unchecked
def test_mutated_answers_are_survived() -> None:
    done = run("-m", "fuzzing", "answers", "--frames", "3000", "--seed", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.match(r"answers: 3,\d+ exchanges, .* 0 deaths, 0 hangs, 0 other", done.stdout)


def test_well_formed_frames_are_all_read() -> None:
    """Whatever the values; the stub refuses terms of any other type or number."""
    done = run("-m", "fuzzing", "mutation", "--well-formed", "--frames", "5000", "--seed", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    said = r"mutation: ([\d,]+) well-formed frames in .* seeds 1 to \d+: ([\d,]+) dicts, 0 errors, "
    told = re.match(said, done.stdout)
    assert told is not None, done.stdout
    frames_read, dicts = (int(number.replace(",", "")) for number in told.groups())
    assert 5000 <= frames_read <= dicts  # the process is ended amid a batch


def test_a_well_formed_frame_that_is_refused_is_found() -> None:
    program = (
        "from fuzzing.mutation import shared_state, try_alone, watch\n"
        "from functools import partial\n"
        "from confd_events.testing import frame_of\n"
        "state, frame = shared_state(), frame_of((1 << 50,))\n"
        "state.batch[: len(frame)], state.size = frame, len(frame)\n"
        "print(watch(partial(try_alone, well_formed=True), state, 0, bool))"
    )
    assert run("-c", program).stdout == "refused: a well-formed frame gave an error\n"


# In place of reading a batch: what befalls some seeds.
TROUBLE = """
import os, signal, time
from fuzzing import mutation
mutation.SILENCE = 5.0

def read_batch(data, state):
    if state.seed == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    if state.seed == 5:
        time.sleep(600)
    if state.seed == 7:
        raise mutation.FindingError("odd: a finding")
    return list(range(data.count(b"sentinel")))

mutation.read_batch = read_batch
mutation.culprit = lambda data, well_formed: data
print(mutation.run(500, 60, 1, well_formed=False))
"""


def test_deaths_and_hangs_are_named_and_the_run_goes_on() -> None:
    done = run("-c", TROUBLE)
    found = re.findall(
        r"^mutation: FOUND (.*); seed (\d+), saved as (.*?);", done.stdout, re.MULTILINE
    )
    assert [(what, seed) for what, seed, _ in found] == [
        ("crash: the process ended with -11", "3"),
        ("hang: no progress for 5 s", "5"),
        ("odd: a finding", "7"),
    ]
    *_, told, well = done.stdout.splitlines()
    assert (told.count("1 deaths, 1 hangs, 1 other findings"), well) == (1, "False")
    for *_, saved in found:
        (ROOT / saved).unlink()


def test_a_batch_follows_from_its_seed_alone() -> None:
    program = (
        "from fuzzing.mutation import Maker\n"
        "maker = Maker(False)\n"
        "print(*(maker.batch(seed)[0].hex() for seed in ({seeds})))"
    )
    there, back = (
        run("-c", program.format(seeds=s)).stdout.split() for s in ("1, 2, 3", "3, 2, 1")
    )
    assert there == back[::-1]
    assert len(set(there)) == 3


def test_a_crash_is_noticed() -> None:
    program = (
        "import os; from fuzzing.mutation import shared_state, watch\n"
        "print(watch(lambda state, seed: os.kill(os.getpid(), 9), shared_state(), 0, bool))"
    )
    assert run("-c", program).stdout == "crash: the process ended with -9\n"


@pytest.mark.parametrize("part", ["decoder", "check"])
def test_fuzzing_without_clang_says_what_to_install(part: str) -> None:
    done = run("-m", "fuzzing", part, CLANG="no-such-compiler")
    assert done.returncode == 1
    assert done.stdout.startswith(f"{part}: NOT RUN: ")
    assert "install clang" in done.stdout
