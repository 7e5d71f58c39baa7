"""What a daemon that dies, a process without descriptors and a storm of signals lead to.

See also test_connect.py, test_read.py and test_memory.py.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import socket
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Callable, cast

import pytest
from conftest import ALL_PLAIN
from subscribing import run_program

import confd_events as events
from confd_events.testing import Atom, Daemon, DaemonProcess, Faults, encode, frame_of

FIELDS: dict[str, Any] = {"user": "admin", "msg": "whole", "usid": 1}
HELLO = 9
CONNECTED = HELLO + len(frame_of(Atom("ok")))
ALL = CONNECTED + len(encode("audit", **FIELDS))
SYNC = events.NOTIF_AUDIT | events.NOTIF_AUDIT_SYNC


# The daemon dies


def talk_to(daemon: Daemon | DaemonProcess, whole: bool) -> events.Error:
    """The Error of connecting, or of reading when the connecting must succeed."""
    with socket.socket() as sock:
        if not whole:
            with pytest.raises(events.Error) as caught:
                events.notifications_connect(sock, events.NOTIF_AUDIT, **daemon.address)
            return caught.value
        events.notifications_connect(sock, events.NOTIF_AUDIT, **daemon.address)
        daemon.audit(**FIELDS)
        with pytest.raises(events.Error) as caught:
            events.read_notification(sock)
        return caught.value


def assert_lost(error: events.Error) -> None:
    """The end of the stream, or a reset: the kernel may make one of a close, too."""
    if isinstance(error, events.EOF):
        assert error.confd_errno == events.ERR_EOF
    else:
        assert error.confd_errno == events.ERR_OS
        assert error.errno in (errno.ECONNRESET, errno.EPIPE)
    assert error.confd_lasterr


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("count", range(ALL))
def test_connection_lost_at_any_byte(reset: bool, count: int) -> None:
    faults = Faults(reset_after=count) if reset else Faults(close_after=count)
    with Daemon(faults=faults) as daemon:
        assert_lost(talk_to(daemon, count >= CONNECTED))


@pytest.mark.parametrize("count", [0, 5, HELLO, CONNECTED - 1, CONNECTED, CONNECTED + 3, ALL - 1])
def test_daemon_killed(count: int) -> None:
    """By SIGKILL, when it has sent so many bytes and the client waits for the next."""
    daemon = DaemonProcess(faults=Faults(silent_after=count))
    daemon.start()
    (process,) = multiprocessing.active_children()
    killer = threading.Timer(0.3, process.kill)
    killer.start()
    try:
        assert_lost(talk_to(daemon, count >= CONNECTED))
    finally:
        killer.join()
        process.join(30)
        with suppress(OSError, EOFError):
            daemon.stop()


# No descriptor is left

STARVED = """
    import os, resource, socket
    import confd_events as events

    address = {address!r}
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    sock = socket.socket()
    hoard = []
    try:
        while True:
            hoard.append(os.dup(0))
    except OSError:
        pass
