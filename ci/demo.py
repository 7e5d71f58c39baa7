"""A simulated daemon sends every kind of notification; confd_events reads and acknowledges them.

The daemon runs in another process and speaks the protocol of NSO over TCP. On this side everything
is real: the extension, the C library (the stub libconfd, when run by ci/demo), the socket.
"""

from __future__ import annotations

import select
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from enum import IntEnum
from typing import Any

import confd_events as events
from confd_events.testing import (
    CallHome,
    CompactionFile,
    CompactionType,
    ConfirmedCommit,
    CqItem,
    DaemonProcess,
    Database,
    DataProvider,
    Delivery,
    ForwardInfo,
    HaInfo,
    Notif,
    ProgressType,
    SnmpPdu,
    SnmpVariable,
    SubagentInfo,
    Upgrade,
    User,
    UserSess,
    value,
)

Notification = Mapping[str, Any]
Deliveries = dict[str, Delivery]

PATIENCE = 20.0  # seconds
SPAN = "8d3c1f00a2b4e6d7"
TRACE = "b0a1c2d3e4f5061728394a5b6c7d8e9f"
NAMES = {100: "example-events", 101: "link-down", 102: "if-name", 103: "if-index"}
LINK_DOWN = [
    (100, 101, value.XMLBEGIN),
    (100, 102, "eth0"),
    (100, 103, value.uint32(7)),
    (100, 101, value.XMLEND),
]
ADMIN = User(usid=42, username="admin", clearpass="never-print-this", ip="192.0.2.10", port=50022)


class StreamType(IntEnum):
    """What came on an event stream."""

    NOTIFICATION_EVENT = events.STREAM_NOTIFICATION_EVENT
    NOTIFICATION_COMPLETE = events.STREAM_NOTIFICATION_COMPLETE
    REPLAY_COMPLETE = events.STREAM_REPLAY_COMPLETE
    REPLAY_FAILED = events.STREAM_REPLAY_FAILED


# Members of a notification that have a type, and what its numbers mean.
TYPES: dict[str, type[IntEnum]] = {
    "user_sess": UserSess,
    "hnot": HaInfo,
    "subagent": SubagentInfo,
    "forward": ForwardInfo,
    "confirm": ConfirmedCommit,
    "progress": ProgressType,
    "compaction": CompactionType,
    "stream": StreamType,
    "cq_progress": CqItem,
    "call_home": CallHome,
}

# The same for other keys.
NUMBERS: dict[str, type[IntEnum]] = {
    "database": Database,
    "dbname": Database,
    "provider": DataProvider,
    "pdu_type": SnmpPdu,
    "event": Upgrade,
    "dbfile": CompactionFile,
}

# The keys to show, in this order, where the payload has them.
SHOWN = {
    "audit": "user usid msg",
    "syslog": "prio msg",
    "commit": "database uinfo diff_available",
    "commit_diff": "database uinfo tctx comment label",
    "user_sess": "uinfo",
    "hnot": "noprimary secondary_died secondary_arrived cdb_initialized_by_copy besecondary_result",
    "subagent": "name",
    "cfail": "provider dbname daemon_name",
    "snmpa": "pdu_type ip4 port request_id vb",
    "forward": "target uinfo",
    "confirm": "timeout uinfo",
    "upgrade": "event",
    "progress": "tid duration subsystem msg attributes links",
    "compaction": "dbfile fsize_start fsize_end duration ntrans",
    "stream": "event_time values error",
    "cq_progress": "cq_id cq_tag completed_devices failed_devices failed_reasons",
    "call_home": "device ip4 port ssh_key_alg",
    "audit_network": "user usid device config",
}


# The daemon's side


