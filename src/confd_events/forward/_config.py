"""The configuration: a TOML file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from .._address import endpoints
from .._where import Condition, parsed
from .._written import length_of_time, size
from ..enums import Notif
from ..maapi import LIMIT
from ..subscription import Backoff, named, request
from . import sinks
from ._errors import ConfigError
from ._role import ROLES
from ._selection import Selection
from ._selection import parsed as path_of

POLICIES = ("hold", "release", "drop-oldest")


class NodeConfig(NamedTuple):
    """A daemon, and what to subscribe to."""

    name: str
    address: str | None
    mask: int
    heartbeat: float | None
    verbosity: str | None
    changes: Changes | None
    """What its records of commit-diff tell of the changes; None: nothing."""
    role: str | None = None
    """Its role in a high availability cluster; None for what it reports."""
    streams: tuple[str, ...] = ()
    """The event streams to subscribe to."""

    @property
    def subscribed(self) -> int:
        """The bits to subscribe to: those asked for, and what tells its role."""
        return self.mask if self.role else self.mask | Notif.HA_INFO

    @property
    def feeds(self) -> tuple[str, ...]:
        """What the log and the metrics call its subscriptions."""
        of_streams = tuple(f"{self.name}/{stream}" for stream in self.streams)
        return (self.name, *of_streams) if self.mask else of_streams

    @property
    def forwarded(self) -> int:
        """The notifications that may become records."""
        return self.mask | Notif.STREAM_EVENT if self.streams else self.mask


class Changes(NamedTuple):
    """Which changes of a commit a record has."""

    below: str
    """A path; "" for all."""
    old: bool
    """Whether with the values before."""
    limit: float
    """Seconds that reading them may take, while the commit waits."""


class MetricsConfig(NamedTuple):
    """Where metrics are shown."""

    address: tuple[str, int] | None
    """Host and port to listen on; the host is empty for all addresses."""
    file: Path | None
    every: float
    """Seconds between writes of the file."""
    devices: int
    """How many devices of a node have a label of their own."""


class SinkConfig(NamedTuple):
    """A sink, and what it gets."""

    name: str
    sink: sinks.Sink
    batch: int
    """The most records to send at a time."""
    attempts: int
    """How often a record is tried that it refuses."""
    retry: Backoff
    mask: int | None
    """The notifications that it gets; None for all."""
    where: tuple[Condition, ...]
    selection: Selection | None = None
    """Which parts of records it gets; None for all."""


class Config(NamedTuple):
    """What the file says."""

    spool: Path
    limit: int | None
    when_full: str
    drain: float
    """Seconds that sinks have at the end to take what is left."""
    nodes: tuple[NodeConfig, ...]
    sinks: tuple[SinkConfig, ...]
    metrics: MetricsConfig | None = None


class Table:
    """A table of the file. What reads a key checks it; a key that nobody has read is refused."""

    def __init__(self, path: str, values: dict[str, Any]) -> None:
        self._path = path
        self._values = values
        self._read: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def error(self, key: str, text: str) -> ConfigError:
        """An error that is about a key."""
        return ConfigError(f"{self._path}.{key}: {text}".lstrip("."))

    def text(self, key: str, default: str | None = None) -> str:
        """Text; without a default it must be there."""
        found = self.optional_text(key)
        if found is None and default is None:
            raise self.error(key, "is missing")
        return found if found is not None else str(default)

    def optional_text(self, key: str) -> str | None:
        """Text, or None when it is not there."""
        found = self._get(key, str, "text")
        if found == "":
            raise self.error(key, "is empty")
        return None if found is None else str(found)

    def secret(self, key: str) -> str | None:
        """What a variable of the environment, KEY_env, or a file, KEY_file, has; else None."""
        name, path = self.optional_text(f"{key}_env"), self.optional_text(f"{key}_file")
        if name is not None and path is not None:
            raise self.error(f"{key}_file", f"give {key}_env or {key}_file, not both")
        if key in self:
            raise self.error(key, f"a secret does not belong here; use {key}_env or {key}_file")
        if name is not None:
            return self._usable(f"{key}_env", os.environ.get(name, ""), f"variable {name}")
        if path is None:
            return None
        try:
            return self._usable(f"{key}_file", Path(path).read_text().strip(), path)
        except (OSError, UnicodeDecodeError) as error:
            raise self.error(f"{key}_file", f"{path} can't be read") from error

    def _usable(self, key: str, secret: str, source: str) -> str:
        if not secret or not secret.isprintable() or not secret.isascii():
            raise self.error(key, f"{source} is not set, or not one line of ASCII text")
        return secret

    def texts(self, key: str) -> list[str] | None:
        """A list of texts, or None when it is not there."""
        found: list[str] | None = self._get(key, list, "a list of texts")
        if found is not None and not all(isinstance(each, str) for each in found):
            raise self.error(key, "expected a list of texts")
        return found

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        found = self._get(key, bool, "true or false")
        return default if found is None else bool(found)

    def count(self, key: str, default: int | None = None) -> int | None:
        """A number from 1, or the default."""
        found = self._get(key, int, "a whole number")
        if found is not None and (isinstance(found, bool) or found < 1):
            raise self.error(key, f"{found} is not a whole number from 1")
        return default if found is None else int(found)

    def seconds(self, key: str, default: float | None = None) -> float | None:
        """A length of time in seconds, or the default: a number, or text such as "10s"."""
        found = self._get(key, (int, float, str), "a length of time, such as '10s'")
        return default if found is None else self._converted(key, length_of_time, str(found))

    def size(self, key: str, default: int | None = None) -> int | None:
        """Bytes, or the default: a number, or text such as "100M"."""
        found = self._get(key, (int, str), "a size, such as '100M'")
        return default if found is None else self._converted(key, size, str(found))

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """One of several texts; the first when it is not there."""
        found = self.text(key, choices[0])
        if found not in choices:
            raise self.error(key, f"{found!r} is none of {', '.join(choices)}")
        return found

    def optional_choice(self, key: str, choices: tuple[str, ...]) -> str | None:
        """One of several texts, or None when it is not there."""
        found = self.optional_text(key)
        return None if found is None else self.choice(key, choices)

    def table(self, key: str) -> Table:
        """The table in it, which may be missing."""
        found = self._get(key, dict, "a table")
        return Table(f"{self._path}.{key}".lstrip("."), found or {})

    def options(self, key: str) -> Table:
        """The table in it, which may be missing, with keys of tables within it as "a.b"."""
        found = self._get(key, dict, "a table")
        return Table(f"{self._path}.{key}".lstrip("."), dict(_flat(found or {})))

    def plain(self, key: str) -> str:
        """Text, a number, or true or false, as text; it must be there."""
        found = self._values[key]
        self._read.add(key)
        if not isinstance(found, (str, int, float)):
            raise self.error(key, "expected text, a number, or true or false")
        return str(found).lower() if isinstance(found, bool) else str(found)

    def tables(self, key: str) -> Iterator[Table]:
        """The tables of an array, at least one."""
        found = self._get(key, list, f"tables, each headed [[{key}]]")
        if not found or not all(isinstance(each, dict) for each in found):
            raise self.error(key, f"there is none; head a table with [[{key}]]")
        for number, values in enumerate(found):
            yield Table(f"{self._path}.{key}[{number}]".lstrip("."), values)

    def end(self) -> None:
        """Refuses keys that nothing has read."""
        for key in self._values:
            if key not in self._read:
                close = get_close_matches(key, self._read)
                perhaps = f"; perhaps {close[0]}" if close else ""
                raise self.error(key, f"there is no such key{perhaps}")

    def _get(self, key: str, kind: type | tuple[type, ...], expected: str) -> Any:
        self._read.add(key)
        found = self._values.get(key)
        is_odd_number = isinstance(found, bool) and kind is not bool
        if found is not None and (is_odd_number or not isinstance(found, kind)):
            raise self.error(key, f"expected {expected}, not {found!r}")
        return found

    def _converted(self, key: str, convert: Any, text: str) -> Any:
        try:
            return convert(text)
        except ValueError as error:
            raise self.error(key, str(error)) from error


def _flat(values: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The keys in a table and those within it, each in full, with what they have."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def read_config(path: str) -> Config:
    """What a file says. Raises ConfigError for what is wrong in it, OSError if it can't be read."""
    top = Table("", _parsed(path))
    directory = Path(path).absolute().parent
    spool = top.table("spool")
    config = Config(
        spool=directory / spool.text("path"),
        limit=spool.size("limit"),
        when_full=spool.choice("when_full", POLICIES),
        drain=top.seconds("drain", 10.0) or 0.0,
        nodes=(nodes := tuple(_node(table) for table in top.tables("nodes"))),
        sinks=tuple(_sink(table, _union(nodes)) for table in top.tables("sinks")),
        metrics=_metrics(top.table("metrics"), directory) if "metrics" in top else None,
    )
    if config.limit is None and "when_full" in spool:
        raise spool.error("when_full", "is for a limit; give limit, too")
    spool.end()
    top.end()
    _check_names("nodes", [node.name for node in config.nodes])
    _check_names("sinks", [sink.name for sink in config.sinks])
    return config


