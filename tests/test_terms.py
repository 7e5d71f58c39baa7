"""Terms, values, and the frames of all notifications against recorded ones."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confd_events.testing import (
    Atom,
    CallHome,
    DateTime,
    Improper,
    ProgressType,
    SnmpColumn,
    SnmpOid,
    SnmpVariable,
    TagValue,
    TermError,
    User,
    decode,
    encode,
    frame_of,
    value,
)
from confd_events.testing._notifications import KINDS
from confd_events.testing._terms import encode as encode_term

DATA = Path(__file__).parent / "data" / "notifications-82.json"
FRAMES = {
    vector["name"]: bytes.fromhex(vector["frame"])
    for vector in json.loads(DATA.read_text("utf-8"))["vectors"]
}

USER = User(clearpass="secret", port=4321)
TIME = datetime(2026, 11, 23, 7, 50, 1, 123456, timezone.utc)
# As recorded; a daemon sends -05:30 as -5, 30.
LEAP_DAY = DateTime(2024, 2, 29, 23, 59, 59, 0, -5, -30)
SPAN: dict[str, Any] = {
    "timestamp": 1700000000000000,
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "span_id": "00f067aa0ba902b7",
    "parent_span_id": "00f067aa0ba902b8",
    "usid": 11,
    "tid": 77,
    "datastore": 2,
    "context": "cli",
    "subsystem": "devices",
    "msg": "push configuration",
    "annotation": "a note",
}
EXTRAS: dict[str, Any] = {
    "attributes": {b"device": "ex0", b"commit-queue-id": 42},
    "links": [("t1", "s1")],
}
ALL_VALUES = [
    "s",
    value.int8(-1),
    value.int16(-2),
    -3,
    value.int64(-4),
    value.uint8(1),
    value.uint16(2),
    value.uint32(3),
    value.uint64(4),
    1.5,
    ip_address("10.0.0.1"),
    ip_address("2001:db8::1"),
    True,
    False,
    TIME,
    value.datetime(LEAP_DAY),
    value.date(2026, 1, 2),
    value.time(1, 2, 3, 4),
    value.duration(1, 2, 3, 4, 5, 6, 7),
    value.enum(3),
    value.bit32(5),
    value.bit64(6),
    ["a", "b"],
    value.oid("1.3.6"),
    value.binary(b"\x00\x01"),
    value.prefix("10.0.0.0/8"),
    value.prefix("2001:db8::/32"),
    value.decimal64("123.45"),
    value.identityref(1111, 2222),
    value.dquad("1.2.3.4"),
    value.hexstr(b"\xaa\xbb"),
    value.address_and_length("10.0.0.1/8"),
    value.address_and_length("2001:db8::1/64"),
    value.bitbig(b"\xff\x00\x01"),
    value.DEFAULT,
    value.NOEXISTS,
]

# vector -> the notification's name and its fields
VECTORS: dict[str, tuple[str, dict[str, Any]]] = {
    "audit": (
        "audit",
        {"logno": 60, "user": "admin", "msg": "assigned to groups: ncsadmin", "usid": 11},
    ),
    "audit-empty": ("audit", {"logno": 0, "user": ""}),
    "daemon": ("daemon_log", {"prio": 5, "logno": 10, "msg": "Starting up"}),
    "netconf": ("netconf", {"prio": 6, "logno": 11, "msg": "session started"}),
    "devel": ("devel", {"prio": 7, "logno": 12, "msg": "devel message"}),
    "jsonrpc": ("jsonrpc", {"prio": 6, "logno": 13, "msg": "jsonrpc message"}),
    "commit-simple": ("commit", {"diff_available": 1, "flags": 1, "uinfo": USER}),
    "commit-diff": (
        "commit_diff",
        {"thandle": 77, "comment": "my comment", "label": "my label", "uinfo": USER},
    ),
    "user-session-start": ("user_session", {"uinfo": USER}),
    "ha-noprimary": ("ha_noprimary", {"reason": 31}),
    "ha-secondary-died": ("ha_secondary_died", {"nodeid": "node1", "peer": "10.0.0.1"}),
    "ha-secondary-arrived-ipv6": (
        "ha_secondary_arrived",
        {"nodeid": "node2", "peer": "2001:db8::1"},
    ),
    "ha-initialized": ("ha_initialized", {"cdb_initialized_by_copy": 1}),
    "ha-is-primary": ("ha_is_primary", {}),
    "ha-is-none": ("ha_is_none", {}),
    "ha-besecondary-result": ("ha_besecondary_result", {}),
    "subagent-up": ("subagent", {"name": "sub1"}),
    "commit-failed-cdb": ("commit_failed", {}),
    "commit-failed-netconf": ("commit_failed", {"provider": 2, "ip": "10.1.1.1"}),
    "commit-failed-external": ("commit_failed", {"provider": 3, "daemon_name": "daemonx"}),
    "snmpa": (
        "snmpa",
        {
            "request_id": 77,
            "ip": "10.0.0.9",
            "error_status": 1,
            "error_index": 2,
            "vb": [
                SnmpVariable("sysDescr", "v1"),
                SnmpOid("1.3.6.1.4.1.24961.1", "42", vartype=2),
                SnmpColumn("ifDescr", (1, 300), "eth0"),
            ],
        },
    ),
    "snmpa-no-varbinds": ("snmpa", {"pdu_type": 4, "ip": "2001:db8::9"}),
    "forward-up": ("forward", {"target": "board-1", "uinfo": USER}),
    "confirmed-commit": ("confirmed_commit", {"timeout": 600, "uinfo": USER}),
    "confirming-commit": ("confirmed_commit", {"type": 2, "uinfo": USER}),
    "upgrade-init-started": ("upgrade", {}),
    "heartbeat": ("heartbeat", {}),
    "health-check": ("health_check", {}),
    "package-reload": ("package_reload", {}),
    "reopen-logs": ("reopen_logs", {}),
    "progress-start": ("progress", {"type": 1, "duration": 0, **SPAN, **EXTRAS}),
    "progress-stop": ("progress", {"type": 2, "duration": 5000, **SPAN}),
    "commit-progress": (
        "commit_progress",
        {"duration": 0, **SPAN, **EXTRAS, "msg": "entering validate phase for running..."},
    ),
    "compaction": (
        "compaction",
        {
            "type": 2,
            "fsize_start": 100,
            "fsize_end": 50,
            "fsize_last": 60,
            "time_start": 1700000000000000,
            "duration": 1234,
            "ntrans": 9,
        },
    ),
    "stream-event": (
        "stream_event",
        {
            "stream": "NETCONF",
            "time": TIME,
            "values": [
                TagValue(1111, 2222, value.XMLBEGIN),
                (1111, 3333, "value"),
                (1111, 4444, value.uint64(99)),
                TagValue(1111, 2222, value.XMLEND),
            ],
        },
    ),
    "stream-event-all-types": (
        "stream_event",
        {
            "stream": "NETCONF",
            "time": LEAP_DAY,
            "values": [(1111, 1000 + tag, each) for tag, each in enumerate(ALL_VALUES)],
        },
    ),
    "stream-replay-complete": ("stream_replay_complete", {"stream": "NETCONF"}),
    "stream-notification-complete": ("stream_notification_complete", {"stream": "NETCONF"}),
    "stream-replay-failed": ("stream_replay_failed", {"stream": "NETCONF"}),
    "cq-completed": (
        "cq_progress",
        {
            "type": 4,
            "timestamp": TIME,
            "cq_id": 12345,
            "cq_tag": "tag",
            "trace_id": "trace",
            "completed_devices": ["d0", "d1"],
            "transient_devices": ["d2"],
            "failed_devices": ["d3"],
            "failed_reasons": ["reason"],
        },
    ),
    "cq-waiting-bare": ("cq_progress", {"timestamp": TIME}),
    "call-home-connected": (
        "call_home",
        {"device": "dev0", "ip": "10.0.0.9", "ssh_host_key": "hostkey"},
    ),
    "audit-network": (
        "audit_network",
        {"usid": 11, "tid": 77, "device": "dev0", "trace_id": "trace", "config": "<config/>"},
    ),
}


def parts(frame: bytes) -> Any:
    """The term in a frame."""
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    return decode(frame[4:])


@pytest.mark.parametrize("name", FRAMES)
def test_recorded_frame(name: str) -> None:
    """The recorded frames have atoms of another kind than daemons send."""
    kind, fields = VECTORS[name]
    assert encode(kind, **fields).hex() == frame_of(parts(FRAMES[name])).hex()


@pytest.mark.parametrize("name", FRAMES)
def test_recorded_frame_survives_decoding(name: str) -> None:
    term = parts(FRAMES[name])
    assert parts(frame_of(term)) == term


def test_every_notification_has_a_bit_and_defaults() -> None:
    for name, kind in KINDS.items():
        stream: dict[str, Any] = {"stream": "NETCONF"} if name.startswith("stream_") else {}
        assert parts(encode(name, kind.since, **stream))[0] == kind.bit


def test_progress_at_level_77() -> None:
    old: dict[str, Any] = {"phase": "prepare", "service": "s", "commit_queue_id": 5, "package": "p"}
    (event,) = parts(encode("progress", 77, **SPAN, **old))[1:]
    common: tuple[Any, ...] = (
        3,
        1700000000000000,
        None,
        11,
        77,
        2,
        b"cli",
        SPAN["trace_id"].encode(),
        b"devices",
    )
    common += (b"prepare", b"push configuration", b"a note")
    assert event == (*common, b"s", None, 5, None, None, None, b"p")
    assert parts(encode("progress", 80, "confd", **SPAN, **old))[1] == common


def test_progress_at_level_66() -> None:
    assert parts(encode("commit_progress", 66, **SPAN)) == (
        1 << 16,
        (2, 11, 77, b"push configuration"),
    )
    with pytest.raises(ValueError, match="level 66"):
        encode("progress", 66)


def test_a_span_has_an_id_and_ends_after_a_while() -> None:
    def event(**fields: Any) -> Any:
        return parts(encode("progress", **fields))[1]

    duration, span = 2, 4
    starts = [event(type=ProgressType.START) for _ in range(2)]
    stop, info = event(type=ProgressType.STOP), event()
    assert [found[duration] for found in (*starts, stop, info)] == [None, None, 0, None]
    assert len({found[span] for found in (*starts, stop)}) == 3
    assert info[span] is None
    assert event(type=ProgressType.START, span_id="s", duration=5)[duration : span + 1 : 2] == (
        5,
        b"s",
    )


def test_names_of_attributes_are_atoms_where_they_can_be() -> None:
    given: dict[Any, Any] = {"device": 1, b"bytes": 2, "é": 3, "x" * 256: 4}
    attributes = parts(encode("progress", attributes=given))[1][-2]
    assert attributes == [
        (Atom("device"), 1),
        (b"bytes", 2),
        ("é".encode(), 3),
        (b"x" * 256, 4),
    ]
    assert type(attributes[0][0]) is Atom


def test_a_device_that_calls_home() -> None:
    def event(**fields: Any) -> Any:
        return parts(encode("call_home", 85, **fields))

    assert event()[6:] == (b"device",)
    assert event(device="ce0")[6:] == (b"ce0",)
    for kind in (CallHome.UNKNOWN, CallHome.DISCONNECTED):
        assert len(event(type=kind, device="ce0")) == len(event(type=kind, device=None)) == 6
    with pytest.raises(ValueError, match="device"):
        event(device=None)
    with pytest.raises(ValueError, match="level 82"):
        encode("call_home", type=CallHome.DISCONNECTED)


def test_what_is_sent_to_a_device_is_a_text() -> None:
    assert parts(encode("audit_network"))[1][-1] == b""


def test_commit_queue_at_level_66_has_no_trace() -> None:
    assert len(parts(encode("cq_progress", 66))) == 10
    assert len(parts(encode("cq_progress", 77))) == 11


@pytest.mark.parametrize(
    ("kind", "protocol", "product"),
    [
        ("jsonrpc", 66, "ncs"),
        ("audit_network", 77, "ncs"),
        ("compaction", 80, "ncs"),
        ("system_going_down", 80, "ncs"),
        ("system_going_down", 86, "ncs"),
        ("call_home", 82, "confd"),
        ("nothing", 82, "ncs"),
    ],
)
def test_notification_that_does_not_exist(kind: str, protocol: int, product: str) -> None:
    with pytest.raises(ValueError, match="no notification"):
        encode(kind, protocol, product)


def test_v1_trap() -> None:
    frame = encode("snmpa", pdu_type=1, time_stamp=9, generic_trap=6, enterprise="1.3.6")
    loopback = (127, 0, 0, 1)
    assert parts(frame) == (512, (1, 9, loopback, 161, 0, 6, 0, [], None, [1, 3, 6]))


def test_services_of_a_commit_queue_item() -> None:
    frame = encode(
        "cq_progress",
        completed_services=["/s1"],
        completed_services_completed_devices=[["d0"]],
        failed_services=["/s2"],
        failed_services_completed_devices=[[]],
        failed_services_failed_devices=[["d1", "d2"]],
    )
    assert parts(frame)[8:10] == ([(b"/s1", [b"d0"])], [(b"/s2", [], [b"d1", b"d2"])])
    with pytest.raises(ValueError, match="length"):
        encode("cq_progress", failed_devices=["d0"])


def test_texts() -> None:
    assert parts(encode("audit", msg=b"\xe5\xff"))[4] == b"\xe5\xff"
    assert parts(encode("audit", msg="å"))[4] == "å".encode()
    assert parts(encode("ha_secondary_died", peer="a node"))[1][1] == (b"node1", b"a node")


def test_wrong_fields() -> None:
    with pytest.raises(TypeError):
        encode("audit", nonsense=1)
    with pytest.raises(ValueError, match="address"):
        encode("call_home", ip="nowhere")
    with pytest.raises(ValueError, match="aware"):
        encode("stream_event", stream="s", time=TIME.replace(tzinfo=None))


def test_user_hides_its_password() -> None:
    assert "secret" not in repr(USER)


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (value.int8, 128),
        (value.uint8, -1),
        (value.uint64, 1 << 64),
        (value.of, 1 << 31),
        (value.decimal64, "9223372036854775808"),
    ],
)
def test_number_out_of_range(make: Any, wrong: Any) -> None:
    with pytest.raises(OverflowError):
        make(wrong)


def test_what_has_no_term() -> None:
    with pytest.raises(TypeError):
        frame_of({})
    with pytest.raises(TypeError):
        value.of(None)
    with pytest.raises(ValueError, match="decimal"):
        value.decimal64("1e5")


ATOMS = st.text(st.characters(max_codepoint=255), max_size=300).map(Atom)
TERMS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.binary()
    | ATOMS.filter(lambda atom: atom not in ("true", "false", "undefined")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.builds(lambda item, tail: Improper((item,), tail), inner, st.integers())
    ),
    max_leaves=20,
)
OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(TERMS)
def test_terms_round_trip(term: object) -> None:
    assert decode(encode_term(term)) == term


@given(st.binary() | st.binary().map(lambda data: b"\x83" + data))
def test_any_bytes_decode_or_raise_term_error(data: bytes) -> None:
    with suppress(TermError):
        decode(data)


@given(TERMS, st.data())
def test_cut_term_is_an_error(term: object, data: st.DataObject) -> None:
    encoded = encode_term(term)
    with pytest.raises(TermError):
        decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


@given(st.datetimes(timezones=OFFSETS))
def test_times_round_trip(time: datetime) -> None:
    assert DateTime.of(time).to_datetime() == time
    assert DateTime.of(time).to_datetime().utcoffset() == time.utcoffset()


@pytest.mark.parametrize(
    ("minutes", "zone"), [(-330, (-5, 30)), (-30, (0, -30)), (30, (0, 30)), (330, (5, 30))]
)
def test_zones(minutes: int, zone: tuple[int, int]) -> None:
    """The minutes have a sign only where the hours are 0."""
    time = datetime(2026, 1, 2, tzinfo=timezone(timedelta(minutes=minutes)))
    assert DateTime.of(time)[-2:] == zone
    assert value.datetime(time).term == (2026, 1, 2, 0, 0, 0, 0, *zone)
    assert DateTime.of(time).to_datetime() == time


def test_no_zone_is_an_empty_list() -> None:
    assert value.datetime((2026, 1, 2, 3, 4, 5, 6, -111, 7)).term == (2026, 1, 2, 3, 4, 5, 6, [], 0)
    assert value.date(2026, 1, 2, -111).term == (2026, 1, 2, [], 0)
    assert value.time(3, 4, 5, 6, -111).term == (3, 4, 5, 6, [], 0)


def test_atoms_leave_as_the_oldest_kind() -> None:
    assert frame_of(Atom("ok")) == b"\0\0\0\x06\x83d\0\x02ok"
    assert frame_of(None)[5:] == b"d\0\x09undefined"
    assert frame_of(True)[5:] == b"d\0\x04true"
    assert decode(b"\x83s\x02ok") == decode(b"\x83w\x02ok") == Atom("ok")
    with pytest.raises(ValueError, match="255 characters"):
        frame_of(Atom("x" * 256))


def test_string_ext_is_a_list_of_numbers() -> None:
    assert decode(b"\x83\x6b\x00\x02\x01\x03") == [1, 3]


def test_an_offset_with_seconds_is_refused() -> None:
    zone = timezone(timedelta(hours=1, seconds=30))
    with pytest.raises(ValueError, match="whole minutes"):
        DateTime.of(datetime(2026, 1, 2, tzinfo=zone))


def test_time_without_a_zone_counts_as_utc() -> None:
    time = DateTime(2026, 11, 23, 7, 50, 1, 123456, -111, -111)
    assert time.to_datetime() == TIME
