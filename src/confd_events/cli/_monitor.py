"""confd-events monitor: what a daemon reports, a line each."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Callable, TypeVar

import confd_events
from confd_events._address import endpoints, written_address
from confd_events._catalog import NOTIFICATIONS, Notification
from confd_events._render import to_json
from confd_events.enums import Notif, Verbosity, label, notif
from confd_events.subscription import available, named, plain

from ._arguments import bytes_argument, count, seconds, time_argument
from ._exit import OK, TIMEOUT, UsageError, tell
from ._line import concise, written_seconds
from ._output import Rotation, opened
from ._render import Piece, Printer, printer
from ._where import Condition, condition, device, severity, user

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
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="what to subscribe to, such as audit,daemon; all for all but commit-diff (unless "
        "--sync), takeover-syslog, and what has an option here",
    )
    parser.add_argument("--list", action="store_true", help="list the names, and end")
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="of the daemon, or the path of its UNIX socket; default: that of confd-events info",
    )
    _add_subscription(parser.add_argument_group("subscription"))
    _add_choice(parser.add_argument_group("choice"))
    _add_output(parser.add_argument_group("output"))
    _add_end(parser.add_argument_group("end"))
    parser.set_defaults(run=run)


def _add_subscription(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--stream", metavar="NAME", help="subscribe to this event stream, too")
    for option, meaning in (("--start", "replay the stream from"), ("--stop", "end the stream at")):
        group.add_argument(
            option,
            type=time_argument,
            metavar="TIME",
            help=f"{meaning} this time, such as 2026-01-31T12:00:00Z or -1h",
        )
    group.add_argument("--filter", metavar="XPATH", help="only these events of the stream")
    group.add_argument(
        "--heartbeat",
        type=seconds,
        metavar="TIME",
        help="let the daemon show so often that it is alive; it is lost when three do not come",
    )
    group.add_argument(
        "--health-check",
        type=seconds,
        metavar="TIME",
        help="let the daemon check itself so often, and print that it did",
    )
    group.add_argument(
        "--usid",
        type=count,
        default=0,
        help="only progress of this user session; of a stream, only what it may read",
    )
    group.add_argument(
        "--verbosity", choices=[label(level) for level in Verbosity], help="of progress"
    )
    group.add_argument(
        "--sync", action="store_true", help="make the daemon wait until a line is printed"
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
        type=condition,
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
        type=severity,
        metavar="LEVEL",
        help="only log lines as severe as this, or worse: emerg, alert, crit, err, warning, "
        "notice, info, debug",
    )


def _add_end(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--count", type=count, metavar="N", help="end after so many lines")
    group.add_argument(
        "--timeout", type=seconds, metavar="TIME", help="end after so long, such as 90, 1m"
    )
    group.add_argument(
        "--reconnect", action="store_true", help="connect again when the daemon is lost"
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints what comes until the end."""
    if arguments.list:
        return _list()
    end = None if arguments.timeout is None else time.monotonic() + arguments.timeout
    mask = _checked(_mask, arguments)
    wanted = _checked(_conditions, arguments, mask)
    with _output(arguments) as show:
        try:
            subscription = _within(end, lambda: _connected(arguments, mask))
        except TimeoutError:
            return OK if arguments.count is None else TIMEOUT
        tally = _Tally(arguments, mask)
        with subscription, _closed_at(end, subscription), tally:
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
        yield Printer(file.show)


# What to subscribe to


def _checked(function: Callable[..., T], *arguments: Any) -> T:
    """What a function returns; what it says of an argument is the user's."""
    try:
        return function(*arguments)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(error) from error


def _list() -> int:
    show = printer()
    for notification in available():
        waits = " The daemon waits with --sync." if notification.sync else ""
        show(Piece(f"{_name(notification):<18}", "bold cyan"), Piece(notification.doc + waits))
    return OK


def _name(notification: Notification) -> str:
    return label(notif(notification.name))


