"""Sinks that get parts of records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from forwarding import Picky, envelopes, file_sink, forwarding, send, spooled, usids, written
from subscribing import PATIENCE, wait_until

from confd_events.enums import Notif
from confd_events.forward import ConfigError, Record, read_config, sinks, status_of
from confd_events.forward._selection import Selection, parsed
from confd_events.testing import Daemon, User

MASK = int(Notif.AUDIT | Notif.COMMIT_SIMPLE | Notif.SNMPA)
DATA = {
    "read_at": "2026-11-30T08:12:03+00:00",
    "type": 8,
    "type_name": "commit-simple",
    "commit": {
        "database": 2,
        "database_name": "running",
        "uinfo": {"username": "ada", "addr": "10.0.0.1"},
        "vb": [{"oid": [1, 3], "val": 1}, {"oid": [1, 4], "val": 2}],
    },
}


def selected(fields: list[str] | None, omit: list[str]) -> dict[str, Any]:
    """What is left of the data."""
    paths = None if fields is None else tuple(tuple(each.split(".")) for each in fields)
    selection = Selection(paths, tuple(tuple(each.split(".")) for each in omit))
    record = Record(7, json.dumps({"id": "x", "data": DATA}))
    chosen = selection.of(record)
    assert chosen.number == 7
    assert chosen.envelope()["id"] == "x"
    data: dict[str, Any] = chosen.envelope()["data"]
    return data


ALWAYS = {"type": 8, "type_name": "commit-simple"}


@pytest.mark.parametrize(
    ("fields", "omit", "left"),
    [
        (["read_at"], [], {"read_at": DATA["read_at"]}),
        (["commit.uinfo.username"], [], {"commit": {"uinfo": {"username": "ada"}}}),
        (["commit.vb.val"], [], {"commit": {"vb": [{"val": 1}, {"val": 2}]}}),
        (["commit.uinfo"], ["commit.uinfo.addr"], {"commit": {"uinfo": {"username": "ada"}}}),
        (["commit", "commit.database"], ["commit.vb", "commit.uinfo", "commit.database"],
         {"commit": {}}),
        (["audit.user"], [], {}),
    ],
)  # fmt: skip
def test_what_is_left(fields: list[str], omit: list[str], left: dict[str, Any]) -> None:
    assert selected(fields, omit) == {**ALWAYS, **left}


def test_what_is_left_out() -> None:
    found = selected(None, ["read_at", "commit.uinfo", "commit.vb.oid", "commit.nothing.there"])
    commit = {"database": 2, "database_name": "running", "vb": [{"val": 1}, {"val": 2}]}
    assert found == {**ALWAYS, "commit": commit}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type", r"'type' is in each record"),
        ("audi.user", r"'audi\.user': no such record has 'audi'; perhaps 'audit'"),
        ("progress.msg", r"no such record has 'progress'"),
        ("audit.usr", r"'audit\.usr': audit has no 'usr'; perhaps 'us"),
        ("commit.uinfo.", r"is not a path"),
    ],
)
def test_a_path_that_leads_nowhere(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parsed(text, MASK)


@pytest.mark.parametrize("text", "audit audit.user commit.uinfo.addr changes snmpa.vb.val".split())
def test_paths(text: str) -> None:
    assert parsed(text, MASK) == tuple(text.split("."))


def test_a_sink_gets_its_parts_and_others_get_all(daemon: Daemon, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    parts = 'name = "two"\nfields = ["audit.usid", "audit.user"]\nomit = ["audit.user"]'
    path = written(tmp_path, daemon, sink=file_sink(one) + file_sink(two, parts))
    with forwarding(path):
        send(daemon, 1, 2)
        wait_until(lambda: len(envelopes(one)) == len(envelopes(two)) == 3)
    whole, chosen = envelopes(one), envelopes(two)
    assert chosen[0] == whole[0]  # what says that something may be missing
    assert usids(chosen) == usids(whole) == ["started", 1, 2]
    assert set(chosen[1]["data"]) == {"type", "type_name", "audit"}
    assert chosen[1]["data"]["audit"] == {"usid": 1}
    assert {**chosen[1], "data": 0} == {**whole[1], "data": 0}


def test_what_is_too_deep_to_be_cut_is_not_sent(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picky = Picky()
    monkeypatch.setitem(sinks.BUILT_IN, "picky", lambda table: picky)
    sink = '[[sinks]]\ntype = "picky"\nretry = 0.01\nattempts = 2\nomit = ["audit.msg"]\n'
    path = written(tmp_path, daemon, sink=sink)
    plain = '{"id": "%s", "data": {"type": 1, "type_name": "audit", "audit": {"usid": %s}}}'
    deep = plain % ("deep", "[" * 100_000 + "]" * 100_000)
    spooled(tmp_path, "picky", [plain % ("a", 1), deep, plain % ("b", 2)])
    with forwarding(path):
        wait_until(lambda: [each["id"] for each in picky.got][:2] == ["a", "b"])
        wait_until(lambda: status_of(tmp_path / "spool.db").records == 0)
    assert status_of(tmp_path / "spool.db").sinks[0].dead == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('fields = ["audi"]', r"^sinks\[0\]\.fields: 'audi': no such record has 'audi'; perhaps"),
        ('omit = ["type"]', r"^sinks\[0\]\.omit: 'type' is in each record"),
        ("omit = 3", r"^sinks\[0\]\.omit: expected a list of texts"),
    ],
)
def test_what_is_wrong_is_named(daemon: Daemon, tmp_path: Path, line: str, said: str) -> None:
    path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out", line))
    with pytest.raises(ConfigError, match=said):
        read_config(str(path))


def test_users_of_a_commit_are_cut(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out"
    path = written(tmp_path, daemon, sink=file_sink(out, 'omit = ["commit.uinfo.username"]'))
    path.write_text(path.read_text().replace('"audit", "audit-sync"', '"commit-simple"'))
    with forwarding(path):
        daemon.wait_for_subscribers(timeout=PATIENCE)
        daemon.commit(uinfo=User(username="ada", usid=7))
        wait_until(lambda: len(envelopes(out)) == 2)
    uinfo = envelopes(out)[1]["data"]["commit"]["uinfo"]
    assert uinfo["usid"] == 7
    assert "ada" not in out.read_text()
