"""Plays a script on the simulated daemon, and tells what happens there."""

from __future__ import annotations

import math
import os
import shlex
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from confd_events import library
from confd_events._address import written_address
from confd_events.enums import Notif, label

from ._render import Piece, printer

if TYPE_CHECKING:
    from confd_events.testing import Acknowledgement, Daemon, Delivery

    from ._script import Step

_TICK = 0.05  # seconds between looks at who has come and gone


class Player:
    """Plays steps, and prints them and what subscribers do."""

    def __init__(self, daemon: Daemon, quiet: bool) -> None:
        self._daemon = daemon
        self._quiet = quiet
        self._show = printer()
        self._present: dict[int, int] = {}
        self._acknowledged = 0
        self._waiting: list[Delivery] = []
        self._looked = -math.inf

    def introduce(self) -> None:
        """Prints where the daemon listens and how a program finds it."""
        where = self._daemon.address
        self._show(Piece("listening on "), Piece(written_address(where), "bold cyan"))
        self._show(Piece("in the shell of a program that is to connect:"))
        for line in _shell_lines(where):
            self._show(Piece(f"  {line}", "green"))

    def wait_for_subscriber(self) -> None:
        """Returns once there is one."""
        while not self._present:
            self._wait_until(time.monotonic() + _TICK)

    def play(self, steps: Iterable[Step]) -> None:
        """Sends each at its time."""
        due = time.monotonic()
        for step in steps:
            due += step.after
            self._wait_until(due)
            self._send(step)

    def wait_for_acknowledgements(self) -> None:
        """Returns once no subscriber holds a notification up."""
        self._look()
        if self._waiting:
            self._show(Piece(f"waiting for acknowledgements: {len(self._waiting)}; Ctrl-C ends"))
        while self._waiting:
            self._wait_until(time.monotonic() + _TICK)

    def _wait_until(self, due: float) -> None:
        while True:
            if time.monotonic() - self._looked >= _TICK:
                self._look()
            left = due - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _TICK))

    def _send(self, step: Step) -> None:
        delivery: Delivery = getattr(self._daemon, step.kind)(**step.fields)
        if not delivery.done:
            self._waiting.append(delivery)
        if not self._quiet:
            self._say(step.name, _without_passwords(step.written), f"-> {delivery.count}")

    def _look(self) -> None:
        """Prints who has come and gone since the last look, and what was acknowledged."""
        waiting = [delivery for delivery in self._waiting if not delivery.done]
        present = {subscriber.id: subscriber.mask for subscriber in self._daemon.subscribers}
        acknowledged = self._daemon.acknowledgements
        for number in sorted(present.keys() - self._present.keys()):
            self._say("subscribed", {"subscriber": number, "to": label(Notif(present[number]))})
        if not self._quiet:
            self._say_acknowledged(acknowledged[self._acknowledged :])
        for number in sorted(self._present.keys() - present.keys()):
            self._say("left", {"subscriber": number})
        self._waiting, self._present, self._acknowledged = waiting, present, len(acknowledged)
        self._looked = time.monotonic()

    def _say_acknowledged(self, acknowledged: Iterable[Acknowledgement]) -> None:
        for kind, identity, number in acknowledged:
            which = {} if identity is None else {"id": identity}
            name = "ha-info" if kind == "ha" else kind.replace("_", "-")
            self._say("acknowledged", {"subscriber": number, "notification": name, **which})

    def _say(self, name: str, fields: Mapping[str, Any], remark: str = "") -> None:
        self._show.event(datetime.now(timezone.utc), name, fields, remark)


def _shell_lines(where: Mapping[str, Any]) -> Iterator[str]:
    """Shell commands that lead a program to the daemon."""
    if "path" in where:
        yield f"export NCS_IPC_PATH={shlex.quote(os.path.abspath(where['path']))}"
        return
    if os.environ.get("NCS_IPC_PATH"):
        yield "unset NCS_IPC_PATH"
    prefix = library()["product"]
    yield f"export {prefix}_IPC_ADDR={where['ip']} {prefix}_IPC_PORT={where['port']}"


def _without_passwords(written: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, without what User's repr hides, too."""
    user = written.get("uinfo")
    if not isinstance(user, dict):
        return dict(written)
    return {**written, "uinfo": {key: user[key] for key in user if key != "clearpass"}}
