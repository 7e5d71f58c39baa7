"""The forwarder reads its configuration again while it runs."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from cli import end_of, started
from forwarding import Picky, await_usids, envelopes, file_sink, forwarding, send, usids, written
from servers import free_port
from subscribing import PATIENCE, wait_until

from confd_events.forward import Forwarder, read_config, sinks, status_of
from confd_events.testing import Daemon


def reloaded(forwarder: Forwarder, path: Path) -> None:
    forwarder.reload(lambda: read_config(str(path)))


def await_log(caplog: pytest.LogCaptureFixture, text: str, count: int = 1) -> None:
    wait_until(lambda: caplog.text.count(text) == count)


IN_FORCE = "the new configuration is in force"


def test_sinks_are_changed_added_and_removed_and_nodes_go_on(
    daemon: Daemon, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "confd_events.forward")
    a, b, c = (tmp_path / name for name in "abc")
    two = file_sink(a, 'name = "a"') + file_sink(b, 'name = "b"')
    path = written(tmp_path, daemon, sink=two)
    with forwarding(path) as forwarder:
        send(daemon, 1, 2)
        await_usids(a, ["started", 1, 2])
        await_usids(b, ["started", 1, 2])
        wait_until(lambda: status_of(tmp_path / "spool.db").records == 0)
        changed = file_sink(a, 'name = "a"\nwhere = ["usid>3"]') + file_sink(c, 'name = "c"')
        written(tmp_path, daemon, sink=changed)
        reloaded(forwarder, path)
        await_log(caplog, f"{IN_FORCE}; nodes: 1, sinks: 2")
        send(daemon, 3, 4)
        await_usids(a, ["started", 1, 2, 4])
        await_usids(c, [3, 4])
        assert len(daemon.subscribers) == 1
    assert usids(envelopes(b)) == ["started", 1, 2]
    assert {each.name for each in status_of(tmp_path / "spool.db").sinks} == {"a", "c"}
    ids = [record["id"].rsplit("/", 1) for record in envelopes(a)]
    assert [number for _, number in ids] == ["1", "2", "3", "5"]
    assert len({run for run, _ in ids}) == 1


def test_what_is_on_its_way_to_a_sink_is_neither_lost_nor_doubled(
    daemon: Daemon, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "confd_events.forward")
    out = tmp_path / "out"
    path = written(tmp_path, daemon, sink=file_sink(out, "batch = 3"))
    with forwarding(path) as forwarder:
        for round_ in range(3):
            send(daemon, *range(100 * round_, 100 * round_ + 100))
            reloaded(forwarder, path)
            await_log(caplog, IN_FORCE, round_ + 1)
        wait_until(lambda: len(envelopes(out)) == 301)
    assert usids(envelopes(out)) == ["started", *range(300)]


def test_a_sink_that_waits_is_made_anew(
    daemon: Daemon,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    made: list[Picky] = []

    def make(table: Any) -> Picky:
        made.append(Picky())
        made[-1].failures = 0 if len(made) > 1 else 10**9
        return made[-1]

    monkeypatch.setitem(sinks.BUILT_IN, "picky", make)
    path = written(tmp_path, daemon, sink='[[sinks]]\ntype = "picky"\nretry = "1h"\n')
    with forwarding(path) as forwarder:
        send(daemon, 1)
        wait_until(lambda: made[0].opened > 0)
        reloaded(forwarder, path)
        wait_until(lambda: usids(made[-1].got) == ["started", 1])
    assert made[0].opened == made[0].closed
    assert made[0].got == []


def test_nodes_are_changed_added_and_removed(
    daemon: Daemon, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "confd_events.forward")
    out = tmp_path / "out"
    path = written(tmp_path, daemon, sink=file_sink(out))
    before = path.read_text()
    with forwarding(path) as forwarder:
        send(daemon, 1)
        await_usids(out, ["started", 1])
        node = before.partition("[[nodes]]")[2].partition("[[sinks]]")[0]
        rome = node.replace('"paris"', '"rome"')
        path.write_text(f"{before}\n[[nodes]]\n{rome}")
        reloaded(forwarder, path)
        daemon.wait_for_subscribers(2, timeout=PATIENCE)
        await_log(caplog, "nodes: 2")
        path.write_text(before.replace('"audit", "audit-sync"', '"audit", "daemon"'))
        reloaded(forwarder, path)
        await_log(caplog, "nodes: 1")
        wait_until(lambda: len(daemon.subscribers) == 1)
        daemon.daemon_log(msg="x")
        wait_until(lambda: len(envelopes(out)) >= 5)
    kinds = [(record["source"].rpartition("/")[2], record["type"]) for record in envelopes(out)]
    assert [(node, kind.partition(".")[2]) for node, kind in kinds] == [
        ("paris", "started"),
        ("paris", "audit"),
        ("rome", "started"),
        ("paris", "started"),
        ("paris", "daemon"),
    ]
    assert len({record["id"] for record in envelopes(out)}) == 5


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("retry", "rety", r"sinks\[0\]\.rety: there is no such key; perhaps retry"),
        ('"spool.db"', '"other.db"', r"spool\.path: can't change while the forwarder runs"),
        ("[spool]", '[metrics]\nfile = "x.prom"\n[spool]', r"metrics: can't change while"),
        ("[spool]", "[spool", r"is not TOML"),
    ],
)
def test_a_wrong_configuration_is_told_and_the_old_one_goes_on(
    daemon: Daemon,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    old: str,
    new: str,
    said: str,
) -> None:
    out = tmp_path / "out"
    path = written(tmp_path, daemon, sink=file_sink(out))
    with forwarding(path) as forwarder:
        send(daemon, 1)
        path.write_text(path.read_text().replace(old, new))
        reloaded(forwarder, path)
        await_log(caplog, "the new configuration is wrong, the old one goes on: ")
        send(daemon, 2)
        await_usids(out, ["started", 1, 2])
    assert re.search(said, caplog.text)


def test_a_secret_is_read_again(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def make(table: Any) -> Picky:
        seen.append(table.secret("token"))
        return Picky()

    monkeypatch.setitem(sinks.BUILT_IN, "picky", make)
    (tmp_path / "token").write_text("one\n")
    sink = f'[[sinks]]\ntype = "picky"\ntoken_file = "{tmp_path / "token"}"\n'
    path = written(tmp_path, daemon, sink=sink)
    with forwarding(path) as forwarder:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        (tmp_path / "token").write_text("two\n")
        reloaded(forwarder, path)
        wait_until(lambda: seen == ["one", "two"])


def test_metrics_follow(daemon: Daemon, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "confd_events.forward")
    port = free_port()
    shown = f'[metrics]\naddress = "127.0.0.1:{port}"\n'
    path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out") + shown)
    with forwarding(path) as forwarder:
        send(daemon, 1)
        path.write_text(path.read_text().replace('"paris"', '"rome"'))
        reloaded(forwarder, path)
        await_log(caplog, IN_FORCE)
        with urlopen(f"http://127.0.0.1:{port}", timeout=PATIENCE) as answer:
            text = answer.read().decode()
    assert 'confd_events_node_connected{node="rome"}' in text
    assert 'confd_events_node_connected{node="paris"}' not in text
    assert 'confd_events_notifications_total{node="paris",type="audit"} 1.0' in text


def test_the_command_reads_it_again_at_sighup(daemon: Daemon, tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    path = written(tmp_path, daemon, sink=file_sink(a))
    with started("forward", str(path)) as process:
        send(daemon, 1)
        await_usids(a, ["started", 1])
        path.write_text("[spool")
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        assert "node paris: subscribed" in process.stderr.readline()
        told = process.stderr.readline()
        assert "the new configuration is wrong, the old one goes on" in told
        send(daemon, 2)
        await_usids(a, ["started", 1, 2])
        written(tmp_path, daemon, sink=file_sink(b))
        process.send_signal(signal.SIGHUP)
        number = 3

        def arrives() -> bool:
            nonlocal number
            send(daemon, number)
            number += 1
            return b.exists()

        wait_until(arrives)
        wait_until(lambda: usids(envelopes(a) + envelopes(b))[-1:] == [number - 1])
        process.send_signal(signal.SIGTERM)
        code, errors = end_of(process)
    assert code == 0
    assert "the new configuration is in force; nodes: 1, sinks: 1" in errors
    assert usids(envelopes(a) + envelopes(b)) == ["started", *range(1, number)]


def test_systemd_is_told_of_it(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))
        with forwarding(path) as forwarder:
            assert systemd.recv(1000).decode().startswith("READY=1\n")
            reloaded(forwarder, path)
            told = ""
            while not told.startswith("RELOADING=1\n"):
                told = systemd.recv(1000).decode()
            assert re.search(r"\nMONOTONIC_USEC=\d+$", told)
            while not told.startswith("READY=1\n"):
                told = systemd.recv(1000).decode()