def _parsed(path: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError as error:
            raise ConfigError("TOML needs Python 3.11, or confd-events[forward]") from error
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error


def _node(table: Table) -> NodeConfig:
    name = table.text("name")
    if not name.isprintable() or "/" in name or " " in name:
        raise table.error("name", f"{name!r} has a blank or a slash, but becomes part of each id")
    what, streams = table.texts("subscribe") or [], _streams(table)
    if not what and not streams:
        raise table.error("subscribe", "name what to subscribe to, such as 'audit'")
    node = NodeConfig(
        name,
        table.optional_text("address"),
        _mask(table, "subscribe", what),
        table.seconds("heartbeat"),
        table.optional_text("verbosity"),
        _changes(table),
        table.optional_choice("role", ROLES),
        streams,
    )
    table.end()
    if node.changes is not None and not node.mask & Notif.COMMIT_DIFF:
        raise table.error("changes", "is for commit-diff; subscribe to that, too")
    if node.mask & (Notif.HEALTH_CHECK | Notif.STREAM_EVENT):
        raise table.error(
            "subscribe", "health-check can't be forwarded; of stream-event, name the streams"
        )
    _check_node(table, node)
    return node


def _streams(table: Table) -> tuple[str, ...]:
    names = table.texts("streams") or []
    for name in names:
        if not name or names.count(name) > 1:
            raise table.error("streams", f"{name!r} is there twice" if name else "a name is empty")
    return tuple(names)


def _changes(table: Table) -> Changes | None:
    below, limit = table.optional_text("changes_below"), table.seconds("changes_limit")
    old = table.flag("changes_old")
    if table.flag("changes"):
        return Changes(below or "", old, LIMIT if limit is None else limit)
    given = {"changes_below": below, "changes_old": old or None, "changes_limit": limit}
    for key, value in given.items():
        if value is not None:
            raise table.error(key, "is for changes = true")
    return None


def _check_node(table: Table, node: NodeConfig) -> None:
    """Refuses what subscribe() would refuse."""
    try:
        endpoints(node.address)
    except (TypeError, ValueError) as error:
        raise table.error("address", str(error).partition(": ")[2] or str(error)) from error
    mask = node.mask or Notif.AUDIT  # of streams alone there is nothing else to check
    try:
        request((mask,), node.heartbeat, None, None, None, None, None, 0, node.verbosity)
    except (TypeError, ValueError) as error:
        argument, _, text = str(error).partition(": ")
        raise table.error("subscribe" if argument == "what" else argument, text) from error


def _mask(table: Table, key: str, names: list[str]) -> int:
    mask = Notif(0)
    for name in names:
        try:
            mask |= named(name)
        except ValueError as error:
            raise table.error(key, str(error)) from error
    return int(mask)


def _union(nodes: tuple[NodeConfig, ...]) -> int:
    mask = 0
    for node in nodes:
        mask |= node.forwarded
    return mask


def _sink(table: Table, subscribed: int) -> SinkConfig:
    kind = table.text("type")
    try:
        make = sinks.named(kind)
    except ValueError as error:
        raise table.error("type", str(error)) from error
    names = table.texts("only")
    mask = None if names is None else _mask(table, "only", names)
    if mask is not None and not mask & subscribed:
        raise table.error("only", "no node subscribes to any of these")
    given = subscribed if mask is None else mask
    config = SinkConfig(
        name=table.text("name", kind),
        sink=make(table),
        batch=table.count("batch", 500) or 0,
        attempts=table.count("attempts", 5) or 0,
        retry=Backoff(longest=table.seconds("retry", 30.0) or 0.0),
        mask=mask,
        where=tuple(_conditions(table, given)),
        selection=_selection(table, given),
    )
    table.end()
    return config


def _selection(table: Table, mask: int) -> Selection | None:
    fields, omit = (_paths(table, key, mask) for key in ("fields", "omit"))
    return Selection(fields, omit or ()) if fields is not None or omit else None


def _paths(table: Table, key: str, mask: int) -> tuple[tuple[str, ...], ...] | None:
    texts = table.texts(key)
    if texts is None:
        return None
    try:
        return tuple(path_of(text, mask) for text in texts)
    except ValueError as error:
        raise table.error(key, str(error)) from error


def _metrics(table: Table, directory: Path) -> MetricsConfig:
    address, file = table.optional_text("address"), table.optional_text("file")
    if address is None and file is None:
        raise table.error("address", "is missing; give address, file or both")
    if file is None and "every" in table:
        raise table.error("every", "is for a file; give file, too")
    config = MetricsConfig(
        None if address is None else _listening(table, address),
        None if file is None else directory / file,
        table.seconds("every", 15.0) or 0.0,
        table.count("devices", 50) or 0,
    )
    table.end()
    if find_spec("prometheus_client") is None:
        raise ConfigError("metrics: needs prometheus_client: pip install 'confd-events[metrics]'")
    return config


def _listening(table: Table, address: str) -> tuple[str, int]:
    """Host and port of text such as localhost:9464, [::1]:9464 or :9464."""
    host, colon, port = address.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        colon = ""
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise table.error("address", f"{address!r} is not host:port, such as 'localhost:9464'")
    return host, int(port)


def _conditions(table: Table, mask: int) -> Iterator[Condition]:
    for text in table.texts("where") or ():
        try:
            yield parsed(text).bound(mask)
        except ValueError as error:
            raise table.error("where", str(error)) from error


def _check_names(key: str, names: list[str]) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ConfigError(f"{key}[{number}].name: {name!r} is taken by another; give a name")
