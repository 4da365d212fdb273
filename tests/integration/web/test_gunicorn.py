"""How a process of the web ends: with gunicorn's code, without the interpreter's own exit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

ENDING = """
import atexit, runpy, sys
hooks = runpy.run_path("gunicorn.conf.py")
atexit.register(print, "finalizing")
try:
    sys.exit({code})
finally:
    print("leaving")
    hooks["worker_exit"](None, None)
"""


@pytest.mark.parametrize(("code", "seen"), [("0", 0), ("3", 3), ("None", 0)])
def test_a_worker_keeps_its_exit_code_and_leaves_before_python_finalizes(
    tmp_path: Path, code: str, seen: int
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDING.format(code=code)],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (seen, "leaving\n"), ended.stderr
