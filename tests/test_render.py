"""Notifications as JSON: what becomes of each key; nothing is lost; passwords are not shown."""

from __future__ import annotations

import json
import math
import re
import socket
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from conftest import PEER, SENDABLE, vectors
from hypothesis import given
from hypothesis import strategies as st

import confd_events as events
from confd_events import Event
from confd_events._render import MASK, _pieces, member_of, readable, to_dict, to_json
from confd_events.description import catalog
from confd_events.enums import (
    AddressFamily,
    CommitFlag,
    Database,
    ErrorCode,
    Notif,
    ProgressType,
    notif,
)
from confd_events.testing import Daemon, SnmpColumn, SnmpOid, SnmpVariable, User, encode
from confd_events.testing._notifications import KINDS

PASSWORD = "open sesame"
UTC = timezone.utc


def received(daemon: Daemon, sock: socket.socket, kind: str, **fields: Any) -> Any:
    """A notification as the library makes it of what the daemon sends."""
    stream = {"stream": "NETCONF"} if kind.startswith("stream_") else {}
    daemon.send_frame(encode(kind, PEER.protocol, PEER.product, **stream, **fields))
    return events.read_notification(sock)


def checked(raw: Any) -> dict[str, Any]:
    """The notification rendered, after a look at what holds for each."""
    rendered = to_dict(raw)
    line = to_json(rendered)
    assert json.loads(line) == rendered
    assert line.isascii()
    assert "\n" not in line
    assert rendered["type"] == raw["type"]
    assert rendered["type_name"]
    for member in raw.keys() - {"type"}:
        assert raw[member].keys() <= rendered[member].keys()
    return rendered


def stream_event(*values: events.TagValue) -> dict[str, Any]:
    stream = {"type": 1, "event_time": events.DateTime(2026, 1, 1), "values": list(values)}
    return {"type": int(Notif.STREAM_EVENT), "stream": stream}


def tree(*values: events.TagValue) -> Any:
    return checked(stream_event(*values))["stream"]["values"]


def element(tag: int, init: Any, type_: int | None = None) -> events.TagValue:
    return held(events.Value(init, type_), tag)


def held(value: events.Value, tag: int = 5) -> events.TagValue:
    return events.TagValue(events.XmlTag(1, tag), value)


def mark(kind: int, tag: int) -> events.TagValue:
    """The beginning or end of an element, or an empty leaf."""
    return element(tag, events.XmlTag(1, tag), kind)


def begin(tag: int) -> events.TagValue:
    return mark(events.C_XMLBEGIN, tag)


def end(tag: int) -> events.TagValue:
    return mark(events.C_XMLEND, tag)


# Every notification


@pytest.mark.parametrize("kind", SENDABLE)
def test_every_kind(daemon: Daemon, sock: socket.socket, kind: str) -> None:
    rendered = checked(received(daemon, sock, kind))
    assert notif(rendered["type_name"]) == KINDS[kind].bit


@pytest.mark.since(8, 2)
@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: str(vector["name"]))
def test_recorded_frames(daemon: Daemon, sock: socket.socket, vector: dict[str, Any]) -> None:
    daemon.send_frame(bytes.fromhex(vector["frame"]))
    checked(events.read_notification(sock))


@pytest.mark.parametrize("notification", catalog.NOTIFICATIONS, ids=lambda n: str(n.name))
def test_no_name_takes_another_keys_place(notification: catalog.Notification) -> None:
    fields = catalog.spread(notification.fields)
    keys = {key for field in fields for key in (field.key, field.also)}
    assert not keys & {f"{key}_name" for key in keys}


def test_a_type_that_is_not_known_yet() -> None:
    raw = {"type": 1 << 40, "news": {"key": "value", "number": 1}}
    assert to_dict(raw) == {**raw, "type_name": "0x10000000000"}


def test_the_notification_stays_as_it_was(daemon: Daemon, sock: socket.socket) -> None:
    raw = received(daemon, sock, "snmpa", pdu_type=1, enterprise=(1, 3))
    to_dict(raw)["snmpa"]["enterprise"].append(4)
    assert raw["snmpa"]["enterprise"] == [1, 3]


# Numbers with names


