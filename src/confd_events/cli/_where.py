"""The conditions of monitor --where."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from confd_events._catalog import INLINE, NOTIFICATIONS
from confd_events.enums import notif


class Condition(NamedTuple):
    """A key of the payload, such as uinfo.username, and a pattern for its value."""

    path: tuple[str, ...]
    pattern: str

    def holds(self, payload: Mapping[str, Any]) -> bool:
        """Whether a value at the path matches; of a number, its name may match as well."""
        return any(fnmatchcase(text, self.pattern) for text in _texts(payload, self.path))

    def check(self, mask: int) -> None:
        """ValueError when no notification of the mask has such a key: nothing would come."""
        key, known = self.path[0], set(_keys(mask))
        if key not in known:
            close = get_close_matches(key, known) or sorted(known)
            raise ValueError(f"nothing asked for has a key {key!r}; perhaps {', '.join(close)}")


def condition(text: str) -> Condition:
    """A condition from an argument: KEY=PATTERN."""
    key, equals, pattern = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=PATTERN, such as user=adm*")
    return Condition(tuple(key.split(".")), pattern)


def _keys(mask: int) -> Iterator[str]:
    """The keys that payloads of these notifications may have."""
    for notification in NOTIFICATIONS:
        if mask & notif(notification.name):
            for field in notification.fields:
                for part in INLINE.get(field.type, (field,)):
                    yield from filter(None, (part.key, part.also))


def _texts(item: Any, path: tuple[str, ...]) -> Iterator[str]:
    """What is at the path, as text; in a list, what is at the path of any element."""
    if isinstance(item, list):
        for element in item:
            yield from _texts(element, path)
    elif not path:
        yield item if isinstance(item, str) else json.dumps(item)
    elif isinstance(item, Mapping):
        for key in (path[0], f"{path[0]}_name"):
            if key in item:
                yield from _texts(item[key], path[1:])
