"""The documentation is up to date, complete, and its code runs.

Every block of Python is run (see scenes.py), in a process and a directory of its own:

- ``<!-- run: SCENE -->`` before a block names what the simulated daemon does meanwhile;
- a block that begins with ``# FILE.py`` is a file; the page's other files lie beside it. Files
  with tests are run by pytest;
- ``<!-- output -->`` before a block of text: it is what the block of Python before it prints,
  where ``...`` stands for anything.

Blocks of other languages are checked as far as can be without an installation of NSO.
"""

from __future__ import annotations

import configparser
import doctest
import inspect
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import dropwhile, groupby, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Callable, NamedTuple
from unittest import mock

import pytest
import yaml
from cli import PATIENCE, environment
from scenes import SCENES

import confd_events
from confd_events import _events
from confd_events.cli import parser
from confd_events.cli._script import read_script
from confd_events.forward import read_config
from confd_events.testing import Daemon

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^(?:<!-- (run|output)(?:: ([\w-]+))? -->\n)?```(\w*)\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"# (\w+\.py)\n")
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Blocks that count on names which the text around them has given.
PRELUDES = {"notifications.md-1": "from confd_events import NOTIF_AUDIT\n"}

# The first words of commands in the documentation that are not run here, and why.
NOT_RUN = {
    "pip": "changes the environment; test_build.py and test_wheels.py install",
    "twine": "needs an index",
    "source": "sets variables of the shell",
    "systemctl": "needs systemd",
    "journalctl": "needs systemd",
    "curl": "needs a forwarder that runs; test_forward_metrics.py asks one",
    "echo": "says what another command has not done",
}


class Block(NamedTuple):
    """A block of code in a page."""

    page: str
    number: int
    marker: str
    scene: str
    language: str
    source: str

    @property
    def name(self) -> str:
        return f"{self.page}-{self.number}"

    @property
    def file(self) -> str:
        """The file that the block is, or empty text."""
        found = FILE.match(self.source)
        return found[1] if found else ""


def blocks() -> Iterator[Block]:
    for page in PAGES:
        for number, found in enumerate(BLOCK.finditer(page.read_text()), start=1):
            marker, scene, language, source = found.groups(default="")
            yield Block(page.name, number, marker, scene, language, source)


BLOCKS = list(blocks())


# Scenes that a library before this level can't show.
SCENES_SINCE = {"spans": (8, 2)}


def marks_of(block: Block) -> list[pytest.MarkDecorator]:
    """Which libraries the block does not run with."""
    marks = [pytest.mark.stub] if "confd_stub_" in block.source else []
    if block.scene in SCENES_SINCE:
        marks.append(pytest.mark.since(*SCENES_SINCE[block.scene]))
    return marks


def of_language(*languages: str) -> pytest.MarkDecorator:
    """The test is for each block of these languages."""
    found = [block for block in BLOCKS if block.language in languages]
    params = [pytest.param(block, marks=marks_of(block)) for block in found]
    return pytest.mark.parametrize("block", params, ids=lambda block: str(block.name))


# Complete and up to date


def test_the_reference_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "ci" / "reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def headings(page: str) -> set[str]:
    """The names that a page of reference describes."""
    return set(re.findall(r"^### (\w+)$", (ROOT / "docs" / page).read_text(), re.MULTILINE))


def section(page: str, name: str) -> str:
    """What a page of reference says of a name."""
    text = (ROOT / "docs" / page).read_text()
    return text.partition(f"\n### {name}\n")[2].partition("\n### ")[0].partition("\n## ")[0]


def test_every_function_and_class_is_described() -> None:
    public = {name for name in _events.__all__ if callable(getattr(_events, name))}
    public |= {"Error", "EOF"}
    assert public <= headings("api.md")
    # Not every release has this one.
    assert headings("api.md") - public <= {"sync_audit_network_notification"}


def test_every_name_of_the_subscriptions_is_described() -> None:
    elsewhere = {*_events.__all__, "__version__", "error", "Error", "EOF"}
    assert headings("subscriptions.md") == set(confd_events.__all__) - elsewhere


@pytest.mark.parametrize("name", ["Value", "DateTime", "TransCtxRef", "UserInfo", "SnmpVarbind"])
def test_every_attribute_is_described(name: str) -> None:
    assert missing_in(section("api.md", name), members(getattr(confd_events, name))) == set()


@pytest.mark.parametrize(
    "name",
    [
        "AsyncSubscription",
        "Backoff",
        "Connected",
        "Disconnected",
        "Dropped",
        "Event",
        "Stats",
        "Undecodable",
    ],
)
def test_every_attribute_of_the_subscriptions_is_described(name: str) -> None:
    described = section("subscriptions.md", name)
    own = members(getattr(confd_events, name)) - members(confd_events.Event)
    if name == "Event":
        own = members(confd_events.Event)
    own -= {"count", "index", "marker", "hand_over", "settle"}  # of tuples; for subscriptions alone
    if name == "AsyncSubscription":
        described += section("subscriptions.md", "Subscription")
    assert missing_in(described, own) == set()


def test_every_option_of_a_subscription_is_described() -> None:
    options = set(inspect.signature(confd_events.subscribe).parameters)
    assert missing_in(section("subscriptions.md", "subscribe"), options) == set()


def test_every_enumeration_is_described() -> None:
    enums = {name for name in confd_events.enums.__all__ if name != "Notif"}
    assert missing_in(section("subscriptions.md", "enums"), enums) == set()


def members(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}


def missing_in(text: str, names: set[str]) -> set[str]:
    return {name for name in names if not re.search(rf"\b{name}\b", text)}


def test_the_index_has_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    linked = {link.partition("#")[0] for link in LINK.findall(index)}
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"} <= linked


def test_the_tour_is_short_and_has_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) < 130
    assert "./ci/demo" in readme
    assert "./ci/test" in readme


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


def test_the_tutorial_begins_where_nothing_is_installed() -> None:
    """pip would need an SDK; ./ci/demo builds against the stub, see test_demo.py."""
    first = next(one for one in BLOCKS if one.page == "tutorial.md" and one.language == "sh")
    assert first.source.splitlines() == ["./ci/demo", "source .venv/bin/activate"]


# Python


@of_language("python")
def test_example(block: Block, tmp_path: Path) -> None:
    write_files(block, tmp_path)
    done = subprocess.run(
        command_of(block, tmp_path), cwd=tmp_path, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    expected = output_of(block)
    if expected is not None:
        assert doctest.OutputChecker().check_output(expected, done.stdout, doctest.ELLIPSIS), (
            done.stdout
        )


def write_files(block: Block, directory: Path) -> None:
    """Writes the block, and the files of its page."""
    for other in BLOCKS:
        if other.page == block.page and other.language == "python" and other.file:
            (directory / other.file).write_text(other.source)
    source = PRELUDES.get(block.name, "") + block.source
    (directory / (block.file or "example.py")).write_text(source)


def command_of(block: Block, directory: Path) -> list[str]:
    python = [sys.executable, "-W", "error"]
    if block.file.startswith("test_"):
        return [*python, "-m", "pytest", "-q", "-p", "no:cacheprovider", block.file]
    scenes = Path(__file__).with_name("scenes.py")
    return [*python, str(scenes), block.scene or "mixed", block.file or "example.py"]


def output_of(block: Block) -> str | None:
    """What the page says that the block prints; None when it does not say."""
    following = BLOCKS[BLOCKS.index(block) + 1 :][:1]
    shown = [one.source for one in following if one.page == block.page and one.marker == "output"]
    return shown[0] if shown else None


def test_every_marker_is_known() -> None:
    text = "".join(page.read_text() for page in PAGES)
    markers = [block.marker for block in BLOCKS if block.marker]
    assert len(re.findall(r"<!-- (?:run|output)", text)) == len(markers)
    assert {block.language for block in BLOCKS if block.marker == "run"} == {"python"}
    assert {block.language for block in BLOCKS if block.marker == "output"} <= {"text"}
    assert {block.scene for block in BLOCKS} - {""} <= set(SCENES)


# Other languages


def check_shell(block: Block) -> None:
    check_commands(block.source, block.page)


def check_console(block: Block) -> None:
    """Commands behind a prompt, and what they print."""
    prompted = re.findall(r"^\$ (.*\n)", block.source, re.MULTILINE)
    assert prompted
    check_commands("".join(prompted), block.page)


def check_commands(source: str, page: str) -> None:
    done = subprocess.run(["bash", "-n"], input=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for line in source.replace("\\\n", "").splitlines():
        for words in simple_commands(line):
            check_command(words, page)


def simple_commands(line: str) -> Iterator[list[str]]:
    """The commands of a line, without assignments before them and redirections behind."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    for is_end, words in groupby(lexer, lambda word: word in ("|", "||", "&", "&&", ";")):
        told = takewhile(lambda word: word not in (">", ">>", "<"), words)
        found = [] if is_end else [*dropwhile(lambda word: re.match(r"\w+=|export$", word), told)]
        if found:
            yield found


def check_command(words: list[str], page: str) -> None:
    """Fails for a command that is neither checked here nor said not to be."""
    command, *arguments = words
    if command == "confd-events":
        check_our_command(arguments)
    elif command == "python":
        check_python(arguments, page)
    elif command.removeprefix("./").startswith("ci/"):
        assert os.access(ROOT / command, os.X_OK), command
    else:
        assert command in NOT_RUN, command


def check_our_command(arguments: list[str]) -> None:
    if {"--help", "--version"}.isdisjoint(arguments):  # these end the process
        parser().parse_args(arguments)


def check_python(arguments: list[str], page: str) -> None:
    """The script or module is a file of the page, or one of the source tree."""
    script = f"{arguments[1]}.py" if arguments[0] == "-m" else arguments[0]
    files = {block.file for block in BLOCKS if block.page == page}
    assert script in files or (ROOT / script).is_file() or script == "pytest.py", arguments


def check_unit(block: Block) -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(block.source)
    assert {"Unit", "Service", "Install"} <= set(unit.sections())
    program, *arguments = unit["Service"]["ExecStart"].split()
    check_command([Path(program).name, *arguments], block.page)


def check_script(block: Block) -> None:
    """A script for confd-events simulate."""
    assert list(read_script(block.name, block.source.splitlines()))


def check_config(block: Block) -> None:
    """A configuration for confd-events forward."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "forward.toml"
        path.write_text(block.source)
        variables = dict.fromkeys(re.findall(r'_env = "(\w+)"', block.source), "secret")
        with mock.patch.dict(os.environ, variables):
            assert read_config(str(path)).sinks


def check_yaml(block: Block) -> None:
    """The configuration of another program: no more than that it is YAML."""
    assert all(isinstance(each, dict) for each in yaml.safe_load_all(block.source))


CHECKS: dict[str, Callable[[Block], None]] = {
    "console": check_console,
    "ini": check_unit,
    "json": check_script,
    "sh": check_shell,
    "toml": check_config,
    "yaml": check_yaml,
}
# The languages of blocks that are not checked here, and why.
UNCHECKED = {
    "text": "what programs print, and synopses; behind a marker it is compared",
    "dockerfile": "needs a container engine, and an installation of NSO",
}


def test_the_first_program_prints_what_is_not_utf8(daemon: Daemon) -> None:
    of_readme = (block.source for block in BLOCKS if block.page == "README.md")
    program = next(source for source in of_readme if "subscribe(" in source)
    address = {"NCS_IPC_ADDR": "127.0.0.1", "NCS_IPC_PORT": str(daemon.address["port"])}
    env = environment(PYTHONIOENCODING="utf-8:strict", **address)
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.audit(user=b"J\xf6rg", msg="grün").wait(PATIENCE)
        daemon.disconnect()
        out, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out.splitlines()[0]) == (0, r"J\xf6rg grün")


@of_language(*CHECKS)
def test_block(block: Block) -> None:
    CHECKS[block.language](block)


def test_every_block_is_of_a_known_language() -> None:
    known = {"python", *CHECKS, *UNCHECKED}
    assert {block.name: block.language for block in BLOCKS if block.language not in known} == {}
    fences = "".join(page.read_text() for page in PAGES).count("```")
    assert fences == 2 * len(BLOCKS)
