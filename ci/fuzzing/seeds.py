"""Valid frames to begin with: the recorded ones, each notification's default, the corpus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import confd_events as events
from confd_events.description.catalog import NOTIFICATIONS
from confd_events.testing import SnmpColumn, SnmpOid, SnmpVariable, encode
from confd_events.testing._notifications import KINDS, Peer

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "fuzz"
CORPUS = ROOT / "tests" / "data" / "corpus"
RECORDED_FOR = 82
RECORDED = ROOT / "tests" / "data" / "notifications-82.json"

SMALLEST, LARGEST = 6, 8 * 1024

# In place of now: the same seed shall give the same frames in each run.
_TIME = datetime(2026, 11, 23, 7, 50, 1, tzinfo=timezone.utc)
_MICROSECONDS = int(_TIME.timestamp()) * 1_000_000
_MOMENTS: dict[str, dict[str, Any]] = {
    "progress": {"timestamp": _MICROSECONDS},
    "commit_progress": {"timestamp": _MICROSECONDS},
    "compaction": {"time_start": _MICROSECONDS},
    "stream_event": {"time": _TIME},
    "cq_progress": {"timestamp": _TIME},
}

# What neither the recorded frames nor the defaults have.
_RICH: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "snmpa",
        {
            "pdu_type": 1,
            "enterprise": "1.3.6.1.4.1",
            "vb": [SnmpOid("1.300.3", "a"), SnmpColumn("c", (1, 300), "b"), SnmpVariable("n", "c")],
        },
    ),
    (
        "cq_progress",
        {
            "completed_services": ["/s0"],
            "completed_services_completed_devices": [["d0", "d1"]],
            "failed_services": ["/s1"],
            "failed_services_completed_devices": [["d2"]],
            "failed_services_failed_devices": [["d3"]],
        },
    ),
    ("call_home", {"ip": "2001:db8::9", "device": "dev0"}),
    ("ha_secondary_died", {"nodeid": [1, "n"], "peer": "a name"}),
    ("commit_failed", {"provider": 3, "daemon_name": "d"}),
)


def _valid(peer: Peer, bits: set[int]) -> Iterator[bytes]:
    """What a daemon sends this peer of the notifications with these bits."""
    if peer.protocol == RECORDED_FOR:
        for vector in json.loads(RECORDED.read_text("utf-8"))["vectors"]:
            if vector["expect"]["type"] in bits:
                yield bytes.fromhex(vector["frame"])
    defaults = [(name, {"stream": "s"} if name.startswith("stream_") else {}) for name in KINDS]
    for name, fields in (*defaults, *_RICH):
        if KINDS[name].bit in bits and KINDS[name].exists_for(peer):
            yield encode(name, *peer, **{**_MOMENTS.get(name, {}), **fields})


def announced(data: bytes) -> int:
    """The size of the frame that begins here, its length included."""
    return 4 + int.from_bytes(data[:4], "big")


def split(data: bytes) -> list[bytes]:
    """The frames of a stream; the last may be cut."""
    frames = []
    while data:
        frames.append(data[: announced(data)])
        data = data[announced(data) :]
    return frames


def seeds() -> list[bytes]:
    """Whole frames without repetition, in an order that does not change."""
    frames = list(_valid(Peer(), {kind.bit for kind in KINDS.values()}))
    for path in sorted(CORPUS.glob("*.frames")):
        frames += split(path.read_bytes())
    return [frame for frame in dict.fromkeys(frames) if _is_whole(frame)]


def well_formed_seeds() -> list[bytes]:
    """The same without the corpus, for the level and product of the library in use."""
    library = events.library()
    peer = Peer(library["protocol"], library["product"].lower())
    bits = {getattr(events, n.name) for n in NOTIFICATIONS if hasattr(events, n.name)}
    return [frame for frame in dict.fromkeys(_valid(peer, bits)) if _is_whole(frame)]


def _is_whole(frame: bytes) -> bool:
    """Whether a frame is complete, has a term to change, and is not large."""
    return SMALLEST <= len(frame) <= LARGEST and len(frame) == announced(frame)
