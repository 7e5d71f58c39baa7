"""Spans from progress notifications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from itertools import count
from typing import Any, NamedTuple

from ._ids import hashed, span_id_of, trace_id_of
from ._open import OpenSpan, OpenSpans, family_of
from ._span import AttributeValue, Link, Span, SpanEvent
from ._steps import START, STOP, Step, step_of


class AssemblerStats(NamedTuple):
    """What a SpanAssembler has done."""

    events: int
    """Notifications that were added."""
    spans: int
    """Spans that were returned."""
    open: int
    """Spans that have begun and not ended."""
    late: int
    """Notifications that came behind the window, and were taken as they came."""
    incomplete: int
    """Spans whose end was not seen."""
    evicted: int
    """Those of them that were closed because there were too many open ones."""
    repeated: int
    """Spans that got an id of their own, for theirs had been used in the trace."""


class SpanAssembler:
    """Takes progress notifications, returns finished spans.

    window -- seconds. Notifications are taken in the order of their timestamps; one may come this
        much later than one with a later timestamp
    linger -- seconds that an open span waits for its end after the span around all has ended
    limit -- how many spans may be open, and how many notifications wait within the window; the
        oldest go first

    It never looks at a clock: time passes by the timestamps of the notifications, and by
    advance(). Every notification gets into a span:

    - A stop whose start was not seen is a span as long as it says.
    - A span whose end was not seen ends with the last event of its transaction, and is marked as
      incomplete.
    - What is told within a span is an event of the span; outside of any, a span of no length.
    - A span keeps its parent, also one that this assembler has not seen.
    - A span id that comes again in its trace is replaced; the attribute nso.span_id keeps it.
    - An id that W3C's form does not take is replaced by a hash; attributes nso.trace_id and
      nso.span_id keep it.
    - Before API level 8.2 there are no span ids; spans are told apart by session, transaction,
      device and text.

    Raises ValueError for a window, a linger or a limit that is negative.
    """

    def __init__(self, *, window: float = 0.1, linger: float = 5.0, limit: int = 100_000) -> None:
        for name, value in (("window", window), ("linger", linger), ("limit", limit)):
            if not value >= 0:
                raise ValueError(f"{name} must not be negative, but is {value!r}")
        self._window = round(window * 1_000_000)
        self._linger = round(linger * 1_000_000)
        self._limit = limit
        self._arrivals = count()
        self._waiting: list[tuple[int, int, Step]] = []
        self._newest = self._taken = -(2**63)
        self._open = OpenSpans()
        self._ending: list[tuple[int, int, OpenSpan]] = []
        self._used = _Used(limit)
        self._finished: list[Span] = []
        self._spans = self._late = self._incomplete = self._evicted = self._repeated = 0
        self._events = 0

    def add(self, progress: Mapping[str, Any], at: int | None = None) -> list[Span]:
        """Takes a notification; returns the spans that are finished with it, in their order.

        progress -- the payload of a progress or commit-progress notification
        at -- when it was read, in µs since the epoch; for one without a timestamp, as daemons
            before API level 7.7 send them

        Raises ValueError when it has no timestamp, and `at` is None.
        """
        step = step_of(progress, at)
        self._events += 1
        if step.time < self._taken:
            self._late += 1
        heappush(self._waiting, (step.time, next(self._arrivals), step))
        self._newest = max(self._newest, step.time)
        return self._passed()

    def advance(self, time: int) -> list[Span]:
        """Says that it is that time now, in µs since the epoch; returns what is finished by then.

        For a live source that has nothing to say: without it, the last spans wait for the next
        notification.
        """
        self._newest = max(self._newest, time)
        return self._passed()

    def flush(self) -> list[Span]:
        """Ends all that is open, for nothing more will come; returns the spans."""
        while self._waiting:
            self._take(heappop(self._waiting)[2])
        for opened in self._open.oldest(len(self._open)):
            self._cut(opened)
        return self._returned()

    def stats(self) -> AssemblerStats:
        """What was done until now."""
        return AssemblerStats(
            self._events,
            self._spans,
            len(self._open),
            self._late,
            self._incomplete,
            self._evicted,
            self._repeated,
        )

    def _passed(self) -> list[Span]:
        """Takes what the window has passed."""
        waiting, until = self._waiting, self._newest - self._window
        while waiting and (waiting[0][0] <= until or len(waiting) > self._limit):
            time, _, step = heappop(waiting)
            if self._ending and self._ending[0][0] < time:
                self._end_roots(time)
            self._take(step)
            self._taken = max(self._taken, time)
        self._end_roots(until)
        return self._returned()

    def _returned(self) -> list[Span]:
        finished, self._finished = self._finished, []
        self._spans += len(finished)
        return finished

    def _take(self, step: Step) -> None:
        if step.kind == START:
            self._start(step)
        elif step.kind == STOP:
            self._stop(step)
        else:
            self._tell(step)

    def _start(self, step: Step) -> None:
        self._begun(step, step.time)
        if len(self._open) > self._limit:
            for opened in self._open.oldest(1 + self._limit // 100):
                self._cut(opened)
                self._evicted += 1

    def _stop(self, step: Step) -> None:
        opened = self._open.started_by(step)
        if opened is None:
            opened = self._begun(step, step.time - (step.duration or 0))
        else:
            opened.span.attributes.update(step.attributes())
            _add_links(opened.span, step)
        opened.span.error = step.error()
        self._finish(opened, step.time)

    def _tell(self, step: Step) -> None:
        opened = self._open.around(step)
        if opened is None:
            self._finish(self._begun(_within(step), step.time), step.time)
            return
        span = opened.span
        told = {
            name: value
            for name, value in step.attributes().items()
            if span.attributes.get(name) != value
        }
        span.events.append(SpanEvent(step.time, step.name, told))
        _add_links(span, step)
        opened.root.latest = max(opened.root.latest, step.time)

    def _begun(self, step: Step, start: int) -> OpenSpan:
        parent = self._open.parent_of(step, start)
        get = step.progress.get
        trace_id = _trace_id(step, start, parent)
        span_text, parent_text = get("span_id"), get("parent_span_id")
        if span_text:
            wanted = span_id_of(span_text)
        else:
            wanted = hashed(16, trace_id, step.name, *step.subject(), start)
        span = Span(trace_id, self._unused(trace_id, wanted, start), step.name, start, start)
        if parent is not None:
            span.parent_id = parent.span.span_id
        elif parent_text and parent_text != span_text:
            span.parent_id = span_id_of(parent_text)
        span.attributes = {**step.attributes(), **_replaced(step, span)}
        _add_links(span, step)
        opened = OpenSpan(span, step, parent)
        self._open.enter(opened)
        opened.root.latest = max(opened.root.latest, step.time)
        return opened

    def _unused(self, trace_id: str, wanted: str, start: int) -> str:
        times = self._used.note((trace_id, wanted))
        if not times:
            return wanted
        self._repeated += 1
        return hashed(16, trace_id, wanted, start, times)

    def _finish(self, opened: OpenSpan, end: int) -> None:
        span, root = opened.span, opened.root
        span.end = max(end, span.start)
        root.latest = max(root.latest, end)
        self._open.leave(opened)
        del root.members[opened]
        if opened is root and root.members:
            heappush(self._ending, (end + self._linger, next(self._arrivals), root))
        self._finished.append(span)

    def _end_roots(self, until: int) -> None:
        """Ends what is open within roots that ended long enough ago."""
        while self._ending and self._ending[0][0] < until:
            for opened in list(heappop(self._ending)[2].members):
                self._cut(opened)

    def _cut(self, opened: OpenSpan) -> None:
        opened.span.incomplete = True
        opened.span.attributes["nso.incomplete"] = True
        self._incomplete += 1
        self._finish(opened, opened.root.latest)


class _Used:
    """How often keys were noted; it forgets those of long ago."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._now: dict[tuple[str, str], int] = {}
        self._before: dict[tuple[str, str], int] = {}

    def note(self, key: tuple[str, str]) -> int:
        """Notes a key, and returns how often it was noted before."""
        times = self._now.get(key) or self._before.get(key, 0)
        if len(self._now) >= self._limit:
            self._before, self._now = self._now, {}
        self._now[key] = times + 1
        return times


