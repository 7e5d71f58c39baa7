"""Threads, processes and interpreters: each gets whole notifications, or is told why not."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

import pytest
from conftest import Connect, large_frame, text_of

import confd_events as events
from confd_events.testing import Daemon, User, encode

PATIENCE = 60.0  # seconds

Read = Callable[[socket.socket], list[Any]]
READS: list[Read] = [lambda sock: [events.read_notification(sock)], events.read_notifications]


@contextmanager
def garbage_collector_under_pressure() -> Iterator[None]:
    """Collects without a pause, and often by itself."""
    before = gc.get_threshold()
    over = threading.Event()

    def collect() -> None:
        while not over.wait(0.001):
            gc.collect()

    thread = threading.Thread(target=collect)
    thread.start()
    gc.set_threshold(1)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        over.set()
        thread.join()


def join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.mark.parametrize("read", READS)
def test_sixteen_threads_with_a_socket_each(daemon: Daemon, connect: Connect, read: Read) -> None:
    sockets = [connect() for _ in range(16)]
    count = 100
    got: list[list[tuple[int, str]]] = [[] for _ in sockets]

    def follow(number: int) -> None:
        while len(got[number]) < count:
            for each in read(sockets[number]):
                commit = each["commit"]
                got[number].append((commit["flags"], commit["uinfo"].username))

    threads = [threading.Thread(target=follow, args=(n,)) for n in range(len(sockets))]
    with garbage_collector_under_pressure():
        for thread in threads:
            thread.start()
        for number in range(count):
            daemon.commit(flags=number, uinfo=User(username=f"user-{number}"))
        join(threads)
    assert got == [[(number, f"user-{number}") for number in range(count)]] * len(sockets)


@pytest.mark.parametrize("read", READS)
def test_threads_on_one_socket_get_whole_notifications(read: Read) -> None:
    """Each one goes to one of the threads; or a thread is told that it is in the way."""
    reader, writer = socket.socketpair()
    got: list[int] = []
    refused: list[str] = []

    def follow() -> None:
        while True:
            try:
                got.extend(each["audit"]["usid"] for each in read(reader))
            except RuntimeError as error:
                refused.append(str(error))
            except events.EOF:
                return

    threads = [threading.Thread(target=follow, daemon=True) for _ in range(4)]
    with reader, writer:
        for thread in threads:
            thread.start()
        for usid in range(2000):
            # Every tenth is so large that libconfd waits for its rest.
            size = 40_000 if usid % 200 == 0 else usid % 100
            frame = encode("audit", usid=usid, msg="x" * min(size, 8000), user="u" * size)
            for begin in range(0, len(frame), 30_000):
                writer.sendall(frame[begin : begin + 30_000])
        writer.shutdown(socket.SHUT_WR)
        join(threads)
    assert sorted(got) == list(range(2000))
    assert all("a socket of its own" in text for text in refused)


def test_a_notification_under_way_is_not_torn_by_another_thread() -> None:
    reader, writer = socket.socketpair()
    frame = large_frame("c" * 100_000)
    got: list[Any] = []
    first = threading.Thread(target=lambda: got.append(events.read_notification(reader)))
    with reader, writer:
        writer.sendall(frame[:50_000])
        first.start()
        while socket_holds_something(reader):  # until libconfd has taken what is there
            time.sleep(0.001)
        writer.sendall(frame[50_000:50_100] + frame[50_100:50_200])
        with pytest.raises(RuntimeError, match="give each thread a socket of its own"):
            read_now(reader)
        writer.sendall(frame[50_200:])
        join([first])
    assert text_of(got[0]) == "c" * 100_000


def test_the_library_works_in_one_thread_while_another_reads(daemon: Daemon) -> None:
    """It has one lock for what it allocates: each thread gets it, whatever became of a read."""
    good = encode("audit", user="admin", usid=1, msg="text")
    bad = b"\0\0\0\6\x83h\2a\1a"
    total, failed, reader, writer = 0, 0, *socket.socketpair()
    over = threading.Event()

    def load() -> None:
        while not over.is_set():
            events.load_schemas(**daemon.address)

    other = threading.Thread(target=load)
    sender = threading.Thread(target=lambda: writer.sendall((99 * good + bad) * 200))
    with reader, writer:
        other.start()
        sender.start()
        while total + failed < 20_000:
            try:
                total += len(events.read_notifications(reader))
            except events.Error as error:
                total += len(error.notifications)
                failed += 1
        over.set()
        join([other, sender])
    assert (total, failed) == (19_800, 200)


def socket_holds_something(sock: socket.socket) -> bool:
    try:
        return bool(sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return False


def read_now(sock: socket.socket) -> None:
    """Reads; an end of the stream in the way of another thread would be noticed as well."""
    while True:
        events.read_notifications(sock, timeout=0.01)


@pytest.mark.parametrize("read", READS)
def test_close_in_one_thread_while_another_reads(read: Read) -> None:
    reader, writer = socket.socketpair()
    seen: list[BaseException] = []

    def follow() -> None:
        try:
            read(reader)
        except (ValueError, events.Error) as error:
            seen.append(error)

    thread = threading.Thread(target=follow)
    with writer:
        thread.start()
        time.sleep(0.05)  # so that the read is under way
        descriptor = reader.fileno()
        reader.close()
        with socket.socket() as another:  # takes over the descriptor
            assert another.fileno() == descriptor
            join([thread])
    assert [str(error) for error in seen] == ["sock: was closed by another thread"]


def test_shutdown_ends_a_blocked_read_at_once() -> None:
    reader, writer = socket.socketpair()
    seen: list[BaseException] = []

    def follow() -> None:
        try:
            events.read_notification(reader)
        except events.EOF as error:
            seen.append(error)

    thread = threading.Thread(target=follow)
    with reader, writer:
        thread.start()
        time.sleep(0.05)  # so that the read is under way
        reader.shutdown(socket.SHUT_RDWR)
        join([thread])
    assert len(seen) == 1


def run_program(text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(text)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


@pytest.mark.parametrize("half", [0, 3, 40_000])
@pytest.mark.parametrize("read", ["read_notification", "read_notifications"])
def test_the_interpreter_ends_while_a_thread_reads(read: str, half: int) -> None:
    done = run_program(
        f"""
        import socket, threading, time
        import confd_events as events
        from confd_events.testing import encode

        reader, writer = socket.socketpair()
        writer.sendall(encode("audit", msg="c" * 100_000)[:{half}])
        threading.Thread(target=events.{read}, args=(reader,), daemon=True).start()
        time.sleep(0.1)
        print("the end")
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "the end\n", "")


