"""Names for the hashes in stream events, as a client loads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._terms import Atom, Term, text

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Schemas:
    """What a daemon knows about names."""

    namespaces: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    enumerations: dict[tuple[int, str], Mapping[int, str]] = field(default_factory=dict)

    def term(self) -> Term:
        """The answer to a client that loads the schemas."""
        return (
            Atom("schemas"),
            _pairs(self.namespaces),
            _pairs(self.names),
            [(ns, text(path), _pairs(of)) for (ns, path), of in self.enumerations.items()],
        )


def _pairs(names: Mapping[int, str]) -> list[Term]:
    return [(number, text(name)) for number, name in names.items()]
