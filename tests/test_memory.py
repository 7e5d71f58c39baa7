"""When memory runs out: at each allocation, of the library and of Python, while each call is made.

The outcome is a MemoryError or an Error (or the right result where the failure did not matter),
nothing leaks, and the next call works.
"""

from __future__ import annotations

import ctypes
import gc
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import (
    LIBRARY,
    PRODUCT,
    SENDABLE,
    frames,
    large_frame,
    live_allocations,
    plain,
    shared_library,
)
from subscribing import wait_until
from test_values import MADE

import confd_events as events
from confd_events import _events, maapi
from confd_events.testing import Daemon, DaemonProcess, DataChange, encode, frame_of

SOURCE = Path(__file__).with_name("starve.c")
FRAMES = frames()
BURST = b"".join(FRAMES[name] for name in ("commit-diff", "snmpa", "commit-diff", "audit") * 2)
LAST = encode("audit", msg="last")
FAILURES = (events.Error, MemoryError)

Call = Callable[[], Any]


class Library:
    """The library's allocations, of which one fails."""

    def __init__(self) -> None:
        self._stub = ctypes.CDLL(LIBRARY["path"])

    def starve(self, call: Call, nth: int) -> Any:
        """The result of a call of which the nth allocation fails; or its exception."""
        self._stub.confd_stub_fail_allocation(ctypes.c_long(nth))
        try:
            return call()
        except FAILURES as error:
            return error.with_traceback(None)
        finally:
            self._stub.confd_stub_fail_allocation(ctypes.c_long(0))

    def starved(self, outcome: Any) -> bool:
        """Whether an allocation of the last call failed: the library always reports it."""
        code = getattr(outcome, "confd_errno", None)
        return code == events.ERR_MALLOC or isinstance(outcome, MemoryError)


class Interpreter:
    """Python's allocations, of which some in a row fail: also what cleans up gets no memory."""

    def __init__(self, hooks: ctypes.PyDLL, count: int) -> None:
        self._hooks, self._count = hooks, count
        hooks.starve.restype = ctypes.py_object
        hooks.starve.argtypes = (ctypes.py_object, ctypes.c_long, ctypes.c_long)

    def starve(self, call: Call, nth: int) -> Any:
        """The result of a call whose allocations fail from the nth on; or its exception."""
        # Python keeps some freed objects for reuse; hold so many that all must be allocated.
        held: list[Any] = [({number: number}, [number], 1.0 * number) for number in range(100)]
        held += [(number, number) for number in range(2000)]
        try:
            return self._hooks.starve(call, nth, self._count)
        except FAILURES as error:
            return error.with_traceback(None)
        finally:
            held.clear()

    def starved(self, outcome: Any) -> bool:
        """Whether an allocation of the last call failed."""
        return bool(self._hooks.starve_failed())


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> ctypes.PyDLL:
    """starve.c, compiled."""
    return ctypes.PyDLL(str(shared_library(SOURCE, tmp_path_factory.mktemp("starve"))))


@pytest.fixture(
    params=[
        pytest.param("library", marks=pytest.mark.stub),
        "interpreter",
        "interpreter for a while",
    ]
)
def memory(request: pytest.FixtureRequest) -> Iterator[Library | Interpreter]:
    """Whose memory runs out."""
    if request.param == "library":
        yield Library()
        return
    hooks: ctypes.PyDLL = request.getfixturevalue("hooks")
    hooks.starve_begin()
    yield Interpreter(hooks, 1 if request.param == "interpreter" else 10)
    hooks.starve_end()


Memory = Any


def nothing_more_lives(before: int) -> bool:
    """At once, or when a thread that was to make the call has let go of it."""
    with suppress(AssertionError):
        wait_until(lambda: live_allocations() <= before)
    return live_allocations() <= before


