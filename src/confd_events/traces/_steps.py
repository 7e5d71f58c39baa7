"""What a progress notification says, the same for each release of the daemon."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from .._render import readable
from ..enums import Database, ProgressType, label
from ._span import AttributeValue

START, STOP, INFO = int(ProgressType.START), int(ProgressType.STOP), int(ProgressType.INFO)

_FAILED = re.compile(
    r"\b(abort|aborted|denied|err|error|errors|fail|failed|failure|not ok|refused|rejected"
    r"|timed out|timeout|unreachable)\b",
    re.IGNORECASE,
)
# Keys of the notification that are attributes of the span.
_ATTRIBUTES = {
    key: f"nso.{key}"
    for key in (
        "usid",
        "tid",
        "context",
        "subsystem",
        "annotation",
        "phase",
        "service",
        "service_phase",
        "commit_queue_id",
        "node",
        "device",
        "device_phase",
        "package",
    )
}
_DATASTORES = {int(member): label(member) for member in Database}

# Level 6.6 has but a text: "validate...", and then "validate ok" or "validate done".
_STARTS = re.compile(r"(?:entering )?(.+?)(?: phase)?\.\.\.")
_STOPS = re.compile(r"leaving (?P<phase>.+) phase|(?P<step>.+?):? (?P<result>ok|done|error|failed)")
_FINE = ("ok", "done", None)


class Step(NamedTuple):
    """A progress notification."""

    kind: int
    """START, STOP or INFO."""
    time: int
    """µs since the epoch."""
    duration: int | None
    """Of a stop, how long it took, in µs; None if it does not say."""
    name: str
    progress: Mapping[str, Any]

    def attributes(self) -> dict[str, AttributeValue]:
        """What it says beside its name and ids."""
        found: dict[str, AttributeValue] = {}
        for key, value in self.progress.items():
            name = _ATTRIBUTES.get(key)
            if name is not None and value is not None:
                found[name] = _plain(value)
        datastore = self.progress.get("datastore")
        if datastore is not None:
            found["nso.datastore"] = _DATASTORES.get(datastore, datastore)
        for key, value in self.progress.get("attributes", {}).items():
            found[f"nso.{readable(key)}"] = _plain(value)
        return found

    def error(self) -> str | None:
        """Why the step failed, None if it did not."""
        annotation: str | None = self.progress.get("annotation")
        return annotation if annotation and _FAILED.search(annotation) else None

    def subject(self) -> tuple[Any, ...]:
        """What it deals with, which is the same at its start and at its stop."""
        get = self.progress.get
        return get("device"), get("service"), get("subsystem")


def step_of(progress: Mapping[str, Any], at: int | None) -> Step:
    """The step that the payload of a progress notification tells.

    progress -- the payload, of any API level
    at -- µs since the epoch, for one that has no timestamp (before API level 7.7)

    Raises ValueError when there is no time at all.
    """
    time = progress.get("timestamp", at)
    if time is None:
        raise ValueError("a progress notification without a timestamp needs the time it was read")
    kind, name = progress.get("type"), readable(progress.get("msg") or "(no text)")
    if kind is not None:
        return Step(kind, time, progress.get("duration"), name, progress)
    return _step_of_text(time, name, progress)


def _step_of_text(time: int, text: str, progress: Mapping[str, Any]) -> Step:
    start, stop = _STARTS.fullmatch(text), _STOPS.fullmatch(text)
    if start:
        return Step(START, time, None, start[1], progress)
    if stop is None:
        return Step(INFO, time, None, text, progress)
    if stop["result"] not in _FINE:
        progress = {**progress, "annotation": stop["result"]}
    name = stop["phase"] or stop["step"]
    return Step(STOP, time, progress.get("duration"), name, progress)


def _plain(value: AttributeValue) -> AttributeValue:
    return readable(value) if isinstance(value, str) else value
