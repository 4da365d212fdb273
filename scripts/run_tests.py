"""Run the suite in phases, cheapest first; the exit code is 0 only when every phase was green.

    python -m scripts.run_tests [PHASE...]     lint unit integration acceptance e2e drills

Brings what the tests need (Temporal, Chromium; PostgreSQL comes with tests/databases.py) and says
what is missing. Where CI=true nothing may be missing and no test may be skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from engine.settings import Settings
from scripts import find_chromium, find_temporal

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Phase:
    name: str
    options: tuple[str, ...] = ()
    needs_temporal: bool = False
    needs_chromium: bool = False

    @property
    def command(self) -> list[str]:
        if self.name == "lint":
            return ["scripts/lint"]
        pytest = [sys.executable, "-m", "pytest", "-p", "scripts.nothing_skipped", "-q"]
        return [*pytest, *self.options, f"tests/{self.name}"]

    @property
    def again(self) -> list[str]:
        pytest = [sys.executable, "-m", "pytest", "-p", "scripts.nothing_skipped", "-q"]
        return [*pytest, "--last-failed", "--last-failed-no-failures=none", f"tests/{self.name}"]

    @property
    def is_empty(self) -> bool:
        return self.name != "lint" and not any((ROOT / "tests" / self.name).rglob("test_*.py"))


TWO_AT_ONCE = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
TIMED = ("integration", "acceptance", "e2e")
"""They hold real processes to seconds. What fails while others run is run again alone, and must
pass then; both outcomes are printed."""
PHASES = (
    Phase("lint"),
    Phase("unit", TWO_AT_ONCE),
    Phase("integration", TWO_AT_ONCE, needs_temporal=True),
    Phase("acceptance", needs_temporal=True, needs_chromium=True),
    Phase("e2e", TWO_AT_ONCE, needs_temporal=True, needs_chromium=True),
    Phase("drills", needs_temporal=True),
)


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


def chosen(names: list[str]) -> list[Phase]:
    unknown = set(names) - {phase.name for phase in PHASES}
    if unknown:
        known = " ".join(phase.name for phase in PHASES)
        sys.exit(f"There is no phase {', '.join(sorted(unknown))}; there are: {known}")
    return [phase for phase in PHASES if phase.name in names or not names]


def environment(phases: list[Phase], data_dir: str) -> tuple[dict[str, str], list[str]]:
    """What the tests run with, and what is missing. Settings of a product that runs are not."""
    ours = {name.upper() for name in Settings.model_fields}
    variables = {name: value for name, value in os.environ.items() if name not in ours}
    variables["DATA_DIR"] = data_dir
    missing = []
    if any(phase.needs_temporal for phase in phases):
        try:
            found = find_temporal.find(variables)
        except find_temporal.NoTemporal as error:
            missing.append(str(error))
        else:
            say(f"Temporal: {found.binary} ({found.way})")
            variables["TEMPORAL_BINARY"] = str(found.binary)
    if any(phase.needs_chromium for phase in phases):
        chromium = find_chromium.find()
        if chromium is None:
            missing.append("No Chromium: the tests that need a browser are skipped.")
        else:
            say(f"Chromium: {chromium}")
            variables["CHROMIUM"] = str(chromium)
    postgres = "TEST_DATABASE_URL" if "TEST_DATABASE_URL" in os.environ else "the wheel's own"
    say(f"PostgreSQL: {postgres}")
    return variables, missing


def run(phases: list[Phase], variables: dict[str, str]) -> int:
    outcomes = []
    for phase in phases:
        if phase.is_empty:
            outcomes.append((phase, "none yet", 0.0))
            continue
        say(phase.name)
        started = time.monotonic()
        code = subprocess.run(phase.command, cwd=ROOT, env=variables, check=False).returncode
        if code == 1 and phase.name in TIMED:
            say(f"{phase.name}: what failed, once more and one at a time")
            code = subprocess.run(phase.again, cwd=ROOT, env=variables, check=False).returncode
        outcome = "ok" if code == 0 else f"FAILED (exit code {code})"
        outcomes.append((phase, outcome, time.monotonic() - started))
    say("result")
    for phase, outcome, seconds in outcomes:
        print(f"{phase.name:12} {outcome:24} {seconds:6.0f} s")
    return 1 if any(outcome.startswith("FAILED") for _, outcome, _ in outcomes) else 0


def main(names: list[str]) -> int:
    phases = chosen(names)
    with tempfile.TemporaryDirectory(prefix="run-studio-test-") as data_dir:
        variables, missing = environment(phases, data_dir)
        for what in missing:
            say(what)
        if missing and os.environ.get("CI", "").lower() in {"1", "true"}:
            say("in CI nothing may be missing")
            return 1
        return run(phases, variables)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
