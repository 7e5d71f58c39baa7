"""confd-events trace: where transactions spend their time."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import confd_events
from confd_events.enums import Verbosity, label
from confd_events.traces import Span, follow_batches, read_csv, spans, trace_id_of, traces
from confd_events.traces.chrome import write_chrome
from confd_events.traces.html import write_html
from confd_events.traces.otlp import OtlpSender
from confd_events.traces.summary import Summary, Total, summarized
from confd_events.traces.tree import duration, tree

from ._arguments import argument_of, seconds
from ._exit import OK, UsageError, tell
from ._files import opened
from ._render import escaped
from ._subscribing import checked, closed_at, end_of, within

if TYPE_CHECKING:
    from ._arguments import Subparsers

_DESCRIPTION = """\
Shows the steps of transactions and actions as trees, with the time that each took, or sends them
to a tracing backend. Reads a progress trace file of NSO in CSV, of NSO 4.7 and later; without a
file, follows a daemon until --timeout, Ctrl-C, or the daemon is lost.
"""

_EXAMPLES = """\
examples:
  confd-events trace --timeout 1m --summary
  confd-events trace --slower-than 2s
  confd-events trace trace.csv --zone UTC
  confd-events trace trace.csv --format html > trace.html
  confd-events trace --otlp http://localhost:4318/v1/traces
"""

_BATCH = 512  # spans in a request
_AHEAD = 100_000  # notifications that are read while spans are shown or sent


def add_parser(subparsers: Subparsers) -> None:
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "trace",
        help="show where transactions spend their time",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="a progress trace; - for input")
    parser.add_argument(
        "--zone",
        type=argument_of(_zone),
        help="of the file's times, such as UTC or +02:00; default: that of this host",
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
    source = _of_daemon(arguments) if arguments.file is None else _of_file(arguments)
    with source as batches:
        if arguments.otlp and arguments.trace_id is None and arguments.slower_than is None:
            _send(arguments.otlp, batches)  # no need to wait for whole traces
            return OK
        found = traces(span for batch in batches for span in batch)
        chosen = (trace for trace in found if _is_chosen(arguments, trace))
        if arguments.otlp:
            _send(arguments.otlp, _in_batches(chosen))
        else:
            _show(arguments, chosen)
    return OK


def _in_batches(traces: Iterable[Sequence[Span]]) -> Iterator[Sequence[Span]]:
    for trace in traces:
        yield from (trace[start : start + _BATCH] for start in range(0, len(trace), _BATCH))


@contextmanager
def _of_file(arguments: argparse.Namespace) -> Iterator[Iterator[Sequence[Span]]]:
    name = arguments.file

    def read(file: TextIO) -> Iterator[Sequence[Span]]:
        found = spans(read_csv(file, zone=arguments.zone))
        try:
            while batch := list(islice(found, _BATCH)):
                yield batch
        except ValueError as error:
            raise UsageError(f"{name}: {error}") from error

    try:
        file = opened(name)
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from error
    with file as lines:
        yield read(lines)


@contextmanager
def _of_daemon(arguments: argparse.Namespace) -> Iterator[Iterator[Sequence[Span]]]:
    end = end_of(arguments)
    subscription = within(
        end,
        lambda: checked(
            confd_events.subscribe,
            "progress",
            address=arguments.address,
            verbosity=arguments.verbosity,
            buffer=_AHEAD,
        ),
    )
    with subscription, closed_at(end, subscription):
        # What is shown comes as soon as it is known.
        yield follow_batches(subscription, size=_BATCH, delay=1.0 if arguments.otlp else 0.0)


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
    if summary.lock_waits:
        yield from ("", "waits for the transaction lock")
        for wait in summary.lock_waits:
            held = ", ".join(
                sorted(
                    {
                        f"session {span.attributes.get('nso.usid')}, transaction "
                        f"{span.attributes.get('nso.tid')}"
                        for span in wait.holders
                    }
                )
            )
            yield f"{duration(wait.span.duration):>11}  held by {held or 'nobody that was seen'}"


def _row(total: Total) -> str:
    failed = f", {total.failed} failed" if total.failed else ""
    times = "once" if total.times == 1 else f"{total.times} times"
    longest = duration(total.longest)
    return f"{duration(total.self_time):>11}  {total.name}: {times}, longest {longest}{failed}"
