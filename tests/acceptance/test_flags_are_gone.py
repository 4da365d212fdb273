"""PRD: `grep -r` for the engine flags over the repository returns nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.acceptance.conftest import MISLEADING, ORIGINAL
from tests.acceptance.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]
TOOLS = [".git", ".venv", "var", ".mypy_cache", ".ruff_cache", ".pytest_cache", "__pycache__"]


def grep(word: str, folder: Path) -> str:
    excluded = [f"--exclude-dir={name}" for name in TOOLS]
    command = ["grep", "-r", *excluded, "--", word, "."]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("ending", ["ENABLE", "TEMPORAL"])
def test_grep_finds_no_flag_and_no_queue_variable(ending: str) -> None:
    assert grep(f"{ORIGINAL}_{ending}", ROOT) == ""


def test_grep_would_find_one(tmp_path: Path) -> None:
    (tmp_path / "file.env").write_text(f"{ORIGINAL}_" + "ENABLE_DB_POLLING=true\n")
    assert grep(f"{ORIGINAL}_" + "ENABLE", tmp_path)


@pytest.mark.temporal
def test_set_to_anything_they_change_nothing(visitor: Visitor, hello: str) -> None:
    """The product of these tests runs with them set to mislead."""
    assert MISLEADING
    assert visitor.wait_for_end(visitor.run_now(hello)) == "SUCCEEDED"
