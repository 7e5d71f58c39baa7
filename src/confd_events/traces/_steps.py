"""What a progress notification says, the same for each release of the daemon."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, Callable, NamedTuple

from .._render import readable
from ..enums import Database, ProgressType, label
from ._span import AttributeValue

START, STOP, INFO = int(ProgressType.START), int(ProgressType.STOP), int(ProgressType.INFO)

_FAILED = re.compile(
    r"\b(abort|aborted|denied|err|error|errors|fail|failed|failure|not ok|refused|rejected"
    r"|timed out|timeout|unreachable)\b",
    re.IGNORECASE,
)
# Keys of the notification that are attributes of the span, beside its annotation.
_ATTRIBUTES = {
    key: f"nso.{key}"
    for key in (
        "usid",
        "tid",
        "context",
        "subsystem",
        "phase",
        "service",
        "service_phase",
        "commit_queue_id",
        "node",
        "device",
        "device_phase",
        "package",
        "datastore",
    )
}
_DATASTORES = {int(member): label(member) for member in Database}

# Level 6.6 has but a text: "validate...", and then "validate ok" or "validate done".
_STARTS = re.compile(r"(?:entering )?(.+?)(?: phase)?\.\.\.")
_STOPS = re.compile(r"leaving (?P<phase>.+) phase|(?P<step>.+?):? (?P<result>ok|done|error|failed)")
_FINE = ("ok", "done", None)


class Step(NamedTuple):
    """A progress notification. Steps are in order by time, and then as they came."""

    time: int
    """µs since the epoch."""
    number: int
    """Which notification it is."""
    kind: int
    """START, STOP or INFO."""
    duration: int | None
    """Of a stop, how long it took, in µs; None if it does not say."""
    name: str
    progress: Mapping[str, Any]

    def common(self) -> Mapping[str, AttributeValue]:
        """Those attributes that a transaction's steps share: one object, as long as they do."""
        progress = self.progress
        keys = tuple(progress)
        shape = _shapes.get(keys) or _shape_of(keys)
        values = shape.values(progress)
        try:
            return shape.known.get(values) or shape.common(values)
        except TypeError:  # something that can't be a key
            return shape.named(values)

    def attributes(self) -> dict[str, AttributeValue]:
        """What it says beside its name and ids."""
        return {**self.common(), **self.own_attributes()}

    def own_attributes(self) -> dict[str, AttributeValue]:
        """What the step says for itself."""
        annotation, own = self.progress.get("annotation"), self.progress.get("attributes")
        found: dict[str, AttributeValue] = {}
        if annotation is not None:
            found["nso.annotation"] = _plain(annotation)
        if own:
            for key, value in own.items():
                found[_name_of(key)] = _plain(value)
        return found

    def error(self) -> str | None:
        """Why the step failed, None if it did not."""
        annotation: str | None = self.progress.get("annotation")
        return annotation if annotation and _FAILED.search(annotation) else None

    def subject(self) -> tuple[Any, ...]:
        """What it deals with, which is the same at its start and at its stop."""
        get = self.progress.get
        return get("device"), get("service"), get("subsystem")


class _Shape:
    """Which attributes a notification has: those of one kind have the same again and again.

    values -- takes their values out of a notification
    known -- the attributes by those values
    """

    __slots__ = ("_names", "known", "values")

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._names = [_ATTRIBUTES[key] for key in keys]
        self.known: dict[tuple[Any, ...], Mapping[str, AttributeValue]] = {}
        self.values: Callable[[Mapping[str, Any]], tuple[Any, ...]] = (
            itemgetter(*keys)
            if len(keys) > 1
            else lambda progress: tuple([progress[key] for key in keys])
        )

    def common(self, values: tuple[Any, ...]) -> Mapping[str, AttributeValue]:
        """The attributes with these values, for the next who asks, too."""
        found = self.known.get(values)
        if found is None:
            if len(self.known) >= _KNOWN:
                self.known.clear()
            found = self.known[values] = self.named(values)
        return found

    def named(self, values: tuple[Any, ...]) -> Mapping[str, AttributeValue]:
        """The attributes with these values."""
        found = {n: _plain(value) for n, value in zip(self._names, values) if value is not None}
        datastore: Any = found.get("nso.datastore")
        if datastore is not None:
            found["nso.datastore"] = _DATASTORES.get(datastore) or datastore
        return found


_KNOWN = 1024  # attributes of a shape
_SHAPES = 128
_shapes: dict[tuple[str, ...], _Shape] = {}
"""By all keys of a notification; a start and its stop have the same one."""
_shape = lru_cache(maxsize=_SHAPES)(_Shape)


def _shape_of(keys: tuple[str, ...]) -> _Shape:
    if len(_shapes) >= _SHAPES:
        _shapes.clear()
    return _shapes.setdefault(keys, _shape(tuple([key for key in keys if key in _ATTRIBUTES])))


@lru_cache(maxsize=1024)
def _name_of(key: str) -> str:
    return f"nso.{readable(key)}"


def step_of(progress: Mapping[str, Any], at: int | None, number: int = 0) -> Step:
    """The step that the payload of a progress notification tells.

    progress -- the payload, of any API level
    at -- µs since the epoch, for one that has no timestamp (before API level 7.7)
    number -- which notification it is

    Raises ValueError when there is no time at all.
    """
    get = progress.get
    time = get("timestamp", at)
    if time is None:
        raise ValueError("a progress notification without a timestamp needs the time it was read")
    kind, name = get("type"), get("msg") or "(no text)"
    if not name.isascii():
        name = readable(name)
    if kind is not None:
        # As Step(...), in half the time.
        return _new(Step, (time, number, kind, get("duration"), name, progress))
    return _step_of_text(time, number, name, progress)


_new = tuple.__new__


def _step_of_text(time: int, number: int, text: str, progress: Mapping[str, Any]) -> Step:
    start, stop = _STARTS.fullmatch(text), _STOPS.fullmatch(text)
    if start:
        return Step(time, number, START, None, start[1], progress)
    if stop is None:
        return Step(time, number, INFO, None, text, progress)
    if stop["result"] not in _FINE:
        progress = {**progress, "annotation": stop["result"]}
    name = stop["phase"] or stop["step"]
    return Step(time, number, STOP, progress.get("duration"), name, progress)


def _plain(value: AttributeValue) -> AttributeValue:
    return readable(value) if isinstance(value, str) else value
