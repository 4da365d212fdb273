"""The short drill: every kind of fault once, while runs are launched (long: `make drill`)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.drills import faults
from tests.drills.drill import drill

pytestmark = [pytest.mark.temporal, pytest.mark.drill, pytest.mark.timeout(400)]

SEED = int(os.environ.get("DRILL_SEED", "20261123"))


def test_no_accepted_run_is_stranded_and_no_effect_doubled(tmp_path: Path) -> None:
    report = drill(tmp_path, SEED, 24, faults.short)
    print(report.text())
    assert report.violations == []
    assert sum(report.ended.values()) >= 24
    # Both of the web and a worker at least: a late fault may meet no run any more.
    assert report.died >= 3
