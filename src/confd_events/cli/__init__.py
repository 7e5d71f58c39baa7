"""The command confd-events; see docs/cli.md."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from confd_events import __version__
from confd_events.error import Error

from . import (
    _anonymize,
    _completion,
    _forward,
    _info,
    _monitor,
    _record,
    _simulate,
    _spool,
    _trace,
)
from ._arguments import Parser
from ._exit import (
    BROKEN_PIPE,
    FAILED,
    INTERRUPTED,
    TERMINATED,
    USAGE,
    UnavailableError,
    UsageError,
    tell,
)
from ._render import escaped

__all__ = ["main"]

_DESCRIPTION = """\
Event notifications of Cisco NSO and ConfD on the command line: watch and record
what a daemon reports, or try a program against a simulated one.
"""

_EXIT_CODES = """\
exit codes:
  0    all went well
  1    no connection, or the daemon was lost; something is not installed, or
       can't be used
  2    wrong usage: an argument, a script, a variable of the environment
  3    --timeout passed before --count notifications had come
  130  interrupted by Ctrl-C
  141  whoever read the output has closed it
  143  terminated by SIGTERM
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code.

    argv -- the arguments, without the command's name; None for those of the process

    Raises SystemExit for --help, for arguments that are wrong, and on SIGTERM.
    """
    arguments = parser().parse_args(argv)
    try:
        with _terminable():
            code: int = arguments.run(arguments)
            return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return BROKEN_PIPE
    except UsageError as error:
        return _fail(error, USAGE)
    except (Error, OSError, UnavailableError) as error:
        return _fail(error, FAILED)


def parser() -> Parser:
    """The parser of the command's arguments."""
    top = Parser(prog="confd-events", description=_DESCRIPTION, epilog=_EXIT_CODES)
    top.add_argument("--version", action="version", version=f"confd-events {__version__}")
    subparsers = top.add_subparsers(metavar="COMMAND", dest="command", required=True)
    for module in (
        *(_info, _monitor, _trace, _record, _anonymize),
        *(_forward, _spool, _simulate, _completion),
    ):
        module.add_parser(subparsers)
    return top


def _fail(error: Exception, code: int) -> int:
    tell(f"confd-events: {escaped(' '.join(str(error).split()))}")
    return code


def _forget_output() -> None:
    """Lets what is still buffered vanish, for Python flushes it at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _terminable() -> Iterator[None]:
    """Ends the command in order on SIGTERM, too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)
