"""Recorded frames, as they cross the socket, give the recorded dicts."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from conftest import assert_contains, plain, vectors

import confd_events as events
from confd_events.testing import Daemon

VECTORS = vectors()

pytestmark = pytest.mark.since(8, 2)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_one_at_a_time(daemon: Daemon, sock: socket.socket, vector: dict[str, Any]) -> None:
    daemon.send_frame(bytes.fromhex(vector["frame"]))
    assert_contains(plain(events.read_notification(sock)), vector["expect"])


def test_no_key_without_a_value(daemon: Daemon, sock: socket.socket) -> None:
    """A vector's payload is whole: what it does not list must not be there."""
    for vector in VECTORS:
        daemon.send_frame(bytes.fromhex(vector["frame"]))
        got: dict[str, Any] = dict(events.read_notification(sock))
        assert got.keys() == vector["expect"].keys()
        for member in got.keys() - {"type"}:
            assert got[member].keys() == vector["expect"][member].keys(), vector["name"]


def test_all_in_bursts(daemon: Daemon, sock: socket.socket) -> None:
    daemon.send_frame(b"".join(bytes.fromhex(vector["frame"]) for vector in VECTORS))
    got: list[Any] = []
    while len(got) < len(VECTORS):
        got += events.read_notifications(sock, max=7)
    for notification, vector in zip(got, VECTORS):
        assert_contains(plain(notification), vector["expect"])
