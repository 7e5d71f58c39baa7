"""confd-events simulate: scripts, the mix, and what it tells of subscribers."""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
import signal
import socket
from itertools import islice
from pathlib import Path
from random import Random
from subprocess import PIPE
from typing import Any, Callable

import pytest
from cli import PATIENCE, Process, end_of, environment, line_of, ran, started
from conftest import PRODUCT, Connect, plain

import confd_events as events
from confd_events.cli import main
from confd_events.cli._mix import MIX, mix
from confd_events.cli._script import CONVERTERS, annotation_of, read_script, step
from confd_events.testing import Daemon, SnmpColumn, SnmpOid, SnmpVariable, User, value
from confd_events.testing._notifications import KINDS

NO_MIX = {
    "heartbeat",
    "health_check",
    "stream_notification_complete",
    "stream_replay_complete",
    "stream_replay_failed",
    "system_going_down",
}


# The script


def sent(connect: Connect, daemon: Daemon, mask: int, **written: Any) -> dict[str, Any]:
    """What a program receives of one line of a script."""
    sock = connect(mask)
    (found,) = read_script("script", [json.dumps(written)])
    getattr(daemon, found.kind)(**found.fields)
    notification = {**events.read_notification(sock)}
    del notification["type"]
    (payload,) = notification.values()
    assert isinstance(payload, dict)
    return {key: plain(item) for key, item in payload.items()}


def test_a_line_becomes_a_notification(connect: Connect, daemon: Daemon) -> None:
    got = sent(connect, daemon, events.NOTIF_AUDIT, notification="audit", user="ada", usid=7)
    assert (got["user"], got["usid"], got["msg"]) == ("ada", 7, "")


@pytest.mark.parametrize("written", ["start-trans", "START_TRANS", 5])
def test_an_enumeration_may_be_named_or_numbered(written: object) -> None:
    found = step({"notification": "user_session", "type": written})
    assert found.fields["type"] == events.USER_SESS_START_TRANS


def test_a_log_line_has_a_named_priority(connect: Connect, daemon: Daemon) -> None:
    got = sent(connect, daemon, events.NOTIF_DAEMON, notification="daemon-log", prio="err")
    assert got["prio"] == 3


def test_a_user_is_an_object(connect: Connect, daemon: Daemon) -> None:
    user = {"username": "ada", "usid": 7, "proto": "https", "ip": "2001:db8::1"}
    got = sent(connect, daemon, events.NOTIF_COMMIT_SIMPLE, notification="commit", uinfo=user)
    uinfo = got["uinfo"]
    assert (uinfo["username"], uinfo["usid"], uinfo["addr"]) == ("ada", 7, "2001:db8::1")
    assert uinfo["proto"] == events.PROTO_HTTPS


def test_a_node_of_the_cluster(connect: Connect, daemon: Daemon) -> None:
    mask = events.NOTIF_HA_INFO
    written = {"nodeid": {"uint8": 3}, "peer": "somewhere"}
    node = sent(connect, daemon, mask, notification="ha_secondary_died", **written)["slave_died"]
    assert node["nodeid"] == {"class": "Value", "type": events.C_UINT8, "str": "3"}
    assert node["str"] == "somewhere"


def test_variables_of_snmp(connect: Connect, daemon: Daemon) -> None:
    variables = [
        {"name": "sysContact.0", "value": "noc"},
        {"oid": [1, 3, 6], "value": "x", "vartype": "octet-string"},
        {"column": "ifName", "rowindex": "1.2", "value": "eth0"},
    ]
    vb = sent(connect, daemon, events.NOTIF_SNMPA, notification="snmpa", vb=variables)["vb"]
    assert [each["name"] for each in vb] == ["sysContact.0", None, None]
    assert vb[1]["oid"] == [1, 3, 6]
    assert (vb[2]["column"], vb[2]["rowindex"]) == ("ifName", [1, 2])


