"""The subscribers, by name, and what each is sent. Both processes read this."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """One way to subscribe."""

    daemon: str
    """Which of the daemons: "exact" loses nothing, "stream" fails badly, "churn" floods."""
    method: str
    """The daemon's method that sends what it gets."""
    what: tuple[str, ...]
    number: str
    """Where the number of each notification is: the key of the payload."""


# On "exact", each notification that is sent must be received or reported as dropped. No two
# subscribers there share a method, so that the sums can be compared one by one.
KINDS = {
    "read_notification": Kind("exact", "daemon_log", ("daemon",), "msg"),
    "read_notifications": Kind("exact", "netconf", ("netconf",), "msg"),
    "iterator, audit-sync": Kind("exact", "audit", ("audit", "audit-sync"), "msg"),
    "iterator, commit-diff": Kind("exact", "commit_diff", ("commit-diff",), "label"),
    "manual, ha-info-sync": Kind("exact", "ha_noprimary", ("ha-info", "ha-info-sync"), "noprimary"),
    "buffer, wait": Kind("exact", "devel", ("devel",), "msg"),
    "buffer, drop-oldest": Kind("exact", "webui", ("webui",), "msg"),
    "asyncio": Kind("exact", "progress", ("progress",), "msg"),
    "asyncio, buffer": Kind("exact", "jsonrpc", ("jsonrpc",), "msg"),
    "stream, replay": Kind("stream", "stream_event", (), ""),
    "stream, replay, asyncio": Kind("stream", "stream_event", (), ""),
    "closed by a thread": Kind("churn", "audit", ("audit", "audit-sync"), "msg"),
    "buffer, raise": Kind("churn", "audit", ("audit",), "msg"),
    "asyncio, cancelled": Kind("churn", "audit", ("audit", "audit-sync"), "msg"),
}
STREAM = "soak"
HEARTBEAT = 0.4  # seconds
