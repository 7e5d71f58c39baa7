"""Event streams through the forwarder: each stored once, whatever happens."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cli import environment, started
from forwarding import Picky, envelopes, file_sink, forwarding, written
from subscribing import PATIENCE, wait_until

from confd_events.enums import StreamType
from confd_events.forward import ConfigError, Spool, _spool, read_config, sinks
from confd_events.forward._place import WINDOW, Mark, Place
from confd_events.forward._spool import Marks
from confd_events.testing import Daemon, value

NS, TAG = 1, 2
SYNCS = 10  # calls from the start to a record that the sink has, and a few more
SECOND = timedelta(seconds=1)


@pytest.fixture
def alarms(daemon: Daemon) -> Daemon:
    """A daemon with a stream that keeps a log."""
    daemon.add_stream("alarms")
    daemon.add_names({TAG: "number"})
    daemon.add_namespace(NS, "al")
    return daemon


@pytest.fixture
def path(alarms: Daemon, tmp_path: Path) -> Path:
    """A configuration that forwards the stream into a file."""
    path = written(tmp_path, alarms, sink=file_sink(tmp_path / "out"))
    text = path.read_text().replace('subscribe = ["audit", "audit-sync"]', 'streams = ["alarms"]')
    path.write_text(text)
    return path


def alarm(daemon: Daemon, *numbers: int, time: datetime | None = None) -> None:
    for number in numbers:
        daemon.stream_event(stream="alarms", time=time, values=[(NS, TAG, value.uint32(number))])


def told(records: Sequence[dict[str, Any]]) -> list[Any]:
    """The numbers of alarms; the type of what is none."""
    return [
        next(iter(record["data"]["stream"]["values"].values()))
        if record["data"].get("stream", {}).get("type") == StreamType.NOTIFICATION_EVENT
        else record["type"].partition(".")[2]
        for record in records
    ]


def numbers(path: Path) -> list[int]:
    return [each for each in told(envelopes(path.parent / "out")) if isinstance(each, int)]


def test_events_of_a_stream_become_records(alarms: Daemon, path: Path) -> None:
    with forwarding(path):
        alarms.wait_for_subscribers(timeout=PATIENCE)
        alarm(alarms, 1, 2)
        wait_until(lambda: numbers(path) == [1, 2])
    first, second, _ = envelopes(path.parent / "out")
    assert told([first, second]) == ["started", 1]
    assert second["subject"] == "alarms"
    assert second["id"].startswith("paris/alarms/")
    assert second["type"].endswith(".stream-event")
    assert second["time"] == second["data"]["stream"]["event_time"]


def test_the_next_run_goes_on_where_the_last_one_ended(alarms: Daemon, path: Path) -> None:
    same = datetime.now(timezone.utc)
    with forwarding(path):
        alarms.wait_for_subscribers(timeout=PATIENCE)
        alarm(alarms, 0, time=same - 6 * SECOND)
        alarm(alarms, 1, 2, 2, time=same)
        wait_until(lambda: numbers(path) == [0, 1, 2, 2])
    alarm(alarms, 2, 3, time=same)
    alarm(alarms, 4, time=same - 5 * SECOND)
    with forwarding(path):
        wait_until(lambda: numbers(path) == [0, 1, 2, 2, 2, 3, 4])
        alarms.wait_for_subscribers(timeout=PATIENCE)
        alarm(alarms, 2, time=same)  # as one before, but new
        alarm(alarms, 5)
        wait_until(lambda: numbers(path)[-1] == 5)
    assert told(envelopes(path.parent / "out")) == ["started", 0, 1, 2, 2, 2, 3, 4, 2, 5]


def test_what_came_before_the_first_event_is_not_lost(alarms: Daemon, path: Path) -> None:
    with forwarding(path):
        alarms.wait_for_subscribers(timeout=PATIENCE)
    alarm(alarms, 1)
    with forwarding(path):
        wait_until(lambda: numbers(path) == [1])
    assert told(envelopes(path.parent / "out")) == ["started", 1]


def test_each_is_stored_once_wherever_the_forwarder_is_killed(alarms: Daemon, path: Path) -> None:
    number = 1
    for more in (1, 7, 50, 200, 3):
        with started("forward", str(path)) as process:
            alarms.wait_for_subscribers(timeout=PATIENCE)
            for _ in range(more):
                alarm(alarms, number)
                number += 1
            half = number - more // 2 - 1
            wait_until(lambda: (numbers(path) or [0])[-1] >= half)  # noqa: B023
            process.kill()
            process.wait(PATIENCE)
        alarms.disconnect()
        alarm(alarms, number)
        number += 1
    with started("forward", str(path)) as process:
        alarms.wait_for_subscribers(timeout=PATIENCE)  # before, SIGTERM ends it at once
        wait_until(lambda: numbers(path)[-1:] == [number - 1])
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    records = {record["id"]: record for record in envelopes(path.parent / "out")}
    arrived = [each for each in told(list(records.values())) if isinstance(each, int)]
    assert arrived == list(range(1, number))


def test_the_place_is_never_before_or_behind_the_records(
    alarms: Daemon, path: Path, sync_preload: str
) -> None:
    number = 1
    for at in range(1, SYNCS + 1):
        for sign in ("", "-"):
            env = environment(LD_PRELOAD=sync_preload, SYNC_KILL=f"{sign}{at}")
            with started("forward", str(path), env=env) as process:
                while process.poll() is None:
                    alarm(alarms, number)
                    number += 1
                    time.sleep(0.005)
                assert process.returncode == -signal.SIGKILL
            alarms.disconnect()
    with started("forward", str(path)) as process:
        alarms.wait_for_subscribers(timeout=PATIENCE)  # before, SIGTERM ends it at once
        wait_until(lambda: numbers(path)[-1:] == [number - 1])
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    records = {record["id"]: record for record in envelopes(path.parent / "out")}
    arrived = [each for each in told(list(records.values())) if isinstance(each, int)]
    # The first may have come before it has subscribed for the first time.
    assert arrived == list(range(arrived[0], number))


def test_a_lost_connection_loses_nothing(alarms: Daemon, path: Path) -> None:
    with forwarding(path):
        alarms.wait_for_subscribers(timeout=PATIENCE)
        alarm(alarms, 1)
        wait_until(lambda: numbers(path) == [1])
        alarms.disconnect()
        alarm(alarms, 2)
        wait_until(lambda: numbers(path) == [1, 2])
    assert told(envelopes(path.parent / "out")) == ["started", 1, "disconnected", "connected", 2]


def test_a_stream_without_a_log_says_what_is_missing(daemon: Daemon, tmp_path: Path) -> None:
    daemon.add_stream("alarms", replay=False)
    path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))
    text = path.read_text().replace('subscribe = ["audit", "audit-sync"]', 'streams = ["alarms"]')
    path.write_text(text)
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        alarm(daemon, 1)
        wait_until(lambda: numbers(path) == [1])
    alarm(daemon, 2)
    with forwarding(path):
        wait_until(lambda: told(envelopes(tmp_path / "out"))[-1] == "connected")
        daemon.wait_for_subscribers(timeout=PATIENCE)
        alarm(daemon, 3)
        wait_until(lambda: numbers(path) == [1, 3])
    assert told(envelopes(tmp_path / "out")) == [
        "started",
        1,
        "stream-event",
        "disconnected",
        "connected",
        3,
    ]


def test_what_was_not_stored_is_replayed(
    alarms: Daemon,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    picky = Picky()
    picky.failures = 10**9
    monkeypatch.setitem(sinks.BUILT_IN, "picky", lambda table: picky)
    head = path.read_text().partition("[[sinks]]")[0]
    head = head.replace('"spool.db"', '"spool.db"\nlimit = "200k"')
    path.write_text(f'drain = 0.1\n{head}[[sinks]]\ntype = "picky"\nretry = 0.05\n')
    with forwarding(path):
        alarms.wait_for_subscribers(timeout=PATIENCE)
        alarm(alarms, *range(1, 1001))
        wait_until(lambda: "node paris/alarms waits" in caplog.text)
    picky.failures = 0
    with forwarding(path):
        wait_until(lambda: told(picky.got)[-1:] == [1000])
    assert [each for each in told(picky.got) if isinstance(each, int)] == list(range(1, 1001))


def test_a_node_may_have_both_and_a_role(alarms: Daemon, path: Path) -> None:
    path.write_text(path.read_text().replace("streams", 'subscribe = ["audit"]\nstreams'))
    with forwarding(path):
        alarms.wait_for_subscribers(2, timeout=PATIENCE)
        alarms.ha_is_primary()
        alarms.audit(user="ada", usid=1, msg="x")
        alarm(alarms, 1)
        wait_until(lambda: len(envelopes(path.parent / "out")) == 4)
    records = envelopes(path.parent / "out")
    assert sorted(map(str, told(records))) == ["1", "audit", "started", "started"]
    assert [each.get("harole") for each in records if each["data"]["type"]] == ["primary"] * 2
    assert len({record["id"] for record in records}) == 4


@pytest.mark.parametrize(
    ("streams", "said"),
    [
        ('["alarms", "alarms"]', r"nodes\[0\]\.streams: 'alarms' is there twice"),
        ('[""]', r"nodes\[0\]\.streams: a name is empty"),
        ("[]", r"nodes\[0\]\.subscribe: name what"),
        ('["a"]\nsubscribe = ["stream-event"]', r"nodes\[0\]\.subscribe: .*name the streams"),
    ],
)
def test_what_is_wrong_is_named(path: Path, streams: str, said: str) -> None:
    path.write_text(path.read_text().replace('["alarms"]', streams))
    with pytest.raises(ConfigError, match=said):
        read_config(str(path))


# The place


def test_the_place_is_kept_with_the_records(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    with Spool(path) as spool:
        assert spool.place_of("paris", "alarms") is None
        marks = [Mark(at, bytes([at % 256])) for at in (5, 6, WINDOW + 6)]
        spool.append("paris", ["1"], marks=Marks("alarms", marks))
        spool.mark("rome", Marks("alarms", [Mark(7, None)]))
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT at FROM marks WHERE node = 'paris'").fetchall()
        assert rows == [(6,), (WINDOW + 6,)]
    with Spool(path) as spool:
        place = spool.place_of("paris", "alarms")
        assert place is not None
        assert place.start == datetime(1970, 1, 1, microsecond=6, tzinfo=timezone.utc)
        assert not place.is_new(marks[1])
        assert place.is_new(marks[1])
        rome = spool.place_of("rome", "alarms")
        assert rome is not None
        assert rome.start == datetime(1970, 1, 1, microsecond=7, tzinfo=timezone.utc)


def test_a_replay_that_is_over_hides_nothing() -> None:
    place = Place([Mark(5, b"x")])
    place.end()
    assert place.is_new(Mark(5, b"x"))


def test_a_spool_without_places_gets_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "spool.db"
    monkeypatch.setattr(_spool, "MIGRATIONS", _spool.MIGRATIONS[:2])
    with Spool(path) as spool:
        spool.serve(["a"])
        spool.append("paris", ["1"])
        spool.note_role("paris", "primary")
    monkeypatch.undo()
    with Spool(path) as spool:
        assert spool.place_of("paris", "alarms") is None
        spool.append("paris", ["2"], marks=Marks("alarms", [Mark(5, b"x")]))
        assert spool.place_of("paris", "alarms") is not None
        assert spool.role_of("paris") == "primary"
        assert [record.json for record in spool.pending("a", 9)] == ["1", "2"]
