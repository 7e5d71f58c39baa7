"""Metrics in Prometheus' text format: what the forwarder does, and what the events say."""

from __future__ import annotations

import collections
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable
from wsgiref.simple_server import WSGIServer

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    start_http_server,
    write_to_textfile,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from .._events import library
from .._version import __version__
from ..enums import Database, DataProvider, Notif, UserSess, label
from ..subscription import Connected, Event, Undecodable
from ._config import Config, MetricsConfig
from ._errors import SpoolError
from ._log import logger
from ._measures import OTHER, Few, QueueItems, context_of, failed_login, taken
from ._observer import Observer
from ._role import ROLES
from ._spool import status_of
from ._worker import Worker

_UNKNOWN = "unknown"  # the role of a node that has told none
_MOST_SESSIONS = 10_000
_TRANSACTIONS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300)
_LOCKS = (0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60)
_DEVICES = (0.1, 0.5, 1, 5, 10, 30, 60, 300)


Tally = collections.Counter[tuple[Any, ...]]
"""How often each counter is to go on: of the counter, and its labels but for the node."""


class Metrics(Observer):
    """Counts; its registry has what is counted, and what there is in the spool.

    devices -- how many devices of a node have a label of their own
    """

    def __init__(self, config: Config, devices: int) -> None:
        self.registry = CollectorRegistry()
        self._devices = devices
        self._nodes: dict[str, _NodeState] = {}
        self._make_own()
        self._make_of_sinks()
        self._make_of_events()
        self._by_type: dict[int, Callable[[str, _NodeState, Any, Tally], None]] = {
            int(Notif.AUDIT): self._count_login,
            int(Notif.COMMIT_SIMPLE): self._count_simple,
            int(Notif.COMMIT_DIFF): self._count_diff,
            int(Notif.COMMIT_FAILED): self._count_failure,
            int(Notif.COMMIT_PROGRESS): self._count_step,
            int(Notif.CQ_PROGRESS): self._count_item,
            int(Notif.PROGRESS): self._count_step,
            int(Notif.USER_SESSION): self._count_session,
        }
        self._spool = _SpoolMetrics(config.spool)
        self.registry.register(self._spool)
        facts = library()
        self._info.labels(__version__, facts["product"], facts["api_level"]).set(1)
        self.configured(config)

    def configured(self, config: Config) -> None:
        self._spool.limit = config.limit
        masks = {feed: node.mask for node in config.nodes for feed in node.feeds}
        for node in set(self._nodes) - set(masks):
            self._forget(node)
        for node, mask in masks.items():
            if node not in self._nodes:
                self._begin(node, _NodeState(mask, self._devices))
            self._nodes[node].mask = mask
        for sink in config.sinks:
            for counter in (self._delivered, self._retries, self._refused):
                counter.labels(sink.name)

    def connected(self, node: str, is_connected: bool) -> None:
        if node in self._nodes:
            self._connected.labels(node).set(is_connected)

    def role(self, node: str, role: str) -> None:
        for each in (*ROLES, _UNKNOWN):
            self._role.labels(node, each).set(each == role)

    def gap(self, node: str, cause: str) -> None:
        self._gaps.labels(node, cause).inc()
        if cause != "dropped":
            state = self._nodes[node]
            state.sessions.clear()
            state.items.clear()
            self._show_state(node, state)

    def lost(self, node: str, count: int) -> None:
        self._lost.labels(node).inc(count)

    def delivered(self, sink: str, count: int) -> None:
        self._delivered.labels(sink).inc(count)

    def failed(self, sink: str) -> None:
        self._retries.labels(sink).inc()

    def refused(self, sink: str) -> None:
        self._refused.labels(sink).inc()

    def read(self, node: str, events: Sequence[Event]) -> None:
        state, tally = self._nodes[node], Tally()
        for event in events:
            bit = event.raw["type"]
            tally[self._notifications, bit] += 1
            count = self._by_type.get(bit)
            if count is not None:
                count(node, state, event.payload, tally)
            elif not bit:
                self._count_marker(node, event)
        for (counter, *labels), times in tally.items():
            if counter is not self._notifications:
                counter.labels(node, *labels).inc(times)
            elif labels[0]:
                counter.labels(node, label(Notif(labels[0]))).inc(times)
        if state.is_changed:
            self._show_state(node, state)
        if events:
            self._last.labels(node).set(events[-1].read_at.timestamp())

    # What is counted

    def _make_own(self) -> None:
        self._info = self._gauge(
            "info", "What runs here; always 1.", "version", "product", "api_level"
        )
        self._notifications = self._counter(
            "notifications", "Notifications that were read.", "node", "type"
        )
        self._connected = self._gauge(
            "node_connected", "Whether the subscription of the node stands.", "node"
        )
        self._last = self._gauge(
            "node_last_read_timestamp_seconds",
            "When a notification of the node was read last, in seconds since the epoch.",
            "node",
        )
        self._reconnects = self._counter(
            "node_reconnects", "How often a lost connection was made again.", "node"
        )
        self._gaps = self._counter(
            "node_gaps",
            "Spans of time of which notifications may be missing, by what began them.",
            "node",
            "cause",
        )
        self._lost = self._counter(
            "node_lost_records", "Records that were lost, for the spool was full.", "node"
        )
        self._undecodable = self._counter(
            "node_undecodable", "Notifications that could not be decoded.", "node"
        )

    def _make_of_sinks(self) -> None:
        self._delivered = self._counter(
            "sink_delivered_records", "Records that the sink has taken.", "sink"
        )
        self._retries = self._counter(
            "sink_retries", "How often the sink has failed, and was tried again.", "sink"
        )
        self._refused = self._counter(
            "sink_refused_records", "Records that became dead letters of the sink.", "sink"
        )

    def _make_of_events(self) -> None:
        self._commits = self._counter(
            "commits", "Transactions that were committed.", "node", "datastore", "context"
        )
        self._commit_failures = self._counter(
            "commit_failures", "Commits that a data provider has failed.", "node", "provider"
        )
        self._sessions = self._counter(
            "user_sessions", "User sessions that were opened.", "node", "context"
        )
        self._open_sessions = self._gauge(
            "user_sessions_open",
            "User sessions that are open, of those opened since the node was connected.",
            "node",
        )
        self._failed_logins = self._counter(
            "failed_logins",
            "Failed logins in the audit log, by the symbol of the message.",
            "node",
            "message",
        )
        self._queue_events = self._counter(
            "commit_queue_events", "Changes of items of the commit queue.", "node", "state"
        )
        self._queue_items = self._gauge(
            "commit_queue_items",
            "Items of the commit queue, of those that were told of since the node was connected.",
            "node",
            "state",
        )
        self._failed_devices = self._counter(
            "commit_queue_failed_devices",
            "Devices that have failed an item of the commit queue.",
            "node",
            "device",
        )
        self._role = self._gauge(
            "ha_role", "1 for the role that the node has reported last.", "node", "role"
        )
        self._taken = {
            "transaction": self._histogram(
                "transaction", "How long transactions took.", _TRANSACTIONS, "node"
            ),
            "lock_wait": self._histogram(
                "transaction_lock_wait",
                "How long transactions waited for the transaction lock.",
                _LOCKS,
                "node",
            ),
            "lock_hold": self._histogram(
                "transaction_lock_hold",
                "How long transactions held the transaction lock.",
                _LOCKS,
                "node",
            ),
            "device": self._histogram(
                "device", "How long steps with devices took.", _DEVICES, "node", "device", "step"
            ),
        }

    def _counter(self, name: str, doc: str, *labels: str) -> Counter:
        return Counter(f"confd_events_{name}", doc, labels, registry=self.registry)

    def _gauge(self, name: str, doc: str, *labels: str) -> Gauge:
        return Gauge(f"confd_events_{name}", doc, labels, registry=self.registry)

    def _histogram(self, name: str, doc: str, buckets: Sequence[float], *labels: str) -> Histogram:
        full = f"confd_events_{name}_seconds"
        return Histogram(full, doc, labels, buckets=buckets, registry=self.registry)

    def _begin(self, node: str, state: _NodeState) -> None:
        """Has what is counted begin at 0: a rate needs a number before the first event."""
        self._nodes[node] = state
        self._connected.labels(node).set(0)
        for counter in (self._reconnects, self._lost, self._undecodable):
            counter.labels(node)
        for cause in ("started", "disconnected", "dropped"):
            self._gaps.labels(node, cause)
        self.role(node, _UNKNOWN)
        self._show_state(node, state)

    def _forget(self, node: str) -> None:
        """Shows no state of a node that is no longer there; counters may stay."""
        state = self._nodes.pop(node)
        for gauge in (self._connected, self._last, self._open_sessions):
            with suppress(KeyError):  # nothing was read
                gauge.remove(node)
        for role in (*ROLES, _UNKNOWN):
            self._role.remove(node, role)
        for name, _ in state.items.counts():
            self._queue_items.remove(node, name)

    # What events say

    def _count_marker(self, node: str, event: Event) -> None:
        if isinstance(event, Connected):
            self._reconnects.labels(node).inc()
        elif isinstance(event, Undecodable):
            self._undecodable.labels(node).inc()

    def _count_step(self, node: str, state: _NodeState, payload: Any, tally: Tally) -> None:
        found = taken(payload)
        if found is None:
            return
        labels = (state.devices.of(found.device), found.step) if found.device else ()
        key = (found.what, *labels)
        child = state.histograms.get(key)
        if child is None:  # to find it takes longer than to use it
            child = state.histograms[key] = self._taken[found.what].labels(node, *labels)
        child.observe(found.seconds)

    def _count_simple(self, node: str, state: _NodeState, payload: Any, tally: Tally) -> None:
        database = _labelled(Database, payload["database"])
        tally[self._commits, database, context_of(payload["uinfo"].context)] += 1

    def _count_diff(self, node: str, state: _NodeState, payload: Any, tally: Tally) -> None:
        # A commit is told by both; who has asked for both is to count it once.
        if not state.mask & Notif.COMMIT_SIMPLE:
            self._count_simple(node, state, payload, tally)

    def _count_login(self, node: str, state: _NodeState, payload: Any, tally: Tally) -> None:
        message = failed_login(payload["logno"])
        if message is not None:
            tally[self._failed_logins, message] += 1

    def _count_failure(self, node: str, state: _NodeState, payload: Any, tally: Tally) -> None:
        tally[self._commit_failures, _labelled(DataProvider, payload["provider"])] += 1

    def _count_session(self, node: str, state: _NodeState, payload: Any, tally: Tally) -> None:
        user, state.is_changed = payload["uinfo"], True
        if payload["type"] == UserSess.START:
            tally[self._sessions, context_of(user.context)] += 1
            if len(state.sessions) < _MOST_SESSIONS:
                state.sessions.add(user.usid)
        elif payload["type"] == UserSess.STOP:
            state.sessions.discard(user.usid)

    def _count_item(self, node: str, state: _NodeState, payload: Any, tally: Tally) -> None:
        state.is_changed = True
        tally[self._queue_events, state.items.note(payload)] += 1
        for device in payload.get("failed_devices", ()):
            tally[self._failed_devices, state.devices.of(device)] += 1

    def _show_state(self, node: str, state: _NodeState) -> None:
        state.is_changed = False
        self._open_sessions.labels(node).set(len(state.sessions))
        for name, count in state.items.counts():
            self._queue_items.labels(node, name).set(count)


