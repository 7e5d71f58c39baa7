"""The command confd-events: info, help, wrong usage, and what the documentation says of it."""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

import pytest
from cli import environment, ran
from subscribing import run_program
from test_docs import PAGES, ROOT

import confd_events as events
import confd_events_command
from confd_events import cli
from confd_events.cli._script import read_script
from confd_events.description.releases import release
from confd_events_command import COMMANDS

SHELL_BLOCK = re.compile(r"```(?:sh|console)\n(.*?)```", re.DOTALL)
SCRIPT_BLOCK = re.compile(r"```json\n(.*?)```", re.DOTALL)
USE = re.compile(rf"confd-events ((?:{'|'.join(COMMANDS)})\b(?:'[^'\n]*'|[^|>#&'()\n])*)")


def test_the_package_installs_the_command() -> None:
    # Python 3.9 knows no selection by group.
    scripts: Any = entry_points()
    found = (
        scripts.select(group="console_scripts")
        if hasattr(scripts, "select")
        else scripts["console_scripts"]
    )
    command = next(script for script in found if script.name == "confd-events")
    assert command.load() is confd_events_command.main


def test_the_commands_are_listed_without_the_package_as_with_it() -> None:
    (subparsers,) = (action for action in cli.parser()._actions if action.dest == "command")
    listed = {action.dest: action.help for action in cast("Any", subparsers)._choices_actions}
    assert listed == COMMANDS


@pytest.mark.parametrize("module", ["confd_events", "confd_events.cli._forward"])
def test_ctrl_c_while_it_starts_shows_no_traceback(module: str) -> None:
    program = f"""
    import os, signal, sys
    import confd_events_command

    class Interrupting:
        def find_spec(self, name, path, target=None):
            if name == {module!r}:
                os.kill(os.getpid(), signal.SIGINT)

    sys.meta_path.insert(0, Interrupting())
    sys.argv[1:] = ["monitor", "audit"]
    sys.exit(confd_events_command.main())
    """
    done = run_program(program)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_info_tells_library_and_address() -> None:
    done = ran("info")
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    library = events.library()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines["confd-events"] == events.__version__
    assert lines["Python"].startswith(platform.python_version())
    assert lines["file"] == f"{library['path']}, {library['link']}"
    assert lines["libconfd"].startswith(library["version"])
    assert release(library["product"], library["version"]) in lines["libconfd"]
    missing = library["missing"]
    assert lines["it"].split()[:2] == ["lacks", str(len(missing) or "nothing")]
    verbose = ran("info", "--verbose").stdout
    assert all(name in verbose for name in missing)
    assert lines["address"].startswith(f"{events.ADDR}:{events.PORT}, the default")


def test_info_as_json() -> None:
    told = json.loads(ran("info", "--json").stdout)
    assert told["library"] == events.library()
    assert told["address"] == {"ip": events.ADDR, "port": events.PORT}
    assert told["variables"] == []
    assert told["extras"] == {"cli": True, "testing": True}


@pytest.mark.parametrize(
    ("variables", "address", "source"),
    [
        ({"NCS_IPC_PORT": "4570"}, f"{events.ADDR}:4570", "from NCS_IPC_PORT"),
        (
            {"NCS_IPC_ADDR": "2001:db8::1", "NCS_IPC_PORT": "4570"},
            "[2001:db8::1]:4570",
            "from NCS_IPC_ADDR and NCS_IPC_PORT",
        ),
        ({"NCS_IPC_PATH": "/run/ncs"}, "/run/ncs", "from NCS_IPC_PATH"),
    ],
)
def test_info_tells_which_variable_leads_where(
    variables: dict[str, str], address: str, source: str
) -> None:
    told = ran("info", env=environment(**variables)).stdout
    assert f"\naddress      {address}, {source}\n" in told


@pytest.mark.parametrize(
    ("mode", "note"),
    [
        (0o600, "readable by its owner alone"),
        (0o640, "readable by its group; chmod 600 it"),
        (0o644, "readable by its group and all; chmod 600 it"),
        (None, "not readable: No such file or directory"),
    ],
)
def test_info_tells_who_may_read_the_secret(tmp_path: Path, mode: int | None, note: str) -> None:
    secret = tmp_path / "secret"
    if mode is not None:
        secret.write_text("hunter2")
        secret.chmod(mode)
    done = ran("info", env=environment(NCS_IPC_ACCESS_FILE=str(secret)))
    assert done.stdout.splitlines()[-1] == f"access file  {secret}, {note}"
    assert "hunter2" not in done.stdout + done.stderr