@pytest.mark.since(8, 2)
def test_progress_with_attributes_and_links(connect: Connect, daemon: Daemon) -> None:
    written = {"attributes": {"leafs": 12, "by": "ada"}, "links": [["trace", "span"]]}
    mask = events.NOTIF_COMMIT_PROGRESS
    got = sent(connect, daemon, mask, notification="commit_progress", **written)
    assert got["attributes"] == written["attributes"]
    assert (got["links"][0]["trace_id"], got["links"][0]["span_id"]) == ("trace", "span")


def test_values_of_a_stream(connect: Connect, daemon: Daemon) -> None:
    daemon.add_stream("S")
    values = {
        "text": "text",
        "-7": -7,
        "true": True,
        "1.500000": 1.5,
        "3": {"uint8": 3},
        "1.5": {"decimal64": "1.50"},
        "10.0.0.1": {"ip": "10.0.0.1"},
        "10.0.0.0/8": {"prefix": "10.0.0.0/8"},
        "1.3.6": {"oid": "1.3.6"},
        "2026-01-02Z": {"date": {"year": 2026, "month": 1, "day": 2}},
        "P1DT0H0M0S.0": {"duration": {"days": 1}},
        "00ff": {"binary": "00ff"},
    }
    data = events.NotificationsData(stream_name="S")
    sock = connect(events.NOTIF_STREAM_EVENT, data)
    found = step(
        {
            "notification": "stream_event",
            "stream": "S",
            "time": "2026-01-31T12:00:00Z",
            "values": [
                [1, 2, {"constant": "XMLBEGIN"}],
                *([1, number, written] for number, written in enumerate(values.values())),
                [1, 9, [{"int8": 1}, {"int8": 2}]],
                [1, 2, {"constant": "XMLEND"}],
            ],
        }
    )
    daemon.stream_event(**found.fields)
    stream = events.read_notification(sock)["stream"]
    first, *middle, array, last = stream["values"]
    assert str(stream["event_time"]).startswith("2026-01-31T12:00:00")
    kinds = (first.v.confd_type(), last.v.confd_type())
    assert kinds == (events.C_XMLBEGIN, events.C_XMLEND)
    assert [str(each.v) for each in middle] == list(values)
    assert array.v.as_list() == [events.Value(n, events.C_INT8) for n in (1, 2)]


def test_every_field_of_every_notification_can_be_written() -> None:
    functions: list[Callable[..., Any]] = [kind.shape for kind in KINDS.values()]
    functions += [User, SnmpVariable, SnmpOid, SnmpColumn]
    functions += [make for name, make in inspect.getmembers(value, inspect.isfunction)
                  if inspect.signature(make).return_annotation == "Typed"]  # fmt: skip
    annotations = {
        annotation_of(parameter)
        for function in functions
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is not inspect.Parameter.POSITIONAL_ONLY
    }
    # _with_length() is no value's name.
    assert annotations - {"dict[int, int]"} == CONVERTERS.keys()


