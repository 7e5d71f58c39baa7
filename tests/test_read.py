"""Reading: bursts, torn frames, the end of the stream, signals, threads."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import ALL_PLAIN, Connect, large_frame, live_allocations, text_of
from hypothesis import given, settings
from hypothesis import strategies as st
from subscribing import run_program

import confd_events as events
from confd_events.testing import Atom, Daemon, Faults, encode, frame_of

Ends = tuple[socket.socket, socket.socket]

AUDIT = encode("audit", user="admin", msg="whole", usid=1)


def one(sock: socket.socket) -> list[Any]:
    return [events.read_notification(sock)]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A connected pair of sockets: what is written to the second arrives at the first."""
    reader, writer = socket.socketpair()
    with reader, writer:
        yield reader, writer


# Bursts


def test_burst_takes_what_has_arrived(ends: Ends) -> None:
    reader, writer = ends
    writer.sendall(AUDIT * 100 + AUDIT[:-1])
    assert len(events.read_notifications(reader)) == 100
    writer.sendall(AUDIT[-1:])
    assert len(events.read_notifications(reader)) == 1


@pytest.mark.parametrize("limit", [1, 2, 15, 16, 17, 100])
def test_burst_is_limited(ends: Ends, limit: int) -> None:
    reader, writer = ends
    writer.sendall(AUDIT * 50)
    assert len(events.read_notifications(reader, limit)) == min(limit, 50)


def test_burst_keeps_order(daemon: Daemon, sock: socket.socket) -> None:
    for number in range(500):
        daemon.audit(usid=number)
    read: list[int] = []
    while len(read) < 500:
        read += [n["audit"]["usid"] for n in events.read_notifications(sock)]
    assert read == list(range(500))


def test_burst_waits_for_the_first(daemon: Daemon, sock: socket.socket) -> None:
    timer = threading.Timer(0.05, daemon.audit, kwargs={"usid": 5})
    timer.start()
    assert [n["audit"]["usid"] for n in events.read_notifications(sock)] == [5]
    timer.join()


def test_burst_waits_no_longer_than_told(ends: Ends) -> None:
    reader, writer = ends
    assert events.read_notifications(reader, timeout=0) == []
    writer.sendall(AUDIT + AUDIT[:-1])
    assert len(events.read_notifications(reader, timeout=10)) == 1
    assert events.read_notifications(reader, timeout=0.01) == []
    writer.sendall(AUDIT[-1:])
    assert len(events.read_notifications(reader, timeout=10)) == 1


def test_a_look_does_not_wait_for_the_rest_of_a_large_frame(ends: Ends) -> None:
    reader, writer = ends
    frame = large_frame("x" * 100_000)
    writer.sendall(frame[:50_000])
    assert events.read_notifications(reader, timeout=0) == []
    writer.sendall(frame[50_000:])
    assert len(events.read_notifications(reader, timeout=0)) == 1


@contextmanager
def dribble(writer: socket.socket, octets: bytes) -> Iterator[Callable[[], int]]:
    """Sends one byte after the other, until the block is left; gives how many are sent."""
    over, sent = threading.Event(), 0

    def send() -> None:
        nonlocal sent
        for byte in octets:
            if over.wait(0.005):
                return
            writer.sendall(bytes([byte]))
            sent += 1

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield lambda: sent
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("begun", [0, 50_000])
@pytest.mark.parametrize("timeout", [0.01, 0.1])
def test_a_timeout_ends_though_bytes_dribble_in(ends: Ends, begun: int, timeout: float) -> None:
    """However large the frame is: what comes of it is kept for the next call."""
    reader, writer = ends
    frame = large_frame("x" * 100_000)
    writer.sendall(frame[:begun])
    with dribble(writer, frame[begun:]) as sent:
        assert events.read_notifications(reader, timeout=timeout) == []
    writer.sendall(frame[begun + sent() :] + AUDIT)
    got: list[Any] = []
    while len(got) < 2:
        got += events.read_notifications(reader, timeout=30)
    assert text_of(got[0]) == "x" * 100_000
    assert got[1]["audit"]["msg"] == "whole"


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
def test_polling_gets_a_frame_that_is_larger_than_the_buffers(
    tmp_path: Path, family: socket.AddressFamily
) -> None:
    with socket.socket(family) as listener, socket.socket(family) as reader:
        listener.bind(str(tmp_path / "s") if family == socket.AF_UNIX else ("127.0.0.1", 0))
        listener.listen()
        reader.connect(listener.getsockname())
        writer = listener.accept()[0]
        frame = large_frame("x" * 5_000_000)
        writing = threading.Thread(target=writer.sendall, args=(frame + AUDIT,))
        writing.start()
        got: list[Any] = []
        while len(got) < 2:
            select.select([reader], [], [], 30)
            got += events.read_notifications(reader, timeout=0)
        writing.join()
        writer.close()
    assert len(text_of(got[0])) == 5_000_000
    assert got[1]["audit"]["msg"] == "whole"