def test_commit(daemon: Daemon, sock: socket.socket) -> None:
    raw = received(daemon, sock, "commit", database=2, flags=3, uinfo=User(proto=2, flags=4))
    commit = checked(raw)["commit"]
    assert (commit["database"], commit["database_name"]) == (2, "running")
    assert (commit["flags"], commit["flags_name"]) == (3, "confirmed|confirmed-extended")
    assert commit["diff_available"] == 0
    assert commit["uinfo"] == {
        "username": "admin",
        "usid": 11,
        "context": "cli",
        "proto": 2,
        "proto_name": "ssh",
        "addr": "127.0.0.1",
        "af": 2,
        "af_name": "inet",
        "port": 0,
        "logintime": "2023-11-14T22:13:20.000000+00:00",
        "lmode": 0,
        "lmode_name": "none",
        "snmp_v3_ctx": "",
        "clearpass": "",
        "flags": 4,
        "flags_name": "has-opaque",
        "actx_thandle": 0,
    }


def test_a_number_without_a_name(daemon: Daemon, sock: socket.socket) -> None:
    commit = checked(received(daemon, sock, "commit", database=99, flags=8))["commit"]
    assert commit["database"] == 99
    assert "database_name" not in commit
    assert commit["flags_name"] == "0x8"


def test_both_names_of_a_key(daemon: Daemon, sock: socket.socket) -> None:
    hnot = checked(received(daemon, sock, "ha_noprimary", reason=26))["hnot"]
    assert hnot == {
        "type": 1,
        "type_name": "noprimary",
        "noprimary": 26,
        "noprimary_name": "ha-closed",
        "nomaster": 26,
        "nomaster_name": "ha-closed",
    }


def test_no_error_has_no_name(daemon: Daemon, sock: socket.socket) -> None:
    hnot = checked(received(daemon, sock, "ha_besecondary_result", result=0))["hnot"]
    assert hnot["besecondary_result"] == hnot["beslave_result"] == 0
    assert "besecondary_result_name" not in hnot


def test_node(daemon: Daemon, sock: socket.socket) -> None:
    raw = received(daemon, sock, "ha_secondary_died", nodeid="node1", peer="::1")
    hnot = checked(raw)["hnot"]
    expected = {"nodeid": "node1", "af": 10, "af_name": "inet6", "ip6": "::1"}
    assert hnot["secondary_died"] == hnot["slave_died"] == expected


def test_trap(daemon: Daemon, sock: socket.socket) -> None:
    variables = [
        SnmpVariable("sysDescr", "text"),
        SnmpOid("1.3.6.1", "oid"),
        SnmpColumn("ifDescr", (1, 2), "row"),
    ]
    raw = received(
        daemon, sock, "snmpa", pdu_type=1, generic_trap=2, enterprise=(1, 3), vb=variables
    )
    snmpa = checked(raw)["snmpa"]
    assert snmpa["pdu_type_name"] == "v1trap"
    assert snmpa["generic_trap_name"] == "link-down"
    assert snmpa["error_status_name"] == "no-error"
    common = {"vartype": 3, "vartype_name": "octet-string"}
    assert snmpa["vb"] == [
        {"type": 1, "type_name": "variable", **common, "name": "sysDescr", "val": "text"},
        {"type": 2, "type_name": "oid", **common, "oid": [1, 3, 6, 1], "val": "oid"},
        {
            "type": 3,
            "type_name": "col-row",
            **common,
            "column": "ifDescr",
            "rowindex": [1, 2],
            "val": "row",
        },
    ]


@pytest.mark.since(8, 2)  # links
def test_progress(daemon: Daemon, sock: socket.socket) -> None:
    raw = received(
        daemon,
        sock,
        "progress",
        type=2,
        timestamp=1_700_000_000_123_456,
        attributes={"a": 1, "b": "text"},
        links=[("trace", "span")],
    )
    progress = checked(raw)["progress"]
    assert progress["type_name"] == "stop"
    assert progress["timestamp"] == "2023-11-14T22:13:20.123456+00:00"
    assert progress["datastore_name"] == "running"
    assert progress["attributes"] == {"a": 1, "b": "text"}
    assert progress["links"] == [{"trace_id": "trace", "span_id": "span"}]


