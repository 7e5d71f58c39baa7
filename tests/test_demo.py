"""The demonstration shows every kind of notification and ends by itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[1] / "ci" / "demo.py"
PASSWORD = re.search(r'clearpass="(.+?)"', DEMO.read_text())
SUMMARY = re.compile(r"(\d+) kinds of notifications arrived from libconfd \S+.* (\d+) acknowledged")


def test_every_kind_arrives() -> None:
    done = subprocess.run([sys.executable, str(DEMO)], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.returncode == 0
    *lines, last = done.stdout.splitlines()
    summary = SUMMARY.fullmatch(last)
    assert summary is not None, last
    kinds = [line.split()[0] for line in lines]
    assert len(kinds) == len(set(kinds)) == int(summary[1]) >= 26
    acknowledged = [line for line in lines if line.endswith("-> acknowledged")]
    assert len(acknowledged) == int(summary[2]) > 0
    assert PASSWORD is not None
    assert PASSWORD[1] not in done.stdout