def test_info_refuses_a_variable_that_is_wrong() -> None:
    done = ran("info", env=environment(NCS_IPC_PORT="many"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("confd-events: environment variable NCS_IPC_PORT: 'many'")


each_command = pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])


@each_command
def test_help_fits_the_terminal(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main([*command, "--help"])
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


@each_command
def test_help(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, "--help"])
    assert ended.value.code == 0
    assert "examples:" in capsys.readouterr().out or not command


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"confd-events {events.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: COMMAND; see confd-events --help"),
        (["watch"], "invalid choice: 'watch'"),
        (["info", "--jsn"], "unrecognized arguments: --jsn"),
        (["simulate", "--rate", "0"], "argument --rate: '0' is not a number above 0"),
        (["simulate", "--rate", "fast"], "argument --rate: 'fast' is not a number above 0"),
        (["simulate", "--count", "0"], "argument --count: '0' is not a whole number from 1"),
        (["simulate", "--path", "x", "--address", "y:1"], "not allowed with argument"),
        (["monitor", "audit", "--timeout", "-1"], "argument --timeout"),
        (["monitor", "audit", "--count", "some"], "'some' is not a whole number from 1"),
        (["monitor", "audit", "--where", "user"], "'user' is not KEY=PATTERN"),
        (["monitor", "--stream", "x", "--start", "soon"], "argument --start: 'soon' is not a time"),
        (["monitor", "audit", "--timeout", "1e10"], "'1e10' is not a length of time above 0"),
        (["monitor", "audit", "--where", "msg~("], "'(' is no regular expression"),
        (["monitor", "daemon", "--severity", "bad"], "'bad' is none of emerg, alert, crit"),
        (["monitor", "audit", "--rotate-size", "0"], "'0' is not a size of 1 byte or more"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert told.startswith("confd-events: ")
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_and_options(shell: str) -> None:
    done = ran("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    for word in (*COMMANDS, "severity", "commit-simple", "very-verbose"):
        assert word in done.stdout, word


def test_bash_completes() -> None:
    script = """
        source <(python -m confd_events.cli completion bash)
        COMP_WORDS=(confd-events monitor --sev) COMP_CWORD=2
        _shtab_confd_events; echo ${COMPREPLY[@]}
        COMP_WORDS=(confd-events monitor commit-s) COMP_CWORD=2
        _shtab_confd_events; echo ${COMPREPLY[@]}
    """
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["bash", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(PATH=path))
    assert done.stdout.split() == ["--severity", "commit-simple"], done.stderr


def test_man_page_and_completions_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "ci" / "manual.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# The documentation


def uses() -> list[tuple[str, str]]:
    """Every use of the command in a shell block of the documentation or in a help text."""
    documents = [(page.name, page.read_text()) for page in PAGES]
    found = [
        (name, use)
        for name, text in documents
        for block in SHELL_BLOCK.findall(text)
        for use in USE.findall(block.replace("\\\n", " "))
    ]
    for command in COMMANDS:
        epilog = getattr(cli, f"_{command}")._EXAMPLES
        epilog = re.sub(r"\\\n\s*", "", epilog)
        found += [(f"{command} --help", re.split(r"\s{3,}", use)[0]) for use in USE.findall(epilog)]
    return found


@pytest.mark.parametrize(("where", "use"), uses())
def test_the_documented_use_is_right(where: str, use: str) -> None:
    cli.parser().parse_args(shlex.split(use))


def test_the_documentation_uses_every_option_in_text() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    for command in COMMANDS:
        for option in re.findall(r"--[a-z-]+", helped(command)):
            assert option in text or option == "--help", option


def helped(command: str) -> str:
    action = cli.parser()._subparsers
    assert action is not None
    parser = next(iter(action._group_actions)).choices[command]  # type: ignore[index]
    return str(parser.format_help())


def test_the_documented_scripts_are_right() -> None:
    blocks = SCRIPT_BLOCK.findall((ROOT / "docs" / "cli.md").read_text())
    assert blocks
    for block in blocks:
        assert list(read_script("docs/cli.md", block.splitlines()))


def test_the_documented_exit_codes_are_those_of_the_help() -> None:
    codes = re.findall(r"^  (\d+) ", cli._EXIT_CODES, re.MULTILINE)
    rows = re.findall(r"^\| (\d+) \|", Path(ROOT / "docs" / "cli.md").read_text(), re.MULTILINE)
    assert rows == codes
