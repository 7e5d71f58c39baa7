"""Write the names of notifications, and their keys, for type checkers. Run it from the root.

A test compares what is committed with what this writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import fill

from confd_events.description.catalog import (
    CONSTANTS,
    NOTIFICATIONS,
    Field,
    Notification,
    class_name,
    spread,
)
from confd_events.enums import Notif

STUB = Path("src/confd_events/subscription/_names.pyi")
KINDS = Path("src/confd_events/kinds.pyi")

HEAD = '''\
"""The names that subscribe() takes, and the keys of events. Written by ci/names.py.

At run time more spellings of names will do, see confd_events.enums.notif(); for a name that may be
any text, write subscribe(notif(name)). For a key that may be any text, write event.payload[key].
"""

from typing import Literal

from typing_extensions import TypeAlias

'''

KINDS_HEAD = '''\
"""The classes of notifications, and the types of their keys. Written by ci/names.py."""

from typing import Literal, TypeVar, overload

from ._events import (
    DateTime,
    ProgressLink,
    SnmpVarbind,
    TagValue,
    TransCtxRef,
    UserInfo,
    Value,
)
from .enums import Notif
from .payloads import HaNode
from .subscription import Event

T = TypeVar("T")
'''

# Of markers: what happened to the subscription itself.
MARKERS = ("attempts", "count", "error", "gap")


def names() -> list[str]:
    """Each notification as label() writes it, as the member of Notif, and as its constants."""
    constants = [name for name in CONSTANTS if name.startswith(("NOTIF_", "NCS_NOTIF_"))]
    constants = [name for name in constants if "_FLAG_" not in name]
    members = {name.partition("NOTIF_")[2] for name in constants} | {*Notif.__members__}
    labels = {name.lower().replace("_", "-") for name in members}
    return sorted(labels) + sorted(members) + sorted(constants)


def keys(fields: Iterable[Field]) -> Iterator[str]:
    """The keys that the fields are in a dict."""
    for field in spread(fields):
        yield from filter(None, (field.key, field.also))


def alias(name: str, texts: Iterable[str]) -> str:
    """The definition of a type."""
    return f"{name}: TypeAlias = Literal[\n" + "".join(f'    "{each}",\n' for each in texts) + "]\n"


def text() -> str:
    """The file."""
    known = {key for kind in NOTIFICATIONS for key in keys(kind.fields)}
    return HEAD + alias("Name", names()) + alias("Key", sorted({*known, *MARKERS}))


def typed(fields: Iterable[Field]) -> list[tuple[str, str]]:
    """The keys with the types of their values; of enumerations int, for numbers without a name."""
    return [(key, field.type) for field in spread(fields) for key in keys([field])]


def getters(types: list[tuple[str, str]]) -> Iterator[str]:
    """__getitem__() of a class."""
    if len(types) == 1:  # no overload then
        ((key, kind),) = types
        head = f'    def __getitem__(self, key: Literal["{key}"]) -> {kind}: ...'
        yield f"{head}  # type: ignore[override]\n"
        return
    mark = "    @overload  # type: ignore[override]\n"
    for key, kind in types:
        yield f'{mark}    def __getitem__(self, key: Literal["{key}"]) -> {kind}: ...\n'
        mark = "    @overload\n"


def gets(types: list[tuple[str, str]]) -> Iterator[str]:
    """get() of a class: keys whose values have one type together."""
    by_type: dict[str, list[str]] = {}
    for key, kind in types:
        by_type.setdefault(kind, []).append(key)
    mark = "    @overload  # type: ignore[override]\n"
    for kind, keys_of_it in by_type.items():
        key = "Literal[" + ", ".join(f'"{each}"' for each in keys_of_it) + "]"
        for head, result in ((f"self, key: {key}", "None"), (f"self, key: {key}, default: T", "T")):
            short = f"    def get({head}) -> {kind} | {result}: ...\n"
            yield mark + (short if len(short) <= 101 else spread_out(kind, keys_of_it, result))
            mark = "    @overload\n"


def spread_out(kind: str, keys_of_it: list[str], result: str) -> str:
    """The same over several lines."""
    literal = "".join(f'            "{each}",\n' for each in keys_of_it)
    default = "        default: T,\n" if result == "T" else ""
    return (
        f"    def get(\n        self,\n        key: Literal[\n{literal}        ],\n"
        f"{default}    ) -> {kind} | {result}: ...\n"
    )


def kind_class(kind: Notification) -> str:
    """The class of a notification's events."""
    member = kind.name.partition("NOTIF_")[2]
    doc = fill(f'"""{kind.doc}', 93, subsequent_indent="    ")
    end = '\n    """' if "\n" in doc else '"""'
    head = f"\nclass {class_name(kind)}(Event):\n    {doc}{end}\n\n"
    head += f"    @property\n    def type(self) -> Literal[Notif.{member}]: ...\n"
    types = typed(kind.fields)
    return head + "".join(getters(types)) + "".join(gets(types))


def kinds() -> str:
    """The other file."""
    return KINDS_HEAD + "".join(map(kind_class, NOTIFICATIONS))


if __name__ == "__main__":
    STUB.write_text(text(), encoding="utf-8")
    KINDS.write_text(kinds(), encoding="utf-8")
