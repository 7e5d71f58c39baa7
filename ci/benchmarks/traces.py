"""From progress notifications of a daemon to spans in a collector, each in a process of its own."""

from __future__ import annotations

import gzip
import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from io import BufferedReader
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Callable, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import confd_events as events
from confd_events.cli._trace import collecting_rarely
from confd_events.error import Error
from confd_events.testing import encode
from confd_events.traces import follow_batches
from confd_events.traces.otlp import OtlpSender

from .memory import resident
from .sender import shake_hands

_PER_SECOND = 35_000  # events that a busy NSO sends
_AT_ONCE = 4  # transactions that run side by side
_START, _STOP, _INFO = 1, 2, 3
_MARK = "fffffff"  # what becomes a transaction's number: 7 digits of its ids
_TID = 0x7A7A7A7A
_TIME = 1_700_000_000_000_000
_TIME_BYTES = 7


class Traced(NamedTuple):
    """How fast spans got from the daemon to the collector."""

    load: str
    events: int
    spans: int
    """That the collector has decoded."""
    lost: int
    """Spans of what was sent that it has not."""
    spans_per_second: float
    cpu_seconds: float
    """Of the program: it reads, makes spans, encodes, compresses and sends them."""
    cpu_us_for_span: float
    collector_cpu_seconds: float
    after_sixth: int
    """Bytes of the program in memory after the first sixth: of a minute, 10 seconds."""
    at_end: int
    """And at the end."""


