"""Every kind of notification, with its optional fields present and absent, at every level.

This module is run against the extension built for each API level and product, see test_levels.py.
"""

from __future__ import annotations

import socket
from datetime import datetime, timezone
from typing import Any, NamedTuple

import pytest
from conftest import LEVEL, PEER, PRODUCT, Connect, plain

import confd_events as events
from confd_events.description import catalog
from confd_events.description.releases import in_use
from confd_events.testing import (
    Daemon,
    SnmpColumn,
    SnmpOid,
    SnmpVariable,
    TagValue,
    User,
    encode,
    value,
)

USER = User(
    usid=11,
    username="admin",
    clearpass="secret",
    context="cli",
    proto=2,
    ip="127.0.0.1",
    port=4321,
    logintime=1_700_000_000,
    snmp_v3_ctx="ctx",
    flags=1,
)
UINFO = {
    "class": "UserInfo",
    "username": "admin",
    "usid": 11,
    "context": "cli",
    "proto": 2,
    "addr": "127.0.0.1",
    "af": socket.AF_INET,
    "port": 4321,
    "logintime": 1_700_000_000,
    "lmode": 0,
    "snmp_v3_ctx": "ctx",
    "clearpass": "secret",
    "flags": 1,
    "actx_thandle": 0,
}
WHEN = datetime(2026, 11, 23, 7, 50, 1, 123456, timezone.utc)
WHEN_PARTS = {
    "class": "DateTime",
    "year": 2026,
    "month": 11,
    "day": 23,
    "hour": 7,
    "min": 50,
    "sec": 1,
    "micro": 123456,
    "timezone": 0,
    "timezone_minutes": 0,
}
IP4 = {"af": socket.AF_INET, "ip4": "10.0.0.9"}
IP6 = {"af": socket.AF_INET6, "ip6": "2001:db8::9"}


def buf(text: str) -> dict[str, Any]:
    return {"class": "Value", "type": events.C_BUF, "str": text}


def name_list(*names: str) -> dict[str, Any]:
    return {"class": "Value", "type": events.C_LIST, "str": " ".join(names)}


class Case(NamedTuple):
    """What the daemon is told to send, and the dict that must arrive."""

    kind: str
    fields: dict[str, Any]
    bit: int
    member: str = ""
    payload: dict[str, Any] | None = None


def bit(name: str) -> int:
    """A bit by its name; 0 where the release lacks it: it has no such cases."""
    return int(getattr(events, f"NOTIF_{name}")) if in_use(f"NOTIF_{name}") else 0


def log_cases() -> list[Case]:
    fields = {"prio": 5, "logno": 10, "msg": "Starting up"}
    old = [("daemon_log", "DAEMON"), ("netconf", "NETCONF"), ("devel", "DEVEL")]
    new = [("jsonrpc", "JSONRPC"), ("webui", "WEBUI")]
    return [Case(kind, fields, bit(name), "syslog", fields) for kind, name in old] + [
        Case(kind, fields, bit(name), "syslog", fields) for kind, name in new
    ]


def ha_case(kind: str, fields: dict[str, Any], payload: dict[str, Any]) -> Case:
    return Case(kind, fields, bit("HA_INFO"), "hnot", payload)


def node(kind: str, peer: object, address: dict[str, Any]) -> Case:
    there = {"nodeid": buf("node1"), **address}
    number = {"died": 2, "arrived": 3}[kind]
    return ha_case(
        f"ha_secondary_{kind}",
        {"nodeid": "node1", "peer": peer},
        {"type": number, f"secondary_{kind}": there, f"slave_{kind}": there},
    )


