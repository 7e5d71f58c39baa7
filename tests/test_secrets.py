"""A user's clear-text password shows nowhere unless asked for."""

from __future__ import annotations

import io
import logging
import pprint
import traceback
import warnings
from collections.abc import Iterator
from typing import Any, Callable

import pytest
from conftest import Connect

import confd_events as events
from confd_events import Event, subscribe
from confd_events.testing import Daemon, User

PASSWORD = "correct-horse"
ADA = User(username="ada", usid=7, clearpass=PASSWORD)
KINDS = ["commit", "commit_diff", "user_session", "forward", "confirmed_commit"]


@pytest.fixture(params=KINDS)
def raw(request: pytest.FixtureRequest, daemon: Daemon, connect: Connect) -> Iterator[Any]:
    sock = connect()
    getattr(daemon, request.param)(uinfo=ADA)
    notification: Any = events.read_notification(sock)
    assert user_of(notification).clearpass == PASSWORD
    yield notification
    notification.clear()  # its transaction is not to outlive the test


def user_of(raw: Any) -> Any:
    return next(member for member in raw.values() if isinstance(member, dict))["uinfo"]


def logged(thing: object) -> str:
    stream = io.StringIO()
    logger = logging.Logger("test")
    logger.addHandler(logging.StreamHandler(stream))
    logger.error("%s %r", thing, thing)
    try:
        raise ValueError(thing)
    except ValueError:
        logger.exception("failed")
    return stream.getvalue()


def with_locals(thing: object) -> str:
    """A traceback as tools print it that show the variables."""

    def fail(argument: object) -> None:
        raise KeyError(argument)

    try:
        fail(thing)
    except KeyError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(shown.format())
    raise AssertionError


WAYS: list[Callable[[Any], str]] = [str, repr, "{}".format, pprint.pformat, logged, with_locals]


@pytest.mark.parametrize("shown", WAYS)
def test_the_password_is_not_in_what_is_shown(raw: Any, shown: Callable[[Any], str]) -> None:
    for thing in (raw, user_of(raw), Event(raw, 0.0), [raw]):
        text = shown(thing)
        assert text
        assert PASSWORD not in text


def test_the_password_is_in_json_when_asked_for_alone(raw: Any) -> None:
    event = Event(raw, 0.0)
    for text in (event.to_json(), str(event.to_dict())):
        assert PASSWORD not in text
        assert "********" in text
    assert PASSWORD in event.to_json(secrets=True)
    assert PASSWORD in str(event.to_dict(secrets=True))


def test_errors_about_a_user_do_not_tell_the_password(raw: Any) -> None:
    for mistake in mistakes(user_of(raw)):
        with pytest.raises((TypeError, ValueError)) as caught:
            mistake()
        assert PASSWORD not in str(caught.value)


def mistakes(user: Any) -> Iterator[Callable[[], object]]:
    yield lambda: events.Value(user, events.C_IPV4)
    yield lambda: events.read_notification(user)
    yield lambda: events.sync_audit_notification(user, 7)
    yield lambda: subscribe(user)
    yield lambda: user.__reduce__()


def test_a_warning_of_a_forgotten_event_does_not_tell_the_password(daemon: Daemon) -> None:
    address = daemon.address
    where = (address["ip"], address["port"])
    with subscribe("commit-diff", address=where, ack="manual") as subscription:
        daemon.commit_diff(uinfo=ADA)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            next(subscription)
    assert [PASSWORD in str(each.message) for each in caught] == [False]
    assert PASSWORD not in repr(subscription)


def test_the_simulated_daemon_does_not_tell_secrets() -> None:
    daemon = Daemon(secret=b"correct-horse")
    for thing in (daemon, ADA):
        assert PASSWORD not in repr(thing) + str(thing) + logged(thing)
