"""A bounded buffer that a thread fills, so that a slow consumer does not hold up the daemon."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from queue import SimpleQueue
from typing import TYPE_CHECKING, Callable

from ..error import BufferFull
from ._event import Dropped, Event, Marker
from ._log import logger

if TYPE_CHECKING:
    from ._reader import Reader

POLICIES = ("wait", "drop-oldest", "raise")

# Events read at a time: enough to make the reading cheap, few enough to hand them on soon.
_BURST = 100


class Flag:
    """What one side sets and the other waits for, and takes down by that.

    A lock, not a SimpleQueue: its get() may wait for ever when a signal comes as the time runs out.
    """

    def __init__(self) -> None:
        self._down = threading.Lock()
        self._down.acquire()

    def set(self) -> None:
        """Wakes the other side, now or when it waits."""
        with suppress(RuntimeError):  # set before
            self._down.release()

    def wait(self, seconds: float | None) -> None:
        """Waits for set(), at most so many seconds."""
        self._down.acquire(timeout=-1 if seconds is None else seconds)


class Buffer:
    """The thread that reads, and how it and the consumer wait for each other.

    What wakes either side may, unlike a Condition, be used by a signal handler while the same
    thread waits on it.
    """

    def __init__(
        self,
        reader: Reader,
        events: deque[Event],
        size: int,
        when_full: str,
        wake: Callable[[], object] | None = None,
    ) -> None:
        self._reader = reader
        self._events = events
        self._size = size
        self._when_full = when_full
        # Held while events are taken out, so that a marker keeps its place among them.
        self._lock = threading.Lock()
        self._waiting = 0  # notifications; markers take no room
        self._arrived = Flag()
        self.wakes = [wake or self._arrived.set]
        """What to call when there is something for a consumer that waits."""
        self._room: SimpleQueue[None] = SimpleQueue()
        self._consumer_waits = False
        self._thread_waits = False
        self._error: BaseException | None = None
        self.ended = False
        self.taken = 0
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="confd-events reader", daemon=True)
        self._thread.start()

    # The consumer's side

    def wait(self, timeout: float | None = None) -> None:
        """Blocks until there are events or no more will come, or at most so many seconds."""
        while not self.is_ready():
            self._arrived.wait(timeout)
            if timeout is not None:
                break

    def is_ready(self) -> bool:
        """Whether there are events, or no more will come; if not, `wakes` are called when so."""
        # Said before the look, lest the thread put something in between and wake nobody.
        self._consumer_waits = True
        return bool(self._events) or self.ended

    def raise_error(self) -> None:
        """Raises what ended the reading, if it was not close()."""
        if self._error is not None and not self._reader.closed:
            raise self._error

    def take(self) -> Event:
        """The oldest event. Raises IndexError when none is there."""
        with self._lock:
            event = self._events.popleft() if self._events else None
            if event is None:
                self._waiting = 0  # exactly: a signal handler may have kept one from being counted
            elif not isinstance(event, Marker):
                self._waiting -= 1
                self.taken += 1
        if self._thread_waits and self._waiting <= self._size // 2:
            self._thread_waits = False
            self._room.put(None)
        if event is None:
            raise IndexError
        return event

    def leave_to_parent(self) -> None:
        """In a child process: forgets what is the parent's. A thread that is not here may have held
        the lock."""
        self._lock = threading.Lock()

    def close(self) -> None:
        """Lets the thread end. The reader is to be closed before."""
        self._room.put(None)

    def join(self) -> None:
        """Waits for the thread's end, after close()."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=5.0)

    # The thread's side

    def _run(self) -> None:
        try:
            while not self._reader.closed:
                self._fill()
        except BaseException as error:  # for the consumer, whatever it is
            self._error = error
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        for wake in self.wakes:
            wake()

    def _fill(self) -> None:
        free = self._wait_for_room() if self._when_full == "wait" else self._size
        events: deque[Event] = deque()
        self._reader.read(events, min(free, _BURST))
        self._put(events)
        if self._consumer_waits:
            self._consumer_waits = False
            self._wake()

    def _put(self, events: deque[Event]) -> None:
        with self._lock:
            self._events.extend(events)
            if events:  # a marker comes alone, or as the last
                self._waiting += len(events) - isinstance(events[-1], Marker)
        if self._reader.closed:  # meanwhile
            self._events.clear()
        elif self._waiting > self._size:
            self._make_room()

    def _wait_for_room(self) -> int:
        while not self._reader.closed:
            self._thread_waits = True
            free = self._size - self._waiting
            if free > 0:
                self._thread_waits = False
                return free
            self._room.get()
        return 1

    def _make_room(self) -> None:
        if self._when_full == "raise":
            dropped = self._drop(0)
            raise BufferFull(
                f"the buffer of {self._size} events was full and {dropped} events are dropped: the "
                f'consumer is too slow; give a larger buffer or when_full="drop-oldest"'
            )
        self._drop(self._size)

    def _drop(self, size: int) -> int:
        """Drops the oldest until `size` are left; the daemon waits for none of them."""
        taken: list[Event] = []
        with self._lock:
            while self._events and self._waiting > size:
                taken.append(self._events.popleft())
                self._waiting -= _is_notification(taken[-1])
            self._events.extendleft(reversed(list(_marked(taken))))
            dropped = [event for event in taken if _is_notification(event)]
            self.dropped += len(dropped)
        if not any(type(event) is Dropped for event in taken):  # the consumer has the one before
            logger.warning("the buffer of %d events is full: events are dropped", self._size)
        for event in dropped:
            event.release()
        return len(dropped)


def _is_notification(event: Event) -> bool:
    return not isinstance(event, Marker)


def _marked(dropped: Iterable[Event]) -> Iterator[Event]:
    """The markers among dropped events, and a Dropped in place of each row of others."""
    for is_gap, events in groupby(
        dropped, lambda one: type(one) is Dropped or _is_notification(one)
    ):
        if is_gap:
            yield Dropped(count=sum(one["count"] if type(one) is Dropped else 1 for one in events))
        else:
            yield from events
