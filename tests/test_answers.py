"""What a daemon answers to the calls of the library: malformed, it is an Error, and no more."""

from __future__ import annotations

import errno
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Callable

import pytest

import confd_events as events
from confd_events import maapi
from confd_events.testing import frame_of
from confd_events.testing._terms import Atom, Improper, encode

PROTOCOL = events.library()["protocol"]
HELLO = struct.pack(">BHIBB", 0, PROTOCOL, 0x08020500, 20, 9)
CHECKED = events.library()["link"] == "static"
THANDLE, ATTACH, GET_ELEM, REFUSED = 17, 220, 166, 1 << 31

END = Atom("eof")
MODEL = (Atom("ns"), b"urn:x", b"x", 77)
MODELS = frame_of([MODEL, (Atom("notree"),), END])
MOUNTS = frame_of([END])
TOO_LONG = struct.pack(">I", 6) + bytes([131, 108, 0x7F, 0xFF, 0xFF, 0xFF])
PATH = [Improper((77,), 5)]
NONE = Atom("undefined")


class Answering:
    """A daemon that says what it was told to, whatever the client asks."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.data = b""
        self.ends = True  # or is silent, after what it says
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                try:
                    client.sendall(HELLO + self.data)
                    if self.ends:
                        client.shutdown(socket.SHUT_WR)
                    while client.recv(65536):
                        pass
                except OSError:
                    pass  # the client is gone


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Answering]:
    made = Answering(str(tmp_path / "daemon"))
    yield made
    made.close()


def numbered(operation: int, term: object, code: int | None = None) -> bytes:
    words = struct.pack(">I", operation) if code is None else struct.pack(">II", operation, code)
    data = words + encode(term)
    return struct.pack(">I", len(data)) + data


def load_schemas(path: str) -> None:
    events.load_schemas(path=path)


@contextmanager
def session(path: str, timeout: float | None = None) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(timeout)
        maapi.connect(sock, path=path)
        yield sock


def iterate(path: str, timeout: float | None = None) -> None:
    with session(path, timeout) as sock:
        maapi.diff_iterate(sock, THANDLE, lambda *_: None)


def get_elem(path: str, timeout: float | None = None) -> None:
    with session(path, timeout) as sock:
        maapi.get_elem(sock, THANDLE, maapi.HKeypathRef([events.XmlTag(5, 77)]))


def attach(path: str, timeout: float | None = None) -> None:
    with session(path, timeout) as sock:
        maapi.attach2(sock, 0, 0, THANDLE)


def subscribe(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        events.notifications_connect(sock, events.NOTIF_AUDIT, path=path)


SCHEMAS, CHANGES = "maapi_load_schemas()", "maapi_diff_iterate()"
ELEMENT = "maapi_get_elem()"

MALFORMED: dict[str, tuple[Callable[[str], None], str, bytes]] = {
    "schemas: a length beyond the frame": (
        load_schemas,
        SCHEMAS,
        TOO_LONG,
    ),
    "schemas: a second answer cut": (load_schemas, SCHEMAS, MODELS + TOO_LONG),
    "changes: no tuple": (iterate, CHANGES, frame_of(7)),
    "changes: no path": (iterate, CHANGES, frame_of((5, 1, NONE, NONE))),
    "changes: cut": (iterate, CHANGES, frame_of((PATH, 1))),
    "changes: an empty step": (iterate, CHANGES, frame_of(([[]], 1, NONE, NONE))),
    "changes: an attribute cut": (iterate, CHANGES, frame_of((PATH, 6, NONE, (1,)))),
    "an element: of no type": (get_elem, ELEMENT, numbered(GET_ELEM, (60, 1))),
    "an element: refused for no reason": (
        get_elem,
        ELEMENT,
        numbered(GET_ELEM | REFUSED, 5, 3),
    ),
    "attaching: a length beyond the frame": (
        attach,
        "maapi_attach2()",
        struct.pack(">II", 10, ATTACH) + bytes([131, 109, 0x7F, 0xFF, 0xFF, 0xFF]),
    ),
    "subscribing: a length beyond the frame": (
        subscribe,
        "confd_notifications_connect()",
        TOO_LONG,
    ),
}


# Linked otherwise than statically the library gets them unchecked. The vendor's ends the process on
# some; the stub lives on, and takes no notice of what is behind the answer to attaching.
if not CHECKED:
    pytestmark = pytest.mark.stub
    del MALFORMED["attaching: a length beyond the frame"]


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_answer_is_an_error(daemon: Answering, name: str) -> None:
    call, said, daemon.data = MALFORMED[name]
    with pytest.raises(events.Error) as caught:
        call(daemon.path)
    if CHECKED:
        assert caught.value.confd_errno == events.ERR_INTERNAL
        assert caught.value.confd_lasterr.startswith(f"Bad answer to {said}: ")
        assert "; it begins with " in caught.value.confd_lasterr


@pytest.fixture
def alarms() -> Iterator[list[float]]:
    """When an alarm went off: every tenth of a second. The third one's handler raises."""
    heard: list[float] = []

    def hear(*_: object) -> None:
        heard.append(time.monotonic())
        if len(heard) == 3:
            raise KeyError("alarm")

    before = signal.signal(signal.SIGALRM, hear)
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    yield heard
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("call", [iterate, get_elem, attach])
def test_a_signal_ends_the_wait_for_an_answer(
    daemon: Answering, alarms: list[float], call: Callable[[str], None]
) -> None:
    daemon.ends = False
    with pytest.raises(KeyError, match="alarm"):
        call(daemon.path)
    assert len(alarms) == 3


@pytest.mark.parametrize("call", [iterate, get_elem, attach])
def test_the_socket_limits_the_wait_for_an_answer(
    daemon: Answering, call: Callable[[str, float], None]
) -> None:
    daemon.ends = False
    with pytest.raises(events.Error) as caught:
        call(daemon.path, 0.1)
    assert caught.value.errno == errno.EAGAIN


def test_the_schemas_can_be_loaded_afterwards(daemon: Answering) -> None:
    names = frame_of([1, (b"urn:x", 77), END])
    for _ in range(3):
        daemon.data = MODELS + MOUNTS + TOO_LONG
        with pytest.raises(events.Error):
            load_schemas(daemon.path)
        daemon.data = MODELS + MOUNTS + names
        load_schemas(daemon.path)
        assert events.hash2str(77) == "urn:x"
