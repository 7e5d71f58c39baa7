"""The forwarder is killed, wherever it is: what was acknowledged arrives, in order."""

from __future__ import annotations

import signal
from pathlib import Path

from cli import environment, started
from forwarding import envelopes, file_sink, once, usids, written
from subscribing import PATIENCE, wait_until

from confd_events.forward import status_of
from confd_events.testing import Daemon

SYNCS = 14  # calls from the start to a record that all sinks have, and a few more


def acknowledged(daemon: Daemon) -> list[int]:
    return [each.id for each in daemon.acknowledgements if each.id is not None]


def test_nothing_is_acknowledged_before_it_is_on_the_disk(
    daemon: Daemon, tmp_path: Path, sync_preload: str
) -> None:
    path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))
    env = environment(LD_PRELOAD=sync_preload, SYNC_GATE=str(tmp_path))
    with started("forward", str(path), env=env) as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].position == 1)
        (tmp_path / "closed").touch()
        daemon.audit(user="ada", usid=7, msg="logged in")
        wait_until((tmp_path / "waiting").exists)
        assert acknowledged(daemon) == []
        (tmp_path / "closed").unlink()
        daemon.wait_for_acknowledgements(1, PATIENCE)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert usids(envelopes(tmp_path / "out")) == ["started", 7]


def run_until_killed(daemon: Daemon, path: Path, env: dict[str, str], number: int) -> int:
    """Sends numbers until the forwarder is killed; returns the number after the last."""
    before = len(daemon.subscribers)
    with started("forward", str(path), env=env) as process:
        wait_until(lambda: len(daemon.subscribers) > before or process.poll() is not None)
        while process.poll() is None:
            daemon.audit(user="ada", usid=number, msg="logged in")
            awaited = number
            wait_until(
                lambda: awaited in acknowledged(daemon) or process.poll() is not None  # noqa: B023
            )
            number += 1
        assert process.returncode == -signal.SIGKILL
    daemon.disconnect()
    return number


def test_what_was_acknowledged_arrives_wherever_the_forwarder_is_killed(
    daemon: Daemon, tmp_path: Path, sync_preload: str
) -> None:
    out, number = tmp_path / "out", 1
    path = written(tmp_path, daemon, sink=file_sink(out))
    for at in range(1, SYNCS + 1):
        for sign in ("", "-"):
            env = environment(LD_PRELOAD=sync_preload, SYNC_KILL=f"{sign}{at}")
            number = run_until_killed(daemon, path, env, number)
    with started("forward", str(path)) as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.audit(user="ada", usid=number, msg="logged in")
        wait_until(lambda: usids(envelopes(out))[-1:] == [number])
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    arrived = [usid for usid in usids(once(envelopes(out))) if isinstance(usid, int)]
    assert len(acknowledged(daemon)) > SYNCS
    assert set(acknowledged(daemon)) <= set(arrived)
    assert arrived == sorted(set(arrived))


def test_any_moment_is_as_good(daemon: Daemon, tmp_path: Path) -> None:
    out, number = tmp_path / "out", 1
    path = written(tmp_path, daemon, sink=file_sink(out))
    for count in (1, 20, 300, 1000):
        with started("forward", str(path)) as process:
            daemon.wait_for_subscribers(timeout=PATIENCE)
            before = len(daemon.acknowledgements)
            for _ in range(count):
                daemon.audit(user="ada", usid=number, msg="logged in")
                number += 1
            wait_until(lambda: len(daemon.acknowledgements) > before + count // 2)  # noqa: B023
            process.kill()
            process.wait(PATIENCE)
        daemon.disconnect()
    with started("forward", str(path)) as process:
        wait_until(lambda: status_of(tmp_path / "spool.db").records == 0)
        daemon.wait_for_subscribers(timeout=PATIENCE)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    arrived = [usid for usid in usids(once(envelopes(out))) if isinstance(usid, int)]
    assert set(acknowledged(daemon)) <= set(arrived)
    assert arrived == sorted(set(arrived))
