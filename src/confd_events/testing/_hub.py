"""What all connections of a daemon share: who is subscribed, the fan-out, what is outstanding."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from time import monotonic
from typing import TYPE_CHECKING, Any

from confd_events.enums import ErrorCode, Notif, label

from ._changes import path_term
from ._delivery import Acknowledgement, Delivery, Ledger
from ._notifications import KINDS, NEWEST_PROTOCOL, Kind, Peer, encode
from ._schemas import Schemas
from ._streams import Stream, xpath_error
from ._subscriber import Subscriber
from ._terms import decode
from ._times import DateTime

if TYPE_CHECKING:
    from ._changes import DataChange
    from ._handshake import Settings
    from ._session import Session
    from ._terms import Term

Fields = Mapping[str, Any]

_NEWEST = Peer(protocol=NEWEST_PROTOCOL)


# Where a notification has the number by which it is acknowledged, behind its bit; HA has none.
_ACKNOWLEDGED_BY = {"audit": (2,), "commit_diff": (2,), "audit_network": (0, 0)}


def _notification(frame: bytes) -> tuple[Any, ...]:
    """What a frame holds; ValueError when that is no notification."""
    term = decode(frame[4:])
    if not isinstance(term, tuple) or not term or not isinstance(term[0], int):
        raise ValueError(f"no notification: {term!r}")
    return term


class Hub:
    """One lock guards it all, so every subscriber sees notifications in the same order."""

    def __init__(self, settings: Settings) -> None:
        self.changed = threading.Condition()
        self.ledger = Ledger()
        self.names = Schemas()
        self._settings = settings
        self._sessions: dict[int, Session] = {}
        self._streams: dict[str, Stream] = {}
        self._transactions: dict[int, tuple[Delivery, Sequence[DataChange]]] = {}

    @property
    def subscribers(self) -> tuple[Subscriber, ...]:
        """The present subscribers, oldest first."""
        with self.changed:
            return tuple(session.subscriber for session in self._sessions.values())

    def add_stream(self, stream: Stream) -> None:
        """Makes a stream known."""
        with self.changed:
            self._streams[stream.name] = stream

    def refusal(self, subscriber: Subscriber) -> tuple[int, str] | None:
        """Why a subscription is refused: a code and a text; None when it is not."""
        if self._settings.connect_error is not None:
            return self._settings.connect_error
        if not subscriber.mask & Notif.STREAM_EVENT:
            return None
        if subscriber.stream not in self._streams:
            return ErrorCode.NOEXISTS, f"no such stream: {subscriber.stream}"
        error = None if subscriber.filter is None else xpath_error(subscriber.filter)
        if error is not None:
            return ErrorCode.XPATH, f"bad XPath filter: {error}"
        if subscriber.usid and subscriber.usid not in self._settings.sessions:
            return ErrorCode.NOSESSION, f"no such session: {subscriber.usid}"
        return None

    def enter(self, session: Session) -> None:
        """Takes a session in; its replay is queued before anything live can be."""
        subscriber = session.subscriber
        with self.changed:
            if subscriber.stream is not None and subscriber.start is not None:
                stream = self._streams[subscriber.stream]
                for frame in stream.replay(subscriber.start, subscriber.stop):
                    session.outbox.put(frame)
                if not stream.has_log:
                    session.live &= ~Notif.STREAM_EVENT
            if subscriber.stop is not None and subscriber.stop <= datetime.now(timezone.utc):
                self.complete_stream(session)
            self._sessions[session.number] = session
            self.changed.notify_all()

    def complete_stream(self, session: Session) -> None:
        """Tells a session that its stop time has passed: it gets no more stream events."""
        with self.changed:
            if not session.live & Notif.STREAM_EVENT:
                return
            stream = session.subscriber.stream or ""
            session.outbox.put(encode("stream_notification_complete", stream=stream))
            session.live &= ~Notif.STREAM_EVENT

    def leave(self, session: Session) -> None:
        """Forgets a session, and whatever waits for it."""
        with self.changed:
            self._sessions.pop(session.number, None)
            self.ledger.forgive(session.number)
            self.changed.notify_all()

    def acknowledge(self, ack: Acknowledgement) -> None:
        """Records an acknowledgement."""
        with self.changed:
            self.ledger.settle(ack)
            self.changed.notify_all()

    def reply_due(self, session: Session) -> float | None:
        """Seconds until the oldest acknowledgement of a session is late; None when none is owed."""
        with self.changed:
            since = self.ledger.oldest(session.number)
        if since is None:
            return None
        return max(0, since + self._settings.event_reply_timeout - monotonic())

    def schemas(self, operation: int) -> list[Term] | None:
        """The answer to a client that loads the schemas; None when there is none."""
        with self.changed:
            return self.names.answer(operation)

    def changes(self, thandle: int) -> Sequence[DataChange] | None:
        """What a transaction that somebody holds changes; None when there is none."""
        with self.changed:
            delivery, changes = self._transactions.get(thandle, (None, ()))
        return None if delivery is None or delivery.done else changes

    def held_changes(self) -> Sequence[DataChange]:
        """What all transactions that somebody holds change."""
        with self.changed:
            held = [each for each in self._transactions.values() if not each[0].done]
        return [change for _, changes in held for change in changes]

    def notify(self, name: str, fields: Fields) -> Delivery:
        """Sends a notification to all who asked for it.

        Raises TypeError or ValueError for fields that can not be encoded, ValueError for an event
        on an unknown stream.
        """
        kind = KINDS[name]
        if name == "stream_event" and fields.get("time") is None:
            fields = {**fields, "time": DateTime.now()}  # one, for those that listen and the log
        # Encoded even when nobody listens: a wrong field is an error in any case.
        frames = {_NEWEST: kind.frame(_NEWEST, fields)}
        delivery = Delivery(self.changed, self._missing)
        with self.changed:
            if name == "stream_event":
                self._record(fields, frames[_NEWEST])
            for session in self._receivers(kind, fields):
                peer = self._peer(session)
                if peer not in frames:
                    frames[peer] = kind.frame(peer, fields)
                if self._send(session, frames[peer], delivery):
                    self._owe(session, kind, fields, delivery)
                if kind.ends_stream:
                    session.live &= ~Notif.STREAM_EVENT
            if name == "commit_diff":
                self._begin(kind.value("thandle", fields), fields, delivery)
        return delivery

    def _begin(self, thandle: int, fields: Fields, delivery: Delivery) -> None:
        """Keeps a transaction for as long as somebody holds it."""
        self._transactions = {
            number: held for number, held in self._transactions.items() if not held[0].done
        }
        changes = fields.get("changes", ())
        for change in changes:  # who loads the schemas now is to know their names
            path_term(change.path, self.names)
        self._transactions[thandle] = delivery, changes

    def send(self, frame: bytes, to: Subscriber | int | None) -> Delivery:
        """Sends raw bytes to one subscriber, or to all."""
        delivery = Delivery(self.changed)
        with self.changed:
            for session in self._sessions.values():
                if to is None or session.number == (to.id if isinstance(to, Subscriber) else to):
                    self._send(session, frame, delivery)
        return delivery

    def _missing(self, delivery: Delivery) -> str:
        """Who has not acknowledged a notification, and what; for people."""
        owed = [expected for expected, waiting, *_ in self.ledger._owed if waiting is delivery]
        masks = {one.id: label(Notif(one.mask)) for one in self.subscribers}
        return "; ".join(
            f"{kind.replace('_', '-')}{'' if number is None else f' {number}'} by subscriber "
            f"{subscriber} (to {masks.get(subscriber, 'nothing any more')})"
            for kind, number, subscriber in owed
        )

    def replay(self, frame: bytes) -> Delivery:
        """Sends a recorded frame to all who asked for its notification; see Daemon.replay()."""
        bit, *rest = _notification(frame)
        kind = next((kind for kind in KINDS.values() if kind.bit == bit), None)
        delivery = Delivery(self.changed, self._missing)
        with self.changed:
            for session in self._sessions.values():
                if session.live & bit and self._send(session, frame, delivery) and kind:
                    self._owe_recorded(session, kind, rest, delivery)
        return delivery

    def _owe_recorded(
        self, session: Session, kind: Kind, rest: list[Any], delivery: Delivery
    ) -> None:
        ack = kind.ack
        if ack is None or not session.live & ack.sync:
            return
        number: Any = rest if ack.kind in _ACKNOWLEDGED_BY else None
        for position in _ACKNOWLEDGED_BY.get(ack.kind, ()):
            number = number[position]
        self.ledger.owe(Acknowledgement(ack.kind, number, session.number), delivery)

    def _record(self, fields: Fields, frame: bytes) -> None:
        if fields["stream"] not in self._streams:
            raise ValueError(f"no such stream: {fields['stream']}")
        time = DateTime.of(fields["time"]).to_datetime()
        self._streams[fields["stream"]].record(time, frame)

    def _receivers(self, kind: Kind, fields: Fields) -> list[Session]:
        stream = fields.get("stream")
        return [
            session
            for session in self._sessions.values()
            if session.live & kind.bit
            and kind.exists_for(self._peer(session), fields)
            and (stream is None or session.subscriber.stream == stream)
        ]

    def _peer(self, session: Session) -> Peer:
        return Peer(session.subscriber.protocol, self._settings.product)

    def _send(self, session: Session, frame: bytes, delivery: Delivery) -> bool:
        """Sends to a session; returns whether so: not to one that is being disconnected."""
        sent = session.outbox.put(frame)
        delivery.count += sent
        return sent

    def _owe(self, session: Session, kind: Kind, fields: Fields, delivery: Delivery) -> None:
        ack = kind.ack
        if ack is not None and session.live & ack.sync:
            number = None if ack.field is None else kind.value(ack.field, fields)
            self.ledger.owe(Acknowledgement(ack.kind, number, session.number), delivery)
