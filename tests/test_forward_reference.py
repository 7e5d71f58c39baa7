"""The tables of the configuration in the documentation have the keys that the code reads."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from confd_events._written import length_of_time, size
from confd_events.forward import Table, sinks
from confd_events.forward import _config as config

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("forward.md", "engines.md", "metrics.md")
HEAD = "| key | meaning | default |"
# What a sink of the type can't be made without.
NEEDED: dict[str, dict[str, Any]] = {
    "file": {"path": "out.jsonl"},
    "http": {"url": "https://collector.example/"},
    "kafka": {"servers": ["kafka.example:9092"]},
    "nats": {"servers": ["nats://nats.example:4222"], "stream": "events"},
    "otlp": {"url": "http://collector.example:4318"},
    "redis": {"url": "redis://redis.example:6379/0"},
    "relp": {"url": "relp://logs.example:2514"},
    "sqlite": {"path": "out.db"},
    "stdout": {},
    "syslog": {"url": "tcp://logs.example:514"},
}
NODE = {"name": "paris", "subscribe": ["audit"]}
SINK = {"type": "stdout"}


def tables() -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """The documentation's tables, by what was named last before each: keys, and their defaults."""
    for page in PAGES:
        names: tuple[str, ...] = (page,)
        keys: dict[str, str] | None = None
        for line in (DOCS / page).read_text().splitlines():
            row = re.match(r"\| (`[^|]*) \|", line)
            if line == HEAD:
                keys = {}
            elif keys is not None and row:
                default = line.rsplit("|", 2)[1].strip()
                keys.update(dict.fromkeys(re.findall(r"`(\w+)`", row[1]), default))
            elif keys is not None and not line.startswith("|"):
                yield names, keys
                keys = None
            named = re.findall(r'(?:^|`)type = "(\w+)"|`(\[+\w+\]+)`', line)
            if named and not line.startswith("|"):
                names = tuple(kind or table for kind, table in named)


DOCUMENTED = dict(tables())
OF_SINKS = {names: keys for names, keys in DOCUMENTED.items() if set(names) <= set(NEEDED)}


class Noting(Table):
    """Notes the defaults that it is asked with."""

    def __init__(self, path: str, values: dict[str, Any]) -> None:
        super().__init__(path, values)
        self.defaults: dict[str, Any] = {}

    def text(self, key: str, default: str | None = None) -> str:
        self.defaults[key] = default
        return super().text(key, default)

    def flag(self, key: str, default: bool = False) -> bool:
        self.defaults[key] = default
        return super().flag(key, default)

    def count(self, key: str, default: int | None = None) -> int | None:
        self.defaults[key] = default
        return super().count(key, default)

    def seconds(self, key: str, default: float | None = None) -> float | None:
        self.defaults[key] = default
        return super().seconds(key, default)

    def size(self, key: str, default: int | None = None) -> int | None:
        self.defaults[key] = default
        return super().size(key, default)


def told(default: Any, cell: str) -> bool:
    """Whether a cell of the documentation tells a default; words tell any."""
    found = re.fullmatch(r"`(.+)`|(\d+)", cell)
    if found is None or default is None:
        return True
    value = tomllib.loads(f"x = {found[1] or found[2]}")["x"]
    if isinstance(value, str) and isinstance(default, (int, float)):
        return default in (as_number(length_of_time, value), as_number(size, value))
    return bool(value == default)


def as_number(convert: Any, text: str) -> float | None:
    try:
        return float(convert(text))
    except ValueError:
        return None


def defaults_by(path: str, values: dict[str, Any], make: Any) -> dict[str, Any]:
    """The keys and their defaults that the code has."""
    table = Noting(path, values)
    make(table)
    return table.defaults


def test_the_defaults_are_told(tmp_path: Path) -> None:
    made: list[tuple[str, Any, Any]] = [
        (kind, NEEDED[kind], sinks.named(kind)) for kinds in OF_SINKS for kind in kinds
    ]
    made.append(("[[sinks]]", SINK, lambda table: config._sink(table, 1)))
    made.append(("[[nodes]]", NODE, config._node))
    made.append(("[metrics]", {"address": ":1"}, lambda table: config._metrics(table, tmp_path)))
    compared = 0
    for name, values, make in made:
        cells = next(keys for names, keys in DOCUMENTED.items() if name in names)
        for key, default in defaults_by("x", values, make).items():
            compared += bool(re.fullmatch(r"`.+`|\d+", cells[key])) and default is not None
            assert told(default, cells[key]), (name, key, default, cells[key])
    assert compared > 20


def read_by(path: str, values: dict[str, Any], make: Any) -> set[str]:
    """The keys that are asked for when something is made of a table."""
    table = Table(path, values)
    make(table)
    return set(table._read)


def read_by_sink(kind: str) -> set[str]:
    return read_by("sinks[0]", NEEDED[kind], sinks.named(kind))


@pytest.mark.parametrize("kinds", OF_SINKS, ids=" ".join)
def test_the_keys_of_a_sink(kinds: tuple[str, ...]) -> None:
    assert set().union(*map(read_by_sink, kinds)) == set(OF_SINKS[kinds])


def test_every_sink_with_keys_has_a_table() -> None:
    with_keys = {kind for kind in sinks.BUILT_IN if read_by_sink(kind)}
    assert with_keys == {kind for kinds in OF_SINKS for kind in kinds}


def test_the_keys_of_every_sink() -> None:
    read = read_by("sinks[0]", SINK, lambda table: config._sink(table, 1))
    assert set(DOCUMENTED[("[[sinks]]",)]) == read


def test_the_keys_of_a_node() -> None:
    assert set(DOCUMENTED[("[[nodes]]",)]) == read_by("nodes[0]", NODE, config._node)


def test_the_keys_of_metrics(tmp_path: Path) -> None:
    read = read_by("metrics", {"address": ":1"}, lambda table: config._metrics(table, tmp_path))
    assert set(DOCUMENTED[("[metrics]",)]) == read
