"""From a node into the spool: what was stored is acknowledged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from typing import Callable

from .. import subscription
from ..enums import Notif
from ..error import Error
from ..maapi import gathered
from ..subscription import Backoff, Connected, Disconnected, Dropped, Event, Subscription
from ._config import NodeConfig
from ._errors import SpoolFullError
from ._log import logger
from ._observer import Observer
from ._record import Envelopes
from ._role import role_after
from ._spool import Spool
from ._worker import Worker

# Each operation of an enumeration takes a microsecond.
_HA_INFO = int(Notif.HA_INFO)
_COMMIT_DIFF = int(Notif.COMMIT_DIFF)
_BURST = 2000  # events stored by one commit, at most: so one wait for the disk is for many
_LOOK = 0.2  # seconds between looks whether to end
_FULL = 0.5  # seconds between attempts while the spool is full


class Intake(Worker):
    """Reads the events of a node, stores them, then acknowledges them.

    boot -- what no other run of a forwarder has had
    observer -- is told what happens
    """

    def __init__(self, node: NodeConfig, spool: Spool, boot: str, observer: Observer) -> None:
        super().__init__(f"node {node.name}")
        self._node = node
        self.feed = node.name
        """What the log calls it, and the observer."""
        self._spool = spool
        self._envelopes = Envelopes(node.name, boot)
        self.when_full = "hold"
        """What to do when the spool is full: hold, release or drop-oldest."""
        self._mask = int(node.mask)
        self._observer = observer
        self._lost = 0  # events that were released, and no record says so yet
        self.connected = False
        """Whether the subscription stands."""

    def work(self) -> None:
        try:
            self._begin()
            self._run()
        finally:
            self._tell_losses()

    def _begin(self) -> None:
        self._set_connected(False)
        role = self._node.role or self._spool.role_of(self._node.name)
        if role is not None:
            self._set_role(role)
        self._tell_start()

    def _tell_start(self) -> None:
        self._store([self._envelopes.own("started", last=self._last())])
        self._observer.gap(self.feed, "started")

    def _run(self) -> None:
        delays = Backoff().delays()
        while not self.stopping:
            try:
                self._read()
            except Error as error:
                logger.warning("node %s: %s", self.feed, error)
                if self.connected:
                    delays = Backoff().delays()
                    marker = Disconnected(error=error)
                    self._store([self._envelopes.of(marker)])
                    self._observe([marker])
                self.pause(next(delays))

    def _subscribe(self) -> Subscription:
        node = self._node
        return subscription.subscribe(
            node.subscribed,
            address=node.address,
            heartbeat=node.heartbeat,
            verbosity=node.verbosity,
            ack="manual",
            reconnect=True,
        )

    def _read(self) -> None:
        """Reads until it is told to end, or the daemon refuses."""
        with self._subscribe() as events:
            logger.info("node %s: subscribed", self.feed)
            self._set_connected(True)
            while not self.stopping:
                burst = events.batch(_BURST, _LOOK)
                if burst:
                    self._handle(burst)
                    self._observe(burst)

    def _observe(self, burst: Sequence[Event]) -> None:
        self._observer.read(self.feed, burst)
        for event in burst:
            if not event.raw["type"] and isinstance(event, (Connected, Disconnected)):
                self._set_connected(isinstance(event, Connected))
        for _ in range(self._gaps(burst)):
            self._observer.gap(self.feed, "disconnected")

    def _gaps(self, burst: Sequence[Event]) -> int:
        """How often what is reported from there on, until it is connected again, is missing."""
        return sum(not event.raw["type"] and isinstance(event, Disconnected) for event in burst)

    def _set_connected(self, is_connected: bool) -> None:
        self.connected = is_connected
        self._observer.connected(self.feed, is_connected)

    def _handle(self, burst: Sequence[Event]) -> None:
        try:
            records = list(self._records(burst))
            if records:
                self._store(records)
        finally:
            # What could not be stored, too: the daemon would wait in vain.
            for event in burst:
                if event.unacknowledged:
                    with suppress(Error):  # the connection is lost; the next read says so
                        event.ack()

    def _records(self, burst: Sequence[Event]) -> Iterator[str]:
        """The records of events, without those that were asked for the role's sake alone."""
        for event in burst:
            bit: int = event.raw["type"]
            if bit == _HA_INFO:
                self._learn_role(event)
            if self._is_wanted(event, bit):
                yield self._record(event, bit)

    def _is_wanted(self, event: Event, bit: int) -> bool:
        return not bit or bool(bit & self._mask)

    def _learn_role(self, event: Event) -> None:
        if self._node.role:
            return
        role = role_after(event.payload, self._envelopes.role)
        if role is not None and role != self._envelopes.role:
            self._set_role(role)
            with suppress(SpoolFullError):  # the records have it
                self._spool.note_role(self._node.name, role)

    def _set_role(self, role: str) -> None:
        self._envelopes.role = role
        self._observer.role(self.feed, role)

    def _record(self, event: Event, bit: int) -> str:
        changes = self._node.changes
        if bit != _COMMIT_DIFF or changes is None or not event.unacknowledged:
            return self._envelopes.of(event)
        found = event.changes(below=changes.below, old=changes.old, limit=changes.limit)
        return self._envelopes.of(event, **gathered(found))

    def _store(self, records: Sequence[str]) -> None:
        """Stores records; while the spool is full, waits or gives them up."""
        is_told = False
        while True:
            try:
                self._append(records)
                return
            except SpoolFullError as error:
                if self._may_give_up():
                    self._give_up(len(records), error)
                    return
                if not is_told:
                    logger.error("%s; node %s waits", error, self.feed)
                is_told = True
                self.pause(_FULL)

    def _may_give_up(self) -> bool:
        return self.stopping or self.when_full == "release"

    def _give_up(self, count: int, error: SpoolFullError) -> None:
        """So many events are not stored; there is no time, or no will, to wait."""
        self._lost += count
        self._tell_lost(count)
        logger.error("%s; %d events are lost", error, self._lost)

    def _append(self, records: Sequence[str]) -> None:
        lost = [self._dropped(self._lost)] if self._lost else []
        drop = self._dropped if self.when_full == "drop-oldest" else None
        dropped = self._keep([*lost, *records], drop)
        self._lost = 0
        if dropped:
            logger.error("the spool is full; its %d oldest records are dropped", dropped)
            self._tell_lost(dropped)

    def _keep(self, records: Sequence[str], drop: Callable[[int], str] | None) -> int:
        return self._spool.append(self._node.name, records, drop)

    def _tell_lost(self, count: int) -> None:
        self._observer.lost(self.feed, count)
        self._observer.gap(self.feed, "dropped")

    def _tell_losses(self) -> None:
        """At the end: one small record more, also where the limit is reached."""
        if self._lost:
            with suppress(SpoolFullError):  # the log has it; no record fits on the disk
                self._spool.append(self._node.name, [self._dropped(self._lost)], beyond_limit=True)

    def _dropped(self, count: int) -> str:
        return self._envelopes.of(Dropped(count=count))

    def _last(self) -> str | None:
        last = self._spool.last_of(self._node.name)
        return None if last is None else datetime.fromtimestamp(last, timezone.utc).isoformat()
