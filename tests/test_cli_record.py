"""confd-events record and anonymize: recordings, and that they give nobody away."""

from __future__ import annotations

import base64
import json
import re
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Callable

import pytest
from cli import (
    PATIENCE,
    address_of,
    end_of,
    environment,
    line_of,
    monitoring,
    ran,
    started,
)
from conftest import LEVEL, PEER, PRODUCT, SENDABLE
from hypothesis import given
from hypothesis import strategies as st

import confd_events as events
from confd_events.cli import main
from confd_events.cli._script import read_script
from confd_events.cli._terms import Anonymizer, without_passwords
from confd_events.enums import DataProvider
from confd_events.testing import (
    Daemon,
    SnmpOid,
    SnmpVariable,
    TagValue,
    User,
    decode,
    encode,
    frame_of,
    value,
)
from confd_events.testing._notifications import KINDS

PROTOCOL = PEER.protocol
ADA = User(username="ada", usid=7, clearpass="hush", ip="192.0.2.1")


def recorded(daemon: Daemon, path: Path, *arguments: str, play: Callable[[Daemon], object]) -> int:
    """The exit code of `record`, while `play` is run once it has subscribed."""

    def run() -> None:
        with suppress(TimeoutError):
            daemon.wait_for_subscribers(timeout=PATIENCE)
            play(daemon)

    playing = threading.Thread(target=run)
    playing.start()
    limits = ("--timeout", str(PATIENCE))
    code = main(["record", str(path), "--address", address_of(daemon), *limits, *arguments])
    playing.join()
    return code


