"""What a transaction changes, read through MAAPI: the functions, and changes() of an event."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import signal
import socket
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from subscribing import PATIENCE, run_program, subscribed

import confd_events as events
from confd_events import DaemonSilent, Event, maapi
from confd_events.cli._script import read_script
from confd_events.testing import Daemon, DataChange, Delivery, Faults, value

SERVER = '/ex:servers/server{www "a b"}'
CHANGES = [
    DataChange("modified", "/ex:servers/server{db}"),
    DataChange("created", SERVER),
    DataChange("value-set", f"{SERVER}/ip", "10.0.0.1", old="10.0.0.2"),
    DataChange("value-set", f"{SERVER}/mtu", 1500),
    DataChange("value-set", f"{SERVER}/mode", value.DEFAULT),
    DataChange("moved-after", "/ex:servers/server{x}", ["y"]),
    DataChange("moved-after", "/ex:servers/server{z}"),
    DataChange("attr-set", "/ex:servers/other:server", [3, "note"]),
    DataChange("deleted", "/ex:a", old="gone"),
]
MANY = [DataChange("created", f"/ex:list{{{number}}}") for number in range(600)]
TEXT = """\
~ /ex:servers/server{db}
+ /ex:servers/server{www "a b"}
= /ex:servers/server{www "a b"}/ip 10.0.0.1
= /ex:servers/server{www "a b"}/mtu 1500
= /ex:servers/server{www "a b"}/mode is the default
> /ex:servers/server{x} after {y}
> /ex:servers/server{z} to the beginning
@ /ex:servers/other:server attribute 3 note
- /ex:a"""
TEXT_WITH_OLD = TEXT.replace(" 10.0.0.1", " 10.0.0.1 (was 10.0.0.2)") + " (was gone)"
CLI = """\
set servers server www "a b"
set servers server www "a b" ip 10.0.0.1
set servers server www "a b" mtu 1500
delete servers server www "a b" mode
insert servers server x after y
insert servers server z first
delete a"""


@contextmanager
def commit(
    daemon: Daemon, changes: list[DataChange], **options: Any
) -> Iterator[tuple[Event, Delivery]]:
    """A commit-diff event of a transaction that waits."""
    with subscribed(daemon, "commit-diff", **options) as commits:
        daemon.wait_for_subscribers()
        delivery = daemon.commit_diff(thandle=17, changes=changes)
        event = next(commits)
        events.load_schemas(**daemon.address)  # another test's may be there
        yield event, delivery


@contextmanager
def attached(daemon: Daemon, thandle: int = 17) -> Iterator[socket.socket]:
    """A MAAPI socket that is attached to a transaction."""
    with socket.socket() as sock:
        maapi.connect(sock, **daemon.address)
        maapi.attach2(sock, 0, 0, thandle)
        yield sock


# The event


def test_differences_of_a_commit(daemon: Daemon) -> None:
    with commit(daemon, CHANGES) as (event, delivery):
        assert event.diff() == TEXT
        assert event.diff("cli") == CLI
        assert not delivery.done
    assert delivery.wait(PATIENCE)


def test_changes_are_objects(daemon: Daemon) -> None:
    with commit(daemon, CHANGES) as (event, _):
        found = list(event.changes())
    modified, created, ip, mtu, mode, moved, first, attribute, deleted = found
    assert [change.operation for change in found] == [
        *("modified", "created", "value-set", "value-set", "default-set"),
        *("moved", "moved", "attribute-set", "deleted"),
    ]
    assert str(created.path) == SERVER
    assert [str(part) for part in ip.path[:1]] == ["ip"]
    assert ip.path[1] == (events.Value("www"), events.Value("a b"))
    assert (ip.old, str(ip.new)) == (None, "10.0.0.1")
    assert isinstance(mtu.new, events.Value)
    assert mtu.new.as_pyval() == 1500
    assert (mode.new, modified.new, deleted.new) == (None, None, None)
    assert (moved.new, first.new) == ((events.Value("y"),), ())
    assert (attribute.attribute, attribute.new) == (3, events.Value("note"))


def test_changes_below_a_path(daemon: Daemon) -> None:
    with commit(daemon, CHANGES) as (event, _):
        assert [str(change.path) for change in event.changes(below=SERVER)] == [
            SERVER,
            *(f"{SERVER}/{leaf}" for leaf in ("ip", "mtu", "mode")),
        ]
        assert event.diff(below="/ex:a") == "- /ex:a"
        assert event.diff(below="/ex:serv") == ""
        assert event.diff(below="/") == TEXT


def test_values_before(daemon: Daemon) -> None:
    """Of leaves that were set or deleted, as the datastore has them while the commit waits."""
    changes = [*CHANGES, DataChange("value-set", "/ex:new", 1), DataChange("deleted", SERVER)]
    with commit(daemon, changes) as (event, delivery):
        found = list(event.changes(old=True))
        assert [str(change.old) for change in found if change.old is not None] == [
            *("10.0.0.2", "gone")
        ]
        assert not delivery.done
        assert event.diff(old=True, below="/ex:a") == "- /ex:a (was gone)"


def test_a_daemon_that_tells_the_values_before(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are documented send none; the library would hand them on."""
    monkeypatch.setattr(
        DataChange, "term", lambda self, names: (self.path_term(names), 4, self.old, self.new)
    )
    changes = [DataChange("value-set", "/ex:a", b"new", old=b"old")]
    with commit(daemon, changes) as (event, _):
        assert event.diff() == "= /ex:a new (was old)"


