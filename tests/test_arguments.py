"""Wrong arguments: a Python exception that names the argument, and no word to the daemon."""

from __future__ import annotations

import os
import socket
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import Connect

import confd_events
from confd_events.testing import Daemon

# What follows is wrong on purpose, so without types.
events: Any = confd_events
NotificationsData = events.NotificationsData
GOOD: dict[str, Any] = {"mask": events.NOTIF_AUDIT, "ip": "127.0.0.1", "port": 4569}


def refused(error: type[Exception], argument: str, call: Callable[[], object]) -> None:
    with pytest.raises(error) as caught:
        call()
    # Of the class itself: a ValueError for a wrong type would be a wrong answer.
    assert type(caught.value) is error
    assert argument in str(caught.value)


@pytest.fixture
def nobody(daemon: Daemon) -> Daemon:
    """A daemon that must stay without a subscriber."""
    return daemon


@pytest.mark.parametrize(
    ("wrong", "error", "argument"),
    [
        ({"mask": -1}, ValueError, "mask"),
        ({"mask": 1 << 63}, ValueError, "mask"),
        ({"mask": 1 << 200}, ValueError, "mask"),
        ({"mask": "audit"}, TypeError, "mask"),
        ({"mask": 1.0}, TypeError, "mask"),
        ({"mask": None}, TypeError, "mask"),
        ({"mask": events.NOTIF_HEARTBEAT}, ValueError, "heartbeat_interval"),
        ({"mask": events.NOTIF_HEALTH_CHECK}, ValueError, "health_check_interval"),
        ({"mask": events.NOTIF_STREAM_EVENT}, ValueError, "stream_name"),
        ({"ip": "localhost"}, ValueError, "ip"),
        ({"ip": "256.0.0.1"}, ValueError, "ip"),
        ({"ip": "::1"}, ValueError, "ip"),
        ({"ip": ""}, ValueError, "ip"),
        ({"ip": "127.0.0.1\0"}, ValueError, "ip"),
        ({"ip": "127.0.0.\udcff"}, ValueError, "ip"),
        ({"ip": b"127.0.0.1"}, TypeError, "ip"),
        ({"ip": None}, TypeError, "ip"),
        ({"port": 0}, ValueError, "port"),
        ({"port": -1}, ValueError, "port"),
        ({"port": 65536}, ValueError, "port"),
        ({"port": 2**40}, OverflowError, "port"),
        ({"port": "4569"}, TypeError, "port"),
        ({"port": None}, TypeError, "port"),
    ],
)
def test_connect(wrong: dict[str, Any], error: type[Exception], argument: str) -> None:
    with socket.socket() as sock:
        refused(error, argument, lambda: events.notifications_connect(sock, **{**GOOD, **wrong}))


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("p" * 108, ValueError),
        ("\0" + "p" * 108, ValueError),
        ("ü" * 54, ValueError),
        ("", ValueError),
        ("\0", ValueError),
        ("a\0b", ValueError),
        (None, TypeError),
        (5, TypeError),
        (["p"], TypeError),
    ],
)
def test_path(path: Any, error: type[Exception]) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        refused(error, "path", lambda: events.notifications_connect(sock, 1, path=path))


