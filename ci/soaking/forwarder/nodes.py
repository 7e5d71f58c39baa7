"""The daemons that the forwarder subscribes to, and what each of them has sent."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Callable, Protocol

from confd_events import library
from confd_events.testing import Daemon, value

from .numbers import Owed

NAMESPACE, NUMBER = 100, 101
STREAM = "soak"
_SECOND = 1.0


class Node(Protocol):
    """A daemon that the forwarder subscribes to; its troubles are methods of its own."""

    name: str
    owed: Owed
    troubles: Sequence[str]

    @property
    def keys(self) -> str:
        """In the configuration, beside the name."""

    def running(self) -> AbstractContextManager[None]:
        """Sends; listens until the block is left."""

    def rest(self) -> None:
        """Sends nothing more."""


class Ticker:
    """Does something so many times a second, in a thread, until it is told to end."""

    def __init__(self, rate: float, once: Callable[[], None]) -> None:
        self._rate = rate
        self._once = once
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Ticker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ending.wait(max(0.0, due - time.monotonic())):
            due = max(due + 1 / self._rate, time.monotonic() - _SECOND)
            self._once()


class Sync:
    """Audit records that the daemon waits for: what is acknowledged must arrive."""

    name = "paris"
    troubles: Sequence[str] = ("close", "reset")

    def __init__(self, rate: float) -> None:
        self.owed = Owed()
        self._daemon = Daemon(product=_product())
        self._sender = Ticker(rate, self._send)
        self._next = 1
        self._seen = 0

    @property
    def keys(self) -> str:
        return _keys(self._daemon.address["port"], 'subscribe = ["audit", "audit-sync"]')

    @contextmanager
    def running(self) -> Iterator[None]:
        with self._daemon, self._sender, Ticker(1.0, self._look):
            yield
        self._look()

    def rest(self) -> None:
        self._sender.end()

    def _send(self) -> None:
        if not self._daemon.subscribers:
            return
        self._daemon.audit(user="ada", usid=self._next, msg="committed the configuration")
        self.owed.send()
        self._next += 1

    def _look(self) -> None:
        """Notes what was acknowledged."""
        found = self._daemon.acknowledgements
        for each in found[self._seen :]:
            assert each.id is not None
            self.owed.must_arrive(each.id)
        self._seen = len(found)

    def close(self) -> None:
        self._daemon.disconnect()

    def reset(self) -> None:
        self._daemon.disconnect(reset=True)


class Stream:
    """Events of a stream with a log: all must arrive."""

    name = "lyon"
    troubles: Sequence[str] = ("close", "reset")

    def __init__(self, rate: float) -> None:
        self.owed = Owed()
        self._daemon = Daemon(product=_product())
        self._daemon.add_stream(STREAM)
        self._daemon.add_names({NUMBER: "number"})
        self._daemon.add_namespace(NAMESPACE, "soak")
        self._sender = Ticker(rate, self._send)
        self._next = 1

    @property
    def keys(self) -> str:
        return _keys(self._daemon.address["port"], f'streams = ["{STREAM}"]')

    @contextmanager
    def running(self) -> Iterator[None]:
        with self._daemon, self._sender:
            yield

    def rest(self) -> None:
        self._sender.end()

    def _send(self) -> None:
        if self._next == 1 and not self._daemon.subscribers:
            return  # the first run of a forwarder begins with what comes from then on
        number = value.uint32(self._next)
        self._daemon.stream_event(stream=STREAM, values=[(NAMESPACE, NUMBER, number)])
        self.owed.send()
        self.owed.must_arrive(self._next)
        self._next += 1

    def close(self) -> None:
        self._daemon.disconnect()

    def reset(self) -> None:
        self._daemon.disconnect(reset=True)


class Mortal:
    """As Sync, by a daemon in a process of its own, which may be killed."""

    name = "nice"
    troubles: Sequence[str] = ("kill", "end")

    def __init__(self, rate: float, seed: int, port: int) -> None:
        self.owed = Owed()
        self._rate = rate
        self._port = port
        self._next = 1
        self._random = random.Random(seed)
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def keys(self) -> str:
        return _keys(self._port, 'subscribe = ["audit", "audit-sync"]')

    @contextmanager
    def running(self) -> Iterator[None]:
        self._start()
        try:
            yield
        finally:
            self._stop("end")

    def rest(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write("rest\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        self._again("kill")

    def end(self) -> None:
        self._again("end")

    def _again(self, how: str) -> None:
        self._stop(how)
        time.sleep(self._random.uniform(0.0, 3.0))
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "soaking.forwarder.node", str(self._port)]
        command += [str(self._next), str(self._rate), _product()]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,))
        self._reader.start()

    def _stop(self, how: str) -> None:
        process, reader = self._process, self._reader
        assert process is not None
        assert process.stdin is not None
        assert reader is not None
        if how == "kill":
            process.kill()
        else:
            process.stdin.close()  # it takes the last acknowledgements
        process.wait()
        reader.join()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.endswith("\n"):
                break  # it was killed
            what, number = line.split()
            if what == "sent":
                self.owed.send()
                self._next = int(number) + 1
            else:
                self.owed.must_arrive(int(number))


def _keys(port: int, more: str) -> str:
    return f'address = "127.0.0.1:{port}"\n{more}\n'


def _product() -> str:
    return str(library()["product"]).lower()
