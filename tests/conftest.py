"""Fixtures: a simulated daemon, sockets connected to it, and a watch over the library's memory."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import shlex
import signal
import socket
import subprocess
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from cli import Monitor

import confd_events as events
from confd_events.description import catalog
from confd_events.testing import Daemon, encode
from confd_events.testing._notifications import KINDS, Peer

DATA = Path(__file__).parent / "data"
LIBRARY = events.library()
LEVEL = tuple(map(int, LIBRARY["api_level"].split(".")))
PRODUCT = LIBRARY["product"]
PEER = Peer(LIBRARY["protocol"], PRODUCT.lower())
_BITS = {getattr(events, n.name, 0) for n in catalog.NOTIFICATIONS}
# The notifications that the library in use has: a release may lack some of its level.
SENDABLE = [name for name, k in KINDS.items() if k.exists_for(PEER) and k.bit in _BITS]
LEFT_OUT = pytest.StashKey[dict[str, int]]()

# Every bit that needs nothing beside the mask; what the release lacks is 0.
ALL_PLAIN = 0
for _name in dir(events):
    if _name.startswith(("NOTIF_", "NCS_NOTIF_")) and "_FLAG_" not in _name:
        ALL_PLAIN |= getattr(events, _name)
for _name in ("HEARTBEAT", "HEALTH_CHECK", "STREAM_EVENT"):
    ALL_PLAIN &= ~getattr(events, f"NOTIF_{_name}")
# The flags make the daemon wait; tests ask for them by name.
for _name in ("AUDIT_SYNC", "HA_INFO_SYNC", "AUDIT_NETWORK_SYNC"):
    ALL_PLAIN &= ~getattr(events, f"NOTIF_{_name}", 0)

Connect = Callable[..., socket.socket]


def pytest_configure() -> None:
    # A job in the background ignores Ctrl-C, and so would the programs that tests start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    known = {key: value for key, value in LIBRARY.items() if key != "missing"}
    return f"libconfd: {known}"


def why_left_out(item: pytest.Item) -> str:
    """What a test is of that the library in use is not; empty text if it is to run."""
    since = item.get_closest_marker("since")
    if item.get_closest_marker("stub") and not LIBRARY["stub"]:
        return "of the stub alone"
    if item.get_closest_marker("nso") and PRODUCT != "NCS":
        return "of NSO"
    return "of later releases" if since and since.args > LEVEL else ""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reasons = {item: why_left_out(item) for item in items}
    left_out = dict(Counter(filter(None, reasons.values())))
    config.stash[LEFT_OUT] = left_out
    if hasattr(config, "workeroutput"):
        config.workeroutput["left_out"] = left_out
    config.hook.pytest_deselected(items=[item for item in items if reasons[item]])
    items[:] = [item for item in items if not reasons[item]]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a process of pytest-xdist has left out; each collects all tests."""
    told = getattr(node, "workeroutput", {})  # none of one that has crashed
    node.config.stash[LEFT_OUT] = told.get("left_out") or node.config.stash.get(LEFT_OUT, {})


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    yield  # until the summary has been printed
    left_out = session.config.stash.get(LEFT_OUT, {})
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if left_out and reporter is not None:
        counted = (f"{n} {why}" for why, n in left_out.items())
        reporter.write_line(f"Tests left out: {', '.join(counted)}")


def live_allocations() -> int:
    """What the stub library has allocated and not freed; the vendor's does not count."""
    if not LIBRARY["stub"]:
        return 0
    stub = ctypes.CDLL(LIBRARY["path"])
    stub.confd_stub_live_allocations.restype = ctypes.c_long
    return int(stub.confd_stub_live_allocations())


def shared_library(source: Path, directory: Path) -> Path:
    """A test's C file, compiled."""
    library = directory / f"{source.stem}.so"
    command = [*shlex.split(os.environ.get("CC", "cc")), "-shared", "-fPIC", "-Wall", "-Werror"]
    command += [f"-I{sysconfig.get_path('include')}", str(source), "-o", str(library)]
    subprocess.run(command, check=True)
    return library