HA = [
    ha_case("ha_noprimary", {"reason": 31}, {"type": 1, "noprimary": 31, "nomaster": 31}),
    node("died", "10.0.0.9", IP4),
    node("died", "2001:db8::9", IP6),
    node("arrived", "10.0.0.9", IP4),
    node("arrived", "a name", {"af": socket.AF_UNSPEC, "str": "a name"}),
    ha_case(
        "ha_initialized",
        {"cdb_initialized_by_copy": 1},
        {"type": 4, "cdb_initialized_by_copy": 1},
    ),
    ha_case("ha_is_primary", {}, {"type": 5}),
    ha_case("ha_is_none", {}, {"type": 6}),
    ha_case(
        "ha_besecondary_result",
        {"result": 25},
        {"type": 7, "besecondary_result": 25, "beslave_result": 25},
    ),
]

SNMP = [
    Case(
        "snmpa",
        {
            "pdu_type": 5,
            "request_id": 77,
            "error_status": 1,
            "error_index": 2,
            "ip": "10.0.0.9",
            "port": 161,
            "vb": [
                SnmpVariable("sysDescr", "v1", 3),
                SnmpOid((1, 3, 6, 1, 4, 1, 24961), "42", 2),
                SnmpColumn("ifDescr", (1, 300), "eth0", 3),
            ],
        },
        bit("SNMPA"),
        "snmpa",
        {
            "pdu_type": 5,
            "request_id": 77,
            "error_status": 1,
            "error_index": 2,
            **IP4,
            "port": 161,
            "vb": [
                {
                    "class": "SnmpVarbind",
                    "type": events.SNMP_VARIABLE,
                    "vartype": 3,
                    "name": "sysDescr",
                    "oid": None,
                    "column": None,
                    "rowindex": None,
                    "val": buf("v1"),
                },
                {
                    "class": "SnmpVarbind",
                    "type": events.SNMP_OID,
                    "vartype": 2,
                    "name": None,
                    "oid": [1, 3, 6, 1, 4, 1, 24961],
                    "column": None,
                    "rowindex": None,
                    "val": buf("42"),
                },
                {
                    "class": "SnmpVarbind",
                    "type": events.SNMP_COL_ROW,
                    "vartype": 3,
                    "name": None,
                    "oid": None,
                    "column": "ifDescr",
                    "rowindex": [1, 300],
                    "val": buf("eth0"),
                },
            ],
        },
    ),
    Case(
        "snmpa",
        {"pdu_type": 4, "request_id": 1, "ip": "2001:db8::9", "port": 162},
        bit("SNMPA"),
        "snmpa",
        {
            "pdu_type": 4,
            "request_id": 1,
            "error_status": 0,
            "error_index": 0,
            **IP6,
            "port": 162,
        },
    ),
    Case(
        "snmpa",
        {
            "pdu_type": 1,
            "ip": "10.0.0.9",
            "generic_trap": 6,
            "specific_trap": 3,
            "time_stamp": 12345,
            "enterprise": (1, 3, 6, 1),
        },
        bit("SNMPA"),
        "snmpa",
        {
            "pdu_type": 1,
            "request_id": 0,
            "error_status": 0,
            "error_index": 0,
            **IP4,
            "port": 161,
            "generic_trap": 6,
            "specific_trap": 3,
            "time_stamp": 12345,
            "enterprise": [1, 3, 6, 1],
        },
    ),
]

PROGRESS_FIELDS: dict[str, Any] = {
    "type": 2,
    "timestamp": 1_700_000_000_000_000,
    "duration": 5000,
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
    "attributes": {"device": "ex0", "commit-queue-id": 2**63},
    "links": [("t1", "s1")],
    "phase": "validate",
    "service": "/s1",
    "service_phase": "create",
    "commit_queue_id": 2**40,
    "node": "n1",
    "device": "d1",
    "device_phase": "connect",
    "package": "p1",
}
OLD_PROGRESS = {"phase"}
OLD_NSO_PROGRESS = {
    "service",
    "service_phase",
    "commit_queue_id",
    "node",
    "device",
    "device_phase",
    "package",
}
NEW_PROGRESS = {"span_id", "parent_span_id", "attributes", "links"}
BARE_PROGRESS = {"type": 3, "timestamp": 2**32, "usid": 1, "tid": 2, "datastore": 1}


