"""The report of a run, as Markdown."""

from __future__ import annotations

import platform
from typing import TextIO

from confd_events import __version__, library

from .run import Run

MB = 1 << 20


def write(run: Run, minutes: float, out: TextIO) -> None:
    """Writes the report."""
    known = library()
    print(f"### {run.begun:%Y-%m-%d}, {minutes:g} minutes\n", file=out)
    print(
        f"confd-events {__version__}, {known['product']} {known['version']}"
        f"{' (stub)' if known['stub'] else ''}, Python {platform.python_version()}, "
        f"Linux {platform.release()}.\n",
        file=out,
    )
    trouble = ", ".join(f"{name}: {count}" for name, count in sorted(run.troubles.items()))
    print(f"Trouble made: {sum(run.troubles.values())} times. {trouble}.\n", file=out)
    _write_nodes(run, out)
    _write_sinks(run, out)
    _write_samples(run, out)
    for problem in run.problems:
        print(f"- PROBLEM: {problem}", file=out)
    print("\nFAILED." if run.problems else "Passed.", file=out)


def _write_nodes(run: Run, out: TextIO) -> None:
    print("| node | sent | of that had to arrive |", file=out)
    print("| --- | ---: | ---: |", file=out)
    for node in run.nodes:
        print(f"| {node.name} | {node.owed.sent} | {node.owed.count} |", file=out)
    print(file=out)


def _write_sinks(run: Run, out: TextIO) -> None:
    print("| sink | numbers | came again | missing | torn lines |", file=out)
    print("| --- | ---: | ---: | ---: | ---: |", file=out)
    for name, tally in run.tallies.items():
        missing = sum(len(tally.arrived[node.name].missing(node.owed)) for node in run.nodes)
        counts = (tally.count, tally.repeats, missing, tally.torn)
        print(f"| {name} | {' | '.join(map(str, counts))} |", file=out)
    print(file=out)


def _write_samples(run: Run, out: TextIO) -> None:
    """About a dozen of them."""
    print("| minute | RSS, MB | records in the spool | its size, MB |", file=out)
    print("| ---: | ---: | ---: | ---: |", file=out)
    samples = run.samples
    for sample in samples[:: max(1, len(samples) // 12)]:
        minute = (sample.at - samples[0].at) / 60
        sizes = f"{sample.resident / MB:.1f} | {sample.records} | {sample.bytes / MB:.1f}"
        print(f"| {minute:.1f} | {sizes} |", file=out)
    most = max((sample.bytes for sample in samples), default=0)
    print(f"\nThe spool had {most / MB:.1f} MB at most.\n", file=out)
