"""Acknowledgements: what the daemon sees of them, and what stands still until then."""

from __future__ import annotations

import copy
import gc
import operator
import pickle
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Callable

import pytest
from conftest import ALL_PLAIN, SENDABLE, Connect
from subscribing import run_program

import confd_events as events
from confd_events.testing import Acknowledgement, Daemon, User

SYNC = (
    ALL_PLAIN
    | events.NOTIF_AUDIT_SYNC
    | events.NOTIF_HA_INFO_SYNC
    | events.NOTIF_AUDIT_NETWORK_SYNC
)


def until_reset(sock: socket.socket) -> None:
    """The reset is on its way when the daemon is done; a write before it comes would succeed."""
    poller = select.poll()
    poller.register(sock, 0)
    assert poller.poll(30_000), "no reset came"


def acknowledge_audit(sock: socket.socket, got: Any) -> None:
    events.sync_audit_notification(sock, usid=got["audit"]["usid"])


def acknowledge_audit_network(sock: socket.socket, got: Any) -> None:
    events.sync_audit_network_notification(sock, got["audit_network"]["usid"])


def acknowledge_diff(sock: socket.socket, got: Any) -> None:
    events.diff_notification_done(sock, tctx=got["commit_diff"]["tctx"])


def acknowledge_ha(sock: socket.socket, got: Any) -> None:
    events.sync_ha_notification(sock=sock)


KINDS: list[tuple[str, dict[str, Any], Callable[[socket.socket, Any], None], str, int | None]] = [
    ("audit", {"usid": 11}, acknowledge_audit, "audit", 11),
    ("audit", {"usid": -5}, acknowledge_audit, "audit", -5),
    ("commit_diff", {"thandle": 77}, acknowledge_diff, "commit_diff", 77),
    ("ha_is_primary", {}, acknowledge_ha, "ha", None),
]
if "audit_network" in SENDABLE:
    KINDS.append(
        ("audit_network", {"usid": 12}, acknowledge_audit_network, "audit_network", 12),
    )

each_kind = pytest.mark.parametrize(("kind", "fields", "acknowledge", "name", "number"), KINDS)


@each_kind
def test_daemon_waits(
    daemon: Daemon,
    connect: Connect,
    kind: str,
    fields: dict[str, Any],
    acknowledge: Callable[[socket.socket, Any], None],
    name: str,
    number: int | None,
) -> None:
    sock = connect(SYNC)
    delivery = getattr(daemon, kind)(**fields)
    got = events.read_notification(sock)
    assert not delivery.done
    with pytest.raises(TimeoutError):
        delivery.wait(0.05)
    acknowledge(sock, got)
    assert delivery.wait()
    assert [a[:2] for a in daemon.acknowledgements] == [(name, number)]


@each_kind
def test_daemon_waits_for_all(
    daemon: Daemon,
    connect: Connect,
    kind: str,
    fields: dict[str, Any],
    acknowledge: Callable[[socket.socket, Any], None],
    name: str,
    number: int | None,
) -> None:
    first, second = connect(SYNC), connect(SYNC)
    delivery = getattr(daemon, kind)(**fields)
    acknowledge(first, events.read_notification(first))
    daemon.wait_for_acknowledgements(1)
    assert not delivery.done
    acknowledge(second, events.read_notification(second))
    assert delivery.wait()
    one, two = (subscriber.id for subscriber in daemon.subscribers)
    expected = {Acknowledgement(name, number, one), Acknowledgement(name, number, two)}
    assert set(daemon.acknowledgements) == expected


def test_nobody_waits_without_the_flag(daemon: Daemon, sock: socket.socket) -> None:
    for kind in {"audit", "ha_is_none", "audit_network"} & set(SENDABLE):
        assert getattr(daemon, kind)().done


def test_a_lost_subscriber_holds_nothing_up(daemon: Daemon, connect: Connect) -> None:
    sock = connect(SYNC)
    delivery = daemon.audit(usid=1)
    events.read_notification(sock)
    sock.close()
    assert delivery.wait()


def test_sequence(daemon: Daemon, connect: Connect) -> None:
    """Ids are not mixed up when many are under way."""
    sock = connect(SYNC)
    deliveries = [daemon.commit_diff(thandle=number) for number in range(50)]
    read: list[Any] = []
    while len(read) < 50:
        read += events.read_notifications(sock)
    for got in reversed(read):
        acknowledge_diff(sock, got)
    assert all(delivery.wait() for delivery in deliveries)
    assert [a.id for a in daemon.acknowledgements] == list(reversed(range(50)))


