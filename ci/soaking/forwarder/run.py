"""One run: everything started, trouble made, everything read back and judged."""

from __future__ import annotations

import os
import random
import shlex
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, NamedTuple

from .nodes import Mortal, Node, Stream, Sync
from .numbers import Tally
from .process import ForwarderProcess
from .targets import TARGETS, Target, free_port

_READ = 1.0  # seconds between looks at what has come to a sink
_SAMPLE = 5.0
_SETTLE = 300.0  # seconds for what is there at the end
_SLACK = 8 << 20  # bytes by which memory may differ between two parts of a run


class Sample(NamedTuple):
    """What is measured now and then."""

    at: float
    resident: int
    records: int
    bytes: int
    is_calm: bool
    """Whether the forwarder is no longer killed."""


class Run:
    """In the first half the forwarder is killed, too; in the second, its memory is watched."""

    def __init__(self, home: Path, rate: float, seed: int, pause: float) -> None:
        self._home = home
        self._pause = pause
        self._random = random.Random(seed)
        self.begun = datetime.now(timezone.utc)
        self.nodes: tuple[Node, ...] = (
            Sync(rate * 0.5),
            Stream(rate * 0.25),
            Mortal(rate * 0.25, seed, free_port()),
        )
        self.targets: list[Target] = [kind(home / kind.name, seed) for kind in TARGETS]
        self._parts: list[Node | Target] = [*self.targets, *self.nodes]
        names = [node.name for node in self.nodes]
        self.tallies = {target.name: Tally(names) for target in self.targets}
        self.troubles: Counter[str] = Counter()
        self.samples: list[Sample] = []
        self.problems: list[str] = []
        self._is_calm = False
        self._ending = threading.Event()

    def go(self, seconds: float) -> None:
        """Runs for so long, and until the sinks have what there is then."""
        with ExitStack() as stack:
            for each in self._parts:
                stack.enter_context(each.running())
            forwarder = stack.enter_context(self._forwarder())
            readers = [_thread(self._read, target) for target in self.targets]
            sampler = _thread(self._sample, forwarder)
            self._make_trouble(forwarder, seconds)
            self._settle(forwarder)
            for thread in (*readers, sampler):
                thread.join()
            forwarder.end()
        self.problems += forwarder.problems
        self._judge()

    def _forwarder(self) -> ForwarderProcess:
        config = self._home / "forward.toml"
        config.write_text(self._written())
        seed = self._random.randrange(1 << 30)
        return ForwarderProcess(self._home, config, _compiled(self._home), seed)

    def _written(self) -> str:
        nodes = (f'[[nodes]]\nname = "{n.name}"\n{n.keys}' for n in self.nodes)
        sinks = (f'[[sinks]]\ntype = "{t.name}"\n{t.keys}\nretry = 1\n' for t in self.targets)
        spool = f'drain = 2\n[spool]\npath = "{self._home}/spool.db"\n'
        return "\n".join([spool, *nodes, *sinks])

    # Trouble

    def _make_trouble(self, forwarder: ForwarderProcess, seconds: float) -> None:
        begin = time.monotonic()
        end = begin + seconds
        time.sleep(min(5.0, seconds / 10))
        while time.monotonic() < end:
            self._is_calm = time.monotonic() > begin + seconds / 2
            whom, what = self._random.choice(self._choices(forwarder))
            name = _name(whom)
            self.troubles[f"{name}: {what}"] += 1
            try:
                getattr(whom, what.replace(" ", "_"))()
            except Exception as error:
                self.problems.append(f"{name}: {what}: {repr(error)[:200]}")
            time.sleep(self._random.expovariate(1 / self._pause))

    def _choices(self, forwarder: ForwarderProcess) -> list[tuple[Any, str]]:
        deadly = () if self._is_calm else forwarder.deadly
        every: list[tuple[Any, str]] = [(forwarder, w) for w in (*deadly * 3, *forwarder.harmless)]
        for each in self._parts:
            every += [(each, what) for what in each.troubles]
        return every

    def _settle(self, forwarder: ForwarderProcess) -> None:
        """No more trouble, then nothing more to send; waits until the sinks have all."""
        time.sleep(10)
        for node in self.nodes:
            node.rest()
        time.sleep(5)
        end = time.monotonic() + _SETTLE
        while forwarder.spool()[0] and time.monotonic() < end:
            time.sleep(1)
        if forwarder.spool()[0]:
            self.problems.append(f"{forwarder.spool()[0]} records are left in the spool")
        self._ending.set()

    # Reading back

    def _read(self, target: Target) -> None:
        tally, left = self.tallies[target.name], 30
        while left:
            is_last = self._ending.is_set()
            try:
                found = target.read()
            except Exception as error:  # its server is away
                found, left = [], left - is_last
                if not left:
                    self.problems.append(f"{target.name} can't be read: {error!r}")
            else:
                if is_last and not found:
                    return
            for text in found:
                tally.take(text)
            if not found:
                time.sleep(_READ)

    def _sample(self, forwarder: ForwarderProcess) -> None:
        while not self._ending.wait(_SAMPLE):
            resident, spool = forwarder.resident, forwarder.spool()
            if resident:
                sample = Sample(time.monotonic(), resident, *spool, self._is_calm)
                self.samples.append(sample)
                print(self._progress(sample), file=sys.stderr, flush=True)

    def _progress(self, sample: Sample) -> str:
        counts = " ".join(f"{name} {tally.count}" for name, tally in self.tallies.items())
        sizes = f"{sample.resident >> 20} MB, spool {sample.records} in {sample.bytes >> 20} MB"
        return f"{counts}; {sizes}; {sum(self.troubles.values())} troubles"

    # Judging

    def _judge(self) -> None:
        for name, tally in self.tallies.items():
            for node in self.nodes:
                arrived = tally.arrived[node.name]
                self.problems += [f"{name}, {node.name}: {each}" for each in arrived.problems]
                missing = arrived.missing(node.owed)
                if missing:
                    some = ", ".join(map(str, missing[:10]))
                    self.problems.append(f"{name}, {node.name}: {len(missing)} missing: {some}")
        counts = {tally.count for tally in self.tallies.values()}
        if len(counts) != 1:
            self.problems.append("the sinks do not have the same numbers")
        self._judge_memory()

    def _judge_memory(self) -> None:
        """Compares the beginning of the part in which the forwarder ran on with its end."""
        calm = [sample.resident for sample in self.samples if sample.is_calm]
        part = len(calm) // 4
        if part and max(calm[-part:]) > max(calm[part : 2 * part]) + _SLACK:
            self.problems.append(f"memory grew to {max(calm[-part:])}")


def _name(whom: object) -> str:
    return "forwarder" if isinstance(whom, ForwarderProcess) else str(getattr(whom, "name", ""))


def _thread(target: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread


def _compiled(home: Path) -> Path:
    """The library that lets writes fail; see tests/disk.c."""
    library = home / "disk.so"
    source = Path(__file__).parents[3] / "tests" / "disk.c"
    command = [*shlex.split(os.environ.get("CC", "cc")), "-shared", "-fPIC", str(source)]
    subprocess.run([*command, "-o", str(library)], check=True)
    return library