def progress_payload(commit: bool) -> dict[str, Any]:
    """What is left of PROGRESS_FIELDS at this level."""
    if LEVEL < (7, 7):
        return {"database": 2, "usid": 11, "thandle": 77, "msg": "push configuration"}
    lacking = OLD_PROGRESS | OLD_NSO_PROGRESS if LEVEL >= (8, 2) else NEW_PROGRESS
    if PRODUCT == "CONFD":
        lacking = lacking | OLD_NSO_PROGRESS
    payload = {key: item for key, item in PROGRESS_FIELDS.items() if key not in lacking}
    if "links" in payload:
        payload["links"] = [{"class": "ProgressLink", "trace_id": "t1", "span_id": "s1"}]
    return {**payload, "database": 2, "thandle": 77} if commit else payload


def bare_progress_payload(commit: bool) -> dict[str, Any]:
    if LEVEL < (7, 7):
        return {"database": 1, "usid": 1, "thandle": 2}
    return {**BARE_PROGRESS, "database": 1, "thandle": 2} if commit else BARE_PROGRESS


PROGRESS = [
    Case("progress", PROGRESS_FIELDS, bit("PROGRESS"), "progress", progress_payload(False)),
    Case(
        "progress",
        BARE_PROGRESS,
        bit("PROGRESS"),
        "progress",
        bare_progress_payload(False),
    ),
    Case(
        "commit_progress",
        PROGRESS_FIELDS,
        bit("COMMIT_PROGRESS"),
        "progress",
        progress_payload(True),
    ),
    Case(
        "commit_progress",
        BARE_PROGRESS,
        bit("COMMIT_PROGRESS"),
        "progress",
        bare_progress_payload(True),
    ),
]

CQ_FULL = {
    "type": 4,
    "cq_id": 2**64 - 1,
    "completed_devices": ["d0", "d1"],
    "transient_devices": ["d2"],
    "failed_devices": ["d3"],
    "failed_reasons": ["reason"],
    "completed_services": ["/s0", "/s1"],
    "failed_services": ["/s2"],
}
CQ = [
    Case(
        "cq_progress",
        {
            **CQ_FULL,
            "cq_tag": "tag",
            "label": "label",
            "timestamp": WHEN,
            "trace_id": "trace",
            "completed_services_completed_devices": [["d0", "d1"], []],
            "failed_services_completed_devices": [["d4"]],
            "failed_services_failed_devices": [["d5", "d6"]],
        },
        bit("CQ_PROGRESS"),
        "cq_progress",
        {
            **CQ_FULL,
            "timestamp": WHEN_PARTS,
            **({"cq_tag": "tag"} if LEVEL < (8, 7) else {}),
            **({"label": "label"} if LEVEL >= (8, 5) else {}),
            **({"trace_id": "trace"} if (7, 7) <= LEVEL < (8, 7) else {}),
            "completed_services_completed_devices": [name_list("d0", "d1"), name_list()],
            "failed_services_completed_devices": [name_list("d4")],
            "failed_services_failed_devices": [name_list("d5", "d6")],
        },
    ),
    Case(
        "cq_progress",
        {"type": 1, "cq_id": 1, "timestamp": WHEN},
        bit("CQ_PROGRESS"),
        "cq_progress",
        {"type": 1, "cq_id": 1, "timestamp": WHEN_PARTS},
    ),
]