@pytest.fixture(scope="session")
def sync_preload(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A library to preload, which waits or kills the process when it has something on the disk."""
    source = Path(__file__).with_name("sync.c")
    return str(shared_library(source, tmp_path_factory.mktemp("sync")))


@pytest.fixture(scope="session")
def disk_preload(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A library to preload, which has writes fail, or kills the process at one; see disk.c."""
    source = Path(__file__).with_name("disk.c")
    return str(shared_library(source, tmp_path_factory.mktemp("disk")))


@pytest.fixture(autouse=True)
def _nothing_leaks() -> Iterator[None]:
    before = live_allocations()
    yield
    end = time.monotonic() + 5
    while live_allocations() != before and time.monotonic() < end:
        gc.collect()  # an exception's traceback may hold a dict in a cycle
        time.sleep(0.01)  # and a thread that ends may hold what it has read
    assert live_allocations() == before


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with Daemon(product=PRODUCT.lower(), minimum_interval=0) as running:
        yield running


@pytest.fixture
def monitor(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> Monitor:
    """Runs `confd-events monitor` against the daemon."""
    return Monitor(daemon, capsys)


@pytest.fixture
def connect(daemon: Daemon) -> Iterator[Connect]:
    """Subscribe to the daemon: connect(mask, data=None) returns the socket."""
    sockets: list[socket.socket] = []

    def connected(mask: int = ALL_PLAIN, data: Any = None) -> socket.socket:
        sock = socket.socket()
        sockets.append(sock)
        if data is None:
            events.notifications_connect(sock, mask, **daemon.address)
        else:
            events.notifications_connect2(sock, mask, data, **daemon.address)
        daemon.wait_for_subscribers(len(sockets))
        return sock

    yield connected
    for sock in sockets:
        sock.close()


@pytest.fixture
def sock(connect: Connect) -> socket.socket:
    """A socket subscribed to all that needs nothing beside the mask."""
    return connect()


def vectors() -> list[dict[str, Any]]:
    """The recorded frames of level 8.2 that the library in use can read."""
    recorded: list[dict[str, Any]] = json.loads((DATA / "notifications-82.json").read_text())[
        "vectors"
    ]
    bits = {KINDS[name].bit for name in SENDABLE}
    if LEVEL >= (8, 5):  # queue items have a label since
        bits.discard(KINDS["cq_progress"].bit)
    return [vector for vector in recorded if vector["expect"]["type"] in bits]


def frames() -> dict[str, bytes]:
    """Frames for the library in use by name: recorded ones, and where there are none, made here."""
    recorded = vectors() if LEVEL >= (8, 2) else []
    known = {vector["expect"]["type"] for vector in recorded}
    found = {vector["name"]: bytes.fromhex(vector["frame"]) for vector in recorded}
    for name in SENDABLE:
        if KINDS[name].bit not in known:
            fields: dict[str, Any] = {"stream": "NETCONF"} if name.startswith("stream_") else {}
            found[name.replace("_", "-")] = encode(name, *PEER, **fields)
    return found


def large_frame(text: str) -> bytes:
    """A notification that every release has, and that keeps text of any length."""
    return encode("stream_event", *PEER, stream="s", values=[(1, 2, text)])


def text_of(notification: Any) -> str:
    """The text of a large frame."""
    return str(notification["stream"]["values"][0].v)


def plain(value: Any) -> Any:
    """A dict of read_notification() with every object as a dict that names its class."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, events.Value):
        return {"class": "Value", "type": value.confd_type(), "str": str(value)}
    if type(value).__module__ != events.Value.__module__:
        return value
    members = (name for name in dir(value) if not name.startswith("_"))
    attributes = {name: getattr(value, name) for name in members}
    return {
        "class": type(value).__name__,
        **{name: plain(item) for name, item in attributes.items() if not callable(item)},
    }


def assert_contains(got: Any, expected: Any, where: str = "") -> None:
    """Fail unless got has all that is expected; it may have more keys."""
    if isinstance(expected, dict):
        assert isinstance(got, dict), where
        assert expected.keys() <= got.keys(), where
        for key, item in expected.items():
            assert_contains(got[key], item, f"{where}[{key!r}]")
    elif isinstance(expected, list):
        assert len(got) == len(expected), where
        for index, item in enumerate(expected):
            assert_contains(got[index], item, f"{where}[{index}]")
    else:
        assert (got, type(got)) == (expected, type(expected)), where
