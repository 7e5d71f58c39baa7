"""Mutated answers of MAAPI through the real extension, in a child process.

What the simulated daemon answers is recorded once. Then each exchange is that again, with one
answer changed: of the connection, of the functions that read what a commit changes, or of loading
the schemas. Each has a seed of its own; now and then one is as recorded, and must be read whole.
"""

from __future__ import annotations

import ctypes
import random
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Callable

import confd_events as events
from confd_events import maapi
from confd_events.testing import Daemon, DataChange

from .mutation import (
    LARGEST,
    RANGE,
    SAID,
    FindingError,
    State,
    load_mutator,
    outcome,
    search,
    shared_state,
)
from .seeds import split

HANDSHAKE = 9  # bytes of the daemon's answer to a hello
WORD = 4  # an operation, or a length
TERM = 131  # with this byte a term begins
THANDLE = 17
STATES = 4711  # a namespace
SENTINEL_EVERY = 16
CHANGES = [
    DataChange("modified", "/ex:servers/server{db}"),
    DataChange("created", '/ex:servers/server{www "a b"}'),
    DataChange("value-set", "/ex:servers/server{www}/ip", "10.0.0.1", old="10.0.0.2"),
    DataChange("value-set", "/ex:servers/server{www}/mtu", 1500),
    DataChange("moved-after", "/ex:servers/server{x}", ["y"]),
    DataChange("attr-set", "/ex:servers/server{x}", [3, "note"]),
    DataChange("deleted", "/ex:a"),
]

Exchange = Callable[[str], int]
"""Speaks with the daemon at a path; returns how much it read."""


# The client


def read_changes(path: str) -> int:
    """All that is asked of a transaction; returns the number of changes."""
    found: list[maapi.HKeypathRef] = []
    with socket.socket(socket.AF_UNIX) as sock:
        maapi.connect(sock, path=path)
        maapi.attach2(sock, 0, 0, THANDLE)
        maapi.diff_iterate(sock, THANDLE, lambda changed, *_: found.append(changed))
        maapi.get_elem(sock, THANDLE, found[3])
        maapi.detach2(sock, THANDLE)
    return len(found)


def read_schemas(path: str) -> int:
    """Loads the names; returns 1."""
    events.load_schemas(path=path)
    return 1


EXCHANGES: tuple[tuple[Exchange, int], ...] = ((read_changes, len(CHANGES)), (read_schemas, 1))
"""Each with what it returns of answers that nobody has changed."""

# Of schemas the check looks at the terms alone, and the vendor's library needs more than that.
ASKED = len(EXCHANGES) if events.library()["stub"] else 1


# What the simulated daemon answers


@contextmanager
def waiting_commit(path: str) -> Iterator[None]:
    """A simulated daemon with a transaction that waits."""
    with Daemon(path=path) as daemon, socket.socket(socket.AF_UNIX) as subscriber:
        events.notifications_connect(subscriber, events.NOTIF_COMMIT_DIFF, path=path)
        daemon.add_enumeration(STATES, "/ex:servers/state", {1: "up", 2: "down"})
        daemon.wait_for_subscribers()
        daemon.commit_diff(thandle=THANDLE, changes=CHANGES)
        yield


def copy(source: socket.socket, to: socket.socket, copied: bytearray) -> None:
    while chunk := source.recv(65536):
        copied += chunk
        to.sendall(chunk)
    to.shutdown(socket.SHUT_WR)


def answers_to(exchange: Exchange, directory: Path) -> bytes:
    """Record what the daemon says in an exchange."""
    there, here = str(directory / "daemon"), str(directory / "relay")
    said = bytearray()
    with waiting_commit(there), socket.socket(socket.AF_UNIX) as listener:
        listener.bind(here)
        listener.listen()
        client = threading.Thread(target=exchange, args=(here,))
        client.start()
        ours, _ = listener.accept()
        with ours, socket.socket(socket.AF_UNIX) as theirs:
            theirs.connect(there)
            asking = threading.Thread(target=copy, args=(ours, theirs, bytearray()))
            asking.start()
            copy(theirs, ours, said)
            asking.join()
        client.join()
    return bytes(said)


