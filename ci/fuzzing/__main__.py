"""Fuzzing, part by part; what ci/fuzz runs."""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import time

from confd_events import library

from . import answers, decoder, mutation
from .seeds import ROOT

PARTS = ("structured", "mutation", "answers", "decoder", "check")
QUICK_SECONDS, QUICK_EXAMPLES = 12, 50
SILENCE, SECONDS_FOR_EXAMPLE = 120.0, 0.5
ENDED = re.compile(r"crashed while running '([^']+)'")
NO_LIMIT = 2**31 - 1  # the most that libFuzzer takes


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="ci/fuzz",
        description="Feed notifications and nonsense to the extension and to the stub library. "
        "What is found is saved in build/fuzz/found.",
        epilog="structured: built by hypothesis, and the dicts compared; mutation: changed and "
        "random frames through the extension, in a child process; answers: the same with what a "
        "daemon answers to MAAPI; decoder: libFuzzer on the stub's decoder, with clang; check: the "
        "same behind the extension's check of frames. With a library other than the stub, by --sdk "
        "DIR, mutation is run a second time, with well-formed frames; what needs the stub is left "
        "out, and answers of a shared library unless named, for many end the process. Without "
        "--link, all is done with the static library, then with the shared one, where they work on "
        "this host.",
    )
    # choices would refuse the empty list in some releases of Python
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument(
        "--well-formed",
        action="store_true",
        help="mutation with other values alone, as daemons could send them",
    )
    parser.add_argument("--frames", type=int, help="of all but structured, each", metavar="N")
    parser.add_argument("--seconds", type=float, help="for each of these at most", metavar="N")
    parser.add_argument("--examples", type=int, help="of each structured test", metavar="N")
    parser.add_argument("--quick", action="store_true", help="about a minute in all")
    parser.add_argument(
        "--seed",
        type=int,
        help="to repeat a run, or one batch of mutation; default: random",
        metavar="N",
    )
    given = parser.parse_args()
    for part in given.parts:
        if part not in PARTS:
            parser.error(f"no part {part!r}: {', '.join(PARTS)}")
    return given


def structured(examples: int, seed: int) -> bool:
    """Run the tests by hypothesis with so many examples each; return whether all went well.

    They run in a process of their own: when one ends it, or hangs, another goes on with the others.
    """
    began = time.monotonic()
    longest = SILENCE + examples * SECONDS_FOR_EXAMPLE
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "1"]
    command += ["-o", f"faulthandler_timeout={longest}"]
    command += ["-o", "faulthandler_exit_on_timeout=true"]
    command += [f"--hypothesis-seed={seed}", str(ROOT / "tests" / "test_fuzz.py")]
    environment = {**os.environ, "CONFD_EVENTS_FUZZ_EXAMPLES": str(examples)}
    ended: set[str] = set()
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as tests:
        for line in tests.stdout or ():
            print(line, end="")
            ended.update(ENDED.findall(line))
    print(
        f"structured: {examples:,} examples of each test, {time.monotonic() - began:.0f} s, "
        f"seed {seed}: {len(ended)} deaths or hangs"
    )
    for test in sorted(ended):
        print(f"structured: FOUND the process ended, or hung for {longest:.0f} s: {test}")
    return tests.returncode == 0


def run_fuzzer(part: str, frames: int, seconds: float, seed: int) -> bool:
    """libFuzzer on the stub's decoder, or on the check with it; without clang it is a failure."""
    run = {"decoder": decoder.run, "check": decoder.run_check}[part]
    try:
        return run(frames, seconds, seed)
    except decoder.DecoderError as error:
        print(f"{part}: NOT RUN: {error}")
        return False


def default_parts() -> tuple[str, ...]:
    """What the library can be asked for: linked shared, the vendor's gets answers unchecked."""
    if library()["stub"]:
        return PARTS
    return PARTS[:3] if library()["link"] == "static" else PARTS[:2]


def main() -> int:
    """Run the parts; 0 when nothing was found."""
    given = arguments()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    parts = given.parts or default_parts()
    seconds = given.seconds or (QUICK_SECONDS if given.quick else NO_LIMIT)
    frames = given.frames or (NO_LIMIT if given.seconds or given.quick else 1_000_000)
    examples = given.examples or (QUICK_EXAMPLES if given.quick else 10_000)
    seed = random.getrandbits(31) if given.seed is None else given.seed
    well = True
    if "structured" in parts:
        well &= structured(examples, seed)
    if "mutation" in parts:
        if not given.well_formed:
            well &= mutation.run(frames, seconds, seed, well_formed=False)
        if given.well_formed or not library()["stub"]:
            well &= mutation.run(frames, seconds, seed, well_formed=True)
    if "answers" in parts:
        well &= answers.run(frames, seconds, seed)
    for part in ("decoder", "check"):
        if part in parts:
            well &= run_fuzzer(part, frames, seconds, seed)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
