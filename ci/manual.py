"""Write the man page and the shells' completions from the command's parser.

With --check, exit 1 when they are not up to date. Writing needs shtab and argparse-manpage.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys

from confd_events import cli
from confd_events.cli._completion import FILES, SHELLS
from confd_events.description.catalog import NOTIFICATIONS
from confd_events.enums import SyslogPriority, label, notif

PAGE = FILES / "confd-events.1"
MARK = "made from the parser with the digest "
COMMENTS = {"confd-events.1": '.\\"'}
SUMMARY = "event notifications of Cisco NSO and ConfD on the command line"


def subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of the subcommands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def digest(parser: argparse.ArgumentParser) -> str:
    """What changes when a command, an option or a help text does."""
    told = [
        (
            name,
            each.description,
            each.epilog,
            [(a.option_strings, a.metavar, a.nargs, a.help, a.choices) for a in each._actions],
        )
        for name, each in subparsers(parser).items()
    ]
    return hashlib.sha256(repr((parser.epilog, told)).encode()).hexdigest()[:16]


def add_values(parser: argparse.ArgumentParser) -> None:
    """Says of arguments what a shell may complete them to."""
    import shtab

    values = {
        "names": ["all", *(label(notif(each.name)) for each in NOTIFICATIONS)],
        "severity": list(map(label, SyslogPriority)),
    }
    for each in subparsers(parser).values():
        for action in each._actions:
            if action.dest in values:
                action.choices = values[action.dest]
            elif action.metavar == "FILE" or action.dest == "path":
                action.complete = shtab.FILE  # type: ignore[attr-defined]


def written() -> dict[str, str]:
    """The files by name."""
    import shtab
    from argparse_manpage.manpage import Manpage

    page = Manpage(cli.parser(), _data={"description": SUMMARY, "manual_title": "User Commands"})
    page.date = ""
    files = {PAGE.name: str(page)}
    parser = cli.parser()
    add_values(parser)
    for shell, name in SHELLS.items():
        files[name] = shtab.complete(parser, shell)
    return files


def main() -> int:
    current = digest(cli.parser())
    if sys.argv[1:] == ["--check"]:
        old = [
            name
            for name in (PAGE.name, *SHELLS.values())
            if not re.search(MARK + current, (FILES / name).read_text(encoding="utf-8"))
        ]
        print(*(f"{name} is not up to date; run ./ci/manual" for name in old), sep="\n", end="")
        return bool(old)
    FILES.mkdir(exist_ok=True)
    for name, text in written().items():
        sign = COMMENTS.get(name, "#")
        first, _, rest = text.partition("\n")
        # The first line of a zsh function says that it is one.
        text = f"{first}\n{sign} {MARK}{current}\n{rest}"
        (FILES / name).write_text(text, encoding="utf-8")
    return 0


sys.exit(main())