def test_a_datastore_that_can_not_be_read(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any, request: bytes) -> None:
        self._refuse(140, 10, "not now")

    monkeypatch.setattr("confd_events.testing._maapi.Maapi._start_transaction", refuse)
    with commit(daemon, CHANGES) as (event, delivery):
        with pytest.raises(events.Error, match="not now"):
            event.diff(old=True)
        assert not delivery.done
        assert event.diff() == TEXT


def test_differences_for_programs(daemon: Daemon) -> None:
    with commit(daemon, CHANGES) as (event, _):
        parsed = json.loads(event.diff("json", old=True))
        root = ET.fromstring(event.diff("xml", old=True))
    assert parsed[2] == {
        "operation": "value-set",
        "path": f"{SERVER}/ip",
        "old": "10.0.0.2",
        "new": "10.0.0.1",
    }
    assert [element.get("path") for element in root] == [change["path"] for change in parsed]
    assert root[2].findtext("new") == "10.0.0.1"
    assert root[2].findtext("old") == "10.0.0.2"
    assert root[5].findtext("after") == "y"


@pytest.mark.parametrize("kind", maapi.FORMATS)
def test_secrets_are_masked_unless_asked_for(daemon: Daemon, kind: str) -> None:
    changes = [
        DataChange("value-set", "/ex:user{ada}/password", "in clear text", old="in clear text"),
        DataChange("value-set", "/ex:user{ada}/motto", "$9$encrypted$by NSO"),
    ]
    with commit(daemon, changes) as (event, _):
        for hidden in ("in clear text", "encrypted"):
            assert hidden not in event.diff(kind, old=True)
            assert hidden in event.diff(kind, secrets=True)
            assert hidden not in repr(list(event.changes()))


@pytest.mark.parametrize("kind", maapi.FORMATS)
def test_no_changes(daemon: Daemon, kind: str) -> None:
    with commit(daemon, []) as (event, _):
        assert list(event.changes()) == []
        assert event.diff(kind).split() in ([], ["<changes>", "</changes>"], ["[", "]"])


def test_odd_text(daemon: Daemon) -> None:
    changes = [
        DataChange("created", r'/ex:list{"a\"b}\\"}'),
        DataChange("value-set", "/ex:leaf", b"\xff\x01 <&>\n"),
    ]
    with commit(daemon, changes) as (event, _):
        for kind in maapi.FORMATS:
            assert event.diff(kind).encode("utf-8")
        assert json.loads(event.diff("json"))[0]["path"] == r'/ex:list{"a\"b}\\"}'
        assert ET.fromstring(event.diff("xml"))[1].findtext("new") == "\\xff\ufffd <&>\n"


def test_another_format(daemon: Daemon) -> None:
    with commit(daemon, []) as (event, _), pytest.raises(ValueError, match="format: 'yaml'"):
        event.diff("yaml")