class _NodeState:
    """What is remembered of a node from one notification to the next."""

    def __init__(self, mask: int, devices: int) -> None:
        self.mask = mask
        self.sessions: set[int] = set()
        self.items = QueueItems()
        self.is_changed = False
        """Whether sessions or items changed since they were shown."""
        self.devices = Few(devices)
        self.histograms: dict[tuple[str, ...], Histogram] = {}


@lru_cache(maxsize=256)
def _labelled(enum: Any, number: int) -> str:
    try:
        return label(enum(number))
    except ValueError:
        return OTHER


class _SpoolMetrics:
    """Looks into the spool whenever metrics are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.limit: int | None = None

    def describe(self) -> Iterator[Metric]:
        """The names, for which nobody needs to look into the spool."""
        yield from _families().values()

    def collect(self) -> Iterator[Metric]:
        """What there is now."""
        families = _families()
        try:
            status = status_of(self._path)
        except SpoolError as error:
            logger.warning("metrics: %s", error)
            return
        families["spool_records"].add_metric([], status.records)
        families["spool_bytes"].add_metric([], status.bytes)
        if self.limit is not None:
            families["spool_limit_bytes"].add_metric([], self.limit)
        for sink in status.sinks:
            families["sink_waiting_records"].add_metric([sink.name], sink.waiting)
            families["sink_oldest_age_seconds"].add_metric([sink.name], sink.age)
            families["sink_dead_letters"].add_metric([sink.name], sink.dead)
            families["sink_failing"].add_metric([sink.name], sink.error is not None)
        yield from families.values()


def _families() -> dict[str, GaugeMetricFamily]:
    of_spool = {
        "spool_records": "Records in the spool.",
        "spool_bytes": "Bytes of the spool that are in use.",
        "spool_limit_bytes": "Bytes that the spool is not to exceed.",
    }
    of_sinks = {
        "sink_waiting_records": "Records that the sink does not have yet.",
        "sink_oldest_age_seconds": "How long the oldest of those has been there.",
        "sink_dead_letters": "Records that the sink has refused, and nobody has removed.",
        "sink_failing": "Whether something is wrong with the sink.",
    }
    return {
        name: GaugeMetricFamily(f"confd_events_{name}", doc, labels=labels)
        for docs, labels in ((of_spool, ()), (of_sinks, ("sink",)))
        for name, doc in docs.items()
    }


class Exposition:
    """Metrics on an HTTP port, in a file, or both; use it in a `with` statement."""

    def __init__(self, config: MetricsConfig, metrics: Metrics) -> None:
        """Raises OSError when nobody can listen on the address."""
        self._file = config.file
        self._writer = None if config.file is None else _Writer(config, metrics.registry)
        self._server: WSGIServer | None = None
        self._thread: threading.Thread | None = None
        if config.address is not None:
            host, port = config.address
            self._server, self._thread = start_http_server(port, host, metrics.registry)

    @property
    def port(self) -> int | None:
        """The port that it listens on."""
        return None if self._server is None else self._server.server_port

    def __enter__(self) -> Exposition:
        if self._writer is not None:
            self._writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.stop()
            self._writer.join()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


class _Writer(Worker):
    """Writes metrics into a file, for the textfile collector of Prometheus' node exporter."""

    def __init__(self, config: MetricsConfig, registry: CollectorRegistry) -> None:
        super().__init__("metrics")
        assert config.file is not None
        self._path = config.file
        self._every = config.every
        self._registry = registry
        self._trouble = ""

    def work(self) -> None:
        while not self.stopping:
            try:
                write_to_textfile(os.fspath(self._path), self._registry)
                self._trouble = ""
            except OSError as error:
                if str(error) != self._trouble:
                    logger.warning("metrics: %s can't be written: %s", self._path, error)
                self._trouble = str(error)
            self.pause(self._every)
        # What stands there would be taken for what is.
        with suppress(OSError):
            self._path.unlink()
