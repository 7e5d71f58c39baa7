"""Spans from progress notifications, as daemons really send them."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from subscribing import subscribed
from tracing import (
    BEGIN,
    INFO,
    START,
    STOP,
    TRACE,
    assembled,
    check,
    commit,
    in_order,
    number,
    progress,
    span_of,
    spans_of,
)

from confd_events.error import EOF
from confd_events.testing import Daemon
from confd_events.traces import Link, Span, SpanAssembler, follow_batches, spans

WINDOW = 100_000  # µs, the default


def named(name: str, events: list[dict[str, Any]]) -> Any:
    (found,) = [span for span in assembled(events) if span.name == name]
    return found


def test_a_commit() -> None:
    found = assembled(commit())
    check(found)
    assert [(span.name, span.start - BEGIN, span.duration) for span in found] == [
        ("applying transaction", 0, 9000),
        ("validate", 100, 3900),
        ("holding transaction lock", 3000, 5500),
        ("commit", 4100, 3900),
    ]
    assert [span.parent_id for span in found] == [None, number(1), number(2), number(1)]
    assert {span.trace_id for span in found} == {TRACE.replace("-", "")}
    assert not any(span.incomplete or span.error for span in found)


def test_a_span_has_what_the_daemon_says_of_it() -> None:
    said: dict[str, Any] = {
        "context": "cli",
        "subsystem": "cdb",
        "datastore": 2,
        "attributes": {"device": "ios0", "tries": 3},
        "links": [SimpleNamespace(trace_id=TRACE, span_id=number(9))],
    }
    span = named("connect", span_of("connect", 0, 5, number(1), **said))
    assert span.attributes == {
        "nso.usid": 41,
        "nso.tid": 43,
        "nso.context": "cli",
        "nso.subsystem": "cdb",
        "nso.datastore": "running",
        "nso.device": "ios0",
        "nso.tries": 3,
    }
    assert span.device == "ios0"
    assert span.links == [Link(TRACE.replace("-", ""), number(9))]


def test_an_info_is_an_event_of_its_span() -> None:
    (event,) = named("commit", commit()).events
    assert (event.time - BEGIN, event.name) == (4200, "commit")
    assert event.attributes == {"nso.subsystem": "cdb"}


def test_an_info_outside_of_any_span_is_a_span_of_no_length() -> None:
    info = progress(INFO, 7, "late news", trace_id=TRACE, span_id=number(5))
    (span,) = assembled([info])
    check([span])
    assert (span.name, span.duration, span.parent_id) == ("late news", 0, number(5))


def test_a_failure_is_an_error() -> None:
    start, stop = span_of("connect", 0, 5, number(1))
    assert named("connect", [start, {**stop, "annotation": "error"}]).error == "error"
    assert named("connect", [start, {**stop, "annotation": "empty"}]).error is None


def test_a_parent_that_was_not_seen_is_kept() -> None:
    remote = "00f067aa0ba902b7"
    assert named("commit", span_of("commit", 0, 5, number(1), remote)).parent_id == remote


def test_a_stop_alone_is_a_span() -> None:
    _, stop = span_of("commit", 10, 25, number(1), number(2))
    (span,) = assembled([stop])
    assert (span.start - BEGIN, span.duration, span.parent_id) == (10, 15, number(2))
    assert not span.incomplete


def test_a_span_id_that_comes_again_is_replaced() -> None:
    events = [
        *span_of("validate", 0, 100, number(1)),
        *span_of("run validation", 10, 20, number(2), number(1)),
        *span_of("run dependency-triggered validation", 30, 40, number(2), number(1)),
        *span_of("of the second", 32, 38, number(3), number(2)),
    ]
    found = {span.name: span for span in assembled(events)}
    check(found.values())
    second = found["run dependency-triggered validation"]
    assert found["run validation"].span_id == number(2)
    assert second.attributes["nso.span_id"] == number(2)
    assert found["of the second"].parent_id == second.span_id
    assert second.duration == 10


def test_spans_of_one_id_that_overlap_get_their_own_stops() -> None:
    first, second = span_of("a", 0, 50, number(1)), span_of("b", 10, 70, number(1))
    found = assembled([first[0], second[0], first[1], second[1]])
    assert {(span.name, span.duration) for span in found} == {("a", 50), ("b", 60)}


def test_a_span_without_a_stop_ends_with_its_root() -> None:
    start, _ = span_of("extended parsing", 10, 20, number(2), number(1))
    root = span_of("sync-from", 0, 500, number(1))
    assembler = SpanAssembler(linger=1)
    found = [span for event in [root[0], start, root[1]] for span in assembler.add(event)]
    assert found == []
    assert [span.name for span in assembler.advance(BEGIN + WINDOW + 600)] == ["sync-from"]
    (open_span,) = assembler.advance(BEGIN + WINDOW + 1_000_600)
    assert open_span.incomplete
    assert open_span.attributes["nso.incomplete"] is True
    assert (open_span.name, open_span.end - BEGIN) == ("extended parsing", 500)
    assert assembler.stats().incomplete == 1


def test_a_stop_within_the_linger_completes_a_span_that_outlives_its_root() -> None:
    child = span_of("push", 10, 900_000, number(2), number(1))
    root = span_of("commit", 0, 500, number(1))
    found = {span.name: span for span in assembled([root[0], child[0], root[1], child[1]])}
    assert found["push"].duration == 899_990
    assert not found["push"].incomplete


def test_a_stop_after_the_linger_is_a_span_with_an_id_of_its_own() -> None:
    child = span_of("push", 10, 9_000_000, number(2), number(1))
    root = span_of("commit", 0, 500, number(1))
    found = assembled([root[0], child[0], root[1], child[1]])
    check(found)
    whole, cut = (
        next(span for span in found if span.name == "push" and span.incomplete is incomplete)
        for incomplete in (False, True)
    )
    assert (cut.span_id, whole.attributes["nso.span_id"]) == (number(2), number(2))
    assert whole.duration == 8_999_990


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("228F1996-9dc6-4ce0-8ebe-4f3abe763875", "228f19969dc64ce08ebe4f3abe763875"),
        ("228f19969dc64ce08ebe4f3abe763875", "228f19969dc64ce08ebe4f3abe763875"),
    ],
)
def test_trace_ids_that_w3c_takes(text: str, expected: str) -> None:
    start, stop = span_of("commit", 0, 5, number(1))
    (span,) = assembled([{**start, "trace_id": text}, {**stop, "trace_id": text}])
    assert span.trace_id == expected
    assert "nso.trace_id" not in span.attributes


@pytest.mark.parametrize("text", ["ticket 4711", "0" * 32, "é", "x" * 500, "\udce9"])
def test_other_trace_ids_are_hashed_and_kept(text: str) -> None:
    start, stop = span_of("commit", 0, 5, number(1))
    (span,) = assembled([{**start, "trace_id": text}, {**stop, "trace_id": text}])
    check([span])
    assert span.attributes["nso.trace_id"] == text


def test_text_that_is_not_utf_8_is_readable() -> None:
    said: dict[str, Any] = {"context": "caf\udce9", "attributes": {"n\udce9": "\udcff"}}
    (span,) = assembled(span_of("step \udce9", 0, 5, number(1), **said))
    assert span.name == "step \\xe9"
    assert span.attributes["nso.context"] == "caf\\xe9"
    assert span.attributes["nso.n\\xe9"] == "\\xff"


# Before API level 8.2.


def test_spans_without_ids_nest_by_session_and_transaction() -> None:
    events = [
        progress(START, 0, "applying transaction"),
        progress(START, 1, "other", tid=44),
        progress(START, 2, "validate"),
        progress(INFO, 3, "run hook"),
        progress(STOP, 5, "validate", duration=3),
        progress(STOP, 6, "other", duration=5, tid=44),
        progress(STOP, 9, "applying transaction", duration=9),
    ]
    found = {span.name: span for span in assembled(events)}
    check(found.values())
    root, validate, other = (found[n] for n in ("applying transaction", "validate", "other"))
    assert validate.parent_id == root.span_id
    assert validate.trace_id == root.trace_id != other.trace_id
    assert [event.name for event in validate.events] == ["run hook"]


def test_devices_that_are_dealt_with_at_once_are_told_apart() -> None:
    events = [
        progress(START, 0, "push"),
        progress(START, 1, "connect", device="a"),
        progress(START, 2, "connect", device="b"),
        progress(START, 3, "login", device="a"),
        progress(STOP, 4, "login", device="a", duration=1),
        progress(STOP, 5, "connect", device="a", duration=4),
        progress(STOP, 9, "connect", device="b", duration=7),
        progress(STOP, 9, "push", duration=9),
    ]
    found = {(span.name, span.device): span for span in assembled(events)}
    assert found["login", "a"].parent_id == found["connect", "a"].span_id
    assert found["connect", "b"].parent_id == found["push", None].span_id
    assert (found["connect", "a"].duration, found["connect", "b"].duration) == (4, 7)


def test_a_trace_id_without_span_ids_is_taken() -> None:
    events = [
        progress(START, 0, "applying transaction", trace_id=TRACE),
        progress(STOP, 9, "applying transaction", trace_id=TRACE, duration=9),
    ]
    assert assembled(events)[0].trace_id == TRACE.replace("-", "")


def test_texts_alone() -> None:
    """As libraries of API level 6.6 give them, without a type and a time."""
    texts = [
        "applying transaction...",
        "entering validate phase...",
        "run validation over the change set...",
        "validation over the change set done",
        "leaving validate phase",
        "releasing transaction lock",
        "applying transaction failed",
    ]
    assembler, found = SpanAssembler(), []
    for time, text in enumerate(texts):
        found += assembler.add({"usid": 1, "tid": 2, "thandle": 2, "msg": text}, at=BEGIN + time)
    found = in_order([*found, *assembler.flush()])
    check(found)
    assert [(span.name, span.duration) for span in found] == [
        ("applying transaction", 6),
        ("validate", 3),
        ("run validation over the change set", 1),
    ]
    assert found[0].error == "failed"
    assert [event.name for event in found[0].events] == ["releasing transaction lock"]
    assert found[2].parent_id == found[1].span_id


def test_a_text_needs_a_time() -> None:
    with pytest.raises(ValueError, match="needs the time it was read"):
        SpanAssembler().add({"usid": 1, "tid": 2, "msg": "validate..."})


# Time, order, and bounds.


def test_nothing_is_given_out_before_the_window_has_passed() -> None:
    assembler = SpanAssembler(window=0.05)
    start, stop = span_of("commit", 0, 10, number(1))
    assert assembler.add(start) == assembler.add(stop) == []
    assert assembler.advance(BEGIN + 50_000) == []
    (span,) = assembler.advance(BEGIN + 50_010)
    assert span.name == "commit"


def test_what_comes_behind_the_window_is_counted_and_not_lost() -> None:
    assembler = SpanAssembler(window=0.001)
    events = [*span_of("new", 5_000, 9_000, number(2)), *span_of("old", 10, 20, number(1))]
    found = spans_of(assembler, events)
    assert {span.name: span.duration for span in found} == {"new": 4000, "old": 10}
    assert assembler.stats().late == 2


def test_too_many_open_spans_are_ended_and_counted() -> None:
    assembler = SpanAssembler(window=0, limit=100)
    found = []
    for index in range(1000):
        found += assembler.add(span_of(f"step {index}", index, index, number(index + 1))[0])
        assert assembler.stats().open <= 100
    stats = assembler.stats()
    assert stats.evicted == len(found) == 1000 - stats.open
    assert found[0].name == "step 0"
    assert len(spans_of(assembler, [])) == stats.open


def test_memory_does_not_grow_with_finished_spans() -> None:
    assembler = SpanAssembler(limit=1000)

    def run(first: int, last: int) -> int:
        for index in range(first, last):
            time = index * 100
            for event in span_of("step", time, time + 50, number(index + 1)):
                assembler.add(event)
        return sys.getallocatedblocks()

    before = run(0, 20_000)
    assert run(20_000, 60_000) - before < 20_000


@pytest.mark.parametrize("option", ["window", "linger", "limit"])
def test_options_are_checked(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} must not be negative"):
        SpanAssembler(**{option: -1})


def test_spans_gives_all() -> None:
    assert in_order(spans(commit())) == assembled(commit())


def displaced(events: list[dict[str, Any]], draw: Any) -> list[dict[str, Any]]:
    """The events in an order in which none comes later than the window allows."""
    delays = [draw(st.integers(0, WINDOW - 1)) for _ in events]
    order = sorted(range(len(events)), key=lambda i: events[i]["timestamp"] + delays[i])
    return [events[index] for index in order]


@st.composite
def traces(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Spans with and without ids, repeated ids and unknown parents; no two events at a time."""
    count = draw(st.integers(1, 12))
    size = 2 * count
    times = draw(st.lists(st.integers(0, 400_000), min_size=size, max_size=size, unique=True))
    has_ids = draw(st.booleans())
    events: list[dict[str, Any]] = []
    for start, stop in zip(times[::2], times[1::2]):
        ids = draw(st.integers(1, count)), draw(st.integers(1, count + 3))
        span_id, parent = map(number, ids) if has_ids else (None, None)
        more = {"device": draw(st.sampled_from([None, "a", "b"]))}
        name = draw(st.sampled_from(["validate", "commit", "push"]))
        events += span_of(name, min(start, stop), max(start, stop), span_id, parent, **more)
    return sorted(events, key=lambda event: event["timestamp"])


