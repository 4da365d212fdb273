"""A worker with more to do than it has slots for (docs/rules.md 3).

What waits for a slot takes time of a workflow task as what is done in one does: without boundaries
a cancel, an answer to a task or a worker that is to leave would wait for all that others do.
"""

from __future__ import annotations

from tests.steps import Step, act, assign, call, chain, expr
from tests.studio import Studio

STEPS = 12
WORK_MS = 60
"""So much a step has to itself: all of a run's steps together are far from the 2 s of a task."""

EACH = 2
"""Runs of each document: six that share one slot need 3 s at least for their steps."""


def continued(step: Step) -> Step:
    return {**step, "onError": {"policy": "continue"}}


def documents(child: str) -> dict[str, list[Step]]:
    """Chains of local activities that are no workflow task's end."""
    failing = act("fails", "quick", ms=WORK_MS, fails=9)
    refused = call("refused", child, {"n": expr("'no'")})
    return {
        "quick actions": chain(STEPS, ms=WORK_MS),
        "quick actions that fail": [continued(failing | {"id": f"f{n}"}) for n in range(STEPS)],
        "calls that are refused": [continued(refused | {"id": f"c{n}"}) for n in range(STEPS)],
    }


def test_waiting_for_a_slot_counts_towards_the_boundary(studio: Studio) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    child = str(studio.publish(assign("nothing"), payloadSchema=schema).key)
    runs = {}
    for name, steps in documents(child).items():
        of = studio.publish(*steps)
        runs |= {studio.start(of): name for _ in range(EACH)}
    with studio.worker(slots=1):
        for run_id in runs:
            assert studio.ended(run_id, 60).status == "SUCCEEDED"

    one_task = {runs[run_id] for run_id in runs if "TIMER_STARTED" not in studio.events(run_id)}
    assert one_task == set()


def test_quick_steps_do_not_wait_for_the_slots_of_long_ones(studio: Studio) -> None:
    """An end does: it is a regular activity as they are."""
    long, quick = studio.publish(act("long", "heed", ms=60_000)), studio.publish(*chain(STEPS))
    blocking = studio.start(long)
    with studio.worker(slots=1):
        studio.eventually(lambda: studio.effects() == ["begin long"])
        run_id = studio.start(quick)
        studio.eventually(lambda: len(studio.steps(run_id, status="SUCCEEDED")) == STEPS)
        assert studio.run(blocking).status == "RUNNING"
        studio.cancel(blocking)
        assert studio.ended(run_id).status == "SUCCEEDED"
        assert studio.ended(blocking).status == "CANCELED"
