"""How the command ends: exit codes, and the errors that are the user's."""

from __future__ import annotations

import sys
from contextlib import suppress

OK = 0
FAILED = 1  # no connection, or the daemon is lost
USAGE = 2  # what argparse exits with, too
TIMEOUT = 3
INTERRUPTED = 130  # these three as a shell reports a signal: 128 + SIGINT,
BROKEN_PIPE = 141  # SIGPIPE,
TERMINATED = 143  # SIGTERM


class UsageError(Exception):
    """An argument, a script or an environment variable is wrong."""


class UnavailableError(Exception):
    """Something that the command needs is not installed or can not be had."""


def tell(text: str) -> None:
    """Prints a line to standard error, if there is one that takes it."""
    if sys.stderr is not None:  # print() would take standard output
        with suppress(OSError):
            print(text, file=sys.stderr, flush=True)
