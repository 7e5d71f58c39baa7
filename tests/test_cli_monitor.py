"""confd-events monitor: what it prints, what it asks the daemon for, and how it ends."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import sys
import termios
import time
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable

import pytest
from cli import (
    PATIENCE,
    STAMP,
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
from conftest import PRODUCT

import confd_events as events
from confd_events.cli import main
from confd_events.description.releases import in_use
from confd_events.enums import Notif
from confd_events.testing import Daemon, DataChange, Delivery, Subscriber, TagValue, User, value

SYMBOL = events.log_symbol(1)
LOGGED_IN = f'audit logno={SYMBOL} user=ada msg="logged in" usid=7'
ADA = User(username="ada", usid=7, clearpass="hush", ip="192.0.2.1")
FLAGS = Notif.AUDIT_SYNC | Notif.HA_INFO_SYNC | Notif.AUDIT_NETWORK_SYNC


# What is printed


def test_a_line_for_each_notification(monitor: Monitor) -> None:
    def play(daemon: Daemon) -> None:
        send_audit(daemon)
        daemon.reopen_logs()

    outcome = monitor("audit", "reopen-logs", "--count", "2", play=play)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.lines == [LOGGED_IN, "reopen-logs"]
    assert all(re.match(STAMP, line) for line in outcome.out.splitlines())


def test_numbers_have_their_names_and_users_are_short(monitor: Monitor) -> None:
    outcome = monitor(
        "user-session", "--count", "1", play=lambda daemon: daemon.user_session(uinfo=ADA)
    )
    assert outcome.lines == [
        "user-session type=start "
        "uinfo={username=ada usid=7 context=cli addr=192.0.2.1 clearpass=********} database=no-db"
    ]


def test_older_names_of_keys_are_left_out(monitor: Monitor) -> None:
    def play(daemon: Daemon) -> None:
        daemon.ha_noprimary(reason=events.ERR_HA_NOTICK)
        daemon.ha_secondary_died(nodeid="paris", peer="192.0.2.2")

    outcome = monitor("ha-info", "--count", "2", play=play)
    assert outcome.lines == [
        "ha-info type=noprimary noprimary=ha-notick",
        "ha-info type=secondary-died secondary_died={nodeid=paris ip4=192.0.2.2}",
    ]


def test_values_of_a_stream_are_a_tree(monitor: Monitor, daemon: Daemon) -> None:
    elements = [
        TagValue(1, 2, value.XMLBEGIN),
        TagValue(1, 3, "eth0"),
        TagValue(1, 4, ["a", "b"]),
        TagValue(1, 2, value.XMLEND),
    ]
    daemon.add_stream("S")
    noon = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    outcome = monitor(
        *("--stream", "S", "--count", "1"),
        play=lambda daemon: daemon.stream_event(stream="S", values=elements, time=noon),
    )
    local = noon.astimezone().replace(tzinfo=None).isoformat()
    assert outcome.lines == [
        f"stream-event type=notification-event event_time={local} "
        "values={tag<2>={tag<3>=eth0 tag<4>=[a b]}}"
    ]


CHANGES = [
    DataChange("created", "/ex:server{www}"),
    DataChange("value-set", "/ex:server{www}/secret", "hush"),
    DataChange("deleted", "/ex:client", old="ada"),
]


def commit(daemon: Daemon) -> None:
    # A daemon that holds no transaction tells nothing.
    daemon.commit_diff(uinfo=ADA, changes=CHANGES).wait(PATIENCE)


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ([], []),
        (["--changes", "--below", "/ex:client"], ["    - /ex:client"]),
        (["--changes", "--old", "--below", "/ex:client"], ["    - /ex:client (was ada)"]),
        (
            ["--changes"],
            ["    + /ex:server{www}", "    = /ex:server{www}/secret ********", "    - /ex:client"],
        ),
        (
            ["--changes", "--show-passwords", "--below", "/ex:server{www}/secret"],
            ["    = /ex:server{www}/secret hush"],
        ),
    ],
)
def test_what_a_commit_changes(
    monitor: Monitor, daemon: Daemon, options: list[str], changes: list[str]
) -> None:
    load_names(daemon)
    outcome = monitor("commit-diff", "--count", "1", *options, play=commit)
    first, *rest = outcome.out.splitlines()
    assert " commit-diff " in first
    assert rest == changes


def load_names(daemon: Daemon) -> None:
    """Has the names of the changes' paths known in this process, whose schemas are loaded once."""
    daemon.commit_diff(changes=CHANGES)
    events.load_schemas(**daemon.address)