def test_another_notification(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", "audit-sync") as audits:
        daemon.wait_for_subscribers()
        daemon.audit(usid=3)
        event = next(audits)
        with pytest.raises(TypeError, match="audit event has no changes"):
            event.changes()


def test_an_acknowledged_commit_has_gone_on(daemon: Daemon) -> None:
    with commit(daemon, CHANGES) as (event, _):
        late = event.changes()
        event.ack()
        with pytest.raises(RuntimeError, match="before ack"):
            event.changes()
        with pytest.raises(events.Error, match="the transaction is over"):
            next(late)


def test_the_time_limit_lets_the_commit_go_on(daemon: Daemon) -> None:
    with commit(daemon, CHANGES) as (event, delivery):
        changes = event.changes(limit=0.3)
        next(changes)
        daemon.set_faults(Faults(silent_after=9))
        with pytest.raises(DaemonSilent, match=r"within 0\.3 s"):
            list(event.changes(limit=0.3))
        assert delivery.wait(PATIENCE)


def test_a_gap_is_said(daemon: Daemon) -> None:
    with commit(daemon, CHANGES) as (event, delivery):
        daemon.set_faults(Faults(silent_after=9))
        assert event.diff(limit=0.3).startswith("! incomplete: ")
        assert delivery.wait(PATIENCE)


def test_the_consumers_time_counts(daemon: Daemon) -> None:
    with commit(daemon, MANY) as (event, delivery):
        reading = event.changes(limit=0.5)
        next(reading)
        time.sleep(0.6)
        with pytest.raises(DaemonSilent):
            list(reading)
        assert delivery.wait(PATIENCE)


def test_reading_may_be_left(daemon: Daemon) -> None:
    with commit(daemon, MANY) as (event, delivery):
        for change in event.changes():
            assert str(change.path) == "/ex:list{0}"
            break
        assert not delivery.done
        assert len(list(event.changes())) == 600


def test_a_subscription_with_a_unix_socket(tmp_path: Path) -> None:
    with Daemon(path=tmp_path / "ipc") as daemon, commit(daemon, CHANGES) as (event, _):
        assert event.diff() == TEXT


# Trouble


def survives(found: Callable[[], str], expected: str) -> bool:
    """Whether all was found; what else there may be is the Error of a lost connection."""
    try:
        assert found() == expected
    except events.Error as error:
        if error.confd_errno not in (events.ERR_EOF, events.ERR_OS):
            raise
        return False
    return True


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    ("changes", "old", "expected"),
    [(CHANGES, False, TEXT), (CHANGES[-1:], True, "- /ex:a (was gone)")],
)
def test_connection_lost_at_any_byte(
    daemon: Daemon, reset: bool, changes: list[DataChange], old: bool, expected: str
) -> None:
    with commit(daemon, changes) as (event, delivery):
        for count in itertools.count():
            daemon.set_faults(Faults(reset_after=count) if reset else Faults(close_after=count))
            if survives(partial(event.diff, old=old), expected):
                break
        assert count > 90
        assert not delivery.done
        event.ack()
    assert delivery.wait(PATIENCE)


def test_a_dribbling_daemon(daemon: Daemon) -> None:
    with commit(daemon, CHANGES) as (event, _):
        daemon.set_faults(Faults(byte_pause=0.0001))
        assert event.diff(old=True) == TEXT_WITH_OLD


@pytest.mark.parametrize("count", [0, 5, 9, 12, 20, 25, 30, 40, 80])
def test_a_signal_ends_the_reading(daemon: Daemon, count: int) -> None:
    """Wherever it waits; and the commit is still there to be read."""

    class Alarm(Exception):  # noqa: N818
        pass

    def handler(*_: object) -> None:
        raise Alarm

    with commit(daemon, CHANGES) as (event, delivery):
        daemon.set_faults(Faults(silent_after=count))
        before = signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        try:
            with pytest.raises(Alarm):
                event.diff(old=True)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert not delivery.done
        daemon.set_faults(Faults())
        assert event.diff() == TEXT


def test_signals_that_raise_nothing_lose_nothing(daemon: Daemon) -> None:
    counted: list[int] = []
    with commit(daemon, MANY) as (event, _):
        before = signal.signal(signal.SIGALRM, lambda *_: counted.append(1))
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        try:
            assert len(list(event.changes())) == 600
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    assert counted


def test_another_thread_reads(daemon: Daemon) -> None:
    found: list[str] = []
    with commit(daemon, CHANGES) as (event, _):
        reader = threading.Thread(target=lambda: found.append(event.diff()))
        reader.start()
        reader.join(PATIENCE)
    assert found == [TEXT]