@pytest.mark.parametrize("timeout", [0, 0.05, None])
def test_single_bytes_that_fill_a_unix_socket(ends: Ends, timeout: float | None) -> None:
    reader, writer = ends
    frame = large_frame("x" * 2000)
    writing = threading.Thread(target=lambda: [writer.send(bytes([byte])) for byte in frame])
    writing.start()
    got: list[Any] = []
    while not got:
        got = events.read_notifications(reader, timeout=timeout)
    writing.join()
    assert text_of(got[0]) == "x" * 2000


def test_what_is_kept_of_a_frame_belongs_to_its_socket() -> None:
    """Not to the descriptor, which may be another socket's afterwards."""
    reader, writer = socket.socketpair()
    writer.sendall(large_frame("x" * 100_000)[:50_000])
    assert events.read_notifications(reader, timeout=0) == []
    descriptor = reader.fileno()
    reader.close()
    writer.close()
    reader, writer = socket.socketpair()
    with reader, writer:
        assert reader.fileno() == descriptor
        writer.sendall(AUDIT)
        assert len(events.read_notifications(reader, timeout=0)) == 1


def test_a_large_frame_that_can_not_be_decoded_does_not_hold_up_a_look(ends: Ends) -> None:
    reader, writer = ends
    frame = frame_of((1 << 50, "x" * 100_000))
    writer.sendall(frame[:50_000])
    assert events.read_notifications(reader, timeout=0.01) == []
    writer.sendall(frame[50_000:] + AUDIT)
    with pytest.raises(events.Error, match="Bad notification struct"):
        events.read_notifications(reader, timeout=30)
    assert len(events.read_notifications(reader, timeout=30)) == 1


def test_end_of_the_stream_is_seen_without_waiting(ends: Ends) -> None:
    reader, writer = ends
    writer.sendall(AUDIT[:9])
    writer.close()
    with pytest.raises(events.Error):
        events.read_notifications(reader, timeout=0)


@pytest.mark.parametrize(
    ("timeout", "error"),
    [("soon", TypeError), (-1, ValueError), (float("nan"), ValueError)],
)
def test_timeout_is_checked(ends: Ends, timeout: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="timeout: "):
        events.read_notifications(ends[0], timeout=timeout)


def test_burst_before_the_end(ends: Ends) -> None:
    reader, writer = ends
    writer.sendall(AUDIT * 3)
    writer.close()
    assert len(events.read_notifications(reader)) == 3
    with pytest.raises(events.EOF):
        events.read_notifications(reader)


def test_burst_loses_nothing_before_an_error(ends: Ends) -> None:
    reader, writer = ends
    writer.sendall(AUDIT * 3 + frame_of((1 << 50,)) + AUDIT)
    with pytest.raises(events.Error) as caught:
        events.read_notifications(reader)
    assert len(caught.value.notifications) == 3
    assert len(events.read_notifications(reader)) == 1


# What can't be decoded

ONLY_THE_STUB = pytest.mark.stub


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ((1 << 50,), "Bad notification struct"),
        ((events.NOTIF_AUDIT,), ""),
        ((events.NOTIF_AUDIT, "x", b"admin", 1, b""), "NOTIF_AUDIT: element 2: "),
        # The vendor's library makes a number of this, without a word.
        pytest.param(
            (events.NOTIF_AUDIT, 2**40, b"admin", 1, b""), "1099511627776", marks=ONLY_THE_STUB
        ),
        (b"no tuple", ""),
        ((), ""),
        (Atom("ok"), "no tuple"),
        (events.NOTIF_AUDIT, "no tuple"),
        ((events.NOTIF_AUDIT,), "its bit alone"),
        ((b"", 1), "Bad notification struct"),
        ((-1, 1), "Bad notification struct"),
        ((2**64, 1), "Bad notification struct"),
    ],
)
def test_undecodable(ends: Ends, term: Any, said: str) -> None:
    reader, writer = ends
    writer.sendall(frame_of(term) + AUDIT)
    with pytest.raises(events.Error) as caught:
        events.read_notification(reader)
    assert not isinstance(caught.value, events.EOF)
    assert caught.value.confd_errno == events.ERR_INTERNAL
    assert said in caught.value.confd_lasterr
    # The next one is not affected.
    assert events.read_notification(reader)["audit"]["msg"] == "whole"


