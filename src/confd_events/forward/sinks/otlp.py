"""Spans and log records for an OpenTelemetry collector, by OTLP/HTTP."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from itertools import chain
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, TypeVar
from urllib.parse import urlsplit

from ...traces import AttributeValue, LogRecord, Span, SpanAssembler
from ...traces._recording import progress_of
from ...traces.otlp import OtlpError, OtlpSender
from .._errors import BusyError
from .._log import logger
from .._record import payload_of
from ._tls import tls_context

if TYPE_CHECKING:
    from .._config import Table
    from .._record import Record

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_AT_ONCE = 512  # in a request
_WINDOW = 100_000  # µs for which what belongs to a log record may come later
_REMEMBERED = 2000  # finished spans of a node
_INFO, _WARN = 9, 13  # severity numbers


class OtlpSink:
    """Sends a span when it is finished, and what is no progress as a log record.

    It holds the records of spans that are open; after an error they come again, from the first.
    """

    def __init__(self, table: Table) -> None:
        self._url = table.text("url").rstrip("/")
        parts = urlsplit(self._url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise table.error("url", "expected one that begins with http:// or https://")
        if parts.username is not None or parts.password is not None:
            raise table.error("url", "has a user or a password; use token_env or token_file")
        token = table.secret("token")
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._timeout = table.seconds("timeout", 10.0) or 10.0
        self._context = tls_context(table, parts.scheme == "https", "https")
        self._logs = table.flag("logs", default=True)
        self._longest = round((table.seconds("longest", 600.0) or 600.0) * 1e6)
        self._nodes: dict[str, _Node] = {}

    def open(self) -> None:
        """Nothing: it connects when there is something to send."""

    def send(self, batch: Sequence[Record]) -> None:
        """Takes records, and sends what is finished with them."""
        for record in batch:
            try:
                envelope = record.envelope()
            except RecursionError:
                logger.error("record %d is too deep for OTLP, and left out", record.number)
                continue
            self._node(envelope["source"]).add(record.number, envelope)
        self._send_finished(is_idle=False)

    def idle(self) -> None:
        """Nothing more is there for now: sends what is finished by the time."""
        self._send_finished(is_idle=True)

    def held(self) -> int | None:
        """The number of the first record that has not all been sent; None when all have."""
        found = [node.held() for node in self._nodes.values()]
        return min((number for number in found if number is not None), default=None)

    def close(self) -> None:
        """Closes the connections, and forgets what is open: its records come again."""
        for node in self._nodes.values():
            node.close()
        self._nodes.clear()

    def _node(self, source: str) -> _Node:
        if source not in self._nodes:
            self._nodes[source] = _Node(source, self._sender, self._logs)
        return self._nodes[source]

    def _sender(self, path: str, resource: Mapping[str, AttributeValue]) -> OtlpSender:
        return OtlpSender(
            f"{self._url}{path}",
            headers=self._headers,
            resource=resource,
            timeout=self._timeout,
            patience=0.0,
            context=self._context,
        )

    def _send_finished(self, *, is_idle: bool) -> None:
        for node in self._nodes.values():
            node.send(is_idle, self._longest)


class _Told(NamedTuple):
    """A log record that waits for what belongs to it."""

    number: int
    usid: object
    record: LogRecord


class _Node:
    """What one daemon has reported."""

    def __init__(
        self,
        source: str,
        sender: Callable[[str, Mapping[str, AttributeValue]], OtlpSender],
        logs: bool,
    ) -> None:
        product, _, name = source.strip("/").partition("/")
        resource = {"service.name": product, "service.instance.id": name}
        self._traces = sender("/v1/traces", resource)
        self._logs = sender("/v1/logs", resource) if logs else None
        self._assembler = SpanAssembler(window=_WINDOW / 1e6)
        self._numbers: deque[int] = deque()
        """Of the records of progress that spans may wait with."""
        self._forgotten = 0
        """How many there were before those."""
        self._spans: list[Span] = []
        self._recent: deque[Span] = deque(maxlen=_REMEMBERED)
        self._told: deque[_Told] = deque()
        self._newest = 0

    def add(self, number: int, envelope: dict[str, Any]) -> None:
        progress = progress_of(envelope["data"])
        if progress is not None:
            self._numbers.append(number)
            self._newest = max(self._newest, progress["timestamp"])
            self._finished(self._assembler.add(progress))
            return
        payload, record = payload_of(envelope["data"]), _log_record(envelope)
        self._newest = max(self._newest, record.time)
        if self._logs is not None:
            self._told.append(_Told(number, _session(payload), record))

    def send(self, is_idle: bool, longest: int) -> None:
        """Sends what is finished; raises BusyError when that fails."""
        if is_idle:
            self._newest = max(self._newest, time.time_ns() // 1000)
        self._finished(self._assembler.advance(self._newest))
        self._finished(self._assembler.expire(self._newest - longest))
        told = self._due()
        with _telling_rejected(self._traces, "spans"):
            _send(self._traces.send, self._spans, _span_is)
        self._spans.clear()
        if self._logs is not None:
            with _telling_rejected(self._logs, "log records"):
                _send(self._logs.send_logs, told, lambda record: f"log record of {record.name}")
        for _ in told:
            self._told.popleft()

    def held(self) -> int | None:
        first = self._assembler.first_needed()
        while self._numbers and self._forgotten < first:
            self._numbers.popleft()
            self._forgotten += 1
        waiting = [each.number for each in self._told]
        if self._numbers:
            waiting.append(self._numbers[0])
        return min(waiting, default=None)

    def close(self) -> None:
        self._traces.close()
        if self._logs is not None:
            self._logs.close()

    def _finished(self, spans: list[Span]) -> None:
        self._spans += spans
        self._recent += spans

    def _due(self) -> list[LogRecord]:
        """The log records whose spans are known by now, with their ids."""
        due = []
        for told in self._told:
            if told.record.time > self._newest - 2 * _WINDOW:
                break
            due.append(self._within_span(told))
        return due

    def _within_span(self, told: _Told) -> LogRecord:
        """With the ids of the innermost span of its session that ran at its time."""
        at, found = told.record.time, None
        if told.usid is None:
            return told.record
        for span in chain(self._recent, self._assembler.running()):
            is_around = span.start <= at and (at <= span.end or span.end == span.start)
            if is_around and span.attributes.get("nso.usid") == told.usid:
                found = span if found is None or span.start >= found.start else found
        if found is None:
            return told.record
        return told.record._replace(trace_id=found.trace_id, span_id=found.span_id)


@contextmanager
def _telling_rejected(sender: OtlpSender, items: str) -> Iterator[None]:
    """Logs how many items the collector has answered not to have taken, though all else is well."""
    before = sender.stats().rejected
    try:
        yield
    finally:
        stats = sender.stats()
        if stats.rejected > before:
            count, reason = stats.rejected - before, stats.message or "no reason given"
            logger.error("%d %s are rejected and left out: %s", count, items, reason)


def _send(
    send: Callable[[Sequence[T]], None], items: Sequence[T], name: Callable[[T], str]
) -> None:
    """Sends items; what is refused, in halves, until what it is that is refused is known."""
    for start in range(0, len(items), _AT_ONCE):
        _send_part(send, items[start : start + _AT_ONCE], name)


def _send_part(
    send: Callable[[Sequence[T]], None], items: Sequence[T], name: Callable[[T], str]
) -> None:
    try:
        send(items)
    except OtlpError as error:
        if not error.refused:
            raise BusyError(str(error), error.seconds) from None
        if len(items) == 1:
            logger.error("%s is refused and left out: %s", name(items[0]), error)
            return
        middle = len(items) // 2
        _send_part(send, items[:middle], name)
        _send_part(send, items[middle:], name)


def _span_is(span: Span) -> str:
    return f"span {span.span_id} of trace {span.trace_id}"


def _session(payload: Mapping[str, Any]) -> object:
    user = payload.get("uinfo")
    return user.get("usid") if isinstance(user, Mapping) else payload.get("usid")


def _log_record(envelope: Mapping[str, Any]) -> LogRecord:
    data = envelope["data"]
    payload = payload_of(data)
    attributes: dict[str, AttributeValue] = {"log.record.uid": envelope["id"]}
    for key, value in payload.items():
        if isinstance(value, (str, int)):
            attributes[f"nso.{key}"] = value
        elif value is not None:
            attributes[f"nso.{key}"] = json.dumps(value)
    return LogRecord(
        time=_microseconds(envelope["time"]),
        observed=_microseconds(data["read_at"]) if "read_at" in data else None,
        name=envelope["type"],
        severity=_INFO if data["type"] else _WARN,
        body=str(payload.get("msg") or data["type_name"] or data["type"]),
        attributes=attributes,
    )


def _microseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
