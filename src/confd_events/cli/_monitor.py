"""confd-events monitor: what a daemon reports, a line each."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import confd_events
from confd_events import maapi
from confd_events._address import endpoints, written_address
from confd_events._lines import Rotation, opened
from confd_events._render import to_json
from confd_events._where import Condition, device, parsed, severity, user
from confd_events.description.catalog import NOTIFICATIONS, Notification
from confd_events.enums import Notif, label, notif
from confd_events.subscription import available

from ._arguments import argument_of, bytes_argument, count, seconds
from ._exit import OK, TIMEOUT, UsageError, tell
from ._line import concise, written_seconds
from ._render import Piece, Printer, printer
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

if TYPE_CHECKING:
    from confd_events import Event, Subscription

    from ._arguments import Subparsers

T = TypeVar("T")

_DESCRIPTION = """\
Subscribes to notifications of a daemon, NSO or ConfD, and prints a line for
each. It runs until --count or --timeout is reached, the daemon is lost, or
Ctrl-C.

The daemon waits for nobody, unless --sync or commit-diff is asked for: then the
user or the transaction stands still until the line is printed.
"""

_EXAMPLES = """\
examples:
  confd-events monitor --list
  confd-events monitor audit commit-simple
  confd-events monitor all --reconnect --heartbeat 10
  confd-events monitor audit user-session --user 'adm*' --json
  confd-events monitor daemon netconf --severity warning
  confd-events monitor progress --where 'duration>1s'
  confd-events monitor commit-simple --user ada --count 1 --timeout 1m
  confd-events monitor commit-diff --changes --below /ncs:devices
  confd-events monitor --stream NETCONF --start -1h
  confd-events monitor audit --sync --json --reconnect \\
    --output audit.jsonl --rotate-every 1d --keep 30 --fsync
"""

# How long the daemon may take to tell the names of its data model, unless they are asked for.
_SCHEMAS = 30.0
_NAMED = 4  # so many names are written out; more are counted


def add_parser(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "monitor",
        help="print what a daemon reports",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    add_names(parser)
    parser.add_argument("--list", action="store_true", help="list the names, and end")
    add_subscription(parser.add_argument_group("subscription"))
    _add_changes(parser.add_argument_group("changes"))
    _add_choice(parser.add_argument_group("choice"))
    _add_output(parser.add_argument_group("output"))
    end = parser.add_argument_group("end")
    add_end(end)
    end.add_argument(
        "--reconnect", action="store_true", help="connect again when the daemon is lost"
    )
    parser.set_defaults(run=run)


def _add_changes(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--changes",
        action="store_true",
        help="print what each commit changes, too; for commit-diff, and the commit waits for it",
    )
    group.add_argument(
        "--below", metavar="PATH", help="only changes below this path, such as /ncs:devices/device"
    )
    group.add_argument(
        "--old",
        action="store_true",
        help="with the value that each leaf had before: a question more to the daemon for each",
    )


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--json", action="store_true", help="print a JSON object per line")
    group.add_argument(
        "--show-passwords", action="store_true", help="show passwords that the daemon sends"
    )
    group.add_argument(
        "--schemas",
        action=argparse.BooleanOptionalAction,
        help="name the elements of a stream by the daemon's data model; default: if it answers",
    )
    group.add_argument("--output", metavar="FILE", help="append to this file; SIGHUP reopens it")
    group.add_argument(
        "--rotate-size",
        type=bytes_argument,
        metavar="SIZE",
        help="put the file aside before it exceeds this, such as 100M",
    )
    group.add_argument(
        "--rotate-every",
        type=seconds,
        metavar="TIME",
        help="put the file aside so often, such as 1d",
    )
    group.add_argument(
        "--keep", type=count, metavar="N", help="keep so many files put aside; default: all"
    )
    group.add_argument(
        "--fsync", action="store_true", help="have each line on the disk before going on"
    )


def _add_choice(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--where",
        action="append",
        default=[],
        type=argument_of(parsed),
        metavar="CONDITION",
        help="only what meets it, such as user=adm*, prio<=err, msg~^CLI; joined by and, or",
    )
    group.add_argument(
        "--user", type=user, metavar="NAMES", help="only what these users did, such as ada,adm*"
    )
    group.add_argument(
        "--device", type=device, metavar="NAMES", help="only what is about these devices"
    )
    group.add_argument(
        "--severity",
        "--prio",
        type=argument_of(severity),
        metavar="LEVEL",
        help="only log lines as severe as this, or worse: emerg, alert, crit, err, warning, "
        "notice, info, debug",
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints what comes until the end."""
    if arguments.list:
        return _list()
    end = end_of(arguments)
    mask = checked(mask_of, arguments)
    _check_changes(arguments, mask)
    wanted = checked(_conditions, arguments, mask)
    with _output(arguments) as show:
        try:
            subscription = within(end, lambda: _connected(arguments, mask))
        except TimeoutError:
            return OK if arguments.count is None else TIMEOUT
        tally = _Tally(arguments, mask)
        with subscription, closed_at(end, subscription), tally:
            _follow(subscription, arguments, wanted, show, tally)
    return OK if arguments.count is None or tally.shown == arguments.count else TIMEOUT