def outcomes(memory: Memory, prepare: Callable[[], Call]) -> Iterator[Any]:
    """What becomes of a call when its first, second, third … allocation fails, until none does.

    prepare makes the call anew for each. What leaks is noticed after each.
    """
    nth = 0
    starved = True
    while starved:
        nth += 1
        call = prepare()
        before = live_allocations()
        outcome = memory.starve(call, nth)
        starved = memory.starved(outcome)
        yield outcome
        del outcome, call
        gc.collect(0)
        assert nothing_more_lives(before), f"leaks when allocation {nth} fails"


def rest(reader: socket.socket) -> list[Any]:
    """What can still be read, up to LAST."""
    read: list[Any] = []
    while not read or read[-1].get("audit", {}).get("msg") != "last":
        read.append(plain(events.read_notification(reader)))
    return read[:-1]


# Reading


@pytest.mark.parametrize("name", FRAMES)
def test_reading(memory: Memory, name: str) -> None:
    """The notification is read, or lost with an exception, or not yet taken from the socket."""
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.sendall(FRAMES[name] + LAST)
        expected = rest(reader)

        def prepare() -> Call:
            writer.sendall(FRAMES[name])
            return partial(events.read_notification, reader)

        for outcome in outcomes(memory, prepare):
            writer.sendall(LAST)
            got = [] if isinstance(outcome, FAILURES) else [plain(outcome)]
            assert [*got, *rest(reader)] in ([expected[0]], [])
            assert got or isinstance(outcome, FAILURES)
            del outcome


def test_reading_in_bursts(memory: Memory) -> None:
    """Nothing behind the burst is touched; an Error holds what the library read before it."""
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.sendall(BURST + LAST)
        expected = rest(reader)

        def prepare() -> Call:
            writer.sendall(BURST)
            return partial(events.read_notifications, reader)

        failures = 0
        for outcome in outcomes(memory, prepare):
            failures += isinstance(outcome, FAILURES)
            writer.sendall(LAST)
            behind = rest(reader)
            assert behind == expected[len(expected) - len(behind) :]
            if isinstance(outcome, events.Error):
                before = [plain(notification) for notification in outcome.notifications]
                assert before == expected[: len(expected) - len(behind) - 1]
            elif not isinstance(outcome, MemoryError):
                assert [plain(notification) for notification in outcome] == expected
            del outcome
        assert failures > 2, "memory did not run out"


@pytest.mark.parametrize("read", [events.read_notification, events.read_notifications])
def test_the_error_of_a_frame(memory: Memory, read: Any) -> None:
    """Memory may run out while the exception is made, too."""
    reader, writer = socket.socketpair()
    undecodable = frame_of((1 << 50,))
    with reader, writer:

        def prepare() -> Call:
            writer.sendall(FRAMES["commit-diff"] + undecodable)
            if read is events.read_notification:
                events.read_notification(reader)
            return partial(read, reader)

        for outcome in outcomes(memory, prepare):
            assert isinstance(outcome, FAILURES)
            del outcome
            drain(reader)


def drain(reader: socket.socket) -> None:
    """Take what the failed call has not."""
    reader.setblocking(False)
    with suppress(BlockingIOError):
        reader.recv(1 << 20)
    reader.setblocking(True)


def test_large_frame(memory: Memory) -> None:
    """One for which the library needs memory."""
    large = large_frame("x" * 100_000)
    reader, writer = socket.socketpair()
    writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    with reader, writer:

        def prepare() -> Call:
            writer.sendall(large + LAST)
            return partial(events.read_notification, reader)

        for outcome in outcomes(memory, prepare):
            got = [] if isinstance(outcome, FAILURES) else [plain(outcome)]
            texts = [n["stream"]["values"][0]["v"]["str"] for n in got + rest(reader)]
            assert [len(text) for text in texts] in ([100_000], [])
            del outcome


def test_reading_keeps_no_object() -> None:
    """Read over and over, no kind of notification leaves anything behind."""
    rounds = 200
    reader, writer = socket.socketpair()
    with reader, writer:

        def read_all() -> None:
            writer.sendall(b"".join(FRAMES.values()))
            events.read_notifications(reader)

        read_all()
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(rounds):
            read_all()
        gc.collect()
        assert sys.getallocatedblocks() < before + rounds


# Values


