"""What the tests of the command confd-events share: the command as a process, and in this one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from confd_events._address import written_address
from confd_events.cli import main
from confd_events.testing import Daemon, Subscriber

if TYPE_CHECKING:
    import pytest

PATIENCE = 60.0  # seconds before a process that hangs is ended, and the test fails
_COMMAND = (sys.executable, "-W", "error", "-m", "confd_events.cli")
_FOREIGN = ("NCS_IPC_", "CONFD_IPC_", "NO_COLOR", "FORCE_COLOR")

STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"

Process = subprocess.Popen[str]


def environment(**variables: str) -> dict[str, str]:
    """This process's environment, without what changes the command's address or colours."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**inherited, "TERM": "xterm", **variables}


@contextmanager
def started(
    *arguments: str,
    env: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
    **pipes: Any,
) -> Iterator[Process]:
    """The command as a process, which is gone at the end, or after so many seconds."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **pipes}
    command = [*_COMMAND, *arguments]
    with subprocess.Popen(command, text=True, env=env or environment(), **pipes) as process:
        watchdog = threading.Timer(patience, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def ran(
    *arguments: str, env: Mapping[str, str] | None = None, script: str = ""
) -> subprocess.CompletedProcess[str]:
    """The command as a process that has ended; `script` is its standard input."""
    return subprocess.run(
        [*_COMMAND, *arguments],
        input=script,
        capture_output=True,
        text=True,
        env=env or environment(),
        timeout=PATIENCE,
    )


def line_of(process: Process) -> str:
    """The next line that the process prints; empty at the end of its output."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def end_of(process: Process) -> tuple[int, str]:
    """The exit code and standard error of a process that ends by itself."""
    _, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, errors


# confd-events monitor

Play = Callable[[Daemon], object]


class Outcome(NamedTuple):
    """How the command ended in this process."""

    code: int
    out: str
    err: str
    subscriber: Subscriber | None

    @property
    def lines(self) -> list[str]:
        """The lines without their times."""
        return [re.sub(rf"^{STAMP} ", "", line) for line in self.out.splitlines()]


class Monitor:
    """Runs the command in this process, against the daemon."""

    def __init__(self, daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
        self._daemon = daemon
        self._capsys = capsys
        self._seen: list[Subscriber] = []

    def __call__(self, *arguments: str, play: Play = lambda daemon: None) -> Outcome:
        """The outcome of `monitor ARGUMENTS`, while `play` is run once it has subscribed."""
        self._daemon.disconnect()  # what is left of an earlier run is no subscriber
        played = threading.Thread(target=self._play, args=(play,))
        played.start()
        limits = ("--timeout", str(PATIENCE))  # of several the last counts
        code = main(["monitor", "--address", address_of(self._daemon), *limits, *arguments])
        played.join()
        out, err = self._capsys.readouterr()
        return Outcome(code, out, err, self._seen[0] if self._seen else None)

    def _play(self, play: Play) -> None:
        with suppress(TimeoutError):
            self._seen += self._daemon.wait_for_subscribers(timeout=PATIENCE)
            play(self._daemon)


@contextmanager
def monitoring(daemon: Daemon, *arguments: str, **pipes: Any) -> Iterator[Process]:
    """The command as a process that has subscribed."""
    with started("monitor", "--address", address_of(daemon), *arguments, **pipes) as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        yield process


def address_of(daemon: Daemon) -> str:
    return written_address(daemon.address)


def send_audit(daemon: Daemon) -> None:
    daemon.audit(user="ada", usid=7, msg="logged in")