def test_transaction(daemon: Daemon, sock: socket.socket) -> None:
    raw = received(daemon, sock, "commit_diff", thandle=7)
    assert checked(raw)["commit_diff"]["tctx"] == {"th": 7}
    events.diff_notification_done(sock, raw["commit_diff"]["tctx"])
    assert checked(raw)["commit_diff"]["tctx"] == {"th": 7}


@pytest.mark.parametrize(
    ("bit", "key", "value", "expected"),
    [
        (Notif.COMMIT_SIMPLE, "database", 2, Database.RUNNING),
        (Notif.COMMIT_DIFF, "flags", 3, CommitFlag.CONFIRMED | CommitFlag.CONFIRMED_EXTENDED),
        (Notif.HA_INFO, "nomaster", 26, ErrorCode.HA_CLOSED),
        (Notif.SNMPA, "af", 2, AddressFamily.INET),
        (Notif.PROGRESS, "type", 1, ProgressType.START),
        (Notif.COMMIT_SIMPLE, "database", 99, 99),
        (Notif.PROGRESS, "msg", "text", "text"),
        (Notif.HEARTBEAT, "type", 1, 1),
        (0, "type", 1, 1),
    ],
)
def test_member_of(bit: int, key: str, value: object, expected: object) -> None:
    for number in (bit, int(bit)):
        found = member_of(number, key, value)
        assert found == expected
        assert type(found) is type(expected)


# Times


def time_of(time: events.DateTime) -> Any:
    raw = {"type": int(notif("stream-event")), "stream": {"type": 1, "event_time": time}}
    return checked(raw)["stream"]["event_time"]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((2026, 11, 23, 7, 50, 1, 123456, 0, 0), "2026-11-23T07:50:01.123456+00:00"),
        ((2026, 11, 23, 7, 50, 1, 0, 5, 30), "2026-11-23T02:20:01.000000+00:00"),
        ((2026, 11, 23, 20, 0, 0, 7, -5, 30), "2026-11-24T01:30:00.000007+00:00"),
        ((2026, 11, 23, 7, 50, 1, 5), "2026-11-23T07:50:01.000005"),
        ((2016, 12, 31, 23, 59, 60, 5, 0, 0), "2016-12-31T23:59:60.000005+00:00"),
        ((2016, 12, 31, 18, 29, 60, 5, -5, 30), "2016-12-31T18:29:60.000005-05:30"),
        ((2026, 11, 23, 20, 0, 0, 7, 0, -30), "2026-11-23T20:30:00.000007+00:00"),
        ((2026, 11, 23, 20, 0, 0, 7, events.TIMEZONE_UNDEF, 30), "2026-11-23T20:00:00.000007"),
        ((999, 11, 23), "0999-11-23T00:00:00.000000"),
        ((1, 1, 1, 0, 0, 0, 0, 1, 0), "1-01-01T00:00:00+01:00"),
        ((2026, 13, 32), "2026-13-32T00:00:00"),
    ],
)
def test_datetime(parts: tuple[int, ...], expected: str) -> None:
    assert time_of(events.DateTime(*parts)) == expected


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7, minutes=-30))])))
def test_datetime_is_the_same_moment(moment: datetime) -> None:
    parts = (*moment.timetuple()[:6], moment.microsecond)
    zone = (0, 0) if moment.tzinfo is UTC else (-7, 30)
    assert datetime.fromisoformat(time_of(events.DateTime(*parts, *zone))) == moment


@given(st.integers(-(1 << 63), (1 << 64) - 1))
def test_epoch(number: int) -> None:
    raw = {"type": int(Notif.PROGRESS), "progress": {"timestamp": number}}
    shown = checked(raw)["progress"]["timestamp"]
    if isinstance(shown, int):
        assert shown == number
        assert not -62_135_596_800 <= number / 1e6 < 253_402_300_800
    else:
        since = datetime.fromisoformat(shown) - datetime(1970, 1, 1, tzinfo=UTC)
        assert since // timedelta(microseconds=1) == number


# Values


