"""confd-events trace: where transactions spend their time."""

from __future__ import annotations

import argparse
import gc
import json
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import confd_events
from confd_events.enums import Verbosity, label
from confd_events.traces import (
    Span,
    follow_batches,
    follow_file,
    read_file,
    spans,
    trace_id_of,
    traces,
)
from confd_events.traces.chrome import write_chrome
from confd_events.traces.html import write_html
from confd_events.traces.otlp import OtlpSender
from confd_events.traces.summary import LockWait, Summary, Total, summarized
from confd_events.traces.tree import duration, tree

from ._arguments import argument_of, seconds
from ._exit import OK, UsageError, tell
from ._files import opened
from ._render import escaped
from ._sessions import Sessions
from ._subscribing import checked, closed_at, end_of, within

if TYPE_CHECKING:
    from ._arguments import Subparsers

_DESCRIPTION = """\
Shows the steps of transactions and actions as trees, with the time that each took, or sends them
to a tracing backend. Reads a progress trace file of NSO in CSV, of NSO 4.7 and later, or a
recording: what record, monitor --json, or the forwarder has written. Without a file, follows a
daemon until --timeout, Ctrl-C, or the daemon is lost.
"""

_EXAMPLES = """\
examples:
  confd-events trace --timeout 1m --summary
  confd-events trace --slower-than 2s
  confd-events trace --user ada
  confd-events trace trace.csv --zone UTC
  confd-events trace --follow trace.csv --slower-than 2s
  confd-events trace busy.jsonl --format html > trace.html
  confd-events trace --otlp http://localhost:4318/v1/traces
"""

Told = Callable[[Mapping[str, Any]], object]

_BATCH = 512  # spans in a request
_AHEAD = 20_000  # notifications that are read while spans are shown or sent
_NEW_OBJECTS = 50_000  # until garbage is collected


def add_parser(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "trace",
        help="show where transactions spend their time",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="a progress trace or a recording; - for input"
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="go on with what is added to the file, until --timeout or Ctrl-C",
    )
    parser.add_argument(
        "--zone",
        type=argument_of(_zone),
        help="of the times of a progress trace, such as UTC or +02:00; default: that of this host",
    )
    live = parser.add_argument_group("daemon")
    live.add_argument(
        "--address", metavar="HOST:PORT", help="of the daemon, or the path of its UNIX socket"
    )
    live.add_argument(
        "--verbosity",
        choices=[label(level) for level in Verbosity],
        default="verbose",
        help="how many steps the daemon tells; default: verbose",
    )
    live.add_argument("--timeout", type=seconds, metavar="TIME", help="end after so long")
    choice = parser.add_argument_group("choice")
    choice.add_argument("--trace-id", metavar="ID", help="this trace alone")
    choice.add_argument(
        "--slower-than", type=seconds, metavar="TIME", help="traces that take longer, such as 2s"
    )
    choice.add_argument(
        "--user",
        metavar="NAME",
        help="traces of this user's sessions, as far as audit records, logins or commits tell "
        "whose they are",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--format",
        choices=("tree", "json", "chrome", "html"),
        default="tree",
        help="tree; json, a span per line; chrome, a file for Perfetto and chrome://tracing; html, "
        "a page for any browser",
    )
    output.add_argument("--events", action="store_true", help="with what is told within the steps")
    output.add_argument("--summary", action="store_true", help="tables of what took the most time")
    output.add_argument(
        "--otlp", metavar="URL", help="send the spans to an OpenTelemetry collector instead"
    )
    parser.set_defaults(run=run)


def _zone(text: str) -> tzinfo:
    given = "+00:00" if text.upper() in ("UTC", "Z") else text
    try:
        zone = datetime.fromisoformat(f"2000-01-01T00:00:00{given}").tzinfo
    except ValueError:
        zone = None
    if zone is None:
        raise ValueError(f"{text!r} is not a time zone, such as UTC or +02:00")
    return zone


def run(arguments: argparse.Namespace) -> int:
    """Shows or sends the traces."""
    if arguments.follow and arguments.file in (None, "-"):
        raise UsageError("--follow needs a file; a daemon is followed without it")
    sessions = Sessions()
    with _source(arguments, sessions) as batches:
        if arguments.otlp and _takes_all(arguments):
            _send(arguments.otlp, batches)  # no need to wait for whole traces
            return OK
        chosen = _chosen(arguments, batches, sessions)
        if arguments.otlp:
            _send(arguments.otlp, _in_batches(chosen))
        else:
            _show(arguments, chosen)
    return OK


def _takes_all(arguments: argparse.Namespace) -> bool:
    return not (arguments.trace_id or arguments.slower_than or arguments.user)


def _chosen(
    arguments: argparse.Namespace, batches: Iterable[Sequence[Span]], sessions: Sessions
) -> Iterator[Sequence[Span]]:
    """The traces that the arguments ask for."""
    unknown = 0
    for trace in traces(span for batch in batches for span in batch):
        if not _is_chosen(arguments, trace):
            continue
        if arguments.user is not None:
            user = sessions.user_of(trace)
            unknown += user is None
            if user != arguments.user:
                continue
        yield trace
    if unknown:
        tell(f"{unknown} traces left out, for nothing told whose session they are of")


def _in_batches(traces: Iterable[Sequence[Span]]) -> Iterator[Sequence[Span]]:
    for trace in traces:
        yield from (trace[start : start + _BATCH] for start in range(0, len(trace), _BATCH))


def _source(
    arguments: argparse.Namespace, sessions: Sessions
) -> AbstractContextManager[Iterator[Sequence[Span]]]:
    others = None if arguments.user is None else sessions.note
    if arguments.file is None:
        return _of_daemon(arguments, others)
    return _of_file(arguments, others)


