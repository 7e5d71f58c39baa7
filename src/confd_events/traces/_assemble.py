"""Spans from progress notifications."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from itertools import chain, count
from typing import Any, NamedTuple

from ._ids import hashed, is_trace_id, span_id_of, trace_id_of
from ._open import OpenSpan, OpenSpans, family_of
from ._span import Link, Span, SpanEvent
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
        self._waiting: deque[Step] = deque()
        """In their order."""
        self._newest = self._taken = -(2**63)
        self._open = OpenSpans()
        self._opened = self._open.all
        self._ending: list[tuple[int, int, OpenSpan]] = []
        self._ended = count()
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
        self._take(progress, at)
        if self._waiting[0].time > self._newest - self._window and not self._ending:
            return self._passed() if len(self._waiting) > self._limit else []
        return self._passed()

    def add_all(self, burst: Iterable[Mapping[str, Any]]) -> list[Span]:
        """As add() for each of a burst, in less time.

        None of it is taken before all of it is there, so that what is late finds its place, too.
        """
        for progress in burst:
            self._take(progress, None)
        return self._passed()

    def _take(self, progress: Mapping[str, Any], at: int | None) -> None:
        """Puts a notification where it belongs among those that wait."""
        step = step_of(progress, at, self._events)
        self._events += 1
        waiting, time = self._waiting, step[0]
        if time >= self._newest:
            self._newest = time
            waiting.append(step)
            return
        if time < self._taken:
            self._late += 1
        if waiting and step < waiting[-1]:
            insort(waiting, step)
        else:
            waiting.append(step)

    def advance(self, time: int) -> list[Span]:
        """Says that it is that time now, in µs since the epoch; returns what is finished by then.

        For a live source that has nothing to say: without it, the last spans wait for the next
        notification.
        """
        self._newest = max(self._newest, time)
        return self._passed()

    def flush(self) -> list[Span]:
        """Ends all that is open, for nothing more will come; returns the spans."""
        found = self._passed(until=self._newest)
        for opened in self._open.oldest(len(self._opened)):
            self._cut(opened)
        return found + self._returned()

    def expire(self, before: int) -> list[Span]:
        """Ends what began before a time, in µs since the epoch; returns the incomplete spans."""
        while (oldest := self._open.oldest(1)) and oldest[0].span.start < before:
            self._cut(oldest[0])
        return self._returned()

    def running(self) -> list[Span]:
        """The spans that have begun and not ended; their end is their start."""
        return [opened.span for opened in self._opened]

    def first_needed(self) -> int:
        """Which notification, counted from 0, is the first that is not in spans given out.

        With those from there on a new assembler gives the spans that this one has not; how many
        were added when all are.
        """
        waiting = (step.number for step in self._waiting)
        begun = (opened.number for opened in self._opened)
        return min(chain(waiting, begun), default=self._events)

    def stats(self) -> AssemblerStats:
        """What was done until now."""
        return AssemblerStats(
            self._events,
            self._spans,
            len(self._opened),
            self._late,
            self._incomplete,
            self._evicted,
            self._repeated,
        )

    def _passed(self, until: int | None = None) -> list[Span]:
        """Takes what came until a time: None for what the window has passed."""
        waiting, ending = self._waiting, self._ending
        if until is None:
            until = self._newest - self._window
        while waiting and (waiting[0][0] <= until or len(waiting) > self._limit):
            step = waiting.popleft()
            time, kind = step[0], step[2]
            if ending and ending[0][0] < time:
                self._end_roots(time)
            if kind == START:
                self._start(step, time)
            elif kind == STOP:
                self._stop(step, time)
            else:
                self._tell(step)
            if time > self._taken:
                self._taken = time
        if ending and ending[0][0] < until:
            self._end_roots(until)
        return self._returned()

    def _returned(self) -> list[Span]:
        finished = self._finished
        if finished:
            self._finished = []
            self._spans += len(finished)
            return finished
        return []

    def _start(self, step: Step, time: int) -> None:
        self._begun(step, time)
        if len(self._opened) > self._limit:
            for opened in self._open.oldest(1 + self._limit // 100):
                self._cut(opened)
                self._evicted += 1

    def _stop(self, step: Step, time: int) -> None:
        opened = self._open.started_by(step)
        said = step.progress
        if opened is None:
            opened = self._begun(step, time - (step.duration or 0))
        elif step.common() is not opened.common:
            opened.span.attributes.update(step.attributes())
            _add_links(opened.span, said)
        elif "annotation" in said or "links" in said or opened.own != said.get("attributes"):
            opened.span.attributes.update(step.own_attributes())
            _add_links(opened.span, said)
        if "annotation" in said:
            opened.span.error = step.error()
        self._finish(opened, time)

    def _tell(self, step: Step) -> None:
        opened = self._open.around(step)
        if opened is None:
            self._finish(self._begun(_within(step), step.time), step.time)
            return
        span, known = opened.span, opened.span.attributes
        is_same = step.common() is opened.common
        said = step.own_attributes() if is_same else step.attributes()
        told = {name: value for name, value in said.items() if known.get(name) != value}
        span.events.append(SpanEvent(step.time, step.name, told))
        if "links" in step.progress:
            _add_links(span, step.progress)
        opened.root.latest = max(opened.root.latest, step.time)

    def _begun(self, step: Step, start: int) -> OpenSpan:
        time, number, _, _, name, said = step
        get = said.get
        parent = self._open.parent_of(step, start)
        trace_id, span_id = self._ids_of(step, start, parent)
        if parent is not None:
            parent_id: str | None = parent.span.span_id
        else:
            parent_id = get("parent_span_id")
            if parent_id:
                parent_id = span_id_of(parent_id) if parent_id != get("span_id") else None
        common = step.common()
        span = Span(trace_id, span_id, name, start, start, parent_id or None, dict(common))
        own = get("attributes")
        if own or "annotation" in said:
            span.attributes.update(step.own_attributes())
        if span_id is not get("span_id") or not is_trace_id(get("trace_id") or ""):
            _keep_ids(span, said)
        if "links" in said:
            _add_links(span, said)
        opened = OpenSpan(span, family_of(said), parent, common, own, number)
        if not get("span_id"):
            opened.subject = step.subject()
        self._open.enter(opened)
        if opened.root.latest < time:
            opened.root.latest = time
        return opened

    def _ids_of(self, step: Step, start: int, parent: OpenSpan | None) -> tuple[str, str]:
        """The trace id and the span id of a step that begins."""
        get = step.progress.get
        trace_text, span_text = get("trace_id"), get("span_id")
        if trace_text:
            trace_id = trace_id_of(trace_text)
        elif parent is not None:
            trace_id = parent.span.trace_id
        else:
            trace_id = hashed(32, *family_of(step.progress)[1:], start)
        if span_text:
            span_id = span_id_of(span_text)
        else:
            span_id = hashed(16, trace_id, step.name, *step.subject(), start)
        times = self._used.note((trace_id, span_id))
        if times:
            self._repeated += 1
            span_id = hashed(16, trace_id, span_id, start, times)
        return trace_id, span_id

    def _finish(self, opened: OpenSpan, end: int) -> None:
        span, root = opened.span, opened.root
        if end > span.start:
            span.end = end
        if end > root.latest:
            root.latest = end
        self._open.leave(opened)
        del root.members[opened]
        if opened is root and root.members:
            heappush(self._ending, (end + self._linger, next(self._ended), root))
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
        now = self._now
        times = now.get(key) or self._before.get(key, 0)
        if len(now) >= self._limit:
            self._before, self._now = now, {}
        self._now[key] = times + 1
        return times


def _within(info: Step) -> Step:
    """An info as a step of its own, within the span whose id it has."""
    progress = {**info.progress, "parent_span_id": info.progress.get("span_id"), "span_id": None}
    return info._replace(progress=progress)


def _keep_ids(span: Span, said: Mapping[str, Any]) -> None:
    """Keeps the ids as the daemon has them, where the span has others."""
    trace_text, span_text = said.get("trace_id"), said.get("span_id")
    if trace_text and not is_trace_id(trace_text):
        span.attributes["nso.trace_id"] = trace_text
    if span_text and span_text != span.span_id and span_text.lower() != span.span_id:
        span.attributes["nso.span_id"] = span_text


def _add_links(span: Span, said: Mapping[str, Any]) -> None:
    for link in said.get("links", ()):
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