@pytest.mark.parametrize(("init", "name", "shown", "read"), MADE)
def test_making_values(memory: Memory, init: Any, name: str, shown: str, read: Any) -> None:
    make = partial(events.Value, init, getattr(events, name))
    make()  # what it imports must be there: CPython's compiler does not survive
    for outcome in outcomes(memory, lambda: make):
        assert isinstance(outcome, MemoryError) or str(outcome) == shown
        del outcome


@pytest.mark.parametrize(("init", "name", "shown", "read"), MADE)
def test_using_values(memory: Memory, init: Any, name: str, shown: str, read: Any) -> None:
    made = events.Value(init, getattr(events, name))
    uses: list[tuple[Call, Any]] = [
        (made.__str__, shown),
        (made.as_pyval, read),
    ]
    for use, expected in uses:
        use()
        for outcome in outcomes(memory, partial(partial, use)):
            assert isinstance(outcome, MemoryError) or outcome == expected
            del outcome


def test_long_text_of_a_value(memory: Memory) -> None:
    made = events.Value("x" * 5000)
    for outcome in outcomes(memory, lambda: made.__str__):
        assert isinstance(outcome, MemoryError) or outcome == "x" * 5000


def test_elements_of_a_list(memory: Memory) -> None:
    made = events.Value(["text", ["nested", b"octets"], 5], events.C_LIST)
    for outcome in outcomes(memory, lambda: made.as_list):
        assert isinstance(outcome, MemoryError) or outcome == made.as_list()
        del outcome


# Acknowledging


def acknowledgements() -> dict[str, Callable[..., Any]]:
    """For each kind, what makes the call for a socket that has just read a commit diff."""
    found: dict[str, Callable[..., Any]] = {
        "audit": lambda sock, _: partial(events.sync_audit_notification, sock, 1 << 20),
        "ha": lambda sock, _: partial(events.sync_ha_notification, sock),
        "commit_diff": lambda sock, tctx: partial(events.diff_notification_done, sock, tctx),
    }
    if "audit_network" in SENDABLE:
        found["audit_network"] = lambda sock, _: partial(
            events.sync_audit_network_notification, sock, 1 << 20
        )
    return found


@pytest.mark.parametrize("kind", acknowledgements())
def test_acknowledging(memory: Memory, kind: str) -> None:
    """After a MemoryError nothing has been sent, and the acknowledgement can be made again."""
    reader, writer = socket.socketpair()
    calls: list[Call] = []

    def prepare() -> Call:
        writer.sendall(FRAMES["commit-diff"])
        tctx = events.read_notification(reader)["commit_diff"]["tctx"]
        calls[:] = [acknowledgements()[kind](reader, tctx)]
        return calls[0]

    with reader, writer:
        for outcome in outcomes(memory, prepare):
            if isinstance(outcome, MemoryError):
                calls[0]()
            else:
                assert outcome is None
            calls.clear()
            (length,) = struct.unpack(">I", writer.recv(4))
            assert len(writer.recv(1 << 20)) == length, "acknowledged more than once"


# Connecting


@pytest.fixture(scope="module")
def daemon() -> Iterator[DaemonProcess]:
    """In another process: in this one its threads would run out of memory, too."""
    with DaemonProcess(product=PRODUCT.lower()) as running:
        running.add_stream("NETCONF")
        running.add_names({4711: "a-name"})
        running.add_namespace(4712, "prefix")
        running.add_enumeration(4712, "/prefix:state", {0: "down", 1: "up"})
        yield running


def data() -> events.NotificationsData:
    return events.NotificationsData(
        heartbeat_interval=3_600_000,
        stream_name="NETCONF",
        start_time="2024-01-01T00:00:00Z",
        xpath_filter="/a[b='c']",
    )


def connections(address: dict[str, Any]) -> dict[str, Callable[[socket.socket], Call]]:
    both = events.NOTIF_STREAM_EVENT | events.NOTIF_HEARTBEAT
    return {
        "connect": lambda sock: partial(
            events.notifications_connect, sock, events.NOTIF_AUDIT, **address
        ),
        "connect2": lambda sock: partial(
            events.notifications_connect2, sock, both, data(), **address
        ),
    }


