"""Notifications made up at random, for a daemon that has no script."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from random import Random
from typing import Any

from ._script import Step, step

_USERS = [
    {"username": "admin", "usid": 11, "context": "cli", "ip": "192.0.2.10", "port": 50022},
    {"username": "ada", "usid": 12, "context": "netconf", "ip": "192.0.2.11", "port": 50023},
    {"username": "grace", "usid": 13, "context": "rest", "proto": 7, "ip": "2001:db8::12"},
    {"username": "system", "usid": 0, "context": "system", "proto": 3},
]
_NAMES = [user["username"] for user in _USERS]
_USIDS = range(11, 14)
_TRANSACTIONS = range(1, 1000)
_DEVICES = ["ce0", "ce1", "pe0", "pe1"]
_NODES = ["paris", "lyon"]
_TRACES = ["b0a1c2d3e4f5061728394a5b6c7d8e9f", "0af7651916cd43dd8448eb211c80319c"]
_SIZES = range(1_000_000, 90_000_000)
_LINE = {"prio": ["err", "warning", "notice", "info"]}
_PROGRESS: dict[str, Sequence[Any]] = {
    "type": ["start", "stop", "info"],
    "duration": range(100, 100_000),
    "usid": _USIDS,
    "tid": _TRANSACTIONS,
    "trace_id": _TRACES,
    "span_id": ["8d3c1f00a2b4e6d7", "b7ad6b7169203331"],
    "subsystem": ["cdb", "ncs", "transaction"],
    "msg": ["applying transaction", "creating rollback file", "running validation"],
}

# For each notification, what its fields may be, as in a script. Heartbeats and health checks are
# not here: the daemon sends them by itself. Nor is what ends an event stream or the daemon.
MIX: dict[str, dict[str, Sequence[Any]]] = {
    "audit": {
        "user": _NAMES,
        "usid": _USIDS,
        "msg": ["created new session", "terminated session", "CLI 'commit'", "CLI 'show'"],
    },
    "daemon_log": {**_LINE, "msg": ["starting phase 2", "reloading the data models"]},
    "netconf": {**_LINE, "msg": ["got rpc: edit-config", "sending rpc-reply", "session closed"]},
    "devel": {**_LINE, "msg": ["callback took 12 ms", "daemon 'billing' registered"]},
    "jsonrpc": {**_LINE, "msg": ["id=43 request: get_system_setting", "id=44 request: query"]},
    "webui": {**_LINE, "msg": ["GET /index.html 200", "GET /missing 404"]},
    "commit": {"database": ["running", "candidate"], "diff_available": [0, 1], "uinfo": _USERS},
    "commit_diff": {
        "uinfo": _USERS,
        "thandle": _TRANSACTIONS,
        "comment": ["", "new peer"],
        "label": ["", "T1"],
    },
    "user_session": {"type": ["start", "stop", "lock", "unlock"], "uinfo": _USERS},
    "ha_noprimary": {"reason": [26, 31]},
    "ha_secondary_died": {"nodeid": _NODES, "peer": ["192.0.2.2", "2001:db8::2"]},
    "ha_secondary_arrived": {"nodeid": _NODES, "peer": ["192.0.2.2", "2001:db8::2"]},
    "ha_initialized": {"cdb_initialized_by_copy": [0, 1]},
    "ha_is_primary": {},
    "ha_is_none": {},
    "ha_besecondary_result": {"result": [0, 25]},
    "subagent": {"type": ["up", "down"], "name": ["shelf-1", "shelf-2"]},
    "commit_failed": {"provider": ["cdb", "netconf", "external"], "daemon_name": ["billing"]},
    "snmpa": {
        "pdu_type": ["get-request", "get-next-request", "get-response"],
        "request_id": range(1, 1000),
        "ip": ["192.0.2.161"],
        "vb": [[{"name": "sysContact.0", "value": "noc@example.net"}], []],
    },
    "forward": {"type": ["up", "down", "failed"], "target": ["shelf-2"], "uinfo": _USERS},
    "confirmed_commit": {
        "type": ["confirmed", "confirming", "abort"],
        "timeout": [0, 600],
        "uinfo": _USERS,
    },
    "upgrade": {"event": ["init-started", "init-succeeded", "performed", "aborted"]},
    "progress": _PROGRESS,
    "commit_progress": _PROGRESS,
    "compaction": {
        "dbfile": ["a-cdb", "o-cdb", "s-cdb"],
        "type": ["automatic", "manual"],
        "fsize_start": _SIZES,
        "fsize_end": _SIZES,
        "duration": range(1000, 1_000_000),
        "ntrans": range(1, 1000),
    },
    "stream_event": {
        "stream": ["NETCONF"],
        "values": [
            [
                [100, 101, {"constant": "XMLBEGIN"}],
                [100, 102, name],
                [100, 103, {"uint32": index}],
                [100, 101, {"constant": "XMLEND"}],
            ]
            for index, name in enumerate(("eth0", "eth1"), start=1)
        ],
    },
    "cq_progress": {
        "type": ["waiting", "executing", "locked", "completed"],
        "cq_id": range(1_700_000_000_000, 1_700_000_001_000),
        "cq_tag": ["T1", "T2"],
        "completed_devices": [[], ["ce0"], ["ce0", "ce1"]],
    },
    "call_home": {
        "type": ["connected", "unknown"],
        "device": _DEVICES,
        "ip": ["192.0.2.77"],
    },
    "audit_network": {
        "usid": _USIDS,
        "tid": _TRANSACTIONS,
        "user": _NAMES,
        "device": _DEVICES,
        "trace_id": _TRACES,
        "config": ["interface eth0 mtu 9000", "no interface eth1"],
    },
    "package_reload": {},
    "reopen_logs": {},
}


def mix(kinds: Collection[str], rate: float, random: Random) -> Iterator[Step]:
    """Endless steps of these kinds, `rate` of them a second; the same for the same random state."""
    names = list(kinds)
    while True:
        kind = random.choice(names)
        fields = {name: random.choice(choices) for name, choices in MIX[kind].items()}
        yield step({"notification": kind, "after": 1 / rate, **fields})