@contextmanager
def _output(arguments: argparse.Namespace) -> Iterator[Printer]:
    rotation = Rotation(arguments.rotate_size, arguments.rotate_every, arguments.keep)
    if arguments.output is None:
        for option in ("rotate_size", "rotate_every", "keep", "fsync"):
            if getattr(arguments, option):
                raise UsageError(f"--{option.replace('_', '-')} is for --output FILE")
        yield printer()
        return
    with opened(arguments.output, rotation, arguments.fsync) as file:
        yield Printer(lambda pieces: file.append("".join(piece.text for piece in pieces)))


# What to subscribe to


def _list() -> int:
    show = printer()
    for notification in available():
        waits = " The daemon waits with --sync." if notification.sync else ""
        show(Piece(f"{_name(notification):<18}", "bold cyan"), Piece(notification.doc + waits))
    return OK


def _name(notification: Notification) -> str:
    return label(notif(notification.name))


def _connected(arguments: argparse.Namespace, mask: int) -> Subscription:
    subscription = checked(subscribed, arguments, mask, reconnect=arguments.reconnect)
    try:
        _load_schemas(arguments, mask)
    except BaseException:
        subscription.close()
        raise
    return subscription


def _conditions(arguments: argparse.Namespace, mask: int) -> list[Condition]:
    short = (arguments.user, arguments.device, arguments.severity)
    given = [*arguments.where, *(each for each in short if each is not None)]
    return [each.bound(mask) for each in given]


# What comes


class _Tally:
    """Tells on a terminal, at the start, what is monitored, and at the end, what came."""

    def __init__(self, arguments: argparse.Namespace, mask: int) -> None:
        self._speaks = sys.stderr is not None and sys.stderr.isatty()
        self._arguments = arguments
        self._mask = mask
        self._counts: Counter[str] = Counter()
        self.shown = 0
        self.others = 0
        """Notifications that did not meet the conditions."""
        self.dropped = 0

    def add(self, event: Event) -> None:
        """Counts a notification that is shown."""
        self._counts[event.name] += 1
        self.shown += 1

    def __enter__(self) -> None:
        self._since = time.monotonic()
        if not self._speaks:
            return
        asked = [_name(each) for each in NOTIFICATIONS if self._mask & notif(each.name)]
        names = ", ".join(asked) if len(asked) <= _NAMED else f"{len(asked)} kinds of notification"
        where = written_address(endpoints(self._arguments.address)[0].where)
        tell(f"monitoring {names} at {where}; Ctrl-C ends")

    def __exit__(self, *_: object) -> None:
        if not self._speaks:
            return
        kinds = ", ".join(f"{count} {name}" for name, count in self._counts.most_common())
        parts = [f"{self.shown} shown{f': {kinds}' if kinds else ''}"]
        parts += [f"{self.others} others"] if self.others else []
        parts += [f"{self.dropped} dropped"] if self.dropped else []
        tell(f"{'; '.join(parts)}; in {written_seconds(time.monotonic() - self._since)}")


def _check_changes(arguments: argparse.Namespace, mask: int) -> None:
    if arguments.changes and not mask & Notif.COMMIT_DIFF:
        raise UsageError("--changes is for commit-diff; ask for that, too")
    if arguments.below is not None and not arguments.changes:
        raise UsageError("--below is for --changes")
    if arguments.old and not arguments.changes:
        raise UsageError("--old is for --changes")


def _changes(event: Event, arguments: argparse.Namespace) -> dict[str, Any]:
    """What a commit changes, if that is to be printed."""
    if not arguments.changes or event.type != Notif.COMMIT_DIFF:
        return {}
    changes = event.changes(below=arguments.below or "", old=arguments.old)
    return maapi.gathered(changes, secrets=arguments.show_passwords)


def _follow(
    subscription: Subscription,
    arguments: argparse.Namespace,
    wanted: list[Condition],
    show: Printer,
    tally: _Tally,
) -> None:
    """Prints what meets the conditions."""
    for event in subscription:
        is_marker = not event.type
        rendered = event.to_dict(secrets=arguments.show_passwords)
        payload = next((part for part in rendered.values() if isinstance(part, dict)), {})
        # A marker says what may be missing, so it is always shown.
        if not is_marker and not all(each.holds(payload) for each in wanted):
            tally.others += 1
            continue
        changes = _changes(event, arguments)
        if arguments.json:
            show(Piece(to_json({**rendered, **changes})))
        else:
            show.event(event.read_at, event.name, concise(event.type, payload))
            _show_changes(changes, show)
        if is_marker:
            continue
        tally.add(event)
        if tally.shown == arguments.count:
            break


def _show_changes(changes: dict[str, Any], show: Printer) -> None:
    for change in changes.get("changes", ()):
        show(Piece(f"    {maapi.line_of(change)}"))
    if "changes_incomplete" in changes:
        show(Piece(f"    ! incomplete: {changes['changes_incomplete']}"))


# Names of the data model


def _load_schemas(arguments: argparse.Namespace, mask: int) -> None:
    """Loads them, when they are asked for, or a stream is and the daemon has them to give."""
    wanted = arguments.schemas
    if wanted is False or (wanted is None and not mask & Notif.STREAM_EVENT):
        return
    where = endpoints(arguments.address)[0].where
    end = None if wanted else time.monotonic() + _SCHEMAS
    try:
        within(end, lambda: confd_events.load_schemas(**where))
    except (confd_events.Error, TimeoutError) as error:
        if wanted:
            raise
        reason = str(error) or f"no answer within {_SCHEMAS:g} s"
        tell(f"confd-events: the data model's names are not known ({reason}); tags are numbers")
