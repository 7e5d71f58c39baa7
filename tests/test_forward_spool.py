"""The spool of the forwarder: what it keeps, for how long, and when it can't."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from confd_events.forward import (
    Record,
    Spool,
    SpoolError,
    SpoolFullError,
    _spool,
    purge,
    redrive,
    status_of,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


def texts(records: list[Record]) -> list[str]:
    return [record.json for record in records]


def fill(spool: Spool) -> None:
    """Appends pairs of records for ever."""
    while True:
        spool.append("paris", ["1" + "x" * 5000, "2" + "x" * 5000])


def test_records_come_out_in_order_for_each_sink(path: Path) -> None:
    with Spool(path) as spool:
        spool.serve(["a", "b"])
        spool.append("paris", ["1", "2", "3"])
        first, second = spool.pending("a", 2)
        assert texts([first, second]) == ["1", "2"]
        spool.advance("a", second.number)
        assert texts(spool.pending("a", 10)) == ["3"]
        assert texts(spool.pending("b", 10)) == ["1", "2", "3"]


def test_what_is_stored_is_there_after_it_was_opened_again(path: Path) -> None:
    with Spool(path) as spool:
        spool.serve(["a"])
        spool.append("paris", ["1", "2"])
        spool.advance("a", spool.pending("a", 1)[0].number)
    with Spool(path) as spool:
        assert spool.serve(["a"]) == []
        assert texts(spool.pending("a", 10)) == ["2"]


def test_what_every_sink_has_is_removed_and_its_number_never_used_again(path: Path) -> None:
    with Spool(path) as spool:
        spool.serve(["a", "b"])
        spool.append("paris", ["1"])
        (record,) = spool.pending("a", 1)
        spool.advance("a", record.number)
        assert status_of(path).records == 1
        spool.advance("b", record.number)
        assert status_of(path).records == 0
    with Spool(path) as spool:
        spool.serve(["a", "b"])
        spool.append("paris", ["2"])
        assert spool.pending("a", 1)[0].number > record.number


def test_a_sink_that_is_gone_keeps_nothing_and_a_new_one_gets_what_is_there(path: Path) -> None:
    with Spool(path) as spool:
        spool.serve(["a", "b"])
        spool.append("paris", ["1", "2"])
        spool.advance("a", spool.pending("a", 1)[0].number)
    with Spool(path) as spool:
        assert spool.serve(["a", "c"]) == ["b"]
        assert texts(spool.pending("c", 10)) == ["1", "2"]


def test_the_last_time_of_a_node_outlives_its_records(path: Path) -> None:
    with Spool(path) as spool:
        spool.serve(["a"])
        assert spool.last_of("paris") is None
        spool.append("paris", ["1"])
        spool.advance("a", spool.pending("a", 1)[0].number)
        assert spool.last_of("paris") is not None
        assert spool.last_of("rome") is None


def test_waiting_ends_when_a_record_has_come_meanwhile(path: Path) -> None:
    with Spool(path) as spool:
        spool.serve(["a"])
        changes = spool.changes
        spool.append("paris", ["1"])
        spool.wait(changes, 3600)
        threading.Timer(0.05, spool.append, ("paris", ["2"])).start()
        spool.wait(spool.changes, 3600)
        assert texts(spool.pending("a", 10)) == ["1", "2"]


def test_it_is_not_for_everybody(path: Path) -> None:
    with Spool(path) as spool:
        spool.serve(["a"])
        spool.append("paris", ["1"])
        for file in path.parent.iterdir():
            assert not stat.S_IMODE(file.stat().st_mode) & stat.S_IRWXO, file


# Limits


def test_a_limit_refuses_and_room_is_made_by_delivery(path: Path) -> None:
    with Spool(path, limit=200_000) as spool:
        spool.serve(["a"])
        with pytest.raises(SpoolFullError, match=r"spool\.db has reached its limit of 200000"):
            fill(spool)
        stored = spool.pending("a", 100)
        assert 20 <= len(stored) <= 40
        spool.advance("a", stored[-1].number)
        spool.append("paris", ["y"])
        assert texts(spool.pending("a", 100)) == ["y"]


def test_a_burst_beyond_the_limit_is_taken_when_nothing_else_is_there(path: Path) -> None:
    with Spool(path, limit=100_000) as spool:
        spool.serve(["a"])
        spool.append("paris", ["x" * 300_000])
        with pytest.raises(SpoolFullError):
            spool.append("paris", ["y"])
        assert spool.append("paris", ["y"], lambda count: f"dropped {count}") == 1
        assert texts(spool.pending("a", 10)) == ["dropped 1", "y"]


def test_the_oldest_make_room_and_a_record_says_how_many(path: Path) -> None:
    with Spool(path, limit=20_000_000) as spool:
        spool.serve(["a"])
        dropped = sum(
            spool.append("paris", [f"{n} {'x' * 20_000}"], lambda count: f"dropped {count}")
            for n in range(1200)
        )
        left = texts(spool.pending("a", 2000))
        told = [int(text.split()[1]) for text in left if text.startswith("dropped")]
        assert dropped == 500
        assert told == [500]
        assert len(left) == 1200 - 500 + 1
        assert left[-1].startswith("1199 ")
        assert status_of(path).bytes <= 20_000_000


# Disks


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """As a full disk, for this process."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        signal.signal(signal.SIGXFSZ, before)


