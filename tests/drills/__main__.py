"""The long drill: `python -m tests.drills [--runs N] [--seed N] [--report FILE]`.

Exit code 0: every accepted run has ended, and every row is what Temporal's history says.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
from pathlib import Path

from tests.drills import faults
from tests.drills.drill import drill


def main() -> int:
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    print(f"seed {given.seed}, {given.runs} runs", flush=True)
    with tempfile.TemporaryDirectory(prefix="rs-drill-") as directory:
        report = drill(Path(directory), given.seed, given.runs, faults.long, again=True)
    print(report.text())
    if given.report is not None:
        given.report.write_text(report.text() + "\n")
    return 1 if report.violations else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
