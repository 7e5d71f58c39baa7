"""Connecting: every family of address, the access check, refusals, what the daemon is told."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pytest
from conftest import LEVEL, LIBRARY, Connect
from subscribing import run_program

import confd_events as events
from confd_events import EOF, Error, NotificationsData
from confd_events.testing import Atom, Daemon, Faults
from confd_events.testing._terms import decode

SECRET = b"not to be told\n"


@contextmanager
def connecting(family: int = socket.AF_INET) -> Iterator[socket.socket]:
    with socket.socket(family) as sock:
        yield sock


def failed(daemon: Daemon, mask: int = events.NOTIF_AUDIT, data: Any = None) -> Error:
    """The Error of a connect that must fail."""
    data = data or NotificationsData()
    with connecting() as sock, pytest.raises(Error) as caught:
        events.notifications_connect2(sock, mask, data, **daemon.address)
    return caught.value


@pytest.mark.parametrize(
    ("family", "where"),
    [
        (socket.AF_INET, {"ip": "127.0.0.1"}),
        (socket.AF_INET6, {"ip": "::1"}),
        (socket.AF_UNIX, {"path": "daemon.sock"}),
        (socket.AF_UNIX, {"path": "\0confd-events-test"}),
    ],
)
def test_families(
    family: int, where: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Daemon(**where) as daemon, connecting(family) as sock:
        events.notifications_connect(sock, events.NOTIF_AUDIT, **daemon.address)
        daemon.wait_for_subscribers()
        daemon.audit(msg="hello")
        assert events.read_notification(sock)["audit"]["msg"] == "hello"


@pytest.mark.parametrize("convert", [str, os.fsencode, Path])
def test_path_types(tmp_path: Path, convert: Any) -> None:
    path = tmp_path / "s"
    with Daemon(path=str(path)), connecting(socket.AF_UNIX) as sock:
        events.notifications_connect(sock, events.NOTIF_AUDIT, path=convert(str(path)))


def test_longest_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("p" * 107, "\0" + "a" * 107):
        with Daemon(path=path), connecting(socket.AF_UNIX) as sock:
            events.notifications_connect(sock, events.NOTIF_AUDIT, path=path)


def test_positional_arguments(daemon: Daemon) -> None:
    ip, port = daemon.address["ip"], daemon.address["port"]
    with connecting() as one, connecting() as two:
        events.notifications_connect(one, events.NOTIF_AUDIT, ip, port, None)
        data = NotificationsData(1000, 2000, None, None, None, None, 0, 0)
        events.notifications_connect2(two, events.NOTIF_HEARTBEAT, data, ip, port, None)
        assert len(daemon.wait_for_subscribers(2)) == 2


def test_anything_with_fileno_and_family(daemon: Daemon) -> None:
    class Wrapped:
        def __init__(self, sock: socket.socket) -> None:
            self.fileno, self.family = sock.fileno, sock.family

    with connecting() as sock:
        wrapped = Wrapped(sock)
        events.notifications_connect(wrapped, events.NOTIF_AUDIT, **daemon.address)
        daemon.wait_for_subscribers()
        daemon.audit(msg="x")
        assert events.read_notification(wrapped)["audit"]["msg"] == "x"


def test_what_the_daemon_is_told(connect: Connect, daemon: Daemon) -> None:
    daemon.add_stream("NETCONF")
    start = datetime(2024, 1, 1, tzinfo=timezone.utc)
    mask = events.NOTIF_HEARTBEAT | events.NOTIF_HEALTH_CHECK | events.NOTIF_STREAM_EVENT
    data = NotificationsData(
        heartbeat_interval=10_000,
        health_check_interval=20_000,
        stream_name="NETCONF",
        start_time=start,
        xpath_filter="/a[b='c']",
        verbosity=events.VERBOSITY_DEBUG,
    )
    connect(mask | events.NOTIF_COMMIT_PROGRESS, data)
    connect(mask, data)
    progress, subscriber = daemon.wait_for_subscribers(2)
    assert (progress.verbosity, subscriber.verbosity) == (events.VERBOSITY_DEBUG, 0)
    assert subscriber.mask == mask
    assert subscriber.heartbeat_interval == 10_000
    assert subscriber.health_check_interval == 20_000
    assert subscriber.stream == "NETCONF"
    assert subscriber.filter == "/a[b='c']"


def test_an_interval_without_its_bit_is_not_sent(connect: Connect, daemon: Daemon) -> None:
    connect(events.NOTIF_AUDIT, NotificationsData(heartbeat_interval=1000))
    assert daemon.subscribers[0].heartbeat_interval == 0


def test_unknown_bits_pass(connect: Connect, daemon: Daemon) -> None:
    """A newer daemon may know them."""
    unknown = 1 << (40 if LEVEL >= (8, 2) else 30)
    connect(unknown | events.NOTIF_AUDIT)
    assert daemon.subscribers[0].mask == unknown | events.NOTIF_AUDIT


def test_heartbeats_and_health_checks(connect: Connect) -> None:
    mask = events.NOTIF_HEARTBEAT | events.NOTIF_HEALTH_CHECK
    sock = connect(mask, NotificationsData(5, 7))
    kinds = {events.read_notification(sock)["type"] for _ in range(20)}
    assert kinds == {events.NOTIF_HEARTBEAT, events.NOTIF_HEALTH_CHECK}


# Refusals


def test_nobody_listens() -> None:
    with Daemon() as daemon:
        address = daemon.address
    with connecting() as sock, pytest.raises(Error) as caught:
        events.notifications_connect(sock, events.NOTIF_AUDIT, **address)
    error = caught.value
    assert error.confd_errno == events.ERR_OS
    assert error.confd_lasterr == "Failed to connect to ConfD: Connection refused"
    assert (error.errno, error.strerror) == (errno.ECONNREFUSED, "Connection refused")
    assert error.confd_strerror
    assert str(error) == f"{error.confd_strerror} (24): {error.confd_lasterr}"


# The secret, which libconfd reads when confd_events is imported, and never again

CONNECT = """
import os, socket
import confd_events as events
for name in ("CONFD_IPC_ACCESS_FILE", "NCS_IPC_ACCESS_FILE"):
    os.environ[name] = "/too/late"