def test_a_full_disk_refuses_whole_bursts_and_goes_on_when_it_has_room(path: Path) -> None:
    with Spool(path) as spool:
        spool.serve(["a"])
        with no_file_larger_than(300_000):
            with pytest.raises(SpoolFullError, match=r"spool\.db can't be written: "):
                fill(spool)
            kept = texts(spool.pending("a", 1000))
        spool.append("paris", ["end"])
        assert texts(spool.pending("a", 1000)) == [*kept, "end"]
    assert len(kept) > 10
    assert [text[0] for text in kept] == ["1", "2"] * (len(kept) // 2)


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_text("not a database\n" * 1000)
    with pytest.raises(SpoolError, match=r"spool\.db is damaged: .*Move it away"):
        Spool(path)


def test_a_damaged_spool_is_refused_and_can_be_replaced(path: Path) -> None:
    with Spool(path) as spool:
        spool.serve(["a"])
        spool.append("paris", ["x" * 3000 for _ in range(200)])
    content = bytearray(path.read_bytes())
    for page in range(5 * 4096, len(content) - 4096, 4096):
        content[page : page + 200] = os.urandom(200)
    path.write_bytes(content)
    with pytest.raises(SpoolError, match=r"spool\.db is damaged: "):
        Spool(path)
    path.unlink()
    with Spool(path) as spool:
        spool.serve(["a"])


def test_the_database_of_another_program_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE records (name TEXT)")
        database.commit()
    with pytest.raises(SpoolError, match="is the database of another program"):
        Spool(path)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"nowhere/spool\.db"):
        Spool(tmp_path / "nowhere" / "spool.db")


# Two at once


def test_a_second_forwarder_is_refused_and_told_who_has_it(path: Path) -> None:
    with Spool(path), pytest.raises(SpoolError, match=rf"another forwarder, process {os.getpid()}"):
        Spool(path)
    Spool(path).close()


def test_the_lock_is_gone_when_its_process_was_killed(path: Path) -> None:
    program = "import sys, time\nfrom confd_events.forward import Spool\ns = Spool(sys.argv[1])\n"
    program += "print('open', flush=True)\ntime.sleep(3600)"
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(SpoolError, match=f"process {process.pid}"):
            Spool(path)
        process.kill()
        process.wait()
        Spool(path).close()


def test_reading_does_not_wait_for_another_writer(path: Path) -> None:
    with Spool(path) as spool, closing(sqlite3.connect(path, isolation_level=None)) as other:
        spool.serve(["a"])
        spool.append("paris", ["1", "2"])
        spool.bury("a", spool.pending("a", 1)[0], "too large")
        assert redrive(path) == 1
        other.execute("BEGIN IMMEDIATE")
        letter = spool.redriven("a")
        assert letter is not None
        assert letter.json == "1"
        assert texts(spool.pending("a", 10)) == ["2"]
        assert spool.last_of("paris") is not None
        other.execute("ROLLBACK")
        spool.append("paris", ["3"])
        assert texts(spool.pending("a", 10)) == ["2", "3"]


# Layouts


