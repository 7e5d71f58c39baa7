"""Metrics of the forwarder: what it shows, in which form, and the files that are built on it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from urllib.request import urlopen

import pytest
from conftest import LEVEL, PRODUCT
from forwarding import Picky, envelopes, file_sink, forwarding, send, written
from servers import free_port
from subscribing import PATIENCE, wait_until

from confd_events import log_symbol
from confd_events.enums import CqItem, DataProvider, ProgressType, UserSess
from confd_events.forward import ConfigError, Forwarder, Spool, read_config, sinks
from confd_events.forward._measures import _FAILED_LOGIN, Few, QueueItems, context_of, failed_login
from confd_events.forward._metrics import Metrics
from confd_events.testing import Daemon, User

DEPLOY = Path(__file__).parents[1] / "deploy"
RULES = DEPLOY / "prometheus" / "confd-events.rules.yml"
DASHBOARD = DEPLOY / "grafana" / "confd-events.json"
SUBSCRIBED = "audit commit-simple user-session ha-info commit-failed".split()
if LEVEL >= (8, 2):
    SUBSCRIBED.append("progress")
if PRODUCT == "NCS":
    SUBSCRIBED.append("cq-progress")
FAILED_LOGIN = next(number for number in count(1) if failed_login(number))


def promtool(*arguments: str, text: str = "") -> str:
    """What Prometheus' own checker says; it has to find all right."""
    tool = shutil.which("promtool")
    assert tool, "promtool is missing: run ci/servers, or install Debian's package prometheus"
    done = subprocess.run(
        [tool, *arguments], input=text, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@contextmanager
def shown(path: Path, more: str = "") -> Iterator[str]:
    """A forwarder that shows metrics; gives the address of them."""
    port = free_port()
    text = f'{path.read_text()}\n[metrics]\naddress = "127.0.0.1:{port}"\n{more}\n'
    names = ", ".join(f'"{name}"' for name in SUBSCRIBED)
    path.write_text(text.replace('"audit", "audit-sync"', names))
    with forwarding(path):
        yield f"http://127.0.0.1:{port}/metrics"


def scraped(url: str) -> dict[str, float]:
    """The metrics at an address, by name and labels."""
    with urlopen(url, timeout=PATIENCE) as answer:
        return parsed(answer.read().decode())


def parsed(text: str) -> dict[str, float]:
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def await_metric(url: str, name: str, value: float) -> None:
    wait_until(lambda: scraped(url).get(f"confd_events_{name}") == value)


def test_the_forwarder_says_how_it_is(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out"
    path = written(tmp_path, daemon, spool='limit = "100M"', sink=file_sink(out))
    with shown(path) as url:
        send(daemon, 1, 2)
        await_metric(url, 'sink_delivered_records_total{sink="file"}', 3)
        await_metric(url, 'notifications_total{node="paris",type="audit"}', 2)
        await_metric(url, 'sink_waiting_records{sink="file"}', 0)
        found = scraped(url)
        assert found['confd_events_node_connected{node="paris"}'] == 1
        assert found['confd_events_node_gaps_total{cause="started",node="paris"}'] == 1
        assert found['confd_events_node_gaps_total{cause="disconnected",node="paris"}'] == 0
        assert found["confd_events_spool_records"] == 0
        assert found["confd_events_spool_limit_bytes"] == 100_000_000
        assert 0 < found["confd_events_spool_bytes"] < 1_000_000
        read = envelopes(out)[-1]["data"]["read_at"]
        last = found['confd_events_node_last_read_timestamp_seconds{node="paris"}']
        assert abs(last - _seconds(read)) < 0.001
        daemon.disconnect()
        await_metric(url, 'node_reconnects_total{node="paris"}', 1)
        await_metric(url, 'node_gaps_total{cause="disconnected",node="paris"}', 1)
        await_metric(url, 'node_connected{node="paris"}', 1)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_a_sink_that_fails_is_shown(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picky = Picky()
    monkeypatch.setitem(sinks.BUILT_IN, "picky", lambda table: picky)
    picky.failures = 10**9
    sink = '[[sinks]]\ntype = "picky"\nretry = 0.05\nattempts = 2\n'
    with shown(written(tmp_path, daemon, sink=sink)) as url:
        send(daemon, 1, 2)
        await_metric(url, 'sink_waiting_records{sink="picky"}', 3)
        await_metric(url, 'sink_failing{sink="picky"}', 1)
        found = scraped(url)
        assert found["confd_events_spool_records"] == 3
        assert found['confd_events_sink_retries_total{sink="picky"}'] >= 1
        assert found['confd_events_sink_oldest_age_seconds{sink="picky"}'] > 0
        picky.failures, picky.refused = 0, {2}
        await_metric(url, 'sink_dead_letters{sink="picky"}', 1)
        await_metric(url, 'sink_refused_records_total{sink="picky"}', 1)
        await_metric(url, 'sink_failing{sink="picky"}', 0)
        await_metric(url, 'sink_delivered_records_total{sink="picky"}', 2)


def test_events_are_counted(daemon: Daemon, tmp_path: Path) -> None:
    with shown(written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))) as url:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        for context in ("cli", "cli", "mine"):
            daemon.commit(uinfo=User(context=context))
        daemon.audit(user="ada", logno=FAILED_LOGIN, msg="x")
        daemon.user_session(uinfo=User(usid=1, context="netconf"))
        daemon.user_session(uinfo=User(usid=2, context="netconf"))
        daemon.user_session(uinfo=User(usid=1), type=UserSess.STOP)
        daemon.commit_failed(provider=DataProvider.CDB)
        daemon.ha_is_primary()
        daemon.audit(user="ada", usid=99, msg="last")
        await_metric(url, 'notifications_total{node="paris",type="audit"}', 2)
        found = scraped(url)
        node = 'node="paris"'
        commits = "confd_events_commits_total"
        assert found[f'{commits}{{context="cli",datastore="running",{node}}}'] == 2
        assert found[f'{commits}{{context="other",datastore="running",{node}}}'] == 1
        message = log_symbol(FAILED_LOGIN)
        assert found[f'confd_events_failed_logins_total{{message="{message}",{node}}}'] == 1
        assert found[f'confd_events_user_sessions_total{{context="netconf",{node}}}'] == 2
        assert found[f"confd_events_user_sessions_open{{{node}}}"] == 1
        assert found[f'confd_events_commit_failures_total{{{node},provider="cdb"}}'] == 1
        assert found[f'confd_events_ha_role{{{node},role="primary"}}'] == 1
        assert found[f'confd_events_ha_role{{{node},role="unknown"}}'] == 0
        # What happens while nobody listens is not known.
        daemon.disconnect()
        await_metric(url, f"user_sessions_open{{{node}}}", 0)


@pytest.mark.since(8, 2)
def test_steps_are_measured_and_devices_are_few(daemon: Daemon, tmp_path: Path) -> None:
    def stop(msg: str, seconds: float, device: str = "") -> None:
        daemon.progress(
            type=ProgressType.STOP,
            msg=msg,
            duration=int(seconds * 1e6),
            attributes={"device": device} if device else {},
        )

    path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))
    with shown(path, "devices = 2") as url:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        stop("applying transaction", 2)
        stop("taking transaction lock", 0.25)
        stop("holding transaction lock", 1.5)
        for device in ("ce0", "ce1", "ce2", "ce3", "ce0"):
            stop("connect", 0.5, device)
        stop("my own step", 0.5, "ce1")
        daemon.progress(type=ProgressType.INFO, msg="connect", attributes={"device": "ce9"})
        await_metric(url, 'notifications_total{node="paris",type="progress"}', 10)
        found = scraped(url)
        for name, seconds in (
            ("transaction", 2),
            ("transaction_lock_wait", 0.25),
            ("transaction_lock_hold", 1.5),
        ):
            assert found[f'confd_events_{name}_seconds_sum{{node="paris"}}'] == seconds
            assert found[f'confd_events_{name}_seconds_count{{node="paris"}}'] == 1
        counts = {
            name.partition("{")[2]: value
            for name, value in found.items()
            if name.startswith("confd_events_device_seconds_count")
        }
        assert counts == {
            'device="ce0",node="paris",step="connect"}': 2,
            'device="ce1",node="paris",step="connect"}': 1,
            'device="ce1",node="paris",step="other"}': 1,
            'device="other",node="paris",step="connect"}': 2,
        }