@pytest.mark.parametrize(
    ("init", "type_", "expected"),
    [
        (None, events.C_NOEXISTS, None),
        (True, events.C_BOOL, True),
        ((1 << 64) - 1, events.C_UINT64, (1 << 64) - 1),
        (-5, events.C_ENUM_VALUE, -5),
        (1.5, events.C_DOUBLE, 1.5),
        (math.inf, events.C_DOUBLE, "inf"),
        ("text", events.C_BUF, "text"),
        (b"\x00\xff", events.C_BINARY, "00ff"),
        (Decimal("1.50"), events.C_DECIMAL64, "1.5"),
        ("2026-01-02", events.C_DATE, "2026-01-02"),
        ("2026-01-02T03:04:05-05:30", events.C_DATETIME, "2026-01-02T03:04:05-05:30"),
        (timedelta(seconds=6, microseconds=7), events.C_DURATION, "PT6S.7"),
        ("text", events.C_STR, "text"),
        (None, events.C_DEFAULT, "DEFAULT"),
        ("10.0.0.1", events.C_IPV4, "10.0.0.1"),
        (events.XmlTag(1, 2222), events.C_IDENTITYREF, None),
        ([1, [b"\x01", []], "x"], events.C_LIST, [1, ["01", []], "x"]),
    ],
)
def test_value(init: Any, type_: int, expected: Any) -> None:
    value = events.Value(init, type_)
    if expected is None and init is not None:
        expected = str(value)
    assert tree(held(value)) == {"tag<5>": expected}


def test_not_a_number() -> None:
    value = events.Value(math.nan)
    assert tree(held(value)) == {"tag<5>": str(value)}


def test_deep_list() -> None:
    depth = 100
    value = events.Value(1)
    for _ in range(depth):
        value = events.Value([value], events.C_LIST)
    line = to_json(to_dict(stream_event(held(value))))
    assert f"{'[' * depth}1{']' * depth}" in line


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=[])))
def test_odd_text_survives(text: str) -> None:
    """With halves of surrogate pairs, which stand for octets that are not UTF-8."""
    raw = {"type": int(Notif.AUDIT), "audit": {"logno": 1, "user": text, "msg": "", "usid": 0}}
    shown = checked(raw)["audit"]["user"]
    assert shown == readable(text) == member_of(Notif.AUDIT, "user", text)
    shown.encode()  # so any terminal, file and parser takes it
    if "\\" not in text and not re.search("[\ud800-\udc7f\udd00-\udfff]", text):
        octets = re.sub(r"\\x(..)", lambda byte: chr(0xDC00 + int(byte[1], 16)), shown)
        assert octets == text  # nothing is lost


@given(st.binary())
def test_odd_octets_survive(octets: bytes) -> None:
    value = events.Value(octets, events.C_BUF)
    assert tree(held(value)) == {"tag<5>": readable(str(value.as_pyval()))}


def test_text_that_is_not_utf8_is_readable_wherever_it_is(
    daemon: Daemon, sock: socket.socket
) -> None:
    user = User(username="M\udcfcller", clearpass=PASSWORD)
    raw = received(daemon, sock, "commit_diff", uinfo=user, comment=b"\xe9t\xe9")
    assert raw["commit_diff"]["uinfo"].username == "M\udcfcller"
    event = Event(raw, 0)
    assert event["comment"] == r"\xe9t\xe9"
    assert event["uinfo"].username == r"M\xfcller"
    for name in (name for name in dir(events.UserInfo) if name[0] != "_" and name != "username"):
        assert getattr(event["uinfo"], name) == getattr(event.payload["uinfo"], name), name
    assert event.to_dict()["commit_diff"]["uinfo"]["username"] == r"M\xfcller"


@pytest.mark.since(8, 2)
def test_attributes_that_are_not_utf8_are_readable(daemon: Daemon, sock: socket.socket) -> None:
    attributes = {b"na\xefve": b"\xff", "leafs": 3}
    raw = received(daemon, sock, "progress", attributes=attributes)
    assert Event(raw, 0)["attributes"] == {r"na\xefve": r"\xff", "leafs": 3}
    assert checked(raw)["progress"]["attributes"] == {r"na\xefve": r"\xff", "leafs": 3}


# Elements of a stream event


def test_names_of_tags(daemon: Daemon) -> None:
    name = "render-test-tag"
    daemon.add_names({987_654_321: name})
    events.load_schemas(**daemon.address)
    assert tree(begin(987_654_321), end(987_654_321)) == {name: {}}