def test_comments_and_blank_lines_are_skipped() -> None:
    lines = ["# why", "", '{"notification": "audit"}', "  ", '  {"notification": "upgrade"}']
    assert [found.kind for found in read_script("s", lines)] == ["audit", "upgrade"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes at column 2"),
        ("[1]", "expected an object {...}, not [1]"),
        ("[" * 100_000, "not JSON for people: too deeply nested"),
        ("{}", '"notification" is missing, or no text; it names one, such as "audit"'),
        ('{"notification": 3}', '"notification" is missing, or no text'),
        ('{"notification": "audt"}', "no notification is called 'audt'; did you mean audit?"),
        ('{"notification": "zzz"}', "no notification is called 'zzz'; there are audit, "),
        ('{"notification": "audit", "usr": 1}', "no field is called 'usr'; did you mean us"),
        ('{"notification": "audit", "to": 1}', "no field is called 'to'"),
        ('{"notification": "audit", "user": 3}', "user: expected text, not 3"),
        ('{"notification": "audit", "user": null}', "user: expected text, not null"),
        ('{"notification": "audit", "usid": true}', "usid: expected a whole number, not true"),
        ('{"notification": "audit", "usid": 1.5}', "usid: expected a whole number, not 1.5"),
        ('{"notification": "audit", "after": "1"}', "after: expected seconds, a number"),
        ('{"notification": "audit", "after": -1}', "after: -1 is no number of seconds to wait"),
        ('{"notification": "audit", "after": NaN}', "after: nan is no number of seconds to wait"),
        ('{"notification": "user_session", "type": "begin"}', "type: 'begin' is none of start, "),
        ('{"notification": "commit", "uinfo": 1}', "uinfo: expected an object {...}, not 1"),
        ('{"notification": "commit", "uinfo": {"usid": "7"}}', "uinfo: usid: expected a whole"),
        ('{"notification": "call_home", "ip": "x"}', "call_home: 'x' does not appear to be"),
        ('{"notification": "snmpa", "vb": [{}]}', "vb: element 1: a variable needs one of name"),
        ('{"notification": "snmpa", "vb": [{"name": "x"}]}', "vb: element 1: value is missing"),
        ('{"notification": "progress", "links": ["x"]}', "links: element 1: expected an array"),
        ('{"notification": "progress", "attributes": {"a": []}}', "attributes: expected text or"),
        ('{"notification": "cq_progress", "failed_devices": ["a"]}', "differ in length"),
        ('{"notification": "stream_event"}', "stream is missing"),
    ],
)
def test_a_wrong_line_is_named(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^script, line 2: ") as caught:
        list(read_script("script", ['{"notification": "audit"}', line]))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ([1, 2], "values: element 1: expected 3 elements, not [1, 2]"),
        ([1, 2, None], "values: element 1: expected a value, not null"),
        ([1, 2, {"uint8": 256}], "uint8: 256 is outside 0 to 255"),
        ([1, 2, 2**31], "is outside"),
        ([1, 2, {"uint": 3}], "no value is called 'uint'; did you mean uint8"),
        ([1, 2, {"uint8": 3, "int8": 3}], "expected an object of one key, its type"),
        ([1, 2, {"constant": "END"}], "no value is called 'END'; did you mean XMLEND?"),
        ([1, 2, {"decimal64": "x"}], "decimal64: not a number"),
        ([1, 2, {"oid": [-1]}], "oid: "),
        ([1, 2, {"ip": "10"}], "'10' does not appear to be"),
        ([1, 2, {"binary": "0g"}], "data: non-hexadecimal number"),
        ([1, 2, {"datetime": "2026-01-31T12:00:00"}], "has no time zone; add Z"),
        ([1, 2, {"date": {"year": 2026}}], "month is missing"),
        ([1, 2, ["a", None]], "element 1: element 2: expected a value, not null"),
    ],
)
def test_a_wrong_value_is_named(written: Any, said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011, the text is looked at
        step({"notification": "stream_event", "stream": "S", "values": [written]})
    assert said in str(caught.value)


# The mix


def test_the_mix_has_every_kind_that_makes_sense() -> None:
    assert MIX.keys() == KINDS.keys() - NO_MIX


@pytest.mark.parametrize("kind", MIX)
def test_every_choice_of_the_mix_can_be_sent(kind: str) -> None:
    required = {name: choices[0] for name, choices in MIX[kind].items()}
    for name, choices in MIX[kind].items():
        for choice in choices if isinstance(choices, list) else (choices[0], choices[-1]):
            step({"notification": kind, **required, name: choice})


def test_the_mix_is_the_same_for_the_same_seed() -> None:
    def drawn(seed: int) -> list[Any]:
        steps = islice(mix(["audit", "commit"], 10, Random(seed)), 50)
        return [(found.kind, found.written) for found in steps]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert {kind for kind, _ in drawn(1)} == {"audit", "commit"}


def test_the_rate_is_what_is_asked_for() -> None:
    steps = islice(mix(["audit"], 20, Random(1)), 40)
    assert sum(found.after for found in steps) == pytest.approx(2)


# The command


def led(process: Process) -> dict[str, Any]:
    """The address that the command's introduction exports, for notifications_connect()."""
    variables = exported(process)
    if "NCS_IPC_PATH" in variables:
        return {"path": variables["NCS_IPC_PATH"]}
    return {
        "ip": variables[f"{PRODUCT}_IPC_ADDR"],
        "port": int(variables[f"{PRODUCT}_IPC_PORT"]),
    }


def exported(process: Process) -> dict[str, str]:
    assert line_of(process).startswith("listening on ")
    assert "shell" in line_of(process)
    command, *assignments = shlex.split(line_of(process))
    assert command == "export"
    return dict(assignment.split("=", 1) for assignment in assignments)


def feed(process: Process, script: str) -> None:
    assert process.stdin is not None
    process.stdin.write(script)
    process.stdin.close()
    process.stdin = None  # so that communicate() leaves it alone


def subscribed(address: dict[str, Any], mask: int) -> socket.socket:
    family = socket.AF_UNIX if "path" in address else socket.AF_INET
    sock = socket.socket(family)
    events.notifications_connect(sock, mask, **address)
    return sock


def test_a_mix_reaches_a_subscriber_and_is_printed() -> None:
    arguments = "simulate --only audit,commit --rate 50 --count 6 --seed 1 --wait-for-subscriber"
    with started(*arguments.split()) as process:
        mask = events.NOTIF_AUDIT | events.NOTIF_COMMIT_SIMPLE
        with subscribed(led(process), mask) as sock:
            first = line_of(process)
            received = [events.read_notification(sock) for _ in range(6)]
            lines = [line_of(process) for _ in range(6)]
        assert end_of(process) == (0, "")
    assert first.endswith("subscribed subscriber=1 to=audit|commit-simple")
    assert {each["type"] for each in received} == {events.NOTIF_AUDIT, events.NOTIF_COMMIT_SIMPLE}
    assert all(line.endswith(" -> 1") for line in lines)


def test_the_same_seed_sends_the_same() -> None:
    arguments = "simulate --rate 100 --count 20 --seed 7".split()
    runs = [without_times(ran(*arguments).stdout)[3:] for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(runs[0]) == 20


def without_times(text: str) -> list[str]:
    return [re.sub(r"^\S+ \S+\d\.\d+ ", "", line) for line in text.splitlines()]


def test_a_script_on_a_unix_socket_waits_for_its_acknowledgements(tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    script.write_text(
        '# a session\n{"notification": "audit", "usid": 7}\n'
        '{"notification": "commit_diff", "after": 0.01, "thandle": 9}\n'
    )
    path = tmp_path / "daemon.socket"
    mask = events.NOTIF_AUDIT | events.NOTIF_AUDIT_SYNC | events.NOTIF_COMMIT_DIFF
    arguments = ("simulate", str(script), "--path", str(path), "--wait-for-subscriber")
    with started(*arguments) as process:
        address = led(process)
        assert address == {"path": str(path)}
        with subscribed(address, mask) as sock:
            assert "subscribed" in line_of(process)
            assert " audit usid=7 -> 1" in line_of(process)
            assert " commit-diff thandle=9 -> 1" in line_of(process)
            assert line_of(process) == "waiting for acknowledgements: 2; Ctrl-C ends"
            events.read_notification(sock)
            events.sync_audit_notification(sock, 7)
            assert line_of(process).endswith("acknowledged subscriber=1 notification=audit id=7")
            tctx = events.read_notification(sock)["commit_diff"]["tctx"]
            events.diff_notification_done(sock, tctx)
            assert line_of(process).endswith("notification=commit-diff id=9")
        assert end_of(process) == (0, "")
    assert not path.exists()


def test_a_subscriber_that_goes_is_told() -> None:
    script = '{"notification": "audit", "after": 1000}\n'
    with started("simulate", "-", stdin=PIPE) as process:
        feed(process, script)
        with subscribed(led(process), events.NOTIF_AUDIT):
            assert line_of(process).endswith("subscribed subscriber=1 to=audit")
        assert line_of(process).endswith("left subscriber=1")


def test_loop_plays_the_script_again(tmp_path: Path) -> None:
    script = tmp_path / "s"
    script.write_text('{"notification": "audit", "after": 0.01}\n{"notification": "commit"}')
    done = ran("simulate", str(script), "--loop", "--count", "5")
    kinds = [line.split()[0] for line in without_times(done.stdout)[3:]]
    assert kinds == ["audit", "commit-simple", "audit", "commit-simple", "audit"]
    assert done.returncode == 0


def test_quiet_prints_where_it_listens_alone() -> None:
    done = ran("simulate", "--quiet", "--count", "2", "--rate", "50")
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_ends_it_in_order(number: signal.Signals, code: int, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with started("simulate", "--path", str(path)) as process:
        led(process)
        process.send_signal(number)
        assert end_of(process) == (code, "")
    assert not path.exists()


def test_a_stream_of_the_script_is_there() -> None:
    line = {"notification": "stream_event", "stream": "MINE", "values": [[1, 2, "x"]]}
    with started("simulate", "-", "--wait-for-subscriber", stdin=PIPE) as process:
        feed(process, json.dumps(line))
        data = events.NotificationsData(stream_name="MINE")
        with socket.socket() as sock:
            events.notifications_connect2(sock, events.NOTIF_STREAM_EVENT, data, **led(process))
            assert events.read_notification(sock)["stream"]["values"]
        assert end_of(process) == (0, "")


def test_a_password_is_not_printed() -> None:
    line = {"notification": "commit", "uinfo": {"username": "ada", "clearpass": "hush"}}
    done = ran("simulate", "-", script=json.dumps(line))
    assert "uinfo={username=ada} -> 0" in done.stdout
    assert "hush" not in done.stdout + done.stderr


def test_a_socket_of_the_environment_is_to_be_unset() -> None:
    done = ran("simulate", "--count", "1", "--rate", "50", env=environment(NCS_IPC_PATH="/x"))
    assert done.stdout.splitlines()[2] == "  unset NCS_IPC_PATH"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl: No such file or directory"),
        (["/dev/null"], "/dev/null: no notification in it"),
        (["-", "--rate", "3"], "--rate is for notifications without a script"),
        (["-", "--seed", "3"], "--seed is for notifications without a script"),
        (["--loop"], "--loop is for a script; without one there is no end"),
        (["--only", "audt"], "--only: no notification is called 'audt'; did you mean audit?"),
        (["--only", "ha"], "--only: no notification is called 'ha'; did you mean ha-info?"),
        (["--speed", "2"], "--speed is for a script or a recording"),
        (["--only", "heartbeat"], "--only: heartbeat is not made up; write a script for it"),
        (["--address", "x:y"], "address: 'x:y' is neither host:port nor a path with a /"),
        (["--address", "4569"], "address: '4569' is a number alone; give host:port"),
        (["--address", "127.0.0.1:70000"], "is neither host:port"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--count", "1", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("confd-events: ")
    assert said in told.err
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (b'{"notification": "audit"}\n{"notification": "audt"}', ", line 2: no notification"),
        (b"\xff\n", "can't decode byte 0xff"),
    ],
)
def test_a_wrong_script_is_refused_before_anything_is_sent(
    script: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "s.jsonl"
    file.write_bytes(script)
    assert main(["simulate", str(file)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err


def test_a_loop_that_takes_no_time_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "s"
    script.write_text('{"notification": "audit"}')
    assert main(["simulate", str(script), "--loop"]) == 2
    assert '--loop needs a script that takes time; add "after"' in capsys.readouterr().err


def test_an_address_in_use_is_told(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    where = "{ip}:{port}".format(**daemon.address)
    assert main(["simulate", "--address", where]) == 1
    told = capsys.readouterr().err
    assert told == f"confd-events: can not listen on {where}: Address already in use\n"


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "erlang.py").write_text("raise ImportError('not there')")
    done = ran("simulate", env=environment(PYTHONPATH=str(tmp_path)))
    said = "confd-events: simulate needs the extra testing: pip install 'confd-events[testing]'\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_a_closed_pipe_ends_it() -> None:
    reading, writing = os.pipe()
    with started("simulate", "--rate", "100", stdout=writing) as process:
        os.close(writing)
        os.close(reading)
        assert process.stderr is not None
        assert process.wait(PATIENCE) == 141
        assert process.stderr.read() == ""