@cache
def recorded() -> list[list[bytes]]:
    """The answers of each exchange, one by one; made once, before there are children."""
    found = []
    for exchange, _ in EXCHANGES:
        with tempfile.TemporaryDirectory() as directory:
            said = answers_to(exchange, Path(directory))
        found.append([said[:HANDSHAKE], *split(said[HANDSHAKE:])])
    return found


# Making exchanges


class Maker:
    """Answers of which one is changed."""

    def __init__(self) -> None:
        self._mutator = load_mutator()
        self._random = random.Random()
        self._room = ctypes.create_string_buffer(LARGEST)

    def exchange(self, seed: int) -> tuple[int, bytes]:
        """Which exchange, and all answers of the daemon; the same for the same seed."""
        self._random.seed(seed)
        which = self._random.randrange(ASKED)
        answers = list(recorded()[which])
        if seed % SENTINEL_EVERY:
            place = self._random.randrange(len(answers))
            answers[place] = self._changed(answers[place])
        return which, b"".join(answers)

    def _changed(self, answer: bytes) -> bytes:
        if len(answer) == HANDSHAKE:
            return self._with_other_bytes(answer)
        head = 0 if answer[WORD] == TERM else WORD  # an operation stands before the terms of most
        term = answer[WORD + head :]
        if not term or self._random.random() < 0.1:
            return self._with_other_bytes(answer)
        mutated = self._mutated(len(term).to_bytes(WORD, "big") + term)
        if not head:
            return mutated
        length = (int.from_bytes(mutated[:WORD], "big") + head) & 0xFFFFFFFF  # it may be a lie
        return length.to_bytes(WORD, "big") + answer[WORD : 2 * WORD] + mutated[WORD:]

    def _mutated(self, frame: bytes) -> bytes:
        other = self._random.choice(recorded()[1][1:])
        ctypes.memmove(self._room, frame, len(frame))
        in_step, seed = ctypes.c_int(), self._random.getrandbits(64)
        size = self._mutator.mutate_frame(
            self._room, len(frame), LARGEST, other, len(other), seed, in_step
        )
        return ctypes.string_at(self._room, size)

    def _with_other_bytes(self, answer: bytes) -> bytes:
        data = bytearray(answer)
        for _ in range(self._random.randint(1, 3)):
            data[self._random.randrange(len(data))] = self._random.getrandbits(8)
        return bytes(data[: self._random.choice((len(data), self._random.randrange(len(data))))])


# The child


class Answering:
    """A daemon that says to each client what it was told to, whatever the client asks."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.data = b""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            with client, suppress(OSError):  # the client is gone
                client.sendall(self.data)
                client.shutdown(socket.SHUT_WR)  # so that no lie about a length is waited for
                while client.recv(65536):
                    pass


def speak(server: Answering, which: int, data: bytes, state: State) -> None:
    """One exchange; Error is what changed answers may give, and unchanged ones must not."""
    exchange, whole = EXCHANGES[which]
    unchanged = data == b"".join(recorded()[which])
    server.data = data
    found = 0
    try:
        found = exchange(server.path)
        state.dicts += 1
    except (events.Error, IndexError):  # the latter is ours: too few changes came
        state.errors += 1
    if unchanged and found != whole:
        raise FindingError("refused: answers that nobody has changed gave an error")


def work(state: State, first: int) -> None:
    """The exchanges of a range of seeds, for as long as the parent lets it."""
    maker = Maker()
    with tempfile.TemporaryDirectory() as directory:
        server = Answering(str(Path(directory) / "daemon"))
        for seed in range(first, first + RANGE):
            state.seed = seed
            which, data = maker.exchange(seed)
            ctypes.memmove(state.batch, data, len(data))
            state.size = len(data)
            speak(server, which, data, state)
            state.frames += 1
            state.batches += 1


# The parent


def run(exchanges: int, seconds: float, seed: int) -> bool:
    """So many exchanges, for so many seconds at most; return whether all went well."""
    state = shared_state()
    began = time.monotonic()
    SAID.unlink(missing_ok=True)
    load_mutator()
    recorded()

    def enough() -> bool:
        return state.frames >= exchanges or time.monotonic() - began >= seconds

    found = search("answers", work, bytes, state, seed, enough)
    print(
        f"answers: {state.frames:,} exchanges, {time.monotonic() - began:.0f} s, seeds {seed} to "
        f"{state.seed}: {state.dicts:,} to the end, {state.errors:,} errors, {outcome(found)}"
    )
    return not found