@settings(deadline=None)
@given(st.data())
def test_any_order_within_the_window_gives_the_same_spans(data: st.DataObject) -> None:
    events = data.draw(traces())
    assembler = SpanAssembler()
    shuffled = spans_of(assembler, displaced(events, data.draw))
    assert in_order(shuffled) == assembled(events)
    assert assembler.stats().late == 0


@settings(deadline=None)
@given(st.data())
def test_bursts_give_the_same_spans(data: st.DataObject) -> None:
    events = data.draw(traces())
    shuffled, size = displaced(events, data.draw), data.draw(st.integers(1, len(events)))
    assembler = SpanAssembler()
    bursts = [shuffled[at : at + size] for at in range(0, len(shuffled), size)]
    found = [span for burst in bursts for span in assembler.add_all(burst)]
    assert in_order([*found, *assembler.flush()]) == assembled(events)


def test_what_is_late_within_a_burst_finds_its_place() -> None:
    start, stop = span_of("commit", 0, 9_000, number(1))
    child, end = span_of("validate", 10, 20, number(2), number(1))
    assembler = SpanAssembler(window=0)
    found = {span.name: span for span in assembler.add_all([stop, end, child, start])}
    assert found["validate"].parent_id == found["commit"].span_id == number(1)
    assert found["validate"].duration == 10
    assert assembler.stats().late == 0