class TestTransaction:
    """The TransCtxRef of a commit diff."""

    @pytest.fixture
    def tctx(self, daemon: Daemon, sock: socket.socket) -> Iterator[Any]:
        daemon.commit_diff(thandle=77)
        transaction = events.read_notification(sock)["commit_diff"]["tctx"]
        yield transaction
        # pytest holds it longer than the watch over the library's memory waits.
        with suppress(ValueError):
            events.diff_notification_done(sock, transaction)

    def test_is_a_transaction_handle(self, tctx: Any) -> None:
        assert operator.index(tctx) == tctx.th == 77
        assert hex(tctx) == hex(77)
        assert repr(tctx) == "TransCtxRef(th=77)"

    def test_attributes(self, tctx: Any, sock: socket.socket) -> None:
        assert tctx.fd == sock.fileno()
        assert (tctx.uinfo.username, tctx.username) == ("admin", "admin")
        assert tctx.context == tctx.uinfo.context
        for name in ("secondary_index", "traversal_id", "cb_flags"):
            assert getattr(tctx, name) == 0
        assert tctx.accumulated is None

    def test_is_read_for_ever(self, daemon: Daemon, tctx: Any, sock: socket.socket) -> None:
        """When it is done, and when the library's struct has held many others."""
        events.diff_notification_done(sock, tctx)
        for number in range(20):
            daemon.commit_diff(thandle=number, uinfo=User(username="mallory", context="rest"))
            events.read_notification(sock)
        assert operator.index(tctx) == tctx.th == 77
        assert tctx.fd == sock.fileno()
        assert (tctx.username, tctx.context, tctx.uinfo.usid) == ("admin", "cli", 11)
        assert (tctx.secondary_index, tctx.traversal_id) == (0, 0)
        assert repr(tctx) == "TransCtxRef(th=77, done)"

    def test_outlives_its_thread(self, daemon: Daemon, sock: socket.socket) -> None:
        """Nothing of it lies on the stack of the thread that has read it."""
        read: list[Any] = []
        for number in range(8):
            daemon.commit_diff(thandle=number, uinfo=User(username=f"user {number}"))
            thread = threading.Thread(target=lambda: read.append(events.read_notification(sock)))
            thread.start()
            thread.join()
        transactions = [notification["commit_diff"]["tctx"] for notification in read]
        assert [tctx.username for tctx in transactions] == [f"user {number}" for number in range(8)]

    def test_is_done_once(self, daemon: Daemon, tctx: Any, sock: socket.socket) -> None:
        events.diff_notification_done(sock, tctx)
        with pytest.raises(ValueError, match="tctx"):
            events.diff_notification_done(sock, tctx)
        daemon.wait_for_acknowledgements(1)
        assert len(daemon.acknowledgements) == 1

    def test_is_over_when_the_connection_is_lost(
        self, daemon: Daemon, tctx: Any, sock: socket.socket
    ) -> None:
        daemon.disconnect(reset=True)
        until_reset(sock)
        with pytest.raises(events.Error) as caught:
            events.diff_notification_done(sock, tctx)
        assert caught.value.confd_errno == events.ERR_EOF
        with pytest.raises(ValueError, match="tctx"):
            events.diff_notification_done(sock, tctx)

    def test_a_wrong_socket_does_not_end_it(
        self, daemon: Daemon, tctx: Any, sock: socket.socket
    ) -> None:
        with (
            socket.socket(type=socket.SOCK_DGRAM) as wrong,
            pytest.raises(ValueError, match="sock"),
        ):
            events.diff_notification_done(wrong, tctx)
        events.diff_notification_done(sock, tctx)
        assert daemon.wait_for_acknowledgements(1)[0].id == 77

    def test_forgotten_it_sends_nothing(self, daemon: Daemon, sock: socket.socket) -> None:
        delivery = daemon.commit_diff(thandle=1)
        events.read_notification(sock)
        gc.collect()
        assert not delivery.done
        assert daemon.acknowledgements == []

    def test_is_not_copied(self, tctx: Any) -> None:
        for use in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError):
                use(tctx)


@pytest.mark.parametrize("disposition", ["SIG_DFL", "SIG_IGN"])
@pytest.mark.parametrize("held", [False, True])
def test_a_lost_connection_and_sigpipe(daemon: Daemon, disposition: str, held: bool) -> None:
    """It ends no process, and leaves the signal as it was: libconfd writes by write()."""
    done = run_program(
        f"""
        import signal, socket
        import confd_events as events
        signal.signal(signal.SIGPIPE, signal.{disposition})
        if {held}:
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPIPE])
        with socket.socket() as sock:
            events.notifications_connect(
                sock, events.NOTIF_AUDIT | events.NOTIF_AUDIT_SYNC, **{daemon.address}
            )
            sock.shutdown(socket.SHUT_WR)
            try:
                events.sync_audit_notification(sock, 1)
            except events.Error:
                print("an error")
        print(signal.getsignal(signal.SIGPIPE).name, len(signal.sigpending()))
        """
    )
    # Who holds the signal back has it waiting, as after a write of their own.
    expected = f"an error\n{disposition} {int(held)}\n"
    assert (done.stderr, done.returncode, done.stdout) == ("", 0, expected)


def test_lost_connection(daemon: Daemon, connect: Connect) -> None:
    """An acknowledgement that can't be sent is an Error, never a signal that ends the process."""
    sock = connect(SYNC)
    daemon.disconnect(reset=True)
    until_reset(sock)
    with pytest.raises(events.Error) as caught:
        events.sync_ha_notification(sock)
    assert caught.value.confd_errno == events.ERR_EOF
    assert caught.value.confd_lasterr == "Socket to ConfD is closed"
