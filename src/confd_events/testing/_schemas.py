"""Names for the hashes in stream events, and the part of MAAPI by which a client loads them.

libconfd asks three times on one connection: for the namespaces with their types and nodes, for
the namespaces of mount points (there are none here), and for the names of all hashes. Each answer
is a list of terms that ends with the atom ``eof``.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ._terms import Atom, Term, Terms, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_LOAD_HASH_DB = 231
_LOAD_ALL_NS = 232
_LOAD_MNS_MAPS = 264

_EOF = Atom("eof")
_NONE = Atom("")
_NO_DEFAULT = Atom("not_found")

_XMLTAG = 2
_ENUM_VALUE = 28
_IS_CONTAINER = 1 << 8


class Step(NamedTuple):
    """One node of a schema path; `prefix` is empty where the path has none."""

    prefix: str
    name: str


class Enumeration(NamedTuple):
    """The labels of the values at a schema path that begins in the namespace `ns`."""

    ns: int
    path: tuple[Step, ...]
    labels: Mapping[int, str]


@dataclass
class _Node:
    """A node of the data model; one with labels is a leaf, any other a container."""

    ns: int
    tag: int
    labels: Mapping[int, str] = field(default_factory=dict)
    children: dict[tuple[int, int], _Node] = field(default_factory=dict)


def steps(path: str) -> tuple[Step, ...]:
    """The steps of an absolute path such as ``/ex:a/b``; ValueError for another text."""
    parts = [Step(*part.rpartition(":")[::2]) for part in path.split("/")[1:]]
    if not path.startswith("/") or not all(step.name for step in parts):
        raise ValueError(f"path must be absolute, such as /ex:servers/state: {path!r}")
    return tuple(parts)


class Schemas:
    """What a daemon knows about names."""

    def __init__(self) -> None:
        self.namespaces: dict[int, str] = {}
        self.names: dict[int, str] = {}
        self._enumerations: dict[tuple[int, tuple[Step, ...]], Enumeration] = {}
        self._made_up: dict[str, int] = {}

    def namespace(self, prefix: str) -> int:
        """The hash of the namespace that a prefix names; a new one for a new prefix."""
        known = (ns for ns, given in self.namespaces.items() if given == prefix)
        ns = next(known, None)
        if ns is None:
            ns = _made_up_hash(f"urn:{prefix}")
            self.namespaces[ns] = prefix
        return ns

    def tag(self, name: str) -> int:
        """The hash of a name; from now on clients learn it."""
        if name not in self._made_up:
            self._made_up[name] = self._tag(name)
        return self._made_up[name]

    def add_enumeration(self, ns: int, path: str, labels: Mapping[int, str]) -> None:
        """Names the values at a path; ValueError for a path that is not absolute."""
        made = Enumeration(ns, steps(path), dict(labels))
        self._enumerations[ns, made.path] = made

    def answer(self, operation: int) -> list[Term] | None:
        """What answers an operation of MAAPI; None for one that is not simulated."""
        if operation == _LOAD_ALL_NS:
            return [*self._models(), _EOF]
        if operation == _LOAD_MNS_MAPS:
            return [_EOF]
        if operation == _LOAD_HASH_DB:
            names = self._all_names()
            return [len(names), *((text(name), number) for number, name in names.items()), _EOF]
        return None

    def _all_names(self) -> dict[int, str]:
        """The names that were given, and those of paths that have a hash by `_tag` alone."""
        used = (step.name for made in self._enumerations.values() for step in made.path)
        made_up = {number: name for name, number in self._made_up.items()}
        return {**self.names, **made_up, **{self._tag(name): name for name in used}}

    def _tag(self, name: str) -> int:
        """The hash of a name: the one given, else one made up."""
        known = (number for number, given in self.names.items() if given == name)
        return next(known, _made_up_hash(name))

    def _models(self) -> Iterator[Terms]:
        """Each namespace: its head, its types and nodes, its end."""
        prefixes = dict(self.namespaces)
        for made in self._enumerations.values():
            prefixes.setdefault(made.ns, made.path[0].prefix or f"ns{made.ns}")
        for ns, prefix in prefixes.items():
            uri = self.names.get(ns, f"urn:{prefix}")
            yield Atom("ns"), text(uri), text(prefix), ns
            yield from _Model(ns, self._tops(ns, prefixes)).terms()

    def _tops(self, ns: int, prefixes: Mapping[int, str]) -> Iterable[_Node]:
        """The top nodes of a namespace, as far as there are enumerations below."""
        namespaces = {prefix: number for number, prefix in prefixes.items()}
        root = _Node(ns, 0)
        for made in self._enumerations.values():
            if made.ns == ns:
                node = root
                for step in made.path:
                    child = _Node(namespaces.get(step.prefix, node.ns), self._tag(step.name))
                    node = node.children.setdefault((child.ns, child.tag), child)
                node.labels = made.labels
        return root.children.values()


class _Model:
    """The terms of one namespace. A node is sent after those that it refers to by number."""

    def __init__(self, ns: int, tops: Iterable[_Node]) -> None:
        self._ns = ns
        self._types: list[Terms] = []
        self._nodes: list[Terms] = []
        self._parents: list[Terms] = []
        self._top = _first(self._add(tops))

    def terms(self) -> list[Terms]:
        """The types, the nodes, and what joins these to a tree."""
        if not self._nodes:
            return [(Atom("notree"),)]
        ends: list[Terms] = [(Atom("root"), self._top), (Atom("parent"), [*self._parents])]
        return [*self._types, *self._nodes, *ends]

    def _add(self, siblings: Iterable[_Node]) -> list[int]:
        """Adds nodes, and those below; returns their numbers."""
        numbers: list[int] = []
        for node in reversed([*siblings]):
            below = self._add(node.children.values())
            number = self._add_one(node, _first(below), _first(numbers))
            self._parents += [(child, number) for child in below]
            numbers.insert(0, number)
        return numbers

    def _add_one(self, node: _Node, below: int, following: int) -> int:
        number = len(self._nodes) + 1
        keys, choices, compare = 0, 0, 0
        if node.labels:
            kind, flags = _ENUM_VALUE, 0
            type_of: Terms = (self._ns, self._add_type(node.labels))
        else:
            kind, flags, type_of = _XMLTAG, _IS_CONTAINER, (0, _NONE)
        occurs = (0, 1)
        self._nodes.append(
            (
                *(Atom("node"), number, node.tag, node.ns, keys, *occurs, kind, *type_of),
                *(_NO_DEFAULT, flags, below, following, choices, compare, []),
            )
        )
        return number

    def _add_type(self, labels: Mapping[int, str]) -> Atom:
        name = Atom(f"enumeration-{len(self._types)}")
        values = [(text(label), number, 0) for number, label in labels.items()]
        self._types.append((Atom("type"), Atom("enum"), name, 0, _NONE, values))
        return name


def _made_up_hash(name: str) -> int:
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


def _first(numbers: list[int]) -> int:
    """The first node of some siblings, 0 for none."""
    return numbers[0] if numbers else 0
