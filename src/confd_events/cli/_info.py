"""confd-events info: which library, which address."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from stat import S_IRGRP, S_IROTH
from typing import TYPE_CHECKING, Any

import confd_events
from confd_events._address import default_address, written_address
from confd_events.description.releases import release

from ._exit import OK, UsageError
from ._render import Piece, escaped, printer

if TYPE_CHECKING:
    from ._arguments import Subparsers

_DESCRIPTION = """\
Shows what this command and Python programs on this host use: the version of this package, the
vendor's library libconfd, and the address of the daemon that they connect to unless told another.
It does not connect. Try this first when something does not work.
"""

_EXAMPLES = """\
examples:
  confd-events info
  NCS_IPC_PORT=4570 confd-events info    what a variable changes
  confd-events info --json
"""

# The files with the secret of the access check, as libconfd looks for them.
_ACCESS_FILES = ("CONFD_IPC_ACCESS_FILE", "NCS_IPC_ACCESS_FILE")
_EXTRAS = {"cli": "rich", "testing": "erlang"}


def add_parser(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "info",
        help="show which libconfd and which address are in use",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--verbose", action="store_true", help="name what this release of libconfd lacks"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints it."""
    facts = _facts()
    show = printer()
    if arguments.json:
        show(Piece(json.dumps(facts)))
        return OK
    for name, text in _described(facts, arguments.verbose):
        show(Piece(f"{name:<13}", "bold cyan"), Piece(escaped(text)))
    return OK


def _facts() -> dict[str, Any]:
    try:
        address, variables = default_address()
    except ValueError as error:
        raise UsageError(f"environment variable {error}") from error
    return {
        "version": confd_events.__version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "extras": {extra: find_spec(module) is not None for extra, module in _EXTRAS.items()},
        "library": confd_events.library(),
        "address": _jsonable(address),
        "variables": variables,
        "access_file": _access_file(),
    }


def _access_file() -> dict[str, str] | None:
    """The file with the secret of the access check, and who may read it; not what is in it."""
    path = next(filter(None, map(os.environ.get, _ACCESS_FILES)), None)
    if path is None:
        return None
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        return {"path": path, "note": f"not readable: {error.strerror}"}
    open_to = [who for who, bit in (("its group", S_IRGRP), ("all", S_IROTH)) if mode & bit]
    if open_to:
        return {"path": path, "note": f"readable by {' and '.join(open_to)}; chmod 600 it"}
    return {"path": path, "note": "readable by its owner alone"}


def _jsonable(address: Any) -> dict[str, Any]:
    if isinstance(address, tuple):
        return dict(zip(("ip", "port"), address))
    return {"path": address}


def _described(facts: dict[str, Any], verbose: bool) -> Iterator[tuple[str, str]]:
    library = facts["library"]
    extras = [f"{name}: {'yes' if there else 'no'}" for name, there in facts["extras"].items()]
    stub = ", the stub" if library["stub"] else ""
    yield "confd-events", facts["version"]
    yield "Python", f"{facts['python']}, {facts['executable']}"
    yield "extras", ", ".join(extras)
    version = library["version"]
    yield "libconfd", f"{version}, of {release(library['product'], version)}{stub}"
    yield "API level", f"{library['api_level']}, protocol {library['protocol']}"
    yield "file", f"{library['path']}, {library['link']}"
    yield "it lacks", _lacking(library["missing"], verbose)
    variables = " and ".join(facts["variables"])
    source = f"from {variables}" if variables else "the default; no variable names another"
    yield "address", f"{written_address(facts['address'])}, {source}"
    access = facts["access_file"]
    yield "access file", "none" if access is None else f"{access['path']}, {access['note']}"


def _lacking(missing: Sequence[str], verbose: bool) -> str:
    if verbose or not missing:
        return ", ".join(missing) or "nothing"
    names = "1 name" if len(missing) == 1 else f"{len(missing)} names"
    return f"{names} that other releases have; --verbose lists them"
