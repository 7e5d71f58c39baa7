"""confd-events completion: what a shell needs to complete the command's arguments."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ._exit import OK

if TYPE_CHECKING:
    from ._arguments import Subparsers

_DESCRIPTION = """\
Prints the completion of this command's arguments for a shell.
"""

_EXAMPLES = """\
examples:
  source <(confd-events completion bash)
  confd-events completion zsh > ~/.zfunc/_confd-events
  confd-events completion fish > ~/.config/fish/completions/confd-events.fish
"""

# Written by ci/manual.
FILES = Path(__file__).with_name("shell")
SHELLS = {"bash": "confd-events.bash", "fish": "confd-events.fish", "zsh": "_confd-events"}


def add_parser(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "completion",
        help="print the completion for a shell",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument("shell", choices=sorted(SHELLS), help="the shell")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints it."""
    sys.stdout.write((FILES / SHELLS[arguments.shell]).read_text(encoding="utf-8"))
    return OK
