"""Runs a block of Python from the documentation: `python scenes.py SCENE FILE`.

While it runs, a simulated daemon listens where the environment says, and at events.ADDR and
events.PORT. The scene is what the daemon does once there is a subscriber; it fails unless the
block does its part. At its end the daemon closes the connection, or this process gets a signal.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
import sys
import threading
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from operator import itemgetter
from pathlib import Path
from typing import Callable

import confd_events as events
from confd_events.enums import ProgressType
from confd_events.testing import Daemon, DataChange, User, value

PATIENCE = 60.0  # seconds before something that hangs fails
PRODUCT = events.library()["product"]
TRAIL = Path("audit.jsonl")  # the argument of the block, for those that are programs

Scene = Callable[[Daemon], None]
SCENES: dict[str, Scene] = {}


def scene(function: Scene) -> Scene:
    """Names a scene after its function."""
    SCENES[function.__name__.replace("_", "-")] = function
    return function


@scene
def mixed(daemon: Daemon) -> None:
    """For blocks that ask for nothing special, also those that do not subscribe."""
    daemon.audit(user="ada", usid=7, msg="logged in").wait(PATIENCE)
    daemon.user_session(uinfo=User(username="ada", usid=7))
    daemon.commit_diff(thandle=9).wait(PATIENCE)
    daemon.heartbeat()
    daemon.disconnect()


@scene
def terminated(daemon: Daemon) -> None:
    """The program gets SIGTERM, and must end well."""
    daemon.audit(user="ada", usid=7, msg="logged in").wait(PATIENCE)
    os.kill(os.getpid(), signal.SIGTERM)


@scene
def kept(daemon: Daemon) -> None:
    """Each record must be in the trail when its user may go on."""
    for number in range(1, 4):
        daemon.audit(user="ada", usid=7, msg=f"number {number}").wait(PATIENCE)
        assert TRAIL.read_text().count("number") == number
    os.kill(os.getpid(), signal.SIGINT)


@scene
def lost_and_found(daemon: Daemon) -> None:
    """The connection is lost and made again; at the end the user presses Ctrl-C."""
    record(daemon, "before")
    lose(daemon)
    record(daemon, "after")
    os.kill(os.getpid(), signal.SIGINT)


@scene
def in_production(daemon: Daemon) -> None:
    """systemd is told that the program is ready, the daemon is lost, and SIGTERM comes."""
    assert NOTIFY.recv(100) == b"READY=1"
    record(daemon, "before")
    lose(daemon)
    record(daemon, "after")
    os.kill(os.getpid(), signal.SIGTERM)
    kept_types = [json.loads(line)["type_name"] for line in TRAIL.read_text().splitlines()]
    assert kept_types == ["audit", "disconnected", "connected", "audit"]


@scene
def commit_diff(daemon: Daemon) -> None:
    """A transaction is read while it is open, and then let go on."""
    device = "/ncs:devices/device{ce0}"
    changes = [
        DataChange("created", device),
        DataChange("value-set", f"{device}/address", "192.0.2.9"),
        DataChange("value-set", f"{device}/password", "hush"),
    ]
    daemon.commit_diff(thandle=9, uinfo=User(username="ada"), changes=changes).wait(PATIENCE)
    daemon.disconnect()


@scene
def ha(daemon: Daemon) -> None:
    """A cluster gets a primary and two secondaries, loses one, and then its primary."""
    daemon.ha_is_primary()
    daemon.ha_secondary_arrived(nodeid="berlin", peer="192.0.2.7")
    daemon.ha_secondary_arrived(nodeid="oslo", peer="192.0.2.8")
    daemon.ha_secondary_died(nodeid="oslo", peer="192.0.2.8")
    daemon.ha_noprimary(reason=25)
    daemon.disconnect()


@scene
def spans(daemon: Daemon) -> None:
    """A commit with nested spans; each stops after those that it contains."""
    begin = 1_767_225_600_000_000  # 2026-01-01
    steps = [
        ("s1", None, "applying transaction", 0, 140_000),
        ("s2", "s1", "validating", 100, 4_300),
        ("s3", "s1", "writing", 5_000, 136_000),
        ("s4", "s3", "pushing to ce0", 6_000, 126_500),
    ]
    start, stop = ProgressType.START, ProgressType.STOP
    told = [(at, start, 0, span, parent, msg) for span, parent, msg, at, _ in steps]
    told += [(end, stop, end - at, span, parent, msg) for span, parent, msg, at, end in steps]
    for at, type_, duration, span, parent, msg in sorted(told, key=itemgetter(0)):
        daemon.progress(
            type=type_,
            timestamp=begin + at,
            duration=duration,
            trace_id="b0a1c2d3-e4f5-0617-2839-4a5b6c7d8e9f",
            span_id=span,
            parent_span_id=parent,
            msg=msg,
            tid=9,
            usid=7,
        )
    daemon.disconnect()


@scene
def netconf(daemon: Daemon) -> None:
    """The replay is the daemon's own doing; see prepare_stream()."""


