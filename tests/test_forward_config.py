"""The forwarder's configuration: errors say which key, and what to do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from forwarding import Picky

from confd_events.enums import Notif
from confd_events.forward import Config, ConfigError, read_config, sinks

RIGHT = """
drain = "2s"

[spool]
path = "spool.db"
limit = "1G"
when_full = "release"

[[nodes]]
name = "paris"
address = "localhost:4569"
subscribe = ["audit", "audit-sync", "progress"]
heartbeat = 10
verbosity = "debug"
role = "primary"
streams = ["alarms"]

[[nodes]]
name = "rome"
subscribe = ["commit-simple"]

[[sinks]]
type = "stdout"
batch = 10
attempts = 2
retry = "1m"
only = ["audit"]
where = ["user=a* and usid>3"]

[[sinks]]
name = "archive"
type = "file"
path = "/var/log/nso.jsonl"
rotate_size = "100M"
rotate_every = "1d"
keep = 30
gzip = true
fsync = false
"""

Read = Callable[[str], Config]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(text: str) -> Config:
        path = tmp_path / "forward.toml"
        path.write_text(text)
        return read_config(str(path))

    return read


def test_every_key(read: Read, tmp_path: Path) -> None:
    config = read(RIGHT)
    assert config[:4] == (tmp_path / "spool.db", 10**9, "release", 2.0)
    paris, rome = config.nodes
    mask = Notif.AUDIT | Notif.AUDIT_SYNC | Notif.PROGRESS
    assert paris[:7] == ("paris", "localhost:4569", mask, 10.0, "debug", None, "primary")
    assert rome[:7] == ("rome", None, Notif.COMMIT_SIMPLE, None, None, None, None)
    assert (paris.streams, rome.streams) == (("alarms",), ())
    stdout, archive = config.sinks
    assert (stdout.name, stdout.batch, stdout.attempts) == ("stdout", 10, 2)
    assert stdout.retry.longest == 60
    assert stdout.mask == Notif.AUDIT
    assert [each.holds({"user": "ada", "usid": 4}) for each in stdout.where] == [True]
    assert (archive.name, archive.batch, archive.attempts) == ("archive", 500, 5)
    assert archive.mask is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('limit = "1G"', 'limit = "1X"', r"spool\.limit: '1X' is not a size"),
        ('limit = "1G"', "limit = true", r"spool\.limit: expected a size.*not True"),
        ('limit = "1G"\n', "", r"spool\.when_full: is for a limit"),
        ('"release"', '"drop"', r"spool\.when_full: 'drop' is none of hold, release, drop-oldest"),
        ('path = "spool.db"', "", r"^spool\.path: is missing"),
        ('path = "spool.db"', 'path = ""', r"spool\.path: is empty"),
        ("limit", "limits", r"^spool\..*perhaps limit|spool\.when_full: is for a limit"),
        ('drain = "2s"', "drain = -1", r"^drain: '-1' is not a length of time"),
        ('drain = "2s"', "drian = 1", r"^drian: there is no such key; perhaps drain"),
        ('"paris"', '"new york"', r"^nodes\[0\]\.name: 'new york' has a blank"),
        ('"rome"', '"paris"', r"^nodes\[1\]\.name: 'paris' is taken"),
        ('"localhost:4569"', '"localhost:x"', r"^nodes\[0\]\.address: "),
        ('"localhost:4569"', "4569", r"^nodes\[0\]\.address: expected text, not 4569"),
        (
            '["commit-simple"]',
            '["comit"]',
            r"^nodes\[1\]\.subscribe: no notification is",
        ),
        ('["commit-simple"]', "[]", r"^nodes\[1\]\.subscribe: name what"),
        ('["commit-simple"]', "[1]", r"^nodes\[1\]\.subscribe: expected a list of texts"),
        ('["commit-simple"]', '["audit-sync"]', r"^nodes\[1\]\.subscribe: audit-sync does nothing"),
        ('["commit-simple"]', '["health-check"]', r"^nodes\[1\]\.subscribe: health-check can't"),
        ("heartbeat = 10", 'heartbeat = "soon"', r"^nodes\[0\]\.heartbeat: 'soon' is not a length"),
        ('"debug"', '"loud"', r"^nodes\[0\]\.verbosity: 'loud' is none of"),
        ('"debug"', '"debug"\nchanges = true', r"^nodes\[0\]\.changes: is for commit-diff"),
        (
            'role = "primary"',
            'role = "master"',
            r"^nodes\[0\]\.role: 'master' is none of pri",
        ),
        ('"debug"', '"debug"\nchanges_old = true', r"^nodes\[0\]\.changes_old: is for changes"),
        ('"debug"', '"debug"\nchanges_below = "/a"', r"^nodes\[0\]\.changes_below: is for changes"),
        (
            'type = "stdout"',
            'type = "pulsar"',
            r"^sinks\[0\]\.type: 'pulsar' is none of file, .*, stdout",
        ),
        ("batch = 10", "batch = 0", r"^sinks\[0\]\.batch: 0 is not a whole number from 1"),
        ("batch = 10", "batch = 1.5", r"^sinks\[0\]\.batch: expected a whole number, not 1\.5"),
        ("batch = 10", "bach = 10", r"^sinks\[0\]\.bach: there is no such key; perhaps batch"),
        ('only = ["audit"]', 'only = ["webui"]', r"^sinks\[0\]\.only: no node subscribes"),
        ("user=a*", "usr=a*", r"^sinks\[0\]\.where: nothing asked for has a key 'usr'; perhaps"),
        ("user=a*", "user", r"^sinks\[0\]\.where: .*is not KEY=PATTERN"),
        ('name = "archive"', 'name = "stdout"', r"^sinks\[1\]\.name: 'stdout' is taken"),
        ("gzip = true", "gzip = 1", r"^sinks\[1\]\.gzip: expected true or false, not 1"),
        ('path = "/var/log/nso.jsonl"', "", r"^sinks\[1\]\.path: is missing"),
        (
            'rotate_size = "100M"\nrotate_every = "1d"\n',
            "",
            r"^sinks\[1\]\.keep: is for rotate_size or rotate_every",
        ),
        ("[[sinks]]", "[[sink]]", r"^sinks: there is none; head a table with \[\[sinks\]\]"),
        ("[spool]", "[spool", r"forward\.toml is not TOML: "),
    ],
)
def test_what_is_wrong_is_named(read: Read, old: str, new: str, said: str) -> None:
    assert old in RIGHT
    with pytest.raises(ConfigError, match=said):
        read(RIGHT.replace(old, new))


def test_a_sink_of_another_package(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "picky-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: picky\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[confd_events.sinks]\npicky = picky_sink:make\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    made = SimpleNamespace(make=lambda table: (table.text("colour"), Picky())[1])
    monkeypatch.setitem(sys.modules, "picky_sink", made)
    text = RIGHT.partition("[[sinks]]")[0] + '[[sinks]]\ntype = "picky"\ncolour = "red"\n'
    assert isinstance(read(text).sinks[0].sink, Picky)
    with pytest.raises(ConfigError, match=r"^sinks\[0\]\.colour: is missing"):
        read(text.replace('colour = "red"', ""))
    with pytest.raises(ValueError, match=r"'pick' is none of file, .*, picky"):
        sinks.named("pick")