def send_logs(daemon: DaemonProcess) -> Deliveries:
    """What the daemon writes into its logs."""
    return {
        "AUDIT": daemon.audit(user="admin", usid=42, msg="assigned to groups: operators"),
        "DAEMON": daemon.daemon_log(prio=5, msg="started"),
        "NETCONF": daemon.netconf(msg="id=42 new session"),
        "DEVEL": daemon.devel(prio=7, msg="callback took 12 ms"),
        "JSONRPC": daemon.jsonrpc(msg="id=43 request: get_system_setting"),
        "WEBUI": daemon.webui(msg="GET /index.html 200"),
        "REOPEN_LOGS": daemon.reopen_logs(),
    }


def send_commits(daemon: DaemonProcess) -> Deliveries:
    """A session that commits, and what may become of a commit."""
    return {
        "USER_SESSION/START": daemon.user_session(type=UserSess.START, uinfo=ADMIN),
        "COMMIT_SIMPLE": daemon.commit(uinfo=ADMIN, diff_available=1),
        "COMMIT_DIFF": daemon.commit_diff(uinfo=ADMIN, thandle=7, comment="new peer", label="T1"),
        "COMMIT_FAILED": daemon.commit_failed(
            provider=DataProvider.EXTERNAL, daemon_name="billing"
        ),
        "CONFIRMED_COMMIT/CONFIRMED": daemon.confirmed_commit(timeout=600, uinfo=ADMIN),
    }


def send_cluster(daemon: DaemonProcess) -> Deliveries:
    """What happens in a high availability cluster."""
    return {
        "HA_INFO/NOPRIMARY": daemon.ha_noprimary(reason=events.ERR_HA_CLOSED),
        "HA_INFO/SECONDARY_DIED": daemon.ha_secondary_died(nodeid="paris", peer="192.0.2.2"),
        "HA_INFO/SECONDARY_ARRIVED": daemon.ha_secondary_arrived(nodeid="lyon", peer="2001:db8::2"),
        "HA_INFO/SECONDARY_INITIALIZED": daemon.ha_initialized(cdb_initialized_by_copy=1),
        "HA_INFO/IS_PRIMARY": daemon.ha_is_primary(),
        "HA_INFO/IS_NONE": daemon.ha_is_none(),
        "HA_INFO/BESECONDARY_RESULT": daemon.ha_besecondary_result(),
    }


def send_progress(daemon: DaemonProcess) -> Deliveries:
    """A span of a transaction, and of a commit: its start, a remark, its end."""
    spans: Deliveries = {}
    for name, send in (("PROGRESS", daemon.progress), ("COMMIT_PROGRESS", daemon.commit_progress)):
        for step, duration in ((ProgressType.START, 0), (ProgressType.STOP, 1250)):
            spans[f"{name}/{step.name}"] = send(
                type=step, tid=7, duration=duration, subsystem="cdb", msg="write running"
            )
        spans[f"{name}/INFO"] = send(
            tid=7, msg="validated", attributes={"leafs": 12}, links=[(TRACE, SPAN)]
        )
    return spans


def send_network(daemon: DaemonProcess) -> Deliveries:
    """What NSO does with its devices."""
    config = "interface eth0 { mtu 9000 }"
    return {
        "AUDIT_NETWORK": daemon.audit_network(usid=42, tid=7, device="ce0", config=config),
        "CQ_PROGRESS/FAILED": daemon.cq_progress(
            type=CqItem.FAILED,
            cq_id=1700000000001,
            cq_tag="T1",
            completed_devices=["ce0", "ce1"],
            failed_devices=["pe0"],
            failed_reasons=["connection refused"],
        ),
        "CALL_HOME_INFO/CONNECTED": daemon.call_home(device="ce0", ip="192.0.2.77"),
        "PACKAGE_RELOAD": daemon.package_reload(),
    }


