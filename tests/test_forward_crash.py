"""The forwarder is killed, wherever it is: what was acknowledged arrives, in order."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cli import environment, started
from conftest import PEER
from forwarding import delivered, envelopes, file_sink, once, usids, written
from subscribing import PATIENCE, wait_until

from confd_events.forward import status_of
from confd_events.testing import Daemon, encode

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


@pytest.mark.timeout(300)
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


# Each write of a record's way


class Plan:
    """What happens to the writes of a forwarder; see disk.c."""

    def __init__(self, directory: Path, preload: str) -> None:
        self._path = directory / "plan"
        self._met = directory / "plan.met"
        self.env = environment(LD_PRELOAD=preload, DISK_PLAN=str(self._path))

    def make(self, at: int, error: int = 0) -> None:
        """From the write with this number on they fail with an error; 0: it is killed there."""
        draft = self._path.with_suffix(".draft")
        draft.write_text(f"{at} {error}")
        draft.rename(self._path)

    def is_met(self) -> bool:
        return self._met.exists()

    def drop(self) -> None:
        """From now on nothing happens any more."""
        self._path.unlink(missing_ok=True)
        self._met.unlink(missing_ok=True)


def arrived(out: Path) -> list[int]:
    return [usid for usid in usids(once(envelopes(out))) if isinstance(usid, int)]


def is_killed_at(daemon: Daemon, path: Path, plan: Plan, at: int, number: int) -> bool:
    """Sends a record; whether the forwarder was killed at a step of its way, or it has no such."""
    out, before = path.with_name("out"), len(daemon.subscribers)
    plan.drop()
    with started("forward", str(path), env=plan.env) as process:
        wait_until(lambda: len(daemon.subscribers) > before)
        delivered(path.parent)
        plan.make(at)
        daemon.audit(user="ada", usid=number, msg="logged in")

        def is_over() -> bool:
            is_through = number in arrived(out) and number in acknowledged(daemon)
            return is_through and status_of(path.with_name("spool.db")).records == 0

        wait_until(lambda: process.poll() is not None or is_over())
        try:
            assert process.wait(0.2) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False
    daemon.disconnect()
    return True


@pytest.mark.timeout(300)
def test_what_was_acknowledged_arrives_at_whatever_step_of_its_way_it_is_killed(
    daemon: Daemon, tmp_path: Path, disk_preload: str
) -> None:
    out, plan, number = tmp_path / "out", Plan(tmp_path, disk_preload), 1
    path = written(tmp_path, daemon, sink=file_sink(out))
    while is_killed_at(daemon, path, plan, number, number):
        number += 1
    daemon.disconnect()
    with started("forward", str(path)) as process:
        wait_until(lambda: usids(envelopes(out))[-1:] == ["started"])
        delivered(tmp_path)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    # The log's frames, the disk, the acknowledgement, the file, the disk, the position.
    assert number > 6
    assert set(acknowledged(daemon)) <= set(arrived(out))
    assert arrived(out) == sorted(arrived(out))


@pytest.mark.parametrize("policy", ["hold", "release", "drop-oldest"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS], ids=os.strerror)
def test_a_disk_that_takes_nothing_from_any_write_on(
    daemon: Daemon, tmp_path: Path, disk_preload: str, policy: str, error: int
) -> None:
    out, plan, number = tmp_path / "out", Plan(tmp_path, disk_preload), 0
    limits = f'limit = "1G"\nwhen_full = "{policy}"'
    path = written(tmp_path, daemon, spool=limits, sink=file_sink(out))
    with started("forward", str(path), env=plan.env) as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        is_met = True
        while is_met:
            delivered(tmp_path)
            number += 1
            plan.make(number, error)
            daemon.audit(user="ada", usid=number, msg="logged in")
            wait_until(lambda: plan.is_met() or number in arrived(out))  # noqa: B023
            if policy == "release":
                daemon.wait_for_acknowledgements(number, PATIENCE)
            wait_until(lambda: plan.is_met() or status_of(tmp_path / "spool.db").records == 0)
            is_met = plan.is_met()
            plan.drop()
            daemon.wait_for_acknowledgements(number, PATIENCE)
        delivered(tmp_path)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    records = once(envelopes(out))
    lost = sum(each["data"].get("dropped", {}).get("count", 0) for each in records)
    assert number > 4
    assert arrived(out) == sorted(arrived(out))
    assert len(arrived(out)) + lost == number
    assert (lost > 0) == (policy == "release")


# Load


USID = re.compile(r'"audit": \{.*"usid": (\d+)')


def resident(process: int) -> int:
    """Bytes of memory that a process has."""
    pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.timeout(300)
def test_a_burst_while_a_sink_is_down_is_kept_and_drained(daemon: Daemon, tmp_path: Path) -> None:
    count, rate, part = 2 * 35_000, 35_000, 1000
    out, spool = tmp_path / "down" / "out", tmp_path / "spool.db"
    frames = [encode("audit", *PEER, user="ada", usid=n, msg="x") for n in range(1, part + 1)]
    path = written(tmp_path, daemon, sink=file_sink(out))
    path.write_text(path.read_text().replace(', "audit-sync"', ""))
    with started("forward", str(path), patience=240) as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        sizes, begin = [], time.monotonic()
        for sent in range(part, count + 1, part):
            daemon.send_frame(b"".join(frames))
            # A daemon does not have it all in its memory, either.
            wait_until(lambda: status_of(spool).records > sent - 20 * part)  # noqa: B023
            sizes.append(resident(process.pid))
            time.sleep(max(0.0, begin + sent / rate - time.monotonic()))
        wait_until(lambda: status_of(spool).records == count + 1)
        out.parent.mkdir()
        for position in range(10 * part, count, 10 * part):
            wait_until(lambda: status_of(spool).sinks[0].position > position)  # noqa: B023
            sizes.append(resident(process.pid))
        delivered(tmp_path)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    found = [int(each[1]) for each in map(USID.search, out.read_text().splitlines()) if each]
    assert found == [1 + number % part for number in range(count)]
    assert max(sizes) - sizes[10] < 16 << 20
