"""The simulated daemon over real sockets, seen by a small client of the protocol."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
import select
import socket
import struct
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

import confd_events.testing
from confd_events.testing import (
    Acknowledgement,
    Atom,
    CallHome,
    Daemon,
    DaemonProcess,
    Faults,
    Notif,
    decode,
    encode,
    frame_of,
)
from confd_events.testing._session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = Path(__file__).parent.parent / "include" / "confd_events.h"
HELLO = bytes.fromhex("0b0052080205003c12")
OK = frame_of(Atom("ok"))
NOON = datetime(2020, 11, 23, 12, tzinfo=timezone.utc)
TIMEOUT = 5.0


def time_term(time: datetime | None) -> object:
    """What libconfd sends for a start or stop time."""
    if time is None:
        return None
    return 19, (*time.timetuple()[:6], time.microsecond, 0, 0)


class Client:
    """A connection to a daemon, as libconfd makes it."""

    def __init__(self, address: dict[str, Any], protocol: int = 82) -> None:
        self.protocol = protocol
        family = socket.AF_INET if "ip" in address else socket.AF_UNIX
        if ":" in address.get("ip", ""):
            family = socket.AF_INET6
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(address.get("path") or (address["ip"], address["port"]))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def read(self, size: int) -> bytes:
        """Up to `size` bytes: fewer only at the end of the stream."""
        data = b""
        while len(data) < size:
            chunk = self.sock.recv(size - len(data))
            if not chunk:
                break
            data += chunk
        return data

    def frame(self) -> bytes:
        """The next frame, its length included."""
        length = self.read(4)
        return length + self.read(int.from_bytes(length, "big"))

    def term(self) -> Any:
        """The next frame's term."""
        return decode(self.frame()[4:])

    def hello(self, client: int = 11) -> bytes:
        """Says hello; the version reply."""
        self.sock.sendall(struct.pack(">BHIBB", client, self.protocol, 0x08020500, 60, 18))
        return self.read(9)

    def send(self, term: object) -> None:
        """Sends a term."""
        self.sock.sendall(frame_of(term))

    def ask(self, operation: int) -> None:
        """Asks for an operation of MAAPI."""
        self.sock.sendall(struct.pack(">II", 4, operation))

    def subscribe(
        self, mask: int, heartbeat: int = 0, health_check: int = 0, stream: object = None
    ) -> Any:
        """Says hello and subscribes; the daemon's answer."""
        self.hello()
        self.send((int(mask), heartbeat, health_check, stream, 0))
        return self.term()

    def ended(self) -> bool:
        """Whether the daemon has closed the connection; waits for it."""
        return self.sock.recv(1) == b""

    def silent(self) -> bool:
        """Whether nothing comes for a moment."""
        return not select.select([self.sock], [], [], 0.1)[0]


def on_stream(
    name: str = "NETCONF",
    start: datetime | None = None,
    stop: datetime | None = None,
    xpath: str | None = None,
    usid: int = 0,
) -> object:
    """The stream part of a subscription."""
    return Atom(name), time_term(start), time_term(stop), xpath, usid, 0


def connect(daemon: Daemon, mask: int, protocol: int = 82, **asked: Any) -> Client:
    """A client that has subscribed."""
    client = Client(daemon.address, protocol)
    assert client.subscribe(mask, **asked) == Atom("ok")
    return client


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with Daemon(sessions=[7]) as running:
        yield running


@pytest.mark.parametrize("where", ["tcp", "tcp6", "unix", "abstract"])
def test_handshake(where: str, tmp_path: Path) -> None:
    path = tmp_path / "daemon"
    listen_on: dict[str, dict[str, Any]] = {
        "tcp": {},
        "tcp6": {"ip": "::1"},
        "unix": {"path": path},
        "abstract": {"path": f"\0{tmp_path}"},
    }
    with Daemon(**listen_on[where]) as daemon, Client(daemon.address) as client:
        client.sock.sendall(HELLO)
        assert client.read(9) == bytes.fromhex("000052080205001409")
        client.send((int(Notif.AUDIT), 0, 0, None, 2))
        assert client.frame() == OK
        (subscriber,) = daemon.wait_for_subscribers()
        assert (subscriber.mask, subscriber.protocol, subscriber.verbosity) == (1, 82, 2)
        assert subscriber.version == 0x08020500
    assert not path.exists()


