"""The short drill: each kind of fault once, while runs are launched (long: `make drill`)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.drills.drill import drill
from tests.drills.plan import Length, make_plan

pytestmark = [pytest.mark.temporal, pytest.mark.drill, pytest.mark.timeout(600)]

SEED = int(os.environ.get("DRILL_SEED", "20261123"))


def test_no_accepted_run_is_stranded_and_no_effect_doubled(tmp_path: Path) -> None:
    plan = make_plan(SEED, 34, Length.SHORT)
    print(plan.text())
    report = drill(tmp_path, plan)
    print(report.text())
    assert report.violations == []
    assert report.total >= len(plan.launches)
    # Both of the web and a worker at least: a late fault may meet no run any more.
    assert report.died >= 3