@pytest.mark.nso
def test_the_commit_queue_is_followed(daemon: Daemon, tmp_path: Path) -> None:
    with shown(written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))) as url:
        daemon.wait_for_subscribers(timeout=PATIENCE)
        for item in (1, 2, 3):
            daemon.cq_progress(type=CqItem.WAITING, cq_id=item)
        daemon.cq_progress(type=CqItem.EXECUTING, cq_id=1)
        daemon.cq_progress(type=CqItem.COMPLETED, cq_id=2)
        daemon.cq_progress(
            type=CqItem.FAILED, cq_id=3, failed_devices=["ce0"], failed_reasons=["no route"]
        )
        await_metric(url, 'notifications_total{node="paris",type="cq-progress"}', 6)
        found = scraped(url)
        items, events = "confd_events_commit_queue_items", "confd_events_commit_queue_events_total"
        for state, there, told in (("waiting", 0, 3), ("executing", 1, 1), ("locked", 0, None)):
            assert found[f'{items}{{node="paris",state="{state}"}}'] == there
            assert found.get(f'{events}{{node="paris",state="{state}"}}') == told
        assert found[f'{events}{{node="paris",state="failed"}}'] == 1
        failed = 'confd_events_commit_queue_failed_devices_total{device="ce0",node="paris"}'
        assert found[failed] == 1


