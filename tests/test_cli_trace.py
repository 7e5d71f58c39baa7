"""confd-events trace: from a file of NSO's, and from a daemon."""

from __future__ import annotations

import doctest
import json
import re
import shlex
import signal
import time
from pathlib import Path

import pytest
from cli import ran, started
from subscribing import PATIENCE, subscribed, where
from test_traces_csv import written
from test_traces_otlp import Collector
from tracing import BEGIN, START, commit, progress

from confd_events._address import written_address
from confd_events.testing import Daemon, User


@pytest.fixture
def csv(tmp_path: Path) -> str:
    path = tmp_path / "trace.csv"
    path.write_text("\n".join(written("6.1")))
    return str(path)


def test_a_file_as_a_tree(csv: str) -> None:
    done = ran("trace", csv, "--zone", "UTC")
    assert (done.stderr, done.returncode) == ("", 0)
    head, _, root, step, _ = done.stdout.splitlines()
    assert head == "trace 44e4cdb99eca48f99708f0847a8198b0  2024-02-05T10:00:00.100250+00:00"
    assert root.split() == ["10.0", "ms", "8.0", "ms", "applying", "transaction"]
    assert step.split() == ["2.0", "ms", "2.0", "ms", "connect", "[ce0]"]


def test_a_file_as_json_and_for_chrome(csv: str) -> None:
    spans = [json.loads(line) for line in ran("trace", csv, "--format", "json").stdout.splitlines()]
    assert sorted(span["name"] for span in spans) == ["applying transaction", "connect"]
    events = json.loads(ran("trace", csv, "--format", "chrome").stdout)["traceEvents"]
    assert sum(event["ph"] == "X" for event in events) == 2


def test_a_file_as_a_page(csv: str) -> None:
    page = ran("trace", csv, "--format", "html").stdout
    assert "<title>trace.csv</title>" in page
    assert page.count('"name":"connect"') == 1


def test_the_walk_through() -> None:
    """Each command of the page whose output is shown prints that."""
    docs = Path(__file__).parents[1] / "docs"
    found = re.findall(
        r"^\$ confd-events (trace slow-commit.csv.*)\n((?:.*\n)*?)```",
        (docs / "traces.md").read_text(),
        re.MULTILINE,
    )
    assert found
    for command, shown in found:
        done = ran(*shlex.split(command.replace("slow", str(docs / "assets" / "slow"))))
        assert (done.stderr, done.returncode) == ("", 0)
        assert doctest.OutputChecker().check_output(shown, done.stdout, doctest.ELLIPSIS), (
            done.stdout
        )


def test_tables(csv: str) -> None:
    said = ran("trace", csv, "--summary").stdout
    assert "applying transaction: once, longest 10.0 ms" in said
    assert "ce0: once, longest 2.0 ms" in said


def test_tables_of_device_locks(tmp_path: Path) -> None:
    rows = ["EVENT TYPE,TIMESTAMP,DURATION,SESSION ID,TRANSACTION ID,DEVICE,SERVICE,MESSAGE"]
    for kind, second, took, session, message in (
        ("start", "01.0", "", 1, "taking device lock"),
        ("stop", "01.1", "0.1", 1, "taking device lock"),
        ("start", "02.0", "", 2, "taking device lock"),
        ("info", "03.0", "", 1, "releasing device lock"),
        ("stop", "03.1", "1.1", 2, "taking device lock"),
    ):
        time = f"2024-02-05T10:00:{second}00"
        rows.append(f"{kind},{time},{took},{session},{session},ce0,,{message}")
    path = tmp_path / "locks.csv"
    path.write_text("\n".join(rows))
    said = ran("trace", str(path), "--summary").stdout
    assert "ce0: 2 times, longest 1.10 s" in said
    assert "     1.10 s  ce0, held by session 1, transaction 1\n" in said


def test_a_choice(csv: str) -> None:
    assert ran("trace", csv, "--slower-than", "11ms").stdout == ""
    assert ran("trace", csv, "--slower-than", "9ms").stdout
    assert ran("trace", csv, "--trace-id", "44e4cdb9-9eca-48f9-9708-f0847a8198b0").stdout
    assert ran("trace", csv, "--trace-id", "another").stdout == ""


