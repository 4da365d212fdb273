"""`scripts/bootstrap`: which Python it takes, when it installs, when it does nothing.

The interpreter is a stand-in that notes what it is asked to do: installing for real is what every
start of the product and of the suite does anyway.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

PYTHON = """#!/bin/sh
case "$*" in
    --version) echo "Python {version}" ;;
    -c*) [ {version} != 3.10.1 ] && [ {version} != 3.14.0 ] ;;
    "-m venv"*)
        mkdir -p .venv/bin
        cp "$0" .venv/bin/python
        cp "$0" .venv/bin/pip
        ;;
    "-m pip install"*) echo "$*" >> pip-calls; [ ! -e pip-fails ] ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "scripts" / "bootstrap", tmp_path / "scripts")
    (tmp_path / "requirements.lock").write_text("flask==3.1.3 --hash=sha256:00\n")
    (tmp_path / "requirements-dev.lock").write_text("flask==3.1.3 --hash=sha256:00\nruff==1\n")
    return tmp_path


def python(checkout: Path, version: str, name: str = "python3") -> None:
    path = checkout / "bin" / name
    path.write_text(PYTHON.format(version=version))
    path.chmod(0o755)


def bootstrap(checkout: Path, *args: str, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "scripts/bootstrap", *args],
        cwd=checkout,
        env={"PATH": f"{checkout / 'bin'}:/usr/bin:/bin"} | given,
        capture_output=True,
        text=True,
        check=False,
    )


def installs(checkout: Path) -> list[str]:
    calls = checkout / "pip-calls"
    return calls.read_text().splitlines() if calls.exists() else []


def test_the_first_start_installs_the_lock_by_hash(checkout: Path) -> None:
    python(checkout, "3.12.1")
    assert bootstrap(checkout).returncode == 0
    [call] = installs(checkout)
    assert "--require-hashes --requirement requirements.lock" in call


def test_the_second_start_installs_nothing(checkout: Path) -> None:
    python(checkout, "3.11.0")
    bootstrap(checkout)
    second = bootstrap(checkout)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert len(installs(checkout)) == 1


def test_a_changed_lock_is_installed(checkout: Path) -> None:
    python(checkout, "3.13.0")
    bootstrap(checkout)
    (checkout / "requirements.lock").write_text("flask==3.1.4 --hash=sha256:00\n")
    bootstrap(checkout)
    assert len(installs(checkout)) == 2


def test_a_failed_install_is_tried_again(checkout: Path) -> None:
    python(checkout, "3.12.1")
    (checkout / "pip-fails").touch()
    assert bootstrap(checkout).returncode != 0
    (checkout / "pip-fails").unlink()
    assert bootstrap(checkout).returncode == 0
    assert len(installs(checkout)) == 2


def test_the_developers_lock_brings_the_products(checkout: Path) -> None:
    python(checkout, "3.12.1")
    bootstrap(checkout, "dev")
    bootstrap(checkout)
    assert len(installs(checkout)) == 1


@pytest.mark.parametrize("version", ["3.10.1", "3.14.0"])
def test_a_python_that_does_not_fit_is_named(checkout: Path, version: str) -> None:
    for name in ["python3", "python3.11", "python3.12", "python3.13", "python"]:
        python(checkout, version, name)
    refused = bootstrap(checkout)
    assert refused.returncode != 0
    assert "Python 3.11, 3.12 or 3.13 is needed" in refused.stderr
    assert version in refused.stderr
    assert not (checkout / ".venv").exists()


def test_a_fitting_python_beside_one_that_does_not_is_taken(checkout: Path) -> None:
    python(checkout, "3.14.0")
    python(checkout, "3.12.4", "python3.12")
    started = bootstrap(checkout)
    assert started.returncode == 0
    assert "making .venv with Python 3.12.4" in started.stderr


def test_the_named_python_is_taken_or_refused(checkout: Path) -> None:
    python(checkout, "3.12.4")
    python(checkout, "3.10.1", "old")
    refused = bootstrap(checkout, PYTHON=str(checkout / "bin" / "old"))
    assert refused.returncode != 0
    assert "PYTHON=" in refused.stderr
