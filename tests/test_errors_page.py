"""docs/errors.md: every message there is one that users meet, and every such message is there."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest
from conftest import PRODUCT
from subscribing import HANDSHAKE, run_program, wait_until, where

import confd_events
from confd_events import subscribe, subscribe_async
from confd_events.testing import Daemon, Faults, encode

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| `(\w+)` \| `([^`]+)` \|", re.MULTILINE)


class Quoted(NamedTuple):
    """An error in the page."""

    kind: str
    message: str

    def is_that_of(self, error: BaseException | Warning) -> bool:
        pattern = ".+".join(map(re.escape, self.message.split("…")))
        return type(error).__name__ == self.kind and bool(
            re.fullmatch(pattern, str(error), re.DOTALL)
        )


QUOTED = [Quoted(*row) for row in ROW.findall((ROOT / "docs" / "errors.md").read_text())]

Provoke = Callable[[], None]
PROVOKED: dict[str, Provoke] = {}


def provokes(function: Provoke) -> Provoke:
    """What makes an error, or a warning, that the page has."""
    PROVOKED[function.__name__] = function
    return function


def wrong(*what: Any, **options: Any) -> Provoke:
    """subscribe() with an argument that is wrong."""
    return lambda: subscribe(*what, **options).close()


NOWHERE = ("127.0.0.1", 1)
PROVOKED.update(
    nothing=wrong(heartbeat=10),
    unknown_name=wrong("comit-diff"),
    a_list=wrong(["audit"]),
    flag_alone=wrong("audit-sync"),
    no_stream=wrong("stream-event"),
    start_alone=wrong("audit", start="2026-01-31T00:00:00Z"),
    naive=wrong(stream="NETCONF", start=datetime(2026, 1, 31)),
    no_interval=wrong("audit", heartbeat=0),
    interval_type=wrong("audit", heartbeat="10"),
    verbosity=wrong("progress", verbosity="loud"),
    no_beat=wrong("heartbeat"),
    no_address=wrong("audit", address="ipc:socket"),
    address_type=wrong("audit", address=4569),
    triple=wrong("audit", address=("nso", 4569, 1)),
    no_port=wrong("audit", address=("127.0.0.1", 0)),
    long_path=wrong("audit", address="/" + "x" * 108),
    no_such_ack=wrong("audit", ack="none"),
    buffer_type=wrong("audit", buffer="10"),
    no_buffer=wrong("audit", buffer=0),
    no_such_policy=wrong("audit", when_full="drop"),
    policy_alone=wrong("audit", when_full="raise"),
    reconnect_type=wrong("audit", reconnect=3),
    no_wait=wrong("audit", reconnect=confd_events.Backoff(first=0)),
    refused=wrong("audit", address=NOWHERE),
    no_socket=wrong("audit", address="/no/such/socket"),
)


@contextmanager
def running(**arguments: Any) -> Iterator[tuple[Daemon, tuple[str, int]]]:
    """A daemon, and its address as subscribe() takes it."""
    with Daemon(product=PRODUCT.lower(), minimum_interval=0, **arguments) as daemon:
        yield daemon, where(daemon)


@contextmanager
def variable(end: str, value: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(f"{PRODUCT}_IPC_{end}", value)
        yield


@provokes
def port_in_the_environment() -> None:
    with variable("PORT", "ipc"):
        subscribe("audit")


@provokes
def unknown_host() -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", unknown)
        subscribe("audit", address="no-such-host.invalid")


@provokes
def wrong_secret() -> None:
    """In a process that has a secret from its beginning."""
    program = """
        import confd_events
        try:
            confd_events.subscribe("audit", address={address})
        except confd_events.Error as error:
            print(error.confd_errno, error.confd_strerror, error.confd_lasterr, sep="\\n")
    """
    with running(secret=b"right") as (_, address):
        variables = {f"{PRODUCT}_IPC_ACCESS_FILE": __file__}
        done = run_program(program.format(address=address), **variables)
    code, meaning, text = done.stdout.splitlines()
    raise confd_events.Error(int(code), meaning, text)


@provokes
def another_service() -> None:
    faults = Faults(version_reply=b"HTTP/1.1 400 Bad Request\r\n")
    with running(faults=faults) as (_, address):
        subscribe("audit", address=address)


@provokes
def no_secret() -> None:
    with running(secret=b"right") as (_, address):
        subscribe("audit", address=address)


@provokes
def other_release() -> None:
    with running(refuse_version=True) as (_, address):
        subscribe("audit", address=address)


@provokes
def no_answer() -> None:
    faults = Faults(silent_after=0)
    with running(faults=faults) as (_, address), pytest.MonkeyPatch.context() as patch:
        patch.setattr("confd_events.subscription._connection._CONNECT", 0.05)
        subscribe("audit", address=address)


@provokes
def no_such_stream() -> None:
    with running() as (_, address):
        subscribe(stream="NETCNF", address=address)


@provokes
def bad_filter() -> None:
    with running() as (daemon, address):
        daemon.add_stream("NETCONF")
        subscribe(stream="NETCONF", filter="/devices[", address=address)


@provokes
def no_such_session() -> None:
    with running() as (daemon, address):
        daemon.add_stream("NETCONF")
        subscribe(stream="NETCONF", usid=99, address=address)


@provokes
def stopped() -> None:
    with running() as (daemon, address), subscribe("audit", address=address) as audit:
        daemon.disconnect()
        next(audit)


@provokes
def reset() -> None:
    with running() as (daemon, address), subscribe("audit", address=address) as audit:
        daemon.disconnect(reset=True)
        next(audit)


@provokes
def no_heartbeat() -> None:
    with running() as (daemon, address):
        daemon.set_faults(Faults(silent_after=HANDSHAKE))
        with subscribe("audit", heartbeat=0.02, address=address) as audit:
            next(audit)


@provokes
def half_a_notification() -> None:
    with running() as (daemon, address):
        frame = encode("audit", product=PRODUCT.lower(), msg="x" * 100_000)
        daemon.set_faults(Faults(silent_after=HANDSHAKE + len(frame) // 2))
        with subscribe("audit", heartbeat=0.02, address=address) as audit:
            daemon.send_frame(frame)
            next(audit)


@provokes
def full_buffer() -> None:
    with running() as (daemon, address):
        options: dict[str, Any] = {"buffer": 1, "when_full": "raise", "address": address}
        with subscribe("audit", **options) as audit:
            for _ in range(3):
                daemon.audit()
            wait_until(lambda: audit.stats().dropped)
            for _ in audit:
                pass


@provokes
def in_a_child() -> None:
    with (
        running() as (_, address),
        subscribe("audit", address=address) as audit,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("confd_events.subscription._connection._process", os.getppid())
        next(audit)


@provokes
def not_entered() -> None:
    asyncio.run(anext_of(subscribe_async("audit", address=NOWHERE)))


async def anext_of(subscription: confd_events.AsyncSubscription) -> None:
    await subscription.__anext__()


@provokes
def entered_again() -> None:
    with running() as (_, address):
        asyncio.run(enter_twice(subscribe_async("audit", address=address)))


async def enter_twice(subscription: confd_events.AsyncSubscription) -> None:
    async with subscription, subscription:
        pass


@provokes
def closed_while_connecting() -> None:
    subscription = subscribe_async("audit", address=NOWHERE)
    subscription.close()
    asyncio.run(enter_twice(subscription))


@provokes
def transaction_that_is_over() -> None:
    with running() as (daemon, address), subscribe("commit-diff", address=address) as commits:
        daemon.commit_diff()
        event = next(commits)
        event.ack()
        with socket.socket() as sock:
            confd_events.diff_notification_done(sock, event["tctx"])


@provokes
def forgotten_event() -> None:
    with running() as (daemon, address), manual(address) as audit:
        daemon.audit()
        next(audit)


@provokes
def events_left_over() -> None:
    with running() as (daemon, address), manual(address) as audit:
        daemon.audit()
        held = next(audit)
        audit.close()
        del held


@provokes
def left_open() -> None:
    with running() as (_, address):
        subscribe("audit", address=address)
        gc.collect()


def manual(address: tuple[str, int]) -> confd_events.Subscription:
    return subscribe("audit", "audit-sync", ack="manual", address=address)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variables that lead elsewhere."""
    for name in [name for name in os.environ if "_IPC_" in name]:
        monkeypatch.delenv(name)


def outcome(name: str) -> BaseException | Warning:
    """The error, or the warning, that comes of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            PROVOKED[name]()
        except Exception as error:
            return error
    (warning,) = caught
    assert isinstance(warning.message, Warning)
    return warning.message


@pytest.mark.parametrize("name", sorted(PROVOKED))
def test_a_message_that_users_meet_is_in_the_page(name: str) -> None:
    error = outcome(name)
    assert any(quoted.is_that_of(error) for quoted in QUOTED), repr(error)


def test_users_meet_every_message_of_the_page() -> None:
    met = [outcome(name) for name in PROVOKED]
    never = {each for each in QUOTED if not any(each.is_that_of(error) for error in met)}
    assert never == set()
