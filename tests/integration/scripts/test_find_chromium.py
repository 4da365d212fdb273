"""Which browser the tests take, in which order, and who may install one."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import find_chromium


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No browser anywhere, and a folder on PATH for one."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(find_chromium, "_playwright", lambda: None)
    return tmp_path


def browser(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_named_one_comes_first(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser(machine, "chromium")
    monkeypatch.setenv("CHROMIUM", "/opt/mine")
    assert find_chromium.find() == Path("/opt/mine")


@pytest.mark.parametrize("name", find_chromium.NAMES)
def test_the_systems_is_taken_under_each_of_its_names(machine: Path, name: str) -> None:
    found = browser(machine, name)
    assert find_chromium.find() == found


def test_playwrights_own_comes_after_the_systems(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_chromium, "_playwright", lambda: Path("/playwright/chrome"))
    assert find_chromium.find() == Path("/playwright/chrome")
    assert find_chromium.find(may_install=False) == Path("/playwright/chrome")
    own = browser(machine, "chromium")
    assert find_chromium.find() == own


def test_debians_package_is_installed_by_root_when_playwright_cannot(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def run(command: list[str], _limit_s: int) -> bool:
        ran.append(" ".join(command))
        if "install --yes" in ran[-1]:
            browser(machine, "chromium")
        return "playwright" not in ran[-1]

    browser(machine, "apt-get")
    monkeypatch.setattr(find_chromium, "_run", run)
    monkeypatch.setattr(find_chromium.os, "geteuid", lambda: 0)
    assert find_chromium.find() == machine / "chromium"
    assert ["playwright install" in ran[0], "update" in ran[1], "chromium" in ran[2]] == [True] * 3


def test_who_is_not_root_installs_no_package(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser(machine, "apt-get")
    monkeypatch.setattr(find_chromium, "_run", lambda command, _: "apt-get" in command[0])
    monkeypatch.setattr(find_chromium.os, "geteuid", lambda: 1000)
    assert find_chromium.find() is None
