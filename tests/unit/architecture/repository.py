"""The repository's own files, as the tests of its architecture read them."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

PRODUCT = ("app.py", "worker.py", "engine/", "blueprints/")
"""Where the product's own Python is."""


@cache
def files() -> tuple[Path, ...]:
    """What is, or would be, committed: relative paths."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = (Path(name) for name in listed.split("\0") if name)
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


def under(*prefixes: str, suffix: str = "") -> list[Path]:
    return [
        path
        for path in files()
        if path.as_posix().startswith(prefixes) and path.name.endswith(suffix)
    ]


def product_python() -> list[Path]:
    return under(*PRODUCT, suffix=".py")


def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), str(path))