@pytest.mark.parametrize(
    "term",
    [
        b"\x83",
        b"\x83h",
        b"\x83h\0",
        b"h\1b\0\0\x20\0",
        b"\x83h\2b\0\0\x20\0"[:5],
        b"\x83i\xff\xff\xff\xffb\0\0\x20\0",
        b"\x83h\1n\x09\0\0\0\0\0\0\0\0\0\1",
    ],
)
@pytest.mark.parametrize("read", [events.read_notification, events.read_notifications])
def test_a_broken_beginning(ends: Ends, read: Any, term: bytes) -> None:
    """It never gets to the library, which would read beyond it."""
    reader, writer = ends
    writer.sendall(struct.pack(">I", len(term)) + term + AUDIT)
    with pytest.raises(events.Error) as caught:
        read(reader)
    assert caught.value.confd_errno == events.ERR_INTERNAL
    assert "Bad notification struct" in caught.value.confd_lasterr
    assert events.read_notification(reader)["audit"]["msg"] == "whole"


def test_a_broken_beginning_of_a_large_frame(ends: Ends) -> None:
    """The rest of it is taken off the stream as it comes."""
    reader, writer = ends
    size = 3_000_000
    broken = struct.pack(">I", size) + b"no term" + bytes(size - 7)
    writing = threading.Thread(target=lambda: writer.sendall(broken + AUDIT))
    writing.start()
    with pytest.raises(events.Error, match="Bad notification struct"):
        events.read_notification(reader)
    assert events.read_notification(reader)["audit"]["msg"] == "whole"
    writing.join()


def test_a_bit_that_the_library_can_not_know(ends: Ends) -> None:
    """It comes after a notification whose leftovers the library would take for its content."""
    reader, writer = ends
    for bit in (1 << 32, 1 << 40, 1 << 50, 1 << 62):
        writer.sendall(encode("commit_diff") + frame_of((bit, 1, 2, 3)))
        assert events.read_notification(reader)["type"] == events.NOTIF_COMMIT_DIFF
        with pytest.raises(events.Error, match="Bad notification struct"):
            events.read_notification(reader)


def nested(depth: int) -> Any:
    made: list[Any] = [7]
    for _ in range(depth - 1):
        made = [made]
    return made


def test_lists_in_lists(ends: Ends) -> None:
    """However deep they are, the program lives on, also on a small stack."""
    reader, writer = ends
    outcomes: list[Any] = []

    def read() -> None:
        try:
            (element,) = events.read_notification(reader)["stream"]["values"]
            outcomes.append((str(element.v), element.v.as_pyval(), element.v == element.v))
        except events.Error as error:
            outcomes.append(error)

    before = threading.stack_size(256 * 1024)
    try:
        for depth in (1, 100, 101, 300):
            writer.sendall(encode("stream_event", stream="s", values=[(1, 2, nested(depth))]))
            thread = threading.Thread(target=read)
            thread.start()
            thread.join()
    finally:
        threading.stack_size(before)
    for text, value, equal in outcomes[:2]:
        assert text
        assert isinstance(value, list)
        assert equal
    for error in outcomes[2:]:
        assert error.confd_errno == events.ERR_INTERNAL
        assert "nested more than 100 deep" in str(error)


def test_empty_frame(ends: Ends) -> None:
    reader, writer = ends
    writer.sendall(b"\0\0\0\0" + AUDIT)
    with pytest.raises(events.Error):
        events.read_notification(reader)
    assert events.read_notification(reader)["audit"]["msg"] == "whole"


# The end of the stream


@pytest.mark.parametrize("count", range(len(AUDIT)))
def test_close_at_any_byte(ends: Ends, count: int) -> None:
    reader, writer = ends
    writer.sendall(AUDIT[:count])
    writer.close()
    with pytest.raises(events.EOF) as caught:
        events.read_notification(reader)
    assert caught.value.confd_errno == events.ERR_EOF
    assert caught.value.confd_lasterr == "EOF on socket to ConfD"


