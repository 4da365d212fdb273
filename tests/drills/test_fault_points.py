"""Fault points are for test builds: elsewhere they refuse, and the product does not know them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.drills import actions, clocks, fault_points, web_process, worker_process
from tests.drills.fault_points import FAULT, TEST_BUILD, NoTestBuild, arm, armed

ROOT = Path(__file__).resolve().parents[2]
VARIABLES = (FAULT, TEST_BUILD, clocks.CLOCK, actions.EFFECTS)


@pytest.mark.parametrize("environment", [{}, {TEST_BUILD: "0"}, {FAULT: "start_run:before:1"}])
def test_they_refuse_where_it_is_no_test_build(environment: dict[str, str]) -> None:
    with pytest.raises(NoTestBuild):
        armed("start_run", print, environment)
    with pytest.raises(NoTestBuild):
        clocks.move(environment)


def test_another_point_is_left_alone() -> None:
    environment = {TEST_BUILD: "1", FAULT: "finish_run:after:1"}
    assert armed("start_run", print, environment) is print


@pytest.mark.parametrize(("side", "begun"), [("before", ["first"]), ("after", ["first", "second"])])
def test_a_process_dies_at_the_passing_that_was_named(
    monkeypatch: pytest.MonkeyPatch, side: str, begun: list[str]
) -> None:
    def die() -> None:
        raise SystemExit

    monkeypatch.setattr(fault_points, "_die", die)
    seen: list[str] = []
    there = SimpleNamespace(work=seen.append)
    arm({"work": (there, "work")}, {TEST_BUILD: "1", FAULT: f"work:{side}:2"})
    there.work("first")
    with pytest.raises(SystemExit):
        there.work("second")
    assert seen == begun


def test_what_they_are_put_around_is_there() -> None:
    """A point around a name that has gone would never be met."""
    for points in (web_process.POINTS, worker_process.POINTS):
        assert all(callable(getattr(owner, name)) for owner, name in points.values())


def test_nothing_of_the_product_names_them() -> None:
    """Not the variables, not the modules; and an image holds nothing of the tests."""
    wanted = [
        part for word in (*VARIABLES, "tests.drills", "tests/drills") for part in ("-e", word)
    ]
    found = subprocess.run(
        ["git", "grep", "-l", "--untracked", *wanted],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    of_the_product = ("app.py", "worker.py", "gunicorn.conf.py", "engine/", "blueprints/",
                      "templates/", "static/", "migrations/", "deploy/", "Dockerfile",
                      "docker-compose.ee.yaml", "scripts/", "samples/")  # fmt: skip
    assert [name for name in found.stdout.split() if name.startswith(of_the_product)] == []
    copied = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if "COPY" in line]
    assert copied
    assert not any("tests" in line or line.endswith((" . .", " . ./")) for line in copied)
