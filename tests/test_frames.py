"""Frames are checked before libconfd gets them: what would end the process is an Error instead."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from checking import RELEASES, check_of
from conftest import DATA
from forwarding import await_usids, envelopes, file_sink, forwarding, written
from subscribing import PATIENCE, subscribed
from test_terms import FRAMES, VECTORS

import confd_events as events
from confd_events.subscription import Undecodable
from confd_events.testing import Daemon, encode, frame_of
from confd_events.testing._notifications import KINDS, Peer
from confd_events.testing._terms import Atom, Improper, Term
from confd_events.testing._terms import encode as term_of

MALFORMED = json.loads((DATA / "malformed-82.json").read_text("utf-8"))["frames"]
HEARTBEAT = encode("heartbeat")


def outcomes(data: bytes) -> list[Any]:
    """What each call of read_notification() gives, up to the end of the stream."""
    reader, writer = socket.socketpair()
    found: list[Any] = []
    with reader:
        with writer:
            writer.sendall(data)
        while True:
            try:
                found.append(events.read_notification(reader))
            except events.EOF:
                return found
            except events.Error as error:
                found.append(error)


@pytest.mark.parametrize("number", range(0, len(MALFORMED), 20))
def test_frames_that_ended_the_process_are_errors(number: int) -> None:
    """Recorded with the vendor's library; the notification behind each is read."""
    for row in MALFORMED[number : number + 20]:
        error, following = outcomes(bytes.fromhex(row["frame"]) + HEARTBEAT)
        assert isinstance(error, events.Error), row["fault"]
        assert error.confd_errno == events.ERR_INTERNAL
        assert "Bad notification struct" in error.confd_lasterr
        assert following == {"type": events.NOTIF_HEARTBEAT}


def test_a_burst_with_malformed_frames() -> None:
    """What came before each is not lost, and what comes behind is read."""
    frames = [bytes.fromhex(row["frame"]) for row in MALFORMED[:20]]
    reader, writer = socket.socketpair()
    read = failed = 0
    with reader:
        with writer:
            writer.sendall(b"".join(HEARTBEAT + frame for frame in frames) + HEARTBEAT)
        while True:
            try:
                read += len(events.read_notifications(reader))
            except events.EOF as end:
                read += len(end.notifications)
                break
            except events.Error as error:
                read += len(error.notifications)
                failed += 1
    assert (read, failed) == (21, 20)


def test_the_error_says_where_and_shows_no_password() -> None:
    user = (7, b"ada", b"hunter2", b"cli", 1, (10, 0, 1), 22, 9, b"", 0)
    (error,) = outcomes(frame_of((int(events.NOTIF_USER_SESSION), 1, user, 0)))
    assert error.confd_lasterr.startswith(
        "Bad notification struct: NOTIF_USER_SESSION: element 3.6: "
    )
    assert "83 68 04 61 20" in error.confd_lasterr
    assert b"hunter2".hex(" ") not in error.confd_lasterr
    assert b"hun".hex(" ") not in error.confd_lasterr


# The check alone, for other releases


@pytest.mark.parametrize(("level", "product"), RELEASES)
def test_what_the_simulated_daemon_sends_fits(level: str, product: str) -> None:
    peer = Peer(int(level.replace(".", "")), product.lower())
    check = check_of(level, product)
    sent = 0
    for name, fields in (*VECTORS.values(), *((name, {}) for name in KINDS)):
        given = {"stream": "s", **fields} if name.startswith("stream_") else fields
        if KINDS[name].exists_for(peer, given):
            with suppress(TypeError):  # a field that only another release has
                frame = encode(name, *peer, **given)
                assert check(frame[4:]) is None, name
                sent += 1
    assert sent > 40


def test_a_newer_level_is_not_judged_by_shape() -> None:
    odd = term_of((1, (2, 3)))
    found = check_of("8.7", "NCS")(odd)
    assert found is not None
    assert b"NOTIF_AUDIT" in found
    assert check_of("8.9", "NCS")(odd) is None
    assert check_of("8.9", "NCS")(odd[:-1]) is not None


