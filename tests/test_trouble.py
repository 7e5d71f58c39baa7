"""What users see when something is wrong: one error, and a line in the log."""

from __future__ import annotations

import copy
import errno
import logging
import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import PRODUCT
from looping import Run, run_fixture
from subscribing import (
    PATIENCE,
    POISON,
    QUICK,
    in_thread,
    run_program,
    subscribed,
    wait_until,
    where,
)

import confd_events as events
from confd_events import Backoff, subscribe, subscribe_async
from confd_events._address import endpoints
from confd_events.testing import Daemon, encode

__all__ = ["run_fixture"]


@pytest.fixture(name="nobody")
def nobody_fixture() -> tuple[str, int]:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address: tuple[str, int] = listener.getsockname()
    return address


# Errors


def test_a_refused_connection_is_one_error(nobody: tuple[str, int]) -> None:
    with pytest.raises(events.Error, match=rf"refused \(127.0.0.1:{nobody[1]}\)") as caught:
        subscribe("audit", address=nobody)
    assert caught.value.errno == errno.ECONNREFUSED
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("options", [{}, {"buffer": 10}], ids=["plain", "buffered"])
def test_a_stopped_daemon_is_one_error(daemon: Daemon, options: dict[str, Any]) -> None:
    with subscribed(daemon, "audit", **options) as subscription:
        daemon.disconnect()
        with pytest.raises(events.EOF) as caught:
            next(subscription)
        assert caught.value.__cause__ is caught.value.__context__ is None


LOOP = """\
with subscribe({what}) as subscription:
    for event in subscription:
        print(event)
"""
NEXT = """\
with subscribe({what}) as subscription:
    print(subscription.next(timeout=60))
"""


@pytest.mark.parametrize("program", [LOOP, NEXT], ids=["loop", "next"])
@pytest.mark.parametrize("what", ["'audit'", "'audit', 'audit-sync'", "'audit', buffer=10"])
def test_a_stopped_daemon_is_told_in_eight_lines(
    daemon: Daemon, tmp_path: Path, program: str, what: str
) -> None:
    host, port = where(daemon)
    variables = {f"{PRODUCT}_IPC_ADDR": host, f"{PRODUCT}_IPC_PORT": str(port)}
    ended = in_thread(lambda: run_file(tmp_path, program.format(what=what), **variables))
    daemon.wait_for_subscribers(timeout=PATIENCE)
    daemon.disconnect()
    shown = ended.result(PATIENCE)
    assert shown[0] == "Traceback (most recent call last):"
    assert "EOF" in shown[-1]
    assert len(shown) <= 8, "\n".join(shown)


@pytest.mark.parametrize(
    ("what", "complaint"),
    [
        ("'audit', address={nobody!r}", "Connection refused"),
        ("'nonsense'", "ValueError"),
        ("'audit', buffer=0", "ValueError"),
        ("'audit', buffered=1", "TypeError: subscribe() got an unexpected"),
    ],
)
def test_what_subscribe_raises_is_told_in_eight_lines(
    nobody: tuple[str, int], tmp_path: Path, what: str, complaint: str
) -> None:
    shown = run_file(tmp_path, LOOP.format(what=what.format(nobody=nobody)))
    assert shown[0] == "Traceback (most recent call last):"
    assert complaint in shown[-1]
    assert len(shown) <= 8, "\n".join(shown)


