"""From the spool to a sink: at least once, in order."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ._config import SinkConfig
from ._errors import BusyError, RefusedError, SinkGoneError, SpoolError, SpoolFullError
from ._log import logger
from ._observer import Observer
from ._record import Record, payload_of
from ._spool import Letter, Spool
from ._worker import Worker
from .sinks import HoldingSink

_LOOK = 0.5  # seconds between looks whether to end


class Delivery(Worker):
    """Sends the records of the spool to a sink; waits, longer each time, while that fails."""

    def __init__(self, config: SinkConfig, spool: Spool, observer: Observer) -> None:
        super().__init__(f"sink {config.name}")
        self._config = config
        self._sink = config.sink
        self._spool = spool
        self._observer = observer
        self._is_open = False
        self._given = self._position = 0  # numbers of records; less than they are at the beginning
        self._refusals = 0  # of the record at which it stands
        self._trouble = ""  # what is wrong, as was told; empty when nothing is

    def work(self) -> None:
        delays = self._config.retry.delays()
        try:
            while not self.overdue:
                changes = self._spool.changes
                try:
                    if self._deliver():
                        delays = self._config.retry.delays()
                    elif self.stopping:
                        break  # nothing is left
                    else:
                        self._spool.wait(changes, _LOOK)
                except (SinkGoneError, SpoolError):
                    raise
                except Exception as error:
                    self._failed(error)
                    asked = error.seconds if isinstance(error, BusyError) else 0.0
                    self.pause(max(next(delays), asked))
        finally:
            self._close()

    def _deliver(self) -> bool:
        """Sends a batch, or a dead letter again; returns whether there was one."""
        letter = self._spool.redriven(self._config.name)
        if letter is not None:
            self._redrive(letter)
            return True
        batch = self._spool.pending(self._config.name, self._config.batch, self._given)
        if not batch:
            self._idle()
            return False
        wanted = list(filter(self._wants, batch)) if self._is_picky else batch
        try:
            if wanted:
                self._send(wanted)
        except RefusedError as refusal:
            self._refused(wanted, refusal)
            return True
        except BusyError as error:
            self._keep(wanted, error.delivered)
            raise
        self._refusals = 0
        self._given = batch[-1].number
        self._advance()
        self._observer.delivered(self._config.name, len(wanted))
        if self._trouble:
            logger.info("sink %s takes records again", self._config.name)
            self._trouble = ""
        return True

    def _idle(self) -> None:
        if self._is_open and isinstance(self._sink, HoldingSink):
            self._sink.idle()
            self._advance()

    def _advance(self) -> None:
        """Lets the position go on behind what the sink was given, but for what it holds."""
        held = self._sink.held() if isinstance(self._sink, HoldingSink) else None
        position = self._given if held is None else held - 1
        if position > self._position:
            self._spool.advance(self._config.name, position)
            self._position = position

    def _send(self, records: Sequence[Record]) -> None:
        if not self._is_open:
            self._sink.open()
            self._is_open = True
        selection = self._config.selection
        if selection is None:
            self._sink.send(records)
            return
        chosen = []
        for index, record in enumerate(records):
            try:
                chosen.append(selection.of(record))
            except RecursionError:
                if chosen:
                    self._sink.send(chosen)
                raise RefusedError(index, "it is too deep for fields and omit") from None
        self._sink.send(chosen)

    @property
    def _is_picky(self) -> bool:
        return self._config.mask is not None or bool(self._config.where)

    def _wants(self, record: Record) -> bool:
        """Whether the sink is to have it; always, what says that something may be missing."""
        try:
            data = record.envelope()["data"]
        except RecursionError:
            return True
        if not data["type"]:
            return True
        payload = payload_of(data)
        mask = self._config.mask
        is_named = mask is None or bool(data["type"] & mask)
        return is_named and all(each.holds(payload) for each in self._config.where)

    def _refused(self, records: Sequence[Record], refusal: RefusedError) -> None:
        """Keeps what was delivered; gives the record up after so many attempts."""
        self._keep(records, refusal.index)
        self._refusals += 1
        if self._refusals < self._config.attempts:
            raise refusal
        record = records[refusal.index]
        self._spool.bury(self._config.name, record, str(refusal))
        self._observer.refused(self._config.name)
        self._refusals = 0
        logger.error("sink %s refuses record %d: %s", self._config.name, record.number, refusal)

    def _keep(self, records: Sequence[Record], delivered: int) -> None:
        """Lets the position go on behind the first records of a batch."""
        if delivered:
            self._refusals = 0
            self._spool.advance(self._config.name, records[delivered - 1].number)
            self._observer.delivered(self._config.name, delivered)

    def _redrive(self, letter: Letter) -> None:
        try:
            self._send([Record(letter.number, letter.json)])
        except RefusedError as refusal:
            self._spool.settle(letter, str(refusal))
        else:
            self._spool.settle(letter)
            self._observer.delivered(self._config.name, 1)

    def _failed(self, error: Exception) -> None:
        self._close()
        self._observer.failed(self._config.name)
        trouble = str(error) or type(error).__name__
        if trouble == self._trouble:
            return  # it was told
        self._trouble = trouble
        logger.warning("sink %s: %s; it is tried again", self._config.name, trouble)
        with suppress(SpoolFullError):
            self._spool.note_failure(self._config.name, trouble)

    def _close(self) -> None:
        self._given = 0  # what it holds comes again
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._sink.close()
        except Exception as error:
            logger.warning("sink %s: %s", self._config.name, error)