def test_daemon_describes_itself_as_told() -> None:
    daemon = Daemon(protocol=90, version=7, maxdepth=10, maxkeylen=5)
    with daemon, Client(daemon.address) as client:
        assert client.hello() == bytes.fromhex("00005a000000070a05")


@pytest.mark.parametrize(
    ("told", "protocol", "reply"),
    [
        ({}, 99, "000063080205001409"),
        ({"protocol": 80}, 77, "000050080205001409"),
        ({"protocol": 80}, 82, "010050080205001409"),
        ({"refuse_version": True, "protocol": 90}, 82, "01005a080205001409"),
        ({"maxdepth": 61}, 82, "020052080205003d09"),
        ({"maxkeylen": 19}, 82, "020052080205001413"),
    ],
)
def test_client_that_does_not_fit_is_refused(
    told: dict[str, Any], protocol: int, reply: str
) -> None:
    with Daemon(**told) as daemon, Client(daemon.address, protocol) as client:
        assert client.hello().hex() == reply
        if reply[:2] != "00":
            assert client.ended()


def test_client_without_limits_fits() -> None:
    with Daemon(maxdepth=61) as daemon, Client(daemon.address) as client:
        client.sock.sendall(HELLO[:-2] + b"\0\0")
        assert client.read(9)[0] == 0


@pytest.mark.parametrize("said", [b"", HELLO[:4], HELLO, HELLO + b"\0\0"])
def test_client_that_stays_silent_is_closed(said: bytes) -> None:
    with Daemon(silence_limit=0.2) as daemon, Client(daemon.address) as client:
        client.sock.sendall(said)
        client.read(9 if len(said) >= len(HELLO) else 0)
        assert client.ended()


def test_subscriber_may_be_silent() -> None:
    with Daemon(silence_limit=0.05) as daemon, connect(daemon, Notif.AUDIT) as client:
        time.sleep(0.2)
        daemon.audit()
        assert client.term()[0] == Notif.AUDIT


def test_daemon_runs_again_after_a_stop(tmp_path: Path) -> None:
    daemon = Daemon(path=tmp_path / "daemon")
    for _ in range(2):
        with daemon, connect(daemon, Notif.AUDIT):
            assert daemon.audit().count == 1
    daemon.stop()
    with pytest.raises(RuntimeError):
        daemon.address  # noqa: B018


def test_daemon_rejects_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        Daemon(ip="nowhere")
    with pytest.raises(ValueError, match="write_timeout"):
        Daemon(write_timeout=0)
    with pytest.raises(ValueError, match="silence_limit"):
        Daemon(silence_limit=0)
    with pytest.raises(ValueError, match="event_reply_timeout"):
        Daemon(event_reply_timeout=-1)
    with pytest.raises(ValueError, match="minimum_interval"):
        Daemon(minimum_interval=-1)
    with pytest.raises(ValueError, match="only one"):
        Faults(close_after=1, reset_after=1)
    with pytest.raises(ValueError, match="negative"):
        Faults(close_after=-1)


def test_address_in_use(daemon: Daemon) -> None:
    with pytest.raises(OSError, match="in use"):
        Daemon(port=daemon.address["port"]).start()


@pytest.mark.parametrize("secret", [b"secret\n", b"wrong"])
@pytest.mark.parametrize(("client_id", "digest"), [(0x8B, hashlib.md5), (0xCB, hashlib.sha256)])
def test_access_check(secret: bytes, client_id: int, digest: Any) -> None:
    with Daemon(secret=b"secret\n") as daemon, Client(daemon.address) as client:
        client.sock.sendall(bytes([client_id]) + HELLO[1:])
        challenge = client.read(1 + digest().digest_size)
        assert challenge[:1] == b"\x0b"
        client.sock.sendall(b"\x0c" + digest(secret + challenge[1:]).digest())
        if secret == b"wrong":
            assert client.read(10) == b"\x01"
        else:
            assert client.read(10) == bytes.fromhex("00000052080205001409")
            client.send((int(Notif.AUDIT), 0, 0, None, 2))
            assert client.frame() == OK