def test_reset(daemon: Daemon, sock: socket.socket) -> None:
    daemon.disconnect(reset=True)
    with pytest.raises(events.EOF) as caught:
        events.read_notification(sock)
    assert caught.value.confd_lasterr == "EOF on socket to ConfD"


def test_frame_of_2_gigabytes(ends: Ends) -> None:
    """Announced, never sent: no memory is taken, and the library does not try."""
    reader, writer = ends
    writer.sendall(
        struct.pack(">I", 2**31)
        + b"\x83h\x05a\x01a\x01m"
        + struct.pack(">I", 2**30)
        + bytes(60_000)
    )
    writer.close()
    with pytest.raises(events.Error) as caught:
        events.read_notification(reader)
    assert caught.value.confd_errno == events.ERR_MALLOC


# Frames that come slowly


@pytest.mark.parametrize("where", [{"ip": "127.0.0.1"}, {"path": "s"}])
def test_one_byte_at_a_time(
    where: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    family = socket.AF_UNIX if "path" in where else socket.AF_INET
    with Daemon(**where, faults=Faults(byte_pause=0.0001)) as daemon, socket.socket(family) as sock:
        events.notifications_connect(sock, ALL_PLAIN, **daemon.address)
        daemon.wait_for_subscribers()
        daemon.audit(msg="x" * 500)
        assert events.read_notification(sock)["audit"]["msg"] == "x" * 500


def test_frame_larger_than_the_buffers(daemon: Daemon, connect: Connect) -> None:
    sock = connect()
    text = "<config/>" * 200_000
    daemon.send_frame(large_frame(text))
    assert text_of(events.read_notification(sock)) == text


def test_large_frames_in_bursts(daemon: Daemon, connect: Connect) -> None:
    sock = connect()
    sizes = [0, 1, 100, 10_000, 70_000, 5, 300_000, 3]
    for size in sizes:
        daemon.send_frame(large_frame("x" * size))
    read: list[int] = []
    while len(read) < len(sizes):
        for got in events.read_notifications(sock):
            read.append(len(text_of(got)))
    assert read == sizes


BEYOND = """
import socket
import threading

import confd_events as events
from confd_events.testing import encode

reader, writer = socket.socketpair()
frame = encode("stream_event", stream="s", values=[(1, 2, 3)] * 1000)


def write():
    for _ in range(100):
        writer.sendall(frame)


threading.Thread(target=write, daemon=True).start()
read = 0
while read < 100:
    read += len(events.read_notifications(reader))
print(read)
"""


def test_frames_that_reach_beyond_what_is_looked_at_at_once() -> None:
    """In a process of its own: what lies behind the bytes that were seen must not matter."""
    done = run_program(BEYOND)
    assert (done.stdout, done.stderr) == ("100\n", "")


# Sockets with a timeout


@pytest.mark.parametrize("timeout", [0, 0.05, 30])
@pytest.mark.parametrize("read", [one, events.read_notifications])
def test_a_socket_with_a_timeout(ends: Ends, read: Any, timeout: float) -> None:
    reader, writer = ends
    reader.settimeout(timeout)
    writer.sendall(AUDIT)
    assert [got["audit"]["msg"] for got in read(reader)] == ["whole"]
    assert reader.gettimeout() == timeout
    assert not os.get_blocking(reader.fileno())


@pytest.mark.parametrize("timeout", [0, 0.05])
@pytest.mark.parametrize("read", [one, events.read_notifications])
@pytest.mark.parametrize("arrived", [0, 2, len(AUDIT) - 1])
def test_a_timeout_ends_the_wait(ends: Ends, read: Any, timeout: float, arrived: int) -> None:
    """And the socket stays usable, however much of a notification is there."""
    reader, writer = ends
    reader.settimeout(timeout)
    writer.sendall(AUDIT[:arrived])
    with pytest.raises(events.Error) as caught:
        read(reader)
    assert (caught.value.confd_errno, caught.value.errno) == (events.ERR_OS, errno.EAGAIN)
    writer.sendall(AUDIT[arrived:])
    assert events.read_notification(reader)["audit"]["msg"] == "whole"


@contextmanager
def try_again() -> Iterator[None]:
    try:
        yield
    except events.Error as error:
        if error.errno != errno.EAGAIN:
            raise


@pytest.mark.parametrize("timeout", [0, 30])
def test_a_large_notification_and_a_timeout(ends: Ends, timeout: float) -> None:
    """It never fits the socket's buffers, so the rest comes only while it is read."""
    reader, writer = ends
    reader.settimeout(timeout)
    text = "x" * 3_000_000
    frame = large_frame(text)
    writing = threading.Thread(target=lambda: writer.sendall(frame))
    writing.start()
    got: Any = None
    while got is None:
        with try_again():
            got = events.read_notification(reader)
    assert text_of(got) == text
    writing.join()
    assert reader.gettimeout() == timeout


def waiting(reader: socket.socket) -> bytes:
    """What can be read from a socket now; it stays there."""
    with suppress(BlockingIOError):
        return reader.recv(1 << 20, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    return b""


def numbered(*numbers: int) -> bytes:
    """Audit records of several sizes."""
    return b"".join(encode("audit", usid=number, msg="x" * (number % 7)) for number in numbers)


def test_a_call_takes_off_the_socket_what_it_returns(ends: Ends) -> None:
    """So that select() tells the truth."""
    reader, writer = ends
    writer.sendall(numbered(*range(10)))
    assert events.read_notification(reader)["audit"]["usid"] == 0
    assert waiting(reader) == numbered(*range(1, 10))
    assert [n["audit"]["usid"] for n in events.read_notifications(reader, 4)] == [1, 2, 3, 4]
    assert waiting(reader) == numbered(*range(5, 10))
    assert len(events.read_notifications(reader)) == 5
    assert select.select([reader], [], [], 0)[0] == []


def test_others_may_read_between_calls(ends: Ends) -> None:
    reader, writer = ends
    writer.sendall(numbered(*range(8)))
    for number in range(0, 8, 2):
        assert events.read_notification(reader)["audit"]["usid"] == number
        other = numbered(number + 1)
        assert reader.recv(len(other)) == other


def test_a_part_of_a_frame_is_left_where_it_is(ends: Ends) -> None:
    reader, writer = ends
    last = numbered(2)
    writer.sendall(numbered(0, 1) + last[:-1])
    assert len(events.read_notifications(reader)) == 2
    assert waiting(reader) == last[:-1]
    writer.sendall(last[-1:])
    assert events.read_notification(reader)["audit"]["usid"] == 2


def test_what_comes_behind_an_undecodable_one_is_left_where_it_is(ends: Ends) -> None:
    reader, writer = ends
    writer.sendall(numbered(0, 1) + frame_of((1 << 33, 1)) + numbered(2, 3))
    with pytest.raises(events.Error) as caught:
        events.read_notifications(reader)
    assert [n["audit"]["usid"] for n in caught.value.notifications] == [0, 1]
    assert waiting(reader) == numbered(2, 3)


@settings(deadline=None)
@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=12), st.integers(1, 12))
def test_frames_of_any_sizes(sizes: list[int], most: int) -> None:
    """Those that are seen as a whole, and those that are larger than any look."""
    texts = [("x" * size)[:size] for size in sizes]
    sent = b"".join(encode("stream_event", stream="s", values=[(1, 2, text)]) for text in texts)
    reader, writer = socket.socketpair()
    with reader, writer:
        writing = threading.Thread(target=writer.sendall, args=(sent,))
        writing.start()
        got: list[Any] = []
        while len(got) < len(texts):
            got += events.read_notifications(reader, most)
        writing.join()
        assert waiting(reader) == b""
    assert [str(n["stream"]["values"][0].v) for n in got] == texts