def test_elements() -> None:
    assert tree(
        begin(1),
        element(2, "one"),
        begin(3),
        end(3),
        begin(4),
        element(5, 1),
        end(4),
        begin(4),
        element(5, 2),
        end(4),
        mark(events.C_XMLTAG, 6),
        element(7, [1, 2], events.C_LIST),
        mark(events.C_XMLBEGINDEL, 8),
        element(9, "key"),
        end(8),
        end(1),
    ) == {
        "tag<1>": {
            "tag<2>": "one",
            "tag<3>": {},
            "tag<4>": [{"tag<5>": 1}, {"tag<5>": 2}],
            "tag<6>": None,
            "tag<7>": [1, 2],
            "tag<8>": {"@deleted": True, "tag<9>": "key"},
        }
    }


def test_lists_among_siblings_stay_apart() -> None:
    assert tree(element(1, [1], events.C_LIST), element(1, [2, 3], events.C_LIST)) == {
        "tag<1>": [[1], [2, 3]]
    }


def test_an_event_without_elements() -> None:
    assert tree() == {}


def test_unbalanced_elements() -> None:
    assert tree(end(1), begin(1), begin(2), element(3, 1)) == {"tag<1>": {"tag<2>": {"tag<3>": 1}}}
    assert tree(begin(1), end(1), end(1), element(2, 1)) == {"tag<1>": {}, "tag<2>": 1}


NODES = st.recursive(
    st.integers(0, 9), lambda inner: st.lists(st.tuples(st.integers(1, 4), inner), max_size=4)
)


def flat(children: Any) -> list[events.TagValue]:
    result = []
    for tag, node in children:
        inner = [begin(tag), *flat(node), end(tag)] if isinstance(node, list) else []
        result += inner or [element(tag, node)]
    return result


def nested(children: Any) -> dict[str, Any]:
    grouped: dict[str, list[Any]] = {}
    for tag, node in children:
        shown = nested(node) if isinstance(node, list) else node
        grouped.setdefault(f"tag<{tag}>", []).append(shown)
    return {tag: each[0] if len(each) == 1 else each for tag, each in grouped.items()}


@given(st.lists(st.tuples(st.integers(1, 4), NODES)))
def test_any_tree(children: Any) -> None:
    assert tree(*flat(children)) == nested(children)


def leaves(node: Any) -> list[int]:
    if isinstance(node, int):
        return [node]
    inner = node.values() if isinstance(node, dict) else node
    return [leaf for each in inner for leaf in leaves(each)]


@given(st.lists(st.one_of(st.integers(0, 9), st.sampled_from(["begin", "end"]))))
def test_no_leaf_is_lost(what: list[Any]) -> None:
    """However the beginnings and ends are mixed."""
    marks = {"begin": begin(1), "end": end(1)}
    values = [element(2, each) if isinstance(each, int) else marks[each] for each in what]
    numbers = [each for each in what if isinstance(each, int)]
    assert sorted(leaves(tree(*values))) == sorted(numbers)


def test_any_depth() -> None:
    depth = 100_000
    values = [begin(1)] * depth + [element(2, 5)] + [end(1)] * depth
    line = to_json(to_dict(stream_event(*values)))
    assert '{"tag<1>": ' * depth + '{"tag<2>": 5' + "}" * (depth + 1) in line


PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@given(PLAIN)
def test_deep_json_is_written_as_other_json(value: Any) -> None:
    assert "".join(_pieces(value)) == json.dumps(value)


# Passwords


@pytest.mark.parametrize("kind", ["commit", "commit_diff", "user_session", "forward"])
def test_the_password_is_masked(daemon: Daemon, sock: socket.socket, kind: str) -> None:
    raw = received(daemon, sock, kind, uinfo=User(clearpass=PASSWORD))
    (member,) = raw.keys() - {"type"}
    assert checked(raw)[member]["uinfo"]["clearpass"] == MASK
    assert PASSWORD not in to_json(to_dict(raw))
    shown = to_dict(raw, secrets=True)
    assert shown[member]["uinfo"]["clearpass"] == PASSWORD
    assert PASSWORD in to_json(shown)


def test_no_password_is_not_masked(daemon: Daemon, sock: socket.socket) -> None:
    raw = received(daemon, sock, "commit", uinfo=User(clearpass=""))
    assert checked(raw)["commit"]["uinfo"]["clearpass"] == ""
