"""Runs a forwarder with sinks of all kinds, makes trouble, and reports."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from .report import write
from .run import Run


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak --part forwarder", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long; default 10")
    parser.add_argument("--rate", type=float, default=200, help="numbers a second; default 200")
    parser.add_argument("--seed", type=int, default=1, help="of what goes wrong")
    parser.add_argument("--pause", type=float, default=6, help="seconds between troubles, about")
    parser.add_argument("--keep", metavar="DIRECTORY", help="leave everything there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(options.keep or temporary).resolve()
        home.mkdir(exist_ok=True)
        run = Run(home, options.rate, options.seed, options.pause)
        run.go(options.minutes * 60)
    write(run, options.minutes, sys.stdout)
    return 1 if run.problems else 0


if __name__ == "__main__":
    sys.exit(main())