def _within(info: Step) -> Step:
    """An info as a step of its own, within the span whose id it has."""
    progress = {**info.progress, "parent_span_id": info.progress.get("span_id"), "span_id": None}
    return info._replace(progress=progress)


def _trace_id(step: Step, start: int, parent: OpenSpan | None) -> str:
    text = step.progress.get("trace_id")
    if text:
        return trace_id_of(text)
    if parent is not None:
        return parent.span.trace_id
    return hashed(32, *family_of(step)[1:], start)


def _replaced(step: Step, span: Span) -> dict[str, AttributeValue]:
    """The ids as the daemon has them, where the span has others."""
    trace_text, span_text = step.progress.get("trace_id"), step.progress.get("span_id")
    replaced: dict[str, AttributeValue] = {}
    if trace_text and trace_text.replace("-", "").lower() != span.trace_id:
        replaced["nso.trace_id"] = trace_text
    if span_text and span_text.lower() != span.span_id:
        replaced["nso.span_id"] = span_text
    return replaced


def _add_links(span: Span, step: Step) -> None:
    for link in step.progress.get("links", ()):
        found = Link(trace_id_of(link.trace_id), span_id_of(link.span_id))
        if found not in span.links:
            span.links.append(found)


def spans(
    progress: Iterable[Mapping[str, Any]], *, window: float = 0.1, linger: float = 5.0
) -> Iterator[Span]:
    """The spans of payloads of progress notifications, as they are finished; at the end, all.

    window, linger -- as for SpanAssembler
    """
    assembler = SpanAssembler(window=window, linger=linger)
    for each in progress:
        yield from assembler.add(each)
    yield from assembler.flush()
