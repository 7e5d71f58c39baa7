"""What importing does, with whatever library: it starts no process and loads little."""

from __future__ import annotations

import json
import os
from pathlib import Path

from conftest import PEER, SENDABLE, shared_library
from subscribing import run_program

from confd_events.testing import encode

# Whoever makes a process by these is ended.
NO_CHILD = """
#include <stdlib.h>
#include <unistd.h>
pid_t fork(void) { abort(); }
pid_t vfork(void) { abort(); }
"""

STANDARD = set("__future__ _datetime _operator _socket datetime math operator zlib".split())
"""What a bare interpreter may not have loaded."""
OWN = {"confd_events", "confd_events._events", "confd_events._version", "confd_events.error"}


def test_the_library_of_the_build_is_asked_without_a_child(tmp_path: Path) -> None:
    """A fork takes long in a large process, and some sandboxes end who tries."""
    source = tmp_path / "nochild.c"
    source.write_text(NO_CHILD)
    preload = f"{os.environ.get('LD_PRELOAD', '')} {shared_library(source, tmp_path)}"
    assert run_program("import os; os.fork()", LD_PRELOAD=preload).returncode < 0
    done = run_program("import confd_events; print('imported')", LD_PRELOAD=preload)
    assert (done.stdout, done.stderr) == ("imported\n", "")


def loaded_by(program: str) -> list[str]:
    """The modules that the program's last part loads; "# now" stands before it."""
    before, _, after = program.partition("# now")
    done = run_program(
        f"{before}\nimport json, sys\nbefore = set(sys.modules)\n{after}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_few_modules_are_imported() -> None:
    """None of them is slow to load, as typing, socket, re, dataclasses or asyncio are."""
    loaded = {
        name
        for name in loaded_by("# now\nimport confd_events")
        if not name.startswith(("_cython_", "cython_runtime"))
    }
    assert loaded - STANDARD == OWN


def frame(name: str) -> bytes:
    stream = {"stream": "NETCONF"} if name.startswith("stream_") else {}
    return encode(name, PEER.protocol, PEER.product, **stream)


def test_a_sink_loads_what_it_needs_alone(tmp_path: Path) -> None:
    """Each client library is an extra; who does without it does so with the others' sinks, too."""
    (tmp_path / "forward.toml").write_text(
        '[spool]\npath = "spool.db"\n[[nodes]]\nname = "paris"\nsubscribe = ["audit"]\n'
        '[[sinks]]\ntype = "file"\npath = "out"\n'
    )
    program = f"""
# now
from confd_events.forward import read_config
read_config({str(tmp_path / "forward.toml")!r})
"""
    roots = {name.partition(".")[0] for name in loaded_by(program)}
    assert "confd_events" in roots
    assert roots & {"nats", "nkeys", "redis", "confluent_kafka"} == set()


def test_no_notification_loads_a_module() -> None:
    """A program that is confined, or out of descriptors, could not, amid its work."""
    sent = b"".join(map(frame, SENDABLE)).hex()
    program = f"""
import socket
import confd_events as events
ours, theirs = socket.socketpair()
theirs.settimeout(None)
ours.sendall(bytes.fromhex("{sent}"))
# now
read = [events.read_notification(theirs) for _ in range({len(SENDABLE)})]
assert len(repr(read)) > {len(SENDABLE)}
"""
    assert loaded_by(program) == []


def test_no_event_of_a_subscription_loads_a_module() -> None:
    program = f"""
import confd_events as events
from confd_events.testing import Daemon
daemon = Daemon(product="{PEER.product}").__enter__()
subscription = events.subscribe("audit", address=tuple(daemon.address.values())).__enter__()
daemon.wait_for_subscribers()
daemon.audit(msg="one")
daemon.audit(msg="two")
# now
taken = [next(subscription), subscription.next(timeout=10)]
assert [event["msg"] for event in taken] == ["one", "two"]
assert len(repr(taken)) > 2
subscription.close()
"""
    assert loaded_by(program) == []
