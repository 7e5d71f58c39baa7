"""Valid frames to begin with: the recorded ones, each notification's default, the corpus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from confd_events.testing import SnmpColumn, SnmpOid, SnmpVariable, encode
from confd_events.testing._notifications import KINDS

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "fuzz"
CORPUS = ROOT / "tests" / "data" / "corpus"
RECORDED = ROOT / "tests" / "data" / "notifications-82.json"

SMALLEST, LARGEST = 6, 8 * 1024

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


def _defaults() -> Iterator[bytes]:
    for name in KINDS:
        fields: dict[str, Any] = {"stream": "s"} if name.startswith("stream_") else {}
        yield encode(name, **fields)


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
    recorded = json.loads(RECORDED.read_text("utf-8"))["vectors"]
    frames = [bytes.fromhex(vector["frame"]) for vector in recorded]
    frames += _defaults()
    frames += [encode(name, **fields) for name, fields in _RICH]
    for path in sorted(CORPUS.glob("*.frames")):
        frames += split(path.read_bytes())
    return [frame for frame in dict.fromkeys(frames) if _is_whole(frame)]


def _is_whole(frame: bytes) -> bool:
    """Whether a frame is complete, has a term to change, and is not large."""
    return SMALLEST <= len(frame) <= LARGEST and len(frame) == announced(frame)
