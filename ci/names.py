"""Write the names of notifications, and their keys, for type checkers. Run it from the root.

A test compares what is committed with what this writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from inspect import cleandoc
from pathlib import Path
from textwrap import fill, indent
from typing import Callable

from confd_events.description.catalog import (
    CONSTANTS,
    NOTIFICATIONS,
    Field,
    Notification,
    class_name,
    spread,
)
from confd_events.enums import Notif, notif
from confd_events.subscription import (
    AsyncSubscription,
    Subscription,
    subscribe,
    subscribe_async,
)

STUB = Path("src/confd_events/subscription/_names.pyi")
KINDS = Path("src/confd_events/kinds.pyi")
TYPED = Path("src/confd_events/subscription/_typed.pyi")

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

# Each takes its own keys alone, for who asks for a wrong one.
# pyright: reportIncompatibleMethodOverride=false

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

TYPED_HEAD = '''\
"""subscribe() as type checkers see it: what it gives depends on its arguments. By ci/names.py.

Its result is a union of a Subscription for each argument that events come of. What one gives,
Of._event() says; None and False stand for an argument that is not given, of which nothing comes.
So type checkers make the union of the events themselves, of any names, and errors stay short.
"""

# What is asked for decides what comes; what is not asked for has a type all the same.
# pyright: reportIncompatibleMethodOverride=false, reportInvalidTypeVarUse=false

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Callable, Generic, Literal, NoReturn, Protocol, overload

from typing_extensions import TypeAlias, TypeVar

from .._address import Address
from ..enums import Notif, Verbosity
from ..kinds import {classes}
from . import _asyncio, _subscription
from ._backoff import Backoff
from ._event import Connected, Disconnected, Dropped, Event, Undecodable
from ._request import Seconds, Time, What

{aliases}
Off: TypeAlias = Literal[
    False,
    "wait",
    "raise",
{flags}]
WhenFull: TypeAlias = Literal["wait", "drop-oldest", "raise"]

Name1 = TypeVar("Name1", bound=What, default=Literal[False])
Name2 = TypeVar("Name2", bound=What, default=Literal[False])
Name3 = TypeVar("Name3", bound=What, default=Literal[False])
Names = TypeVar("Names", bound=What, default=Literal[False])
Again = TypeVar("Again", bound=bool | Backoff, default=Literal[False])
Full = TypeVar("Full", bound=WhenFull, default=Literal["wait"])
Check = TypeVar("Check", bound=float | timedelta | None, default=None)
Stream = TypeVar("Stream", bound=str | None, default=None)

Argument_co = TypeVar("Argument_co", default=object, covariant=True)
E = TypeVar("E")
E_co = TypeVar("E_co", covariant=True)

class Gives(Protocol[E_co]):
    def _event(self) -> E_co: ...

# What no argument is, but Any.
class Unknown: ...

class Of(Generic[Argument_co]):
    @overload
    def _event(self: Of[Unknown]) -> Event: ...
    @overload
    def _event(self: Of[Off | tuple[None] | tuple[None, None]]) -> NoReturn: ...
{events}\
    @overload
    def _event(self: Of[bool | Backoff]) -> Connected | Disconnected | Undecodable: ...
    @overload
    def _event(self: Of[WhenFull]) -> Dropped: ...
    @overload
    def _event(self: Of[tuple[float | timedelta | None]]) -> HealthCheckEvent: ...
    @overload
    def _event(self: Of[tuple[None, str | None]]) -> StreamEvent: ...
    @overload
    def _event(self) -> Event: ...

class Subscription(Of[Argument_co], _subscription.Subscription):
    def __iter__(self: Gives[E]) -> Iterator[E]: ...
    def __next__(self: Gives[E]) -> E: ...
    def next(self: Gives[E], timeout: Seconds | None = None) -> E | None: ...
    def batch(self: Gives[E], most: int, timeout: Seconds | None = None) -> list[E]: ...
    def wait_for(
        self: Gives[E], predicate: Callable[[E], object], timeout: Seconds | None = None
    ) -> E | None: ...

class AsyncSubscription(Of[Argument_co], _asyncio.AsyncSubscription):
    def __aiter__(self: Gives[E]) -> AsyncIterator[E]: ...
    async def __anext__(self: Gives[E]) -> E: ...
    async def next(self: Gives[E], timeout: Seconds | None = None) -> E | None: ...
    async def wait_for(
        self: Gives[E], predicate: Callable[[E], object], timeout: Seconds | None = None
    ) -> E | None: ...
'''

FUNCTION = '''
def {function}(
    what: Name1 = ...,
    what2: Name2 = ...,
    what3: Name3 = ...,
    /,
    *more: Names,
    address: Address | None = None,
    heartbeat: Seconds | None = None,
    health_check: Check = ...,
    stream: Stream = ...,
    start: Time = None,
    stop: Time = None,
    filter: str | None = None,  # noqa: A002
    usid: int = 0,
    verbosity: Verbosity | str | int | None = None,
    ack: Literal["auto", "manual"] = "auto",
    buffer: int | None = None,
    when_full: Full = ...,
    reconnect: Again = ...,
) -> (
    {result}[Name1]
    | {result}[Name2]
    | {result}[Name3]
    | {result}[Names]
    | {result}[Again]
    | {result}[Full]
    | {result}[tuple[Check]]
    | {result}[tuple[None, Stream]]
):
    """{doc}"""
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
    exported = "".join(f'    "{each}",\n' for each in sorted(map(class_name, NOTIFICATIONS)))
    head = f"{KINDS_HEAD}\n__all__: list[str] = [\n{exported}]\n"
    return head + "".join(map(kind_class, NOTIFICATIONS))


def names_by_kind() -> dict[str, list[str]]:
    """The names that ask for a kind alone, and the enumeration's, by its class; "" for no kind."""
    class_of = {notif(kind.name): class_name(kind) for kind in NOTIFICATIONS}
    class_of |= {notif(kind.sync): class_name(kind) for kind in NOTIFICATIONS if kind.sync}
    class_of[Notif.TAKEOVER_SYSLOG] = ""
    found: dict[str, list[str]] = {kind: [] for kind in class_of.values()}
    for name in names():
        kind = class_of.get(notif(name))
        if kind is not None:
            found[kind].append(f'"{name}"')
    for bit, kind in class_of.items():
        if bit.name in Notif.__members__:
            found[kind].append(f"Notif.{bit.name}")
    return found


