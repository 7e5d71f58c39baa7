"""The commands around installing: what they say when something is wrong, and the smoke test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import confd_events as events

CI = Path(__file__).parents[1] / "ci"


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no SDK given"),
        (["--bogus"], "unknown option --bogus"),
        (["--python"], "--python needs a value"),
        (["--link", "both", "."], "--link needs shared, static or auto"),
        (["--python", "/bin/false", "."], "/bin/false is not a Python 3.9 to 3.13"),
        (["/nonexistent"], "no SDK: /nonexistent is not a directory"),
    ],
)
def test_wheels_refuses(arguments: list[str], said: str) -> None:
    done = run(str(CI / "wheels"), *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(f"wheels: {said}")
    assert done.stderr.count("\n") == 1


def test_smoke() -> None:
    done = run(sys.executable, str(CI / "smoke.py"))
    library = dict(events.library())
    keys = ("product", "api_level", "version", "path")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [library[key] for key in keys]


def test_smoke_says_what_failed(tmp_path: Path) -> None:
    (tmp_path / "confd_events.py").write_text("raise ImportError('no library')\n")
    done = run(sys.executable, str(CI / "smoke.py"), PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == "smoke: ImportError: no library\n"
