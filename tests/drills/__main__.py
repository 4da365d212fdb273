"""The long drill: `python -m tests.drills [--runs N] [--seed N] [--report FILE]`.

Exit code 0: every accepted run has ended, and every row is what Temporal's history says. The plan
is printed before, and is the same for the same seed; `--plan` prints it alone. FILE gets the report
as JSON.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
from pathlib import Path

from tests.drills.drill import drill
from tests.drills.memory import fast_directory
from tests.drills.plan import Length, make_plan


def main() -> int:
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--report", type=Path)
    parser.add_argument("--plan", action="store_true", help="print it, and do nothing")
    parser.add_argument("--keep", type=Path, help="a directory for logs and files, kept")
    given = parser.parse_args()
    plan = make_plan(given.seed, given.runs, Length.LONG)
    print(plan.text(), flush=True)
    if given.plan:
        return 0
    with tempfile.TemporaryDirectory(prefix="rs-drill-", dir=fast_directory()) as directory:
        report = drill(given.keep or Path(directory), plan)
    print(report.text())
    if given.report is not None:
        given.report.write_text(report.as_json() + "\n")
    return 1 if report.violations else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
