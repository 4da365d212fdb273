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


BROKEN = {
    "broken.py": "raise RuntimeError('no vault')",
    "broken-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: broken\nVersion: 1\n",
    "broken-1.dist-info/entry_points.txt": "[run_studio.actions]\nbroken = broken\n",
}
"""A package of actions that cannot be imported."""


@pytest.mark.parametrize("program", ["gunicorn", "flask"])
@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        ({"SESSION_HOURS": "0"}, 2, "SESSION_HOURS: "),
        ({"DATA_DIR": "/proc/cannot-be-made"}, 1, "DATA_DIR (/proc/cannot-be-made) "),
        ({"PYTHONPATH": "<broken>"}, 1, "of package broken (broken) cannot be loaded: "),
    ],
    ids=["setting", "folder", "actions"],
)
def test_what_keeps_it_from_starting_is_said_once_and_in_words(
    tmp_path: Path, program: str, wrong: dict[str, str], code: int, said: str
) -> None:
    for name, text in BROKEN.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    arguments = {
        "gunicorn": ["-c", "gunicorn.conf.py", "--bind", "127.0.0.1:0", "app:create_app()"],
        "flask": ["definitions", "list"],
    }
    given = {name: value.replace("<broken>", str(tmp_path)) for name, value in wrong.items()}
    ended = subprocess.run(
        [sys.executable, "-m", program, *arguments[program]],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path), **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr.count(said)) == (code, 1), ended.stderr
    assert "Traceback" not in ended.stderr
