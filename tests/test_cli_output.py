"""confd-events monitor: lines, terminals, times, and files that are rotated."""

from __future__ import annotations

import errno
import json
import os
import pty
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cli import (
    PATIENCE,
    Monitor,
    address_of,
    end_of,
    environment,
    line_of,
    monitoring,
    ran,
    send_audit,
    started,
)
from hypothesis import given
from hypothesis import strategies as st
from subscribing import wait_until

import confd_events as events
from confd_events._lines import File, Rotation
from confd_events._written import length_of_time, size, time_of
from confd_events.cli import main
from confd_events.cli._line import concise, written_seconds
from confd_events.cli._render import Piece, _columns, _folded
from confd_events.enums import Notif, notif
from confd_events.testing import Daemon, TagValue

UTC = timezone.utc


# What a line says


def local(iso: str) -> str:
    return datetime.fromisoformat(iso).astimezone().replace(tzinfo=None).isoformat()


def test_a_line_has_units_and_names_and_nothing_twice() -> None:
    step = {
        "type": 2,
        "type_name": "stop",
        "timestamp": "2026-01-31T12:00:00.500000+00:00",
        "duration": 94666,
        "usid": 7,
        "tid": 9,
        "datastore": 2,
        "datastore_name": "running",
        "database": 2,
        "database_name": "running",
        "thandle": 9,
        "context": "",
    }
    assert concise(Notif.COMMIT_PROGRESS, step) == {
        "type": "stop",
        "timestamp": local("2026-01-31T12:00:00.500000+00:00"),
        "duration": "94.7ms",
        "usid": 7,
        "tid": 9,
        "datastore": "running",
    }
    old = {"database": 2, "database_name": "running", "usid": 7, "thandle": 9, "msg": "x"}
    assert concise(Notif.COMMIT_PROGRESS, old)["database"] == "running"  # of a 6.6 library
    compaction = {"fsize_start": 89_000_000, "fsize_end": 1234, "fsize_last": 0, "duration": 5}
    assert concise(Notif.COMPACTION, compaction) == {
        "fsize_start": "89MB",
        "fsize_end": "1.23kB",
        "fsize_last": "0B",
        "duration": "5us",
    }
    assert concise(Notif.CONFIRMED_COMMIT, {"timeout": 600}) == {"timeout": "10m"}


def test_a_text_that_is_none_stays() -> None:
    record = {"logno": 1, "user": "none", "msg": "none", "usid": 7}
    assert concise(Notif.AUDIT, record) == {**record, "logno": events.log_symbol(1)}
    commit = {"flags": 0, "flags_name": "none", "diff_available": 0}
    assert concise(Notif.COMMIT_SIMPLE, commit) == {"diff_available": 0}


def test_a_number_without_a_name_stays_a_number() -> None:
    assert concise(Notif.AUDIT, {"logno": 99999}) == {"logno": 99999}
    assert concise(Notif.USER_SESSION, {"type": 77}) == {"type": 77}


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.000_002, "2us"),
        (0.0947, "94.7ms"),
        (0.5, "500ms"),
        (1.25, "1.25s"),
        (59.9, "59.9s"),
        (125, "2m5s"),
        (86400 + 60, "1d1m"),
    ],
)
def test_lengths_of_time_as_they_are_written(seconds: float, written: str) -> None:
    assert written_seconds(seconds) == written
    assert length_of_time(written) == pytest.approx(seconds)


# Terminals


@given(
    st.lists(st.text("ab é語=", max_size=12), max_size=30), st.integers(20, 80), st.integers(0, 10)
)
def test_folding_loses_nothing_and_keeps_to_the_width(
    texts: list[str], width: int, indent: int
) -> None:
    lines = list(
        _folded([Piece(f" {text}", str(n)) for n, text in enumerate(texts)], width, indent)
    )
    written = ["".join(piece.text for piece in line) for line in lines]
    assert " ".join(written).split() == " ".join(f" {text}" for text in texts).split()
    for number, line in enumerate(written):
        assert not number or line.startswith(" " * indent)
        assert _columns(line.rstrip()) <= width or len(line.split()) <= 1


