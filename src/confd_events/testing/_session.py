"""One client's connection: a thread that reads it, and one that writes what is queued."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timezone
from typing import Callable, Protocol

from confd_events.enums import Notif

from ._constants import Client
from ._delivery import Acknowledgement
from ._handshake import Hello, Settings, handshake
from ._maapi import Maapi, Transactions
from ._notifications import encode
from ._subscriber import Subscriber
from ._terms import Atom, Term, TermError, decode, frame_of
from ._wire import ProtocolError, Wire

# What the daemon waits for, if asked to, before it goes on.
_ACKNOWLEDGED = Notif.COMMIT_DIFF | Notif.AUDIT_SYNC | Notif.HA_INFO_SYNC | Notif.AUDIT_NETWORK_SYNC

_log = logging.getLogger(__name__)

_DONE = {
    "done": "commit_diff",
    "synced": "audit",
    "audit_network_sync": "audit_network",
}


class Host(Transactions, Protocol):
    """What a session needs of its daemon."""

    def refusal(self, subscriber: Subscriber) -> tuple[int, str] | None:
        """Why the subscription is refused: a code and a text."""

    def enter(self, session: Session) -> None:
        """Takes the session in, and queues its first frames."""

    def leave(self, session: Session) -> None:
        """Forgets the session."""

    def acknowledge(self, ack: Acknowledgement) -> None:
        """Records an acknowledgement."""

    def complete_stream(self, session: Session) -> None:
        """Ends the session's stream: its stop time has come."""

    def reply_due(self, session: Session) -> float | None:
        """Seconds until the oldest acknowledgement of a session is late; None when none is owed."""


class Outbox:
    """Frames on their way to one client; `put` never blocks."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._frames: list[bytes] = []
        self._closed = False

    def put(self, frame: bytes) -> bool:
        """Queues a frame; returns whether so: not once closed."""
        with self._changed:
            if self._closed:
                return False
            self._frames.append(frame)
            self._changed.notify()
            return True

    def close(self) -> None:
        """No more frames: `take` ends after those queued before."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def take(self) -> bytes:
        """All that is queued, once there is something; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._closed)
            data = b"".join(self._frames)
            self._frames.clear()
            return data


class Session:
    """A connection. `live` holds the bits of what it still gets; `subscriber` is set once known."""

    subscriber: Subscriber

    def __init__(self, number: int, wire: Wire, settings: Settings, host: Host) -> None:
        self.number = number
        self.outbox = Outbox()
        self.live = 0
        self._wire = wire
        self._settings = settings
        self._host = host
        self._over = threading.Event()
        self._reset = False
        self._threads: list[threading.Thread] = []
        self._reader = threading.Thread(target=self._run, name=f"session-{number}", daemon=True)

    def start(self) -> None:
        """Begins with the handshake, in a thread of its own."""
        self._reader.start()

    @property
    def over(self) -> bool:
        """Whether the connection has ended."""
        return self._over.is_set() and not self._reader.is_alive()

    def finish(self, reset: bool = False) -> None:
        """Ends the connection after what is queued, with a TCP reset if asked."""
        self._reset = reset
        self.outbox.close()
        if not self._threads:
            self._wire.hang_up(reset)

    def join(self, grace: float) -> None:
        """Waits for the end; a client that reads nothing is cut off after `grace` seconds."""
        self._reader.join(grace)
        self._wire.hang_up()
        self._reader.join()

    def _run(self) -> None:
        try:
            # A daemon that hangs does not notice that its client waits.
            if self._settings.faults.silent_after is None:
                self._wire.patience(self._settings.silence_limit)
            self._serve(handshake(self._wire, self._settings))
        except (OSError, TermError) as error:
            _log.debug("connection %d ended: %s", self.number, error)
        finally:
            self._host.leave(self)
            self._end()

    def _serve(self, hello: Hello) -> None:
        if hello.client == Client.MAAPI:
            Maapi(self._wire, self._host).serve()
        request = decode(self._wire.read_frame())
        self._subscribe(Subscriber.parse(self.number, hello, request))
        self._wire.patience(None)
        while True:
            self._host.acknowledge(self._acknowledgement(decode(self._wire.read_frame())))

    def _subscribe(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber
        refusal = self._host.refusal(subscriber)
        if refusal is not None:
            self._wire.write(frame_of((Atom("error"), *refusal)))
            raise ProtocolError(f"refused: {refusal}")
        self.live = subscriber.mask
        if subscriber.mask & Notif.PROGRESS:
            self.live |= Notif.COMMIT_PROGRESS
        self.outbox.put(self._settings.faults.subscription_reply or frame_of(Atom("ok")))
        self._host.enter(self)
        self._spawn(self._write)
        self._spawn_timers(subscriber)

    def _spawn_timers(self, subscriber: Subscriber) -> None:
        for bit, kind in ((Notif.HEARTBEAT, "heartbeat"), (Notif.HEALTH_CHECK, "health_check")):
            interval = subscriber.interval(bit)
            if interval > 0:
                pause = max(interval, self._settings.minimum_interval)
                self._spawn(self._beat, encode(kind), pause)
        if self.live & _ACKNOWLEDGED:
            self._spawn(self._watch_replies)
        if self.live & Notif.STREAM_EVENT and subscriber.stop is not None:
            self._spawn(self._stop_stream, subscriber.stop)

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _write(self) -> None:
        try:
            for data in iter(self.outbox.take, b""):
                self._wire.write(data)
            self._wire.hang_up(self._reset)
        except OSError as error:
            _log.debug("connection %d cut off: %s", self.number, error)
            self._wire.hang_up()

    def _beat(self, frame: bytes, interval: float) -> None:
        while not self._over.wait(interval):
            self.outbox.put(frame)

    def _watch_replies(self) -> None:
        due: float | None = None
        while not self._over.wait(self._settings.event_reply_timeout if due is None else due):
            due = self._host.reply_due(self)
            if due is not None and due <= 0:
                _log.debug("connection %d did not acknowledge in time", self.number)
                self._wire.hang_up()
                return

    def _stop_stream(self, stop: datetime) -> None:
        delay = (stop - datetime.now(timezone.utc)).total_seconds()
        if not self._over.wait(min(delay, threading.TIMEOUT_MAX)):
            self._host.complete_stream(self)

    def _acknowledgement(self, term: Term) -> Acknowledgement:
        if term == Atom("ha_synced"):
            return Acknowledgement("ha", None, self.number)
        if isinstance(term, tuple) and len(term) == 2:
            number, done = term
            if isinstance(number, int) and done in _DONE:
                return Acknowledgement(_DONE[done], number, self.number)
        raise ProtocolError(f"unexpected term {term!r}")

    def _end(self) -> None:
        self._over.set()
        self.outbox.close()
        self._wire.hang_up()
        for thread in self._threads:
            thread.join()
        self._wire.close()
