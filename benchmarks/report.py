"""From samples to a table of ratios, and whether what was to be reached is reached."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: ours over theirs."""

    name: str
    ours: float
    theirs: float
    unit: str
    peer: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs if self.theirs else float("nan")

    @property
    def reached(self) -> bool | None:
        if self.at_least is not None:
            return self.ratio >= self.at_least
        if self.at_most is not None:
            return self.ratio <= self.at_most
        return None


@dataclass(frozen=True, slots=True)
class Go:
    """All figures of one go, and what they were taken under."""

    lines: list[Figure]
    conditions: str


def percentile(samples: Sequence[float], share: float) -> float:
    """The sample below which `share` (0..1) of them lie, interpolated."""
    if len(samples) == 1:
        return samples[0]
    return statistics.quantiles(samples, n=100, method="inclusive")[round(share * 100) - 1]


def table(figures: Sequence[Figure]) -> str:
    lines = [
        "| figure | ours | peer | ratio | to reach | |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_line(figure) for figure in figures]
    return "\n".join(lines)


def _line(figure: Figure) -> str:
    wanted = ""
    if figure.at_least is not None:
        wanted = f"at least {figure.at_least:g}"
    elif figure.at_most is not None:
        wanted = f"at most {figure.at_most:g}"
    verdict = {True: "reached", False: "**missed**", None: ""}[figure.reached]
    return (
        f"| {figure.name} | {figure.ours:.4g} {figure.unit} "
        f"| {figure.theirs:.4g} {figure.unit} ({figure.peer}) "
        f"| {figure.ratio:.2f} | {wanted} | {verdict} |"
    )


def append_results(text: str, conditions: str) -> None:
    """Add this go to RESULTS.md, newest first, with date and commit."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    head = "# Results\n\nMade by `make bench`; only ratios carry over to another machine.\n"
    older = RESULTS.read_text() if RESULTS.exists() else head
    before, _, rest = older.partition("\n## ")
    rest = f"\n## {rest}" if rest else ""
    RESULTS.write_text(
        f"{before.rstrip()}\n\n## {now} · {commit}\n\n{conditions}\n\n{text}\n{rest}"
    )
