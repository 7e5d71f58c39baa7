"""Forwarding: from a daemon over the spool into sinks, and what happens when one of them fails."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from cli import end_of, line_of, ran, started
from conftest import PRODUCT
from forwarding import (
    Picky,
    await_usids,
    body,
    envelopes,
    file_sink,
    forwarding,
    once,
    send,
    spooled,
    usids,
    written,
)
from subscribing import PATIENCE, wait_until

from confd_events import load_schemas
from confd_events._lines import File, Rotation
from confd_events.cli import main
from confd_events.enums import Notif
from confd_events.forward import Record, Spool, SpoolError, redrive, sinks, status_of
from confd_events.forward._record import Envelopes
from confd_events.forward._worker import Worker
from confd_events.testing import Daemon, DataChange, Faults, User

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@pytest.fixture
def picky(monkeypatch: pytest.MonkeyPatch) -> Picky:
    """A sink that configurations call "picky"."""
    sink = Picky()
    monkeypatch.setitem(sinks.BUILT_IN, "picky", lambda table: sink)
    return sink


MANY = 200
PICKY = '[[sinks]]\ntype = "picky"\nretry = 0.05\nattempts = 3\n'


# Records


def test_events_become_records_and_are_acknowledged(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with forwarding(written(tmp_path, daemon, sink=file_sink(out))):
        send(daemon, 1, 2, 3)
        daemon.wait_for_acknowledgements(3, PATIENCE)
        await_usids(out, ["started", 1, 2, 3])
    records = envelopes(out)
    for number, record in enumerate(records, start=1):
        assert record["specversion"] == "1.0"
        assert re.fullmatch(rf"paris/[0-9a-f]{{16}}/1/{number}", record["id"])
        assert re.fullmatch(r"//(nso|confd)/paris", record["source"])
        assert RFC_3339.fullmatch(record["time"])
        assert record["datacontenttype"] == "application/json"
    assert records[1]["type"] == records[1]["source"][2:].split("/")[0] + ".audit"
    audit = records[1]["data"]
    assert (audit["type_name"], audit["audit"]["user"]) == ("audit", "ada")


@pytest.mark.since(8, 2)
def test_a_record_has_the_time_of_the_event_and_its_trace(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    path = written(tmp_path, daemon, sink=file_sink(out))
    path.write_text(path.read_text().replace('"audit", "audit-sync"', '"progress"'))
    trace = "0af76519-16cd-43dd-8448-eb211c80319c"
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.progress(timestamp=1_700_000_000_000_000, trace_id=trace, span_id="b7ad6b7169203331")
        wait_until(lambda: len(envelopes(out)) == 2)
    record = envelopes(out)[1]
    assert record["time"] == "2023-11-14T22:13:20.000000+00:00"
    assert record["traceparent"] == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_passwords_are_nowhere(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    path = written(tmp_path, daemon, sink=file_sink(out))
    path.write_text(path.read_text().replace('"audit", "audit-sync"', '"user-session"'))
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.user_session(uinfo=User(username="ada", clearpass="s3cret-word"))
        wait_until(lambda: len(envelopes(out)) == 2)
    assert envelopes(out)[1]["data"]["user_sess"]["uinfo"]["username"] == "ada"
    for file in tmp_path.iterdir():
        assert b"s3cret-word" not in file.read_bytes()


def test_records_of_commits_have_the_changes(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    changes = [
        DataChange("created", "/ex:server{www}"),
        DataChange("value-set", "/ex:server{www}/password", "hush", old="hush-hush"),
        DataChange("value-set", "/ex:server{www}/port", 80, old=8080),
        DataChange("deleted", "/ex:client"),
    ]
    path = written(tmp_path, daemon, sink=file_sink(out))
    text = path.read_text()
    asked = 'subscribe = ["commit-diff"]\nchanges = true\nchanges_old = true\n'
    asked += 'changes_below = "/ex:server"'
    path.write_text(re.sub(r"(?m)^subscribe = .*$", asked, text))
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.commit_diff(thandle=1, changes=changes)
        load_schemas(**daemon.address)  # once for a process: another test may have done so
        assert daemon.commit_diff(thandle=2, changes=changes).wait(PATIENCE)
        wait_until(lambda: len(envelopes(out)) >= 3)
    *_, record = [each for each in envelopes(out) if each["type"].endswith(".commit-diff")]
    assert record["data"]["changes"] == [
        {"operation": "created", "path": "/ex:server{www}"},
        {
            "operation": "value-set",
            "path": "/ex:server{www}/password",
            "old": "********",
            "new": "********",
        },
        {"operation": "value-set", "path": "/ex:server{www}/port", "old": 8080, "new": 80},
    ]


def test_records_say_which_changes_are_missing(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    path = written(tmp_path, daemon, sink=file_sink(out))
    text = path.read_text()
    asked = 'subscribe = ["commit-diff"]\nchanges = true\nchanges_limit = "300ms"'
    path.write_text(re.sub(r"(?m)^subscribe = .*$", asked, text))
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.set_faults(Faults(silent_after=9))
        changes = [DataChange("deleted", "/ex:client")]
        assert daemon.commit_diff(thandle=1, changes=changes).wait(PATIENCE)
        wait_until(lambda: len(envelopes(out)) >= 2)
    *_, record = [each for each in envelopes(out) if each["type"].endswith(".commit-diff")]
    assert record["data"]["changes"] == []
    assert "within 0.3 s" in record["data"]["changes_incomplete"]


def test_a_lost_connection_is_recorded(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with forwarding(written(tmp_path, daemon, sink=file_sink(out))):
        send(daemon, 1)
        daemon.wait_for_acknowledgements(1, PATIENCE)
        daemon.disconnect()
        send(daemon, 2)
        await_usids(out, ["started", 1, "disconnected", "connected", 2])
    assert [record["id"].split("/", 2)[2] for record in envelopes(out)] == [
        "1/1",
        "1/2",
        "1/3",
        "2/1",
        "2/2",
    ]


def test_a_daemon_that_comes_later_is_waited_for(tmp_path: Path) -> None:
    out, where = tmp_path / "out.jsonl", str(tmp_path / "daemon")
    late = Daemon(path=where, product=PRODUCT.lower())
    with late:
        path = written(tmp_path, late, sink=file_sink(out))
    with forwarding(path):
        await_usids(out, ["started"])
        with late:
            send(late, 1)
            await_usids(out, ["started", 1])


def test_the_next_run_says_since_when_events_may_be_missing(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    path = written(tmp_path, daemon, sink=file_sink(out))
    for number in (1, 2):
        with forwarding(path):
            send(daemon, number)
            wait_until(lambda: len(envelopes(out)) == 2 * number)  # noqa: B023
    records = envelopes(out)
    assert usids(records) == ["started", 1, "started", 2]
    first, second = (record["data"]["started"]["last"] for record in records[::2])
    assert first is None
    assert records[1]["data"]["read_at"] <= second <= records[2]["data"]["read_at"]
    assert len({record["id"] for record in records}) == 4


def test_several_nodes_share_a_forwarder(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with Daemon(product=PRODUCT.lower()) as other:
        path = written(tmp_path, daemon, sink=file_sink(out))
        second = f"{other.address['ip']}:{other.address['port']}"
        more = f'[[nodes]]\nname = "rome"\naddress = "{second}"\nsubscribe = ["audit"]\n'
        path.write_text(path.read_text() + more)
        with forwarding(path):
            send(daemon, 1)
            send(other, 2)
            wait_until(lambda: len(envelopes(out)) == 4)
    found = {(record["id"].split("/")[0], *usids([record])) for record in envelopes(out)}
    assert found == {("paris", "started"), ("rome", "started"), ("paris", 1), ("rome", 2)}


# Roles


def roles(records: list[dict[str, Any]]) -> list[Any]:
    return [record.get("harole") for record in records]


def test_records_have_the_role_that_the_node_has_reported(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    path = written(tmp_path, daemon, sink=file_sink(out))
    with forwarding(path):
        send(daemon, 1)
        daemon.ha_besecondary_result(result=0)
        send(daemon, 2)
        daemon.ha_noprimary(reason=26)
        send(daemon, 3)
        daemon.ha_is_primary()
        daemon.ha_secondary_arrived()
        send(daemon, 4)
        await_usids(out, ["started", 1, 2, 3, 4])
    assert roles(envelopes(out)) == [None, None, "secondary", "none", "primary"]
    # The next run knows it from the spool.
    with forwarding(path):
        send(daemon, 5)
        wait_until(lambda: len(envelopes(out)) == 7)
    assert roles(envelopes(out)[5:]) == ["primary", "primary"]


def test_what_tells_the_role_is_a_record_where_it_is_subscribed(
    daemon: Daemon, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    path = written(tmp_path, daemon, sink=file_sink(out))
    path.write_text(path.read_text().replace('"audit", "audit-sync"', '"ha-info", "ha-info-sync"'))
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        assert daemon.ha_initialized().wait(PATIENCE)
        assert daemon.ha_is_none().wait(PATIENCE)
        wait_until(lambda: len(envelopes(out)) == 3)
    assert roles(envelopes(out)) == [None, "secondary", "none"]


def test_a_role_that_the_configuration_gives_stays(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    path = written(tmp_path, daemon, node='role = "primary"', sink=file_sink(out))
    with forwarding(path):
        send(daemon, 1)
        assert not daemon.subscribers[0].mask & Notif.HA_INFO
        await_usids(out, ["started", 1])
    path.write_text(path.read_text().replace('"audit", ', '"ha-info", "audit", '))
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.ha_is_none()
        send(daemon, 2)
        wait_until(lambda: len(envelopes(out)) == 5)
    assert roles(envelopes(out)) == ["primary"] * 5


# Sinks


def test_a_sink_gets_what_it_asks_for_and_markers(
    daemon: Daemon, tmp_path: Path, picky: Picky
) -> None:
    out = tmp_path / "out.jsonl"
    sink = f'{file_sink(out)}\n{PICKY}where = ["usid>1"]\n'
    with forwarding(written(tmp_path, daemon, sink=sink)):
        send(daemon, 1, 2, 3, 1)
        wait_until(lambda: usids(envelopes(out)) == ["started", 1, 2, 3, 1])
        wait_until(lambda: status_of(tmp_path / "spool.db").records == 0)
    assert usids(picky.got) == ["started", 2, 3]


def test_a_sink_that_fails_is_tried_again_and_others_go_on(
    daemon: Daemon, tmp_path: Path, picky: Picky
) -> None:
    out = tmp_path / "out.jsonl"
    picky.failures = 10**9
    with forwarding(written(tmp_path, daemon, sink=file_sink(out) + PICKY)):
        send(daemon, 1, 2)
        await_usids(out, ["started", 1, 2])
        wait_until(lambda: picky.opened > 2)
        stuck = {each.name: each for each in status_of(tmp_path / "spool.db").sinks}["picky"]
        assert (stuck.waiting, stuck.error) == (3, "no route to the sink")
        picky.failures = 0
        wait_until(lambda: len(picky.got) == 3)
        wait_until(lambda: status_of(tmp_path / "spool.db").records == 0)
    assert usids(picky.got) == ["started", 1, 2]
    assert picky.opened == picky.closed
    assert all(each.error is None for each in status_of(tmp_path / "spool.db").sinks)


def test_what_a_sink_refuses_becomes_a_dead_letter(
    daemon: Daemon, tmp_path: Path, picky: Picky
) -> None:
    picky.refused = {2, 4}
    with forwarding(written(tmp_path, daemon, sink=PICKY)):
        send(daemon, 1, 2, 3, 4, 5)
        wait_until(lambda: usids(picky.got)[-1:] == [5])
        wait_until(lambda: status_of(tmp_path / "spool.db").records == 0)
    assert usids(once(picky.got)) == ["started", 1, 3, 5]
    assert status_of(tmp_path / "spool.db").sinks[0].dead == 2


def test_what_a_sink_has_does_not_come_again(daemon: Daemon, tmp_path: Path, picky: Picky) -> None:
    picky.full = {3}
    with forwarding(written(tmp_path, daemon, sink=PICKY)):
        send(daemon, 1, 2, 3, 4)
        wait_until(lambda: picky.closed > 3)
        (stuck,) = status_of(tmp_path / "spool.db").sinks
        assert (stuck.waiting, stuck.dead, stuck.error) == (2, 0, "full")
        picky.full = set()
        wait_until(lambda: status_of(tmp_path / "spool.db").records == 0)
    assert usids(picky.got) == ["started", 1, 2, 3, 4]


def test_what_is_left_is_delivered_by_the_next_run(
    daemon: Daemon, tmp_path: Path, picky: Picky
) -> None:
    picky.failures = 10**9
    path = written(tmp_path, daemon, sink=PICKY)
    path.write_text(f"drain = 0.2\n{path.read_text()}")
    with forwarding(path):
        send(daemon, 1, 2)
        daemon.wait_for_acknowledgements(2, PATIENCE)
    picky.failures = 0
    with forwarding(path):
        wait_until(lambda: len(picky.got) == 4)
    assert usids(picky.got) == ["started", 1, 2, "started"]


def test_the_end_waits_for_sinks_to_take_what_is_there(
    daemon: Daemon, tmp_path: Path, picky: Picky
) -> None:
    picky.failures = 3
    with forwarding(written(tmp_path, daemon, sink=PICKY)):
        send(daemon, *range(1, 50))
        daemon.wait_for_acknowledgements(49, PATIENCE)
    assert usids(picky.got) == ["started", *range(1, 50)]


def test_a_file_is_rotated_compressed_and_followed(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "log" / "out.jsonl"
    out.parent.mkdir()
    sink = file_sink(out, "rotate_size = 2000\ngzip = true\n")
    with forwarding(written(tmp_path, daemon, sink=sink)):
        send(daemon, *range(1, 21))
        wait_until(lambda: usids(envelopes(out))[-1:] == [20])
        out.rename(tmp_path / "moved")
        send(daemon, 21)
        await_usids(out, [21])
    aside = sorted(out.parent.glob("out.jsonl.*"))
    texts = [gzip.decompress(each.read_bytes()).decode() for each in aside]
    packed = [json.loads(line) for text in texts for line in text.splitlines()]
    assert len(aside) > 1
    assert {each.suffix for each in aside} == {".gz"}
    assert {each.stat().st_mode & 0o777 for each in aside} == {0o640}
    assert usids(packed) + usids(envelopes(tmp_path / "moved")) == ["started", *range(1, 21)]


# A spool that is full


def test_what_was_put_aside_last_is_kept_after_the_clock_was_set_back(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    for second in (58, 59):
        later = out.with_name(f"{out.name}.29991231T2359{second}.999999Z")
        later.write_text(f"{second}\n")
    file = File(str(out), Rotation(size=2, keep=2), sync=False)
    for line in ("1", "2", "3"):
        file.append(line)
    file.close()
    aside = sorted(path for path in tmp_path.iterdir() if path != out)
    assert [path.read_text() for path in aside] == ["1\n", "2\n"]
    assert out.read_text() == "3\n"


def test_a_name_that_is_no_time_does_not_hinder_rotation(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    other = out.with_name(f"{out.name}.99999999T999999.999999Z")
    other.write_text("other\n")
    file = File(str(out), Rotation(size=2), sync=False)
    for line in ("1", "2"):
        file.append(line)
    file.close()
    (aside,) = (path for path in tmp_path.iterdir() if path not in (out, other))
    assert (aside.read_text(), out.read_text()) == ("1\n", "2\n")


def filled(path: Path) -> int:
    """Nearly fills the spool of a configuration up to 1 MB; returns the number of its records."""
    count, file = 0, path.parent / "spool.db"
    with Spool(file) as spool:
        spool.serve(["picky"])
        while status_of(file).bytes < 970_000:
            data = {"type": 0, "type_name": "old", "old": {}}
            envelope = {"id": f"old-{count}", "data": data, "filler": "x" * 10_000}
            spool.append("paris", [json.dumps(envelope)])
            count += 1
    return count


def send_many(daemon: Daemon) -> None:
    """Sends more than there is room for."""
    daemon.wait_for_subscribers(timeout=PATIENCE)
    for number in range(1, MANY + 1):
        daemon.audit(user="ada", usid=number, msg="x" * 200)


def dropped_of(records: list[dict[str, Any]]) -> int:
    """How many records are dropped, as these say."""
    return sum(record["data"].get("dropped", {}).get("count", 0) for record in records)


def test_hold_lets_the_daemon_wait_until_there_is_room(
    daemon: Daemon, tmp_path: Path, picky: Picky, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path, daemon, spool='limit = "1M"', sink=PICKY + "batch = 20\n")
    old = filled(path)
    picky.failures = 10**9
    with forwarding(path):
        send_many(daemon)
        wait_until(lambda: "node paris waits" in caplog.text)
        assert len(daemon.acknowledgements) < MANY
        picky.failures = 0
        daemon.wait_for_acknowledgements(MANY, PATIENCE)
        wait_until(lambda: usids(picky.got)[-1:] == [MANY])
    assert usids(picky.got)[old:] == ["started", *range(1, MANY + 1)]


def test_an_end_while_it_holds_records_what_is_lost(
    daemon: Daemon, tmp_path: Path, picky: Picky, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path, daemon, spool='limit = "1M"', sink=PICKY)
    path.write_text(f"drain = 0.2\n{path.read_text()}")
    old = filled(path)
    picky.failures = 10**9
    with forwarding(path):
        send_many(daemon)
        wait_until(lambda: "node paris waits" in caplog.text)
    acknowledged = len(daemon.acknowledgements)
    picky.failures = 0
    with forwarding(path):
        wait_until(lambda: status_of(tmp_path / "spool.db").records == 0)
    got = picky.got[old:]
    audits = [usid for usid in usids(got) if isinstance(usid, int)]
    assert dropped_of(got) > 0
    assert len(audits) + dropped_of(got) >= acknowledged


def test_release_acknowledges_and_records_what_is_lost(
    daemon: Daemon, tmp_path: Path, picky: Picky
) -> None:
    limits = 'limit = "1M"\nwhen_full = "release"'
    path = written(tmp_path, daemon, spool=limits, sink=PICKY)
    old = filled(path)
    picky.failures = 10**9
    with forwarding(path):
        send_many(daemon)
        daemon.wait_for_acknowledgements(MANY, PATIENCE)
        picky.failures = 0
        wait_until(lambda: status_of(tmp_path / "spool.db").records == 0)
        daemon.audit(user="ada", usid=MANY + 1, msg="x")
        wait_until(lambda: usids(picky.got)[-1:] == [MANY + 1])
    got = picky.got[old:]
    lost = dropped_of(got)
    audits = [usid for usid in usids(got) if isinstance(usid, int)]
    assert audits == sorted(audits)
    assert lost > 0
    assert len(audits) + lost == MANY + 1


def test_drop_oldest_makes_room_and_records_it(
    daemon: Daemon, tmp_path: Path, picky: Picky
) -> None:
    limits = 'limit = "1M"\nwhen_full = "drop-oldest"'
    path = written(tmp_path, daemon, spool=limits, sink=PICKY)
    old = filled(path)
    picky.failures = 10**9
    with forwarding(path):
        send_many(daemon)
        daemon.wait_for_acknowledgements(MANY, PATIENCE)
        picky.failures = 0
        wait_until(lambda: usids(picky.got)[-1:] == [MANY])
    dropped = dropped_of(picky.got)
    kept = [each for each in picky.got if "dropped" not in each["data"]]
    assert dropped > 0
    assert dropped + len(kept) == old + 1 + MANY


# The command


def test_the_command_runs_until_it_is_told_to_end(daemon: Daemon, tmp_path: Path) -> None:
    path = written(tmp_path, daemon, sink='[[sinks]]\ntype = "stdout"\n')
    with started("forward", str(path)) as process:
        send(daemon, 1, 2)
        got = [json.loads(line_of(process)) for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        code, errors = end_of(process)
    assert usids(got) == ["started", 1, 2]
    assert (code, errors) == (0, "confd-events: node paris: subscribed\n")


def test_nobody_reads_standard_output_any_more(daemon: Daemon, tmp_path: Path) -> None:
    path = written(tmp_path, daemon, sink='[[sinks]]\ntype = "stdout"\n')
    with started("forward", str(path)) as process:
        line_of(process)
        assert process.stdout is not None
        process.stdout.close()
        send(daemon, 1)
        assert process.wait(PATIENCE) == 1
        assert process.stderr is not None
        assert "nobody reads standard output any more" in process.stderr.read()


def test_a_second_forwarder_is_refused(daemon: Daemon, tmp_path: Path) -> None:
    path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        done = ran("forward", str(path))
    assert done.returncode == 1
    assert f"in use by another forwarder, process {os.getpid()}" in done.stderr


def test_check_and_status(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str], picky: Picky
) -> None:
    path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out") + PICKY)
    assert main(["forward", "--check", str(path)]) == 0
    assert capsys.readouterr().out == f"{path} is right; nodes: 1, sinks: 2\n"
    assert not (tmp_path / "spool.db").exists()
    assert main(["forward", "status", str(path)]) == 1
    assert "no forwarder has made it yet" in capsys.readouterr().err
    picky.failures = 10**9
    with forwarding(path):
        send(daemon, 1)
        wait_until(lambda: len(envelopes(tmp_path / "out")) == 2)
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[1].error)
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].position == 2)
        assert main(["forward", "status", str(path), "--over", "1ms"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"spool: 2 records, [\d.]+kB", out[0])
    assert out[1] == "file: at record 2"
    assert re.fullmatch(
        r"picky: at record 0; 2 waiting, the oldest for .*s; failing: no route to the sink", out[2]
    )


def test_status_says_how_fast(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str], picky: Picky
) -> None:
    path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out") + PICKY)
    picky.failures = 10**9
    with forwarding(path):
        send(daemon, 1)
        wait_until(lambda: len(envelopes(tmp_path / "out")) == 2)
        sender = threading.Timer(0.2, send, (daemon, *range(2, 22)))
        sender.start()
        assert main(["forward", "status", str(path), "--over", "2s"]) == 0
        sender.join()
    total, of_file, of_picky = capsys.readouterr().out.splitlines()
    stored = re.search(r", ([\d.]+)/s stored$", total)
    passed = re.search(r"^file: at record 22, ([\d.]+)/s passed$", of_file)
    assert stored is not None
    assert passed is not None
    assert 0 < float(stored[1]) <= 10
    assert 0 < float(passed[1]) <= 11
    assert "/s" not in of_picky


def test_the_spool_is_shown_while_a_forwarder_has_it(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str], picky: Picky
) -> None:
    path = written(tmp_path, daemon, sink=PICKY)
    picky.failures = 10**9
    with forwarding(path):
        send(daemon, *range(1, 21))
        daemon.wait_for_acknowledgements(20, PATIENCE)
        for arguments, expected in (
            (["tail"], [*range(11, 21)]),
            (["tail", "--count", "3"], [18, 19, 20]),
            (["export"], ["started", *range(1, 21)]),
        ):
            assert main(["spool", *arguments, str(path)]) == 0
            assert usids(printed(capsys)) == expected
        picky.failures = 0


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_dead_letters_are_shown_tried_again_and_removed(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str], picky: Picky
) -> None:
    path = written(tmp_path, daemon, sink=PICKY)
    picky.refused = {1, 3, 4}
    with forwarding(path):
        send(daemon, 1, 2, 3, 4)
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].dead == 3)
        assert main(["spool", "tail", "--dead", "--count", "2", str(path)]) == 0
        letters = printed(capsys)
        assert usids([letter["record"] for letter in letters]) == [3, 4]
        assert {(letter["sink"], letter["error"]) for letter in letters} == {("picky", "too large")}
        picky.refused = {3}
        assert main(["spool", "redrive", str(path)]) == 0
        assert capsys.readouterr().out == "dead letters to be tried again: 3\n"
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].dead == 1)
        send(daemon, 5)
        wait_until(lambda: usids(picky.got)[-1:] == [5])
    assert usids(once(picky.got)) == ["started", 2, 1, 4, 5]
    for expected in (1, 0):
        assert main(["spool", "purge", "--sink", "picky", str(path)]) == 0
        assert capsys.readouterr().out == f"dead letters removed: {expected}\n"
    assert main(["spool", "export", "--dead", str(path)]) == 0
    assert capsys.readouterr().out == ""


def test_a_dead_letter_is_tried_again_when_its_sink_is_there(
    daemon: Daemon, tmp_path: Path, picky: Picky
) -> None:
    path = written(tmp_path, daemon, sink=PICKY)
    picky.refused = {1}
    with forwarding(path):
        send(daemon, 1)
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].dead == 1)
        picky.refused, picky.failures = set(), 3
        assert redrive(tmp_path / "spool.db", "another") == 0
        assert redrive(tmp_path / "spool.db", "picky") == 1
        wait_until(lambda: status_of(tmp_path / "spool.db").sinks[0].dead == 0)
    assert (usids(picky.got)[-1], picky.failures) == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["redrive", "--dead"], "redrive is for dead letters alone; leave --dead out"),
        (["tail", "--sink", "file"], "--sink is for dead letters; give --dead, too"),
        (["purge", "--sink", "fil"], "--sink: 'fil' is none of file"),
        (["export", "--count", "3"], "--count is for tail"),
        (["export"], "spool.db is not there: no forwarder has made it yet"),
    ],
)
def test_wrong_usage_of_the_spool(
    arguments: list[str],
    said: str,
    daemon: Daemon,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))
    assert main(["spool", *arguments, str(path)]) in (1, 2)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["forward", "nowhere.toml"], "nowhere.toml: No such file or directory"),
        (["forward", "--check", "status", "nowhere.toml"], "--check is without status"),
        (["forward", "--over", "1s", "nowhere.toml"], "--over is for status"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"confd-events: {said}\n"


def test_systemd_is_told(daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with forwarding(written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))):
            daemon.wait_for_subscribers(timeout=PATIENCE)
            first = systemd.recv(1000).decode().splitlines()
            second = systemd.recv(1000).decode().splitlines()
        assert first[:2] == ["READY=1", "WATCHDOG=1"]
        assert second == ["WATCHDOG=1", "STATUS=1 of 1 nodes are subscribed"]
        last = second
        while last != ["STOPPING=1"]:
            last = systemd.recv(1000).decode().splitlines()


def test_a_damaged_spool_ends_the_command(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "spool.db").write_text("no database" * 1000)
    path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))
    assert main(["forward", str(path)]) == 1
    assert "spool.db is damaged" in capsys.readouterr().err
    with pytest.raises(SpoolError), forwarding(path):
        pass


def test_an_envelope_is_json_whatever_is_in_it() -> None:
    envelopes = Envelopes('pärís"\\', "boot", 'a"b')
    envelopes.role = "primary"
    record = Record(1, envelopes.own("started", last='"data": {'))
    envelope = record.envelope()
    assert envelope["source"].endswith('/pärís"\\')
    assert envelope["id"] == 'pärís"\\/a"b/boot/1/1'
    assert (envelope["subject"], envelope["harole"]) == ('a"b', "primary")
    assert envelope["data"]["started"] == {"last": '"data": {'}
    assert record.attributes() == {key: envelope[key] for key in envelope if key != "data"}
    assert record.json.isascii()


def test_a_sink_without_conditions_gets_what_nobody_subscribes_to_any_more(
    daemon: Daemon, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    commit = body(1).replace('"type": 1', f'"type": {int(Notif.COMMIT_SIMPLE)}')
    spooled(tmp_path, "file", [commit, body(2)])
    with forwarding(written(tmp_path, daemon, sink=file_sink(out))):
        await_usids(out, [1, 2, "started"])


def test_a_worker_leaves_the_names_of_a_thread_to_its_kinds() -> None:
    names = [name for name in vars(threading.Thread()) if name not in vars(Worker("any"))]
    own = type("Own", (Worker,), {name: lambda self: "own" for name in names})("any")
    assert {getattr(own, name)() for name in names} == {"own"}
