"""The forwarder: what its configuration says, until it is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

from ._config import Config, MetricsConfig
from ._errors import ConfigError
from ._log import logger
from ._notify import Notifier
from ._observer import Observer
from ._spool import Spool
from ._team import Team

_LOOK = 0.5  # seconds between looks at the threads


class Forwarder:
    """Forwards what its configuration says, until it is told to stop."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stopping = threading.Event()
        self._read: Callable[[], Config] | None = None

    def stop(self) -> None:
        """Lets run() end: nodes at once, sinks when they have what is there, or time is over.

        Any thread and a signal handler may call it.
        """
        self._stopping.set()

    def reload(self, read: Callable[[], Config]) -> None:
        """Lets run() go over to another configuration.

        read -- gives it, such as read_config() does; run() calls it. When it raises ConfigError or
            OSError, or what can't change while it runs is another, that is logged, and the old
            configuration goes on

        Any thread and a signal handler may call it.
        """
        self._read = read

    def run(self) -> None:
        """Forwards until stop() is called.

        Raises SpoolError when the spool can't be used, ConfigError when nobody can listen on the
        address for metrics, SinkGoneError, or what else ends a thread.
        """
        config = self._config
        with Spool(config.spool, config.limit) as spool, _observing(config) as observer:
            team = Team(config, spool, observer)
            try:
                self._watch(team)
            finally:
                team.end()

    def _watch(self, team: Team) -> None:
        """Runs the threads until one of them fails, or it is told to stop."""
        notifier = Notifier()
        team.start()
        while not self._stopping.wait(_LOOK) and team.look():
            self._reload(team, notifier)
            if team.is_changing:
                notifier.alive()
            else:
                notifier.tell(team.status())
        notifier.stopping()

    def _reload(self, team: Team, notifier: Notifier) -> None:
        read, self._read = self._read, None
        if read is None:
            return
        notifier.reloading()
        try:
            team.change(read())
        except (ConfigError, OSError) as error:
            logger.error("the new configuration is wrong, the old one goes on: %s", error)


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