with socket.socket() as sock:
    try:
        events.notifications_connect(sock, events.NOTIF_AUDIT, **{address})
    except events.Error as error:
        print(type(error).__name__, error.confd_errno, error.confd_lasterr)
    else:
        print("connected")
"""


def connected_with(daemon: Daemon, **variables: str) -> str:
    """What a process says that connects, with these variables from its beginning."""
    done = run_program(CONNECT.format(address=daemon.address), **variables)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


def test_right_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(SECRET)
    for variable in ("CONFD_IPC_ACCESS_FILE", "NCS_IPC_ACCESS_FILE"):
        with Daemon(secret=SECRET) as daemon:
            said = connected_with(daemon, **{variable: str(tmp_path / "secret")})
        assert said == "connected\n"


def test_wrong_secret(tmp_path: Path) -> None:
    # Without its newline it is another secret.
    (tmp_path / "secret").write_bytes(SECRET.strip())
    with Daemon(secret=SECRET) as daemon:
        said = connected_with(daemon, CONFD_IPC_ACCESS_FILE=str(tmp_path / "secret"))
    assert said.startswith(f"Error {events.ERR_PROTOUSAGE} Access denied")


def test_the_first_variable_names_the_secret(tmp_path: Path) -> None:
    (tmp_path / "right").write_bytes(SECRET)
    right, missing = str(tmp_path / "right"), str(tmp_path / "missing")
    with Daemon(secret=SECRET) as daemon:
        said = connected_with(daemon, CONFD_IPC_ACCESS_FILE=right, NCS_IPC_ACCESS_FILE=missing)
        assert said == "connected\n"
        said = connected_with(daemon, CONFD_IPC_ACCESS_FILE=missing, NCS_IPC_ACCESS_FILE=right)
        assert said.startswith(f"EOF {events.ERR_EOF} ")


def test_unreadable_secret(tmp_path: Path) -> None:
    """It is as if there were none."""
    with Daemon() as daemon:
        said = connected_with(daemon, NCS_IPC_ACCESS_FILE=str(tmp_path / "missing"))
    assert said == "connected\n"


REFUSED = """
import pathlib, socket, sys
import confd_events as events
if sys.argv[1:]:
    pathlib.Path(sys.argv[1]).write_bytes(b"a new secret of another length")
