"""Mutated and random frames through the real extension, in a child process.

Or frames with other values, but well-formed, each of which must be read.

Each batch of frames has a seed of its own. A child takes the batches of a range of seeds: it sends
each over a socket pair and reads it by read_notifications(). The parent watches: a child that dies
or makes no progress leaves its batch and the seed in shared memory. The frame at fault is found by
trying each alone, and another child goes on behind that seed.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import multiprocessing
import os
import random
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Callable, NamedTuple

import confd_events as events
from confd_events.testing import encode

from .examine import WrongDictError, examine
from .seeds import BUILD, ROOT, seeds, split, well_formed_seeds

# All of a batch must fit into the socket's buffer, for it is sent before it is read.
SOCKET_BUFFER = 1 << 19
BATCH = 64 * 1024
LARGEST = 24 * 1024
SILENCE = 60.0  # seconds without progress: a hang
RANGE = 20_000  # batches of one child
MEMORY_EVERY = 1000  # batches between two looks at the process's memory
MOST_FINDINGS = 20  # a library that fails so often need not be tried further
SENTINEL_EVERY = 8

SAID = BUILD / "stderr"
"""What children and the library in them have said."""

_FORK = multiprocessing.get_context("fork")


class State(ctypes.Structure):
    """What the child is at, in memory that it shares with the parent."""

    _fields_ = (
        ("batches", ctypes.c_uint64),
        ("frames", ctypes.c_uint64),
        ("dicts", ctypes.c_uint64),
        ("errors", ctypes.c_uint64),
        ("first_memory", ctypes.c_uint64),
        ("last_memory", ctypes.c_uint64),
        ("seed", ctypes.c_uint64),
        ("finding", ctypes.c_char * 1000),
        ("size", ctypes.c_uint64),
        ("batch", ctypes.c_uint8 * BATCH),
    )

    batches: int
    frames: int
    dicts: int
    errors: int
    first_memory: int
    last_memory: int
    seed: int
    finding: bytes
    size: int
    batch: Any


class FindingError(Exception):
    """Something that must not happen; the text says what."""


def shared_state() -> State:
    return State.from_buffer(mmap.mmap(-1, ctypes.sizeof(State)))


# Making batches


@cache
def load_mutator() -> ctypes.CDLL:
    """Compile mutate.c; subprocess.CalledProcessError when that fails."""
    BUILD.mkdir(parents=True, exist_ok=True)
    library = BUILD / "libmutate.so"
    source = Path(__file__).with_name("mutate.c")
    compiler = os.environ.get("CC", "cc").split()
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*compiler, *flags, str(source), "-o", str(library)], check=True)
    loaded = ctypes.CDLL(str(library))
    size, seed = ctypes.c_size_t, ctypes.c_uint64
    frame, flag = ctypes.c_char_p, ctypes.POINTER(ctypes.c_int)
    loaded.mutate_frame.argtypes = [ctypes.c_void_p, size, size, frame, size, seed, flag]
    loaded.mutate_frame.restype = size
    loaded.vary_frame.argtypes = [ctypes.c_void_p, size, size, seed]
    loaded.vary_frame.restype = size
    loaded.random_frame.argtypes = [ctypes.c_void_p, size, seed]
    loaded.random_frame.restype = size
    return loaded


class Maker:
    """Batches: mutated frames, now and then one that must arrive as it is."""

    def __init__(self, well_formed: bool) -> None:
        self._mutator = load_mutator()
        self._random = random.Random()
        self._seeds = well_formed_seeds() if well_formed else seeds()
        self._next = self._variant if well_formed else self._mutant
        self._room = ctypes.create_string_buffer(LARGEST)
        self._in_step = ctypes.c_int()

    def _mutant(self) -> bytes:
        seed = self._random.getrandbits(64)
        if seed % 32 == 0:
            size = self._mutator.random_frame(self._room, LARGEST, seed)
            self._in_step.value = 1
            return self._room.raw[:size]
        chosen, other = self._random.choices(self._seeds, k=2)
        ctypes.memmove(self._room, chosen, len(chosen))
        size = self._mutator.mutate_frame(
            self._room, len(chosen), LARGEST, other, len(other), seed, self._in_step
        )
        return ctypes.string_at(self._room, size)

    def _variant(self) -> bytes:
        chosen = self._random.choice(self._seeds)
        ctypes.memmove(self._room, chosen, len(chosen))
        self._in_step.value = 1
        seed = self._random.getrandbits(64)
        size = self._mutator.vary_frame(self._room, len(chosen), LARGEST, seed)
        return ctypes.string_at(self._room, size)

    def batch(self, seed: int) -> tuple[bytes, int, int]:
        """Frames, their number, and how many of them are sentinels; the same for the same seed.

        Ends after a frame whose length is a lie, for nothing after it can be told apart.
        """
        self._random.seed(seed)
        frames: list[bytes] = []
        sentinels = total = 0
        while total < BATCH - LARGEST - 1000 and len(frames) < 256:
            frames.append(self._next())
            total += len(frames[-1])
            if not self._in_step.value:
                break
            if len(frames) % SENTINEL_EVERY == 0:
                frames.append(encode("audit", user="sentinel", usid=sentinels, msg="in step"))
                total += len(frames[-1])
                sentinels += 1
        return b"".join(frames), len(frames), sentinels


# The child: sends and reads


def readings(sock: socket.socket) -> Iterator[tuple[list[Any], bool]]:
    """What each call returned, and whether it ended in an error; up to the end of the stream."""
    while True:
        try:
            yield events.read_notifications(sock), False
        except events.EOF as end:
            yield end.notifications, False
            return
        except events.Error as error:
            yield error.notifications, True


def send(data: bytes) -> socket.socket:
    """A socket from which just this is to be read."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
    with ours:
        ours.sendall(data)
    return theirs