def _connected(arguments: argparse.Namespace, mask: int) -> Subscription:
    subscription = _checked(_subscribe, arguments, mask)
    try:
        _load_schemas(arguments, mask)
    except BaseException:
        subscription.close()
        raise
    return subscription


def _subscribe(arguments: argparse.Namespace, mask: int) -> Subscription:
    return confd_events.subscribe(
        mask,
        address=arguments.address,
        heartbeat=arguments.heartbeat,
        health_check=arguments.health_check,
        stream=arguments.stream,
        start=arguments.start,
        stop=arguments.stop,
        filter=arguments.filter,
        usid=arguments.usid,
        verbosity=arguments.verbosity,
        reconnect=arguments.reconnect,
    )


def _conditions(arguments: argparse.Namespace, mask: int) -> list[Condition]:
    short = (arguments.user, arguments.device, arguments.severity)
    given = [*arguments.where, *(each for each in short if each is not None)]
    return [each.bound(mask) for each in given]


def _mask(arguments: argparse.Namespace) -> int:
    mask = Notif(0)
    for name in ",".join(arguments.names).replace(",", " ").split():
        mask |= _all(arguments.sync) if name == "all" else named(name)
    if arguments.stream is not None:
        mask |= Notif.STREAM_EVENT
    if arguments.health_check is not None:
        mask |= Notif.HEALTH_CHECK
    if not mask:
        raise UsageError("name what to subscribe to, such as audit; --list lists the names")
    return mask | _sync_flags(mask) if arguments.sync else mask


def _sync_flags(mask: int) -> int:
    """The flags that make the daemon wait for what is in the mask."""
    flags = Notif(0)
    for notification in available():
        if notification.sync and mask & notif(notification.name):
            flags |= notif(notification.sync)
    return flags


def _all(sync: bool) -> Notif:
    mask = plain()
    for notification in available():
        holds_up = notification.acknowledge and not notification.sync
        if holds_up and not sync:
            mask &= ~notif(notification.name)
    return mask


# Until when


def _within(end: float | None, function: Callable[[], T]) -> T:
    """What a function returns, which may block in libconfd; a signal ends the wait for it.

    end -- a time of time.monotonic(), or None. TimeoutError when it is over
    """
    outcome: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
    given_up = threading.Event()

    def run() -> None:
        try:
            result = function()
        except BaseException as error:
            outcome.put((None, error))
            return
        outcome.put((result, None))
        if given_up.is_set() and isinstance(result, confd_events.Subscription):
            result.close()

    threading.Thread(target=run, name="confd-events call", daemon=True).start()
    try:
        result, error = outcome.get(timeout=end and max(0.0, end - time.monotonic()))
    except BaseException as reason:
        given_up.set()
        raise TimeoutError if isinstance(reason, Empty) else reason from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


@contextmanager
def _closed_at(end: float | None, subscription: Subscription) -> Iterator[None]:
    if end is None:
        yield
        return
    timer = threading.Timer(max(0.0, end - time.monotonic()), subscription.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


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
        if arguments.json:
            show(Piece(to_json(rendered)))
        else:
            show.event(event.read_at, event.name, concise(event.type, payload))
        if is_marker:
            continue
        tally.add(event)
        if tally.shown == arguments.count:
            break


# Names of the data model


def _load_schemas(arguments: argparse.Namespace, mask: int) -> None:
    """Loads them, when they are asked for, or a stream is and the daemon has them to give."""
    wanted = arguments.schemas
    if wanted is False or (wanted is None and not mask & Notif.STREAM_EVENT):
        return
    where = endpoints(arguments.address)[0].where
    end = None if wanted else time.monotonic() + _SCHEMAS
    try:
        _within(end, lambda: confd_events.load_schemas(**where))
    except (confd_events.Error, TimeoutError) as error:
        if wanted:
            raise
        reason = str(error) or f"no answer within {_SCHEMAS:g} s"
        tell(f"confd-events: the data model's names are not known ({reason}); tags are numbers")