def test_a_spool_of_an_older_layout_is_brought_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Spool(path) as spool:
        spool.serve(["a"])
        spool.append("paris", ["1"])
    newer = (*_spool.MIGRATIONS, ("ALTER TABLE records ADD COLUMN colour TEXT",))
    monkeypatch.setattr(_spool, "MIGRATIONS", newer)
    with Spool(path) as spool:
        assert texts(spool.pending("a", 10)) == ["1"]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT colour FROM records").fetchall() == [(None,)]
        assert database.execute("PRAGMA user_version").fetchone() == (len(newer),)
    monkeypatch.undo()
    with pytest.raises(SpoolError, match=f"a later release; its layout is {len(newer)}"):
        Spool(path)


def test_a_spool_of_the_first_layout_goes_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_spool, "MIGRATIONS", _spool.MIGRATIONS[:1])
    with Spool(path) as spool, closing(sqlite3.connect(path)) as database:
        spool.serve(["a"])
        database.execute("INSERT INTO records (at, json) VALUES (1.5, 'old')")
        database.execute("INSERT INTO nodes VALUES ('paris', 1.5)")
        database.commit()
    monkeypatch.undo()
    with Spool(path) as spool:
        assert spool.last_of("paris") == 1.5
        assert spool.role_of("paris") is None
        spool.note_role("paris", "primary")
        spool.append("paris", ["new"])
        assert texts(spool.pending("a", 10)) == ["old", "new"]
        assert spool.role_of("paris") == "primary"


def test_a_layout_is_brought_up_whole_or_not_at_all(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Spool(path).close()
    steps = ("ALTER TABLE records ADD COLUMN colour TEXT", "ALTER TABLE nowhere ADD COLUMN x TEXT")
    monkeypatch.setattr(_spool, "MIGRATIONS", (*_spool.MIGRATIONS, steps))
    with pytest.raises(SpoolError, match="can't be opened: no such table: nowhere"):
        Spool(path)
    monkeypatch.undo()
    Spool(path).close()


# Dead letters


def test_a_dead_letter_is_kept_and_the_sink_goes_on(path: Path) -> None:
    with Spool(path) as spool:
        spool.serve(["a"])
        spool.append("paris", ["1", "2"])
        spool.note_failure("a", "no answer")
        assert status_of(path).sinks[0].error == "no answer"
        spool.bury("a", spool.pending("a", 1)[0], "too large")
        assert texts(spool.pending("a", 10)) == ["2"]
        (status,) = status_of(path).sinks
    assert (status.waiting, status.dead, status.error) == (1, 1, None)
    assert status.age >= 0


def test_the_status_of_no_spool(path: Path) -> None:
    with pytest.raises(SpoolError, match=r"spool\.db is not there: no forwarder has made it yet"):
        status_of(path)


def test_the_status_of_a_spool_that_is_being_made(path: Path) -> None:
    path.touch()
    for look in (status_of, redrive, purge):
        with pytest.raises(SpoolError, match=r"spool\.db is not ready: its forwarder has not"):
            look(path)


def test_the_status_of_the_database_of_another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE sinks (name TEXT)")
        database.commit()
    with pytest.raises(SpoolError, match="is the database of another program"):
        status_of(path)


# Any order of calls


class Calls(RuleBasedStateMachine):
    """The spool against lists: one of what each sink has not yet."""

    def __init__(self) -> None:
        super().__init__()
        self._directory = TemporaryDirectory()
        self._spool = Spool(Path(self._directory.name) / "spool.db")
        self._spool.serve(["a", "b"])
        self._waiting: dict[str, list[str]] = {"a": [], "b": []}
        self._count = 0

    @rule(count=st.integers(1, 5))
    def append(self, count: int) -> None:
        records = [str(self._count + n) for n in range(count)]
        self._count += count
        self._spool.append("paris", records)
        for waiting in self._waiting.values():
            waiting += records

    @precondition(lambda self: any(self._waiting.values()))
    @rule(sink=st.sampled_from("ab"), count=st.integers(1, 4), dead=st.booleans())
    def deliver(self, sink: str, count: int, dead: bool) -> None:
        batch = self._spool.pending(sink, count)
        assert texts(batch) == self._waiting[sink][:count]
        if batch and dead:
            self._spool.bury(sink, batch[0], "refused")
            del self._waiting[sink][0]
        elif batch:
            self._spool.advance(sink, batch[-1].number)
            del self._waiting[sink][:count]

    @invariant()
    def keeps_what_somebody_lacks(self) -> None:
        for sink, waiting in self._waiting.items():
            assert texts(self._spool.pending(sink, 1000)) == waiting

    def teardown(self) -> None:
        self._spool.close()
        self._directory.cleanup()


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