def on_terminal(daemon: Daemon, send: Any, *arguments: str) -> list[str]:
    """What the command prints on a terminal of 80 columns, with its standard error."""
    leader, terminal = pty.openpty()
    env = environment(NO_COLOR="1", COLUMNS="80")
    try:
        pipes = {"stdout": terminal, "stderr": terminal}
        with monitoring(daemon, *arguments, env=env, **pipes) as process:
            os.close(terminal)
            send(daemon)
            data = b""
            with suppress(OSError):  # the end
                while part := os.read(leader, 65536):
                    data += part
            assert process.wait(PATIENCE) == 0
    finally:
        os.close(leader)
    return data.decode().replace("\r\n", "\n").splitlines()


def test_a_terminal_has_columns_a_banner_and_a_sum(daemon: Daemon) -> None:
    def send(daemon: Daemon) -> None:
        daemon.audit(user="ada", usid=7, msg="a long line " * 10)
        daemon.commit_failed(provider=1)
        daemon.audit(user="bob")
        daemon.audit(user="none")

    lines = on_terminal(
        daemon,
        send,
        "audit",
        "commit-failed",
        "--count",
        "3",
        "--where",
        "user!=bob or dbname=run*",
    )
    assert lines[0] == f"monitoring audit, commit-failed at {address_of(daemon)}; Ctrl-C ends"
    assert re.fullmatch(r"\w+day, \d{4}-\d\d-\d\d", lines[1])
    assert re.fullmatch(r"3 shown: 2 audit, 1 commit-failed; 1 others; in .*", lines[-1])
    body = lines[2:-1]
    assert max(map(len, lines)) <= 80
    starts = [line for line in body if line[0] != " "]
    assert [line[13:31].split() for line in starts] == [["audit"], ["commit-failed"], ["audit"]]
    assert all(line[30] == " " and line[31] != " " for line in body)


def test_a_text_of_several_lines_is_shown_as_it_is_on_a_terminal(daemon: Daemon) -> None:
    def send(daemon: Daemon) -> None:
        daemon.audit(msg="interface eth0\n mtu 9000\n\x1b[31m!")

    lines = on_terminal(daemon, send, "audit", "--count", "1")
    at = next(number for number, line in enumerate(lines) if line.strip() == "msg:")
    shown = [line[33:] for line in lines[at + 1 : at + 4]]
    assert shown == ["interface eth0", " mtu 9000", r"\x1b[31m!"]


# Times


NOW = timedelta(seconds=PATIENCE)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("now", timedelta()),
        ("-1h", timedelta(hours=1)),
        ("now-30m", timedelta(minutes=30)),
        ("-90", timedelta(seconds=90)),
        ("+1d", -timedelta(days=1)),
        ("now + 1h30m", -timedelta(hours=1.5)),
    ],
)
def test_relative_times(text: str, ago: timedelta) -> None:
    assert abs(datetime.now(UTC) - ago - time_of(text)) < NOW


def test_times_without_a_zone_are_local() -> None:
    assert time_of("2026-01-31") == datetime(2026, 1, 31).astimezone()
    assert time_of("2026-01-31T12:30") == datetime(2026, 1, 31, 12, 30).astimezone()
    assert time_of("2026-01-31T12:00:00+02:00") == datetime(2026, 1, 31, 10, tzinfo=UTC)
    today = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    assert time_of("today") == today.astimezone()
    assert time_of("yesterday") == (today - timedelta(days=1)).astimezone()
    assert time_of("12:30") == today.replace(hour=12, minute=30).astimezone()


