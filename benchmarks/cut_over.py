"""`python -m benchmarks.cut_over`: the cut-over of a million runs, on PostgreSQL and on SQLite.

Each is done on copies of one database: the bare UPDATEs, the cut-over with readers beside it, the
cut-over alone, and the cut-over killed in the middle and started again. Results are kept in
RESULTS-cut-over.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks import cut_over_figures as figures
from benchmarks.cut_over_rows import Size, build
from benchmarks.kept import add_results
from benchmarks.places import PLACES, Place, database, place
from engine.store import schema

RESULTS: Final = Path(__file__).with_name("RESULTS-cut-over.md")
_HEAD: Final = "# The cut-over at scale\n\nMade by `python -m benchmarks.cut_over`.\n"
AT_MOST: Final = 2.0
"""Times the bare UPDATEs: docs/measured.md 5 has a quarter more for the same rows."""
READER_S: Final = 1.0


def measure(where: Place, size: Size) -> list[tuple[str, str, bool | None]]:
    """What was measured, how much it was, and whether that is what was to be reached."""
    with database(where, "seed") as engine:
        build(engine, size)
    with database(where, "bare", "seed") as engine:
        bare = figures.bare_updates(engine, keep=True)
    with database(where, "read", "seed") as engine, figures.readers(engine) as waits:
        schema.upgrade(engine)
    # Timed without the reader: a thread that never pauses takes half a processor from it.
    with database(where, "whole", "seed") as engine:
        began = time.monotonic()
        with figures.clock() as spent:
            schema.upgrade(engine, "0002")
        revision = time.monotonic() - began
        schema.upgrade(engine)
        head = time.monotonic() - began
    ours = spent["batches"] + spent["indexes"]
    return [
        ("bare UPDATEs, one a table, in one transaction", f"{bare:.2f} s", None),
        (
            "the cut-over's own: two indexes and the batches of 500",
            f"{ours:.2f} s, {ours / bare:.2f} times",
            ours <= AT_MOST * bare,
        ),
        (
            "the whole revision, with what it looks at before and the CHECKs",
            f"{revision:.2f} s",
            None,
        ),
        ("to head, with the indexes of lists and pages", f"{head:.2f} s", None),
        (
            f"longest wait of a reader, of {len(waits)} reads",
            f"{max(waits) * 1000:.0f} ms",
            max(waits) < READER_S,
        ),
        *_interrupted(where, size),
    ]


def _interrupted(where: Place, size: Size) -> list[tuple[str, str, bool | None]]:
    with database(where, "killed", "seed") as engine:
        done = figures.upgrade_and_kill(engine)
        began = time.monotonic()
        schema.upgrade(engine, "0002")
        took = time.monotonic() - began
        whole = figures.canceled(engine) == size.stranded and not figures.still_open(engine)
        once = figures.fingerprint(engine)
        schema.stamp(engine, "0001")
        schema.upgrade(engine, "0002")
        same = figures.fingerprint(engine) == once
    return [
        (f"kill -9 after {done} runs, then started again", f"{took:.2f} s", whole),
        ("once more over what is done: rows changed", "none" if same else "some", same),
    ]


def _report(lines: list[tuple[str, str, bool | None]]) -> str:
    verdicts = {True: "reached", False: "**missed**", None: ""}
    rows = [f"| {what} | {much} | {verdicts[reached]} |" for what, much, reached in lines]
    return "\n".join(["| what | | |", "|---|---|---|", *rows])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--stranded", type=int, default=5_000)
    parser.add_argument("--database", choices=sorted(PLACES), action="append")
    parser.add_argument("--keep", action="store_true", help="add the results to the page")
    options = parser.parse_args()
    size = Size(options.runs, options.stranded)
    texts, good = [], True
    for kind in options.database or sorted(PLACES):
        with place(kind) as where:
            lines = measure(where, size)
        good = good and all(reached is not False for _, _, reached in lines)
        load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
        title = (
            f"{kind}: {size.runs:,} runs, {size.stranded:,} stranded, {size.open_waits:,} open "
            f"waits; {os.cpu_count()} cores, load {load}"
        )
        texts.append(f"{title}\n\n{_report(lines)}")
        print(f"\n{texts[-1]}", flush=True)
    if options.keep:
        add_results(RESULTS, _HEAD, "\n\n".join(texts))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
