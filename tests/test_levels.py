"""The extension built for each API level and product passes the tests of conversion."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.stub

ROOT = Path(__file__).parents[1]
CONVERSION = [
    "test_address.py",
    "test_constants.py",
    "test_notifications.py",
    "test_values.py",
]
RECORDED = {"8.2": ["test_vectors.py"]}


def build(level: str, product: str) -> Path:
    """Build the package for a release, unless nothing has changed; return where it lies."""
    tag = f"{sys.implementation.cache_tag}-{level}-{product}"
    folder = ROOT / "build" / "levels" / tag
    environment = {
        **os.environ,
        "CONFD_EVENTS_SDK": "stub",
        "CONFD_EVENTS_STUB_LEVEL": level,
        "CONFD_EVENTS_STUB_PRODUCT": product,
        "CFLAGS": "-O0 -Werror",
    }
    command = [sys.executable, "setup.py", "--quiet", "build"]
    command += ["--build-lib", str(folder / "lib"), "--build-temp", str(folder / "temp")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "lib"


# Each level, and both products of the first and the last; all tests run with NSO's of level 8.2.
RELEASES = [
    ("6.6", "ncs"),
    ("6.6", "confd"),
    ("7.7", "ncs"),
    ("8.0", "confd"),
    ("8.2", "confd"),
    ("8.5", "ncs"),
    ("8.7", "ncs"),
    ("8.7", "confd"),
]


@pytest.mark.parametrize(("level", "product"), RELEASES)
def test_conversion(level: str, product: str) -> None:
    built = build(level, product)
    tests = [str(ROOT / "tests" / name) for name in CONVERSION + RECORDED.get(level, [])]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(built)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:]
    # What was tested is what was meant to be.
    assert f"'product': '{product.upper()}', 'api_level': '{level}'" in done.stdout
    assert re.search(r"\d\d+ passed", done.stdout)
