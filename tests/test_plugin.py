"""The pytest plugin: a small project with an audit daemon tests itself by its fixtures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from conftest import PRODUCT
from subscribing import PATIENCE, wait_until

from confd_events import Dropped, Notif, Subscription, subscribe
from confd_events.description.releases import in_use
from confd_events.testing import Acknowledgement, Daemon, User

if TYPE_CHECKING:
    from confd_events_pytest import Subscribe

pytest_plugins = ["pytester"]

# The program of the project: keeps the users' actions; ends well when the daemon does.
AUDIT_DAEMON = """
    import sys

    from confd_events import EOF, subscribe


    def follow(path):
        with open(path, "a") as trail, subscribe("audit", "audit-sync") as audit:
            for event in audit:
                print(event["user"], event["msg"], file=trail, flush=True)


    if __name__ == "__main__":
        try:
            follow(sys.argv[1])
        except EOF:
            print("the daemon is gone")
"""

TEST_AUDIT_DAEMON = f"""
    import subprocess
    import sys
    import threading

    import audit_daemon
    from confd_events import EOF


    def check(daemon, trail):
        daemon.wait_for_subscribers(timeout={PATIENCE})
        daemon.audit(user="ada", usid=7, msg="commit").wait({PATIENCE})
        assert trail.read_text() == "ada commit\\n"
        daemon.disconnect()


    def test_in_another_process(confd_daemon, tmp_path):
        trail = tmp_path / "trail"
        command = [sys.executable, "audit_daemon.py", str(trail)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
            try:
                check(confd_daemon, trail)
                assert program.communicate(timeout={PATIENCE})[0] == "the daemon is gone\\n"
            finally:
                program.kill()


    def test_in_a_thread(confd_daemon, tmp_path):
        ended = []

        def run():
            try:
                audit_daemon.follow(tmp_path / "trail")
            except EOF as error:
                ended.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        check(confd_daemon, tmp_path / "trail")
        thread.join({PATIENCE})
        assert len(ended) == 1
"""


def run_project(
    pytester: pytest.Pytester, *arguments: str, **modules: str
) -> tuple[pytest.RunResult, str]:
    """The result and the output of pytest in a project of these modules."""
    pytester.makepyfile(**modules)
    result = pytester.runpytest_subprocess(*arguments, timeout=2 * PATIENCE)
    return result, "\n".join(result.outlines)


def test_a_project_tests_its_audit_daemon(pytester: pytest.Pytester) -> None:
    modules = {"audit_daemon": AUDIT_DAEMON, "test_audit_daemon": TEST_AUDIT_DAEMON}
    result, _ = run_project(pytester, "-W", "error", **modules)
    result.assert_outcomes(passed=2)


def test_a_bug_in_the_audit_daemon_fails_its_test(pytester: pytest.Pytester) -> None:
    # It lets the user go on before the record is kept.
    hasty = AUDIT_DAEMON.replace('print(event["user"]', 'event.ack(); print(event["group"]')
    modules = {"audit_daemon": hasty, "test_audit_daemon": TEST_AUDIT_DAEMON}
    result, output = run_project(pytester, **modules)
    result.assert_outcomes(failed=2)
    assert "KeyError: 'group'" in output + "\n".join(result.errlines)


def test_pytest_describes_the_fixtures(pytester: pytest.Pytester) -> None:
    _, output = run_project(pytester, "--fixtures", test_it="")
    for line in (
        "A simulated daemon of the product in use, to which the environment leads.",
        "Subscribe to confd_daemon: confd_subscribe(*what, **options) returns the Subscription.",
        "A subscription to all of confd_daemon's notifications that need nothing else.",
    ):
        assert line in output


def test_a_subscription_that_the_program_leaves_open_is_reported(
    pytester: pytest.Pytester,
) -> None:
    test = """
        from confd_events import subscribe

        def test_leaves_one_open(confd_daemon):
            subscribe("audit")
    """
    result, output = run_project(pytester, "-W", "error", test_it=test)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "ResourceWarning: unclosed <confd_events" in output


def test_an_event_that_the_test_does_not_acknowledge_is_reported(
    pytester: pytest.Pytester,
) -> None:
    test = """
        def test_keeps_the_user_waiting(confd_daemon, confd_subscribe):
            audit = confd_subscribe("audit", "audit-sync", ack="manual")
            confd_daemon.audit()
            next(audit)
    """
    result, output = run_project(pytester, "-W", "error", test_it=test)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "RuntimeWarning: <Event audit" in output


def test_what_a_test_waits_for_in_vain_is_told(confd_daemon: Daemon) -> None:
    with pytest.raises(TimeoutError, match=r"^no subscriber within 0\.1 s; connected: none$"):
        confd_daemon.wait_for_subscribers(timeout=0.1)
    where = confd_daemon.address
    with subscribe("audit", "audit-sync", address=(where["ip"], where["port"]), ack="manual"):
        with pytest.raises(
            TimeoutError,
            match=r"^1 subscriber of 2 within 0\.1 s; connected: subscriber 1 to audit\|audit-sync",
        ):
            confd_daemon.wait_for_subscribers(2, timeout=0.1)
        with pytest.raises(
            TimeoutError,
            match=r"^sent to 1, 1 not acknowledged after 0\.1 s: audit 7 by subscriber 1 "
            r"\(to audit\|audit-sync\)$",
        ):
            confd_daemon.audit(usid=7).wait(0.1)
        with pytest.raises(TimeoutError, match=r"^no acknowledgement within 0\.1 s; connected: "):
            confd_daemon.wait_for_acknowledgements(timeout=0.1)


def test_a_project_without_the_extra_is_told_to_install_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(erlang="raise ImportError('no erlang')")
    modules = {"test_it": "def test(): pass", "test_daemon": "def test(confd_daemon): pass"}
    result, output = run_project(pytester, "-p", "no:cacheprovider", **modules)
    result.assert_outcomes(passed=1, errors=1)
    assert "install confd-events[testing]" in output


def test_who_does_not_use_it_pays_nothing(pytester: pytest.Pytester) -> None:
    test = """
        import sys

        def test_that_has_nothing_to_do_with_it():
            assert "confd_events" not in sys.modules
            assert "erlang" not in sys.modules
    """
    result, _ = run_project(pytester, "-W", "error", test_it=test)
    result.assert_outcomes(passed=1)


def test_it_may_be_enabled_by_name(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["confd_events.testing.plugin"]')
    test = """
        def test_it(confd_daemon, confd_subscribe):
            audit = confd_subscribe("audit")
            confd_daemon.audit(user="ada")
            assert next(audit)["user"] == "ada"
    """
    result, _ = run_project(pytester, "-W", "error", test_it=test)
    result.assert_outcomes(passed=1)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment that leads to another daemon, of whichever product."""
    ends = {"ADDR": "192.0.2.1", "PORT": "1", "PATH": "/nowhere", "ACCESS_FILE": "/nowhere"}
    foreign = {
        f"{product}_IPC_{end}": value for product in ("NCS", "CONFD") for end, value in ends.items()
    }
    for name, value in foreign.items():
        monkeypatch.setenv(name, value)
    return foreign


@pytest.fixture
def _restored(elsewhere: dict[str, str]) -> Iterator[None]:
    """Checks that the environment is as before, when the fixtures after this one have ended."""
    yield
    assert elsewhere.items() <= dict(os.environ).items()


@pytest.mark.usefixtures("_restored")
def test_the_environment_leads_to_the_daemon_alone(confd_daemon: Daemon) -> None:
    variables = {name: value for name, value in os.environ.items() if "_IPC_" in name}
    address = {f"{PRODUCT}_IPC_ADDR": "127.0.0.1"}
    assert variables == {**address, f"{PRODUCT}_IPC_PORT": str(confd_daemon.address["port"])}


def test_the_daemon_knows_a_subscriber_when_the_call_returns(
    confd_daemon: Daemon, confd_subscribe: Subscribe
) -> None:
    for count in range(1, 21):
        subscription = confd_subscribe("audit", "audit-sync")
        assert len(confd_daemon.subscribers) == count
        record = confd_daemon.audit(msg=str(count))
        assert next(subscription)["msg"] == str(count)
        assert record.count == count


def test_the_options_of_a_subscription_are_those_of_subscribe(
    confd_daemon: Daemon, confd_subscribe: Subscribe
) -> None:
    confd_subscribe(Notif.AUDIT, heartbeat=7)
    (subscriber,) = confd_daemon.subscribers
    assert subscriber.mask == Notif.AUDIT | Notif.HEARTBEAT
    assert subscriber.heartbeat_interval == 7000
    subscription = confd_subscribe("audit", buffer=1, when_full="drop-oldest")
    for _ in range(3):
        confd_daemon.audit()
    wait_until(lambda: subscription.stats().dropped)
    assert isinstance(next(subscription), Dropped)


def test_an_address_for_the_fixture_is_refused(confd_subscribe: Subscribe) -> None:
    with pytest.raises(TypeError, match=r"call confd_events\.subscribe\(\)"):
        confd_subscribe("audit", address="192.0.2.1:4569")


@pytest.fixture
def opened() -> Iterator[list[Subscription]]:
    """A list for subscriptions, closed when the fixtures after this one have ended."""
    subscriptions: list[Subscription] = []
    yield subscriptions
    assert [one.closed for one in subscriptions] == [True, True]


def test_subscriptions_are_closed_after_the_test(
    opened: list[Subscription], confd_subscribe: Subscribe
) -> None:
    opened += [confd_subscribe("audit"), confd_subscribe("commit-diff")]
    assert not any(one.closed for one in opened)


@pytest.mark.usefixtures("confd_subscription")
def test_a_subscription_to_all_gets_what_needs_nothing_else(confd_daemon: Daemon) -> None:
    (subscriber,) = confd_daemon.subscribers
    absent = Notif.HEARTBEAT | Notif.HEALTH_CHECK | Notif.STREAM_EVENT | Notif.TAKEOVER_SYSLOG
    flags = Notif.AUDIT_SYNC | Notif.HA_INFO_SYNC | Notif.AUDIT_NETWORK_SYNC
    known = {bit for bit in Notif if not bit & (absent | flags)}
    asked = {bit for bit in known if in_use(f"NOTIF_{bit.name}")}
    assert {bit for bit in Notif if bit & subscriber.mask} == asked


def test_a_test_may_follow_a_commit_to_its_end(
    confd_daemon: Daemon, confd_subscription: Subscription
) -> None:
    commit = confd_daemon.commit_diff(thandle=9, uinfo=User(username="ada"))
    assert next(confd_subscription)["tctx"].th == 9
    assert not commit.done
    confd_daemon.audit()
    next(confd_subscription)
    commit.wait(PATIENCE)
    assert confd_daemon.acknowledgements == [Acknowledgement("commit_diff", 9, subscriber=1)]