KEYS = {"ssh_host_key": "hostkey", "ssh_key_alg": "ssh-ed25519"}
AUDIT_NETWORK = {
    "usid": 11,
    "tid": 77,
    "user": "admin",
    "device": "dev0",
    "trace_id": "trace",
    "config": "<config/>",
}
DEVICES = [
    Case(
        "call_home",
        {"type": 1, "device": "dev0", "ip": "10.0.0.9", "port": 4334, **KEYS},
        bit("CALL_HOME_INFO"),
        "call_home",
        {"type": 1, "device": "dev0", **IP4, "port": 4334, **KEYS},
    ),
    Case(
        "call_home",
        {"type": 2, "ip": "2001:db8::9", "port": 65535, **KEYS},
        bit("CALL_HOME_INFO"),
        "call_home",
        {"type": 2, **IP6, "port": 65535, **KEYS},
    ),
    Case(
        "call_home",
        {"type": 3, "ip": "10.0.0.9", **KEYS},
        bit("CALL_HOME_INFO") if hasattr(events, "CALL_HOME_DEVICE_DISCONNECTED") else 0,
        "call_home",
        {"type": 3, **IP4, "port": 4334, **KEYS},
    ),
    Case(
        "audit_network",
        AUDIT_NETWORK,
        bit("AUDIT_NETWORK"),
        "audit_network",
        AUDIT_NETWORK,
    ),
    Case(
        "audit_network",
        {"usid": 1, "tid": 2, "user": "u", "device": "d"},
        bit("AUDIT_NETWORK"),
        "audit_network",
        {"usid": 1, "tid": 2, "user": "u", "device": "d", "config": ""},
    ),
]

AUDIT = {"logno": 60, "user": "admin", "msg": "logged in", "usid": 11}
COMPACTION = {
    "dbfile": 1,
    "type": 2,
    "fsize_start": 2**63,
    "fsize_end": 50,
    "fsize_last": 60,
    "time_start": 1_700_000_000_000_000,
    "duration": 1234,
    "ntrans": 2**32 - 1,
}
DIFF: dict[str, Any] = {"database": 2, "flags": 3}
CASES = [
    Case("audit", AUDIT, bit("AUDIT"), "audit", AUDIT),
    *log_cases(),
    Case(
        "commit",
        {"database": 2, "diff_available": 1, "flags": 1, "uinfo": USER},
        bit("COMMIT_SIMPLE"),
        "commit",
        {"database": 2, "diff_available": 1, "flags": 1, "uinfo": UINFO},
    ),
    Case(
        "user_session",
        {"type": 3, "uinfo": USER, "database": 1},
        bit("USER_SESSION"),
        "user_sess",
        {"type": 3, "uinfo": UINFO, "database": 1},
    ),
    *HA,
    Case(
        "subagent",
        {"type": 2, "name": "sub1"},
        bit("SUBAGENT_INFO"),
        "subagent",
        {"type": 2, "name": "sub1"},
    ),
    Case(
        "commit_failed",
        {"provider": 1, "dbname": 2},
        bit("COMMIT_FAILED"),
        "cfail",
        {"provider": 1, "dbname": 2},
    ),
    Case(
        "commit_failed",
        {"provider": 2, "dbname": 2, "ip": "10.0.0.9", "port": 830},
        bit("COMMIT_FAILED"),
        "cfail",
        {"provider": 2, "dbname": 2, **IP4, "port": 830},
    ),
    Case(
        "commit_failed",
        {"provider": 3, "dbname": 2, "daemon_name": "daemonx"},
        bit("COMMIT_FAILED"),
        "cfail",
        {"provider": 3, "dbname": 2, "daemon_name": "daemonx"},
    ),
    *SNMP,
    Case(
        "forward",
        {"type": 1, "target": "board-1", "uinfo": USER},
        bit("FORWARD_INFO"),
        "forward",
        {"type": 1, "target": "board-1", "uinfo": UINFO},
    ),
    Case(
        "confirmed_commit",
        {"type": 1, "timeout": 2**32 - 1, "uinfo": USER},
        bit("CONFIRMED_COMMIT"),
        "confirm",
        {"type": 1, "timeout": 2**32 - 1, "uinfo": UINFO},
    ),
    Case("upgrade", {"event": 4}, bit("UPGRADE_EVENT"), "upgrade", {"event": 4}),
    *PROGRESS,
    Case("compaction", COMPACTION, bit("COMPACTION"), "compaction", COMPACTION),
    *CQ,
    *DEVICES,
    Case("heartbeat", {}, bit("HEARTBEAT")),
    Case("health_check", {}, bit("HEALTH_CHECK")),
    Case("package_reload", {}, bit("PACKAGE_RELOAD")),
    Case("reopen_logs", {}, bit("REOPEN_LOGS")),
    Case("system_going_down", {}, bit("SYSTEM_GOING_DOWN")),
]
KNOWN = [case for case in CASES if case.bit]


