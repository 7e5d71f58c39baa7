"""Threads that can be told to end, and say how they failed."""

from __future__ import annotations

import threading
import time


class Worker:
    """A thread of the forwarder."""

    # It has a Thread and is none: what a subclass adds may not take a name that a Thread uses for
    # itself, which a later Python may do with any.

    def __init__(self, name: str) -> None:
        self.failure: Exception | None = None
        """Why it has ended by itself; None when it has not."""
        self._thread = threading.Thread(target=self._live, name=f"confd-events {name}", daemon=True)
        self._stopping = threading.Event()
        self._end = 0.0

    @property
    def ident(self) -> int | None:
        """The thread's number; None before it was started."""
        return self._thread.ident

    def start(self) -> None:
        """Starts it."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether it was started, and has not ended."""
        return self._thread.is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Waits until it has ended, or for so many seconds."""
        self._thread.join(timeout)

    def stop(self, grace: float = 0.0) -> None:
        """Tells it to end; it may go on for so many seconds to finish what is there."""
        self._end = time.monotonic() + grace
        self._stopping.set()

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

    def _live(self) -> None:
        try:
            self.work()
        except Exception as error:
            self.failure = error