"""


def run_without_descriptors(daemon: Daemon, program: str, **variables: str) -> list[str]:
    """The lines that a program prints that has a socket and can not open anything else."""
    whole = textwrap.dedent(STARVED).format(address=daemon.address) + textwrap.dedent(program)
    whole += "\nfor descriptor in hoard:\n    os.close(descriptor)\n"
    done = run_program(whole, **variables)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout.splitlines()


def test_works_without_descriptors() -> None:
    """Also when the notification comes in pieces, for which epoll would be needed."""
    program = """
        events.notifications_connect(sock, events.NOTIF_AUDIT | events.NOTIF_AUDIT_SYNC, **address)
        for _ in range(3):
            usid = events.read_notification(sock)["audit"]["usid"]
            events.sync_audit_notification(sock, usid)
            print(usid)
    """
    with Daemon(faults=Faults(byte_pause=0.002)) as daemon:
        sender = threading.Thread(target=send_when_subscribed, args=(daemon, 3))
        sender.start()
        assert run_without_descriptors(daemon, program) == ["0", "1", "2"]
        sender.join()
        assert [ack.id for ack in daemon.wait_for_acknowledgements(3)] == [0, 1, 2]


def send_when_subscribed(daemon: Daemon, count: int) -> None:
    daemon.wait_for_subscribers(timeout=30)
    for number in range(count):
        daemon.audit(usid=number)


def test_a_timeout_holds_without_descriptors() -> None:
    """A part of a frame, of which no more comes, does not make the call hang."""
    program = """
        events.notifications_connect(sock, events.NOTIF_AUDIT, **address)
        print(events.read_notifications(sock, timeout=0.05))
    """
    with Daemon(faults=Faults(silent_after=CONNECTED + 7)) as daemon:
        sender = threading.Thread(target=send_when_subscribed, args=(daemon, 1))
        sender.start()
        assert run_without_descriptors(daemon, program) == ["[]"]
        sender.join()


def test_no_descriptor_for_the_secret(tmp_path: Path) -> None:
    """None is needed: the secret was read before."""
    (tmp_path / "secret").write_text("secret")
    program = """
        events.notifications_connect(sock, events.NOTIF_AUDIT, **address)
        print("connected")
    """
    with Daemon(secret=b"secret") as daemon:
        path = str(tmp_path / "secret")
        assert run_without_descriptors(daemon, program, NCS_IPC_ACCESS_FILE=path) == ["connected"]


def test_no_descriptor_for_loading_schemas() -> None:
    program = """
        try:
            events.load_schemas(**address)
        except events.Error as error:
            print(error.confd_lasterr)
    """
    with Daemon() as daemon:
        (said,) = run_without_descriptors(daemon, program)
    assert said == f"Failed to create maapi socket: {os.strerror(errno.EMFILE)}"


# Signals

SIGNALS = (signal.SIGINT, signal.SIGALRM, signal.SIGCHLD)


@contextmanager
def storm() -> Iterator[dict[int, int]]:
    """Signals all the time; yields how many of each were handled so far."""
    counts = dict.fromkeys(map(int, SIGNALS), 0)
    over = threading.Event()
    reader = threading.get_ident()

    def count(number: int, _: object) -> None:
        counts[number] += 1

    def interrupt() -> None:
        while not over.wait(0.0005):
            signal.pthread_kill(reader, signal.SIGINT)
            signal.pthread_kill(reader, signal.SIGCHLD)

    before = {number: signal.signal(number, count) for number in SIGNALS}
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    sender = threading.Thread(target=interrupt)
    sender.start()
    try:
        yield counts
    finally:
        over.set()
        sender.join()
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def one(sock: socket.socket) -> list[Any]:
    return [events.read_notification(sock)]


@pytest.mark.parametrize("read", [one, events.read_notifications])
def test_signals_lose_and_tear_nothing(read: Callable[[socket.socket], list[Any]]) -> None:
    """Frames in pieces of an odd size, so that most calls find a part of one."""
    total, piece = 10_000, 997
    sent = b"".join(encode("audit", usid=n, msg=f"number {n}") for n in range(total))
    reader, writer = socket.socketpair()

    def write() -> None:
        for start in range(0, len(sent), piece):
            writer.sendall(sent[start : start + piece])

    writing = threading.Thread(target=write)
    with reader, writer, storm() as counts:
        writing.start()
        read_so_far: list[Any] = []
        while len(read_so_far) < total:
            read_so_far += read(reader)
        writing.join()
    got = [(n["audit"]["usid"], n["audit"]["msg"]) for n in read_so_far]
    assert got == [(n, f"number {n}") for n in range(total)]
    assert all(counts.values())


def test_signals_lose_no_acknowledgement() -> None:
    total = 2000
    with Daemon() as daemon, socket.socket() as sock, storm() as counts:
        events.notifications_connect(sock, SYNC, **daemon.address)
        daemon.wait_for_subscribers()
        for number in range(total):
            daemon.audit(usid=number)
        for _ in range(total):
            usid = events.read_notification(sock)["audit"]["usid"]
            events.sync_audit_notification(sock, usid)
        acknowledged = [ack.id for ack in daemon.wait_for_acknowledgements(total, timeout=60)]
    assert acknowledged == list(range(total))
    assert all(counts.values())


def test_signals_while_connecting() -> None:
    with Daemon(faults=Faults(byte_pause=0.003)) as daemon, storm() as counts:
        for _ in range(20):
            with socket.socket() as sock:
                events.notifications_connect(sock, ALL_PLAIN, **daemon.address)
    assert all(counts.values())


def test_signals_while_another_thread_waits_for_a_connection(tmp_path: Path) -> None:
    """libconfd gives up a connect() that a signal interrupts, wherever the signal arrives."""
    path = str(tmp_path / "daemon")
    outcomes: list[events.Error] = []

    def connect() -> None:
        with socket.socket(socket.AF_UNIX) as sock:
            try:
                events.notifications_connect(sock, events.NOTIF_AUDIT, path=path)
            except events.Error as error:
                outcomes.append(error)

    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as other, storm():
        server.bind(path)
        server.listen(0)
        other.connect(path)  # there is no room for a second one, until this is accepted
        thread = threading.Thread(target=connect)
        thread.start()
        for _ in range(100):
            signal.pthread_kill(cast("int", thread.ident), signal.SIGALRM)
            time.sleep(0.001)
        assert outcomes == []
        for _ in range(2):
            server.accept()[0].close()
        thread.join()
    (outcome,) = outcomes
    assert isinstance(outcome, events.EOF), "it was connected, and only then closed"
