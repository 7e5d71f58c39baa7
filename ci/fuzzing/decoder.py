"""libFuzzer on the stub library's decoder: built by clang, instrumented, with sanitizers.

Or on the extension's check of frames with that decoder behind it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from .seeds import BUILD, ROOT, seeds

HERE = Path(__file__).parent
CLANGS = ("clang", *(f"clang-{version}" for version in range(21, 11, -1)))
FLAGS = "-O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=undefined"
SANITIZERS = "address,undefined"
# Fewer counters than this, or less growth from an empty corpus, and nothing guides the fuzzer.
FEWEST_COUNTERS, FEWEST_REACHED = 1000, 200
PROOF_RUNS = 300_000
LONGEST = 16_384
EXTENSION = ROOT / "src" / "confd_events" / "extension"
# The stub's release, whose shapes the check has.
LEVEL, PRODUCT = "8.2", "NCS"


class DecoderError(Exception):
    """The fuzzer can't be built or does not do its work; the text says why."""


class Outcome(NamedTuple):
    """What a run of the fuzzer reports."""

    status: int
    counters: int
    covered: int
    frames: int
    summary: str
    output: str


def find_clang() -> str:
    """A clang that can link libFuzzer; DecoderError says what to install."""
    chosen = os.environ.get("CLANG")
    for name in (chosen,) if chosen else CLANGS:
        if shutil.which(name) and _links(name):
            return name
    raise DecoderError(
        "no clang with libFuzzer found; install clang and its runtime (on Debian and Ubuntu: "
        "apt-get install clang-14 libclang-rt-14-dev, or the version there is), or set CLANG"
    )


def _links(clang: str) -> bool:
    source = "int LLVMFuzzerTestOneInput(const char *d, long n) { return !d && n; }"
    command = [clang, "-fsanitize=fuzzer", "-x", "c", "-", "-o", os.devnull]
    return subprocess.run(command, input=source, capture_output=True, text=True).returncode == 0


def shape_tables() -> Path:
    """A folder with shape_tables.h as for the stub, and WITH_PAYLOAD: who has more than a bit."""
    folder = _folder("shapes")
    program = (
        "from confd_events_build.shape_tables import render\n"
        "from confd_events.description.catalog import NOTIFICATIONS\n"
        "bits = {n.name: n.name if n.name.startswith('NCS_') else 'CONFD_' + n.name"
        " for n in NOTIFICATIONS}\n"
        f"print(render({LEVEL!r}, {PRODUCT!r}, bits))\n"
        "payload = [bits[n.name] for n in NOTIFICATIONS if n.member]\n"
        "print(f'#define WITH_PAYLOAD ({\" | \".join(payload)})')"
    )
    rendered = _run([sys.executable, "-c", program], PYTHONPATH=str(ROOT / "src"))
    (folder / "shape_tables.h").write_text(rendered)
    return folder


def build(clang: str, name: str, library: str, program: str) -> Path:
    """The fuzzer with these further flags for the library and the program."""
    sdk = BUILD / f"sdk-{name}"
    made = BUILD / name
    flags = f"{FLAGS} {library}"
    _run([str(ROOT / "ci" / "make-sdk"), "--cflags", flags, str(sdk)], CC=clang)
    command = [
        clang,
        "-std=c11",
        "-D_GNU_SOURCE",
        f"-DCONFD_C_PRODUCT_{PRODUCT}",
        "-Wall",
        "-Wextra",
        "-Werror",
    ]
    command += [*FLAGS.split(), *program.split(), f"-I{sdk}/include", f"-I{ROOT}/ci/stub"]
    command += [str(HERE / "decoder.c"), str(HERE / "mutate.c"), str(sdk / "lib" / "libconfd.a")]
    command += ["-Wl,--wrap=stub_read,--wrap=stub_frame_read", "-o", str(made)]
    _run(command)
    return made


def _run(command: list[str], **environment: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}
    )
    if done.returncode:
        raise DecoderError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def fuzz(program: Path, corpus: Path, *options: str) -> Outcome:
    """Run the fuzzer on a corpus, which it adds to."""
    found = BUILD / "found"
    found.mkdir(parents=True, exist_ok=True)
    command = [str(program), f"-max_len={LONGEST}", f"-dict={HERE / 'terms.dict'}", "-timeout=10"]
    command += [f"-artifact_prefix={found}/{program.name}-", "-print_final_stats=1", *options]
    done = subprocess.run([*command, str(corpus)], capture_output=True)
    output = done.stderr.decode("utf-8", "replace")
    reported = re.search(r"frames: (\d+) notifications, (\d+) errors, .*, (\d+) refused", output)
    return Outcome(
        done.returncode,
        sum(map(int, re.findall(r"\((\d+) inline 8-bit counters\)", output))),
        max(map(int, re.findall(r"cov: (\d+)", output)), default=0),
        sum(map(int, reported.groups())) if reported else 0,
        reported[0] if reported else "no report",
        output,
    )