@pytest.mark.parametrize("name", ["connect", "connect2"])
def test_connecting(memory: Memory, daemon: DaemonProcess, name: str) -> None:
    sockets: list[socket.socket] = []
    make = connections(daemon.address)[name]

    def prepare() -> Call:
        sockets.append(socket.socket())
        return make(sockets[-1])

    for outcome in outcomes(memory, prepare):
        assert outcome is None or isinstance(outcome, FAILURES)
        sockets.pop().close()


def test_describing_a_subscription(memory: Memory) -> None:
    expected = repr(data())
    for outcome in outcomes(memory, lambda: data):
        assert isinstance(outcome, MemoryError) or repr(outcome) == expected
        del outcome


def test_loading_schemas(memory: Memory, daemon: DaemonProcess) -> None:
    """All names or none."""
    with Daemon() as empty:
        try:
            for outcome in outcomes(memory, lambda: partial(events.load_schemas, **daemon.address)):
                known = (events.hash2str(4711), events.ns2prefix(4712))
                loaded = outcome is None
                assert loaded or isinstance(outcome, FAILURES)
                assert known == (("a-name", "prefix") if loaded else (None, None))
                if loaded:  # perhaps although memory ran out
                    events.load_schemas(**empty.address)
        finally:
            events.load_schemas(**empty.address)


# MAAPI


def test_reading_what_a_commit_changes(memory: Memory, daemon: DaemonProcess) -> None:
    """All changes, or an error; and the transaction can be read again."""
    servers = "/ex:servers/server"
    changes = [
        DataChange("created", f"{servers}{{www}}"),
        DataChange("value-set", f"{servers}{{www}}/port", 80, old="http"),
        DataChange("moved-after", f"{servers}{{www}}", ["db", "x"]),
        DataChange("attr-set", servers, [3, "note"]),
    ]
    with socket.socket() as sock:
        events.notifications_connect(sock, events.NOTIF_COMMIT_DIFF, **daemon.address)
        daemon.wait_for_subscribers()
        daemon.commit_diff(thandle=5, changes=changes)
        tctx = events.read_notification(sock)["commit_diff"]["tctx"]
        sessions: list[socket.socket] = []

        def prepare() -> Call:
            for _ in range(2):
                sessions.append(socket.socket())
                maapi.connect(sessions[-1], **daemon.address)
            attached, aside = sessions
            return partial(read_changes, attached, aside, tctx, *noting())

        for outcome in outcomes(memory, prepare):
            assert outcome == 4 or isinstance(outcome, FAILURES)
            while sessions:
                sessions.pop().close()
        events.diff_notification_done(sock, tctx)


def noting() -> tuple[list[Any], Callable[..., None]]:
    """A list of changes, and what adds one: without memory CPython 3.13 can't make a function."""
    found: list[Any] = []
    return found, lambda *change: found.append(change)


def read_changes(
    sock: socket.socket,
    aside: socket.socket,
    tctx: events.TransCtxRef,
    found: list[Any],
    note: Callable[..., None],
) -> int:
    """How many changes there are, each of them shown; the leaf is read, too, and as it was."""
    maapi.attach2(sock, 0, 0, tctx)
    maapi.diff_iterate(sock, tctx, note, maapi.ITER_WANT_ATTR)
    assert maapi.get_elem(sock, tctx, found[1][0]) == 80
    maapi.detach2(sock, tctx)
    maapi.start_user_session(aside, "ada", "system", ["oper"], "127.0.0.1", events.PROTO_TCP)
    thandle = maapi.start_trans(aside, events.RUNNING, maapi.READ)
    leaf, missing = _events._maapi_get_elems(aside, thandle, [found[1][0], found[0][0]])
    assert (str(leaf), missing) == ("http", None)
    maapi.finish_trans(aside, thandle)
    # Not repr(): a tuple's own leaves the tuple behind when memory runs out.
    return len([str(path) for path, *_ in found])
