"""Runs daemons here and subscribers in another process, and reports."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from typing import Any

from .daemons import Daemons
from .kinds import KINDS
from .report import Report, write


def main() -> int:
    options = parse()
    report = Report(options.minutes)
    daemons = Daemons(options.rate, options.seed)
    with daemons.running():
        with Subscribers(daemons) as subscribers:
            daemons.exact.wait_for_subscribers(
                sum(kind.daemon == "exact" for kind in KINDS.values()), timeout=60
            )
            daemons.begin()
            time.sleep(options.minutes * 60)
            daemons.end()
            subscribers.settle()
        report.finish(daemons, subscribers.samples, subscribers.process.returncode)
    write(report, sys.stdout)
    return 0 if report.passed else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long; default 10")
    parser.add_argument(
        "--rate", type=float, default=1000, help="notifications a second of the exact daemon"
    )
    parser.add_argument("--seed", type=int, default=1, help="of what goes wrong")
    return parser.parse_args()


class Subscribers:
    """The process with the subscribers, and its samples."""

    def __init__(self, daemons: Daemons) -> None:
        command = [sys.executable, "-m", "soaking.subscribers", json.dumps(daemons.addresses)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.samples: list[dict[str, Any]] = []
        self._collecting = threading.Thread(target=self._collect)

    def __enter__(self) -> Subscribers:
        self._collecting.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._collecting.join()

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.samples.append({"at": time.monotonic(), **json.loads(line)})
            progress(self.samples[-1])

    def settle(self) -> None:
        """Waits until nothing more arrives."""
        before = None
        for _ in range(12):
            now = self.received()
            if now == before:
                return
            before = now
            time.sleep(6)  # longer than between two samples

    def received(self) -> int:
        tallies = self.samples[-1]["tallies"].values() if self.samples else []
        return sum(tally["received"] for tally in tallies)


def progress(sample: dict[str, Any]) -> None:
    received = sum(tally["received"] for tally in sample["tallies"].values())
    problems = sum(len(tally["problems"]) for tally in sample["tallies"].values())
    print(
        f"{received} received, {problems} problems, {sample['rss'] / 1e6:.1f} MB, "
        f"{sample['descriptors']} descriptors, {sample['threads']} threads",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