def prove(program: Path) -> None:
    """Raises DecoderError unless coverage guides the fuzzer from nothing to notifications."""
    empty = _folder("empty")
    shutil.rmtree(empty)
    outcome = fuzz(program, _folder("empty"), f"-runs={PROOF_RUNS}", "-seed=1")
    reached = f"{outcome.covered} of {outcome.counters} counters, {outcome.summary}"
    if outcome.status or " 0 notifications" in outcome.summary:
        raise DecoderError(f"from nothing to {reached}\n{outcome.output[-4000:]}")
    if outcome.counters < FEWEST_COUNTERS or outcome.covered < FEWEST_REACHED:
        raise DecoderError(f"no coverage: {reached}")
    print(f"decoder: coverage guides it: {PROOF_RUNS:,} inputs led from nothing to {reached}")


def _folder(name: str) -> Path:
    folder = BUILD / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _corpus() -> Path:
    corpus = _folder("corpus")
    for number, frame in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(frame)
    return corpus


def lines_covered(clang: str, corpus: Path) -> str:
    """A table of what the corpus reaches in the decoder's sources; "" without llvm-cov."""
    tools = [_tool(clang, "llvm-profdata"), _tool(clang, "llvm-cov")]
    if None in tools:
        return ""
    flags = "-fprofile-instr-generate -fcoverage-mapping"
    program = build(clang, "lines", flags, f"{flags} -fsanitize=fuzzer")
    raw, merged = str(BUILD / "lines.profraw"), str(BUILD / "lines.profdata")
    _run([str(program), "-runs=0", str(corpus)], LLVM_PROFILE_FILE=raw)
    _run([str(tools[0]), "merge", "-sparse", raw, "-o", merged])
    return _run(
        [
            str(tools[1]),
            "report",
            str(program),
            f"-instr-profile={merged}",
            "-show-branch-summary=0",
        ]
        + [str(path) for path in sorted((ROOT / "ci" / "stub").glob("*.c"))]
    )


def _tool(clang: str, name: str) -> str | None:
    return shutil.which(clang.replace("clang", name))


SANITIZED = f"-fsanitize=fuzzer-no-link,{SANITIZERS}", f"-fsanitize=fuzzer,{SANITIZERS}"


def run(frames: int, seconds: float, seed: int) -> bool:
    """Decode so many frames, for so many seconds at most; return whether all went well.

    Raises DecoderError when the fuzzer can't be built.
    """
    clang = find_clang()
    program = build(clang, "decoder", *SANITIZED)
    prove(program)
    corpus = _corpus()
    outcome = _bounded("decoder", program, corpus, frames, seconds, seed)
    if outcome.status == 0:
        print(lines_covered(clang, corpus), end="")
    return outcome.status == 0


def run_check(frames: int, seconds: float, seed: int) -> bool:
    """The same with the extension's check of frames before the decoder.

    Frames must have been refused and read, else nothing was tried.
    """
    library, program = SANITIZED
    checked = f"{program} -DCHECKED -I{EXTENSION} -I{shape_tables()}"
    built = build(find_clang(), "check", library, checked)
    outcome = _bounded("check", built, _corpus(), frames, seconds, seed)
    tried = re.search(r": [1-9]\d* notifications, .* [1-9]\d* refused", outcome.summary)
    if not tried:
        print("check: FOUND no frame that is read, or none that is refused")
    return outcome.status == 0 and bool(tried)


def _bounded(
    what: str, program: Path, corpus: Path, frames: int, seconds: float, seed: int
) -> Outcome:
    """Run it, and print what came of it."""
    limits = (f"-runs={frames}", f"-max_total_time={max(1, int(seconds))}", f"-seed={seed}")
    outcome = fuzz(program, corpus, *limits)
    took = re.search(r"Done \d+ runs in (\d+) second", outcome.output)
    print(
        f"{what}: {outcome.frames:,} frames in {took[1] if took else '?'} s, seed {seed}: "
        f"{outcome.summary}; {outcome.covered} of {outcome.counters} counters; "
        f"{len(list(corpus.iterdir()))} inputs in the corpus"
    )
    if outcome.status:
        print(f"{what}: FOUND\n{outcome.output[-6000:]}")
    return outcome