def is_sentinel(notification: Any) -> bool:
    audit = notification.get("audit")
    return audit is not None and audit["user"] == "sentinel"


def read_batch(data: bytes, state: State) -> list[int]:
    """Read and examine all; return the numbers of the sentinels that arrived."""
    sentinels = []
    dicts = 0
    with send(data) as sock:
        for notifications, failed in readings(sock):
            state.errors += failed
            dicts += len(notifications)
            for notification in notifications:
                examine(notification)
                if is_sentinel(notification):
                    sentinels.append(notification["audit"]["usid"])
    state.dicts += dicts  # of a whole batch, as the frames are: the parent may end this any time
    return sentinels


def allocation_counter() -> Callable[[], int]:
    """What the stub library has allocated and not freed; the vendor's does not count."""
    if not events.library()["stub"]:
        return lambda: 0
    counter = ctypes.CDLL(events.library()["path"]).confd_stub_live_allocations
    counter.restype = ctypes.c_long
    return counter


def check_errors(state: State, well_formed: bool) -> None:
    if well_formed and state.errors:
        raise FindingError("refused: a well-formed frame gave an error")


def check_allocations(count: Callable[[], int], before: int) -> None:
    if count() != before:
        gc.collect()
    if count() != before:
        raise FindingError(f"leak: {count() - before} allocations of the library")


def note_memory(state: State) -> None:
    """In kilobytes, and the most there has been in a child: it must not go on growing."""
    state.last_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    state.first_memory = state.first_memory or state.last_memory


def work(state: State, first: int, well_formed: bool) -> None:
    """The batches of a range of seeds, for as long as the parent lets it."""
    maker = Maker(well_formed)
    live = allocation_counter()
    before = live()
    for seed in range(first, first + RANGE):
        state.seed = seed
        data, frames, sentinels = maker.batch(seed)
        ctypes.memmove(state.batch, data, len(data))
        state.size = len(data)
        if read_batch(data, state) != list(range(sentinels)):
            raise FindingError("out of step: a valid frame did not arrive")
        check_errors(state, well_formed)
        check_allocations(live, before)
        state.frames += frames
        state.batches += 1
        if state.batches % MEMORY_EVERY == 0:
            note_memory(state)


def try_alone(state: State, _: int, well_formed: bool) -> None:
    """What one frame does, whichever way it ends."""
    live = allocation_counter()
    before = live()
    read_batch(bytes(state.batch[: state.size]), state)
    check_errors(state, well_formed)
    check_allocations(live, before)


Task = Callable[[State, int], None]


