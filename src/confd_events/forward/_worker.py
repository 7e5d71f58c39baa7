"""Threads that can be told to end, and say how they failed."""

from __future__ import annotations

import threading
import time


class Worker(threading.Thread):
    """A thread of the forwarder."""

    def __init__(self, name: str) -> None:
        super().__init__(name=f"confd-events {name}", daemon=True)
        self.failure: Exception | None = None
        """Why it has ended by itself; None when it has not."""
        self._stopping = threading.Event()
        self._end = 0.0

    def stop(self, grace: float = 0.0) -> None:
        """Tells it to end; it may go on for so many seconds to finish what is there."""
        self._end = time.monotonic() + grace
        self._stopping.set()

    def run(self) -> None:
        try:
            self.work()
        except Exception as error:
            self.failure = error

    def work(self) -> None:
        """What it does until it is told to end."""
        raise NotImplementedError

    @property
    def stopping(self) -> bool:
        """Whether it was told to end."""
        return self._stopping.is_set()

    @property
    def overdue(self) -> bool:
        """Whether it was told to end, and the time for what is left is over."""
        return self.stopping and time.monotonic() >= self._end

    def pause(self, seconds: float) -> None:
        """Waits; being told to end ends the wait, later ones last until it is overdue at most."""
        if self.stopping:
            time.sleep(max(0.0, min(seconds, self._end - time.monotonic())))
        else:
            self._stopping.wait(seconds)
