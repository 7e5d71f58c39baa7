"""One change of a transaction."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from .._events import C_DEFAULT
from .._render import MASK, plain_value, readable
from ._constants import (
    MOP_ATTR_SET,
    MOP_CREATED,
    MOP_DELETED,
    MOP_MODIFIED,
    MOP_MOVED_AFTER,
    MOP_VALUE_SET,
)

if TYPE_CHECKING:
    from .._events import HKeypathRef, Value

    Operation = Literal[
        "created", "deleted", "modified", "value-set", "default-set", "moved", "attribute-set"
    ]

_OPERATIONS: dict[int, Operation] = {
    MOP_CREATED: "created",
    MOP_DELETED: "deleted",
    MOP_MODIFIED: "modified",
    MOP_VALUE_SET: "value-set",
    MOP_MOVED_AFTER: "moved",
    MOP_ATTR_SET: "attribute-set",
}

# Leaves that hold a secret, by their names; and what encrypted and hashed values begin with.
_SECRET_NAME = re.compile(
    "passw(or)?d|passphrase|secret|community|(private|auth|priv|pre-shared|encryption)-?key",
    re.IGNORECASE,
)
_ENCRYPTED = re.compile(r"\$\w{1,3}\$")


class Change:
    """One change of a transaction."""

    __slots__ = ("attribute", "new", "old", "operation", "path")

    operation: Operation
    """created and deleted: an entry of a list, a presence container or a leaf. modified: something
    below an entry. value-set: a leaf. default-set: a leaf, back to its default. moved: an entry of
    a list that the user orders. attribute-set: an attribute of a node."""
    path: HKeypathRef
    """The node. str() is the path as text, path[0] the node's own element."""
    old: Value | None
    """The value that the leaf had before, where it was asked for and there was one, else None."""
    new: Value | tuple[Value, ...] | None
    """Of value-set the leaf's value, of attribute-set the attribute's (None: it was deleted), of
    moved the keys of the entry before (): it is the first now. Else None."""
    attribute: int | None
    """The number of the attribute that was set, else None."""

    def __init__(self, path: HKeypathRef, op: int, old: Value | None, new: Any) -> None:
        self.path = path
        self.old = old
        self.attribute = None
        self.operation = _OPERATIONS.get(op, "modified")
        if op == MOP_MOVED_AFTER:
            new = tuple(new or ())
        elif op == MOP_ATTR_SET and new is not None:
            number, new = new
            self.attribute = int(number)
        elif op == MOP_VALUE_SET and new is not None and new.confd_type() == C_DEFAULT:
            self.operation, new = "default-set", None
        self.new = new

    @property
    def is_secret(self) -> bool:
        """Whether the values look like a secret: by the leaf's name, or encrypted or hashed."""
        values = [value for value in (self.old, self.new) if value is not None]
        name = str(self.path[0]) if values and len(self.path) else ""
        return bool(_SECRET_NAME.search(name)) or any(
            _ENCRYPTED.match(str(value)) for value in values
        )

    def is_below(self, path: str) -> bool:
        """Whether the change is of a node, or below it; the path is text such as /ncs:devices."""
        own, above = str(self.path), path.rstrip("/")
        return own.startswith(above) and own[len(above) :][:1] in ("", "/", "{")

    def to_dict(self, *, secrets: bool = False) -> dict[str, Any]:
        """The change in plain types that JSON has.

        operation and path; old and new where they are; after, the keys of the entry before, of
        one that was moved; attribute, the number of one that was set. With `secrets`, values that
        look like secrets are shown; else they are masked.
        """
        found: dict[str, Any] = {"operation": self.operation, "path": readable(str(self.path))}
        hidden = not secrets and self.is_secret
        if self.attribute is not None:
            found["attribute"] = self.attribute
        if self.old is not None:
            found["old"] = MASK if hidden else plain_value(self.old)
        if isinstance(self.new, tuple):
            found["after"] = [plain_value(key) for key in self.new]
        elif self.new is not None:
            found["new"] = MASK if hidden else plain_value(self.new)
        return found

    def __repr__(self) -> str:
        shown = "".join(f" {key}={value!r}" for key, value in self.to_dict().items())
        return f"<Change{shown}>"
