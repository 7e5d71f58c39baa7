"""Memory that runs out while a struct becomes a dict: nothing of the library's is lost."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any

import pytest

from confd_events.testing import User, encode

# A process of its own: while memory is out, nothing else of Python must need any.
PROGRAM = """
    import ctypes, socket
    import confd_events as events
    from _testcapi import remove_mem_hooks, set_nomemory

    stub = ctypes.CDLL(events.library()["path"])
    stub.confd_stub_live_allocations.restype = ctypes.c_long
    frame = bytes.fromhex({frame!r})
    reader, writer = socket.socketpair()

    def attempt(nth):
        writer.sendall(frame)
        set_nomemory(nth)
        try:
            events.read_notification(reader)
        except MemoryError:
            return False
        finally:
            remove_mem_hooks()
        return True

    attempt(10_000)
    before = stub.confd_stub_live_allocations()
    failures = 0
    while not attempt(failures):
        assert stub.confd_stub_live_allocations() == before, failures
        failures += 1
    print(failures)
"""


@pytest.mark.parametrize("kind", ["commit_diff", "progress", "stream_event"])
def test_nothing_leaks_when_memory_is_out(kind: str) -> None:
    pytest.importorskip("_testcapi")
    fields: dict[str, dict[str, Any]] = {
        "commit_diff": {"uinfo": User(username="x" * 50), "comment": "c" * 50},
        "progress": {"attributes": {"name" * 20: "value" * 20}},
        "stream_event": {"stream": "s", "values": [(1, 2, "text" * 20)] * 3},
    }
    frame = encode(kind, **fields[kind]).hex()
    program = textwrap.dedent(PROGRAM).format(frame=frame)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 0