def read(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first line of a recording, and the others."""
    first, *others = map(json.loads, path.read_text().splitlines())
    return first, others


def frames(path: Path) -> list[bytes]:
    return [base64.b64decode(line["frame"]) for line in read(path)[1]]


# Recordings


def test_a_recording_has_the_frames_as_they_were_sent(daemon: Daemon, tmp_path: Path) -> None:
    path = tmp_path / "r"
    kinds = [kind for kind in SENDABLE if "stream" not in kind]
    sent = [encode(kind, *PEER, **fields_of(kind)) for kind in kinds]

    def play(daemon: Daemon) -> None:
        for frame in sent:
            daemon.send_frame(frame)

    assert recorded(daemon, path, "all", "--count", str(len(sent)), play=play) == 0
    first, lines = read(path)
    library = events.library()
    assert first == {
        "recording": "confd-events",
        "product": PRODUCT,
        "version": library["version"],
        "protocol": PROTOCOL,
        "stream": None,
    }
    assert frames(path) == sent
    times = [line["at"] for line in lines]
    assert times == sorted(times)
    names = {line["notification"] for line in lines}
    assert {"audit", "commit-diff", "progress"} <= names
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_recorded_is_acknowledged(daemon: Daemon, tmp_path: Path) -> None:
    def play(daemon: Daemon) -> None:
        daemon.commit_diff(thandle=9).wait(PATIENCE)
        daemon.audit(usid=7).wait(PATIENCE)

    path = tmp_path / "r"
    assert recorded(daemon, path, "audit,commit-diff", "--sync", "--count", "2", play=play) == 0
    assert [line["notification"] for line in read(path)[1]] == ["commit-diff", "audit"]
    assert len(daemon.acknowledgements) == 2


def test_passwords_are_recorded_when_asked_for_alone(daemon: Daemon, tmp_path: Path) -> None:
    def play(daemon: Daemon) -> None:
        daemon.commit(uinfo=ADA)

    hidden, shown = tmp_path / "hidden", tmp_path / "shown"
    assert recorded(daemon, hidden, "commit-simple", "--count", "1", play=play) == 0
    assert b"hush" not in frames(hidden)[0]
    daemon.disconnect()
    arguments = ("commit-simple", "--count", "1", "--show-passwords")
    assert recorded(daemon, shown, *arguments, play=play) == 0
    assert frames(shown) == [encode("commit", *PEER, uinfo=ADA)]


@pytest.mark.parametrize(
    "kind", [name for name in SENDABLE if "uinfo" in KINDS[name].shape.__annotations__]
)
def test_a_frame_without_its_password_is_as_if_it_had_none(kind: str) -> None:
    plain = encode(kind, *PEER, uinfo=User(username="ada", usid=7))
    secret = User(username="ada", usid=7, clearpass="hush")
    frame = encode(kind, *PEER, uinfo=secret)
    assert without_passwords(frame) == plain
    assert without_passwords(plain) == plain


def test_large_frames_and_secrets_pass_through(tmp_path: Path) -> None:
    with Daemon(product=PRODUCT.lower(), path=str(tmp_path / "socket")) as daemon:
        path = tmp_path / "r"

        def play(daemon: Daemon) -> None:
            daemon.audit(msg="x" * 300_000)
            daemon.audit(msg="small")

        assert recorded(daemon, path, "audit", "--count", "2", play=play) == 0
        assert [len(frame) > 300_000 for frame in frames(path)] == [True, False]


def test_an_existing_file_is_left_alone(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r"
    path.write_text("precious")
    assert main(["record", str(path), "audit", "--address", address_of(daemon)]) == 1
    assert "File exists" in capsys.readouterr().err
    assert path.read_text() == "precious"


def test_no_daemon_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Daemon() as daemon:
        address = address_of(daemon)
    assert main(["record", str(tmp_path / "r"), "audit", "--address", address]) == 1
    said = capsys.readouterr().err
    assert re.fullmatch(rf"confd-events: can not connect to {address}: .*refused\n", said)


def test_a_lost_daemon_is_told(daemon: Daemon, tmp_path: Path) -> None:
    path = tmp_path / "r"

    def play(daemon: Daemon) -> None:
        daemon.audit()
        daemon.disconnect()

    assert recorded(daemon, path, "audit", play=play) == 1
    assert len(frames(path)) == 1


def test_the_timeout_counts_from_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        arguments = ("audit", "--timeout", "500ms", "--count", "1", "--address", address)
        done = ran("record", str(tmp_path / "r"), *arguments)
    assert (done.returncode, done.stderr) == (3, "")


def test_a_full_disk_is_told(tmp_path: Path, daemon: Daemon) -> None:
    code = f"""
import resource, signal, sys
from confd_events.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
sys.exit(main(["record", {str(tmp_path / "r")!r}, "audit", "--address", {address_of(daemon)!r}]))
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.audit(msg="x" * 5000)
        status, said = end_of(process)
    assert status == 1
    assert re.fullmatch(r"confd-events: .*File too large: '.*/r'\n", said)


# Anonymous recordings


def anonymous(path: Path, *arguments: str) -> str:
    done = ran("anonymize", str(path), *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_nobody_is_named_in_an_anonymous_recording(daemon: Daemon, tmp_path: Path) -> None:
    path = tmp_path / "r"

    def play(daemon: Daemon) -> None:
        daemon.audit(user="ada", usid=7, msg="ada logged in from 192.0.2.1 and 2001:db8::7")
        daemon.commit(uinfo=ADA)
        daemon.commit_failed(provider=DataProvider.NETCONF, ip="192.0.2.1")
        daemon.audit(user="bob", msg="Müller".encode("latin-1"))
        daemon.progress(attributes={"device": "ce0-secret"}, msg="push configuration")

    arguments = ("audit,commit-simple,commit-failed,progress", "--count", "5", "--show-passwords")
    assert recorded(daemon, path, *arguments, play=play) == 0
    out = anonymous(path, "--key", "k")
    (tmp_path / "a").write_text(out)
    data = b"".join(frames(tmp_path / "a"))
    for word in ("ada", "hush", "192.0.2.1", "2001:db8", "bob", "logged", "ller", "ce0", "secret"):
        assert word.encode() not in data, word
    assert bytes([192, 0, 2, 1]) not in data
    terms: Any = [decode(frame[4:]) for frame in frames(tmp_path / "a")]
    (_, _, user, usid, msg), commit, failed, *_ = terms
    assert usid == 7
    assert commit[2][1] == user
    assert msg.split()[0] == user
    address = ".".join(map(str, failed[3]))
    assert address.encode() in msg
    assert commit[2][5] == failed[3]
    assert commit[2][3] == b"cli"
    assert LEVEL < (8, 2) or b"device" in data  # the name of an attribute
    assert out == anonymous(path, "--key", "k")
    assert out != anonymous(path)
    before, after = read(path), read(tmp_path / "a")
    assert before[0] == after[0]
    assert [line["at"] for line in before[1]] == [line["at"] for line in after[1]]


def received(frame: bytes, daemon: Daemon, sock: socket.socket) -> Any:
    daemon.send_frame(frame)
    return events.read_notification(sock)


VALUES: list[object] = [
    1,
    "secret",
    value.uint8(3),
    value.decimal64("1.50"),
    value.binary(b"secret"),
    value.oid("1.3.6.1"),
    value.XMLBEGIN,
    ["secret", "secret"],
    True,
]


@pytest.mark.parametrize("kind", SENDABLE)
def test_every_kind_is_read_as_before(kind: str, daemon: Daemon, sock: socket.socket) -> None:
    fields: dict[str, Any] = {}
    if kind == "stream_event":
        fields = {"stream": "S", "values": [TagValue(1, 2, each) for each in VALUES]}
    elif kind.startswith("stream_"):
        fields = {"stream": "S"}
    elif kind == "snmpa":
        fields = {"vb": [SnmpVariable("sysContact.0", b"secret"), SnmpOid("1.3.6.1", b"secret")]}
    elif kind == "call_home":
        fields = {"device": "secret"}
    frame = encode(kind, *PEER, **fields)
    replaced = Anonymizer("k").frame(frame)
    assert b"secret" not in replaced
    before, after = received(frame, daemon, sock), received(replaced, daemon, sock)
    assert after["type"] == before["type"]
    for member in before.keys() - {"type"}:
        assert after[member].keys() == before[member].keys()
        numbers = [key for key, item in before[member].items() if isinstance(item, int)]
        assert {k: after[member][k] for k in numbers} == {k: before[member][k] for k in numbers}


def test_an_anonymous_line_of_monitor_keeps_what_is_nobodys() -> None:
    line = {
        "read_at": "2026-01-31T12:00:00+00:00",
        "type": 32,
        "type_name": "user-session",
        "user_sess": {
            "type": 1,
            "type_name": "start",
            "uinfo": {
                "username": "ada",
                "usid": 7,
                "context": "cli",
                "proto": 1,
                "proto_name": "tcp",
                "addr": "192.0.2.1",
                "clearpass": "********",
            },
        },
    }
    replaced = Anonymizer("k").line(line)
    user = replaced["user_sess"]["uinfo"]
    assert "ada" not in json.dumps(replaced)
    assert "192.0.2.1" not in json.dumps(replaced)
    assert re.fullmatch(r"10\.\d+\.\d+\.\d+", user["addr"])
    assert "clearpass" not in user
    kept = {"usid": 7, "context": "cli", "proto": 1, "proto_name": "tcp"}
    assert kept.items() <= user.items()
    assert {**replaced, "user_sess": None} == {**line, "user_sess": None}


@given(st.text(), st.text())
def test_words_stay_the_same_word(one: str, other: str) -> None:
    def replaced(text: str) -> str:  # not a name of the products as a whole
        return Anonymizer("k").text(f"! {text}")[2:]

    assert replaced(f"{one} \t {other}") == f"{replaced(one)} \t {replaced(other)}"
    letters = r"[^\W\d_]{4,}"
    assert not {*re.findall(letters, one)} & {*re.findall(letters, replaced(one))}


@pytest.mark.parametrize(
    ("text", "said"), [("{", "line 1: not JSON"), ("[]", "line 1: no JSON object")]
)
def test_what_is_no_recording(
    tmp_path: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r"
    path.write_text(text)
    assert main(["anonymize", str(path)]) == 2
    assert said in capsys.readouterr().err


def test_a_signal_ends_a_recording(daemon: Daemon, tmp_path: Path) -> None:
    path = tmp_path / "r"
    with started("record", str(path), "audit", "--address", address_of(daemon)) as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.audit(usid=1)
        process.terminate()
        assert end_of(process)[0] == 143
    assert read(path)[0]["recording"] == "confd-events"


# Playing them


@contextmanager
def playing(*arguments: str) -> Iterator[str]:
    """The address of `simulate ARGUMENTS`, which waits for a subscriber."""
    with started("simulate", *arguments, "--wait-for-subscriber") as process:
        address = line_of(process).removeprefix("listening on ")
        yield address
        assert end_of(process) == (0, "")


def fields_of(kind: str) -> dict[str, Any]:
    """Fields with which any library can read a notification of a kind, and that say something."""
    if kind == "stream_event":
        values = [
            TagValue(1, 2, value.XMLBEGIN),
            TagValue(1, 3, "eth0"),
            TagValue(1, 4, 9000),
            TagValue(1, 4, True),
            TagValue(1, 2, value.XMLEND),
        ]
        return {"stream": "NETCONF", "values": values}
    if kind.startswith("stream_"):
        return {"stream": "NETCONF"}
    fields: dict[str, dict[str, Any]] = {
        "snmpa": {"vb": [SnmpVariable("sysContact.0", b"noc"), SnmpOid("1.3.6.1", b"x")]},
        "call_home": {"device": "ce0"},
        "commit_failed": {"provider": DataProvider.NETCONF, "ip": "192.0.2.1"},
        "cq_progress": {
            "failed_devices": ["ce0"],
            "failed_reasons": ["gone"],
            "failed_services": ["/a"],
            "failed_services_completed_devices": [["ce1"]],
            "failed_services_failed_devices": [["ce0", "ce2"]],
        },
        "progress": {"type": 2, "duration": 5, "attributes": {"n": 1, "d": "ce0"}},
        "commit_progress": {"links": [("a", "b")], "timestamp": 1_700_000_000_000_001},
        "user_session": {"uinfo": User(username="ada", ip="2001:db8::1")},
    }
    return fields.get(kind, {})


STREAM_ENDS = ("stream_notification_complete", "stream_replay_failed")
PLAYABLE = [kind for kind in SENDABLE if kind not in ("heartbeat", "health_check")]


def test_a_recording_is_played_as_it_was(tmp_path: Path) -> None:
    sent = [encode(kind, *PEER, **fields_of(kind)) for kind in PLAYABLE]
    path, again = tmp_path / "r", tmp_path / "again"
    lines = [
        {"at": f"2026-01-31T12:00:00.{number:06}+00:00", "frame": base64.b64encode(frame).decode()}
        for number, frame in enumerate(sent)
    ]
    path.write_text("\n".join(map(json.dumps, [{"recording": "confd-events"}, *lines])))
    with playing(str(path)) as address:
        arguments = ("all", "--sync", "--stream", "NETCONF", "--count", str(len(sent)))
        done = ran("record", str(again), *arguments, "--address", address)
        assert (done.returncode, done.stderr) == (0, "")
    assert frames(again) == sent


@pytest.mark.parametrize("end", STREAM_ENDS)
def test_lines_of_monitor_are_played_as_they_were(tmp_path: Path, end: str) -> None:
    """After the end of a stream, nothing more of it comes."""
    kinds = [*(kind for kind in PLAYABLE if kind not in STREAM_ENDS), end]
    with Daemon(product=PRODUCT.lower()) as daemon:
        daemon.add_stream("NETCONF")
        daemon.add_names({2: "interface", 3: "name", 4: "mtu"})
        arguments = ("all", "--stream", "NETCONF", "--json", "--count", str(len(kinds)))
        with monitoring(daemon, *arguments, "--sync") as process:
            for kind in kinds:
                getattr(daemon, kind)(**fields_of(kind))
            written, errors = process.communicate(timeout=PATIENCE)
    assert errors == ""
    path = tmp_path / "lines.jsonl"
    path.write_text(written)
    with playing(str(path), "--speed", "max") as address:
        done = ran("monitor", *arguments, "--sync", "--address", address)
    assert done.stderr == ""
    before, after = (
        [json.loads(line) for line in text.splitlines()] for text in (written, done.stdout)
    )
    for one, other in zip(before, after):
        one.pop("read_at")
        other.pop("read_at")
        assert one == other
    assert len(before) == len(after) == len(kinds)


def test_the_times_of_a_recording_are_kept() -> None:
    lines = [
        '{"recording": "confd-events"}',
        '{"read_at": "2026-01-31T12:00:00+00:00", "type": 0, "type_name": "connected"}',
        '{"read_at": "2026-01-31T12:00:01+00:00", "type_name": "reopen-logs", "type": 8388608}',
        '{"read_at": "2026-01-31T12:00:03.5+00:00", "type_name": "reopen-logs", "type": 8388608}',
        '{"read_at": "2026-01-31T12:00:03+00:00", "type_name": "reopen-logs", "type": 8388608}',
    ]
    lines[3] = lines[3].replace("03.5", "03.500")
    assert [step.after for step in read_script("x", lines)] == [0, 2.5, 0]


def test_the_speed_of_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "r"
    line = (
        '{"read_at": "2026-01-31T1%d:00:00+00:00", "type_name": "reopen-logs", "type": 8388608}\n'
    )
    path.write_text("".join(line % hour for hour in range(5)))  # four hours
    for speed in ("max", "1000000"):
        done = ran("simulate", str(path), "--speed", speed)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.count("reopen-logs") == 5


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"frame": "?"}', "frame: not base64"),
        ('{"frame": "AAAABAA="}', "frame: its length is another than it says"),
        ('{"frame": 1}', "frame: not base64"),
        ('{"frame": "AAAAAYM="}', "malformed term"),
        ('{"type_name": "audt", "type": 1}', "type_name: 'audt' is no notification"),
        ('{"type_name": "audit", "type": 1, "read_at": "soon"}', "soon"),
        ('{"type_name": "ha-info", "type": 64, "hnot": {"type": 99}}', "type: None is none of"),
    ],
)
def test_what_can_not_be_played_is_told(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"x, line 1: .*{re.escape(said)}"):
        list(read_script("x", [line]))


