"""The forwarder: a thread for each node and each sink, the spool between them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

from ._config import Config, MetricsConfig, NodeConfig
from ._delivery import Delivery
from ._errors import ConfigError
from ._intake import Intake
from ._log import logger
from ._notify import Notifier
from ._observer import Observer
from ._spool import Spool
from ._streams import StreamIntake
from ._worker import Worker

_LOOK = 0.5  # seconds between looks at the threads


class Forwarder:
    """Forwards what its configuration says, until it is told to stop."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Lets run() end: nodes at once, sinks when they have what is there, or time is over.

        Any thread and a signal handler may call it.
        """
        self._stopping.set()

    def run(self) -> None:
        """Forwards until stop() is called.

        Raises SpoolError when the spool can't be used, ConfigError when nobody can listen on the
        address for metrics, SinkGoneError, or what else ends a thread.
        """
        config, boot = self._config, uuid4().hex[:16]
        with Spool(config.spool, config.limit) as spool:
            for name in spool.serve([sink.name for sink in config.sinks]):
                logger.warning("sink %s is no longer there; its position is forgotten", name)
            with _observing(config) as observer:
                intakes = [
                    intake
                    for node in config.nodes
                    for intake in _intakes(node, spool, boot, config.when_full, observer)
                ]
                deliveries = [Delivery(sink, spool, observer) for sink in config.sinks]
                try:
                    self._watch(intakes, deliveries)
                finally:
                    _end(intakes, 0.0)
                    spool.wake()
                    _end(deliveries, config.drain)
        _raise_failure([*intakes, *deliveries])

    def _watch(self, intakes: Sequence[Intake], deliveries: Sequence[Delivery]) -> None:
        """Runs the threads until one of them fails, or it is told to stop."""
        workers: list[Worker] = [*deliveries, *intakes]
        notifier = Notifier()
        for worker in workers:
            worker.start()
        while not self._stopping.wait(_LOOK):
            if not all(worker.is_alive() for worker in workers):
                break
            connected = sum(intake.connected for intake in intakes)
            notifier.tell(f"{connected} of {len(intakes)} nodes are subscribed")
        notifier.stopping()


def _intakes(
    node: NodeConfig, spool: Spool, boot: str, when_full: str, observer: Observer
) -> Iterator[Intake]:
    """A thread for each subscription of a node."""
    if node.mask:
        yield Intake(node, spool, boot, when_full, observer)
    for stream in node.streams:
        yield StreamIntake(node, stream, spool, boot, when_full, observer)


@contextmanager
def _observing(config: Config) -> Iterator[Observer]:
    """Who is told what happens: who shows metrics, where some are asked for."""
    if config.metrics is None:
        yield Observer()
        return
    from ._metrics import Exposition, Metrics  # what it needs may not be installed

    metrics = Metrics(config, config.metrics.devices)
    try:
        exposition = Exposition(config.metrics, metrics)
    except OSError as error:
        where = _written(config.metrics)
        raise ConfigError(f"metrics.address: {where}: {error.strerror or error}") from error
    if exposition.port is not None:
        logger.info("metrics are shown on port %d", exposition.port)
    with exposition:
        yield metrics


def _written(config: MetricsConfig) -> str:
    return "{}:{}".format(*config.address) if config.address else ""


def _end(workers: Sequence[Worker], grace: float) -> None:
    """Ends threads; those that are stuck in a call are left, they end with the process."""
    for worker in workers:
        worker.stop(grace)
    end = time.monotonic() + grace + 5.0
    for worker in workers:
        if worker.ident is not None:
            worker.join(max(0.0, end - time.monotonic()))


def _raise_failure(workers: Sequence[Worker]) -> None:
    for worker in workers:
        if worker.failure is not None:
            raise worker.failure
