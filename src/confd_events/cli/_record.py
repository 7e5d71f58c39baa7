"""confd-events record: what a daemon sends, as it sends it, in a file."""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TextIO

import confd_events
from confd_events._address import endpoints, written_address
from confd_events.enums import Notif, label

from ._exit import OK, TIMEOUT, UnavailableError, tell
from ._subscribing import (
    add_end,
    add_names,
    add_subscription,
    checked,
    closed_at,
    end_of,
    mask_of,
    subscribed,
    within,
)
from ._tap import tapped

if TYPE_CHECKING:
    from ._arguments import Subparsers

_DESCRIPTION = """\
Subscribes to notifications of a daemon and writes each to a file, as the daemon
sent it. confd-events simulate FILE plays the file again: the same to the byte,
with its times or faster. Nobody waits for longer than it takes to write.

Passwords are left out. All else is in the file, so it is for its owner alone;
confd-events anonymize makes one that can be given away. Needs the extra
testing: pip install 'confd-events[testing]'.
"""

_EXAMPLES = """\
examples:
  confd-events record busy.jsonl all --timeout 10m
  confd-events record commits.jsonl commit-diff progress --count 1000
  confd-events anonymize busy.jsonl > sendable.jsonl
"""

_EXTRA = "needs the extra testing: pip install 'confd-events[testing]'"


def add_parser(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "record",
        help="write what a daemon sends to a file",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument("file", metavar="FILE", help="the file, which must not be there yet")
    add_names(parser)
    add_subscription(parser.add_argument_group("subscription"))
    add_end(parser.add_argument_group("end"))
    parser.add_argument(
        "--show-passwords", action="store_true", help="record passwords that the daemon sends"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Records until the end."""
    try:
        from ._terms import without_passwords
    except ImportError as error:
        raise UnavailableError(f"record {_EXTRA}") from error
    end = end_of(arguments)
    mask = checked(mask_of, arguments)
    where = checked(endpoints, arguments.address)[0].where
    with _opened(arguments) as file:
        keep = _as_it_is if arguments.show_passwords else without_passwords
        recording = _Recording(file, keep, arguments.count)
        try:
            with _relayed(where, recording) as path:
                _follow(arguments, mask, end, path, recording)
        finally:
            if sys.stderr is not None and sys.stderr.isatty():
                tell(f"{recording.count} notifications in {arguments.file}")
    return OK if arguments.count is None or recording.count == arguments.count else TIMEOUT


@contextmanager
def _opened(arguments: argparse.Namespace) -> Iterator[TextIO]:
    """The new file, with its first line."""

    def private(path: str, flags: int) -> int:
        return os.open(path, flags, 0o600)

    with open(arguments.file, "x", encoding="ascii", opener=private) as file:
        library = confd_events.library()
        about = {name: library[name] for name in ("product", "version", "protocol")}
        first = {"recording": "confd-events", **about, "stream": arguments.stream}
        print(json.dumps(first), file=file, flush=True)
        yield file


@contextmanager
def _relayed(where: Mapping[str, Any], recording: _Recording) -> Iterator[str]:
    with ExitStack() as stack:
        try:
            path = stack.enter_context(tapped(where, recording.add))
        except OSError as error:
            reason = f"can not connect to {written_address(where)}: {error.strerror}"
            raise UnavailableError(reason) from error
        yield path


def _follow(
    arguments: argparse.Namespace,
    mask: int,
    end: float | None,
    path: str,
    recording: _Recording,
) -> None:
    """Reads what is recorded, so that it is acknowledged, and undecodable frames are told."""
    try:
        subscription = within(end, lambda: checked(subscribed, arguments, mask, address=path))
    except TimeoutError:
        return
    try:
        with subscription, closed_at(end, subscription):
            for _ in subscription:
                if recording.full:
                    break
    except confd_events.Error as error:
        raise recording.error or error from None
    if recording.error is not None:
        raise recording.error


class _Recording:
    """The file that grows."""

    def __init__(self, file: TextIO, keep: Callable[[bytes], bytes], most: int | None) -> None:
        self._file = file
        self._keep = keep
        self._most = most
        self.count = 0
        self.error: OSError | None = None
        """Why no more could be written."""

    @property
    def full(self) -> bool:
        """Whether there are as many as are wanted."""
        return self.count == self._most

    def add(self, frame: bytes) -> None:
        """Writes a frame, at once; raises OSError when that fails."""
        from ._terms import bit_of

        if self.full:
            return
        line = {
            "at": datetime.now(timezone.utc).isoformat(timespec="microseconds"),
            "notification": label(Notif(bit_of(frame))),
            "frame": base64.b64encode(self._keep(frame)).decode("ascii"),
        }
        try:
            print(json.dumps(line), file=self._file, flush=True)
        except OSError as error:
            error.filename = self._file.name
            self.error = error
            raise
        self.count += 1


def _as_it_is(frame: bytes) -> bytes:
    return frame
