"""The commands with another libconfd than the stub, as far as that can be seen without one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = ("test", "demo", "smoke", "bench", "soak", "fuzz")
VARIABLES = ("CONFD_EVENTS_SDK", "NCS_DIR", "CONFD_DIR", "CONFD_EVENTS_LINK", "LD_LIBRARY_PATH")
# A library that is not the stub: what conftest.py sees of it.
PRETENDED = """
import confd_events
known = confd_events.library()
confd_events.library = lambda: {**known, "stub": False}
"""


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in os.environ if name not in VARIABLES}
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=250,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_an_sdk_that_is_none_is_refused(command: str, tmp_path: Path) -> None:
    done = run(f"ci/{command}", "--sdk", str(tmp_path))
    assert done.returncode == 1
    missing = tmp_path / "include" / "confd_lib.h"
    assert f"confd-events: CONFD_EVENTS_SDK is {tmp_path}, but there is no {missing}" in done.stderr


@pytest.mark.parametrize("variable", ["CONFD_EVENTS_SDK", "NCS_DIR", "CONFD_DIR"])
def test_the_environment_names_the_sdk(variable: str, tmp_path: Path) -> None:
    done = run("ci/smoke", **{variable: str(tmp_path)})
    assert done.returncode == 1
    assert f"confd-events: {variable} is {tmp_path}, but there is no " in done.stderr


def test_the_argument_goes_before_the_environment(tmp_path: Path) -> None:
    done = run("ci/smoke", "--link=static", f"--sdk={tmp_path}", CONFD_EVENTS_SDK="/elsewhere")
    assert f"CONFD_EVENTS_SDK is {tmp_path}, but " in done.stderr


@pytest.mark.parametrize("option", ["--sdk", "--link"])
def test_an_option_needs_its_value(option: str) -> None:
    done = run("ci/soak", option)
    assert (done.returncode, done.stderr) == (1, f"soak: {option} needs a value\n")


@pytest.mark.parametrize("spread", ["no:xdist", "xdist"])
def test_what_is_of_the_stub_alone_is_left_out_and_counted(spread: str, tmp_path: Path) -> None:
    (tmp_path / "pretended.py").write_text(PRETENDED)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pretended", "-p", "no:cacheprovider"]
    command += ["-p", spread, *(["-n", "2"] if spread == "xdist" else [])]
    done = run(*command, "tests/test_levels.py", "tests/test_address.py", PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stdout
    *_, outcome, last = done.stdout.splitlines()
    assert "passed" in outcome
    assert re.fullmatch(r"Tests left out: \d+ of the stub alone", last)
