"""A call that blocks, in a thread of its own, and waits for it that a signal or a clock ends."""

from __future__ import annotations

import threading
from typing import Callable


class Call:
    """A function that runs in a thread, from the first wait for it on.

    Python runs signal handlers in the main thread alone, so what blocks is left to another. Who
    waits may give up waiting and come back later.
    """

    def __init__(self, function: Callable[[], None]) -> None:
        self._function = function
        self._error: BaseException | None = None
        self._done = False
        self._running = threading.Lock()
        self._running.acquire()
        self._begun = threading.Lock()

    def _start(self) -> None:
        # Perhaps twice, when a signal handler raises: only the first thread that runs goes on.
        threading.Thread(target=self._run, name="confd-events call", daemon=True).start()

    def _run(self) -> None:
        if not self._begun.acquire(blocking=False):
            return
        try:
            self._function()
        except BaseException as error:
            self._error = error
        self._done = True
        self._running.release()

    def wait(self, seconds: float | None = None) -> bool:
        """Waits for the end, at most so many seconds; returns whether it has come."""
        if not self._begun.locked():
            self._start()
        # A lock, not a SimpleQueue: its get() may wait for ever when a signal comes as the time
        # runs out.
        if not self._done and self._running.acquire(timeout=-1 if seconds is None else seconds):
            self._running.release()
        return self._done

    @property
    def error(self) -> BaseException | None:
        """What the function has raised, when it is done."""
        return self._error
