"""Workers come and go: each replays the whole history of every run that it goes on with."""

from __future__ import annotations

import time

import pytest

from tests.integration.temporal.children import key
from tests.steps import act, assign, call, chain, loop, wait
from tests.studio import Studio

pytestmark = pytest.mark.temporal

WORKERS = 4


def test_a_replay_knows_which_task_wrote_each_row(studio: Studio) -> None:
    """What it took for another task's would be shown as superseded, and performed again."""
    child = key(studio.publish(*chain(3), wait("long", 1500)))
    of = studio.publish(
        *chain(4),
        wait("pause", 1500),
        act("regular"),
        loop("each", "[1, 2, 3]", *chain(2), wait("short", 15), assign("n", n="1")),
        call("sub", child),
        *chain(30),
        wait("again", 1500),
        *chain(3),
    )
    runs = [studio.start(of) for _ in range(4)]
    for _ in range(WORKERS - 1):
        with studio.worker():
            time.sleep(1.2)
    with studio.worker():
        ended = [studio.ended(run_id, 60) for run_id in runs]

    assert [run.status for run in ended] == ["SUCCEEDED"] * 4
    for run_id in runs:
        steps = studio.steps(run_id)
        assert len({step.written_task for step in steps}) >= 4
        assert not [step.occurrence for step in steps if step.superseded]
