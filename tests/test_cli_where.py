"""confd-events monitor: which notifications are printed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from cli import PATIENCE, Monitor, send_audit
from hypothesis import given
from hypothesis import strategies as st
from test_docs import ROOT

import confd_events as events
from confd_events._where import device, parsed, severity, user
from confd_events.cli import main
from confd_events.enums import CqItem, Notif, ProgressType, SyslogPriority, label
from confd_events.testing import Daemon, User

AUDIT = {"logno": 1, "user": "ada", "msg": "CLI 'commit' or so", "usid": 7}
LOG = {"prio": 4, "prio_name": "warning", "logno": 1, "msg": "late"}
COMMIT = {
    "database": 2,
    "database_name": "running",
    "flags": 0,
    "flags_name": "none",
    "uinfo": {"username": "ada", "usid": 7},
}
STEP = {
    "type": 2,
    "type_name": "stop",
    "timestamp": "2026-01-31T12:00:00.000000+00:00",
    "duration": 1500,
    "attributes": {"device": "ce0", "leafs": 12},
}
QUEUE = {
    "type": 4,
    "type_name": "completed",
    "completed_devices": ["ce0", "pe0"],
    "failed_services_failed_devices": [["ce7"], ["ce8", "ce9"]],
}
SNMP = {"vb": [{"name": "sysContact.0", "val": "noc"}, {"name": "sysName.0", "val": "r1"}]}
COMPACTION = {"fsize_start": 2_000_000, "duration": 1000}
STREAM = {"values": {"tag<1>": {"if-name": "eth0", "mtu": [1500, 9000]}}}

ALL: list[tuple[Notif, dict[str, Any]]] = [
    (Notif.AUDIT, AUDIT),
    (Notif.DAEMON, LOG),
    (Notif.COMMIT_SIMPLE, COMMIT),
    (Notif.PROGRESS, STEP),
    (Notif.CQ_PROGRESS, QUEUE),
    (Notif.SNMPA, SNMP),
    (Notif.COMPACTION, COMPACTION),
    (Notif.STREAM_EVENT, STREAM),
]
MASK = Notif(0)
for _bit, _ in ALL:
    MASK |= _bit


def chosen(expression: str) -> Notif:
    """The notifications that meet a condition."""
    bound = parsed(expression).bound(MASK)
    met = Notif(0)
    for bit, payload in ALL:
        if bound.holds(payload):
            met |= bit
    return met


@pytest.mark.parametrize(
    ("expression", "met"),
    [
        ("user=ada", Notif.AUDIT),
        ("user=a*", Notif.AUDIT),
        ("user=A*", 0),
        ("user!=ada", 0),
        ("user!=bob", Notif.AUDIT),
        ("user~^a.a$", Notif.AUDIT),
        ("user~d", Notif.AUDIT),
        ("user!~d", 0),
        ("msg=CLI*", Notif.AUDIT),
        ("msg=*commit' or so", Notif.AUDIT),
        ("msg=x or user=ada", Notif.AUDIT),
        ("msg=x or msg=late", Notif.DAEMON),
        ("msg=late or user=ada and usid=7", Notif.AUDIT | Notif.DAEMON),
        ("usid=7 and user=bob or msg=late", Notif.DAEMON),
        ("usid=7 and user = ada", Notif.AUDIT),
        ("prio=warning", Notif.DAEMON),
        ("prio=4", Notif.DAEMON),
        ("prio=[we]*", Notif.DAEMON),
        ("prio<=warning", Notif.DAEMON),
        ("prio<warning", 0),
        ("prio<=4", Notif.DAEMON),
        ("prio>=err", Notif.DAEMON),
        ("prio!=err", Notif.DAEMON),
        ("uinfo.username=ada", Notif.COMMIT_SIMPLE),
        ("database=run*", Notif.COMMIT_SIMPLE),
        ("flags=none", Notif.COMMIT_SIMPLE),
        ("duration>1ms", Notif.PROGRESS),
        ("duration>=1.5ms", Notif.PROGRESS),
        ("duration>1s", 0),
        ("duration<=1000", Notif.COMPACTION),
        ("timestamp>2026-01-31T11:59:59Z", Notif.PROGRESS),
        ("timestamp>now", 0),
        ("fsize_start>1M", Notif.COMPACTION),
        ("type=stop", Notif.PROGRESS),
        ("type=completed", Notif.CQ_PROGRESS),
        ("completed_devices=pe0", Notif.CQ_PROGRESS),
        ("completed_devices!=pe0", 0),
        ("failed_services_failed_devices=ce9", Notif.CQ_PROGRESS),
        ("attributes.leafs>11", Notif.PROGRESS),
        ("attributes.leafs=12", Notif.PROGRESS),
        ("vb.name=sysName*", Notif.SNMPA),
        ("values.tag<1>.mtu>=9000", Notif.STREAM_EVENT),
        ("values.tag<1>.if-name=eth0", Notif.STREAM_EVENT),
        ("values.tag<2>.if-name=eth0", 0),
        (f"logno={events.log_symbol(1)}", Notif.AUDIT | Notif.DAEMON),
        ("logno=1", Notif.AUDIT | Notif.DAEMON),
    ],
)
def test_conditions(expression: str, met: int) -> None:
    assert chosen(expression) == met


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("usr=ada", "nothing asked for has a key 'usr'; perhaps user"),
        ("user=ada or usr=bob", "nothing asked for has a key 'usr'"),
        ("uinfo.user=ada", "uinfo has not a key 'user'; perhaps username"),
        ("user.name=ada", "user has not a key 'name'"),
        ("prio=warn", "prio: 'warn' is none of emerg, alert, crit, err, warning"),
        ("prio!=warn", "prio: 'warn' is none of"),
        ("prio<=warn", "prio: 'warn' is none of"),
        ("type=gone", "type: 'gone' is none of"),
        ("user<bob", "< is for numbers and times; user is text"),
        ("usid>many", "'many' is not a number"),
        ("attributes.leafs>many", "'many' is not a number"),
        ("duration>long", "'long' is not a length of time"),
        ("timestamp>soon", "'soon' is not a time"),
        ("fsize_start>big", "'big' is not a size"),
    ],
)
def test_conditions_that_nothing_can_meet(expression: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parsed(expression).bound(MASK)


@pytest.mark.parametrize("expression", ["", "user", "=ada", "us er=ada", "user=ada or"])
def test_what_is_no_condition(expression: str) -> None:
    if expression == "user=ada or":
        assert parsed(expression).holds({"user": "ada or"})  # a pattern, as before
        return
    with pytest.raises(ValueError, match="is not KEY=PATTERN"):
        parsed(expression)


@given(st.sampled_from(list(SyslogPriority)), st.sampled_from(list(SyslogPriority)))
def test_a_severity_means_that_and_worse(asked: SyslogPriority, found: SyslogPriority) -> None:
    line = {"prio": int(found), "prio_name": label(found)}
    for written in (label(asked), str(int(asked)), label(asked).upper()):
        assert severity(written).bound(MASK).holds(line) == (found <= asked)


@pytest.mark.parametrize(("name", "meant"), [("warn", "warning"), ("error", "err")])
def test_severities_have_other_names_too(name: str, meant: str) -> None:
    assert severity(name) == severity(meant)


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        (user("ada"), Notif.AUDIT | Notif.COMMIT_SIMPLE),
        (user("bob,a*"), Notif.AUDIT | Notif.COMMIT_SIMPLE),
        (user("bob"), 0),
        (device("ce0"), Notif.PROGRESS | Notif.CQ_PROGRESS),
        (device("ce9"), Notif.CQ_PROGRESS),
        (device("x*, pe*"), Notif.CQ_PROGRESS),
    ],
)
def test_users_and_devices_of_any_kind(condition: Any, met: int) -> None:
    bound = condition.bound(MASK)
    assert [bit for bit, payload in ALL if bound.holds(payload)] == [b for b, _ in ALL if b & met]


def test_numbers_of_the_examples_are_those_of_the_enumerations() -> None:
    assert (ProgressType(2), CqItem(4)) == (ProgressType.STOP, CqItem.COMPLETED)


# On the command line


def test_options_choose_what_is_printed(monitor: Monitor) -> None:
    def play(daemon: Daemon) -> None:
        daemon.daemon_log(prio=6, msg="hidden")
        daemon.daemon_log(prio=4, msg="late")
        daemon.daemon_log(prio=1, msg="gone")
        daemon.commit(uinfo=User(username="bob"))
        send_audit(daemon)
        daemon.commit(uinfo=User(username="ada"))

    severe = monitor("all", "--severity", "warning", "--count", "2", play=play)
    assert [re.sub(r".*msg=", "", line) for line in severe.lines] == ["late", "gone"]
    hers = monitor("all", "--user", "ada", "--count", "2", play=play)
    assert [line.split()[0] for line in hers.lines] == ["audit", "commit-simple"]
    both = monitor("all", "--prio", "warn", "--where", "msg!=late", "--count", "1", play=play)
    assert "msg=gone" in both.lines[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["audit", "--severity", "err"], "nothing asked for has a key 'prio'"),
        (["daemon", "--user", "ada"], "nothing asked for has a key 'user'"),
        (["audit", "--device", "ce0"], "nothing asked for has a key 'device'"),
    ],
)
def test_an_option_for_what_is_not_asked_for(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["monitor", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_the_documented_conditions_mean_what_is_said() -> None:
    """In docs/cli.md, each row of the table has an example, what it shows and what it hides."""
    text = (ROOT / "docs" / "cli.md").read_text()
    rows = re.findall(r"^\| `(.+?)` \| .* \| `(.+?)` \| `(.+?)` \|$", text, re.MULTILINE)
    assert len(rows) > 5
    for expression, shown, hidden in rows:
        bound = parsed(expression.replace(r"\|", "|")).bound(MASK | Notif.USER_SESSION)
        for example, holds in ((shown, True), (hidden, False)):
            payload = _payload(example)
            assert bound.holds(payload) == holds, (expression, example)


def _payload(example: str) -> dict[str, Any]:
    """From KEY=VALUE, with the number of a severity beside its name."""
    key, _, value = example.partition("=")
    names = {label(member): int(member) for member in SyslogPriority}
    if value in names:
        return {key: names[value], f"{key}_name": value}
    found: Any = int(value) if value.isdecimal() else value
    for part in reversed(key.split(".")[1:]):
        found = {part: found}
    return {key.split(".")[0]: found}


def test_what_is_hidden_is_acknowledged(monitor: Monitor) -> None:
    def play(daemon: Daemon) -> None:
        daemon.audit(user="bob", usid=8).wait(PATIENCE)
        send_audit(daemon)

    outcome = monitor("audit", "--sync", "--user", "ada", "--count", "1", play=play)
    assert (outcome.code, len(outcome.lines)) == (0, 1)
