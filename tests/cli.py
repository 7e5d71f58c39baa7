"""What the tests of the command confd-events share: the command as a process, and in this one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

PATIENCE = 60.0  # seconds before a process that hangs is ended, and the test fails
_COMMAND = (sys.executable, "-W", "error", "-m", "confd_events.cli")
_FOREIGN = ("NCS_IPC_", "CONFD_IPC_", "NO_COLOR", "FORCE_COLOR")

Process = subprocess.Popen[str]


def environment(**variables: str) -> dict[str, str]:
    """This process's environment, without what changes the command's address or colours."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**inherited, "TERM": "xterm", **variables}


@contextmanager
def started(
    *arguments: str, env: Mapping[str, str] | None = None, **pipes: Any
) -> Iterator[Process]:
    """The command as a process, which is gone at the end."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **pipes}
    command = [*_COMMAND, *arguments]
    with subprocess.Popen(command, text=True, env=env or environment(), **pipes) as process:
        watchdog = threading.Timer(PATIENCE, process.kill)
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
