"""A run that is reset by Temporal's own tools: nothing is done twice, and every row stays true.

Its new execution has a shorter history than the one before, so that rows of the abandoned one are
met again (docs/rules.md 4).
"""

from __future__ import annotations

import uuid
from collections import Counter

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client

from engine.contract import temporal_workflow_id
from tests.steps import act, chain, wait
from tests.studio import Studio
from tests.waiting import answer, event_wait, human_task, name, open_wait_of, send

pytestmark = pytest.mark.temporal


def reset_to_its_first_task(studio: Studio, run_id: str) -> None:
    first = 1 + studio.events(run_id).index("WORKFLOW_TASK_COMPLETED")

    async def reset(client: Client) -> None:
        request = ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=temporal_workflow_id(run_id)),
            reason="a test",
            workflow_task_finish_event_id=first,
            request_id=str(uuid.uuid4()),
        )
        await client.workflow_service.reset_workflow_execution(request)

    studio.ask(reset)


def test_what_was_done_is_not_done_again_and_the_row_ends_as_temporal_does(worked: Studio) -> None:
    steps = [*chain(3), act("sent", ms=50), wait("pause", 3_000), act("after")]
    run_id = worked.start(worked.publish(*steps))
    worked.eventually(lambda: worked.run(run_id).status == "WAITING")
    reset_to_its_first_task(worked, run_id)
    row = worked.ended(run_id)
    assert (row.status, worked.temporal_status(run_id)) == ("SUCCEEDED", "COMPLETED")
    assert set(Counter(worked.effects()).values()) == {1}
    names = ["step-0", "step-1", "step-2", "sent", "pause", "after"]
    assert sorted(worked.outline(run_id)) == sorted((name, 1, "SUCCEEDED") for name in names)
    assert {found.status for found in worked.waits(run_id)} == {"RESOLVED"}


def test_what_had_come_to_its_waits_is_waited_for_again(worked: Studio) -> None:
    """Nobody could end them else: an event serves its wait again, a task is open for an answer."""
    event = name()
    run_id = worked.start(
        worked.publish(event_wait("event", event), human_task("task"), wait("on"))
    )
    on_its_way = open_wait_of(worked, run_id)
    send(worked, event)
    worked.eventually(lambda: open_wait_of(worked, run_id) != on_its_way)
    task = open_wait_of(worked, run_id)
    answer(worked, task, {"ok": True})
    worked.eventually(lambda: worked.run(run_id).node_path == "root.steps[2]")
    reset_to_its_first_task(worked, run_id)

    def is_open_again() -> bool:
        return any(w.wait_id == task and w.status == "WAITING" for w in worked.waits(run_id))

    worked.eventually(is_open_again)
    assert answer(worked, task, {"ok": True}).state == "accepted"
    worked.eventually(lambda: not is_open_again())
    worked.eventually(lambda: worked.events(run_id).count("TIMER_STARTED") >= 1)
    worked.cancel(run_id)
    assert worked.ended(run_id).status == "CANCELED"
