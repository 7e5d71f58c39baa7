"""The threads of a forwarder, and how another configuration changes them while they run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from uuid import uuid4

from ._config import Config, NodeConfig
from ._delivery import Delivery
from ._errors import ConfigError, SpoolFullError
from ._intake import Intake
from ._log import logger
from ._observer import Observer
from ._spool import Spool
from ._streams import StreamIntake
from ._worker import Worker


class Team:
    """A thread for each subscription and each sink, the spool between them."""

    def __init__(self, config: Config, spool: Spool, observer: Observer) -> None:
        self._config = config
        self._spool = spool
        self._observer = observer
        self._intakes: dict[NodeConfig, Sequence[Intake]] = {}
        self._deliveries: Sequence[Delivery] = ()
        self._leaving: list[Worker] = []
        self._next: Config | None = None

    def start(self) -> None:
        """Starts them."""
        self._begin(self._config)

    def change(self, config: Config) -> None:
        """Begins to go over to another configuration; look() completes it.

        Nodes that stay as they are go on without a gap. Each sink is made anew, for it may have
        read a secret or a certificate that is another now. Raises ConfigError for what can't be
        changed; all stays as it is then.
        """
        _check_change(self._config, config)
        gone = [node for node in self._intakes if node not in config.nodes]
        leaving = [intake for node in gone for intake in self._intakes.pop(node)]
        for worker in (*leaving, *self._deliveries):
            worker.stop()
            self._leaving.append(worker)
        self._deliveries = ()
        self._spool.wake()
        self._next = config

    def look(self) -> bool:
        """Goes on with a change; returns whether all threads run that are to."""
        if self._next is not None and not any(worker.is_alive() for worker in self._leaving):
            self._complete(self._next)
        return all(worker.is_alive() for worker in self._workers())

    @property
    def is_changing(self) -> bool:
        """Whether a change is not complete yet."""
        return self._next is not None

    def status(self) -> str:
        """How many subscriptions stand, for people."""
        intakes = [intake for each in self._intakes.values() for intake in each]
        connected = sum(intake.connected for intake in intakes)
        return f"{connected} of {len(intakes)} nodes are subscribed"

    def end(self) -> None:
        """Ends them: nodes at once, sinks when they have what is there, or time is over.

        Raises what has ended one of them before.
        """
        intakes = [intake for each in self._intakes.values() for intake in each]
        _end(intakes, 0.0)
        self._spool.wake()
        _end(self._deliveries, self._config.drain)
        _end(self._leaving, 0.0)
        for worker in (*intakes, *self._deliveries):
            if worker.failure is not None:
                raise worker.failure

    def _complete(self, config: Config) -> None:
        for worker in self._leaving:
            if worker.failure is not None:
                logger.warning("%s", worker.failure)
        try:
            self._begin(config)
        except SpoolFullError as error:
            logger.warning("%s; the configuration is not in force yet", error)
            return
        self._leaving, self._next, self._config = [], None, config
        counts = len(config.nodes), len(config.sinks)
        logger.info("the new configuration is in force; nodes: %d, sinks: %d", *counts)

    def _begin(self, config: Config) -> None:
        """Starts the threads that are not there yet."""
        for name in self._spool.serve([sink.name for sink in config.sinks]):
            logger.warning("sink %s is no longer there; its position is forgotten", name)
        self._spool.limit = config.limit
        self._observer.configured(config)
        boot = uuid4().hex[:16]  # each connection has ids of its own
        for node in config.nodes:
            if node not in self._intakes:
                self._intakes[node] = tuple(self._made(node, boot))
        for intake in (intake for each in self._intakes.values() for intake in each):
            intake.when_full = config.when_full
        self._deliveries = [Delivery(sink, self._spool, self._observer) for sink in config.sinks]
        for worker in self._workers():
            if worker.ident is None:
                worker.start()

    def _made(self, node: NodeConfig, boot: str) -> Iterator[Intake]:
        """A thread for each subscription of a node."""
        if node.mask:
            yield Intake(node, self._spool, boot, self._observer)
        for stream in node.streams:
            yield StreamIntake(node, stream, self._spool, boot, self._observer)

    def _workers(self) -> Iterator[Worker]:
        yield from self._deliveries
        for intakes in self._intakes.values():
            yield from intakes


def _check_change(old: Config, new: Config) -> None:
    for key, was, is_now in (
        ("spool.path", old.spool, new.spool),
        ("metrics", old.metrics, new.metrics),
    ):
        if was != is_now:
            raise ConfigError(f"{key}: can't change while the forwarder runs; start it again")


def _end(workers: Sequence[Worker], grace: float) -> None:
    """Ends threads; those that are stuck in a call are left, they end with the process."""
    for worker in workers:
        worker.stop(grace)
    end = time.monotonic() + grace + 5.0
    for worker in workers:
        if worker.ident is not None:
            worker.join(max(0.0, end - time.monotonic()))