with socket.socket() as sock:
    try:
        events.notifications_connect(sock, events.NOTIF_AUDIT, **{address})
    except events.Error as error:
        print(error.confd_lasterr)
"""


def refused(daemon: Daemon, *changed: str, secret: str) -> str:
    """Why a process could not connect that had this access file at its beginning."""
    program = REFUSED.format(address=daemon.address)
    done = run_program(program, *changed, NCS_IPC_ACCESS_FILE=secret)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


def test_a_secret_that_could_not_be_read_is_the_reason(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "missing", "No such file"), (tmp_path, "Is a directory")):
        with Daemon(secret=SECRET) as daemon:
            said = refused(daemon, secret=str(path))
        assert f"the access file {path} (from NCS_IPC_ACCESS_FILE) could not be read" in said
        assert reason in said


def test_a_secret_that_was_changed_is_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"old")
    with Daemon(secret=SECRET) as daemon:
        said = refused(daemon, str(path), secret=str(path))
    assert f"the access file {path} (from NCS_IPC_ACCESS_FILE) was changed since" in said
    assert "a new secret" not in said


def test_a_variable_that_was_changed_is_the_reason() -> None:
    with Daemon(secret=SECRET) as daemon:
        said = connected_with(daemon)
    assert "CONFD_IPC_ACCESS_FILE was changed after confd_events was imported" in said


def test_version_refused() -> None:
    with Daemon(refuse_version=True, protocol=90) as daemon:
        error = failed(daemon)
    assert error.confd_errno == events.ERR_PROTOUSAGE
    assert error.confd_lasterr == (
        f"Library protocol version ({LIBRARY['protocol']}) is not compatible with ConfD protocol "
        f"version (90); confd_events has libconfd {LIBRARY['version']}: build it again with the "
        "SDK of the daemon's release"
    )


@pytest.mark.parametrize("count", range(9))
def test_short_answer(count: int) -> None:
    with Daemon(faults=Faults(close_after=count)) as daemon:
        error = failed(daemon)
    assert isinstance(error, EOF)
    assert error.confd_errno == events.ERR_EOF


def test_garbage_for_an_answer() -> None:
    with Daemon(faults=Faults(subscription_reply=b"\0\0\0\5\x83hello")) as daemon:
        assert failed(daemon).confd_errno in (events.ERR_INTERNAL, events.ERR_PROTOUSAGE)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"stream_name": "missing"}, "ERR_NOEXISTS"),
        ({"stream_name": "NETCONF", "xpath_filter": "/a["}, "ERR_XPATH"),
        ({"stream_name": "NETCONF", "usid": 99}, "ERR_NOSESSION"),
    ],
)
def test_daemon_refuses(daemon: Daemon, data: dict[str, Any], code: str) -> None:
    daemon.add_stream("NETCONF")
    error = failed(daemon, events.NOTIF_STREAM_EVENT, NotificationsData(**data))
    assert error.confd_errno == getattr(events, code)
    assert error.confd_lasterr


def test_any_error_of_the_daemon() -> None:
    with Daemon(connect_error=(events.ERR_LOCKED, "ünlucky")) as daemon:
        error = failed(daemon)
    assert (error.confd_errno, error.confd_lasterr) == (events.ERR_LOCKED, "ünlucky")


# Streams


def stream_data(**times: Any) -> NotificationsData:
    return NotificationsData(stream_name="NETCONF", **times)


def read_kinds(sock: socket.socket, count: int) -> list[Any]:
    """The event times and kinds of stream notifications."""
    notifications = [events.read_notification(sock)["stream"] for _ in range(count)]
    return [str(n["event_time"]) if "event_time" in n else n["type"] for n in notifications]


MOMENTS = [datetime(2024, 1, day, tzinfo=timezone.utc) for day in (1, 2, 3, 4)]
SHOWN = [f"2024-01-0{day}T00:00:00+00:00" for day in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"start_time": datetime(2023, 12, 31, tzinfo=timezone.utc)}, SHOWN),
        # Those that are later than the start.
        ({"start_time": "2024-01-02T01:00:00+01:00"}, SHOWN[2:]),
        ({"start_time": events.Value(MOMENTS[2], events.C_DATETIME)}, SHOWN[3:]),
    ],
)
def test_replay(
    daemon: Daemon, connect: Connect, times: dict[str, Any], expected: list[str]
) -> None:
    daemon.add_stream("NETCONF")
    for moment in MOMENTS:
        daemon.stream_event(stream="NETCONF", time=moment)
    sock = connect(events.NOTIF_STREAM_EVENT, stream_data(**times))
    assert read_kinds(sock, len(expected) + 1) == [*expected, events.STREAM_REPLAY_COMPLETE]
    live = datetime.now(timezone.utc).replace(microsecond=0)
    daemon.stream_event(stream="NETCONF", time=live)
    assert read_kinds(sock, 1) == [live.isoformat()]


class VendorValue:
    """As the vendor's Value shows itself."""

    def __init__(self, kind: int, text: str) -> None:
        self._kind, self._text = kind, text

    def confd_type(self) -> int:
        return self._kind

    def __str__(self) -> str:
        return self._text