@pytest.mark.parametrize("name", FRAMES)
def test_of_a_large_frame_what_is_seen_is_checked(name: str) -> None:
    """The beginning of a valid frame is no fault; the end of one that ends there is."""
    check = check_of("8.2", "NCS")
    term = FRAMES[name][4:]
    assert check(term) is None
    for seen in range(min(17, len(term)), len(term)):
        assert check(term, seen) is None
        assert check(term[:seen]) is not None
    assert check(term + b"\0") is not None


SMALL_TAG = Improper((1,), 2)
TIME = (19, (2026, 11, 23, 7, 50, 1, 0, 0, 0))


def event(value: Term) -> bytes:
    return term_of((1 << 19, (TIME, [(SMALL_TAG, value)])))


def with_forms() -> Iterator[tuple[str, bytes]]:
    """Valid terms in other forms than the daemon's."""
    audit = b"\x83h\x05a\x01%sm\0\0\0\1u%sm\0\0\0\1m"
    yield "large integers", audit % (b"n\x01\x00\x05", b"o\0\0\0\x01\x00\x05")
    yield "a large tuple", b"\x83i\0\0\0\5a\1a\5m\0\0\0\1ua\1m\0\0\0\1m"
    for tag in (b"d\0\1u", b"s\1u", b"v\0\1u", b"w\1u"):
        yield f"an atom as text, {tag[:1]!r}", b"\x83h\x05a\1a\5%sa\1m\0\0\0\1m" % tag
    yield "a list as string", event(0).replace(b"a\0j", b"k\0\3\1\2\3j")
    number = b"1.50000000000000000000e+00".ljust(31, b"\0")
    yield "a float as text", event(0).replace(b"a\0j", b"c" + number + b"j")
    yield "no zone", event((20, (2026, 1, 2, [], 0)))
    yield "an unset text", term_of((1, 60, None, 7, b""))
    yield "a long tuple", term_of((1, 60, b"u", 7, b"m", 8, Atom("x"), [1.5]))


@pytest.mark.parametrize(("what", "term"), list(with_forms()))
def test_other_forms_of_terms_fit(what: str, term: bytes) -> None:
    assert check_of("8.2", "NCS")(term) is None, what
    assert outcomes(struct.pack(">I", len(term)) + term)[0]["type"] in (1, 1 << 19)


def test_a_number_that_others_depend_on_has_the_common_form() -> None:
    """libconfd 8.0.4 takes leftovers for a count that is a large integer of no bytes."""
    pdu: tuple[Any, ...] = (5, 1, (127, 0, 0, 1), 161, 1, 0, 255, [])
    counted = b"a\xff\x6a"
    for count, bad in ((b"a\0", None), (b"b\0\0\0\0", None), (b"n\0\0", b"not as many elements")):
        term = term_of((1 << 9, pdu)).replace(counted, count + b"j")
        said = check_of("8.0", "CONFD")(term)
        assert bad in (said or b"") if bad else said is None


# Those who read


BAD = frame_of((1, 60, b"u", 7))


def test_a_subscription_marks_and_counts_it(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", reconnect=True) as subscription:
        daemon.send_frame(BAD)
        daemon.audit(msg="behind")
        marker = next(subscription)
        assert isinstance(marker, Undecodable)
        assert "NOTIF_AUDIT" in str(marker["error"])
        assert next(subscription)["msg"] == "behind"
        assert subscription.stats().undecodable == 1


def test_the_forwarder_stores_it_as_a_record(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    path = written(tmp_path, daemon, sink=file_sink(out))
    path.write_text(path.read_text().replace('"audit", "audit-sync"', '"audit"'))
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.send_frame(BAD)
        daemon.audit(usid=8)
        await_usids(out, ["started", "undecodable", 8])
    assert "NOTIF_AUDIT" in json.dumps(envelopes(out)[1]["data"])