@settings(deadline=None)
@given(st.data())
def test_any_subset_of_the_events_gives_valid_spans(data: st.DataObject) -> None:
    events = data.draw(traces())
    kept = [event for event in events if data.draw(st.booleans())]
    assembler = SpanAssembler(linger=0.01)
    found = spans_of(assembler, kept)
    check(found)
    starts = sum(event["type"] == START for event in kept)
    assert starts <= len(found) <= len(kept)
    assert assembler.stats().open == 0


def test_from_a_daemon(daemon: Daemon) -> None:
    with subscribed(daemon, "progress") as subscription:
        for event in commit():
            daemon.progress(**event)
        payloads = [dict(next(subscription).payload) for _ in commit()]
    found = assembled(payloads)
    check(found)
    names = "applying transaction", "validate", "holding transaction lock", "commit"
    assert tuple(span.name for span in found) == names


def send(daemon: Daemon, count: int) -> None:
    for index in range(count):
        for event in span_of(f"step {index}", index, index + 1, number(index + 1)):
            daemon.progress(**event)


def test_batches_have_a_size(daemon: Daemon) -> None:
    with subscribed(daemon, "progress", buffer=1000) as subscription:
        send(daemon, 7)
        batches = follow_batches(subscription, size=3, delay=3600)
        assert [len(next(batches)) for _ in range(2)] == [3, 3]