def docstring(function: Callable[..., object]) -> str:
    """As it is in the source: Python 3.13 takes its indentation away."""
    text = cleandoc(function.__doc__ or "")
    return f"{indent(text, '    ').lstrip()}\n    "


def typed_functions() -> str:
    """The functions with their options, and their docstrings."""
    return "".join(
        FUNCTION.format(function=function.__name__, result=result.__name__, doc=docstring(function))
        for function, result in (
            (subscribe, Subscription),
            (subscribe_async, AsyncSubscription),
        )
    )


def typed_stub() -> str:
    """The third file."""
    by_kind = names_by_kind()
    flags = "".join(f"    {name},\n" for name in by_kind.pop(""))
    alias_of = {kind: kind.removesuffix("Event") + "Name" for kind in by_kind}
    aliases = (
        f"{alias_of[kind]}: TypeAlias = Literal[\n"
        + "".join(f"    {name},\n" for name in found)
        + "]\n"
        for kind, found in by_kind.items()
    )
    mark = "    @overload\n"
    events = (
        f"{mark}    def _event(self: Of[{name}]) -> {kind}: ...\n"
        for kind, name in alias_of.items()
    )
    classes = "(\n" + "".join(f"    {kind},\n" for kind in sorted(by_kind)) + ")"
    head = TYPED_HEAD.format(
        classes=classes, aliases="".join(aliases), flags=flags, events="".join(events)
    )
    return head + typed_functions()


if __name__ == "__main__":
    STUB.write_text(text(), encoding="utf-8")
    KINDS.write_text(kinds(), encoding="utf-8")
    TYPED.write_text(typed_stub(), encoding="utf-8")
