"""The tables of the configuration in the documentation have the keys that the code reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from confd_events.forward import Table, sinks
from confd_events.forward import _config as config

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("forward.md", "engines.md", "metrics.md")
HEAD = "| key | meaning | default |"
# What a sink of the type can't be made without.
NEEDED: dict[str, dict[str, Any]] = {
    "file": {"path": "out.jsonl"},
    "http": {"url": "https://collector.example/"},
    "kafka": {"servers": ["kafka.example:9092"]},
    "nats": {"servers": ["nats://nats.example:4222"], "stream": "events"},
    "redis": {"url": "redis://redis.example:6379/0"},
    "relp": {"url": "relp://logs.example:2514"},
    "sqlite": {"path": "out.db"},
    "stdout": {},
    "syslog": {"url": "tcp://logs.example:514"},
}
NODE = {"name": "paris", "subscribe": ["audit"]}
SINK = {"type": "stdout"}


def tables() -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """The documentation's tables of keys, by what was named last before each."""
    for page in PAGES:
        names: tuple[str, ...] = (page,)
        keys: set[str] | None = None
        for line in (DOCS / page).read_text().splitlines():
            row = re.match(r"\| (`[^|]*) \|", line)
            if line == HEAD:
                keys = set()
            elif keys is not None and row:
                keys.update(re.findall(r"`(\w+)`", row[1]))
            elif keys is not None and not line.startswith("|"):
                yield names, keys
                keys = None
            named = re.findall(r'(?:^|`)type = "(\w+)"|`(\[+\w+\]+)`', line)
            if named and not line.startswith("|"):
                names = tuple(kind or table for kind, table in named)


DOCUMENTED = dict(tables())
OF_SINKS = {names: keys for names, keys in DOCUMENTED.items() if set(names) <= set(NEEDED)}


def read_by(path: str, values: dict[str, Any], make: Any) -> set[str]:
    """The keys that are asked for when something is made of a table."""
    table = Table(path, values)
    make(table)
    return set(table._read)


def read_by_sink(kind: str) -> set[str]:
    return read_by("sinks[0]", NEEDED[kind], sinks.named(kind))


@pytest.mark.parametrize("kinds", OF_SINKS, ids=" ".join)
def test_the_keys_of_a_sink(kinds: tuple[str, ...]) -> None:
    assert set().union(*map(read_by_sink, kinds)) == OF_SINKS[kinds]


def test_every_sink_with_keys_has_a_table() -> None:
    with_keys = {kind for kind in sinks.BUILT_IN if read_by_sink(kind)}
    assert with_keys == {kind for kinds in OF_SINKS for kind in kinds}


def test_the_keys_of_every_sink() -> None:
    read = read_by("sinks[0]", SINK, lambda table: config._sink(table, 1))
    assert DOCUMENTED[("[[sinks]]",)] == read


def test_the_keys_of_a_node() -> None:
    assert DOCUMENTED[("[[nodes]]",)] == read_by("nodes[0]", NODE, config._node)


def test_the_keys_of_metrics(tmp_path: Path) -> None:
    read = read_by("metrics", {"address": ":1"}, lambda table: config._metrics(table, tmp_path))
    assert DOCUMENTED[("[metrics]",)] == read
