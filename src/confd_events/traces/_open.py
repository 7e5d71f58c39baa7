"""The spans that have begun and not ended: found by their ids, or by session and transaction."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from ._span import AttributeValue, Span
from ._steps import Step


class OpenSpan:
    """A span that has begun.

    family -- under what it is found
    subject -- what it deals with
    common -- the attributes that its start shares with other steps
    own -- the attributes that its start said for itself, as it said them
    number -- which notification began it
    root -- the topmost span around it that was open when it began, or itself
    members -- of a root: the open spans within it
    latest -- of a root: the time of the last event within it, in µs since the epoch
    """

    __slots__ = (
        "common",
        "family",
        "latest",
        "members",
        "number",
        "own",
        "root",
        "span",
        "subject",
    )

    def __init__(
        self,
        span: Span,
        step: Step,
        parent: OpenSpan | None,
        common: Mapping[str, AttributeValue],
    ) -> None:
        self.span = span
        self.family = family_of(step)
        self.subject = step.subject()
        self.common = common
        self.number = step.number
        self.own = step.progress.get("attributes")
        self.root: OpenSpan = self if parent is None else parent.root
        self.members: dict[OpenSpan, None] = {}
        self.latest = span.start
        self.root.members[self] = None


def family_of(step: Step) -> tuple[Hashable, ...]:
    """What a step shares with the others of its span; without a span id, of its transaction."""
    get = step.progress.get
    span_id = get("span_id")
    if span_id:
        return get("trace_id"), span_id
    return get("trace_id"), get("usid"), get("tid", get("thandle"))


class OpenSpans:
    """The open spans by family; one family has several where ids are repeated or missing."""

    def __init__(self) -> None:
        self._families: dict[Hashable, list[OpenSpan]] = {}
        self._all: dict[OpenSpan, None] = {}

    def __len__(self) -> int:
        return len(self._all)

    def oldest(self, count: int) -> list[OpenSpan]:
        """Those that came first."""
        return [found for found, _ in zip(self._all, range(count))]

    def __iter__(self) -> Iterator[OpenSpan]:
        return iter(self._all)

    def enter(self, opened: OpenSpan) -> None:
        """Adds a span."""
        self._all[opened] = None
        self._families.setdefault(opened.family, []).append(opened)

    def leave(self, opened: OpenSpan) -> None:
        """Takes a span away."""
        del self._all[opened]
        family = self._families[opened.family]
        family.remove(opened)
        if not family:
            del self._families[opened.family]

    def started_by(self, stop: Step) -> OpenSpan | None:
        """The span that a stop ends: of several, the one that began when the stop says."""
        family = self._families.get(family_of(stop), ())
        if not stop.progress.get("span_id"):
            subject = stop.subject()
            family = [each for each in family if each.subject == subject and _is_named(each, stop)]
        if len(family) < 2 or stop.duration is None:
            return family[-1] if family else None
        began = stop.time - stop.duration
        return min(reversed(family), key=lambda each: abs(each.span.start - began))

    def around(self, step: Step) -> OpenSpan | None:
        """The span in which an info happened."""
        if step.progress.get("span_id"):
            family = self._families.get(family_of(step))
            return family[-1] if family else None
        return self._innermost(step, step.time)

    def parent_of(self, step: Step, start: int) -> OpenSpan | None:
        """The open span around one that a step tells, and that began then."""
        progress = step.progress
        if not progress.get("span_id"):
            return self._innermost(step, start)
        parent = progress.get("parent_span_id")
        if not parent or parent == progress["span_id"]:
            return None
        family = self._families.get((progress.get("trace_id"), parent))
        return family[-1] if family else None

    def _innermost(self, step: Step, start: int) -> OpenSpan | None:
        """Without ids: the last one of the transaction that deals with the same device, or none."""
        device = step.progress.get("device")
        candidates: Iterable[OpenSpan] = reversed(self._families.get(family_of(step), ()))
        for each in candidates:
            if each.span.start <= start and _agree(each.subject[0], device):
                return each
        return None


def _agree(one: Any, other: Any) -> bool:
    return one is None or other is None or one == other


def _is_named(opened: OpenSpan, stop: Step) -> bool:
    # NSO 4.7 leaves out the verb: "run validation...", "validation done".
    name = opened.span.name
    return name == stop.name or ("type" not in stop.progress and name.endswith(f" {stop.name}"))
