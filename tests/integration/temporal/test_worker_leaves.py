"""A worker that is told to leave in the middle of a chain: quickly, and without a doubled effect.

The product's own `worker.py`, with the actions of tests.work_actions installed as a third party's.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests import work_actions
from tests.studio import Studio
from tests.worker_program import ROOT, worker

pytestmark = pytest.mark.temporal

_ACTIONS = """
from tests.work_actions import registry

KNOWN = registry()
ACTIONS = [KNOWN.get(name, 1) for name in KNOWN.names() if name.startswith("work.")]
"""


def with_work_actions(directory: Path) -> dict[str, str]:
    """Settings of a process that has an installed package with these actions."""
    (directory / "drill_actions.py").write_text(_ACTIONS)
    package = directory / "drill_actions-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: drill-actions\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(
        "[run_studio.actions]\nwork = drill_actions:ACTIONS\n"
    )
    return {"PYTHONPATH": f"{directory}{os.pathsep}{ROOT}"}


def step(number: int, action: str, ms: int) -> dict[str, Any]:
    return {
        "id": f"step-{number}",
        "type": "action.call",
        "config": {
            "actionId": action,
            "version": 1,
            "inputMapping": {"note": f"step-{number}", "ms": ms},
        },
    }


@pytest.mark.parametrize(
    ("action", "count", "ms"), [("work.quick", 60, 500), ("work.once", 4, 3000)]
)
def test_a_worker_leaves_within_5_s_plus_its_longest_step_and_another_finishes(
    own_studio: Studio,
    temporal_address: str,
    sqlite_url: str,
    tmp_path: Path,
    action: str,
    count: int,
    ms: int,
) -> None:
    settings = {
        "TEMPORAL_ADDRESS": temporal_address,
        "DATABASE_URL": sqlite_url,
        work_actions.EFFECTS: str(own_studio.effects_file),
        **with_work_actions(tmp_path),
    }
    steps = [step(number, action, ms) for number in range(count)]
    with worker(tmp_path, **settings) as first:
        first.says("worker.started")
        run_id = own_studio.start(own_studio.publish(*steps))
        own_studio.eventually(lambda: len(own_studio.effects()) >= count // 10 * 2 + 1)
        code, took_s = first.stop()
    assert code == 0, first.said
    assert took_s < 5 + ms / 1000 + 0.5
    assert len(own_studio.effects()) < 2 * count
    with worker(tmp_path, **settings) as second:
        try:
            assert own_studio.ended(run_id, 90).status == "SUCCEEDED"
        except AssertionError as error:
            raise AssertionError(second.said) from error
        second.stop()
    done = Counter(own_studio.effects())
    assert done == Counter(
        f"{word} step-{number}" for number in range(count) for word in ("begin", "end")
    )
    assert {row.attempt for row in own_studio.steps(run_id)} == {1}


def test_a_long_step_that_may_be_repeated_is_handed_over_without_a_traceback_in_the_log(
    own_studio: Studio, temporal_address: str, sqlite_url: str, tmp_path: Path
) -> None:
    settings = {
        "TEMPORAL_ADDRESS": temporal_address,
        "DATABASE_URL": sqlite_url,
        work_actions.EFFECTS: str(own_studio.effects_file),
        **with_work_actions(tmp_path),
    }
    with worker(tmp_path, **settings) as first:
        first.says("worker.started")
        run_id = own_studio.start(own_studio.publish(step(0, "work.again", 60_000)))
        own_studio.eventually(lambda: own_studio.effects() == ["begin step-0"])
        code, took_s = first.stop()
    assert (code, took_s < 6) == (0, True), first.said
    assert "activity.given_up" in first.said
    assert "Traceback" not in first.said
    with worker(tmp_path, **settings):
        own_studio.eventually(lambda: own_studio.effects() == ["begin step-0"] * 2)
    assert [(row.status, row.attempt) for row in own_studio.steps(run_id)] == [("STARTED", 1)]
