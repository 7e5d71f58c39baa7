"""The command confd-events, outside of the package: it answers where that can't be imported, too.

Without libconfd, or with one that can't be loaded, importing confd_events fails. Just then a user
wants `confd-events info` and `--help` to say what is wrong.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import version
from textwrap import fill

FAILED = 1
INTERRUPTED = 130
COMMANDS = {
    "info": "show which libconfd and which address are in use",
    "monitor": "print what a daemon reports",
    "trace": "show where transactions spend their time",
    "record": "write what a daemon sends to a file",
    "anonymize": "replace the names in a recording",
    "forward": "store and deliver what daemons report",
    "spool": "show what a forwarder has stored, and try again what was refused",
    "simulate": "run a simulated daemon to try a program against",
    "completion": "print the completion for a shell",
}
"""As the command itself lists them; a test compares."""


def main() -> int:
    """Run the command with the arguments of the process; return its exit code."""
    try:
        return _run()
    except KeyboardInterrupt:  # before the command sees to it
        return INTERRUPTED


def _run() -> int:
    try:
        from confd_events.cli import main as command
    except ImportError as failure:
        return _without_library(sys.argv[1:], " ".join(str(failure).split()))
    return command()


def _without_library(arguments: list[str], reason: str) -> int:
    """Answers what can be answered; returns an exit code."""
    if "--version" in arguments:
        print(f"confd-events {version('confd-events')}")
        return 0
    if "-h" in arguments or "--help" in arguments or not arguments:
        print(_help(reason))
        return 0
    if arguments[0] == "info":
        print(json.dumps(_facts(reason)) if "--json" in arguments else _described(_facts(reason)))
    else:
        print(f"confd-events: {reason}", file=sys.stderr)
    return FAILED


def _facts(reason: str) -> dict[str, str]:
    return {
        "version": version("confd-events"),
        "python": platform.python_version(),
        "executable": sys.executable,
        "error": reason,
    }


def _described(facts: dict[str, str]) -> str:
    lines = {
        "confd-events": facts["version"],
        "Python": f"{facts['python']}, {facts['executable']}",
        "libconfd": f"can't be used: {facts['error']}",
    }
    return "\n".join(f"{name:<13}{text}" for name, text in lines.items())


def _help(reason: str) -> str:
    commands = "\n".join(f"  {name:<12}{text}" for name, text in COMMANDS.items())
    wrong = fill(
        f"None of these works now: {reason}", 79, break_on_hyphens=False, break_long_words=False
    )
    return (
        "usage: confd-events [-h] [--version] COMMAND ...\n\n"
        "Event notifications of Cisco NSO and ConfD on the command line.\n\n"
        f"{commands}\n\n{wrong}"
    )


if __name__ == "__main__":
    sys.exit(main())
