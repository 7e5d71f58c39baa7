"""Objects: none is left behind by reading, and each can be copied and pickled or says why not."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import socket
import sys
from typing import Any, Callable

import pytest
from conftest import PEER, SENDABLE, frames

import confd_events as events
from confd_events import Backoff, Connected, Disconnected, Dropped, Event, Stats
from confd_events.enums import Notif
from confd_events.testing import SnmpVariable, encode

# More for a run that is to show that nothing grows: a million, say.
CONVERSIONS = int(os.environ.get("CONFD_EVENTS_CONVERSIONS", "500"))
BURST = 50

FRAMES = frames()
# Nobody recorded these.
FRAMES.update({n: encode(n, *PEER) for n in ("webui", "system_going_down") if n in SENDABLE})


def read_and_drop(frame: bytes, count: int, use: Callable[[Any], object]) -> None:
    reader, writer = socket.socketpair()
    with reader, writer:
        for _ in range(count // BURST):
            writer.sendall(frame * BURST)
            left = BURST
            while left:
                got = events.read_notifications(reader, left)
                left -= len(got)
                for notification in got:
                    use(notification)


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("use", [lambda _: None, repr], ids=["dropped", "used"])
def test_conversions_leave_nothing_behind(name: str, use: Callable[[Any], object]) -> None:
    read_and_drop(FRAMES[name], 2 * BURST, use)  # so that all caches are filled

    def left_behind() -> int:
        gc.collect()
        before = sys.getallocatedblocks()
        read_and_drop(FRAMES[name], CONVERSIONS, use)
        gc.collect()
        return sys.getallocatedblocks() - before

    # Not a block for each of them, nor for each burst. Other threads of the process may have made
    # some meanwhile, but not each time.
    assert any(left_behind() < CONVERSIONS // BURST for _ in range(3))


@pytest.mark.parametrize("name", FRAMES)
def test_a_cycle_with_a_notification_is_collected(name: str) -> None:
    """The watch over the library's memory sees what the garbage collector missed."""
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.sendall(FRAMES[name])
        cycle: list[Any] = [events.read_notification(reader)]
        cycle.append(cycle)
    del cycle
    gc.collect()


def notification(kind: str, **fields: Any) -> Any:
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.sendall(encode(kind, **fields))
        return events.read_notification(reader)


def varbind() -> Any:
    return notification("snmpa", vb=[SnmpVariable("sysContact.0", "noc")])["snmpa"]["vb"][0]


def transaction() -> Any:
    return notification("commit_diff", thandle=7)["commit_diff"]["tctx"]


def user() -> Any:
    return notification("commit")["commit"]["uinfo"]


TAG = events.XmlTag(100, 101)
LINK = events.ProgressLink("trace", "span")
DATA = events.NotificationsData(1000, stream_name="NETCONF", start_time="2026-01-31T12:00:00Z")
ERROR = events.Error(24, "an error", "what happened", 111)

# What can be copied and pickled, and how to compare the copy.
COPIED: list[tuple[Any, Callable[[Any], Any]]] = [
    (TAG, lambda tag: tag),
    (events.DateTime(2026, 11, 23, 7, 50, 1, 123456, 1, 0), lambda time: time),
    (LINK, lambda link: link),
    (DATA, repr),
    (ERROR, lambda error: (str(error), error.errno, error.confd_lasterr)),
    (events.EOF(45, "the end"), str),
    (events.DaemonSilent(54, "silent"), str),
    (Notif.AUDIT | Notif.AUDIT_SYNC, lambda bits: bits),
    (Backoff(first=1), lambda backoff: backoff),
    (Stats(1, 1, 0, 0, 0, 0, 0.0), lambda stats: stats),
    (Event({"type": 8192}, 1.5), lambda event: (event.type, event.read_at)),
    (Dropped(count=3), lambda event: (event["count"], event.to_dict())),
    (Connected(attempts=2, gap=0.5), lambda event: event.to_dict()),
    (Disconnected(error=ERROR), lambda event: (str(event["error"]), event.to_dict())),
]


@pytest.mark.parametrize(("thing", "of"), COPIED)
@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_copies_are_alike(
    thing: Any, of: Callable[[Any], Any], duplicate: Callable[[Any], Any]
) -> None:
    made = duplicate(thing)
    assert type(made) is type(thing)
    assert of(made) == of(thing)


# What can be copied, for it never changes, and what can't be pickled.
IMMUTABLE: dict[str, Callable[[], Any]] = {
    "Value": lambda: events.Value([1, "two"], events.C_LIST),
    "TagValue": lambda: events.TagValue(events.XmlTag(1, 2), events.Value(3)),
    "SnmpVarbind": varbind,
    "UserInfo": user,
}


@pytest.mark.parametrize("name", IMMUTABLE)
def test_what_never_changes_is_its_own_copy(name: str) -> None:
    thing = IMMUTABLE[name]()
    assert copy.copy(thing) is thing
    assert copy.deepcopy([thing])[0] is thing


UNPICKLED = {**IMMUTABLE, "TransCtxRef": transaction}


@pytest.mark.parametrize("name", UNPICKLED)
def test_what_can_not_be_pickled_says_so(name: str) -> None:
    with pytest.raises(TypeError, match=rf"an? {name} can't be pickled"):
        pickle.dumps(UNPICKLED[name]())


def test_a_transaction_has_one_owner() -> None:
    """A copy would release it a second time."""
    for duplicate in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="can't be pickled or copied: it owns the transaction"):
            duplicate(transaction())


def test_a_value_can_be_made_anew_in_place() -> None:
    """__init__() once more frees what was there; the watch over the library's memory sees it."""
    value = events.Value("some text")
    value.__init__([1, 2, "other text"], events.C_LIST)  # type: ignore[misc]
    assert value == events.Value([1, 2, "other text"], events.C_LIST)