def test_a_path_is_never_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first 107 bytes name a socket too, and it must not be the one that is connected."""
    monkeypatch.chdir(tmp_path)
    with Daemon(path="p" * 107) as daemon, socket.socket(socket.AF_UNIX) as sock:
        refused(ValueError, "path", lambda: events.notifications_connect(sock, 1, path="p" * 108))
        assert daemon.subscribers == ()


def test_ipv6_address_of_a_wrong_kind() -> None:
    with socket.socket(socket.AF_INET6) as sock:
        for ip in ("127.0.0.1", "1::2::3", "fe80::1%nowhere"):
            refused(ValueError, "ip", partial(events.notifications_connect, sock, 1, ip, 4569))


@pytest.mark.parametrize("data", [None, {}, "data", object()])
def test_data_of_another_type(data: Any) -> None:
    with socket.socket() as sock:
        refused(
            TypeError, "data", lambda: events.notifications_connect2(sock, 1, data, "127.0.0.1", 1)
        )


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"heartbeat_interval": -1}, ValueError),
        ({"heartbeat_interval": 2**31}, OverflowError),
        ({"heartbeat_interval": 1.5}, TypeError),
        ({"heartbeat_interval": None}, TypeError),
        ({"health_check_interval": -1}, ValueError),
        ({"health_check_interval": "1000"}, TypeError),
        ({"stream_name": b"NETCONF"}, TypeError),
        ({"stream_name": "NET\0CONF"}, ValueError),
        ({"stream_name": "n" * 256}, ValueError),
        ({"stream_name": "\u20ac"}, ValueError),
        ({"start_time": 1700000000}, TypeError),
        ({"start_time": "yesterday"}, ValueError),
        ({"start_time": datetime(2026, 11, 23)}, ValueError),
        ({"stop_time": events.Value("2024-01-01T00:00:00Z")}, TypeError),
        ({"stop_time": "2024-01-01T00:00:00Z"}, ValueError),
        ({"xpath_filter": 5}, TypeError),
        ({"xpath_filter": "/a\0"}, ValueError),
        ({"usid": 2**31}, OverflowError),
        ({"usid": "11"}, TypeError),
        ({"verbosity": -(2**31) - 1}, OverflowError),
        ({"verbosity": "debug"}, TypeError),
    ],
)
def test_notifications_data(wrong: dict[str, Any], error: type[Exception]) -> None:
    (argument,) = wrong
    refused(error, argument, lambda: NotificationsData(**wrong))


def test_an_interval_of_0_is_missing() -> None:
    for bit, argument in (
        (events.NOTIF_HEARTBEAT, "heartbeat_interval"),
        (events.NOTIF_HEALTH_CHECK, "health_check_interval"),
    ):
        with socket.socket() as sock:
            refused(
                ValueError,
                argument,
                partial(events.notifications_connect2, sock, bit, NotificationsData(), "::1", 1),
            )


BY_USID: list[Callable[[Any, Any], None]] = [events.sync_audit_notification]
if hasattr(events, "sync_audit_network_notification"):
    BY_USID.append(events.sync_audit_network_notification)

USES: list[Callable[[Any], object]] = [
    events.read_notification,
    events.read_notifications,
    events.sync_ha_notification,
    *(partial(lambda acknowledge, sock: acknowledge(sock, 1), each) for each in BY_USID),
    lambda sock: events.notifications_connect(sock, **GOOD),
    lambda sock: events.notifications_connect2(
        sock, GOOD["mask"], NotificationsData(), GOOD["ip"], GOOD["port"]
    ),
]


@pytest.mark.parametrize("use", USES)
class TestSocket:
    @pytest.mark.parametrize("sock", [None, 5, "socket", object()])
    def test_none_at_all(self, use: Callable[[Any], object], sock: Any) -> None:
        refused(TypeError, "sock", lambda: use(sock))

    def test_closed(self, use: Callable[[Any], object]) -> None:
        sock = socket.socket()
        sock.close()
        refused(ValueError, "sock", lambda: use(sock))

    def test_descriptor_of_nothing(self, use: Callable[[Any], object]) -> None:
        class Stale:
            family = socket.AF_INET

            def fileno(self) -> int:
                return 10**6

        refused(ValueError, "sock", lambda: use(Stale()))

    def test_datagram(self, use: Callable[[Any], object]) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            refused(ValueError, "sock", lambda: use(sock))

    def test_file(self, use: Callable[[Any], object], tmp_path: Path) -> None:
        with open(os.devnull, "rb") as file:
            refused(ValueError, "sock", lambda: use(file))


@pytest.mark.parametrize("connect", USES[-2:])
def test_connecting_waits(connect: Callable[[Any], object]) -> None:
    with socket.socket() as sock:
        sock.setblocking(False)
        refused(ValueError, "sock", lambda: connect(sock))


def test_family_is_needed_to_connect() -> None:
    class Bare:
        def __init__(self, sock: socket.socket) -> None:
            self.fileno = sock.fileno

    with socket.socket() as sock:
        refused(TypeError, "sock", lambda: events.notifications_connect(Bare(sock), **GOOD))


def test_unsupported_family() -> None:
    class Odd:
        family = 9999

        def __init__(self, sock: socket.socket) -> None:
            self.fileno = sock.fileno

    with socket.socket() as sock:
        refused(ValueError, "sock", lambda: events.notifications_connect(Odd(sock), **GOOD))


@pytest.mark.parametrize(
    ("usid", "error"),
    [("1", TypeError), (None, TypeError), (2**31, OverflowError), (-(2**31) - 1, OverflowError)],
)
def test_usid(connect: Connect, usid: Any, error: type[Exception]) -> None:
    sock = connect()
    for acknowledge in BY_USID:
        refused(error, "usid", partial(acknowledge, sock, usid))


@pytest.mark.parametrize("tctx", [None, 77, object()])
def test_tctx(connect: Connect, tctx: Any) -> None:
    sock = connect()
    refused(TypeError, "tctx", lambda: events.diff_notification_done(sock, tctx))


@pytest.mark.parametrize(
    ("limit", "error"),
    [(0, ValueError), (-1, ValueError), ("5", TypeError), (2**31, OverflowError)],
)
def test_max(connect: Connect, limit: Any, error: type[Exception]) -> None:
    sock = connect()
    refused(error, "max", lambda: events.read_notifications(sock, max=limit))


@pytest.mark.parametrize(
    ("call", "argument", "error"),
    [
        (lambda: events.hash2str("x"), "hash", TypeError),
        (lambda: events.hash2str(-1), "hash", OverflowError),
        (lambda: events.hash2str(2**32), "hash", OverflowError),
        (lambda: events.str2hash(5), "str", TypeError),
        (lambda: events.str2hash("a\0"), "str", ValueError),
        (lambda: events.ns2prefix(None), "ns", TypeError),
        (lambda: events.log_symbol("x"), "logno", TypeError),
        (lambda: events.log_description(2**31), "logno", OverflowError),
        (lambda: events.load_schemas(), "ip", TypeError),
        (lambda: events.load_schemas(ip="127.0.0.1"), "port", TypeError),
        (lambda: events.load_schemas(ip="::1", port=0), "port", ValueError),
        (lambda: events.load_schemas(path="p" * 108), "path", ValueError),
        (lambda: events.XmlTag(-1, 0), "ns", OverflowError),
        (lambda: events.XmlTag(0, 2**32), "tag", OverflowError),
        (lambda: events.TagValue(0, events.Value(1)), "xmltag", TypeError),
        (lambda: events.TagValue(events.XmlTag(0, 0), 5), "v", TypeError),
        (lambda: events.TagValue(tag=2**32, ns=0), "tag", OverflowError),
        (lambda: events.ProgressLink(None, "s"), "trace_id", TypeError),
        (lambda: events.DateTime(2**15, 1, 1), "year", OverflowError),
        (lambda: events.DateTime(2026, 256, 1), "month", OverflowError),
        (lambda: events.Value("x").val2str(5), "schema_type", TypeError),
        (lambda: events.Value("x").val2str((1, 2, 3)), "schema_type", TypeError),
        (lambda: events.Value("x").val2str((-1, "/x")), "schema_type", OverflowError),
        (lambda: events.Value.str2val(5, "/x"), "value", TypeError),
    ],
)
def test_other_functions(call: Callable[[], object], argument: str, error: type[Exception]) -> None:
    refused(error, argument, call)


def test_a_refusal_says_nothing_to_the_daemon(nobody: Daemon) -> None:
    with socket.socket() as sock:
        for wrong in ({"mask": -1}, {"port": None}, {"mask": events.NOTIF_HEARTBEAT}):
            with pytest.raises((TypeError, ValueError)):
                events.notifications_connect(
                    sock, **{"mask": events.NOTIF_AUDIT, **nobody.address, **wrong}
                )
        # The socket was not touched: it can still be connected.
        events.notifications_connect(sock, events.NOTIF_AUDIT, **nobody.address)
        assert len(nobody.wait_for_subscribers()) == 1