def redirect_stderr() -> None:
    """The vendor's library writes a line for many a frame that it refuses."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with SAID.open("ab") as file:
        os.dup2(file.fileno(), 2)


def guarded(task: Task, state: State, seed: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    redirect_stderr()
    try:
        task(state, seed)
    except FindingError as error:
        state.finding = str(error).encode()[:999]
    except WrongDictError as error:
        state.finding = f"wrong dict: {error}".encode()[:999]
    except Exception as error:
        state.finding = f"unexpected: {error!r}".encode()[:999]


# The parent: watches


def watch(task: Task, state: State, seed: int, enough: Callable[[], bool]) -> str:
    """Run a task in a child until it ends or there is enough; return what was found, or ""."""
    child = _FORK.Process(target=guarded, args=(task, state, seed))
    child.start()
    batches, since = state.batches, time.monotonic()
    while child.is_alive() and not enough():
        child.join(0.2)
        if state.batches != batches:
            batches, since = state.batches, time.monotonic()
        if time.monotonic() - since > SILENCE:
            child.kill()
            child.join()
            return f"hang: no progress for {SILENCE:g} s"
    if child.is_alive():
        child.kill()
        child.join()
        return ""
    if child.exitcode:
        return f"crash: the process ended with {child.exitcode}"
    return state.finding.decode()


def culprit(data: bytes, well_formed: bool) -> bytes:
    """The frame that is at fault alone; all of them if none is."""
    for frame in split(data):
        alone = shared_state()
        ctypes.memmove(alone.batch, frame, len(frame))
        alone.size = len(frame)
        if watch(partial(try_alone, well_formed=well_formed), alone, 0, lambda: False):
            return frame
    return data


def save(data: bytes, finding: str) -> Path:
    name = f"{finding.split(':')[0].replace(' ', '-')}-{sha256(data).hexdigest()[:12]}.frames"
    path = BUILD / "found" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


class Found(NamedTuple):
    """Something that was found, and the seed of its batch."""

    seed: int
    what: str
    path: Path

    def __str__(self) -> str:
        path, said = self.path.relative_to(ROOT), SAID.relative_to(ROOT)
        return f"FOUND {self.what}; seed {self.seed}, saved as {path}; see {said}, too"


def search(
    part: str,
    task: Task,
    isolate: Callable[[bytes], bytes],
    state: State,
    seed: int,
    enough: Callable[[], bool],
) -> list[Found]:
    """Range after range until there is enough; behind what is found the next one begins.

    isolate -- what of a batch is at fault
    """
    found: list[Found] = []
    while not enough() and len(found) < MOST_FINDINGS:
        state.finding, state.size, state.first_memory = b"", 0, 0
        what = watch(task, state, seed, enough)
        seed = state.seed + 1
        if what:
            path = save(isolate(bytes(state.batch[: state.size])), what)
            found.append(Found(state.seed, what, path))
            print(f"{part}: {found[-1]}")
    return found


def outcome(found: list[Found]) -> str:
    """How many deaths, hangs and other findings, such as "0 deaths, 1 hangs, 0 other findings"."""
    kinds = [each.what.partition(":")[0] for each in found]
    deaths, hangs = kinds.count("crash"), kinds.count("hang")
    return f"{deaths} deaths, {hangs} hangs, {len(found) - deaths - hangs} other findings"


def run(frames: int, seconds: float, seed: int, well_formed: bool) -> bool:
    """Read so many mutated frames, for so many seconds at most; return whether all went well."""
    state = shared_state()
    began = time.monotonic()
    SAID.unlink(missing_ok=True)
    load_mutator()  # in no child, where its compilation would count as silence

    def enough() -> bool:
        return state.frames >= frames or time.monotonic() - began >= seconds

    task = partial(work, well_formed=well_formed)
    isolate = partial(culprit, well_formed=well_formed)
    found = search("mutation", task, isolate, state, seed, enough)
    kind = "well-formed frames" if well_formed else "frames"
    print(
        f"mutation: {state.frames:,} {kind} in {state.batches:,} connections, "
        f"{time.monotonic() - began:.0f} s, seeds {seed} to {state.seed}: "
        f"{state.dicts:,} dicts, {state.errors:,} errors, {outcome(found)}; resident in the last "
        f"child at first {state.first_memory:,} KB, at last {state.last_memory:,} KB"
    )
    return not found