def send_system(daemon: DaemonProcess) -> Deliveries:
    """What else happens in and around the daemon, the end of its life last."""
    variable = SnmpVariable("sysContact.0", "noc@example.net")
    return {
        "SUBAGENT_INFO/DOWN": daemon.subagent(type=SubagentInfo.DOWN, name="shelf-2"),
        "SNMPA": daemon.snmpa(pdu_type=SnmpPdu.GET_REQUEST, ip="192.0.2.161", vb=[variable]),
        "FORWARD_INFO/UP": daemon.forward(target="shelf-2", uinfo=ADMIN),
        "UPGRADE_EVENT": daemon.upgrade(event=Upgrade.PERFORMED),
        "COMPACTION/AUTOMATIC": daemon.compaction(
            fsize_start=52_428_800, fsize_end=20_971_520, duration=380_000, ntrans=512
        ),
        "STREAM_EVENT/NOTIFICATION_COMPLETE": daemon.stream_notification_complete(stream="NETCONF"),
        "SYSTEM_GOING_DOWN": daemon.system_going_down(),
    }


SENDERS = (send_logs, send_commits, send_cluster, send_progress, send_network, send_system)

# What the daemon sends by itself: a replayed event, the replay's end, that it has nothing to
# replay on another stream, signs of life.
UNASKED = {
    "STREAM_EVENT/NOTIFICATION_EVENT",
    "STREAM_EVENT/REPLAY_COMPLETE",
    "STREAM_EVENT/REPLAY_FAILED",
    "HEARTBEAT",
    "HEALTH_CHECK",
}


def prepare(daemon: DaemonProcess) -> None:
    """Give the daemon streams, one with an event in its replay log, and names for the tags."""
    daemon.add_names(NAMES)
    daemon.add_stream("NETCONF")
    daemon.add_stream("alarms", replay=False)
    daemon.stream_event(stream="NETCONF", values=LINK_DOWN)


# The program's side


def everything() -> int:
    """A mask of all bits, also of those that make the daemon wait for acknowledgements."""
    mask = 0
    for name in dir(events):
        if name.startswith(("NOTIF_", "NCS_NOTIF_")) and "_FLAG_" not in name:
            mask |= getattr(events, name)
    return mask


def connect(sock: socket.socket, daemon: DaemonProcess, mask: int, stream: str) -> None:
    """Subscribe: signs of life every second, the stream from an hour ago."""
    data = events.NotificationsData(
        heartbeat_interval=1000,
        health_check_interval=1000,
        stream_name=stream,
        start_time=datetime.now(timezone.utc) - timedelta(hours=1),
        verbosity=events.VERBOSITY_DEBUG,
    )
    events.notifications_connect2(sock, mask, data, **daemon.address)


def arriving(
    socks: Sequence[socket.socket], deadline: float
) -> Iterator[tuple[socket.socket, Notification]]:
    """The notifications as they come, each with its socket, until the deadline."""
    while True:
        readable = select.select(socks, [], [], max(0, deadline - time.monotonic()))[0]
        if not readable:
            return
        for sock in readable:
            yield sock, events.read_notification(sock)


def acknowledge(sock: socket.socket, notification: Notification) -> bool:
    """Let the daemon go on, if it waits for this one; return whether it does."""
    bit = notification["type"]
    if bit == events.NOTIF_AUDIT:
        events.sync_audit_notification(sock, notification["audit"]["usid"])
    elif bit == events.NOTIF_COMMIT_DIFF:
        events.diff_notification_done(sock, notification["commit_diff"]["tctx"])
    elif bit == events.NOTIF_HA_INFO:
        events.sync_ha_notification(sock)
    elif bit == Notif.AUDIT_NETWORK:
        events.sync_audit_network_notification(sock, notification["audit_network"]["usid"])
    else:
        return False
    return True


def split(notification: Notification) -> tuple[str, Notification]:
    """The name of the member with the payload, and the payload; empty where there is none."""
    return next(((key, item) for key, item in notification.items() if key != "type"), ("", {}))


