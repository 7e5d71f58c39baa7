"""Names of subjects, topics and streams that depend on the record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._config import Table

_PLACES = ("node", "type")


class Naming:
    """Names after a pattern with {node} and {type} in it, such as "events.{type}.{node}"."""

    def __init__(self, table: Table, key: str, default: str, unfit: str = r"(?!)") -> None:
        """unfit -- what a node's name may have and these names may not, as a regular expression"""
        self.pattern = table.text(key, default)
        self._unfit = re.compile(unfit)
        self._names: dict[tuple[str, str], str] = {}  # by source and type, which are few
        try:
            parts = list(Formatter().parse(self.pattern))
        except ValueError as error:
            raise table.error(key, f"{self.pattern!r}: {error}") from error
        for _, place, how, conversion in parts:
            if place is not None and (place not in _PLACES or how or conversion):
                raise table.error(key, f"{{{place}}} is neither {{node}} nor {{type}}")

    def of(self, attributes: Mapping[str, str]) -> str:
        """The name for a record with these attributes."""
        key = attributes["source"], attributes["type"]
        if key not in self._names:
            node = self._unfit.sub("_", attributes["source"].rpartition("/")[2])
            self._names[key] = self.pattern.format(node=node, type=attributes["type"])
        return self._names[key]