@contextmanager
def _of_file(
    arguments: argparse.Namespace, others: Told | None
) -> Iterator[Iterator[Sequence[Span]]]:
    name = arguments.file
    try:
        if arguments.follow:
            with _interruptible() as interrupted:
                yield _named(name, _followed(arguments, others, interrupted))
        else:
            with opened(name) as file:
                found = spans(read_file(file, zone=arguments.zone, others=others))
                yield _named(name, iter(lambda: list(islice(found, _BATCH)), []))
    except OSError as error:
        if error.filename is None:  # of what it is written to
            raise
        raise UsageError(f"{name}: {error.strerror}") from error


def _followed(
    arguments: argparse.Namespace, others: Told | None, interrupted: threading.Event
) -> Iterator[Sequence[Span]]:
    end = end_of(arguments)
    return follow_file(
        arguments.file,
        zone=arguments.zone,
        others=others,
        until=lambda: interrupted.is_set() or (end is not None and time.monotonic() >= end),
        size=_BATCH,
        delay=_delay(arguments),
    )


def _named(name: str, batches: Iterator[Sequence[Span]]) -> Iterator[Sequence[Span]]:
    """The same; what is wrong in a file is told with its name."""
    try:
        yield from batches
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: not UTF-8 text") from error
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from error


def _delay(arguments: argparse.Namespace) -> float:
    """Seconds that spans may wait for others: what is shown comes as soon as it is known."""
    return 1.0 if arguments.otlp else 0.0


@contextmanager
def _of_daemon(
    arguments: argparse.Namespace, others: Told | None
) -> Iterator[Iterator[Sequence[Span]]]:
    end = end_of(arguments)
    names = (
        ("progress",) if others is None else ("progress", "audit", "user-session", "commit-simple")
    )
    subscription = within(
        end,
        lambda: checked(
            confd_events.subscribe,
            *names,
            address=arguments.address,
            verbosity=arguments.verbosity,
            buffer=_AHEAD,
        ),
    )
    interruptible = _interruptible(subscription.close)
    with collecting_rarely(), subscription, closed_at(end, subscription), interruptible:
        yield follow_batches(subscription, size=_BATCH, delay=_delay(arguments), others=others)


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """What waits to be made into spans is no garbage, and each collection would look at it."""
    before = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def _interruptible(also: Callable[[], object] = lambda: None) -> Iterator[threading.Event]:
    """Lets Ctrl-C end the source, so that what is known by then is shown; the second interrupts."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def interrupt(number: int, frame: object) -> None:
        signal.signal(number, before)
        interrupted.set()
        also()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def _is_chosen(arguments: argparse.Namespace, trace: Sequence[Span]) -> bool:
    wanted = arguments.trace_id
    if wanted is not None and trace_id_of(wanted) != trace[0].trace_id:
        return False
    longest = max(span.duration for span in trace)
    return arguments.slower_than is None or longest >= arguments.slower_than * 1e6


def _send(url: str, batches: Iterable[Sequence[Span]]) -> None:
    try:
        sender = OtlpSender(url)
    except ValueError as error:
        raise UsageError(f"--otlp: {error}") from error
    with closing(sender):
        for batch in batches:
            sender.send(batch)
        stats = sender.stats()
    tell(f"{stats.spans} spans sent, {stats.rejected} rejected {stats.message}".rstrip())


def _show(arguments: argparse.Namespace, chosen: Iterable[Sequence[Span]]) -> None:
    if arguments.summary:
        _print(_tables(summarized(span for trace in chosen for span in trace)))
    elif arguments.format == "chrome":
        write_chrome((span for trace in chosen for span in trace), sys.stdout)
    elif arguments.format == "html":
        title = "Traces" if arguments.file in (None, "-") else Path(arguments.file).name
        write_html((span for trace in chosen for span in trace), sys.stdout, title=title)
    elif arguments.format == "json":
        _print(json.dumps(span.to_dict()) for trace in chosen for span in trace)
    else:
        _print(line for trace in chosen for line in (*tree(trace, events=arguments.events), ""))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(escaped(line), flush=True)


def _tables(summary: Summary) -> Iterator[str]:
    yield "slowest steps"
    for span in summary.slowest:
        subject = " ".join(filter(None, (span.name, span.device, span.service)))
        yield f"{duration(span.duration):>11}  {subject}  {span.trace_id}"
    tables = {
        "steps": summary.by_step,
        "subsystems": summary.by_subsystem,
        "devices": summary.by_device,
        "services": summary.by_service,
    }
    for name, totals in tables.items():
        if totals:
            yield from ("", f"{name}, by the time that is their own")
            yield from map(_row, totals)
    if summary.by_locked_device:
        yield from ("", "waits for the locks of devices, by device")
        yield from map(_row, summary.by_locked_device)
    if summary.lock_waits:
        yield from ("", "waits for the transaction lock")
        yield from map(_wait, summary.lock_waits)
    if summary.device_lock_waits:
        yield from ("", "waits for the lock of a device")
        yield from map(_wait, summary.device_lock_waits)


def _wait(wait: LockWait) -> str:
    get = [span.attributes.get for span in wait.holders]
    held = {f"session {each('nso.usid')}, transaction {each('nso.tid')}" for each in get}
    subject = "".join(f"{what}, " for what in (wait.span.device, wait.span.service) if what)
    holders = ", ".join(sorted(held)) or "nobody that was seen"
    return f"{duration(wait.span.duration):>11}  {subject}held by {holders}"


def _row(total: Total) -> str:
    failed = f", {total.failed} failed" if total.failed else ""
    times = "once" if total.times == 1 else f"{total.times} times"
    longest = duration(total.longest)
    return f"{duration(total.self_time):>11}  {total.name}: {times}, longest {longest}{failed}"
