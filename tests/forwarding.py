"""What the tests of the forwarder share."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from subscribing import PATIENCE, wait_until

from confd_events import library
from confd_events.forward import (
    BusyError,
    Forwarder,
    Record,
    RefusedError,
    Spool,
    SpoolError,
    read_config,
    status_of,
)
from confd_events.testing import Daemon, DaemonProcess

SOURCE = "nso" if library()["product"] == "NCS" else "confd"
"""How the types of records begin."""


def written(
    directory: Path, daemon: Daemon | DaemonProcess, *, spool: str = "", node: str = "", sink: str
) -> Path:
    """A configuration for one node; `spool` and `node` are lines for these tables."""
    path = directory / "forward.toml"
    where = daemon.address.get("path") or f"{daemon.address['ip']}:{daemon.address['port']}"
    path.write_text(
        f"""
[spool]
path = "spool.db"
{spool}

[[nodes]]
name = "paris"
address = "{where}"
subscribe = ["audit", "audit-sync"]
{node}

{sink}
"""
    )
    return path


def ending_soon(path: Path) -> None:
    """Lets a forwarder end soon whose sinks can't deliver."""
    path.write_text(f"drain = 0.2\n{path.read_text()}")


def file_sink(path: Path, more: str = "") -> str:
    """A table for a file."""
    return f'[[sinks]]\ntype = "file"\npath = "{path}"\nretry = 0.05\n{more}\n'


@contextmanager
def forwarding(path: Path) -> Iterator[Forwarder]:
    """A forwarder that runs in a thread of this process; what it raises is raised at the end."""
    forwarder = Forwarder(read_config(str(path)))
    failures: list[BaseException] = []

    def run() -> None:
        try:
            forwarder.run()
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="test")
    thread.start()
    try:
        yield forwarder
    finally:
        forwarder.stop()
        thread.join(PATIENCE)
    assert not thread.is_alive()
    if failures:
        raise failures[0]


def envelopes(path: Path) -> list[dict[str, Any]]:
    """The records in a file, without what is written at the moment."""
    try:
        text = path.read_text()
    except FileNotFoundError:  # not there yet, or put aside a moment ago
        return []
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def send(daemon: Daemon, *numbers: int) -> None:
    """Sends audit records of these user sessions, once somebody has subscribed."""
    daemon.wait_for_subscribers(timeout=PATIENCE)
    for number in numbers:
        daemon.audit(user="ada", usid=number, msg="logged in")


def spooled(directory: Path, sink: str, bodies: Sequence[str]) -> None:
    """Stores records of the node paris for a sink, before a forwarder runs."""
    with Spool(directory / "spool.db") as spool:
        spool.serve([sink])
        spool.append("paris", bodies)


def body(number: int, size: int = 0) -> str:
    """The record of an audit, as the spool has it; its message has this size."""
    source, time = f"//{SOURCE}/paris", "2026-01-01T00:00:00+00:00"
    about = f'"source": "{source}", "type": "{SOURCE}.audit", "time": "{time}"'
    data = f'{{"type": 1, "audit": {{"usid": {number}, "msg": "{"x" * size}"}}}}'
    return f'{{"specversion": "1.0", "id": "paris/{number}", {about}, "data": {data}}}'


def trouble(directory: Path, name: str) -> str:
    """What the status says is wrong with a sink, once something is."""

    def said() -> list[str | None]:
        with suppress(SpoolError):  # which is being made
            sinks = status_of(directory / "spool.db").sinks
            return [sink.error for sink in sinks if sink.name == name]
        return []

    wait_until(lambda: any(said()))
    return str(said()[0])


def delivered(directory: Path) -> None:
    """Waits until the sinks have all that is in the spool."""
    wait_until(lambda: status_of(directory / "spool.db").records == 0)


def usids(records: Sequence[dict[str, Any]]) -> list[Any]:
    """The user session ids of audit records; the name of any other."""
    return [
        record["data"]["audit"]["usid"] if record["data"]["type"] else record["data"]["type_name"]
        for record in records
    ]


def once(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without those whose id has come before."""
    return list({record["id"]: record for record in records}.values())


def await_usids(path: Path, expected: list[Any]) -> None:
    """Waits until a file has the records."""
    wait_until(lambda: len(envelopes(path)) >= len(expected))
    assert usids(envelopes(path)) == expected


class Picky:
    """A sink that refuses some records, is full before others, fails as told, keeps the rest."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.failures = 0
        self.refused: set[int] = set()
        self.full: set[int] = set()
        self.opened = 0
        self.closed = 0

    def open(self) -> None:
        self.opened += 1

    def send(self, batch: Sequence[Record]) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("no route to the sink")
        for index, record in enumerate(batch):
            envelope = record.envelope()
            usid = envelope["data"].get("audit", {}).get("usid")
            if usid in self.refused:
                raise RefusedError(index, "too large")
            if usid in self.full:
                raise BusyError("full", delivered=index)
            self.got.append(envelope)

    def close(self) -> None:
        self.closed += 1