def test_a_case_for_all_that_the_release_has() -> None:
    has = {n.name for n in catalog.NOTIFICATIONS if in_use(n.name)}
    without = {"NOTIF_COMMIT_DIFF", "NOTIF_STREAM_EVENT", "NOTIF_TAKEOVER_SYSLOG"}  # see below
    covered = {name for name in has if getattr(events, name) in {case.bit for case in KNOWN}}
    assert has - covered == without
    assert ("NOTIF_SYSTEM_GOING_DOWN" in covered) == (LEVEL >= (8, 7))


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: f"{case.kind}-{len(case.fields)}")
def test_kind(daemon: Daemon, connect: Connect, case: Case) -> None:
    # Intervals so long that only the notification of the case arrives.
    data = events.NotificationsData(3_600_000, 3_600_000)
    sock = connect(case.bit, data)
    assert getattr(daemon, case.kind)(**case.fields).count == 1
    got = plain(events.read_notification(sock))
    expected: dict[str, Any] = {"type": case.bit}
    if case.member:
        expected[case.member] = case.payload
    assert got == expected


@pytest.mark.parametrize(
    ("fields", "extra"),
    [
        ({"comment": "my comment", "label": "my label"}, {"comment", "label"}),
        ({"comment": "my comment"}, {"comment"}),
        ({}, set()),
    ],
)
def test_commit_diff(
    daemon: Daemon, sock: socket.socket, fields: dict[str, Any], extra: set[str]
) -> None:
    daemon.commit_diff(**DIFF, uinfo=USER, thandle=77, **fields)
    got: dict[str, Any] = dict(events.read_notification(sock)["commit_diff"])
    tctx = got.pop("tctx")
    assert plain(got) == {**DIFF, "uinfo": UINFO, **{key: fields[key] for key in extra}}
    assert (tctx.th, tctx.username, tctx.context) == (77, "admin", "cli")
    assert plain(tctx.uinfo) == UINFO
    events.diff_notification_done(sock, tctx)


@pytest.fixture
def stream(daemon: Daemon, connect: Connect) -> socket.socket:
    daemon.add_stream("NETCONF")
    return connect(events.NOTIF_STREAM_EVENT, events.NotificationsData(stream_name="NETCONF"))


def test_stream_event(daemon: Daemon, stream: socket.socket) -> None:
    daemon.stream_event(
        stream="NETCONF",
        time=WHEN,
        values=[
            TagValue(1111, 2222, value.XMLBEGIN),
            TagValue(1111, 3333, "text"),
            TagValue(1111, 2222, value.XMLEND),
        ],
    )
    got = plain(events.read_notification(stream))

    def tag_value(tag: int, type_: int, text: str) -> dict[str, Any]:
        held = {"class": "Value", "type": type_, "str": text}
        return {"class": "TagValue", "ns": 1111, "tag": tag, "v": held}

    assert got == {
        "type": events.NOTIF_STREAM_EVENT,
        "stream": {
            "type": events.STREAM_NOTIFICATION_EVENT,
            "event_time": WHEN_PARTS,
            "values": [
                tag_value(2222, events.C_XMLBEGIN, "tag<2222>"),
                tag_value(3333, events.C_BUF, "text"),
                tag_value(2222, events.C_XMLEND, "tag<2222>"),
            ],
        },
    }


def test_stream_event_without_values(daemon: Daemon, stream: socket.socket) -> None:
    daemon.stream_event(stream="NETCONF", time=WHEN)
    assert events.read_notification(stream)["stream"]["values"] == []