def kind_of(notification: Notification) -> str:
    """A name such as AUDIT or HA_INFO/SECONDARY_DIED."""
    member, payload = split(notification)
    name = str(Notif(notification["type"]).name)
    return f"{name}/{TYPES[member](payload['type']).name}" if member in TYPES else name


def fields_of(notification: Notification) -> str:
    """The main fields, as text."""
    member, payload = split(notification)
    keys = [key for key in SHOWN.get(member, "").split() if key in payload]
    shown = {key: NUMBERS[key](payload[key]) if key in NUMBERS else payload[key] for key in keys}
    return " ".join(f"{key}={as_text(item)}" for key, item in shown.items())


def as_text(item: object) -> str:
    """A field of any type, short and on one line."""
    if isinstance(item, IntEnum):
        return item.name
    if isinstance(item, events.UserInfo):
        return f"{item.username}@{item.addr}"
    if isinstance(item, events.TransCtxRef):
        return f"th:{item.th}"
    if isinstance(item, events.TagValue):
        ends = {events.C_XMLBEGIN: f"<{item}>", events.C_XMLEND: f"</{item}>"}
        return ends.get(item.v.confd_type(), f"{item}={item.v}")
    if isinstance(item, events.SnmpVarbind):
        return f"{item.name}={item.val}"
    if isinstance(item, events.ProgressLink):
        return f"{item.trace_id[:8]}../{item.span_id[:8]}.."
    if isinstance(item, list):
        return "[" + " ".join(map(as_text, item)) + "]"
    if isinstance(item, dict):
        return "{" + " ".join(f"{key}={as_text(part)}" for key, part in item.items()) + "}"
    return repr(item) if isinstance(item, str) and " " in item else str(item)


def show(socks: Sequence[socket.socket], expected: set[str]) -> set[str]:
    """Print and acknowledge what arrives until all that is expected has; return what has not."""
    missing = set(expected)
    for sock, notification in arriving(socks, time.monotonic() + PATIENCE):
        kind, fields = kind_of(notification), fields_of(notification)
        acknowledged = acknowledge(sock, notification)
        if kind in missing or kind not in expected:
            reply = "-> acknowledged" if acknowledged else ""
            print(" ".join(filter(None, (f"{kind:<35}", fields, reply))).rstrip(), flush=True)
        missing.discard(kind)
        if not missing:
            break
    return missing


def main() -> int:
    playing = DaemonProcess(product=events.library()["product"].lower())
    with playing as daemon, socket.socket() as first, socket.socket() as second:
        prepare(daemon)
        events.load_schemas(**daemon.address)
        connect(first, daemon, everything(), "NETCONF")
        connect(second, daemon, events.NOTIF_STREAM_EVENT, "alarms")
        daemon.wait_for_subscribers(2)
        sent = {name: item for send in SENDERS for name, item in send(daemon).items()}
        # A release has not all kinds; what it lacks is sent to nobody.
        expected = UNASKED | {name for name, delivery in sent.items() if delivery.count}
        missing = show((first, second), expected)
        with suppress(TimeoutError):
            for delivery in sent.values():
                delivery.wait()
        waiting = [name for name, delivery in sent.items() if not delivery.done]
        acknowledged = len(daemon.acknowledgements)
    return summary(len(expected) - len(missing), acknowledged, sorted(missing), waiting)


def summary(arrived: int, acknowledged: int, missing: list[str], waiting: list[str]) -> int:
    """Print the outcome; return the exit status."""
    library = events.library()
    stub = " (stub)" if library["stub"] else ""
    print(
        f"{arrived} kinds of notifications arrived from libconfd {library['version']}{stub} "
        f"over tcp, {acknowledged} acknowledged"
    )
    for problem, names in (("did not arrive", missing), ("not acknowledged", waiting)):
        if names:
            print(f"{problem}: {', '.join(names)}", file=sys.stderr)
    return 1 if missing or waiting else 0


if __name__ == "__main__":
    sys.exit(main())