@pytest.mark.parametrize(("secret", "client_id"), [(b"secret", 0x0B), (None, 0x8B), (None, 0xCB)])
def test_secret_of_one_side_alone(secret: bytes | None, client_id: int) -> None:
    with Daemon(secret=secret) as daemon, Client(daemon.address) as client:
        assert client.hello(client_id) == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"\x05" + HELLO[1:],
        b"\x07" + HELLO[1:] + b"\0\0\0\4\0\0\0\1",
        HELLO + b"\xff\xff\xff\xff",
        HELLO + frame_of(Atom("hello")),
        HELLO + frame_of((1, 0, 0, None, 0, 0)),
        HELLO + frame_of((1, 0, 0, (Atom("s"), (19, (0,) * 9), None, None, 0, 0), 0)),
        HELLO + frame_of((Atom("x"), 0, 0, None, 0)),
        HELLO + b"\0\0\0\2\x83\x00",
    ],
)
def test_malformed_client_is_closed(daemon: Daemon, sent: bytes) -> None:
    with Client(daemon.address) as client:
        client.sock.sendall(sent)
        client.read(9)
        assert client.ended()
        assert daemon.subscribers == ()


def test_connect_error() -> None:
    with Daemon(connect_error=(4, "locked")) as daemon, Client(daemon.address) as client:
        assert client.subscribe(Notif.AUDIT) == (Atom("error"), 4, b"locked")
        assert client.ended()


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (on_stream("other"), 1),
        (None, 1),
        (on_stream(xpath=""), 50),
        (on_stream(xpath="/a[b='c]"), 50),
        (on_stream(xpath="/a[b)"), 50),
        (on_stream(usid=8), 22),
    ],
)
def test_stream_refused(daemon: Daemon, stream: object, code: int) -> None:
    daemon.add_stream("NETCONF")
    with Client(daemon.address) as client:
        error = client.subscribe(Notif.STREAM_EVENT, stream=stream)
        assert error[:2] == (Atom("error"), code)


def test_bits_are_those_of_the_header() -> None:
    numbers = dict(
        re.findall(r"define \w+?_NOTIF_(\w+) CONFD_NOTIF_BIT\((\d+)\)", HEADER.read_text())
    )
    assert {name: bit.value for name, bit in Notif.__members__.items()} == {
        name: 1 << int(number) for name, number in numbers.items()
    }


def test_masks_and_several_subscribers(daemon: Daemon) -> None:
    with connect(daemon, Notif.AUDIT | Notif.DAEMON) as one, connect(daemon, Notif.AUDIT) as two:
        assert [each.id for each in daemon.wait_for_subscribers(2)] == [1, 2]
        assert daemon.daemon_log(msg="log").count == 1
        assert daemon.audit(msg="audit").count == 2
        assert daemon.netconf().count == 0
        assert one.frame() == encode("daemon_log", msg="log")
        assert one.frame() == two.frame() == encode("audit", msg="audit")
        assert one.silent()


def test_each_subscriber_has_its_level(daemon: Daemon) -> None:
    mask = Notif.COMMIT_PROGRESS | Notif.PROGRESS
    with connect(daemon, mask, 66) as old, connect(daemon, mask, 77) as middle:
        assert daemon.progress(timestamp=1).count == 1
        assert daemon.commit_progress(timestamp=1, msg="m").count == 2
        assert middle.frame() == encode("progress", 77, timestamp=1)
        assert middle.frame() == encode("commit_progress", 77, timestamp=1, msg="m")
        assert old.frame() == encode("commit_progress", 66, timestamp=1, msg="m")


def test_confd_has_no_commit_queue() -> None:
    with Daemon(product="confd") as daemon, connect(daemon, Notif.CQ_PROGRESS | Notif.AUDIT):
        assert daemon.cq_progress().count == 0


