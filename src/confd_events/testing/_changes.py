"""What a simulated transaction changes, as a test writes it and as it crosses the socket."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from confd_events.maapi import (
    MOP_ATTR_SET,
    MOP_CREATED,
    MOP_DELETED,
    MOP_MODIFIED,
    MOP_MOVED_AFTER,
    MOP_VALUE_SET,
)

from ._terms import Improper, Term
from .value import of

if TYPE_CHECKING:
    from ._schemas import Schemas

_ELEMENT = re.compile(
    r'/(?:(?P<prefix>[^/{}:\s]+):)?(?P<name>[^/{}:\s]+)|\{(?P<keys>(?:"(?:\\.|[^"\\])*"|[^"}])*)\}',
    re.DOTALL,
)
_KEY = re.compile(r'"((?:\\.|[^"\\])*)"|([^ "]+)', re.DOTALL)


_OPERATIONS = {
    "created": MOP_CREATED,
    "deleted": MOP_DELETED,
    "modified": MOP_MODIFIED,
    "value-set": MOP_VALUE_SET,
    "moved-after": MOP_MOVED_AFTER,
    "attr-set": MOP_ATTR_SET,
}


class DataChange(NamedTuple):
    """One change of a transaction, for `Daemon.commit_diff(changes=...)`.

    Args:
        op: created, deleted, modified, value-set, moved-after or attr-set.
        path: where, such as ``/ex:servers/server{www}/port``; a key with blanks is in quotes.
        new: the value that a leaf has now; of moved-after the keys of the entry before, in a
            list; of attr-set a list of the attribute's number and its value.
        old: the value that a leaf has before, in the datastore.

    Names get hashes, and prefixes namespaces, that a client learns when it loads the schemas.
    """

    op: str
    path: str
    new: object = None
    old: object = None

    def check(self) -> None:
        """Raises ValueError or TypeError when the change can't be sent."""
        self._operation()
        for part in parts(self.path):
            if isinstance(part, list) and not part:
                raise ValueError(f"path: braces without a key in {self.path!r}")
        self.old_term()
        self.new_term()

    def term(self, names: Schemas) -> tuple[list[object], int, object, object]:
        """As the daemon sends it: path, operation, old and new value. It never sends the old."""
        return self.path_term(names), self._operation(), None, self.new_term()

    def path_term(self, names: Schemas) -> list[object]:
        """The path, from the node up to the root."""
        return path_term(self.path, names)

    def old_term(self) -> Term | None:
        """The value before; None when there is none."""
        return None if self.old is None else of(self.old)

    def new_term(self) -> Term | None:
        """The value after, of a move or an attribute its values; None when there is none."""
        if self._operation() in (MOP_MOVED_AFTER, MOP_ATTR_SET):
            if not isinstance(self.new, (list, tuple, type(None))):
                raise TypeError(f"new: of {self.op} expected a list, not {self.new!r}")
            return tuple(None if v is None else of(v) for v in self.new or ())
        return None if self.new is None else of(self.new)

    def _operation(self) -> int:
        if self.op not in _OPERATIONS:
            raise ValueError(f"op: {self.op!r} is none of {', '.join(_OPERATIONS)}")
        return _OPERATIONS[self.op]


def parts(path: str) -> list[tuple[str, str] | list[bytes]]:
    """The elements of a path from the root: a prefix ("" for none) and a name, or keys.

    Raises ValueError for text that is no path.
    """
    found: list[tuple[str, str] | list[bytes]] = []
    at = 0
    while at < len(path):
        element = _ELEMENT.match(path, at)
        if element is None or (element["keys"] is not None and not found):
            raise ValueError(f"path: {path!r} is no path such as /ex:servers/server{{www}}/port")
        if element["keys"] is None:
            found.append((element["prefix"] or "", element["name"]))
        else:
            found.append([_unquoted(key).encode() for key in _KEY.finditer(element["keys"])])
        at = element.end()
    return found


def _unquoted(key: re.Match[str]) -> str:
    quoted, plain = key.groups()
    return plain if quoted is None else re.sub(r"(?s)\\(.)", r"\1", quoted)


def path_term(path: str, names: Schemas) -> list[object]:
    """From the node up to the root: a tag with its namespace where that changes, else alone."""
    terms: list[object] = []
    ns = 0
    for part in parts(path):
        if isinstance(part, list):
            terms.append(tuple(part))
            continue
        prefix, name = part
        above, ns = ns, names.namespace(prefix) if prefix else ns
        terms.append(names.tag(name) if ns == above else Improper((ns,), names.tag(name)))
    return terms[::-1]