def run_file(directory: Path, program: str, **variables: str) -> list[str]:
    """What a program's user sees of its end."""
    path = directory / "program.py"
    path.write_text(f"from confd_events import subscribe\n{program}")
    done = subprocess.run(
        [sys.executable, str(path)],
        env={**os.environ, **variables},
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr.splitlines()


def test_errors_in_an_event_loop_have_one_line_of_the_package(
    daemon: Daemon, nobody: tuple[str, int], run: Run[None]
) -> None:
    """Above the caller's; those of the event loop are not ours."""

    async def main() -> None:
        with pytest.raises(events.Error, match="refused") as caught:
            async with subscribe_async("audit", address=nobody):
                pass
        assert len(caught.traceback) == 2
        async with subscribe_async("audit", address=where(daemon)) as subscription:
            daemon.disconnect()
            with pytest.raises(events.EOF) as caught:
                await subscription.__anext__()
            assert len(caught.traceback) == 2

    run(main())


def test_the_error_of_who_answered_is_raised(
    daemon: Daemon, nobody: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that of the other address, which would be tried for ever."""
    monkeypatch.setattr(
        "confd_events.subscription._reader.endpoints",
        lambda _: [*endpoints(where(daemon)), *endpoints(nobody)],
    )
    with pytest.raises(events.Error, match="no-such-stream") as caught:
        subscribe(stream="no-such-stream", reconnect=True)
    assert caught.value.confd_errno != events.ERR_OS


def test_a_slow_accept_is_a_silent_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue of who listens is full, so the connection is not made."""
    monkeypatch.setattr("confd_events.subscription._connection._CONNECT", 0.3)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        others = [socket.socket() for _ in range(4)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(address)
        try:
            with pytest.raises(events.DaemonSilent, match=r"did not answer for 0\.3 s"):
                subscribe("audit", address=address)
        finally:
            for other in others:
                other.close()


def test_the_first_connection_is_tried_again_on_request(nobody: tuple[str, int]) -> None:
    backoff = Backoff(first=0.01, longest=0.05, first_connection=True)
    waiting = in_thread(lambda: subscribe("audit", address=nobody, reconnect=backoff))
    assert not waiting.done()
    with (
        Daemon(port=nobody[1], product=PRODUCT.lower()) as daemon,
        waiting.result(PATIENCE) as subscription,
    ):
        daemon.audit(usid=1)
        assert next(subscription)["usid"] == 1


def test_the_first_connection_is_not_tried_for_ever(nobody: tuple[str, int]) -> None:
    backoff = Backoff(first=0.01, longest=0.01, attempts=2, first_connection=True)
    with pytest.raises(events.Error, match="refused"):
        subscribe("audit", address=nobody, reconnect=backoff)


def test_stats_tell_why_connecting_fails(daemon: Daemon) -> None:
    with subscribed(daemon, "audit", buffer=10, reconnect=QUICK) as subscription:
        assert subscription.stats().error is None
        daemon.stop()
        wait_until(lambda: subscription.stats().attempts > 1)
        assert "refused" in str(subscription.stats().error)
    daemon.start()


# Loops that are not supported


def test_other_loops_are_told_what_is_supported() -> None:
    entering = subscribe_async("audit", address="127.0.0.1:1").__aenter__()
    with pytest.raises(RuntimeError, match=r"works with asyncio, uvloop.* trio .*in a thread"):
        entering.send(None)


def test_a_patched_socket_is_told_what_is_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    """As gevent and eventlet do it."""

    class Green:
        def __init__(self, *arguments: Any) -> None:
            pass

        def close(self) -> None:
            pass

    monkeypatch.setattr(socket, "socket", Green)
    with pytest.raises(RuntimeError, match="not with gevent or eventlet"):
        subscribe("audit", address="127.0.0.1:1")


# Child processes


def test_a_child_that_leaves_its_block_leaves_the_parent_alone(run: Run[None]) -> None:
    async def main(daemon: Daemon) -> None:
        async with subscribe_async("audit", address=where(daemon)) as subscription:
            assert await subscription.next(timeout=0.05) is None  # the loop watches the socket
            child = os.fork()
            if child == 0:
                try:
                    await subscription.__aexit__(None, None, None)
                finally:
                    os._exit(0)
            os.waitpid(child, 0)
            daemon.audit(usid=3)
            event = await subscription.next(timeout=PATIENCE)
            assert event is not None
            assert event["usid"] == 3

    with Daemon(product=PRODUCT.lower()) as daemon:
        run(main(daemon))


# Copies


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_an_event_acknowledges_nothing(daemon: Daemon, copied: Any) -> None:
    with subscribed(daemon, "audit", "audit-sync", ack="manual") as subscription:
        delivery = daemon.audit(usid=1)
        event = next(subscription)
        twin = copied(event)
        assert twin is event
        del twin
        assert event.unacknowledged
        with pytest.raises(TypeError, match=r"belongs to this process's connection.*to_dict"):
            pickle.dumps(event)
        assert event.unacknowledged
        assert event.ack()
        assert delivery.wait(PATIENCE)


def test_an_event_that_nobody_waits_for_is_pickled(daemon: Daemon) -> None:
    with subscribed(daemon, "audit") as subscription:
        daemon.audit(usid=1, user="ada")
        event = next(subscription)
    again = pickle.loads(pickle.dumps(event))
    assert again.to_dict() == event.to_dict()


# The log


def test_the_log_tells_what_happens_to_the_connection(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="confd_events")
    with subscribed(daemon, "audit", reconnect=QUICK) as subscription:
        daemon.send_frame(POISON)
        assert next(subscription).name == "undecodable"
        daemon.disconnect()
        assert [next(subscription).name for _ in range(2)] == ["disconnected", "connected"]
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    at = "{}:{}".format(*where(daemon))
    assert told[0] == told[-1] == ("INFO", f"connected to {at}")
    assert told[1][0] == "ERROR"
    assert "could not be decoded" in told[1][1]
    assert ("WARNING", True) in [(level, "is lost" in text) for level, text in told]
    assert {record.name for record in caplog.records} == {"confd_events"}


def test_the_log_tells_once_that_events_are_dropped(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    options: dict[str, Any] = {"buffer": 2, "when_full": "drop-oldest"}
    with subscribed(daemon, "audit", **options) as subscription:
        daemon.send_frame(b"".join(encode("audit", usid=number) for number in range(500)))
        wait_until(lambda: subscription.stats().dropped == 498)
    told = [record.getMessage() for record in caplog.records]
    assert told == ["the buffer of 2 events is full: events are dropped"]


SILENT = """
    import sys
    from confd_events import Backoff, Error, subscribe

    try:
        subscribe("audit", address="127.0.0.1:1",
                  reconnect=Backoff(first=0.01, attempts=2, first_connection=True))
    except Error:
        print("refused")
"""


def test_the_log_is_silent_unless_asked_for() -> None:
    done = run_program(SILENT)
    assert (done.stdout, done.stderr) == ("refused\n", "")


# The command


def test_the_command_says_it_in_one_line(nobody: tuple[str, int]) -> None:
    program = f"""
        import sys
        from confd_events.cli import main

        sys.exit(main(["monitor", "audit", "--address", "127.0.0.1:{nobody[1]}"]))
    """
    done = run_program(program)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "refused" in done.stderr