def test_a_child_process_reads_nothing(daemon: Daemon) -> None:
    with commit(daemon, CHANGES) as (event, _):
        child = os.fork()
        if child == 0:
            try:
                event.diff()
            except RuntimeError:
                os._exit(7)
            os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 7
        assert event.diff() == TEXT


async def reading_async(daemon: Daemon) -> tuple[list[str], str]:
    address = daemon.address["ip"], daemon.address["port"]
    async with events.subscribe_async("commit-diff", address=address) as commits:
        await asyncio.to_thread(daemon.wait_for_subscribers)
        daemon.commit_diff(thandle=17, changes=[*CHANGES, *MANY])
        event = await commits.next()
        assert event is not None
        await asyncio.to_thread(events.load_schemas, **daemon.address)
        paths = [str(change.path) async for change in event.changes_async()]
        return paths, await event.diff_async(below="/ex:a", old=True)


def test_a_loop_of_asyncio_reads(daemon: Daemon) -> None:
    paths, difference = asyncio.run(reading_async(daemon))
    assert paths == [change.path for change in [*CHANGES, *MANY]]
    assert difference == "- /ex:a (was gone)"


def test_a_loop_of_asyncio_is_not_blocked(daemon: Daemon) -> None:
    """Cancelled, it leaves the daemon's sockets to the thread, which closes them."""

    async def read(event: Event) -> None:
        daemon.set_faults(Faults(silent_after=9))
        for reading in (event.diff_async(), event.changes_async().__anext__()):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(reading, 0.1)

    with commit(daemon, CHANGES) as (event, delivery):
        asyncio.run(read(event))
        assert not delivery.done
        daemon.set_faults(Faults())
        assert event.diff() == TEXT


def test_a_loop_of_asyncio_gets_what_came_before_the_error(daemon: Daemon) -> None:
    found: list[object] = []

    async def read(event: Event) -> None:
        async for change in event.changes_async(limit=2):
            found.append(change)
            if len(found) == 1:
                await asyncio.sleep(2.2)

    with commit(daemon, MANY) as (event, delivery):
        with pytest.raises(DaemonSilent):
            asyncio.run(read(event))
        assert len(found) == 256
        assert delivery.wait(PATIENCE)
        with pytest.raises(RuntimeError, match="before ack"):
            event.changes_async()


def test_schemas_are_loaded_on_demand() -> None:
    """Once for the process."""
    done = run_program(
        """
        from confd_events import _events, subscribe
        from confd_events.testing import Daemon, DataChange

        with Daemon() as daemon:
            address = daemon.address["ip"], daemon.address["port"]
            with subscribe("commit-diff", address=address) as commits:
                for thandle in (5, 6):
                    daemon.commit_diff(thandle=thandle, changes=[DataChange("deleted", "/ex:a")])
                    print(_events._schemas_loaded(), next(commits).diff())
        """
    )
    assert (done.stderr, done.stdout) == ("", "False - /ex:a\nTrue - /ex:a\n")


def test_what_monitor_prints_can_be_simulated(daemon: Daemon) -> None:
    with commit(daemon, CHANGES) as (event, _):
        line = {**event.to_dict(), **maapi.gathered(event.changes(old=True))}
    (step,) = read_script("recording", [json.dumps(line)])
    assert step.kind == "commit_diff"
    with commit(daemon, step.fields["changes"]) as (event, _):
        assert event.diff(old=True) == TEXT_WITH_OLD


