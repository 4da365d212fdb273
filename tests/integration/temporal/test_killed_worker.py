"""What consent and the ledger are worth after `kill -9` (docs/rules.md 3).

It leaves nothing but what was written before it. Temporal misses the heartbeats after 30 s.
"""

from __future__ import annotations

import pytest

from tests.steps import Step, act, chain
from tests.studio import Studio

pytestmark = [pytest.mark.temporal, pytest.mark.drill, pytest.mark.timeout(240)]


def killed_in(studio: Studio, steps: list[Step], *, when: str) -> str:
    """The run of a worker that was killed when this effect had been seen."""
    with studio.worker_process() as process:
        run_id = studio.start(studio.publish(*steps))
        studio.eventually(lambda: when in studio.effects())
        process.kill()
        process.wait()
    return run_id


def test_a_retry_policy_is_consent(own_studio: Studio) -> None:
    policy = {"maxAttempts": 2, "backoffMs": 10}
    step = {**act("send", "once", ms=4000), "retry": policy}
    run_id = killed_in(own_studio, [step], when="begin send")
    with own_studio.worker():
        run = own_studio.ended(run_id, 120)

    assert run.status == "SUCCEEDED", run.error_json
    assert own_studio.outline(run_id) == [("send", 1, "SUCCEEDED")]


def test_quick_steps_that_were_recorded_are_not_done_again(own_studio: Studio) -> None:
    """Their workflow task is lost as a whole; the ledger knows which calls were made."""
    steps = chain(10, "quick", ms=100)
    run_id = killed_in(own_studio, steps, when="end step-4")
    with own_studio.worker():
        run = own_studio.ended(run_id, 120)

    assert run.status == "SUCCEEDED", run.error_json
    done = own_studio.effects()
    assert all(done.count(f"end step-{number}") == 1 for number in (0, 1, 2, 3, 5, 9))
    rows = own_studio.steps(run_id)
    assert [(row.status, row.superseded) for row in rows] == [("SUCCEEDED", False)] * 10
