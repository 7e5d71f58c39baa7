"""confd-events spool: what a forwarder has stored, and what its sinks have refused."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from confd_events.forward import (
    Letter,
    SpoolError,
    letters_of,
    purge,
    records_of,
    redrive,
)

from ._arguments import count
from ._exit import OK, UnavailableError, UsageError
from ._forward import checked_config
from ._render import Piece, printer

if TYPE_CHECKING:
    from ._arguments import Subparsers

_DESCRIPTION = """\
Shows what is in the spool of a forwarder, which may run meanwhile. tail prints
the last records, export all of them, a line of JSON each. With --dead they
print dead letters, which a sink has refused for good: redrive has those tried
again by the forwarder, purge removes them.
"""

_EXAMPLES = """\
examples:
  confd-events spool tail forward.toml
  confd-events spool export --dead forward.toml > refused.jsonl
  confd-events spool redrive --sink archive forward.toml
"""


def add_parser(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "spool",
        help="show what a forwarder has stored, and try again what was refused",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument("action", choices=["tail", "export", "redrive", "purge"], help="what to do")
    parser.add_argument("config", metavar="FILE", help="the forwarder's configuration")
    parser.add_argument("--dead", action="store_true", help="print dead letters")
    parser.add_argument("--sink", metavar="NAME", help="only the dead letters of this sink")
    parser.add_argument(
        "--count", type=count, metavar="N", help="how many tail prints; default: 10"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Does one thing with the spool."""
    config = checked_config(arguments.config)
    _check(arguments, [sink.name for sink in config.sinks])
    try:
        for line in _lines(arguments, config.spool):
            printer()(Piece(line))
    except SpoolError as error:
        raise UnavailableError(error) from error
    return OK


def _check(arguments: argparse.Namespace, sinks: list[str]) -> None:
    """Refuses options that would do nothing."""
    changes = arguments.action in ("redrive", "purge")
    if arguments.dead and changes:
        raise UsageError(f"{arguments.action} is for dead letters alone; leave --dead out")
    if arguments.sink and not (arguments.dead or changes):
        raise UsageError("--sink is for dead letters; give --dead, too")
    if arguments.sink and arguments.sink not in sinks:
        raise UsageError(f"--sink: {arguments.sink!r} is none of {', '.join(sinks)}")
    if arguments.count and arguments.action != "tail":
        raise UsageError("--count is for tail")


def _lines(arguments: argparse.Namespace, path: Path) -> Iterator[str]:
    if arguments.action == "redrive":
        yield f"dead letters to be tried again: {redrive(path, arguments.sink)}"
    elif arguments.action == "purge":
        yield f"dead letters removed: {purge(path, arguments.sink)}"
    else:
        most = (arguments.count or 10) if arguments.action == "tail" else None
        if arguments.dead:
            letters = [_written(letter) for letter in letters_of(path, arguments.sink)]
            yield from letters[-most:] if most else letters
        else:
            yield from (record.json for record in records_of(path, most))


def _written(letter: Letter) -> str:
    """A dead letter as JSON; the record in it is JSON already."""
    at = datetime.fromtimestamp(letter.at, timezone.utc).isoformat()
    about = json.dumps({"sink": letter.sink, "at": at, "error": letter.error})
    return f'{about[:-1]}, "record": {letter.json}}}'