def test_a_batch_that_is_not_full_is_given_out_in_time(daemon: Daemon) -> None:
    with subscribed(daemon, "progress") as subscription:
        send(daemon, 2)
        batches = follow_batches(subscription, delay=0.1)
        assert [span.name for span in next(batches)] == ["step 0", "step 1"]


def test_what_waits_for_a_batch_is_given_out_when_the_daemon_is_lost(daemon: Daemon) -> None:
    found: list[Span] = []
    with subscribed(daemon, "progress") as subscription:
        send(daemon, 5)
        daemon.disconnect()
        batches = follow_batches(subscription, size=4, delay=3600)
        with pytest.raises(EOF):
            found.extend(span for batch in batches for span in batch)
    assert len(found) == 5


def test_all_of_a_burst_that_is_larger_than_the_buffer(daemon: Daemon) -> None:
    names: list[str] = []
    found: list[Span] = []
    with subscribed(daemon, "progress", "audit", buffer=20) as subscription:
        send(daemon, 50)
        daemon.audit(user="ada", usid=41, msg="commit")
        daemon.disconnect()
        batches = follow_batches(subscription, others=lambda said: names.append(said["user"]))
        with pytest.raises(EOF):
            found.extend(span for batch in batches for span in batch)
        stats = subscription.stats()
    assert [span.name for span in found] == [f"step {index}" for index in range(50)]
    assert names == ["ada"]
    assert (stats.read, stats.delivered, stats.dropped) == (101, 101, 0)
