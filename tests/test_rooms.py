"""Imports go one way: from programs over subscriptions and descriptions to the extension."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "src"
PACKAGE = "confd_events"
ROOMS = (
    ("_events", "_missing", "_values", "_version", "error"),
    ("_address", "_render", "description", "enums", "payloads"),
    ("maapi",),
    ("subscription",),
    ("_lines", "_where", "_written", "kinds"),
    ("testing", "traces"),
    ("forward",),
    ("cli",),
)
MODULES = sorted((SOURCES / PACKAGE).rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(SOURCES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """The package's modules, or names in them, that a module imports, in full."""
    package = name_of(path) if path.name == "__init__.py" else name_of(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: 1 - node.level or None] if node.level else []
            source = ".".join([*parts, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


def room_of(name: str) -> int | None:
    """Which room a module is in; None for what is not the package's, or its front door."""
    package, _, rest = name.partition(".")
    part = rest.partition(".")[0]
    if package != PACKAGE:
        return None
    return next((number for number, room in enumerate(ROOMS) if part in room), None)


def test_every_module_has_a_room() -> None:
    homeless = [name_of(path) for path in MODULES if room_of(name_of(path)) is None]
    assert homeless == [PACKAGE]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_import_from_a_room_below(path: Path) -> None:
    own = room_of(name_of(path))
    if own is not None:
        below = [name for name in imported(path) if (room_of(name) or 0) > own]
        assert not below


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_subscriptions_have_one_door(path: Path) -> None:
    if room_of(name_of(path)) != 3:
        behind = [name for name in imported(path) if name.startswith(f"{PACKAGE}.subscription._")]
        assert not behind


def test_nothing_but_the_command_imports_the_forwarder() -> None:
    importing = {
        name_of(path).split(".")[1]
        for path in MODULES
        if any(name.startswith(f"{PACKAGE}.forward") for name in imported(path))
    }
    assert importing == {"cli", "forward"}