def test_what_a_commit_changes_for_programs(
    monitor: Monitor, daemon: Daemon, tmp_path: Path
) -> None:
    load_names(daemon)
    outcome = monitor("commit-diff", "--count", "1", "--changes", "--json", play=commit)
    (line,) = map(json.loads, outcome.out.splitlines())
    assert line["commit_diff"]["uinfo"]["username"] == "ada"
    assert line["changes"] == [
        {"operation": "created", "path": "/ex:server{www}"},
        {"operation": "value-set", "path": "/ex:server{www}/secret", "new": "********"},
        {"operation": "deleted", "path": "/ex:client"},
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["audit", "--changes"], "--changes is for commit-diff"),
        (["commit-diff", "--below", "/ex:a"], "--below is for --changes"),
        (["commit-diff", "--old"], "--old is for --changes"),
    ],
)
def test_changes_of_what_has_none(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["monitor", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_what_could_move_the_cursor_is_escaped(monitor: Monitor) -> None:
    text = 'a "b" \\ \x1b[31m\n\u202e\x9b'
    outcome = monitor("audit", "--count", "1", play=lambda daemon: daemon.audit(msg=text))
    assert r'msg="a \"b\" \\ \x1b[31m\n\u202e\x9b"' in outcome.out


@pytest.mark.parametrize(
    ("form", "shown"),
    [([], r'msg="gr\\xfcn"'), (["--json"], r'"msg": "gr\\xfcn"')],
    ids=["lines", "json"],
)
def test_bytes_that_are_not_utf8_are_escaped(monitor: Monitor, form: list[str], shown: str) -> None:
    def play(daemon: Daemon) -> None:
        daemon.audit(msg="grün".encode("latin-1"))

    assert shown in monitor("audit", "--count", "1", *form, play=play).out


def test_text_that_the_terminal_can_not_show_is_escaped(daemon: Daemon) -> None:
    env = environment(PYTHONIOENCODING="ascii", LC_ALL="C")
    with monitoring(daemon, "audit", "--count", "1", env=env) as process:
        daemon.audit(msg="grün")
        assert line_of(process).endswith(r" msg=gr\xfcn usid=0")
        assert end_of(process) == (0, "")


def test_json_lines(monitor: Monitor) -> None:
    def play(daemon: Daemon) -> None:
        send_audit(daemon)
        daemon.commit(uinfo=ADA)

    outcome = monitor("audit", "commit-simple", "--json", "--count", "2", play=play)
    audit, commit = map(json.loads, outcome.out.splitlines())
    assert audit["audit"] == {"logno": 1, "user": "ada", "msg": "logged in", "usid": 7}
    assert commit["type_name"] == "commit-simple"
    assert commit["commit"]["uinfo"]["username"] == "ada"
    assert datetime.fromisoformat(commit["read_at"]).tzinfo is not None


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["lines", "json"])
def test_passwords_are_shown_when_asked_for_alone(monitor: Monitor, form: list[str]) -> None:
    arguments = ["commit-simple", "--count", "1", *form]

    def play(daemon: Daemon) -> None:
        daemon.commit(uinfo=ADA)

    assert "hush" not in monitor(*arguments, play=play).out
    assert "hush" in monitor(*arguments, "--show-passwords", play=play).out


# Colours


def on_terminal(daemon: Daemon, **variables: str) -> str:
    """What the command writes to a terminal about an audit record."""
    leader, terminal = pty.openpty()
    try:
        env = environment(**variables)
        arguments = ("audit", "--count", "1")
        with monitoring(daemon, *arguments, stdout=terminal, env=env) as process:
            os.close(terminal)
            send_audit(daemon)
            written = drained(leader)
            assert end_of(process) == (0, "")
    finally:
        os.close(leader)
    return written


def drained(descriptor: int) -> str:
    """All that is written to a terminal or pipe until it is closed."""
    data = b""
    with suppress(OSError):  # a terminal that is closed
        while part := os.read(descriptor, 65536):
            data += part
    return data.decode()


def test_a_terminal_gets_colours(daemon: Daemon) -> None:
    written = on_terminal(daemon)
    assert "\x1b[1;36maudit\x1b[0m" in re.sub(r"m ?audit", "maudit", written)
    day, *lines = re.sub(r"\x1b\[[\d;]*m", "", written).split("\r\n")
    assert re.fullmatch(r"\w+, \d{4}-\d\d-\d\d", day)
    assert [re.sub(r"^[\d:.]{12} ", "", line).split() for line in lines if line] == [
        ["audit", f"logno={SYMBOL}", "user=ada", 'msg="logged', 'in"'],
        ["usid=7"],
    ]


@pytest.mark.parametrize("variable", ["NO_COLOR", "TERM"])
def test_a_terminal_gets_none_when_it_says_so(daemon: Daemon, variable: str) -> None:
    written = on_terminal(daemon, **{variable: "dumb"})
    assert "\x1b" not in written
    assert "user=ada" in written


def test_without_rich_there_are_no_colours(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "rich").mkdir()
    (tmp_path / "rich" / "__init__.py").write_text("raise ImportError('not there')")
    written = on_terminal(daemon, PYTHONPATH=str(tmp_path))
    assert "\x1b" not in written
    assert "user=ada" in written


def test_a_pipe_gets_no_colours(daemon: Daemon) -> None:
    with monitoring(daemon, "audit", "--count", "1") as process:
        send_audit(daemon)
        assert "\x1b" not in line_of(process)
        assert end_of(process) == (0, "")


# What is asked for


def asked(monitor: Monitor, *arguments: str) -> Subscriber:
    subscriber = monitor(*arguments, play=lambda daemon: daemon.disconnect()).subscriber
    assert subscriber is not None
    return subscriber


def test_all_is_what_neither_needs_more_nor_holds_up(monitor: Monitor) -> None:
    mask = asked(monitor, "all").mask
    for name in ("audit", "commit-simple", "ha-info", "progress"):
        assert mask & events.enums.notif(name), name
    for name in ("commit-diff", "takeover-syslog", "heartbeat", "health-check", "stream-event"):
        assert not mask & events.enums.notif(name), name
    assert not mask & FLAGS


def test_sync_adds_the_flags_of_what_is_chosen(monitor: Monitor) -> None:
    assert asked(monitor, "audit", "--sync").mask == Notif.AUDIT | Notif.AUDIT_SYNC


def test_sync_of_all_has_commit_diff_and_every_flag(monitor: Monitor) -> None:
    mask = asked(monitor, "all", "--sync").mask
    expected = FLAGS if in_use("NOTIF_AUDIT_NETWORK") else FLAGS & ~Notif.AUDIT_NETWORK_SYNC
    assert mask & FLAGS == expected
    assert mask & Notif.COMMIT_DIFF


def test_names_may_be_constants(monitor: Monitor) -> None:
    mask = asked(monitor, "NOTIF_AUDIT", "commit_simple").mask
    assert mask == Notif.AUDIT | Notif.COMMIT_SIMPLE


def test_options_of_the_subscription_reach_the_daemon(monitor: Monitor, daemon: Daemon) -> None:
    daemon.add_stream("S")
    arguments = "progress --stream S --filter /a[b=1] --verbosity debug".split()
    times = "--start 2026-01-31T12:00:00Z --stop 2099-01-31T12:00:00+02:00".split()
    intervals = "--heartbeat 1.5 --health-check 2".split()
    subscriber = asked(monitor, *arguments, *times, *intervals)
    assert (subscriber.stream, subscriber.filter) == ("S", "/a[b=1]")
    assert subscriber.start == datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    assert subscriber.stop == datetime(2099, 1, 31, 10, tzinfo=timezone.utc)
    assert (subscriber.heartbeat_interval, subscriber.health_check_interval) == (1500, 2000)
    assert subscriber.verbosity == events.VERBOSITY_DEBUG


def test_usid_reaches_the_daemon(capsys: pytest.CaptureFixture[str]) -> None:
    with Daemon(product=PRODUCT.lower(), sessions=[7], minimum_interval=0) as daemon:
        daemon.add_stream("S")
        assert asked(Monitor(daemon, capsys), "--stream", "S", "--usid", "7").usid == 7


def test_health_checks_are_printed_and_heartbeats_when_named(monitor: Monitor) -> None:
    checks = ("--health-check", "0.02", "--heartbeat", "30", "--count", "5")
    assert set(monitor(*checks).lines) == {"health-check"}
    assert monitor("heartbeat", "--heartbeat", "1", "--count", "1").lines == ["heartbeat"]


def test_the_address_is_that_of_the_environment(daemon: Daemon) -> None:
    variables = {"NCS_IPC_ADDR": daemon.address["ip"], "NCS_IPC_PORT": str(daemon.address["port"])}
    with started("monitor", "audit", "--count", "1", env=environment(**variables)) as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        send_audit(daemon)
        assert "user=ada" in line_of(process)
        assert end_of(process) == (0, "")


def test_the_address_may_be_a_unix_socket(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "socket")
    with Daemon(product=PRODUCT.lower(), path=path) as daemon:
        outcome = Monitor(daemon, capsys)("audit", "--count", "1", play=send_audit)
    assert (outcome.code, len(outcome.lines)) == (0, 1)


def test_list_tells_names_and_what_they_mean(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["monitor", "--list"]) == 0
    listed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert listed["reopen-logs"] == "The daemon closes its log files and opens them anew."
    assert listed["audit"].endswith("The daemon waits with --sync.")
    for name in listed:
        events.enums.notif(name)


# Waiting for a line


PAGE = 4096
LONG = "x" * 2 * PAGE


def pipe_with_room() -> tuple[int, int, int]:
    """The ends of a pipe that takes one page more, and how much it then holds."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    size = 0
    with suppress(BlockingIOError):
        while True:
            size += os.write(writing, b"." * PAGE)
    os.set_blocking(writing, True)
    os.read(reading, PAGE)
    return reading, writing, size


def held(pipe: int) -> int:
    """How many bytes are in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_the_daemon_waits_until_the_line_is_out(daemon: Daemon) -> None:
    reading, writing, full = pipe_with_room()
    with monitoring(daemon, "audit", "--sync", stdout=writing) as process:
        os.close(writing)
        delivery = daemon.audit(usid=7, msg=LONG)
        while held(reading) < full:  # the line is longer than the room
            assert process.poll() is None
            time.sleep(0.01)
        assert not delivery.done
        written = b""
        while not written.endswith(b"\n") and (part := os.read(reading, 65536)):
            written += part
        assert delivery.wait(PATIENCE)
    os.close(reading)
    assert written.endswith(b" usid=7\n")


@pytest.mark.parametrize(
    ("arguments", "send"),
    [
        (["commit-diff"], lambda daemon: daemon.commit_diff(thandle=9)),
        (["ha-info", "--sync"], lambda daemon: daemon.ha_is_primary()),
        (["all", "--sync"], lambda daemon: daemon.audit(usid=7)),
    ],
)
def test_what_is_printed_is_acknowledged(
    daemon: Daemon, arguments: list[str], send: Callable[[Daemon], Delivery]
) -> None:
    with monitoring(daemon, *arguments) as process:
        delivery = send(daemon)
        assert line_of(process)
        assert delivery.wait(PATIENCE)
        assert len(daemon.acknowledgements) == 1


# Conditions


def test_where_takes_patterns_of_values_and_of_names_of_numbers(monitor: Monitor) -> None:
    def play(daemon: Daemon) -> None:
        daemon.daemon_log(prio=6, msg="one")
        daemon.daemon_log(prio=3, msg="two")
        daemon.daemon_log(prio=3, msg="three")
        daemon.daemon_log(prio=4, msg="four")

    where = ("--where", "prio=err", "--where", "msg=t*")
    assert len(monitor("daemon", *where, "--count", "2", play=play).lines) == 2
    (line,) = monitor("daemon", "--where", "prio=4", "--count", "1", play=play).lines
    assert "msg=four" in line


def test_where_looks_into_objects_and_lists(monitor: Monitor) -> None:
    def play(daemon: Daemon) -> None:
        daemon.user_session(uinfo=User(username="bob"))
        daemon.user_session(uinfo=ADA)

    where = ("--where", "uinfo.username=a*")
    (line,) = monitor("user-session", *where, "--count", "1", play=play).lines
    assert "username=ada" in line

    def queue(daemon: Daemon) -> None:
        daemon.cq_progress(cq_id=1, completed_devices=["ce0"])
        daemon.cq_progress(cq_id=2, completed_devices=["ce0", "pe0"])

    if PRODUCT == "NCS":
        where = ("--where", "completed_devices=pe*")
        (line,) = monitor("cq-progress", *where, "--count", "1", play=queue).lines
        assert "cq_id=2" in line


def test_what_where_leaves_out_is_acknowledged(monitor: Monitor) -> None:
    def play(daemon: Daemon) -> None:
        daemon.audit(user="bob", usid=8).wait(PATIENCE)
        send_audit(daemon)

    outcome = monitor("audit", "--sync", "--where", "user=ada", "--count", "1", play=play)
    assert (outcome.code, len(outcome.lines)) == (0, 1)


# Its end


def test_count_ends_it_and_the_rest_holds_nobody_up(monitor: Monitor, daemon: Daemon) -> None:
    deliveries: list[Any] = []

    def play(daemon: Daemon) -> None:
        deliveries.extend(daemon.audit(usid=number) for number in range(10))

    outcome = monitor("audit", "--sync", "--count", "3", play=play)
    assert (outcome.code, len(outcome.lines)) == (0, 3)
    assert all(delivery.wait(PATIENCE) for delivery in deliveries)


def test_timeout_ends_it_well_without_a_count(monitor: Monitor) -> None:
    outcome = monitor("audit", "--timeout", "0.2", play=send_audit)
    assert (outcome.code, outcome.err) == (0, "")


def test_timeout_before_the_count_has_a_code_of_its_own(monitor: Monitor) -> None:
    assert monitor("audit", "--timeout", "0.2", "--count", "2", play=send_audit).code == 3


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_ends_it_without_a_word(daemon: Daemon, number: signal.Signals, code: int) -> None:
    with monitoring(daemon, "audit", "--sync") as process:
        send_audit(daemon)
        assert line_of(process)
        daemon.wait_for_acknowledgements(timeout=PATIENCE)
        process.send_signal(number)
        assert end_of(process) == (code, "")


def test_a_lost_daemon_is_told_in_one_line(monitor: Monitor) -> None:
    def play(daemon: Daemon) -> None:
        send_audit(daemon)
        daemon.disconnect()

    outcome = monitor("audit", play=play)
    assert (outcome.code, len(outcome.lines)) == (1, 1)
    assert re.fullmatch(r"confd-events: .*EOF.*\n", outcome.err)


def test_no_daemon_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Daemon() as daemon:
        address = address_of(daemon)
    assert main(["monitor", "audit", "--address", address]) == 1
    assert re.fullmatch(r"confd-events: .*refused.*\n", capsys.readouterr().err)


def test_a_refusal_of_the_daemon_is_told(monitor: Monitor, daemon: Daemon) -> None:
    assert main(["monitor", "--stream", "S", "--address", address_of(daemon)]) == 1


def test_a_closed_pipe_ends_it(daemon: Daemon) -> None:
    reading, writing = os.pipe()
    with monitoring(daemon, "audit", stdout=writing) as process:
        os.close(writing)
        os.close(reading)
        send_audit(daemon)
        assert end_of(process) == (141, "")


def test_reconnect_goes_on_after_a_lost_connection(daemon: Daemon) -> None:
    with monitoring(daemon, "audit", "--reconnect", "--count", "2") as process:
        send_audit(daemon)
        assert " audit " in line_of(process)
        (first,) = daemon.subscribers
        daemon.disconnect()
        assert re.match(rf'{STAMP} disconnected error=".*EOF', line_of(process))
        daemon.wait_for_subscribers(timeout=PATIENCE)
        assert daemon.subscribers[0].id > first.id
        assert re.match(rf"{STAMP} connected attempts=\d+ gap=", line_of(process))
        send_audit(daemon)
        assert " audit " in line_of(process)
        assert end_of(process) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name what to subscribe to, such as audit; --list lists the names"),
        (["--heartbeat", "5"], "name what to subscribe to"),
        (["audt"], "no notification is called 'audt'; did you mean audit"),
        (["heartbeat"], "heartbeat"),
        (["stream-event"], "stream: give the name of the stream"),
        (["audit", "--start", "2026-01-31T12:00:00Z"], "start: is for a stream; give stream, too"),
        (["audit-sync"], "audit-sync does nothing without audit"),
        (["audit", "--where", "usr=x"], "nothing asked for has a key 'usr'; perhaps user"),
        (["audit", "--where", "uinfo.usid=x"], "nothing asked for has a key 'uinfo'"),
        (["audit", "--address", "nowhere:x"], "address: 'nowhere:x' is neither"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["monitor", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err
    assert re.fullmatch(r"confd-events: .*\n", told.err)


def test_a_wrong_variable_of_the_environment_is_wrong_usage() -> None:
    done = ran("monitor", "audit", env=environment(NCS_IPC_PORT="many"))
    assert done.returncode == 2
    assert "NCS_IPC_PORT: 'many' is not a port number" in done.stderr
