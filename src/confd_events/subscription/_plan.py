"""The options of subscribe() and subscribe_async(): their list, and their check."""

from __future__ import annotations

from functools import update_wrapper
from types import FunctionType
from typing import TYPE_CHECKING, Callable, NamedTuple, TypeVar

from ..error import Error
from ._backoff import Backoff, backoff_of
from ._buffer import POLICIES
from ._reader import Reader
from ._request import Seconds, Time, What, request

if TYPE_CHECKING:
    from typing_extensions import Literal, ParamSpec

    from .._address import Address
    from ..enums import Verbosity

    P = ParamSpec("P")

T = TypeVar("T")


class Plan(NamedTuple):
    """A subscription's options, checked."""

    reader: Reader
    manual: bool
    buffer: int | None
    when_full: str


# Named as users know it: Python's error about an unknown option has this name.
def subscribe(
    *what: What,
    address: Address | None = None,
    heartbeat: Seconds | None = None,
    health_check: Seconds | None = None,
    stream: str | None = None,
    start: Time = None,
    stop: Time = None,
    filter: str | None = None,  # noqa: A002, the field's own term
    usid: int = 0,
    verbosity: Verbosity | str | int | None = None,
    ack: Literal["auto", "manual"] = "auto",
    buffer: int | None = None,
    when_full: Literal["wait", "drop-oldest", "raise"] = "wait",
    reconnect: bool | Backoff = False,
) -> Plan:
    """Checks the options. Raises TypeError, ValueError or OverflowError for one that is wrong."""
    if ack not in ("auto", "manual"):
        raise ValueError(f"ack: expected 'auto' or 'manual', not {ack!r}")
    _check_buffer(buffer, when_full)
    wanted = request(what, heartbeat, health_check, stream, start, stop, filter, usid, verbosity)
    manual = ack == "manual"
    return Plan(Reader(wanted, address, manual, backoff_of(reconnect)), manual, buffer, when_full)


def _check_buffer(buffer: int | None, when_full: str) -> None:
    if isinstance(buffer, bool) or not isinstance(buffer, (int, type(None))):
        raise TypeError(f"buffer: expected a number of events, not {type(buffer).__name__}")
    if buffer is not None and buffer < 1:
        raise ValueError(f"buffer: {buffer} is not 1 or more events")
    if when_full not in POLICIES:
        raise ValueError(f"when_full: {when_full!r} is none of {', '.join(POLICIES)}")
    if when_full != "wait" and buffer is None:
        raise ValueError(f"when_full: {when_full!r} is for a buffer; give buffer, too")


def _taking(plan: Callable[P, Plan]) -> Callable[[Callable[[Plan], T]], Callable[P, T]]:
    assert isinstance(plan, FunctionType)

    def decorator(make: Callable[[Plan], T]) -> Callable[P, T]:
        def function(*what: P.args, **options: P.kwargs) -> T:
            try:
                return make(plan(*what, **options))
            except (Error, TypeError, ValueError, OverflowError) as error:
                failure = error.with_traceback(None)  # of which the way here tells users nothing
            raise failure

        # What help() and inspect.signature() show: the options of one, the result of the other.
        shown = FunctionType(plan.__code__, plan.__globals__)
        shown.__kwdefaults__ = plan.__kwdefaults__
        shown.__annotations__ = {**plan.__annotations__, "return": make.__annotations__["return"]}
        update_wrapper(function, make)
        function.__annotations__ = shown.__annotations__
        function.__wrapped__ = shown  # type: ignore[attr-defined]
        return function

    return decorator


taking_options = _taking(subscribe)
"""Makes of a function that takes a Plan one that takes the options."""