@scene
def burst(daemon: Daemon) -> None:
    """More than a small buffer holds."""
    for number in range(20):
        daemon.audit(user="ada", usid=7, msg=f"number {number}")
    daemon.disconnect()


@scene
def two_subscribers(daemon: Daemon) -> None:
    """Two subscriptions of one program."""
    daemon.wait_for_subscribers(2, PATIENCE)
    daemon.audit(user="ada", usid=7, msg="logged in").wait(PATIENCE)
    daemon.commit_diff(thandle=9).wait(PATIENCE)
    daemon.disconnect()


@scene
def several_users(daemon: Daemon) -> None:
    """Users who wait at the same time."""
    records = [daemon.audit(user="ada", usid=usid, msg="commit") for usid in range(1, 9)]
    for each in records:
        each.wait(PATIENCE)
    daemon.disconnect()


def record(daemon: Daemon, msg: str) -> None:
    """An audit record, which must be acknowledged."""
    daemon.audit(user="ada", usid=7, msg=msg).wait(PATIENCE)


def lose(daemon: Daemon) -> None:
    """The connection is lost; the program must come back."""
    daemon.disconnect()
    daemon.wait_for_subscribers(timeout=PATIENCE)


# What else a block finds

NOTIFY = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)  # systemd's


def lead_to(daemon: Daemon) -> None:
    """Lets all that is asked for an address lead to the daemon."""
    for name in [name for name in os.environ if "_IPC_" in name]:
        del os.environ[name]
    events.PORT = daemon.address["port"]
    os.environ[f"{PRODUCT}_IPC_PORT"] = str(events.PORT)
    NOTIFY.bind("\0" + f"{events.PORT}-notify")
    os.environ["NOTIFY_SOCKET"] = f"@{events.PORT}-notify"


def prepare_stream(daemon: Daemon) -> None:
    """A stream with two events of the last hour, and the names of their tags."""
    daemon.add_stream("NETCONF")
    change, user, path = 101, 102, 103
    daemon.add_namespace(1, "ncn")
    daemon.add_names({change: "config-change", user: "username", path: "target"})
    for minutes, name in ((20, "ada"), (10, "grace")):
        time = datetime.now(timezone.utc) - timedelta(minutes=minutes)
        leaves = [(1, user, name), (1, path, "/devices")]
        values = [(1, change, value.XMLBEGIN), *leaves, (1, change, value.XMLEND)]
        daemon.stream_event(stream="NETCONF", values=values, time=time)


class Player(threading.Thread):
    """Plays a scene once there is a subscriber."""

    def __init__(self, name: str, daemon: Daemon) -> None:
        super().__init__(daemon=True)
        self._scene = SCENES[name]
        self._daemon = daemon
        self._began = False
        self._error: BaseException | None = None

    def run(self) -> None:
        with suppress(TimeoutError):
            self._daemon.wait_for_subscribers(timeout=PATIENCE)
            self._began = True
        if self._began:
            try:
                self._scene(self._daemon)
            except BaseException as error:
                self._error = error
                self._daemon.disconnect()

    def finish(self) -> None:
        """Raises unless the scene was played to its end, or the block was not to subscribe.

        A block to which the daemon itself plays all may be over before this thread looks.
        """
        if self._began:
            self.join(PATIENCE)
        may_miss_it = self._scene in (mixed, netconf)
        assert self._began or may_miss_it, "the block did not subscribe"
        assert not (self._began and self.is_alive()), "the scene did not end"
        if self._error is not None:
            raise self._error


def main(name: str, path: str) -> None:
    with Daemon(product=PRODUCT.lower()) as daemon, NOTIFY:
        lead_to(daemon)
        prepare_stream(daemon)
        sys.path.insert(0, os.getcwd())
        sys.argv = [path, str(TRAIL)]
        # A shell lets what runs in the background ignore Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        player = Player(name, daemon)
        player.start()
        # The scenes end so, and most blocks do not say what a program would do then.
        with suppress(events.EOF, KeyboardInterrupt):
            runpy.run_path(path, run_name="__main__")
        player.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
