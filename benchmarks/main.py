"""`make bench`: the engine beside a handwritten workflow, the pages beside a one-query page."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import engine_figures, page_figures, report
from benchmarks.contenders import contenders
from benchmarks.engine_figures import LONG, SHORT, Amount
from benchmarks.stage import Stage, settings_of, stage


def main() -> int:
    options = _options()
    figures = asyncio.run(_measure(options))
    text = report.table(figures.lines)
    print(f"\n{figures.conditions}\n\n{text}")
    if options.record or not options.quick:
        report.append_results(text, figures.conditions)
    return 0 if all(line.reached is not False for line in figures.lines) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few samples; RESULTS.md unchanged")
    parser.add_argument("--record", action="store_true", help="add to RESULTS.md even if quick")
    return parser.parse_args()


async def _measure(options: argparse.Namespace) -> report.Go:
    amount = Amount(2, 3, 12, 3) if options.quick else Amount(5, 12, 60, 20)
    async with stage() as place, contenders(place, steps=(1, SHORT, LONG)) as all_of_them:
        samples = await engine_figures.measure(all_of_them, amount)
        firsts = await engine_figures.first_steps(all_of_them, amount.rounds * amount.runs)
        lines = engine_figures.figures(samples, firsts, all_of_them[0].name)
        lines += await asyncio.to_thread(_pages, place, options.quick)
        conditions = (
            f"{settings_of(place.store)}; no quota; {_machine()}; {amount.rounds} rounds of "
            f"{amount.runs} single runs, {amount.short} runs of {SHORT} steps at once and "
            f"{amount.long} of {LONG}, contenders in turn."
        )
    return report.Go(lines, conditions)


def _machine() -> str:
    """How busy it is tells how much the figures can be trusted."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[1]:.0f} while measuring"


def _pages(place: Stage, quick: bool) -> list[report.Figure]:
    with tempfile.TemporaryDirectory(prefix="run-studio-bench-") as directory:
        return page_figures.measure(place, Path(directory), requests=100 if quick else 600)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Not the interpreter's own exit: a process that used temporalio may abort in it.
    os._exit(code)