def test_system_going_down_and_unknown_bits(daemon: Daemon) -> None:
    with connect(daemon, Notif.SYSTEM_GOING_DOWN | 1 << 40, protocol=87) as client:
        daemon.system_going_down()
        assert client.term() == (1 << 31,)


def test_methods_document_their_arguments() -> None:
    assert "usid" in inspect.signature(Daemon.audit).parameters
    assert Daemon.audit.__doc__
    with pytest.raises(TypeError):
        cast(Any, Daemon()).audit("positional")
    with pytest.raises(TypeError):
        Daemon().audit(nonsense=1)  # type: ignore[call-arg]


BLOCKING: list[tuple[str, dict[str, Any], Notif, Notif, object, Acknowledgement]] = [
    (
        "audit",
        {"usid": 7},
        Notif.AUDIT,
        Notif.AUDIT_SYNC,
        (7, Atom("synced")),
        Acknowledgement("audit", 7, 1),
    ),
    (
        "commit_diff",
        {"thandle": 9},
        Notif.COMMIT_DIFF,
        Notif.COMMIT_DIFF,
        (9, Atom("done")),
        Acknowledgement("commit_diff", 9, 1),
    ),
    (
        "ha_is_primary",
        {},
        Notif.HA_INFO,
        Notif.HA_INFO_SYNC,
        Atom("ha_synced"),
        Acknowledgement("ha", None, 1),
    ),
    (
        "audit_network",
        {},
        Notif.AUDIT_NETWORK,
        Notif.AUDIT_NETWORK_SYNC,
        (0, Atom("audit_network_sync")),
        Acknowledgement("audit_network", 0, 1),
    ),
]


@pytest.mark.parametrize(("name", "fields", "bit", "sync", "term", "ack"), BLOCKING)
def test_acknowledgement(
    daemon: Daemon,
    name: str,
    fields: dict[str, Any],
    bit: Notif,
    sync: Notif,
    term: object,
    ack: Acknowledgement,
) -> None:
    with connect(daemon, bit | sync) as client:
        delivery = getattr(daemon, name)(**fields)
        client.frame()
        assert not delivery.done
        with pytest.raises(TimeoutError):
            delivery.wait(0.01)
        client.send(term)
        assert delivery.wait()
        assert delivery.done
        assert daemon.wait_for_acknowledgements() == [ack]


def test_nobody_waits_without_sync(daemon: Daemon) -> None:
    with connect(daemon, Notif.AUDIT | Notif.HA_INFO):
        assert daemon.audit().done
        assert daemon.ha_is_none().done


def test_wrong_acknowledgement_releases_nothing(daemon: Daemon) -> None:
    with connect(daemon, Notif.COMMIT_DIFF) as client:
        first, second = daemon.commit_diff(thandle=1), daemon.commit_diff(thandle=2)
        client.send((2, Atom("done")))
        assert second.wait()
        assert not first.done


def test_every_subscriber_must_acknowledge_or_leave(daemon: Daemon) -> None:
    mask = Notif.AUDIT | Notif.AUDIT_SYNC
    with connect(daemon, mask) as one, connect(daemon, mask) as two, connect(daemon, mask):
        delivery = daemon.audit(usid=7)
        assert delivery.count == 3
        one.send((7, Atom("synced")))
        daemon.wait_for_acknowledgements()
        two.sock.close()
        assert not delivery.done
        daemon.disconnect(daemon.subscribers[-1])
        assert delivery.wait()


def test_nonsense_from_a_subscriber_ends_it(daemon: Daemon) -> None:
    for nonsense in (Atom("nonsense"), (1, Atom("nonsense")), (1, 2, 3), 5):
        with connect(daemon, Notif.AUDIT) as client:
            client.send(nonsense)
            assert client.ended()


def test_disconnect_delivers_first(daemon: Daemon) -> None:
    with connect(daemon, Notif.AUDIT) as client:
        daemon.audit(msg="last")
        daemon.disconnect()
        assert daemon.subscribers == ()
        assert client.frame() == encode("audit", msg="last")
        assert client.ended()