def test_a_timeout_within_a_large_notification(ends: Ends) -> None:
    reader, writer = ends
    reader.settimeout(0.05)
    writer.sendall(large_frame("x" * 100_000)[:50_000])
    with pytest.raises(events.Error) as caught:
        events.read_notification(reader)
    assert caught.value.errno == errno.EAGAIN
    writer.sendall(large_frame("x" * 100_000)[50_000:])
    assert text_of(events.read_notification(reader)) == "x" * 100_000


# Signals


class InterruptedByTestError(Exception):
    pass


@pytest.fixture
def arm() -> Iterator[Callable[[], object]]:
    """Sets off a signal that raises an exception in a moment."""

    def interrupt(*_: object) -> None:
        raise InterruptedByTestError

    before = signal.signal(signal.SIGALRM, interrupt)
    yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.1)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("read", [events.read_notification, events.read_notifications])
@pytest.mark.parametrize("arrived", [0, 1, 3, 4, len(AUDIT) - 1])
def test_signal_ends_the_wait(
    ends: Ends, arm: Callable[[], object], read: Any, arrived: int
) -> None:
    """However much of a frame is there; and the socket stays usable."""
    reader, writer = ends
    writer.sendall(AUDIT[:arrived])
    with pytest.raises(InterruptedByTestError):  # noqa: PT012, no moment between the two
        arm()
        read(reader)
    writer.sendall(AUDIT[arrived:])
    assert events.read_notification(reader)["audit"]["msg"] == "whole"


