"""ci/bench: it runs, and its table and its JSON have what the documentation says. No timing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import PRODUCT

from confd_events.testing import encode

CI = Path(__file__).parents[1] / "ci"


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What ci/bench does once the environment is there, which tests have already."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        env={**os.environ, "PYTHONPATH": str(CI)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def measured(tmp_path: Path, *arguments: str) -> tuple[str, dict[str, Any]]:
    file = tmp_path / "results.json"
    done = bench("--quick", "--rounds", "2", "--count", "50", "--json", str(file), *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    results: dict[str, Any] = json.loads(file.read_text())
    return done.stdout, results


def test_the_vendors_modules_are_a_row(tmp_path: Path) -> None:
    package = tmp_path / f"_{PRODUCT.lower()}"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "events.py").write_text("from confd_events import read_notification\n")
    options = ("--part", "speed", "--load", "audit", "--vendor", str(tmp_path))
    _, results = measured(tmp_path, *options)
    assert results["speed"][-1]["candidate"] == "vendor's, select and read"


def test_vendors_modules_that_are_not_there(tmp_path: Path) -> None:
    done = bench("--quick", "--vendor", str(tmp_path))
    assert done.returncode == 1
    trouble = f"_{PRODUCT.lower()} can't be imported"
    assert done.stderr.startswith(f"bench: --vendor {tmp_path}: {trouble}")


def test_speed_is_compared_with_the_loop_in_c(tmp_path: Path) -> None:
    table, results = measured(tmp_path, "--part", "speed", "--load", "audit")
    rows = results["speed"]
    assert [row["candidate"] for row in rows] == [
        "C: poll, read, free",
        "C: read, free",
        "read_notification()",
        "read_notifications()",
        "for event in subscription",
        "for event ..., buffer=1000",
        "async for event",
        "ctypes",
    ]
    assert rows[0]["ratio"] == 1
    for row in rows:
        assert row["load"] == "audit"
        assert row["median"] > 0
        assert row["spread"] >= 0
        assert row["candidate"] in table
    assert table.splitlines()[2].split() == ["load", "candidate", "median", "spread", "ratio"]


def test_every_part_has_rows(tmp_path: Path) -> None:
    parts = ("latency", "growth")
    _, results = measured(tmp_path, *(word for part in parts for word in ("--part", part)))
    assert set(results) == {"machine", *parts}
    of_nso = {"devices"} if PRODUCT == "NCS" else set()
    assert {row["of"] for row in results["growth"]} == {
        "events",
        "tags",
        "subscriptions",
        *of_nso,
    }
    assert all(row["p99"] >= row["median"] > 0 for row in results["latency"])


def test_spans_of_a_daemon_get_to_a_collector(tmp_path: Path) -> None:
    _, results = measured(tmp_path, "--part", "traces")
    paced, unpaced = results["traces"]
    assert (paced["load"], unpaced["load"]) == ("35,000 events a second", "unpaced")
    for row in (paced, unpaced):
        assert row["lost"] == 0
        assert row["spans"] * 54 == row["events"] * 24
        assert row["cpu_us_for_span"] > 0
        assert min(row["after_sixth"], row["at_end"]) > 0


def test_the_forwarder_is_compared_with_the_clients_of_its_sinks(tmp_path: Path) -> None:
    _, results = measured(tmp_path, "--part", "forward", "--count", "500", "--rounds", "1")
    rows = results["forward"]
    whats = ["into the spool", "file", "sqlite", "http", "nats", "redis", "kafka"]
    assert [row["what"] for row in rows] == whats
    for row in rows:
        assert min(row["per_second"], row["alone"], row["ratio"], row["cpu"]) > 0


def test_what_a_commit_changes_is_read_beside_a_loop_in_c(tmp_path: Path) -> None:
    _, results = measured(tmp_path, "--part", "diff")
    rows = results["diff"]
    assert [row["candidate"] for row in rows[:2]] == ["C: maapi_diff_iterate()", "event.changes()"]
    for row in rows:
        assert row["changes"] == 50
        assert min(row["median"], row["ratio"]) > 0
        assert row["grown"] < 10


def test_unknown_load_is_refused() -> None:
    done = bench("--load", "none")
    assert done.returncode == 2
    assert "--load" in done.stderr


@pytest.mark.parametrize("load", ["audit", "commit"])
def test_ctypes_binding_reads_the_same(load: str, tmp_path: Path) -> None:
    """A comparison with something that does less would be none."""
    program = (
        "import socket\n"
        "from pathlib import Path\n"
        "import confd_events as events\n"
        "from benchmarks.ctypes_binding import Binding\n"
        "from benchmarks.library import load_loops\n"
        "reader, writer = socket.socketpair()\n"
        f"writer.sendall(bytes.fromhex({encode(load).hex()!r}) * 2)\n"
        "ours = events.read_notification(reader)\n"
        f"theirs = Binding(load_loops(Path({str(tmp_path)!r}))).read_notification(reader)\n"
        f"ours, theirs = ours[{load!r}], theirs[{load!r}]\n"
        "if 'uinfo' in theirs:\n"
        "    uinfo = theirs['uinfo']\n"
        "    theirs['uinfo'] = ours['uinfo']\n"
        "    assert uinfo == {name: getattr(ours['uinfo'], name) for name in uinfo}\n"
        "assert ours == theirs, (ours, theirs)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(CI)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_check_of_frames_is_measured(tmp_path: Path) -> None:
    table, results = measured(tmp_path, "--part", "check", "--load", "audit", "--load", "stream")
    rows = results["check"]
    assert [row["load"] for row in rows] == ["audit", "stream"]
    for row in rows:
        assert row["check"] > 0
        assert row["percent"] == pytest.approx(100 * row["check"] / row["burst"])
    assert table.splitlines()[2].split() == ["load", "check", "burst", "percent"]