def test_the_file_is_there_while_the_forwarder_runs(daemon: Daemon, tmp_path: Path) -> None:
    path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))
    path.write_text(f'{path.read_text()}\n[metrics]\nfile = "events.prom"\nevery = "50ms"\n')
    file = tmp_path / "events.prom"
    name = 'confd_events_notifications_total{node="paris",type="audit"}'
    with forwarding(path):
        send(daemon, 1)
        wait_until(lambda: file.exists() and parsed(file.read_text()).get(name) == 1)
    assert not file.exists()


def test_a_file_that_can_not_be_written_is_told_once(
    daemon: Daemon, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))
    path.write_text(f'{path.read_text()}\n[metrics]\nfile = "no/events.prom"\nevery = "1ms"\n')
    with forwarding(path):
        send(daemon, 1)
        daemon.wait_for_acknowledgements(1, PATIENCE)
        wait_until(lambda: "events.prom can't be written" in caplog.text)
        send(daemon, 2)
        daemon.wait_for_acknowledgements(2, PATIENCE)
    assert caplog.text.count("events.prom can't be written") == 1


def test_an_address_that_is_taken(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = written(tmp_path / "other", daemon, sink=file_sink(tmp_path / "out"))
    with shown(written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))) as url:
        daemon.wait_for_subscribers(timeout=PATIENCE)  # it listens since before
        where = url.partition("//")[2].partition("/")[0]
        other.write_text(f'{other.read_text()}\n[metrics]\naddress = "{where}"\n')
        forwarder = Forwarder(read_config(str(other)))
        with pytest.raises(ConfigError, match=rf"^metrics\.address: {where}: Address already"):
            forwarder.run()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", r"metrics\.address: is missing; give address, file or both"),
        ('address = "9464"', r"metrics\.address: '9464' is not host:port"),
        ('address = "::1:9464"', r"metrics\.address: '::1:9464' is not host:port"),
        ('address = ":99999"', r"metrics\.address: ':99999' is not host:port"),
        ('address = ":1"\nevery = 3', r"metrics\.every: is for a file"),
        ('address = ":1"\ndevices = 0', r"metrics\.devices: 0 is not a whole number from 1"),
        ('adress = ":1"\nfile = "x"', r"metrics\.adress: there is no such key; perhaps address"),
    ],
)
def test_what_is_wrong_is_named(daemon: Daemon, tmp_path: Path, more: str, said: str) -> None:
    path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))
    path.write_text(f"{path.read_text()}\n[metrics]\n{more}\n")
    with pytest.raises(ConfigError, match=said):
        read_config(str(path))


