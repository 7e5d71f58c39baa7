"""confd-events anonymize: a recording that can be given away."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ._exit import OK, UnavailableError, UsageError
from ._files import lines_of
from ._render import Piece, printer

if TYPE_CHECKING:
    from ._arguments import Subparsers

_DESCRIPTION = """\
Prints a recording with other names: of users, devices and services, addresses,
and the words of all texts. What is the same before is the same after, so that
it still shows who did what. Passwords are left out. Times, numbers, types and
the names of the data model stay.

It takes what confd-events record writes and what monitor --json prints, and
scripts of simulate. Needs the extra testing: pip install 'confd-events[testing]'.
"""

_EXAMPLES = """\
examples:
  confd-events anonymize busy.jsonl > sendable.jsonl
  confd-events anonymize monday.jsonl --key 'a secret' > 1.jsonl
"""


def add_parser(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "anonymize",
        help="replace the names in a recording",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument("file", metavar="FILE", help="the recording; - for standard input")
    parser.add_argument(
        "--key",
        metavar="TEXT",
        help="replace alike in several recordings; keep it to yourself. Default: a random one",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the recording, line by line."""
    try:
        from ._terms import Anonymizer
    except ImportError as error:
        raise UnavailableError(
            "anonymize needs the extra testing: pip install 'confd-events[testing]'"
        ) from error
    anonymizer, show = Anonymizer(arguments.key), printer()
    for written in _objects(arguments.file):
        show(Piece(json.dumps(anonymizer.line(written))))
    return OK


def _objects(name: str) -> Iterator[dict[str, Any]]:
    for number, line in lines_of(name):
        try:
            written = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{name}, line {number}: not JSON") from error
        if not isinstance(written, dict):
            raise UsageError(f"{name}, line {number}: no JSON object")
        yield written
