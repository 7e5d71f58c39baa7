"""confd-events monitor: what a daemon reports, a line each."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import confd_events
from confd_events._catalog import NOTIFICATIONS, Notification
from confd_events._render import to_json
from confd_events.enums import Notif, Verbosity, label, notif
from confd_events.subscription import available, named, plain

from ._arguments import count, seconds, time_argument
from ._exit import OK, TIMEOUT, UsageError
from ._render import Piece, event_line, printer
from ._where import condition

if TYPE_CHECKING:
    from confd_events import Subscription

    from ._arguments import Subparsers

_DESCRIPTION = """\
Subscribes to notifications of a daemon, NSO or ConfD, and prints a line for each. It runs until
--count or --timeout is reached, the daemon is lost, or Ctrl-C.

The daemon waits for nobody, unless --sync or commit-diff is asked for: then the user or the
transaction stands still until the line is printed.
"""

_EXAMPLES = """\
examples:
  confd-events monitor --list
  confd-events monitor audit commit-simple
  confd-events monitor all --reconnect --heartbeat 10
  confd-events monitor audit --where 'user=adm*' --json
  confd-events monitor user-session --where uinfo.username=ada --count 1 --timeout 60
  confd-events monitor --stream NETCONF --start 2026-01-31T00:00:00Z
"""

# What lines leave out: older names of keys, what an address shows by itself, and empty values.
_AGAIN = {field.also for each in NOTIFICATIONS for field in each.fields} | {"af"}
_NOTHING: tuple[Any, ...] = (None, "", "none", [], {})
# Whose keys are not the catalog's, but a data model's or a program's.
_VERBATIM = ("values", "attributes")
# Of a user session, what tells who it is.
_USER = ("username", "usid", "context", "addr", "clearpass")


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
        help="what to subscribe to, such as audit; all for all but commit-diff (unless --sync), "
        "takeover-syslog, and what has an option here",
    )
    parser.add_argument("--list", action="store_true", help="list the names, and end")
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="of the daemon, or the path of its UNIX socket; default: that of confd-events info",
    )
    _add_subscription(parser.add_argument_group("subscription"))
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
            help=f"{meaning} this time, such as 2026-01-31T12:00:00Z",
        )
    group.add_argument("--filter", metavar="XPATH", help="only these events of the stream")
    group.add_argument(
        "--heartbeat",
        type=seconds,
        metavar="SECONDS",
        help="let the daemon show so often that it is alive; it is lost when three do not come",
    )
    group.add_argument(
        "--health-check",
        type=seconds,
        metavar="SECONDS",
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
        "--where",
        action="append",
        default=[],
        type=condition,
        metavar="KEY=PATTERN",
        help="only what has this value, such as uinfo.username=ad*; all of several must hold",
    )
    group.add_argument(
        "--show-passwords", action="store_true", help="show passwords that the daemon sends"
    )


def _add_end(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--count", type=count, metavar="N", help="end after so many lines")
    group.add_argument("--timeout", type=seconds, metavar="SECONDS", help="end after so long")
    group.add_argument(
        "--reconnect", action="store_true", help="connect again when the daemon is lost"
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints what comes until the end."""
    if arguments.list:
        return _list()
    subscription = _subscribe(arguments)
    with subscription, _closed_after(arguments.timeout, subscription):
        printed = _follow(subscription, arguments)
    return OK if arguments.count is None or printed == arguments.count else TIMEOUT


# What to subscribe to


def _list() -> int:
    show = printer()
    for notification in available():
        waits = " The daemon waits with --sync." if notification.sync else ""
        show(Piece(f"{_name(notification):<18}", "bold cyan"), Piece(notification.doc + waits))
    return OK


def _name(notification: Notification) -> str:
    return label(notif(notification.name))


def _subscribe(arguments: argparse.Namespace) -> Subscription:
    try:
        mask = _mask(arguments)
        for each in arguments.where:
            each.check(mask)
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
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(error) from error


def _mask(arguments: argparse.Namespace) -> int:
    mask = Notif(0)
    for name in arguments.names:
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


# What comes


@contextmanager
def _closed_after(timeout: float | None, subscription: Subscription) -> Iterator[None]:
    if timeout is None:
        yield
        return
    timer = threading.Timer(timeout, subscription.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _follow(subscription: Subscription, arguments: argparse.Namespace) -> int:
    """Prints what meets the conditions; returns how many notifications that were."""
    show = printer()
    printed = 0
    for event in subscription:
        is_marker = not event.type
        rendered = event.to_dict(secrets=arguments.show_passwords)
        payload = next((part for part in rendered.values() if isinstance(part, dict)), {})
        # A marker says what may be missing, so it is always shown.
        if not is_marker and not all(each.holds(payload) for each in arguments.where):
            continue
        if arguments.json:
            show(Piece(to_json(rendered)))
        else:
            show(*event_line(event.read_at, event.name, _concise(payload)))
        printed += not is_marker
        if printed == arguments.count:
            break
    return printed


def _concise(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload without what says nothing, or says something again."""
    fields: dict[str, Any] = {}
    # The name of a number is right behind it.
    for key, number in payload.items():
        base = key.removesuffix("_name")
        if base in _AGAIN or base in fields:
            continue
        value = payload.get(f"{key}_name", number)
        if key == "uinfo":
            value = {name: value[name] for name in _USER if name in value}
        if key not in _VERBATIM:
            value = _concise_part(value)
        if value not in _NOTHING:
            fields[key] = value
    return fields


def _concise_part(value: Any) -> Any:
    if isinstance(value, list):
        return [_concise_part(element) for element in value]
    return _concise(value) if isinstance(value, Mapping) else value
