"""Fault points are for test builds: elsewhere they refuse, and the product does not know them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.drills.fault_points import FAULT, NoTestBuild, armed

ROOT = Path(__file__).resolve().parents[2]


def test_they_refuse_where_it_is_no_test_build() -> None:
    for environment in ({}, {"RUN_STUDIO_TEST_BUILD": "0"}, {FAULT: "start_run:before:1"}):
        with pytest.raises(NoTestBuild):
            armed("start_run", print, environment)


def test_another_point_is_left_alone() -> None:
    environment = {"RUN_STUDIO_TEST_BUILD": "1", FAULT: "finish_run:after:1"}
    assert armed("start_run", print, environment) is print


def test_nothing_of_the_product_names_them() -> None:
    found = subprocess.run(
        ["git", "grep", "-l", "-e", "tests.drills", "-e", "DRILL_FAULT", "--", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert [name for name in found.stdout.split() if not name.startswith("tests/")] == []