def test_names_are_those_of_monitor_everywhere(tmp_path: Path) -> None:
    script = tmp_path / "s"
    script.write_text(
        '{"notification": "commit-simple"}\n'
        '{"notification": "ha-info", "type": "noprimary", "reason": 31}\n'
        '{"notification": "NOTIF_DAEMON", "msg": "x"}\n'
    )
    done = ran("simulate", str(script))
    shown = [line.split()[2] for line in done.stdout.splitlines()[3:]]
    assert shown == ["commit-simple", "ha-info", "daemon"]
    for only in ("commit-simple,ha-info", "commit-simple ha-info"):
        done = ran("simulate", "--only", only, "--count", "30", "--rate", "10000", "--seed", "1")
        assert {line.split()[2] for line in done.stdout.splitlines()[3:]} == {
            *only.replace(",", " ").split()
        }


def test_recorded_notifications_hold_up_whom_they_did(tmp_path: Path) -> None:
    with Daemon(product=PRODUCT.lower()) as daemon, socket.socket() as sock:
        mask = events.NOTIF_AUDIT | events.NOTIF_AUDIT_SYNC
        events.notifications_connect(sock, mask, **daemon.address)
        delivery = daemon.replay(encode("audit", PROTOCOL, usid=7))
        assert not delivery.done
        events.sync_audit_notification(sock, 7)
        assert delivery.wait(PATIENCE)
        assert daemon.replay(encode("commit", PROTOCOL)).count == 0
        with pytest.raises(ValueError, match="no notification"):
            daemon.replay(frame_of((None, 1)))
