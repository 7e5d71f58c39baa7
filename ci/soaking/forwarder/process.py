"""The forwarder as a process, which is killed in all ways, and whose disk may be full."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from confd_events.forward import SpoolError, status_of

_WRITES = 60  # it is killed at one of so many
_PATIENCE = 60.0
# How it ends by a signal that comes before it has said what signals are to do.
_EARLY = (-signal.SIGTERM, -signal.SIGHUP, 128 + signal.SIGTERM)


class ForwarderProcess:
    """A forwarder that is started again whenever it was killed."""

    deadly = ("killed", "told to end", "killed at a write")
    harmless = ("told to read its configuration", "its disk is full")

    def __init__(self, home: Path, config: Path, preload: Path, seed: int) -> None:
        self._home = home
        self._config = config
        self._plan = home / "plan"
        self._random = random.Random(seed)
        variables = {"LD_PRELOAD": str(preload), "DISK_PLAN": str(self._plan)}
        self._env = {**os.environ, **variables}
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self.problems: list[str] = []

    def __enter__(self) -> ForwarderProcess:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        command = [sys.executable, "-m", "confd_events.cli", "forward", str(self._config)]
        with open(self._home / "forwarder.log", "ab") as log:
            process = subprocess.Popen(command, env=self._env, stdout=log, stderr=log)
        with self._lock:
            self._process = process

    def end(self) -> None:
        """Ends it for good."""
        self._end(0)

    @property
    def resident(self) -> int:
        """Bytes of memory; 0 while it is not there."""
        with self._lock:
            process = self._process
        try:
            pages = Path(f"/proc/{process.pid if process else 0}/statm").read_text().split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def killed(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._again(-signal.SIGKILL)

    def told_to_end(self) -> None:
        self._end(0)
        self._pause(2.0)
        self._start()

    def killed_at_a_write(self) -> None:
        self._make_plan(self._random.randint(1, _WRITES), 0)
        try:
            self._again(-signal.SIGKILL)
        finally:
            self._plan.unlink(missing_ok=True)

    def told_to_read_its_configuration(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def its_disk_is_full(self) -> None:
        self._make_plan(self._random.randint(1, _WRITES), 28)  # ENOSPC
        self._pause(4.0)
        self._plan.unlink()

    def spool(self) -> tuple[int, int]:
        """How many records the spool has, and bytes; nothing while it is being made."""
        try:
            status = status_of(self._home / "spool.db")
        except SpoolError:
            return 0, 0
        return status.records, status.bytes

    def _end(self, expected: int) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._await(expected)

    def _again(self, expected: int) -> None:
        self._await(expected)
        self._plan.unlink(missing_ok=True)
        self._pause(2.0)
        self._start()

    def _await(self, expected: int) -> None:
        assert self._process is not None
        try:
            status = self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            self.problems.append("the forwarder did not end")
            return
        if status not in (expected, *_EARLY):
            self.problems.append(f"the forwarder ended with {status} instead of {expected}")

    def _make_plan(self, at: int, error: int) -> None:
        draft = self._plan.with_suffix(".draft")
        draft.write_text(f"{at} {error}")
        draft.rename(self._plan)

    def _pause(self, longest: float) -> None:
        time.sleep(self._random.uniform(0.0, longest))
