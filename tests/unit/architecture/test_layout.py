"""The shape of the repository: small files, one idea each, found by name (architecture.md 2)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.architecture import repository

LONGEST = 300
WRITTEN_BY_HAND = (".py", ".html", ".css", ".js", ".sh")
NAMES_OF_NOTHING = {"utils", "util", "helpers", "helper", "misc", "common", "manager", "managers"}
PRESCRIBED = ("app.py", "pyproject.toml", "worker.py", "docker-compose.ee.yaml")
PRESCRIBED_FOLDERS = ("blueprints", "templates", "migrations", "tests")


def too_long(path: Path, source: str) -> bool:
    return (
        path.suffix in WRITTEN_BY_HAND
        and "vendor" not in path.parts
        and len(source.splitlines()) > LONGEST
    )


def test_no_file_is_longer_than_300_lines() -> None:
    assert [str(p) for p in repository.files() if too_long(p, repository.text(p))] == []


def test_a_long_file_is_found_and_a_vendored_one_is_not() -> None:
    assert too_long(Path("engine/x.py"), "x\n" * 301)
    assert not too_long(Path("engine/x.py"), "x\n" * 300)
    assert not too_long(Path("static/vendor/x.js"), "x\n" * 301)


def test_no_file_or_folder_is_named_after_nothing() -> None:
    named = [
        path
        for path in repository.files()
        if NAMES_OF_NOTHING & {part.lower() for part in [*path.parts[:-1], path.stem]}
    ]
    assert named == []


@pytest.mark.parametrize("name", PRESCRIBED)
def test_the_prescribed_file_is_at_the_top(name: str) -> None:
    assert Path(name) in repository.files()


@pytest.mark.parametrize("name", PRESCRIBED_FOLDERS)
def test_the_prescribed_folder_is_at_the_top(name: str) -> None:
    assert repository.under(f"{name}/")


def test_all_that_is_not_http_is_in_one_package() -> None:
    tops = {path.parts[0] for path in repository.files() if path.suffix == ".py"}
    packages = {"engine", "blueprints", "migrations", "scripts", "benchmarks", "tests"}
    assert tops <= packages | {"app.py", "worker.py", "gunicorn.conf.py"}


def test_imports_run_one_way() -> None:
    linted = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=repository.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr
