"""The documentation is up to date, complete, and its examples run."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import confd_events

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"(<!-- run -->\n)?```python\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")

# Runs the example in the file that is its argument, and then the tests in it. A simulated daemon
# listens on events.PORT; it sends a subscriber a few notifications and closes the connection.
HARNESS = """
import runpy
import sys
import threading
from contextlib import suppress

import confd_events as events
from confd_events.testing import Daemon


def play(daemon):
    with suppress(TimeoutError):
        daemon.wait_for_subscribers()
        daemon.audit(user="admin", usid=7, msg="logged in").wait()
        daemon.user_session()
        daemon.commit_diff(thandle=9).wait()
        daemon.heartbeat()
        daemon.disconnect()


if __name__ == "__main__":
    with Daemon() as daemon:
        events.PORT = daemon.address["port"]
        threading.Thread(target=play, args=(daemon,), daemon=True).start()
        example = runpy.run_path(sys.argv[1], run_name="__main__")
        for name, function in example.items():
            if name.startswith("test_"):
                function()
"""


class Example(NamedTuple):
    """A block of Python in a page."""

    name: str
    source: str
    runs: bool


def examples() -> list[Example]:
    return [
        Example(f"{page.name}-{number}", source, bool(marked))
        for page in PAGES
        for number, (marked, source) in enumerate(BLOCK.findall(page.read_text()), start=1)
    ]


def test_the_reference_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "ci" / "reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_function_and_class_is_described() -> None:
    headings = set(re.findall(r"^### (\w+)$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE))
    public = {
        name
        for name, item in vars(confd_events).items()
        if not name.startswith("_") and callable(item)
    }
    assert public <= headings
    # Not every release has this one.
    assert headings - public <= {"sync_audit_network_notification"}


@pytest.mark.parametrize("name", ["Value", "DateTime", "TransCtxRef", "UserInfo", "SnmpVarbind"])
def test_every_attribute_is_described(name: str) -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    section = text.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
    attributes = {
        attribute
        for attribute, _ in inspect.getmembers(getattr(confd_events, name))
        if not attribute.startswith("_")
    }
    assert {a for a in attributes if not re.search(rf"\b{a}\b", section)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        target, _, fragment = link.partition("#")
        if target.startswith("https:"):
            continue
        file = page.parent / target if target else page
        assert file.is_file(), link
        if fragment:
            assert fragment in anchors(file), link


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("example", examples(), ids=lambda example: str(example.name))
def test_example(example: Example, tmp_path: Path) -> None:
    compile(example.source, example.name, "exec")
    if not example.runs:
        return
    harness, script = tmp_path / "harness.py", tmp_path / "example.py"
    harness.write_text(HARNESS)
    script.write_text(example.source)
    command = [sys.executable, "-W", "error", str(harness), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
