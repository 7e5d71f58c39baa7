"""The subscribers, by name, and what each is sent. Both processes read this."""

from __future__ import annotations

from typing import NamedTuple

from confd_events.enums import Notif


class Kind(NamedTuple):
    """One way to subscribe."""

    daemon: str
    """Which of the daemons: "exact" loses nothing, "stream" fails badly, "churn" floods."""
    method: str
    """The daemon's method that sends what it gets."""
    what: tuple[Notif, ...]
    number: str
    """Where the number of each notification is: the key of the payload."""


# On "exact", each notification that is sent must be received or reported as dropped. No two
# subscribers there share a method, so that the sums can be compared one by one.
KINDS = {
    "read_notification": Kind("exact", "daemon_log", (Notif.DAEMON,), "msg"),
    "read_notifications": Kind("exact", "netconf", (Notif.NETCONF,), "msg"),
    "iterator, audit-sync": Kind("exact", "audit", (Notif.AUDIT, Notif.AUDIT_SYNC), "msg"),
    "iterator, commit-diff": Kind("exact", "commit_diff", (Notif.COMMIT_DIFF,), "label"),
    "manual, ha-info-sync": Kind(
        "exact", "ha_noprimary", (Notif.HA_INFO, Notif.HA_INFO_SYNC), "noprimary"
    ),
    "buffer, wait": Kind("exact", "devel", (Notif.DEVEL,), "msg"),
    "buffer, drop-oldest": Kind("exact", "webui", (Notif.WEBUI,), "msg"),
    "asyncio": Kind("exact", "progress", (Notif.PROGRESS,), "msg"),
    "asyncio, buffer": Kind("exact", "jsonrpc", (Notif.JSONRPC,), "msg"),
    "stream, replay": Kind("stream", "stream_event", (), ""),
    "stream, replay, asyncio": Kind("stream", "stream_event", (), ""),
    "closed by a thread": Kind("churn", "audit", (Notif.AUDIT, Notif.AUDIT_SYNC), "msg"),
    "buffer, raise": Kind("churn", "audit", (Notif.AUDIT,), "msg"),
    "asyncio, cancelled": Kind("churn", "audit", (Notif.AUDIT, Notif.AUDIT_SYNC), "msg"),
}
STREAM = "soak"
HEARTBEAT = 0.4  # seconds