@pytest.mark.parametrize("nodeid", [value.binary(b"b" * 99), value.oid("1.3.6.1"), [1, 2, 3]])
def test_a_node_id_that_is_freed(daemon: Daemon, sock: socket.socket, nodeid: Any) -> None:
    """The library frees what such an id points to before it returns."""
    daemon.send_frame(
        encode("ha_secondary_arrived", PEER.protocol, PEER.product, nodeid=nodeid, peer="10.0.0.9")
    )
    node = events.read_notification(sock)["hnot"]["secondary_arrived"]
    assert (node["nodeid"].confd_type(), node["ip4"]) == (events.C_NOEXISTS, "10.0.0.9")


@pytest.mark.since(7, 7)
def test_what_a_frame_lacks_is_not_that_of_another(daemon: Daemon, sock: socket.socket) -> None:
    """Libraries of API level 8.0 leave as it was what a frame does not have."""
    for trace_id in ("that of another", None, "that of another", None):
        daemon.progress(msg="m", trace_id=trace_id)
    one_by_one = [events.read_notification(sock)["progress"] for _ in range(2)]
    at_once: list[Any] = []
    while len(at_once) < 2:
        at_once += [n["progress"] for n in events.read_notifications(sock)]
    found = [progress.get("trace_id") for progress in (*one_by_one, *at_once)]
    assert found == ["that of another", None] * 2


def test_other_stream_kinds(daemon: Daemon, stream: socket.socket) -> None:
    daemon.send_frame(encode("stream_replay_complete", stream="NETCONF"))
    daemon.send_frame(encode("stream_notification_complete", stream="NETCONF"))
    daemon.send_frame(encode("stream_replay_failed", stream="NETCONF", error="no such log"))
    assert [events.read_notification(stream)["stream"] for _ in range(3)] == [
        {"type": events.STREAM_REPLAY_COMPLETE},
        {"type": events.STREAM_NOTIFICATION_COMPLETE},
        {
            "type": events.STREAM_REPLAY_FAILED,
            "error": "no such log",
            "replay_error": "no such log",
        },
    ]


def test_odd_text(daemon: Daemon, sock: socket.socket) -> None:
    """Text that is not UTF-8 arrives whole; os.fsencode() or surrogateescape gives its bytes."""
    odd = bytes(range(1, 256))
    daemon.audit(user=b"M\xfcller", msg=odd)
    got = events.read_notification(sock)["audit"]
    assert got["user"].encode("utf-8", "surrogateescape") == b"M\xfcller"
    assert got["msg"].encode("utf-8", "surrogateescape") == odd


def test_text_fits_its_array(daemon: Daemon, sock: socket.socket) -> None:
    """The library cuts what its arrays can't hold."""
    daemon.audit(user="u" * 300, msg="m" * 10_000)
    got = events.read_notification(sock)["audit"]
    assert got["user"] == "u" * 254
    assert got["msg"] == "m" * 8191


def test_text_ends_at_nul(daemon: Daemon, sock: socket.socket) -> None:
    daemon.audit(user="ad\0min", msg="\0")
    got = events.read_notification(sock)["audit"]
    assert (got["user"], got["msg"]) == ("ad", "")


def test_extreme_numbers(daemon: Daemon, sock: socket.socket) -> None:
    daemon.audit(logno=2**31 - 1, usid=-(2**31))
    got = events.read_notification(sock)["audit"]
    assert (got["logno"], got["usid"]) == (2**31 - 1, -(2**31))


def test_dict_outlives_everything(daemon: Daemon, connect: Connect) -> None:
    """What a dict holds is its own: neither later reads nor closing the socket change it."""
    sock = connect()
    daemon.commit(uinfo=USER)
    first = events.read_notification(sock)
    daemon.commit(uinfo=User(username="other", usid=1))
    events.read_notification(sock)
    sock.close()
    assert plain(first["commit"]["uinfo"]) == UINFO


def test_password_stays_out_of_repr(daemon: Daemon, sock: socket.socket) -> None:
    daemon.commit(uinfo=USER)
    got = events.read_notification(sock)
    assert "secret" not in repr(got)
    assert "admin" in repr(got)
    assert got["commit"]["uinfo"].clearpass == "secret"