def test_signal_without_an_exception_goes_on(daemon: Daemon, sock: socket.socket) -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: seen.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    timer = threading.Timer(0.2, daemon.audit, kwargs={"msg": "after signals"})
    timer.start()
    try:
        assert events.read_notification(sock)["audit"]["msg"] == "after signals"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        timer.join()
    assert seen


def test_ctrl_c_ends_a_process(daemon: Daemon) -> None:
    program = textwrap.dedent(
        f"""
        import signal, socket, confd_events as events
        # A job in the background of a shell inherits that it is to be ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sock = socket.socket()
        events.notifications_connect(sock, events.NOTIF_AUDIT, **{daemon.address!r})
        try:
            print("reading", flush=True)
            events.read_notification(sock)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            print(events.read_notification(sock)["audit"]["msg"])
        """
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "reading\n"
    time.sleep(0.2)  # so that the read is under way
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    daemon.audit(msg="still usable")
    out, _ = process.communicate(timeout=30)
    assert (out, process.returncode) == ("still usable\n", 0)


# Threads


def test_threads_with_a_socket_each(daemon: Daemon, connect: Connect) -> None:
    threads, count = 8, 300
    sockets = [connect() for _ in range(threads)]
    results: list[list[int]] = [[] for _ in range(threads)]

    def read(number: int) -> None:
        while len(results[number]) < count:
            results[number] += [
                n["audit"]["usid"] for n in events.read_notifications(sockets[number], 10)
            ]

    readers = [threading.Thread(target=read, args=(number,)) for number in range(threads)]
    for reader in readers:
        reader.start()
    for number in range(count):
        daemon.audit(usid=number)
    for reader in readers:
        reader.join(30)
    assert results == [list(range(count))] * threads


def test_others_run_while_one_waits(daemon: Daemon, sock: socket.socket) -> None:
    """The GIL is free during a blocked read."""
    read: list[Any] = []
    reader = threading.Thread(target=lambda: read.append(events.read_notification(sock)))
    reader.start()
    counted = sum(range(100_000))
    assert (counted, read) == (4_999_950_000, [])
    daemon.audit(msg="now")
    reader.join(30)
    assert read[0]["audit"]["msg"] == "now"


def test_errors_belong_to_their_thread() -> None:
    """The error of one thread does not appear in another's exception."""
    seen: dict[int, set[tuple[int, str]]] = {1: set(), 2: set()}

    def provoke(number: int) -> None:
        for _ in range(200):
            reader, writer = socket.socketpair()
            with reader, writer:
                writer.sendall(frame_of((1 << 50,)) if number == 1 else b"")
                writer.close()
                try:
                    events.read_notification(reader)
                except events.Error as error:
                    seen[number].add((error.confd_errno, error.confd_lasterr))

    threads = [threading.Thread(target=provoke, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen == {
        1: {(events.ERR_INTERNAL, "Bad notification struct")},
        2: {(events.ERR_EOF, "EOF on socket to ConfD")},
    }


def test_error_attributes_are_not_on_the_class() -> None:
    for name in ("confd_errno", "confd_lasterr", "confd_strerror", "errno", "strerror"):
        assert not hasattr(events.Error, name)
    assert issubclass(events.EOF, events.Error)
    assert events.error.Error is events.Error


# Memory


@pytest.mark.stub
def test_kept_dicts_hold_no_struct(daemon: Daemon, sock: socket.socket) -> None:
    """Once a notification is a dict, nothing of the library's is left but its Values."""
    before = live_allocations()
    daemon.progress(attributes={"a": 1, "b": "x"}, links=[("t", "s")], annotation="note")
    daemon.cq_progress(completed_devices=["d0"], cq_tag="tag")
    kept = [events.read_notification(sock) for _ in range(2)]
    assert live_allocations() == before
    assert kept[0]["progress"]["attributes"] == {"a": 1, "b": "x"}
