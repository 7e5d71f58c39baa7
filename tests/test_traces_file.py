"""Traces from recordings, and from files that grow."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterable, Mapping
from datetime import timezone
from pathlib import Path
from typing import Any

import pytest
from subscribing import subscribed
from test_traces_csv import written
from tracing import INFO, assembled, check, commit, in_order, number, progress, span_of

import confd_events
from confd_events.testing import Daemon, encode
from confd_events.traces import Span, follow_file, read_file, read_recording, spans


def frame(kind: str, **fields: Any) -> str:
    """A line of record."""
    library = confd_events.library()
    encoded = encode(kind, library["protocol"], library["product"].lower(), **fields)
    return json.dumps(
        {
            "at": "2026-03-02T09:30:00.000000+00:00",
            "notification": kind,
            "frame": base64.b64encode(encoded).decode(),
        }
    )


def recorded() -> list[str]:
    """A commit, as record writes it."""
    first = json.dumps({"recording": "confd-events", "product": "NCS", "stream": None})
    return [first, *(frame("progress", **event) for event in commit())]


def told(spans: Iterable[Span]) -> list[tuple[object, ...]]:
    """What is the same, whatever else the daemon's library says of a span."""
    return [
        (
            span.name,
            span.start,
            span.end,
            span.trace_id,
            span.span_id,
            span.parent_id,
            len(span.events),
        )
        for span in in_order(spans)
    ]


def monitored(daemon: Daemon) -> list[str]:
    """The same, and an audit record, as monitor --json writes it."""
    with subscribed(daemon, "progress", "audit") as subscription:
        daemon.audit(user="ada", usid=41, msg="commit")
        for event in commit():
            daemon.progress(**event)
        return [next(subscription).to_json() for _ in range(1 + len(commit()))]


@pytest.mark.since(8, 2)  # span ids
def test_a_recording_of_frames() -> None:
    assert told(spans(read_recording(recorded()))) == told(assembled(commit()))


@pytest.mark.since(8, 2)  # span ids
def test_a_recording_of_monitor(daemon: Daemon) -> None:
    assert told(spans(read_recording(monitored(daemon)))) == told(assembled(commit()))


@pytest.mark.since(8, 2)  # span ids
def test_records_of_the_forwarder(daemon: Daemon) -> None:
    lines = [
        json.dumps({"specversion": "1.0", "data": json.loads(line)}) for line in monitored(daemon)
    ]
    assert told(spans(read_recording(lines))) == told(assembled(commit()))


@pytest.mark.since(8, 2)  # span ids
def test_links_of_a_recording(daemon: Daemon) -> None:
    start, stop = span_of("push", 0, 9, number(1))
    link = [("228f1996-9dc6-4ce0-8ebe-4f3abe763875", number(7))]
    with subscribed(daemon, "progress") as subscription:
        daemon.progress(**start, links=link)
        line = next(subscription).to_json()
    (span,) = spans(read_recording([line, frame("progress", **stop)]))
    assert [each.span_id for each in span.links] == [number(7)]


def test_other_notifications_are_told(daemon: Daemon) -> None:
    others: list[Mapping[str, Any]] = []
    list(read_recording(monitored(daemon), others=others.append))
    assert [(each["user"], each["usid"]) for each in others] == [("ada", 41)]
    others.clear()
    lines = [frame("audit", user="bob", usid=42, msg="x"), *recorded()]
    list(read_recording(lines, others=others.append))
    assert [(each["user"], each["usid"]) for each in others] == [("bob", 42)]


def test_what_has_no_timestamp_has_the_time_at_which_it_was_read() -> None:
    line = {
        "read_at": "2026-03-02T09:30:00.000007+00:00",
        "type": 1 << 16,
        "type_name": "progress",
        "progress": {"usid": 1, "tid": 2, "msg": "validate..."},
    }
    (payload,) = read_recording([json.dumps(line)])
    assert payload["timestamp"] == 1_772_443_800_000_007


def test_a_large_frame() -> None:
    events = [{**event, "msg": "x" * 300_000} for event in span_of("push", 0, 9, number(1))]
    (span,) = spans(read_recording(frame("progress", **event) for event in events))
    assert span.name.startswith("x" * 8000)  # libconfd cuts it


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: not a line of a recording"),
        ('{"notification": "audit", "user": "a"}', "line 2: not a line of a recording"),
        ('{"notification": "progress", "frame": "?"}', "line 2: frame: not base64"),
        ('{"notification": "progress", "frame": "AAAACQAA"}', "line 2: frame: its length"),
        ('{"notification": "progress", "frame": "AAAAAgAA"}', "line 2: frame: the libconfd in use"),
    ],
)
def test_what_is_wrong_in_a_recording_is_told(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        list(read_recording([recorded()[1], line]))


@pytest.mark.since(8, 2)  # span ids
def test_a_file_of_either_kind() -> None:
    assert told(spans(read_file(recorded()))) == told(assembled(commit()))
    table = written("6.1")
    assert len(list(read_file(table, zone=timezone.utc))) == 4
    with pytest.raises(ValueError, match="line 1: not a progress trace"):
        list(read_file(["a,b\n"]))


# Files that grow


class Following:
    """Spans of a file, in a thread, until it is told to end."""

    def __init__(self, path: Path) -> None:
        self.ending = threading.Event()
        self.some = threading.Semaphore(0)
        self.spans: list[Span] = []
        self.error: BaseException | None = None
        self._batches = follow_file(
            str(path), zone=timezone.utc, until=self.ending.is_set, delay=0.0
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for batch in self._batches:
            for span in batch:
                self.spans.append(span)
                self.some.release()

    def wait(self, count: int) -> None:
        for _ in range(count):
            assert self.some.acquire(timeout=30)

    def end(self) -> list[Span]:
        self.ending.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.spans


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "trace"
    path.write_text("")
    return path


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_what_is_added_to_a_file(path: Path) -> None:
    following = Following(path)
    text = "\n".join(written("6.1")) + "\n"
    append(path, text[:700])  # in the middle of a line
    append(path, text[700:])
    following.wait(2)
    found = following.end()
    check(found)
    assert sorted(span.name for span in found) == ["applying transaction", "connect"]


@pytest.mark.since(8, 2)  # span ids
def test_a_file_that_grows_is_a_recording(path: Path) -> None:
    following = Following(path)
    for line in recorded():
        append(path, f"{line}\n")
    following.wait(4)
    assert told(following.end()) == told(assembled(commit()))


@pytest.mark.parametrize("replaced", [True, False])
def test_a_file_that_begins_anew(path: Path, tmp_path: Path, replaced: bool) -> None:
    text = "\n".join(written("5.4")) + "\n"
    path.write_text(2 * text)
    following = Following(path)
    following.wait(4)
    if replaced:
        (tmp_path / "new").write_text(text)
        (tmp_path / "new").replace(path)
    else:
        path.write_text(text)
    following.wait(2)
    assert len(following.end()) == 6


def test_a_file_in_which_nothing_is_written(path: Path) -> None:
    assert Following(path).end() == []


def test_what_is_open_at_the_end_is_given_out(path: Path) -> None:
    path.write_text("\n".join(written("6.1")[:2]))
    following = Following(path)
    (span,) = following.end()
    assert span.incomplete


def test_an_info_in_a_recording_without_spans() -> None:
    (span,) = spans(read_recording([frame("progress", **progress(INFO, 1, "news"))]))
    assert (span.name, span.duration) == ("news", 0)
