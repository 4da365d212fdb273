"""PRD: full test suite green. What CI runs is the whole suite, and nothing of it can be skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.run_tests import PHASES

ROOT = Path(__file__).resolve().parents[2]


def test_ci_runs_the_command_that_people_run() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "make --no-print-directory test" in script
    assert "set -euo pipefail" in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_every_folder_of_tests_is_a_phase() -> None:
    folders = {path.parent.relative_to(ROOT / "tests").parts[0] for path in all_tests()}
    assert folders <= {phase.name for phase in PHASES}


def all_tests() -> list[Path]:
    return list((ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_skipped_test_fails_ci_and_says_why(tmp_path: Path, ci: str, code: int) -> None:
    (tmp_path / "test_one.py").write_text(
        "import pytest\ndef test_a(): pytest.skip('no reason at all')\ndef test_b(): pass\n"
    )
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "scripts.nothing_skipped",
            "-q",
            "-ra",
            str(tmp_path),
        ],
        cwd=ROOT,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == code, ran.stdout
    assert "no reason at all" in ran.stdout
