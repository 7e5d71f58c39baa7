"""Traces for people: the tree, the tables, and tracks for Perfetto."""

from __future__ import annotations

import io
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tracing import BEGIN, INFO, STOP, assembled, commit, number, progress, span_of

from confd_events.traces import Span
from confd_events.traces.chrome import write_chrome
from confd_events.traces.summary import summarized
from confd_events.traces.tree import duration, tree


def test_tree() -> None:
    failed = progress(
        STOP, 9500, "push", duration=200, span_id=number(7), annotation="error", device="ios0"
    )
    lines = list(tree(assembled([*commit(), failed]), events=True))
    assert lines == [
        "trace 228f19969dc64ce08ebe4f3abe763875  2023-11-14T22:13:20.000000+00:00",
        "       time   its own  step",
        "     9.0 ms    1.2 ms  applying transaction",
        "     3.9 ms    2.9 ms    validate",
        "     5.5 ms    5.5 ms      holding transaction lock",
        "     3.9 ms    3.9 ms    commit",
        "    +100 µs                · cdb: commit",
        "",
        f"trace {lines[8].split()[1]}  2023-11-14T22:13:20.009300+00:00",
        "       time   its own  step",
        "     200 µs    200 µs  push [ios0] FAILED: error",
    ]


def test_a_circle_of_parents_is_shown_once() -> None:
    circle = [*span_of("a", 0, 5, number(1), number(2)), *span_of("b", 1, 4, number(2), number(1))]
    words = " ".join(tree(assembled(circle))).split()
    assert (words.count("a"), words.count("b")) == (1, 1)


def test_durations() -> None:
    assert [duration(us) for us in (0, 999, 1_500, 2_000_000, 3_725_000_000)] == [
        "0 µs",
        "999 µs",
        "1.5 ms",
        "2.00 s",
        "62 min 5 s",
    ]


def test_summary() -> None:
    events = [
        *commit(),
        *span_of("taking transaction lock", 5000, 8600, number(8), tid=99, usid=50),
        *span_of("connect", 0, 700, number(9), device="ios0", subsystem="ncs-device-manager"),
        *span_of("show", 700, 1000, number(10), device="ios0"),
    ]
    found = summarized(assembled(events))
    assert [span.name for span in found.slowest[:2]] == [
        "applying transaction",
        "holding transaction lock",
    ]
    assert [(total.name, total.times, total.self_time) for total in found.by_device] == [
        ("ios0", 2, 1000)
    ]
    assert [total.name for total in found.by_subsystem] == ["ncs-device-manager"]
    (wait,) = found.lock_waits
    assert (wait.span.duration, wait.span.attributes["nso.tid"]) == (3600, 99)
    assert [(held.name, held.attributes["nso.tid"]) for held in wait.holders] == [
        ("holding transaction lock", 43)
    ]


def test_who_held_the_lock_before_there_was_a_step_of_that() -> None:
    """Up to NSO 6.0: from the end of taking it until it is said to be released."""
    events = [
        *span_of("applying transaction", 0, 9000, None),
        *span_of("grabbing transaction lock", 100, 200, None),
        progress(INFO, 8000, "releasing transaction lock"),
        *span_of("grabbing transaction lock", 5000, 8100, None, tid=99, usid=50),
        *span_of("grabbing transaction lock", 8200, 8400, None, tid=77, usid=60),
    ]
    found = summarized(assembled(sorted(events, key=lambda event: event["timestamp"])))
    held = {
        wait.span.attributes["nso.tid"]: [each.attributes["nso.tid"] for each in wait.holders]
        for wait in found.lock_waits
    }
    assert held == {99: [43], 77: [], 43: []}


def test_who_held_the_lock_of_a_device() -> None:
    """From the end of taking it until it is said to be released, within a step or outside."""
    ce0, ce1 = {"device": "ce0"}, {"device": "ce1"}
    events = [
        *span_of("sync-from", 0, 9000, None, **ce0),
        *span_of("taking device lock", 100, 200, None, **ce0),
        progress(INFO, 8000, "releasing device lock", **ce0),
        *span_of("taking device lock", 5000, 8100, None, tid=99, usid=50, service="/vpn{a}", **ce0),
        progress(INFO, 8200, "releasing device lock", tid=99, usid=50, service="/vpn{a}", **ce0),
        *span_of("taking device lock", 5000, 5100, None, tid=77, usid=60, **ce1),
    ]
    found = summarized(assembled(sorted(events, key=lambda event: event["timestamp"])))
    waits = {wait.span.attributes["nso.tid"]: wait for wait in found.device_lock_waits}
    held = {
        tid: [each.attributes["nso.tid"] for each in wait.holders] for tid, wait in waits.items()
    }
    assert held == {99: [43], 43: [], 77: []}
    assert (waits[99].span.device, waits[99].span.service) == ("ce0", "/vpn{a}")
    assert [(total.name, total.times, total.self_time) for total in found.by_locked_device] == [
        ("ce0", 2, 3200),
        ("ce1", 1, 100),
    ]
    assert found.lock_waits == []


def chrome(spans: list[Span]) -> list[dict[str, Any]]:
    file = io.StringIO()
    write_chrome(spans, file)
    events: list[dict[str, Any]] = json.loads(file.getvalue())["traceEvents"]
    return events


def test_chrome_has_a_track_for_each_device_of_a_session() -> None:
    events = chrome(
        assembled(
            [
                *commit(),
                *span_of("connect", 10, 700, number(9), device="ios0"),
                *span_of("connect", 20, 800, number(10), device="ios1"),
            ]
        )
    )
    tracks = {
        (event["pid"], event["tid"]): event["args"]["name"]
        for event in events
        if event["name"] == "thread_name"
    }
    placed = {
        (event["name"], tracks[event["pid"], event["tid"]]): (event["ts"] - BEGIN, event["dur"])
        for event in events
        if event["ph"] == "X"
    }
    assert placed == {
        ("applying transaction", "transaction"): (0, 9000),
        ("validate", "transaction"): (100, 3900),
        # It outlives the phase around it, and would not nest.
        ("holding transaction lock", "transaction (2)"): (3000, 5500),
        ("commit", "transaction"): (4100, 3900),
        ("connect", "ios0"): (10, 690),
        ("connect", "ios1"): (20, 780),
    }


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=30))
def test_chrome_nests_on_every_track(times: list[tuple[int, int]]) -> None:
    spans = []
    for index, (start, length) in enumerate(times):
        device = f"d{index % 2}"
        spans += assembled(span_of("x", start, start + length, number(index + 1), device=device))
    slices: dict[Any, list[tuple[int, int]]] = {}
    for event in chrome(spans):
        if event["ph"] == "X":
            track = slices.setdefault((event["pid"], event["tid"]), [])
            track.append((event["ts"], event["ts"] + event["dur"]))
    assert sum(map(len, slices.values())) == len(times)
    for track in slices.values():
        for start, end in track:
            for other, finish in track:
                apart = finish <= start or end <= other
                nested = (start <= other and finish <= end) or (other <= start and end <= finish)
                assert apart or nested