def test_a_file_to_a_collector(csv: str) -> None:
    with Collector() as collector:
        done = ran("trace", csv, "--otlp", collector.url)
    assert (done.stdout, done.returncode) == ("", 0)
    assert done.stderr == "2 spans sent, 0 rejected\n"
    assert sorted(span.name for span in collector.spans) == ["applying transaction", "connect"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/nowhere.csv"], "/nowhere.csv: No such file"),
        ([__file__], "line 1: not a progress trace"),
        (["-", "--zone", "here"], "'here' is not a time zone"),
        (["-", "--otlp", "here"], "'here' is not a URL"),
        (["-", "--follow"], "--follow needs a file"),
        (["--follow", "/nowhere.csv"], "/nowhere.csv: No such file"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    done = ran("trace", *arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert said in line


def test_a_daemon(daemon: Daemon) -> None:
    address = written_address(where_of(daemon))
    with started("trace", "--address", address, "--format", "json") as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        for event in commit():
            daemon.progress(**{**event, "timestamp": event["timestamp"] + offset_to_now()})
        assert process.stdout is not None
        names = [json.loads(process.stdout.readline())["name"] for _ in range(4)]
    assert sorted(names) == [
        "applying transaction",
        "commit",
        "holding transaction lock",
        "validate",
    ]


def test_a_daemon_that_is_lost_is_told(daemon: Daemon) -> None:
    with started("trace", "--address", written_address(where_of(daemon))) as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.progress(**commit()[0])
        daemon.disconnect()
        out, error = process.communicate(timeout=PATIENCE)
    assert "applying transaction (end not seen)" in out
    assert "EOF" in error
    assert process.returncode == 1


def test_the_time_is_over(daemon: Daemon) -> None:
    done = ran("trace", "--address", written_address(where_of(daemon)), "--timeout", "200ms")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_a_recording_of_a_user(tmp_path: Path, daemon: Daemon) -> None:
    """Sessions are known by audit records and commits; the others are counted."""
    path = tmp_path / "recording.jsonl"
    with subscribed(daemon, "progress", "audit", "commit-simple") as subscription:
        daemon.audit(user="ada", usid=41, msg="commit")
        daemon.commit(uinfo=User(username="bob", usid=42))
        for usid in (41, 42, 43):
            for event in commit():
                daemon.progress(**{**event, "usid": usid, "trace_id": f"{usid:032x}"})
        count = 2 + 3 * len(commit())
        path.write_text("".join(f"{next(subscription).to_json()}\n" for _ in range(count)))
    for user, usid in (("ada", 41), ("bob", 42)):
        done = ran("trace", str(path), "--user", user, "--format", "json")
        spans = [json.loads(line) for line in done.stdout.splitlines()]
        assert {span["attributes"]["nso.usid"] for span in spans} == {usid}
        assert len(spans) == 4
        assert done.stderr == "1 traces left out, for nothing told whose session they are of\n"


def test_a_user_of_a_daemon(daemon: Daemon) -> None:
    address = written_address(where_of(daemon))
    with started("trace", "--address", address, "--user", "ada", "--format", "json") as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.audit(user="ada", usid=41, msg="commit")
        for event in commit():
            daemon.progress(**event)
        assert process.stdout is not None
        names = {json.loads(process.stdout.readline())["name"] for _ in range(4)}
    assert "applying transaction" in names


def test_a_file_that_grows_until_ctrl_c(csv: str) -> None:
    lines = Path(csv).read_text().splitlines(keepends=True)
    path = Path(csv).with_name("growing.csv")
    path.write_text("".join(lines[:-1]))
    with started("trace", "--follow", str(path), "--zone", "UTC", "--events") as process:
        assert process.stdout is not None
        with path.open("a") as file:
            file.write(lines[-1] + "\n")
        head = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=PATIENCE)
    assert head.startswith("trace 44e4cdb99eca48f99708f0847a8198b0")
    assert (error, process.returncode) == ("", 0)


def test_ctrl_c_shows_what_is_open_at_a_daemon(daemon: Daemon) -> None:
    address = written_address(where_of(daemon))
    with started("trace", "--address", address) as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        for event in (progress(START, 0, "push", usid=7), *commit()):
            daemon.progress(**event)
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)
    assert "push (end not seen)" in out
    assert process.returncode == 0


def where_of(daemon: Daemon) -> dict[str, object]:
    found = where(daemon)
    return dict(zip(("ip", "port"), found))


def offset_to_now() -> int:
    """From the time of the made trace to the present, in µs."""
    return time.time_ns() // 1000 - BEGIN
