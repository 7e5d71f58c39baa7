"""NSO's progress trace files: the columns of each release."""

from __future__ import annotations

import csv
import io
from datetime import timedelta, timezone

import pytest
from tracing import check, in_order

from confd_events.traces import Link, read_csv, spans

TRACE = "44e4cdb9-9eca-48f9-9708-f0847a8198b0"
ROOT, STEP = "6c84b0b565a3891c", "34d4827da16aa0de"
_SERVICE = [
    "PHASE",
    "SERVICE",
    "SERVICE PHASE",
    "COMMIT QUEUE ID",
    "NODE",
    "DEVICE",
    "DEVICE PHASE",
    "PACKAGE",
]
_WITH_TYPES = ["EVENT TYPE", "TIMESTAMP", "DURATION"]
_SESSION = ["SESSION ID", "TRANSACTION ID", "DATASTORE", "CONTEXT"]
_END = ["MESSAGE", "ANNOTATION"]
_TEXTS = [
    *("TIMESTAMP", "TID", "SESSION ID", "CONTEXT", "SUBSYSTEM"),
    *_SERVICE,
    *("DURATION", "MESSAGE"),
]
_WITH_TRACE_ID = [*_WITH_TYPES, *_SESSION, "TRACE ID", "SUBSYSTEM", *_SERVICE, *_END]
# The columns, by the first release that writes the file as it is. Some have the columns of the one
# before: from 5.7 on times are in microseconds, from 6.0 on there is a trace id under its column.
COLUMNS = {
    "4.7": _TEXTS,
    "5.1": _TEXTS,
    "5.4": [*_WITH_TYPES, *_SESSION, "SUBSYSTEM", *_SERVICE, *_END],
    "5.7": _WITH_TRACE_ID,
    "6.0": _WITH_TRACE_ID,
    "6.1": [
        *_WITH_TYPES,
        *("TRACE ID", "SPAN ID", "PARENT SPAN ID"),
        *_SESSION,
        *("SUBSYSTEM", "MESSAGE", "ANNOTATION"),
        *("ATTRIBUTE NAME", "ATTRIBUTE VALUE", "LINK TRACE ID", "LINK SPAN ID"),
    ],
}


def row(kind: str, milliseconds: int, took: str, message: str, **more: str) -> dict[str, str]:
    """What a row says, in the columns of any release."""
    return {
        "EVENT TYPE": kind,
        "TIMESTAMP": f"2024-02-05T10:00:00.{milliseconds}",
        "DURATION": took,
        "SESSION ID": "40",
        "TRANSACTION ID": "39",
        "TID": "39",
        "DATASTORE": "running",
        "CONTEXT": "cli",
        "TRACE ID": TRACE,
        "MESSAGE": message,
        **more,
    }


def written(release: str) -> list[str]:
    """The file that a release writes of a transaction with one step."""
    device = {"DEVICE": "ce0", "PACKAGE": "ned", "COMMIT QUEUE ID": "7"}
    root, step = {"SPAN ID": ROOT}, {"SPAN ID": STEP, "PARENT SPAN ID": ROOT, **device}
    further = [
        {"ATTRIBUTE NAME": name.lower().replace(" ", "_"), "ATTRIBUTE VALUE": device[name]}
        for name in device
    ]
    link = {"LINK TRACE ID": TRACE, "LINK SPAN ID": "8770222b20449918"}
    begun, ended, done = ("...", " ok", " done") if COLUMNS[release] is _TEXTS else ("", "", "")
    precise = release in ("5.7", "6.0", "6.1")
    rows = [
        row("start", 100, "", f"applying transaction{begun}", **root),
        row("start", 101, "", f"connect{begun}", **step, **further[0], **link),
        *(further[1:] if release == "6.1" else ()),
        row("stop", 103, "0.002", f"connect{ended}", **step),
        row("stop", 110, "0.010", f"applying transaction{done}", **root),
    ]
    for each in rows:
        if precise and "TIMESTAMP" in each:
            each["TIMESTAMP"] += "250"
        if release < "6.0":
            each.pop("TRACE ID", None)
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS[release], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().splitlines()


@pytest.mark.parametrize("release", COLUMNS)
def test_each_layout(release: str) -> None:
    found = in_order(spans(read_csv(written(release), zone=timezone.utc)))
    check(found)
    root, connect = found
    fraction = 250 if release in ("5.7", "6.0", "6.1") else 0
    assert (root.name, root.duration, root.parent_id) == ("applying transaction", 10_000, None)
    assert root.start == 1_707_127_200_100_000 + fraction
    assert (connect.name, connect.duration, connect.parent_id) == ("connect", 2_000, root.span_id)
    expected = {"nso.usid": 40, "nso.tid": 39, "nso.device": "ce0", "nso.package": "ned"}
    assert expected.items() <= connect.attributes.items()
    assert str(connect.attributes["nso.commit_queue_id"]) == "7"
    assert not root.incomplete
    assert (root.trace_id == TRACE.replace("-", "")) == (release >= "6.0")


def test_files_put_one_after_another() -> None:
    lines = [*written("5.4"), *written("6.1")]
    found = list(spans(read_csv(lines, zone=timezone.utc)))
    check(found)
    names = sorted(span.name for span in found)
    assert names == ["applying transaction"] * 2 + ["connect"] * 2


def test_links_and_attributes_on_further_lines() -> None:
    (_, connect) = in_order(spans(read_csv(written("6.1"), zone=timezone.utc)))
    assert connect.links == [Link(TRACE.replace("-", ""), "8770222b20449918")]


def test_times_are_in_the_zone_that_is_given() -> None:
    zone = timezone(timedelta(hours=2))
    first = next(iter(read_csv(written("5.4"), zone=zone)))
    assert first["timestamp"] == 1_707_120_000_100_000


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: not a progress trace"),
        ("A,B\n1,2\n", "line 1: not a progress trace"),
        ("TIMESTAMP,MESSAGE\n2024-99-05T10:00:00.100,x\n", "line 2: '2024-99-05T10:00:00.100' is"),
        ("EVENT TYPE,TIMESTAMP,MESSAGE\nbegin,2024-02-05T10:00:00,x\n", "line 2: 'begin' is none"),
        ("TIMESTAMP,TID,MESSAGE\n2024-02-05T10:00:00,x,x\n", "line 2: 'x' is not a number"),
        ("TIMESTAMP,DURATION,MESSAGE\n2024-02-05T10:00:00,x,x\n", "line 2: 'x' is not a length"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        list(read_csv(text.splitlines()))
