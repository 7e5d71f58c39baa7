"""The notifications that are sent: of each kind some that differ, as real ones do."""

from __future__ import annotations

from typing import Callable

import confd_events as events
from confd_events.testing import TagValue, User, encode, value

_VARIANTS = 64
_EPOCH = 1_763_900_000
_LIBRARY = events.library()


def _frame(name: str, **fields: object) -> bytes:
    """As the library in use reads it."""
    return encode(name, _LIBRARY["protocol"], _LIBRARY["product"].lower(), **fields)


def heartbeat(_: int) -> bytes:
    return _frame("heartbeat")


def audit(n: int) -> bytes:
    msg = f"CLI 'show interface GigabitEthernet0/{n}'"
    return _frame("audit", logno=14, user="admin", usid=4711 + n, msg=msg)


def commit(n: int) -> bytes:
    uinfo = User(
        username="admin",
        usid=4711 + n,
        context="netconf",
        ip=f"198.51.100.{n}",
        port=52022 + n,
        logintime=_EPOCH + n,
    )
    return _frame("commit", uinfo=uinfo, diff_available=1)


def progress(n: int) -> bytes:
    return _frame(
        "progress",
        type=3,
        timestamp=(_EPOCH + n) * 1_000_000,
        usid=4711,
        tid=n,
        trace_id="0af7651916cd43dd8448eb211c80319c",
        span_id=f"b7ad6b716920{n:04x}",
        context="cli",
        subsystem="cdb",
        msg="taking transaction lock",
        attributes={"service": f"/vpn{{customer{n}}}", "devices": n},
    )


def stream(n: int, tags: int = 10) -> bytes:
    """An event with so many tags: text and numbers by turns."""
    values = [
        TagValue(1000 + tag, 77, value.uint32(n * tag) if tag % 2 else f"GigabitEthernet{n}/{tag}")
        for tag in range(tags)
    ]
    return _frame("stream_event", stream="interface", values=values)


def commit_queue(n: int, devices: int = 10) -> bytes:
    """An item of the commit queue that is done on so many devices."""
    names = [f"access-router-{n + device}" for device in range(devices)]
    return _frame("cq_progress", cq_id=n, cq_tag="nightly", completed_devices=names)


def variants(make: Callable[[int], bytes]) -> tuple[bytes, ...]:
    """The frames of a load."""
    return tuple(make(n) for n in range(_VARIANTS))


LOADS: dict[str, Callable[[int], bytes]] = {
    "heartbeat": heartbeat,
    "audit": audit,
    "commit": commit,
    "progress": progress,
    "stream": stream,
}
if _LIBRARY["product"] == "NCS":
    LOADS["commit queue"] = commit_queue