@pytest.mark.parametrize("address", ["[::1]:9464", "localhost:9464", ":9464"])
def test_addresses(daemon: Daemon, tmp_path: Path, address: str) -> None:
    path = written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))
    path.write_text(f'{path.read_text()}\n[metrics]\naddress = "{address}"\n')
    metrics = read_config(str(path)).metrics
    assert metrics is not None
    assert metrics.address == (address.rpartition(":")[0].strip("[]"), 9464)


def test_labels_are_few() -> None:
    few = Few(2)
    assert [few.of(name) for name in "abcab"] == ["a", "b", "other", "a", "b"]
    assert (context_of("cli"), context_of("ada's"), context_of(None)) == ("cli", "other", "other")
    items = QueueItems()
    for number in range(20_000):
        items.note({"cq_id": number, "type": CqItem.WAITING})
    assert dict(items.counts()) == {"waiting": 10_000, "executing": 0, "locked": 0}
    assert items.note({"cq_id": 1, "type": 99}) == "other"


@pytest.mark.parametrize(
    ("symbol", "failed"),
    [
        ("AUTH_LOGIN_FAIL", True),
        ("EXT_AUTH_TOKEN_FAIL", True),
        ("LOCAL_AUTH_FAIL_NOUSER", True),
        ("LOGIN_REJECTED", True),
        ("REST_AUTH_FAIL", True),
        ("AUTH_LOGIN_SUCCESS", False),
        ("EXT_AUTH_SUCCESS", False),
        ("AUTH_LOGOUT", False),
    ],
)
def test_which_messages_tell_of_failed_logins(symbol: str, failed: bool) -> None:
    assert bool(_FAILED_LOGIN.search(symbol)) == failed


# What is built on the metrics


def names_of(daemon: Daemon, tmp_path: Path) -> set[str]:
    """The names that there are, as a query has them."""
    config = read_config(str(written(tmp_path, daemon, sink=file_sink(tmp_path / "out"))))
    Spool(config.spool).close()
    names = set()
    for family in Metrics(config, devices=1).registry.collect():
        names.add(family.name + "_total" if family.type == "counter" else family.name)
        if family.type == "histogram":
            names |= {f"{family.name}_{end}" for end in ("bucket", "sum", "count")}
    return names


@pytest.mark.parametrize("path", [RULES, DASHBOARD], ids=lambda path: path.name)
def test_every_metric_named_exists(daemon: Daemon, tmp_path: Path, path: Path) -> None:
    used = set(re.findall(r"\bconfd_events_\w+", path.read_text()))
    assert len(used) > 10
    assert used <= names_of(daemon, tmp_path)


def test_every_metric_is_in_the_documentation(daemon: Daemon, tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text()
    documented = set(re.findall(r"`confd_events_(\w+)`", text))
    bare = {name.partition("confd_events_")[2] for name in names_of(daemon, tmp_path)}
    assert documented == {name for name in bare if not re.search(r"_(bucket|sum|count)$", name)}


def test_promtool_finds_the_alerts_right() -> None:
    assert "SUCCESS: 15 rules found" in promtool("check", "rules", str(RULES))


def test_the_alerts_are_raised_by_what_they_are_about(tmp_path: Path) -> None:
    text = Path(__file__).with_name("data").joinpath("alerts.test.yml").read_text()
    (tmp_path / "alerts.yml").write_text(text.replace("RULES", str(RULES)))
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / "alerts.yml"))


def test_promtool_finds_the_metrics_right(daemon: Daemon, tmp_path: Path) -> None:
    path = written(tmp_path, daemon, spool='limit = "1G"', sink=file_sink(tmp_path / "out"))
    with shown(path) as url:
        send(daemon, 1)
        daemon.commit(uinfo=User(context="cli"))
        await_metric(url, 'notifications_total{node="paris",type="commit-simple"}', 1)
        with urlopen(url, timeout=PATIENCE) as answer:
            assert promtool("check", "metrics", text=answer.read().decode()) == ""


def test_the_dashboard_is_one_of_grafana() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for panel in panels:
        assert panel["datasource"]["uid"] == "${datasource}"
        assert all(target["expr"] and target["legendFormat"] for target in panel["targets"])
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
    for query in (target["expr"] for panel in panels for target in panel["targets"]):
        # Grafana fills these in; promtool knows nothing of them.
        assert query.count("(") == query.count(")")
