"""Sinks: where records go. Each module beside this is one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Callable, Protocol, runtime_checkable

from .._errors import ConfigError
from . import file, http, otlp, relp, sqlite, stdout, syslog

if TYPE_CHECKING:
    from .._config import Table
    from .._record import Record

GROUP = "confd_events.sinks"
"""The entry points of sinks that other packages bring."""

_METHODS = ("open", "send", "close")


class Sink(Protocol):
    """What takes records. One thread at a time uses it.

    A method that raises is called again later: open() after close(), send() with records from the
    first that was not delivered.
    """

    def open(self) -> None:
        """Makes ready to send."""

    def send(self, batch: Sequence[Record]) -> None:
        """Delivers records, in order; they are safe at the other side when this returns.

        Raises RefusedError for one that it will never take, BusyError to be left alone for a while,
        SinkGoneError when it is gone for good.
        """

    def close(self) -> None:
        """Lets go of what open() has taken; also after an error, and again."""


@runtime_checkable
class HoldingSink(Sink, Protocol):
    """A sink that has records to wait for what comes later.

    The spool's position stays before the first that it holds; when the sink is opened again, they
    come again from there.
    """

    def held(self) -> int | None:
        """The number of the first record that is not delivered; None when all are."""

    def idle(self) -> None:
        """There is no record for it at the moment; called about twice a second."""


Make = Callable[["Table"], Sink]
"""Makes a sink from its table of the configuration, without opening anything."""


def _of_extra(kind: str, name: str) -> Make:
    """Makes sinks of a module that needs what an extra of its name installs."""

    def make(table: Table) -> Sink:
        try:
            module = import_module(f"{__name__}.{kind}")
        except ModuleNotFoundError as error:
            extra = f"pip install 'confd-events[{kind}]'"
            raise table.error("type", f"{kind!r} needs {error.name}: {extra}") from error
        sink: Sink = getattr(module, name)(table)
        return sink

    return make


BUILT_IN: dict[str, Make] = {
    "file": file.FileSink,
    "http": http.HttpSink,
    "kafka": _of_extra("kafka", "KafkaSink"),
    "nats": _of_extra("nats", "NatsSink"),
    "otlp": otlp.OtlpSink,
    "redis": _of_extra("redis", "RedisSink"),
    "relp": relp.RelpSink,
    "sqlite": sqlite.SqliteSink,
    "stdout": stdout.StdoutSink,
    "syslog": syslog.SyslogSink,
}


def named(kind: str) -> Make:
    """What makes sinks of a type; ValueError for a type that there is not."""
    if kind in BUILT_IN:
        return BUILT_IN[kind]
    others = {each.name: each for each in _entry_points()}
    if kind not in others:
        raise ValueError(f"{kind!r} is none of {', '.join([*BUILT_IN, *sorted(others)])}")
    return _of_package(others[kind])


def _of_package(entry: EntryPoint) -> Make:
    """Makes sinks of another package; what is wrong with it is told as an error of the type."""

    def make(table: Table) -> Sink:
        try:
            sink: Sink = entry.load()(table)
        except ConfigError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise table.error("type", f"{entry.name!r} ({entry.value}): {reason}") from error
        missing = [name for name in _METHODS if not callable(getattr(sink, name, None))]
        if missing:
            lacks = ", ".join(f"{name}()" for name in missing)
            raise table.error("type", f"{entry.name!r} ({entry.value}) lacks {lacks}")
        return sink

    return make


def _entry_points() -> Sequence[EntryPoint]:
    if sys.version_info >= (3, 10):
        return tuple(entry_points(group=GROUP))
    everything: Any = entry_points()
    return tuple(everything.get(GROUP, ()))