def test_disconnect_misses_nobody(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one that is served while the listener's thread has not got round to noting it."""
    start = Session.start

    def start_and_dawdle(session: Session) -> None:
        start(session)
        time.sleep(0.2)

    monkeypatch.setattr(Session, "start", start_and_dawdle)
    with connect(daemon, Notif.AUDIT) as client:
        daemon.disconnect()
        assert daemon.subscribers == ()
        assert client.ended()


@pytest.mark.parametrize("where", ["tcp", "unix"])
def test_disconnect_with_reset(where: str, tmp_path: Path) -> None:
    path = tmp_path / "daemon" if where == "unix" else None
    with Daemon(path=path) as daemon, connect(daemon, Notif.AUDIT) as client:
        daemon.disconnect(1, reset=True)
        if where == "unix":
            assert client.ended()
        else:
            with pytest.raises(ConnectionResetError):
                client.ended()


def test_heartbeats_and_health_checks() -> None:
    mask = Notif.HEARTBEAT | Notif.HEALTH_CHECK
    quick = Daemon(minimum_interval=0)
    with quick as daemon, connect(daemon, mask, heartbeat=10, health_check=10) as client:
        kinds = {client.term()[0] for _ in range(20)}
        assert kinds == {Notif.HEARTBEAT, Notif.HEALTH_CHECK}
        (subscriber,) = daemon.subscribers
        assert (subscriber.heartbeat_interval, subscriber.health_check_interval) == (10, 10)


def test_no_heartbeats_more_often_than_the_minimum() -> None:
    daemon = Daemon(minimum_interval=0.5)
    with daemon, connect(daemon, Notif.HEARTBEAT, heartbeat=1) as client:
        before = time.monotonic()
        for _ in range(2):
            assert client.term() == (Notif.HEARTBEAT,)
        assert time.monotonic() - before >= 0.9


def test_progress_includes_commit_progress(daemon: Daemon) -> None:
    both = connect(daemon, Notif.PROGRESS)
    only = connect(daemon, Notif.COMMIT_PROGRESS)
    with both, only:
        assert daemon.commit_progress(msg="one").count == 2
        assert daemon.progress(msg="two").count == 1
        assert [both.term()[0] for _ in range(2)] == [Notif.COMMIT_PROGRESS, Notif.PROGRESS]
        assert only.term()[0] == Notif.COMMIT_PROGRESS
        assert only.silent()


def test_notifications_of_newer_levels(daemon: Daemon) -> None:
    mask = Notif.CALL_HOME_INFO | Notif.SYSTEM_GOING_DOWN
    with connect(daemon, mask), connect(daemon, mask, 85), connect(daemon, mask, 87):
        assert daemon.call_home().count == 3
        assert daemon.call_home(type=CallHome.DISCONNECTED).count == 2
        assert daemon.system_going_down().count == 1


@pytest.mark.parametrize(
    ("mask", "kind"),
    [
        (Notif.COMMIT_DIFF, "commit_diff"),
        (Notif.AUDIT | Notif.AUDIT_SYNC, "audit"),
        (Notif.HA_INFO | Notif.HA_INFO_SYNC, "ha_is_none"),
        (Notif.AUDIT_NETWORK | Notif.AUDIT_NETWORK_SYNC, "audit_network"),
    ],
)
def test_who_does_not_acknowledge_in_time_is_cut_off(mask: int, kind: str) -> None:
    with Daemon(event_reply_timeout=0.2) as daemon, connect(daemon, mask) as client:
        delivery = getattr(daemon, kind)()
        client.frame()
        assert client.ended()
        assert delivery.wait()
        assert daemon.acknowledgements == []


def test_who_acknowledges_in_time_stays() -> None:
    mask = Notif.AUDIT | Notif.AUDIT_SYNC
    with Daemon(event_reply_timeout=0.4) as daemon, connect(daemon, mask) as client:
        for usid in range(5):
            delivery = daemon.audit(usid=usid)
            client.frame()
            time.sleep(0.15)
            client.send((usid, Atom("synced")))
            assert delivery.wait()
        time.sleep(0.6)
        assert len(daemon.subscribers) == 1


def minutes(number: int) -> datetime:
    """A time so many minutes after noon."""
    return NOON + timedelta(minutes=number)


def test_live_stream(daemon: Daemon) -> None:
    daemon.add_stream("NETCONF")
    daemon.add_stream("other")
    with connect(daemon, Notif.STREAM_EVENT, stream=on_stream(xpath="/a[b='(']", usid=7)) as client:
        assert daemon.stream_event(stream="other").count == 0
        assert daemon.stream_event(stream="NETCONF", time=NOON).count == 1
        assert client.frame() == encode("stream_event", stream="NETCONF", time=NOON)
        (subscriber,) = daemon.subscribers
        assert (subscriber.stream, subscriber.filter, subscriber.usid) == (
            "NETCONF",
            "/a[b='(']",
            7,
        )
    with pytest.raises(ValueError, match="nothing"):
        daemon.stream_event(stream="nothing")


@pytest.mark.parametrize("stop", [None, minutes(2)])
def test_replay(daemon: Daemon, stop: datetime | None) -> None:
    daemon.add_stream("NETCONF")
    for number in range(5):
        daemon.stream_event(stream="NETCONF", time=minutes(number))
    last = 4 if stop is None else 2
    stream = on_stream(start=minutes(1), stop=stop)
    with connect(daemon, Notif.STREAM_EVENT, stream=stream) as client:
        for number in range(2, last + 1):
            assert client.frame() == encode("stream_event", stream="", time=minutes(number))
        assert client.frame() == encode("stream_replay_complete", stream="")
        if stop is not None:
            assert client.frame() == encode("stream_notification_complete", stream="")
        live = daemon.stream_event(stream="NETCONF", time=minutes(9))
        assert live.count == (1 if stop is None else 0)


@pytest.mark.parametrize("protocol", [80, 82, 87])
def test_a_replay_brings_the_events_that_were_sent(daemon: Daemon, protocol: int) -> None:
    """Also those that were given no time."""
    daemon.add_stream("NETCONF")
    with connect(daemon, Notif.STREAM_EVENT, protocol, stream=on_stream()) as client:
        for _ in range(2):
            daemon.stream_event(stream="NETCONF")
        sent = [client.frame() for _ in range(2)]
    with connect(daemon, Notif.STREAM_EVENT, protocol, stream=on_stream(start=NOON)) as client:
        assert [client.frame() for _ in range(2)] == sent


def test_stop_time_in_the_future(daemon: Daemon) -> None:
    daemon.add_stream("NETCONF")
    stop = datetime.now(timezone.utc) + timedelta(seconds=0.3)
    with connect(daemon, Notif.STREAM_EVENT, stream=on_stream(stop=stop)) as client:
        assert client.frame() == encode("stream_notification_complete", stream="")
        assert daemon.stream_event(stream="NETCONF").count == 0


def test_no_replay_log(daemon: Daemon) -> None:
    daemon.add_stream("NETCONF", replay=False)
    daemon.stream_event(stream="NETCONF")
    with connect(daemon, Notif.STREAM_EVENT, stream=on_stream(start=NOON)) as client:
        assert client.term()[1][0] == Atom("replay_failed")
        assert daemon.stream_event(stream="NETCONF").count == 0
        assert client.silent()


@pytest.mark.parametrize("end", ["stream_replay_failed", "stream_notification_complete"])
def test_nothing_of_a_stream_comes_after_its_end(daemon: Daemon, end: str) -> None:
    daemon.add_stream("NETCONF")
    with connect(daemon, Notif.STREAM_EVENT | Notif.AUDIT, stream=on_stream()) as client:
        assert getattr(daemon, end)(stream="NETCONF").count == 1
        assert daemon.stream_event(stream="NETCONF").count == 0
        assert daemon.audit().count == 1
        assert [client.term()[0] for _ in range(2)] == [Notif.STREAM_EVENT, Notif.AUDIT]


@pytest.mark.parametrize("zone", [[-5, 30], [0, -30], [[], 0]])
def test_zone_of_a_start(daemon: Daemon, zone: list[Any]) -> None:
    daemon.add_stream("NETCONF")
    start = (19, (2020, 11, 23, 12, 0, 0, 0, *zone))
    stream = (Atom("NETCONF"), start, None, None, 0, 0)
    with connect(daemon, Notif.STREAM_EVENT, stream=stream):
        (subscriber,) = daemon.subscribers
        west = 0 if zone[0] == [] else {-5: 330, 0: 30}[zone[0]]
        assert subscriber.start == NOON + timedelta(minutes=west)


def test_raw_frames_and_terms(daemon: Daemon) -> None:
    with connect(daemon, Notif.AUDIT) as one, connect(daemon, Notif.AUDIT) as two:
        first, _ = daemon.subscribers
        daemon.send_frame(encode("audit")[:7], first)
        daemon.send_term((1, 2, 3), subscriber=2)
        assert daemon.send_term(Atom("all")).count == 2
        assert one.read(7) == encode("audit")[:7]
        assert two.term() == (1, 2, 3)
        assert one.term() == two.term() == Atom("all")


def test_schemas(daemon: Daemon) -> None:
    daemon.add_namespace(1111, "if")
    daemon.add_names({1111: "urn:interfaces", 2222: "interfaces", 3333: "state"})
    daemon.add_enumeration(1111, "/if:interfaces/state", {1: "up", 2: "down"})
    none, no_default, leaf, container = Atom(""), Atom("not_found"), 28, 2

    def node(number: int, tag: int, kind: int, *rest: object) -> object:
        return (Atom("node"), number, tag, 1111, 0, 0, 1, kind, *rest)

    with Client(daemon.address) as client:
        client.hello(7)
        client.ask(232)
        assert client.term() == [
            (Atom("ns"), b"urn:interfaces", b"if", 1111),
            (
                *(Atom("type"), Atom("enum"), Atom("enumeration-0"), 0, none),
                [(b"up", 1, 0), (b"down", 2, 0)],
            ),
            node(1, 3333, leaf, 1111, Atom("enumeration-0"), no_default, 0, 0, 0, 0, 0, []),
            node(2, 2222, container, 0, none, no_default, 1 << 8, 1, 0, 0, 0, []),
            (Atom("root"), 2),
            (Atom("parent"), [(1, 2)]),
            Atom("eof"),
        ]
        client.ask(264)
        assert client.term() == [Atom("eof")]
        client.ask(231)
        names = [(b"urn:interfaces", 1111), (b"interfaces", 2222), (b"state", 3333)]
        assert client.term() == [3, *names, Atom("eof")]


def test_namespaces_without_enumerations_have_no_tree(daemon: Daemon) -> None:
    daemon.add_namespace(1, "a")
    with Client(daemon.address) as client:
        client.hello(7)
        client.ask(232)
        assert client.term() == [
            (Atom("ns"), b"urn:a", b"a", 1),
            (Atom("notree"),),
            Atom("eof"),
        ]


@pytest.mark.parametrize("path", ["", "a", "/", "/a//b", "/a:", "a/b"])
def test_path_of_an_enumeration_is_absolute(daemon: Daemon, path: str) -> None:
    with pytest.raises(ValueError, match="path must be absolute"):
        daemon.add_enumeration(1, path, {1: "up"})


def test_fault_byte_by_byte() -> None:
    with Daemon(faults=Faults(byte_pause=0.001)) as daemon, connect(daemon, Notif.AUDIT) as client:
        daemon.audit(msg="slow")
        assert client.frame() == encode("audit", msg="slow")


@pytest.mark.parametrize("after", [0, 7, 9, 13])
def test_fault_silence(after: int) -> None:
    with Daemon(faults=Faults(silent_after=after)) as daemon, Client(daemon.address) as client:
        client.sock.sendall(HELLO + frame_of((1, 0, 0, None, 0)))
        assert len(client.read(after)) == after
        assert client.silent()


@pytest.mark.parametrize("after", [0, 7, 9, 13, 20])
def test_fault_close(after: int) -> None:
    with Daemon(faults=Faults(close_after=after)) as daemon, Client(daemon.address) as client:
        client.sock.sendall(HELLO + frame_of((1, 0, 0, None, 0)))
        if after > 9 + len(OK):
            daemon.wait_for_subscribers()
            daemon.audit()
        assert len(client.read(1000)) == after


@pytest.mark.parametrize("after", [7, 20])
def test_fault_reset(after: int) -> None:
    with Daemon(faults=Faults(reset_after=after)) as daemon, Client(daemon.address) as client:
        client.sock.sendall(HELLO + frame_of((1, 0, 0, None, 0)))
        if after == 20:
            daemon.wait_for_subscribers()
            daemon.audit()
        assert len(client.read(after)) == after
        with pytest.raises(ConnectionResetError):
            client.ended()


def test_fault_garbage_and_recovery() -> None:
    faults = Faults(version_reply=b"garbage!!", subscription_reply=b"more")
    with Daemon(faults=faults) as daemon:
        with Client(daemon.address) as client:
            assert client.hello() == b"garbage!!"
            client.send((1, 0, 0, None, 0))
            assert client.read(4) == b"more"
        daemon.set_faults(Faults())
        with connect(daemon, Notif.AUDIT):
            pass


def test_subscriber_that_does_not_read_is_cut_off() -> None:
    with Daemon(write_timeout=0.2) as daemon, connect(daemon, Notif.AUDIT | Notif.AUDIT_SYNC):
        delivery = daemon.audit(msg="x" * 50_000_000)
        assert delivery.wait()
        assert daemon.subscribers == ()


@pytest.mark.parametrize("reset", [False, True])
def test_disconnect_cuts_off_a_subscriber_that_does_not_read(daemon: Daemon, reset: bool) -> None:
    with connect(daemon, Notif.AUDIT):
        daemon.audit(msg="x" * 50_000_000)
        daemon.disconnect(reset=reset)
        assert daemon.subscribers == ()


def test_many_threads(daemon: Daemon) -> None:
    with connect(daemon, Notif.AUDIT) as one, connect(daemon, Notif.AUDIT) as two:
        threads = [
            threading.Thread(target=lambda: [daemon.audit(usid=n) for n in range(50)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        seen = [[client.term()[3] for _ in range(200)] for client in (one, two)]
        for thread in threads:
            thread.join()
        assert seen[0] == seen[1]
        assert sorted(seen[0]) == sorted([*range(50)] * 4)


def test_nothing_is_left_running() -> None:
    before = threading.active_count()
    with Daemon() as daemon, connect(daemon, Notif.HEARTBEAT, heartbeat=1000):
        assert threading.active_count() > before
    assert threading.active_count() == before


def test_waiting_in_vain(daemon: Daemon) -> None:
    with pytest.raises(TimeoutError):
        daemon.wait_for_subscribers(timeout=0.01)
    with pytest.raises(TimeoutError):
        daemon.wait_for_acknowledgements(timeout=0.01)


def test_missing_dependency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "erlang", None)
    with pytest.raises(ImportError, match=r"install confd-events\[testing\]"):
        importlib.reload(confd_events.testing)


def test_another_process(tmp_path: Path) -> None:
    process = DaemonProcess(path=str(tmp_path / "daemon"))
    with process as daemon, Client(daemon.address) as client:
        client.subscribe(Notif.AUDIT | Notif.AUDIT_SYNC)
        (subscriber,) = daemon.wait_for_subscribers()
        assert daemon.subscribers == (subscriber,)
        delivery = daemon.audit(msg="hello", usid=7)
        assert (delivery.count, delivery.done) == (1, False)
        assert client.frame() == encode("audit", msg="hello", usid=7)
        with pytest.raises(TimeoutError):
            delivery.wait(0.01)
        client.send((7, Atom("synced")))
        assert delivery.wait()
        assert daemon.acknowledgements == daemon.wait_for_acknowledgements()
        with pytest.raises(ValueError, match="no such stream"):
            daemon.stream_event(stream="nothing")
        daemon.disconnect()
        assert client.ended()
    with pytest.raises(RuntimeError):
        process.audit()
    assert not (tmp_path / "daemon").exists()


def test_another_process_that_can_not_start(daemon: Daemon) -> None:
    with pytest.raises(OSError, match="in use"):
        DaemonProcess(**daemon.address).start()
