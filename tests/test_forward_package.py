"""A sink that another package brings, which is installed as pip installs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli import environment
from forwarding import await_usids, forwarding, written
from subscribing import PATIENCE

from confd_events.forward import ConfigError, read_config
from confd_events.testing import Daemon

PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "own-sinks"
version = "1"

[project.entry-points."confd_events.sinks"]
lines = "own_sinks:Lines"
lost = "own_sinks_that_are_not_there:Lines"
broken = "own_sinks:broken"
half = "own_sinks:Half"
"""

MODULE = """
class Lines:
    def __init__(self, table):
        self._path = table.text("into")

    def open(self):
        self._file = open(self._path, "a")

    def send(self, batch):
        self._file.writelines(record.json + "\\n" for record in batch)
        self._file.flush()

    def close(self):
        self._file.close()


class Half:
    def __init__(self, table):
        pass

    def open(self):
        pass


def broken(table):
    raise RuntimeError("no licence")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip has installed the package."""
    project = tmp_path_factory.mktemp("project")
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "own_sinks.py").write_text(MODULE)
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", target, project], check=True, timeout=10 * PATIENCE)
    return target


@pytest.fixture(autouse=True)
def path(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(installed))
    yield
    sys.modules.pop("own_sinks", None)


def own(kind: str, more: str = "") -> str:
    return f'[[sinks]]\ntype = "stdout"\n\n[[sinks]]\ntype = "{kind}"\n{more}\n'


def test_it_gets_records(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out"
    sink = f'[[sinks]]\ntype = "lines"\ninto = "{out}"\n'
    with forwarding(written(tmp_path, daemon, sink=sink)):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.audit(user="ada", usid=1, msg="logged in")
        await_usids(out, ["started", 1])


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("lines", "", r"^sinks\[1\]\.into: is missing$"),
        ("lines", 'into = "x"\nin = 1', r"^sinks\[1\]\.in: there is no such key; perhaps into$"),
        ("lost", "", r"^sinks\[1\]\.type: 'lost' .*: ModuleNotFoundError: No module named 'own_"),
        ("broken", "", r"^sinks\[1\]\.type: 'broken' \(own_sinks:broken\): RuntimeError: no lic"),
        ("half", "", r"^sinks\[1\]\.type: 'half' \(own_sinks:Half\) lacks send\(\), close\(\)$"),
        ("line", "", r"^sinks\[1\]\.type: 'line' is none of file, .*, half, lines, lost$"),
    ],
)
def test_what_is_wrong_is_named(
    daemon: Daemon, tmp_path: Path, kind: str, more: str, said: str
) -> None:
    config = written(tmp_path, daemon, sink=own(kind, more))
    with pytest.raises(ConfigError, match=said):
        read_config(str(config))


@pytest.mark.parametrize(("kind", "status"), [("lines", 0), ("lost", 2)])
def test_the_command_checks_it(
    daemon: Daemon, tmp_path: Path, installed: Path, kind: str, status: int
) -> None:
    more = 'into = "x"' if kind == "lines" else ""
    config = written(tmp_path, daemon, sink=own(kind, more))
    command = [sys.executable, "-m", "confd_events.cli", "forward", "--check", str(config)]
    done = subprocess.run(
        command,
        env=environment(PYTHONPATH=os.pathsep.join([str(installed), *sys.path])),
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
    )
    assert done.returncode == status, done.stderr
    assert ("sinks[1].type: 'lost'" in done.stderr) == bool(status)
    assert "Traceback" not in done.stderr