def test_another_interpreter_works_or_is_refused() -> None:
    done = run_program(
        """
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        import confd_events

        program = '''
        try:
            import confd_events
            confd_events.read_notification
        except ImportError as error:
            assert "interpreter" in str(error), error
        '''.replace("        ", "")
        run = getattr(interpreters, "exec", None) or interpreters.run_string
        print(run(interpreters.create(), program))
        print(confd_events.Value(7))
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "None\n7\n", "")


def test_a_child_process_may_read_on(daemon: Daemon, sock: socket.socket) -> None:
    """What the parent has seen of the stream does not confuse the child."""
    daemon.audit(usid=1)
    daemon.audit(usid=2)
    assert events.read_notification(sock)["audit"]["usid"] == 1
    pid = os.fork()
    if pid == 0:  # no assertion here: pytest would go on in the child
        os._exit(events.read_notification(sock)["audit"]["usid"])
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2
    daemon.audit(usid=3)
    assert events.read_notification(sock)["audit"]["usid"] == 3


def test_a_storm_of_signals_in_the_main_thread_disturbs_no_other(
    daemon: Daemon, connect: Connect
) -> None:
    sock, count = connect(), 2000
    got: list[int] = []

    def follow() -> None:
        while len(got) < count:
            got.extend(each["audit"]["usid"] for each in events.read_notifications(sock, 7))

    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    thread = threading.Thread(target=follow)
    try:
        thread.start()
        for usid in range(count):
            daemon.audit(usid=usid)
        join([thread])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert got == list(range(count))


def test_what_somebody_else_read_does_not_stop_the_process() -> None:
    """What was seen of the stream is not awaited with the lock held when another has taken it."""
    done = run_program(
        """
        import faulthandler, socket, threading
        import confd_events
        from confd_events.testing import encode

        faulthandler.dump_traceback_later(20, exit=True)
        small = encode("audit", user="small", usid=1, msg="")
        large = encode("audit", user="large", usid=2, msg="m" * 500)
        begun, more = 60, 2 * len(small) + 10
        reader, writer = socket.socketpair()
        writer.sendall(3 * small + large[:begun])
        confd_events.read_notification(reader)
        reader.recv(2 * len(small), socket.MSG_WAITALL)
        writer.sendall(large[begun:begun + more])
        # Sent only if other threads can run while the rest is awaited.
        threading.Timer(0.3, writer.sendall, [large[begun + more:]]).start()
        print(confd_events.read_notification(reader)["audit"]["user"])
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "large\n", "")


def test_a_child_may_use_the_descriptor_from_which_a_thread_of_its_parent_reads() -> None:
    reader, writer = socket.socketpair()
    frame = large_frame("c" * 100_000)
    got: list[Any] = []
    thread = threading.Thread(target=lambda: got.append(events.read_notification(reader)))
    with reader, writer:
        writer.sendall(frame[:50_000])
        thread.start()
        while socket_holds_something(reader):  # until libconfd has taken what is there
            time.sleep(0.001)
        child = os.fork()
        if child == 0:  # no assertion here: pytest would go on in the child
            try:
                mine, daemons = socket.socketpair()
                os.dup2(mine.fileno(), reader.fileno())
                daemons.sendall(encode("audit", usid=7))
                os._exit(events.read_notification(reader)["audit"]["usid"])
            finally:
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        writer.sendall(frame[50_000:])
        join([thread])
    assert (status, text_of(got[0])) == (7, "c" * 100_000)
