"""confd-events forward: what daemons report, stored durably, then delivered."""

from __future__ import annotations

import argparse
import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from confd_events._written import length_of_time
from confd_events.forward import (
    Config,
    ConfigError,
    Forwarder,
    SinkGoneError,
    SinkStatus,
    SpoolError,
    read_config,
    status_of,
)

from ._arguments import argument_of
from ._exit import OK, UnavailableError, UsageError
from ._line import written_bytes, written_seconds
from ._render import Piece, escaped, printer

if TYPE_CHECKING:
    from ._arguments import Subparsers

_DESCRIPTION = """\
Subscribes to what a configuration names, stores each event on the disk,
acknowledges it then, and delivers it to sinks, at least once and in order. It
runs until SIGTERM or Ctrl-C; sinks get what is there before it ends. At SIGHUP
it reads its configuration again.

With status before the file it shows how far each sink is, and how fast, and
ends.
"""

_EXAMPLES = """\
examples:
  confd-events forward --check forward.toml
  confd-events forward forward.toml
  confd-events forward status forward.toml
"""


def add_parser(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "forward",
        help="store and deliver what daemons report",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "action", nargs="?", choices=["status"], help="show how far each sink is, and end"
    )
    parser.add_argument("config", metavar="FILE", help="the configuration, in TOML")
    parser.add_argument(
        "--check", action="store_true", help="say whether the configuration is right, and end"
    )
    parser.add_argument(
        "--over",
        type=argument_of(length_of_time),
        metavar="TIME",
        help="how long status counts; default: 1s",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Forwards until a signal comes."""
    if arguments.check and arguments.action:
        raise UsageError("--check is without status")
    if arguments.over is not None and not arguments.action:
        raise UsageError("--over is for status")
    config = checked_config(arguments.config)
    try:
        if arguments.action == "status":
            _show_status(config, 1.0 if arguments.over is None else arguments.over)
        elif arguments.check:
            nodes, sinks = (len(each) for each in (config.nodes, config.sinks))
            printer()(Piece(f"{arguments.config} is right; nodes: {nodes}, sinks: {sinks}"))
        else:
            _forward(config, arguments.config)
    except (ConfigError, SpoolError, SinkGoneError) as error:
        raise UnavailableError(error) from error
    return OK


def checked_config(path: str) -> Config:
    """What a configuration says; UsageError when it is wrong, or can't be read."""
    try:
        return read_config(path)
    except ConfigError as error:
        raise UsageError(f"{path}: {error}") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def _forward(config: Config, path: str) -> None:
    forwarder = Forwarder(config)
    with _logging(), _heeding_signals(forwarder, path):
        forwarder.run()


class _OneLine(logging.Formatter):
    """A line for each message, whatever it holds."""

    def format(self, record: logging.LogRecord) -> str:
        return escaped(f"confd-events: {' '.join(super().format(record).split())}")


@contextmanager
def _logging() -> Iterator[None]:
    """Tells on standard error what happens."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    logger = logging.getLogger("confd_events.forward")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


@contextmanager
def _heeding_signals(forwarder: Forwarder, path: str) -> Iterator[None]:
    """Ends it in order when SIGTERM or SIGINT comes; at SIGHUP it reads its configuration again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        forwarder.stop()

    def reload(number: int, frame: FrameType | None) -> None:
        forwarder.reload(lambda: read_config(path))

    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show_status(config: Config, over: float) -> None:
    show = printer()
    before, began = status_of(config.spool), time.monotonic()
    time.sleep(over)
    status, seconds = status_of(config.spool), time.monotonic() - began
    positions = {sink.name: sink.position for sink in before.sinks}
    total = f"spool: {status.records} records, {written_bytes(status.bytes)}"
    show(Piece(total + _rate(status.last - before.last, seconds, ", {} stored")))
    for sink in status.sinks:
        passed = sink.position - positions.get(sink.name, sink.position)
        show(Piece(_described(sink, _rate(passed, seconds, ", {} passed"))))


def _rate(count: int, seconds: float, text: str) -> str:
    """So many per second in a text; empty when there were none."""
    return text.format(f"{count / seconds:.1f}/s") if count > 0 else ""


def _described(sink: SinkStatus, rate: str) -> str:
    parts = [f"{sink.name}: at record {sink.position}{rate}"]
    if sink.waiting:
        parts.append(f"{sink.waiting} waiting, the oldest for {written_seconds(sink.age)}")
    if sink.dead:
        parts.append(f"{sink.dead} dead letters")
    if sink.error:
        parts.append(escaped(f"failing: {sink.error}"))
    return "; ".join(parts)
