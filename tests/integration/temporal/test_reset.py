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
