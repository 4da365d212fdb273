"""What a branch of a concurrent loop has done is written when it ends, whatever others wait for.

The rows of pure steps travel with the next activity (docs/architecture.md 3). While all branches
that are left stay in something long there is none, for hours or days (docs/rules.md 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from engine.runs.status import TERMINAL
from tests.steps import Step, act, assign, call, expr, loop, wait
from tests.studio import Studio
from tests.waiting import event_wait, human_task, name

pytestmark = pytest.mark.temporal

DONE = [("note[1]", 1, "SUCCEEDED"), ("quick[1]", 1, "SUCCEEDED"), ("which[1]", 1, "SUCCEEDED")]
HOUR_MS = 3_600_000

LONG = {
    "an event": (event_wait("long", name()), "WAITING"),
    "a person": (human_task("long"), "WAITING"),
    "a time": (wait("long"), "WAITING"),
    "an action": (act("long", "heed", ms=60_000) , "RUNNING"),
    "a retry": (
        {**act("long", "quick", fails=9), "retry": {"maxAttempts": 2, "backoffMs": HOUR_MS}},
        "RUNNING",
    ),
}  # fmt: skip


def with_a_short_one(long: Step) -> Step:
    """Item 1 stays; item 2 does a local step when item 1 has begun, and ends with pure ones."""
    short = [wait("later", 400), act("quick", "quick"), assign("note", mine="item")]
    which = {"id": "which", "type": "control.if", "condition": expr("item = 1"),
             "then": [long], "else": short}  # fmt: skip
    return {**loop("each", "[1, 2]", which), "concurrency": 2}


@pytest.fixture
def runs(worked: Studio) -> Iterator[dict[str, str]]:
    child = str(worked.publish(wait("days")).key)
    long = LONG | {"a child": (call("long", child), "RUNNING")}
    begun = {
        what: worked.start(worked.publish(with_a_short_one(step)))
        for what, (step, _) in long.items()
    }
    yield begun
    for run_id in begun.values():
        worked.cancel(run_id)
    for run_id in begun.values():
        assert worked.ended(run_id).status == "CANCELED"


def test_rows_of_a_branch_that_has_ended_do_not_wait_for_the_others(
    worked: Studio, runs: dict[str, str]
) -> None:
    def late() -> set[str]:
        return {
            what for what, run_id in runs.items() if not set(DONE) <= set(worked.outline(run_id))
        }

    with suppress(AssertionError):
        worked.eventually(lambda: not late(), 15)
    assert late() == set()
    for what, run_id in runs.items():
        assert worked.run(run_id).status == LONG.get(what, (None, "RUNNING"))[1], what
    assert TERMINAL.isdisjoint({worked.run(run_id).status for run_id in runs.values()})