def subscribed_with(data: Any) -> Any:
    """The term that the library sends to subscribe to a stream."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        ip, port = server.getsockname()
        with connecting() as sock:
            done = pool.submit(
                events.notifications_connect2, sock, events.NOTIF_STREAM_EVENT, data, ip, port
            )
            with server.accept()[0] as daemon:
                hello = daemon.recv(9, socket.MSG_WAITALL)
                daemon.sendall(b"\0" + hello[1:])
                (size,) = struct.unpack(">I", daemon.recv(4, socket.MSG_WAITALL))
                term = decode(daemon.recv(size, socket.MSG_WAITALL))
            with pytest.raises(events.Error):
                done.result()
    return term


class VendorsData:
    """As the vendor's NotificationsData: it has no attributes, and shows what was given."""

    def __init__(self, **given: object) -> None:
        self._given = given

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value}" for name, value in self._given.items())
        return f"_ncs.events.NotificationsData({fields})"


def test_the_vendors_data() -> None:
    data = VendorsData(
        heartbeat_interval=1000,
        health_check_interval=0,
        stream_name="'it's a \n stream, start_time='",
        start_time="2026-01-02T03:04:05.000006-05:30",
        stop_time="NOEXISTS",
        xpath_filter="''",
        usid=7,
        verbosity=0,
    )
    stream, start, stop, xpath, usid, *_ = subscribed_with(data)[3]
    assert stream == Atom("it's a \n stream, start_time=")
    assert start == (events.C_DATETIME, (2026, 1, 2, 3, 4, 5, 6, -5, 30))
    assert (stop, xpath, usid) == (None, None, 7)


def test_data_of_another_kind() -> None:
    with connecting() as sock, pytest.raises(TypeError, match="NotificationsData, not dict"):
        events.notifications_connect2(
            sock, events.NOTIF_AUDIT, cast("NotificationsData", {}), "127.0.0.1", 1
        )


@pytest.mark.parametrize("name", ["é", "\xff" * 9, "NETCONF"])
def test_a_streams_name_in_latin_1(name: str) -> None:
    assert subscribed_with(stream_data_of(name))[3][0] == Atom(name)


def test_a_streams_name_that_latin_1_lacks() -> None:
    with connecting() as sock, pytest.raises(ValueError, match=r"^stream_name: "):
        events.notifications_connect2(
            sock, events.NOTIF_STREAM_EVENT, stream_data_of("√"), "127.0.0.1", 1
        )


def stream_data_of(name: str) -> NotificationsData:
    return NotificationsData(stream_name=name)


def zoned(hours: int, minutes: int) -> datetime:
    offset = timedelta(hours=hours, minutes=minutes)
    return datetime(2026, 1, 2, 3, 4, 5, 6, timezone(offset))


