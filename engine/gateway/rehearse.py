"""Does this release still do what a recorded history says? The SDK's `Replayer`, on exported files.

Nothing is executed and Temporal is not asked: the workflow's code goes through the history again.
"""

from __future__ import annotations

import asyncio

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from engine.contract import Json
from engine.durable.run_workflow import RunWorkflow
from engine.durable.sandbox import workflow_runner
from engine.gateway.connect import data_converter
from engine.gateway.histories import Rehearsal


def rehearse(histories: list[Json], key: bytes) -> list[Rehearsal]:
    """`histories` as an export holds them; `key`: what they are encrypted with."""
    return asyncio.run(_rehearse_all(histories, key))


async def _rehearse_all(histories: list[Json], key: bytes) -> list[Rehearsal]:
    replayer = Replayer(
        workflows=[RunWorkflow],
        workflow_runner=workflow_runner(),
        data_converter=data_converter(key),
    )
    done = []
    for each in histories:
        workflow_id = each["temporalWorkflowId"]
        history = WorkflowHistory.from_json(workflow_id, each["history"])
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        failure = result.replay_failure
        done.append(
            Rehearsal(workflow_id, each["temporalRunId"], None if failure is None else str(failure))
        )
    return done
