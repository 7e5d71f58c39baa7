"""confd-events simulate: a daemon to try a program against."""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from confd_events import library
from confd_events._address import endpoints, written_address

from ._arguments import count as count_argument
from ._arguments import per_second, speed
from ._exit import OK, UnavailableError, UsageError
from ._files import opened
from ._player import Player

if TYPE_CHECKING:
    from confd_events.testing import Daemon

    from ._arguments import Subparsers
    from ._script import Step

_DESCRIPTION = """\
Runs a simulated NSO or ConfD daemon on this host, so that a program can be
tried without the real one. It sends the notifications of a script or of a
recording, or made-up ones at a steady rate, to all programs that subscribe to
them. It prints where it listens, and then what it sends, who subscribes, and
what is acknowledged. It ends with the script, after --count notifications, or
by Ctrl-C. Needs the extra testing: pip install 'confd-events[testing]'.
"""

_EXAMPLES = """\
a script has a notification per line, as JSON:
  {"notification": "audit", "user": "ada", "usid": 7, "msg": "logged in"}
  {"notification": "commit", "after": 0.5, "uinfo": {"username": "ada"}}
"after" is in seconds; the other keys are those of the notification.

examples:
  confd-events simulate
  confd-events simulate --rate 10 --only audit,commit --seed 1 --count 100
  confd-events simulate script.jsonl --wait-for-subscriber
  confd-events simulate recording.jsonl --speed 10
  confd-events simulate --path /tmp/daemon.socket script.jsonl --loop
"""

_STREAM = "NETCONF"  # the stream that is there in any case


def add_parser(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "simulate",
        help="run a simulated daemon to try a program against",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "script",
        nargs="?",
        metavar="FILE",
        help="a script, or what record or monitor --json wrote; - for standard input",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="listen here; default: a free port of 127.0.0.1",
    )
    where.add_argument("--path", help="listen on this UNIX socket")
    mix = parser.add_argument_group("without a script")
    mix.add_argument(
        "--rate", type=per_second, metavar="N", help="notifications a second; default 1"
    )
    mix.add_argument("--only", metavar="NAMES", help="of these kinds alone, such as audit,commit")
    mix.add_argument("--seed", type=int, metavar="N", help="the same again for the same number")
    parser.add_argument(
        "--speed",
        type=speed,
        metavar="N",
        help="of a script or recording: N times as fast; max for no waiting",
    )
    parser.add_argument(
        "--count", type=count_argument, metavar="N", help="end after so many notifications"
    )
    parser.add_argument("--loop", action="store_true", help="play the script again and again")
    parser.add_argument(
        "--wait-for-subscriber", action="store_true", help="begin when a program has subscribed"
    )
    parser.add_argument(
        "--quiet", action="store_true", help="do not print what is sent and acknowledged"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the daemon until its script ends."""
    plan = _steps(arguments)
    with _listening(arguments) as daemon:
        daemon.add_names(plan.names)
        for stream in plan.streams:
            daemon.add_stream(stream)
        player = Player(daemon, arguments.quiet)
        player.introduce()
        if arguments.wait_for_subscriber:
            player.wait_for_subscriber()
        player.play(islice(plan.steps, arguments.count))
        player.wait_for_acknowledgements()
    return OK


@contextmanager
def _listening(arguments: argparse.Namespace) -> Iterator[Daemon]:
    from confd_events.testing import Daemon

    try:
        where = _where(arguments)
        daemon = Daemon(product=library()["product"].lower(), **where)
    except ValueError as error:
        raise UsageError(error) from error
    try:
        daemon.start()
    except OSError as error:
        reason = f"can not listen on {written_address(where)}: {error.strerror}"
        raise UnavailableError(reason) from error
    try:
        yield daemon
    finally:
        daemon.stop()


def _where(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.path is not None:
        return {"path": arguments.path}
    if arguments.address is not None:
        return endpoints(arguments.address)[0].where
    return {"ip": "127.0.0.1", "port": 0}


# What is sent


class _Plan(NamedTuple):
    """What to play."""

    steps: Iterator[Step]
    streams: set[str]
    """Those that are there from the start."""
    names: dict[int, str]
    """Of tags, by number."""


def _steps(arguments: argparse.Namespace) -> _Plan:
    try:
        import confd_events.testing  # noqa: F401
    except ImportError as error:
        raise UnavailableError(
            "simulate needs the extra testing: pip install 'confd-events[testing]'"
        ) from error
    if arguments.script is None:
        if arguments.speed is not None:
            raise UsageError("--speed is for a script or a recording; without one see --rate")
        return _Plan(_mix(arguments), {_STREAM}, {})
    for option in ("rate", "only", "seed"):
        if getattr(arguments, option) is not None:
            raise UsageError(f"--{option} is for notifications without a script")
    steps, names = _read(arguments.script)
    steps = [step._replace(after=step.after / (arguments.speed or 1)) for step in steps]
    if arguments.loop and not sum(step.after for step in steps):
        raise UsageError('--loop needs a script that takes time; add "after" to a line')
    streams = {step.fields["stream"] for step in steps if "stream" in step.fields}
    return _Plan(cycle(steps) if arguments.loop else iter(steps), {_STREAM, *streams}, names)


def _read(name: str) -> tuple[list[Step], dict[int, str]]:
    """The steps, and the names of tags by number."""
    from ._recording import Names
    from ._script import read_script

    names = Names()
    try:
        with opened(name) as file:
            steps = list(read_script("standard input" if name == "-" else name, file, names))
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(error) from error
    if not steps:
        raise UsageError(f"{name}: no notification in it")
    return steps, names.numbers


def _mix(arguments: argparse.Namespace) -> Iterator[Step]:
    from ._mix import MIX, mix
    from ._recording import kinds_named

    if arguments.loop:
        raise UsageError("--loop is for a script; without one there is no end")
    asked = arguments.only or ",".join(MIX)
    try:
        kinds = [kind for name in asked.replace(",", " ").split() for kind in kinds_named(name)]
    except ValueError as error:
        raise UsageError(f"--only: {error}") from error
    absent = [kind for kind in kinds if kind not in MIX]
    if absent:
        raise UsageError(f"--only: {absent[0]} is not made up; write a script for it")
    return mix(kinds, arguments.rate or 1, random.Random(arguments.seed))
