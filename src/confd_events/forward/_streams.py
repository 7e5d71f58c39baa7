"""From an event stream of a node into the spool, with the place up to which it is stored."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Callable

from .. import subscription
from .._address import endpoints
from ..enums import Notif, StreamType
from ..maapi import load_names
from ..subscription import Event, Subscription
from ._config import NodeConfig
from ._errors import SpoolFullError
from ._intake import Intake
from ._log import logger
from ._observer import Observer
from ._place import AHEAD, Mark, Place, mark_of
from ._record import Envelopes
from ._spool import Marks, Spool

_STREAM_EVENT = int(Notif.STREAM_EVENT)
_NAMES = 30.0  # seconds that loading the schemas may take


class StreamIntake(Intake):
    """Stores the events of one stream; the next run has those since replayed, and stores each once.

    The events and the place behind them become durable by the same transaction.
    """

    def __init__(
        self,
        node: NodeConfig,
        stream: str,
        spool: Spool,
        boot: str,
        observer: Observer,
    ) -> None:
        super().__init__(node, spool, boot, observer)
        self._stream = stream
        self.feed = f"{node.name}/{stream}"
        self._envelopes = Envelopes(node.name, boot, stream)
        self._place: Place | None = None
        self._marks: list[Mark] = []  # of what is about to be stored
        self._is_first = False  # whether no event of the stream has ever come

    def _tell_start(self) -> None:
        """Nothing is missing when it goes on where it was."""
        if self._spool.place_of(self._node.name, self._stream) is None:
            super()._tell_start()

    def _subscribe(self) -> Subscription:
        node = self._node
        load_names(endpoints(node.address)[0], _NAMES, f"events of {self.feed}")
        self._place = self._spool.place_of(node.name, self._stream)
        self._is_first = self._place is None
        if self._place is None:
            began = Mark(time.time_ns() // 1000 - AHEAD, None)
            self._spool.mark(node.name, Marks(self._stream, [began]))
        else:
            logger.info("node %s: from %s on", self.feed, self._place.start.isoformat())
        return subscription.subscribe(
            Notif.STREAM_EVENT if node.role else Notif.STREAM_EVENT | Notif.HA_INFO,
            address=node.address,
            heartbeat=node.heartbeat,
            stream=self._stream,
            start=None if self._place is None else self._place.start,
            reconnect=True,
        )

    def _handle(self, burst: Sequence[Event]) -> None:
        try:
            super()._handle(burst)
        finally:
            self._marks.clear()

    def _records(self, burst: Sequence[Event]) -> Iterator[str]:
        self._marks.clear()
        return super()._records(burst)

    def _is_wanted(self, event: Event, bit: int) -> bool:
        if bit != _STREAM_EVENT:
            return not bit
        if event.payload["type"] == StreamType.REPLAY_COMPLETE:
            if self._place is not None:
                self._place.end()
            return False  # it was not the reader of the records who has asked for a replay
        if event.payload["type"] != StreamType.NOTIFICATION_EVENT:
            return True
        mark = mark_of(event.payload)
        if mark is None:
            return True
        if self._place is not None and not self._place.is_new(mark):
            return False
        if self._is_first:
            self._marks.append(Mark(mark.at - 1, None))
            self._is_first = False
        self._marks.append(mark)
        return True

    def _may_give_up(self) -> bool:
        # Nobody waits for an acknowledgement; a reader that waits for room has all replayed.
        return self.stopping

    def _give_up(self, count: int, error: SpoolFullError) -> None:
        logger.warning("%s; %d events of %s are left for the next run", error, count, self.feed)

    def _gaps(self, burst: Sequence[Event]) -> int:
        return sum(
            event.raw["type"] == _STREAM_EVENT and event.payload["type"] == StreamType.REPLAY_FAILED
            for event in burst
        )

    def _keep(self, records: Sequence[str], drop: Callable[[int], str] | None) -> int:
        marks = Marks(self._stream, self._marks)
        return self._spool.append(self._node.name, records, drop, marks=marks)
