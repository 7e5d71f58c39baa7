"""What monitor and record share: what to subscribe to, and until when."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Callable, TypeVar

import confd_events
from confd_events.enums import Notif, Verbosity, label, notif
from confd_events.subscription import available, named, plain

from ._arguments import count, seconds, time_argument
from ._exit import UsageError

if TYPE_CHECKING:
    from confd_events import Subscription

T = TypeVar("T")


def add_names(parser: argparse.ArgumentParser) -> None:
    """Adds the names of notifications, and the daemon's address."""
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="what to subscribe to, such as audit,daemon; all for all but commit-diff (unless "
        "--sync), takeover-syslog, and what has an option here",
    )
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="of the daemon, or the path of its UNIX socket; default: that of confd-events info",
    )


def add_subscription(group: argparse._ArgumentGroup) -> None:
    """Adds the options of a subscription."""
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
        help="how often the daemon sends a heartbeat; when three are missing, it is lost",
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
        help="only what this user session may read of the stream",
    )
    group.add_argument(
        "--verbosity", choices=[label(level) for level in Verbosity], help="of progress"
    )
    group.add_argument(
        "--sync", action="store_true", help="make the daemon wait until a line is printed"
    )


def add_end(group: argparse._ArgumentGroup) -> None:
    """Adds the options that say when to end."""
    group.add_argument("--count", type=count, metavar="N", help="end after so many lines")
    group.add_argument(
        "--timeout", type=seconds, metavar="TIME", help="end after so long, such as 90, 1m"
    )


def checked(function: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """What a function returns; what it says of an argument is the user's."""
    try:
        return function(*arguments, **options)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(error) from error


def subscribed(arguments: argparse.Namespace, mask: int, **options: Any) -> Subscription:
    """The subscription that the arguments ask for; `options` go before them."""
    names = "address heartbeat health_check stream start stop filter usid verbosity".split()
    asked = {name: getattr(arguments, name) for name in names}
    return confd_events.subscribe(mask, **{**asked, **options})


def mask_of(arguments: argparse.Namespace) -> int:
    """The notifications that the arguments ask for."""
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


def end_of(arguments: argparse.Namespace) -> float | None:
    """When --timeout is over, as a time of time.monotonic()."""
    return None if arguments.timeout is None else time.monotonic() + arguments.timeout


def within(end: float | None, function: Callable[[], T]) -> T:
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
def closed_at(end: float | None, subscription: Subscription) -> Iterator[None]:
    """Closes a subscription at a time of time.monotonic(), if there is one."""
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
