"""The report of a long run, as Markdown, and its verdict."""

from __future__ import annotations

import platform
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TextIO

from confd_events import __version__, library

from .kinds import KINDS

if TYPE_CHECKING:
    from .daemons import Daemons

MB = 1 << 20
# What may differ between the middle and the end of a run that holds nothing: subscriptions come
# and go all the time.
SLACK = {"rss": 4 * MB, "descriptors": 12, "threads": 8}


class Report:
    """What was seen, and what of it is wrong."""

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes
        self.begun = datetime.now(timezone.utc)
        self.samples: list[dict[str, Any]] = []
        self.sent: dict[str, int] = {}
        self.events = 0
        self.troubles: dict[str, int] = {}
        self.problems: list[str] = []

    @property
    def passed(self) -> bool:
        """Whether all was as promised."""
        return not self.problems

    def finish(self, daemons: Daemons, samples: list[dict[str, Any]], status: int) -> None:
        """Takes the figures and judges."""
        self.samples, self.troubles = samples, dict(daemons.troubles)
        self.sent, self.events = dict(daemons.sent), daemons.events
        if status:
            self.problems.append(f"the subscribers' process ended with status {status}")
        if samples:
            self._judge_counts(samples[-1]["tallies"])
            self._judge_presence()
            self._judge_growth()

    def _judge_counts(self, tallies: dict[str, Any]) -> None:
        for name, tally in tallies.items():
            self.problems += [f"{name}: {problem}" for problem in tally["problems"]]
            kind = KINDS[name]
            accounted = tally["received"] + tally["dropped"]
            if kind.daemon == "exact" and accounted != self.sent[kind.method]:
                self.problems.append(
                    f"{name}: {self.sent[kind.method]} sent, {accounted} received or dropped"
                )
            if kind.daemon == "stream" and tally["last"] != self.events:
                self.problems.append(f"{name}: {self.events} sent, the last was {tally['last']}")

    def _judge_presence(self) -> None:
        """Who does not come back is sent nothing, and so misses nothing."""
        most = max(self.sent.values(), default=0)
        for method, sent in self.sent.items():
            if sent < most * 0.9:
                self.problems.append(f"who is sent {method} was away: {sent} instead of {most}")

    def _judge_growth(self) -> None:
        """Compares the second quarter of the run with the last."""
        count = len(self.samples) - 1  # the last is taken when all is closed
        middle, end = self.samples[count // 4 : count // 2], self.samples[count * 3 // 4 : count]
        if not middle or not end:
            return
        for key, slack in SLACK.items():
            before, after = (max(s[key] for s in part) for part in (middle, end))
            if after > before + slack:
                self.problems.append(f"{key} grew from {before} to {after}")


def write(report: Report, out: TextIO) -> None:
    """Writes the report."""
    known = library()
    print(f"### {report.begun:%Y-%m-%d}, {report.minutes:g} minutes\n", file=out)
    print(
        f"confd-events {__version__}, {known['product']} {known['version']}"
        f"{' (stub)' if known['stub'] else ''}, Python {platform.python_version()}, "
        f"Linux {platform.release()}.\n",
        file=out,
    )
    trouble = ", ".join(f"{name}: {count}" for name, count in sorted(report.troubles.items()))
    print(f"Trouble made: {trouble}.\n", file=out)
    _write_counts(report, out)
    _write_growth(report, out)
    for problem in report.problems:
        print(f"- PROBLEM: {problem}", file=out)
    print("Passed." if report.passed else "\nFAILED.", file=out)


def _write_counts(report: Report, out: TextIO) -> None:
    print("| subscriber | sent | received | dropped | acknowledged | reconnects |", file=out)
    print("| --- | --- | --- | --- | --- | --- |", file=out)
    for name, tally in report.samples[-1]["tallies"].items():
        kind = KINDS[name]
        sent: object = {"exact": report.sent.get(kind.method), "stream": report.events}.get(
            kind.daemon, ""
        )
        counts = [tally[key] for key in ("received", "dropped", "acknowledged", "reconnects")]
        print(f"| {name} | {sent} | {' | '.join(map(str, counts))} |", file=out)
    print(file=out)


def _write_growth(report: Report, out: TextIO) -> None:
    """About ten of the samples."""
    samples = report.samples
    print("| minute | RSS, MB | descriptors | threads |", file=out)
    print("| --- | --- | --- | --- |", file=out)
    for sample in samples[:: max(1, len(samples) // 10)]:
        minute = (sample["at"] - samples[0]["at"]) / 60
        row = f"{sample['rss'] / MB:.1f} | {sample['descriptors']} | {sample['threads']}"
        print(f"| {minute:.1f} | {row} |", file=out)
    print(file=out)
