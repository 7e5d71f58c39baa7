"""The spans that have begun and not ended: found by their ids, or by session and transaction."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from itertools import islice
from typing import Any

from ._span import AttributeValue, Span
from ._steps import Step


class OpenSpan:
    """A span that has begun.

    family -- under what it is found
    before -- the one of its family that began before it, and has not ended
    subject -- what it deals with
    common -- the attributes that its start shares with other steps
    own -- the attributes that its start said for itself, as it said them
    number -- which notification began it
    root -- the topmost span around it that was open when it began, or itself
    members -- of a root: the open spans within it
    latest -- of a root: the time of the last event within it, in µs since the epoch
    """

    __slots__ = (
        "before",
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
        family: tuple[Hashable, ...],
        parent: OpenSpan | None,
        common: Mapping[str, AttributeValue],
        own: Mapping[str, AttributeValue] | None,
        number: int,
    ) -> None:
        self.span = span
        self.family = family
        self.common = common
        self.own = own
        self.number = number
        self.subject = _NO_SUBJECT
        self.before: OpenSpan | None = None
        self.latest = span.start
        self.root: OpenSpan
        self.members: dict[OpenSpan, None]
        if parent is None:
            self.root, self.members = self, {self: None}
        else:
            self.root, self.members = parent.root, _NO_MEMBERS
            self.root.members[self] = None


_NO_SUBJECT: tuple[Any, ...] = (None, None, None)  # where the id says what it is
_NO_MEMBERS: dict[OpenSpan, None] = {}  # of what is no root


def family_of(said: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """What a step shares with the others of its span; without a span id, of its transaction."""
    get = said.get
    span_id = get("span_id")
    if span_id:
        return get("trace_id"), span_id
    return get("trace_id"), get("usid"), get("tid", get("thandle"))


class OpenSpans:
    """The open spans by family; one family has several where ids are repeated or missing."""

    def __init__(self) -> None:
        self._families: dict[Hashable, OpenSpan] = {}
        """The latest of each."""
        self.all: dict[OpenSpan, None] = {}
        """In the order in which they came."""

    def oldest(self, count: int) -> list[OpenSpan]:
        """Those that came first."""
        return list(islice(self.all, count))

    def enter(self, opened: OpenSpan) -> None:
        """Adds a span."""
        self.all[opened] = None
        opened.before = self._families.get(opened.family)
        self._families[opened.family] = opened

    def leave(self, opened: OpenSpan) -> None:
        """Takes a span away."""
        del self.all[opened]
        family, before = opened.family, opened.before
        after = self._families[family]
        if after is not opened:
            while after.before is not opened:
                assert after.before is not None
                after = after.before
            after.before = before
        elif before is not None:
            self._families[family] = before
        else:
            del self._families[family]

    def started_by(self, stop: Step) -> OpenSpan | None:
        """The span that a stop ends: of several, the one that began when the stop says."""
        said = stop.progress
        latest = self._families.get(family_of(said))
        if latest is None or (latest.before is None and said.get("span_id")):
            return latest
        family = list(_back_from(latest))
        if not said.get("span_id"):
            subject = stop.subject()
            family = [each for each in family if each.subject == subject and _is_named(each, stop)]
        if len(family) < 2 or stop.duration is None:
            return family[0] if family else None
        began = stop.time - stop.duration
        return min(family, key=lambda each: abs(each.span.start - began))

    def around(self, step: Step) -> OpenSpan | None:
        """The span in which an info happened."""
        if step.progress.get("span_id"):
            return self._families.get(family_of(step.progress))
        return self._innermost(step, step.time)

    def parent_of(self, step: Step, start: int) -> OpenSpan | None:
        """The open span around one that a step tells, and that began then."""
        get = step.progress.get
        span_id, parent = get("span_id"), get("parent_span_id")
        if not span_id:
            return self._innermost(step, start)
        if not parent or parent == span_id:
            return None
        return self._families.get((get("trace_id"), parent))

    def _innermost(self, step: Step, start: int) -> OpenSpan | None:
        """Without ids: the last one of the transaction that deals with the same device, or none."""
        device = step.progress.get("device")
        for each in _back_from(self._families.get(family_of(step.progress))):
            if each.span.start <= start and _agree(each.subject[0], device):
                return each
        return None


def _back_from(latest: OpenSpan | None) -> Iterator[OpenSpan]:
    """A family, from its latest to its oldest."""
    while latest is not None:
        yield latest
        latest = latest.before


def _agree(one: Any, other: Any) -> bool:
    return one is None or other is None or one == other


def _is_named(opened: OpenSpan, stop: Step) -> bool:
    # NSO 4.7 leaves out the verb: "run validation...", "validation done".
    name = opened.span.name
    return name == stop.name or ("type" not in stop.progress and name.endswith(f" {stop.name}"))
