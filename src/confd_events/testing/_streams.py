"""Event streams: their replay logs, and what a subscription to one may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._notifications import encode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_PAIRS = {")": "(", "]": "["}


class Stream:
    """A named stream; `replay` tells whether it keeps a log."""

    def __init__(self, name: str, replay: bool) -> None:
        self.name = name
        self._log: list[tuple[datetime, bytes]] | None = [] if replay else None

    @property
    def has_log(self) -> bool:
        """Whether its events can be replayed."""
        return self._log is not None

    def record(self, time: datetime, frame: bytes) -> None:
        """Logs an event, when the stream keeps a log."""
        if self._log is not None:
            self._log.append((time, frame))

    def replay(self, start: datetime, stop: datetime | None) -> Iterator[bytes]:
        """The frames of a replay: the logged events after `start` and up to `stop`, and its end."""
        if self._log is None:
            error = f"stream {self.name} has no replay log"
            yield encode("stream_replay_failed", stream=self.name, error=error)
            return
        for time, frame in self._log:
            if time > start and (stop is None or time <= stop):
                yield frame
        yield encode("stream_replay_complete", stream=self.name)


def xpath_error(expression: str) -> str | None:
    """What is wrong with an XPath expression, None when it may compile.

    A simple check: the expression is not blank, and quotes, parentheses and brackets are balanced.
    """
    if not expression.strip():
        return "empty expression"
    open_brackets: list[str] = []
    quote = ""
    for char in expression:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([":
            open_brackets.append(char)
        elif char in _PAIRS and (not open_brackets or open_brackets.pop() != _PAIRS[char]):
            return f"unexpected {char}"
    return "unbalanced quotes or brackets" if quote or open_brackets else None