@pytest.mark.parametrize("text", ["", "soon", "1", "2026-13-01", "-1y", "2026-01", "-99999999d"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time, such as"):
        time_of(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5s", 1.5), ("500ms", 0.5), ("1m", 60), ("1h30m", 5400), ("1d", 86400)],
)
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert length_of_time(text) == seconds


@pytest.mark.parametrize(
    ("text", "count"), [("4096", 4096), ("500k", 500_000), ("100M", 10**8), ("1.5GB", 1.5 * 10**9)]
)
def test_sizes(text: str, count: int) -> None:
    assert size(text) == count


def test_a_relative_start_reaches_the_daemon(monitor: Monitor, daemon: Daemon) -> None:
    daemon.add_stream("S")
    arguments = ("--stream", "S", "--start", "-1h", "--stop", "+1h")
    subscriber = monitor(*arguments, play=lambda daemon: daemon.disconnect()).subscriber
    assert subscriber is not None
    assert subscriber.start is not None
    assert subscriber.stop is not None
    assert abs(datetime.now(UTC) - timedelta(hours=1) - subscriber.start) < NOW
    assert abs(datetime.now(UTC) + timedelta(hours=1) - subscriber.stop) < NOW


# The end


def test_the_timeout_counts_from_the_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and says nothing
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        done = ran("monitor", "audit", "--count", "1", "--timeout", "500ms", "--address", address)
        assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
        assert time.monotonic() - begun < 20  # the daemon is given 30 s, else


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("arguments", [["audit"], ["audit", "--timeout", "1h"]])
def test_a_signal_ends_it_while_it_connects(
    number: signal.Signals, code: int, arguments: list[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with started("monitor", *arguments, "--address", address) as process:
            peer, _ = silent.accept()
            assert peer.recv(9)  # it waits for the answer
            process.send_signal(number)
            begun = time.monotonic()
            assert end_of(process) == (code, "")
            assert time.monotonic() - begun < 20
            peer.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_in_the_midst_of_a_notification(
    daemon: Daemon, number: signal.Signals, code: int
) -> None:
    with monitoring(daemon, "audit") as process:
        send_audit(daemon)
        assert line_of(process)
        daemon.send_frame((100_000).to_bytes(4, "big") + bytes([131]) + bytes(50_000))
        time.sleep(0.5)  # for libconfd to be in it
        process.send_signal(number)
        begun = time.monotonic()
        assert end_of(process)[0] == code
        assert time.monotonic() - begun < 20


def test_errors_never_come_among_the_lines() -> None:
    with Daemon() as daemon:
        address = address_of(daemon)
    command = (sys.executable, "-m", "confd_events.cli", "monitor", "audit", "--address", address)
    code = f"exec {' '.join(command)} 2>&-"
    done = subprocess.run(
        ["/bin/sh", "-c", code], stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert (done.returncode, done.stdout) == (1, "")


def test_a_full_device_is_named(daemon: Daemon) -> None:
    with open("/dev/full", "w") as full, monitoring(daemon, "audit", stdout=full) as process:
        send_audit(daemon)
        code, said = end_of(process)
    assert code == 1
    assert "No space left on device: 'standard output'" in said


# Names of the data model


def test_a_stream_has_the_names_of_the_data_model(monitor: Monitor, daemon: Daemon) -> None:
    daemon.add_stream("S")
    daemon.add_namespace(987_001, "if")
    daemon.add_names({987_002: "mtu"})

    def play(daemon: Daemon) -> None:
        daemon.stream_event(stream="S", values=[TagValue(987_001, 987_002, 9000)])

    outcome = monitor("--stream", "S", "--count", "1", play=play)
    assert "values={mtu=9000}" in outcome.out


def test_a_daemon_that_does_not_tell_its_data_model_is_no_obstacle(
    monitor: Monitor, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**where: object) -> None:
        raise events.EOF(events.ERR_EOF, "Lost connection", "EOF")

    monkeypatch.setattr(events, "load_schemas", refused)
    daemon.add_stream("S")

    def play(daemon: Daemon) -> None:
        daemon.stream_event(stream="S", values=[TagValue(1, 2, 3)])

    arguments = ("--stream", "S", "--count", "1")
    outcome = monitor(*arguments, play=play)
    assert (outcome.code, len(outcome.lines)) == (0, 1)
    assert "the data model's names are not known (Lost connection" in outcome.err
    assert monitor(*arguments, "--no-schemas", play=play).err == ""
    asked = monitor(*arguments, "--schemas", play=play)
    assert (asked.code, asked.out) == (1, "")
    assert "Lost connection" in asked.err


# Files


def lines_of(path: Path) -> list[str]:
    return [json.loads(line)["audit"]["msg"] for line in path.read_text().splitlines()]


def test_a_file_gets_the_lines_before_the_user_goes_on(daemon: Daemon, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    options = ("--sync", "--json", "--fsync", "--output", str(path))
    with monitoring(daemon, "audit", *options, "--count", "3") as process:
        for number in range(3):
            daemon.audit(usid=7, msg=str(number)).wait(PATIENCE)
            assert lines_of(path)[number:] == [str(number)]
        assert end_of(process) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0


def test_a_file_is_put_aside_by_size(monitor: Monitor, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"

    def play(daemon: Daemon) -> None:
        for number in range(20):
            daemon.audit(msg=str(number))

    options = ("--json", "--output", str(path), "--rotate-size", "500", "--count", "20")
    assert monitor("audit", *options, play=play).code == 0
    files = [*sorted(tmp_path.glob("audit.jsonl.*")), path]
    assert len(files) > 5
    assert all(0 < file.stat().st_size <= 500 for file in files)
    assert [msg for file in files for msg in lines_of(file)] == list(map(str, range(20)))


def test_so_many_files_are_kept(tmp_path: Path) -> None:
    (tmp_path / "f.old").write_text("another's")
    (tmp_path / "f.20260131").write_text("another's")
    file = File(str(tmp_path / "f"), Rotation(size=1, keep=2), sync=True)
    for number in range(10):
        file.append(str(number))
    file.close()
    kept = sorted(path.read_text() for path in tmp_path.iterdir())
    assert kept == ["7\n", "8\n", "9\n", "another's", "another's"]


def test_a_file_is_put_aside_by_time(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("yesterday\n")
    os.utime(path, (time.time() - 86400, time.time() - 86400))
    file = File(str(path), Rotation(every=86400), sync=False)
    file.append("today")
    file.append("again")
    file.close()
    aside = [each for each in tmp_path.iterdir() if each != path]
    assert [each.read_text() for each in aside] == ["yesterday\n"]
    assert path.read_text() in ("today\nagain\n", "again\n")  # at midnight


def test_sighup_reopens_the_file(daemon: Daemon, tmp_path: Path) -> None:
    path, moved = tmp_path / "f", tmp_path / "f.1"
    with monitoring(daemon, "audit", "--sync", "--json", "--output", str(path)) as process:
        daemon.audit(msg="one").wait(PATIENCE)
        path.rename(moved)
        process.send_signal(signal.SIGHUP)
        wait_until(path.exists)
        daemon.audit(msg="two").wait(PATIENCE)
        process.send_signal(signal.SIGTERM)
        assert end_of(process) == (143, "")
    assert (lines_of(moved), lines_of(path)) == (["one"], ["two"])


def test_a_line_that_was_cut_short_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text('{"half')
    file = File(str(path), Rotation(), sync=False)
    file.append("whole")
    file.close()
    assert path.read_text() == '{"half\nwhole\n'


def test_the_file_of_a_failed_write_is_named(tmp_path: Path) -> None:
    file = File(str(tmp_path / "f"), Rotation(), sync=False)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, most))
    try:
        with pytest.raises(OSError, match=r"tmp.*/f'$") as caught:
            file.append("x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        signal.signal(signal.SIGXFSZ, before)
        file.close()
    assert caught.value.errno == errno.EFBIG


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--keep", "3"], "--keep is for --output FILE"),
        (["--rotate-every", "1d"], "--rotate-every is for --output FILE"),
        (["--output", "/dev/null", "--rotate-size", "1M"], "/dev/null is no plain file"),
        (["--output", "/nowhere/f"], "No such file or directory: '/nowhere/f'"),
    ],
)
def test_files_that_can_not_be(
    arguments: list[str], said: str, daemon: Daemon, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["monitor", "audit", "--address", address_of(daemon), *arguments]) in (1, 2)
    assert said in capsys.readouterr().err


def test_names_are_separated_by_commas_or_spaces(monitor: Monitor) -> None:
    for names in (
        ["audit,daemon"],
        ["audit", "daemon"],
        ["audit, daemon"],
        ["audit", "--json", "daemon"],
    ):
        subscriber = monitor(*names, play=lambda daemon: daemon.disconnect()).subscriber
        assert subscriber is not None
        assert subscriber.mask == notif("audit") | notif("daemon")
