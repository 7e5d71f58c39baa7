"""The machine's clock is set while a subscription waits: it is as patient as before."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import shared_library
from subscribing import HANDSHAKE, PATIENCE, run_program

from confd_events.testing import Daemon, Faults, encode

BEATS = 5
UNTIL_THEN = HANDSHAKE + BEATS * len(encode("heartbeat"))  # bytes
# Three intervals without a heartbeat, and the daemon is lost: far less than a day.
PROGRAM = """
    import ctypes, json, sys, time
    from confd_events import Backoff, subscribe

    host, port, step, buffer, beats = json.loads(sys.argv[1])
    subscription = subscribe(
        "heartbeat", address=(host, port), heartbeat=0.3, buffer=buffer,
        reconnect=Backoff(first=0.01, longest=0.05),
    )
    told = []
    for event in subscription:
        if not told:
            before = time.time()
            ctypes.CDLL(None).set_clock(ctypes.c_long(step))
            assert abs(time.time() - before - step) < 60
        told.append((event.name, event.get("gap"), str(event.get("error"))))
        assert subscription.stats().lag >= 0
        if len(told) > beats and event.name == "heartbeat":
            break
    subscription.close()
    print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_library(Path(__file__).with_name("clock.c"), tmp_path_factory.mktemp("clock"))


def told(clock: Path, daemon: Daemon, step: int, buffer: int | None) -> list[Any]:
    """What the program has read: names, the gap of a Connected, the error of a Disconnected."""
    where = daemon.address
    options = json.dumps([where["ip"], where["port"], step, buffer, BEATS])
    preload = f"{os.environ.get('LD_PRELOAD', '')} {clock}"
    done = run_program(PROGRAM, options, LD_PRELOAD=preload)
    assert (done.stderr, done.returncode) == ("", 0)
    lines: list[Any] = json.loads(done.stdout)
    return lines


each_step = pytest.mark.parametrize("step", [-86400, 86400], ids=["back", "forward"])
each_buffer = pytest.mark.parametrize("buffer", [None, 10], ids=["unbuffered", "buffered"])


@each_step
@each_buffer
def test_the_clock_is_no_silence(clock: Path, step: int, buffer: int | None) -> None:
    """Heartbeats go on, and so does the subscription; it comes back when the connection ends."""
    with Daemon(minimum_interval=0, faults=Faults(close_after=UNTIL_THEN)) as daemon:
        names, gaps, _ = zip(*told(clock, daemon, step, buffer))
    assert names == (*["heartbeat"] * BEATS, "disconnected", "connected", "heartbeat")
    assert 0 <= gaps[BEATS + 1] < PATIENCE


@each_step
@each_buffer
def test_silence_is_noticed(clock: Path, step: int, buffer: int | None) -> None:
    """Neither at once nor after a day."""
    with Daemon(minimum_interval=0, faults=Faults(silent_after=UNTIL_THEN)) as daemon:
        names, _, errors = zip(*told(clock, daemon, step, buffer))
    assert names == (*["heartbeat"] * BEATS, "disconnected", "connected", "heartbeat")
    assert "nothing came for 3 s" in errors[BEATS]