@pytest.mark.parametrize(
    ("time", "zone"),
    [
        (zoned(-5, -30), (-5, 30)),
        ("2026-01-02T03:04:05.000006-05:30", (-5, 30)),
        (events.DateTime(2026, 1, 2, 3, 4, 5, 6, -5, 30), (-5, 30)),
        (VendorValue(events.C_DATETIME, "2026-01-02T03:04:05.000006-05:30"), (-5, 30)),
        (zoned(0, -30), (0, -30)),
        (zoned(5, 30), (5, 30)),
        (zoned(0, 0), (0, 0)),
        ("2026-01-02T03:04:05.000006", ([], 0)),
        ("2026-01-02T03:04:05.000006-00:00", ([], 0)),
        (events.DateTime(2026, 1, 2, 3, 4, 5, 6), ([], 0)),
        (events.Value("2026-01-02T03:04:05.000006", events.C_DATETIME), ([], 0)),
    ],
)
def test_a_zone_as_it_is_sent(time: Any, zone: tuple[Any, int]) -> None:
    term = subscribed_with(stream_data(start_time=time))
    assert term[3][1] == (events.C_DATETIME, (2026, 1, 2, 3, 4, 5, 6, *zone))


def test_replay_until_stop(daemon: Daemon, connect: Connect) -> None:
    daemon.add_stream("NETCONF")
    for moment in MOMENTS:
        daemon.stream_event(stream="NETCONF", time=moment)
    times = {"start_time": MOMENTS[0], "stop_time": MOMENTS[2]}
    sock = connect(events.NOTIF_STREAM_EVENT, stream_data(**times))
    ends = [events.STREAM_REPLAY_COMPLETE, events.STREAM_NOTIFICATION_COMPLETE]
    assert read_kinds(sock, 4) == [*SHOWN[1:3], *ends]


def test_stop_in_the_future(daemon: Daemon, connect: Connect) -> None:
    daemon.add_stream("NETCONF")
    now = datetime.now(timezone.utc)
    times = {"start_time": now, "stop_time": now + timedelta(seconds=0.5)}
    sock = connect(events.NOTIF_STREAM_EVENT, stream_data(**times))
    ends = [events.STREAM_REPLAY_COMPLETE, events.STREAM_NOTIFICATION_COMPLETE]
    assert read_kinds(sock, 2) == ends


def test_replay_fails(daemon: Daemon, connect: Connect) -> None:
    daemon.add_stream("NETCONF", replay=False)
    sock = connect(events.NOTIF_STREAM_EVENT, stream_data(start_time=MOMENTS[0]))
    assert read_kinds(sock, 1) == [events.STREAM_REPLAY_FAILED]


def test_times_by_the_vendors_value() -> None:
    data = NotificationsData(
        start_time=VendorValue(events.C_DATETIME, "2024-01-02T03:04:05.000006+00:00"),
        stop_time=VendorValue(events.C_NOEXISTS, "NOEXISTS"),
    )
    assert str(data.start_time) == "2024-01-02T03:04:05.000006+00:00"
    assert data.stop_time.confd_type() == events.C_NOEXISTS


def test_the_receive_buffer_has_room_for_floods(daemon: Daemon) -> None:
    """Else TCP may keep the rest of a notification back until its first part is read."""
    with socket.socket() as sock, socket.socket() as large:
        default = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        large.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2 << 20)
        given = large.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        for each in (sock, large):
            events.notifications_connect(each, events.NOTIF_AUDIT, **daemon.address)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) > default
        assert large.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == given


def test_a_signal_ends_the_loading_of_schemas() -> None:
    """Also where the daemon has the connection, and says nothing."""
    done = run_program(
        """
        import signal, socket
        import confd_events as events

        class Alarm(Exception):
            pass

        def handler(*_):
            raise Alarm

        with socket.create_server(("127.0.0.1", 0)) as silent:
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            try:
                events.load_schemas("127.0.0.1", silent.getsockname()[1])
            except Alarm:
                print("ended")
        """
    )
    assert (done.stderr, done.stdout) == ("", "ended\n")