def traced(folder: Path, seconds: float | None, transactions: int | None) -> Traced:
    """Follow a daemon that sends 35,000 events a second, or so many transactions unpaced."""
    path = folder / f"progress-{seconds or transactions}"
    if seconds:
        transactions = round(seconds * _PER_SECOND / len(_transaction(0)))
    assert transactions is not None
    rounds = max(1, transactions // _AT_ONCE)
    pause = _AT_ONCE * len(_transaction(0)) / _PER_SECOND if seconds else 0.0
    expected = rounds * _AT_ONCE * _SPANS
    with _process(_collect) as collector, _process(_send, str(path), rounds, pause) as daemon:
        collector_port = collector.recv()
        daemon.recv()
        started, before = time.perf_counter(), time.process_time()
        after_sixth, at_end = _forward(
            str(path), f"http://127.0.0.1:{collector_port}/v1/traces", expected
        )
        elapsed, spent = time.perf_counter() - started, time.process_time() - before
        collector.send("end")
        received, collector_spent = collector.recv()
    return Traced(
        f"{_PER_SECOND:,} events a second" if seconds else "unpaced",
        rounds * _AT_ONCE * len(_transaction(0)),
        received,
        expected - received,
        received / elapsed,
        spent,
        spent / max(1, received) * 1e6,
        collector_spent,
        after_sixth,
        at_end,
    )


def _forward(path: str, url: str, expected: int) -> tuple[int, int]:
    """As `confd-events trace --otlp` does it; returns the memory of the process, see Traced."""
    sent, first = 0, 0
    subscription = events.subscribe("progress", address=path, buffer=20_000)
    with closing(OtlpSender(url)) as sender, subscription, suppress(Error), collecting_rarely():
        for batch in follow_batches(subscription):
            sender.send(batch)
            sent += len(batch)
            if not first and sent >= expected // 6:
                first = resident()
    return first, resident()


# The daemon


def _transaction(which: int) -> list[dict[str, Any]]:
    """Its notifications, in their order; times count from _TIME."""
    found: list[dict[str, Any]] = []
    ids: dict[str, Any] = {
        "usid": 41 + which,
        "tid": _TID,
        "datastore": 2,
        "context": "netconf",
        "trace_id": f"{_MARK}{which}-9dc6-4ce0-8ebe-4f3abe763875",
    }

    def step(name: str, number: int, parent: int | None, begin: int, end: int, **more: Any) -> None:
        said = {**ids, "msg": name, "span_id": f"{_MARK}{which}{number:08x}", **more}
        if parent is not None:
            said["parent_span_id"] = f"{_MARK}{which}{parent:08x}"
        found.append({**said, "type": _START, "timestamp": _TIME + begin})
        found.append({**said, "type": _STOP, "timestamp": _TIME + end, "duration": end - begin})

    step("applying transaction", 1, None, 0, 9000)
    for number, (phase, begin, end) in enumerate(
        (("validate", 100, 4000), ("prepare", 4100, 6000), ("commit", 6100, 8900))
    ):
        step(phase, 2 + number, 1, begin, end, attributes={"transaction_phase": phase})
    for number in range(8):
        begin = 200 + 100 * number
        step("creating checkpoint", 5 + number, 2, begin, begin + 80)
    for number in range(6):
        device = {"device": f"ce{number}", "device_phase": "push"}
        step("push configuration", 13 + number, 3, 4200 + number, 5800 + number, attributes=device)
    for number in range(6):
        begin = 6200 + 100 * number
        step("switch to new running", 19 + number, 4, begin, begin + 80, subsystem="cdb")
    commit = {**ids, "msg": "commit", "span_id": f"{_MARK}{which}{4:08x}", "subsystem": "cdb"}
    found += [{**commit, "type": _INFO, "timestamp": _TIME + 6150 + n} for n in range(6)]
    return sorted(found, key=lambda said: int(said["timestamp"]))


_SPANS = sum(said["type"] == _START for said in _transaction(0))


class _Template:
    """The frames of transactions side by side, in which ids and times are replaced."""

    def __init__(self) -> None:
        library = events.library()
        every = [said for which in range(_AT_ONCE) for said in _transaction(which)]
        every.sort(key=lambda said: int(said["timestamp"]))
        frames = bytearray()
        self._times = []
        for said in every:
            frame = encode("progress", library["protocol"], library["product"].lower(), **said)
            at = frame.index(said["timestamp"].to_bytes(_TIME_BYTES, "little"))
            self._times.append((len(frames) + at, said["timestamp"] - _TIME))
            frames += frame
        self._frames = bytes(frames)

    def frames(self, number: int, now: int) -> bytes:
        """The frames of the transactions of a number, which begin now."""
        renewed = self._frames.replace(_MARK.encode(), b"%07x" % number)
        found = bytearray(
            renewed.replace(_TID.to_bytes(4, "big"), (2**24 + number).to_bytes(4, "big"))
        )
        for at, after in self._times:
            found[at : at + _TIME_BYTES] = (now + after).to_bytes(_TIME_BYTES, "little")
        return bytes(found)


def _send(pipe: Connection, path: str, rounds: int, pause: float) -> None:
    template = _Template()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        pipe.send("listening")
        client, _ = listener.accept()
        with client:
            shake_hands(client)
            due = time.monotonic()
            for number in range(1, rounds + 1):
                due += pause
                if pause:
                    time.sleep(max(0.0, due - time.monotonic()))
                client.sendall(template.frames(number, time.time_ns() // 1000))


# The collector


def _collect(pipe: Connection) -> None:
    """Takes requests as cheaply as may be, and counts their spans when no more come."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pipe.send(listener.getsockname()[1])
        client, _ = listener.accept()
    with client, client.makefile("rb") as stream:
        bodies = list(_bodies(client, stream))
    spent = time.process_time()
    spans = 0
    for body in bodies:
        for resource in ExportTraceServiceRequest.FromString(gzip.decompress(body)).resource_spans:
            spans += sum(len(scope.spans) for scope in resource.scope_spans)
    pipe.recv()
    pipe.send((spans, spent))


def _bodies(client: socket.socket, stream: BufferedReader) -> Iterator[bytes]:
    """What is posted over a connection, until it is closed; all is answered well."""
    size = 0
    for line in stream:
        if line.lower().startswith(b"content-length:"):
            size = int(line.partition(b":")[2])
        elif not line.strip():
            yield stream.read(size)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@contextmanager
def _process(run: Callable[..., None], *arguments: object) -> Iterator[Connection]:
    """Another process, and a pipe to it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join(10)
        process.kill()