def test_many_changes_are_no_record(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confd_events.maapi._diff._MOST", len(CHANGES) - 1)
    with commit(daemon, CHANGES) as (event, _):
        record = maapi.gathered(event.changes())
    assert len(record["changes"]) == len(CHANGES) - 1
    assert record["changes_incomplete"] == f"there are more than {len(CHANGES) - 1}"


# The functions


def iterated(
    daemon: Daemon, changes: list[DataChange], replies: Callable[[str], Any]
) -> list[tuple[str, int]]:
    """The paths and operations that diff_iterate() gives to a function that answers so."""
    seen: list[tuple[str, int]] = []

    def show(path: maapi.HKeypathRef, op: int, old: object, new: object) -> Any:
        seen.append((str(path), op))
        return replies(str(path))

    with commit(daemon, changes), attached(daemon) as sock:
        maapi.diff_iterate(sock, 17, show, maapi.ITER_WANT_ATTR)
        maapi.detach2(sock, 17)
    return seen


TREE = [DataChange("modified", f"/ex:{path}") for path in ("a", "a/b", "a/b/c", "a/d", "e")]


@pytest.mark.parametrize(
    ("reply", "seen"),
    [
        (maapi.ITER_RECURSE, ["a", "a/b", "a/b/c", "a/d", "e"]),
        (None, ["a", "a/b", "a/b/c", "a/d", "e"]),
        (maapi.ITER_CONTINUE, ["a", "a/b", "a/d", "e"]),
        (maapi.ITER_UP, ["a", "a/b", "e"]),
        (maapi.ITER_STOP, ["a", "a/b"]),
    ],
)
def test_replies(daemon: Daemon, reply: int | None, seen: list[str]) -> None:
    found = iterated(daemon, TREE, lambda path: reply if path == "/ex:a/b" else 2)
    assert found == [(f"/ex:{path}", maapi.MOP_MODIFIED) for path in seen]


def test_what_the_function_gets(daemon: Daemon) -> None:
    got: list[tuple[Any, ...]] = []
    with commit(daemon, CHANGES), attached(daemon) as sock:
        maapi.diff_iterate(sock, 17, lambda *change: got.append(change[1:]), 4)
    assert got[2:4] == [
        (4, None, events.Value("10.0.0.1")),
        (4, None, events.Value(1500)),
    ]
    assert [new for _, _, new in got[5:8]] == [
        [events.Value("y")],
        None,
        (events.Value(3, events.C_UINT32), events.Value("note")),
    ]


def test_what_the_function_raises(daemon: Daemon) -> None:
    with commit(daemon, CHANGES), attached(daemon) as sock:
        with pytest.raises(ZeroDivisionError):
            maapi.diff_iterate(sock, 17, lambda *_: 1 // 0)
        with pytest.raises(ValueError, match="iter: returned 77"):
            maapi.diff_iterate(sock, 17, lambda *_: 77)
        maapi.detach2(sock, 17)


def test_an_element(daemon: Daemon) -> None:
    with commit(daemon, CHANGES) as (event, _), attached(daemon) as sock:
        found = list(event.changes())
        ip, mtu, deleted = found[2].path, found[3].path, found[-1].path
        assert maapi.get_elem(sock, 17, ip) == events.Value("10.0.0.1")
        assert maapi.get_elem(sock, event.payload["tctx"], mtu) == 1500
        with pytest.raises(events.Error, match="no such element"):
            maapi.get_elem(sock, 17, deleted)


def test_a_transaction_of_our_own(daemon: Daemon) -> None:
    with commit(daemon, CHANGES) as (event, _), socket.socket() as sock:
        ip = [change.path for change in event.changes()][2]
        maapi.connect(sock, **daemon.address)
        with pytest.raises(events.Error, match="no session"):
            maapi.start_trans(sock, events.RUNNING, maapi.READ)
        maapi.start_user_session(
            sock, "ada", "maapi", ["admin", "oper"], "2001:db8::1", events.PROTO_SSH
        )
        thandle = maapi.start_trans(sock, events.RUNNING, maapi.READ)
        assert maapi.get_elem(sock, thandle, ip) == events.Value("10.0.0.2")
        maapi.finish_trans(sock, thandle)
        with pytest.raises(events.Error, match="no transaction"):
            maapi.finish_trans(sock, thandle)


def test_what_is_not_attached(daemon: Daemon) -> None:
    with commit(daemon, CHANGES), socket.socket() as sock:
        maapi.connect(sock, **daemon.address)
        with pytest.raises(events.Error) as refused:
            maapi.diff_iterate(sock, 17, lambda *_: None)
        assert refused.value.confd_errno == 17
        for thandle in (18, -1):
            with pytest.raises(events.Error) as refused:
                maapi.attach2(sock, 0, 0, thandle)
            assert refused.value.confd_errno == events.ERR_NOEXISTS
        with pytest.raises(events.Error):
            maapi.detach(sock, 17)
        maapi.close(sock)
        assert sock.fileno() == -1


WRONG: Any = "wrong"


def session(sock: Any, **other: Any) -> None:
    arguments = {"username": "ada", "context": "maapi", "groups": [], "src_addr": "::1", "prot": 1}
    maapi.start_user_session(sock, **{**arguments, **other})


@pytest.mark.parametrize(
    ("call", "argument", "error"),
    [
        (lambda sock: maapi.attach2(sock, 0, 0, WRONG), "thandle", TypeError),
        (lambda sock: maapi.attach2(sock, 0, 1 << 40, 9), "usid", OverflowError),
        (lambda sock: maapi.attach2(sock, -1, 0, 9), "hashed_ns", OverflowError),
        (lambda sock: maapi.detach2(WRONG, 9), "sock", TypeError),
        (lambda sock: maapi.diff_iterate(sock, 9, print, WRONG), "flags", TypeError),
        (lambda sock: session(sock, username=WRONG + "\0"), "username", ValueError),
        (lambda sock: session(sock, context=5), "context", TypeError),
        (lambda sock: session(sock, groups=[5]), "groups", TypeError),
        (lambda sock: session(sock, src_addr=WRONG), "src_addr", ValueError),
        (lambda sock: session(sock, prot=WRONG), "prot", TypeError),
        (lambda sock: maapi.start_trans(sock, WRONG, maapi.READ), "name", TypeError),
        (lambda sock: maapi.start_trans(sock, 2, WRONG), "readwrite", TypeError),
        (lambda sock: maapi.finish_trans(sock, WRONG), "thandle", TypeError),
        (lambda sock: maapi.HKeypathRef([WRONG]), "elements", TypeError),
        (lambda sock: maapi.HKeypathRef([()]), "elements", ValueError),
        (lambda sock: maapi.HKeypathRef([events.XmlTag(1, 2)] * 500), "elements", ValueError),
    ],
)
def test_wrong_arguments(call: Callable[[Any], Any], argument: str, error: Any) -> None:
    left, right = socket.socketpair()
    with left, right, pytest.raises(error, match=f"^{argument}: "):
        call(left)


def test_numbers_are_those_of_the_header() -> None:
    header = Path(__file__).parents[1] / "include" / "confd_maapi.h"
    numbers = dict(
        re.findall(r"\b((?:MOP|ITER)_\w+)\s*=?\s+(\d+|\(1 << \d+\))", header.read_text())
    )
    ours = [name for name in vars(maapi) if name.startswith(("MOP_", "ITER_"))]
    for name in ours:
        number, _, bits = numbers[name].strip("()").partition(" << ")
        assert getattr(maapi, name) == int(number) << int(bits or 0), name


# Paths

KEYS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(st.lists(KEYS, min_size=1, max_size=9))
@settings(max_examples=200)
def test_a_path_as_text_can_be_taken_apart(keys: list[str]) -> None:
    path = maapi.HKeypathRef([tuple(map(events.Value, keys)), events.XmlTag(5, 7)])
    from confd_events.testing._changes import parts

    assert parts(str(path))[1] == [key.encode() for key in keys]


def test_a_path_is_a_sequence() -> None:
    tag, keys = events.XmlTag(5, 7), (events.Value("k"),)
    path = maapi.HKeypathRef([tag, keys, tag])
    assert (len(path), list(path), path[1], path[-1]) == (3, [tag, keys, tag], keys, tag)
    assert list(reversed(path)) == [tag, keys, tag]
    assert path == maapi.HKeypathRef([tag, keys, tag])
    assert path != maapi.HKeypathRef([tag, keys])
    assert hash(path) == hash(maapi.HKeypathRef([tag, keys, tag]))
    assert str(maapi.HKeypathRef([])) == "/"
    with pytest.raises(TypeError, match="pickle"):
        path.__reduce__()


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (DataChange("renamed", "/ex:a"), "op: 'renamed'"),
        (DataChange("created", "ex:a"), "path: 'ex:a'"),
        (DataChange("created", "/ex:a{"), "path: "),
        (DataChange("created", "{k}"), "path: "),
        (DataChange("created", "/ex:a{}"), "path: braces"),
        (DataChange("moved-after", "/ex:a", 5), "new: "),
    ],
)
def test_changes_that_can_not_be_simulated(daemon: Daemon, change: DataChange, wrong: str) -> None:
    with pytest.raises((TypeError, ValueError), match=wrong):
        daemon.commit_diff(changes=[change])
