"""The runs that a run called, compared with its history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from temporalio.api.enums.v1 import EventType

from engine.runs.status import TERMINAL, RunStatus
from tests.drills.evidence import Evidence
from tests.drills.projected import Projected
from tests.drills.retold import Chain


def of_children(found: Evidence, chain: Chain, told: Projected) -> Iterator[str]:
    rows = {child.run_id: child for child in found.children}
    for run_id in told.children - rows.keys():
        yield f"it called {run_id}, of which there is no row"
    for run_id, child in rows.items():
        if run_id not in told.children and code_of(child.error_json) != "PARENT_ENDED":
            yield f"{run_id} is its child, and it has called none such"
        if child.root_run_id != (found.run.root_run_id or found.run.run_id):
            yield f"{run_id} has the root {child.root_run_id}"
    for workflow_id, status in _children_in(chain).items():
        row = rows.get(workflow_id.removeprefix("run-"))
        if row is None:
            yield f"it started {workflow_id}, of which there is no row"
        elif status is not None and row.status != status:
            yield f"its child {row.run_id} is {row.status}, in its history {status}"


def _children_in(chain: Chain) -> dict[str, str | None]:
    """Status by workflow id; None: its end was not waited for, or says nothing of it."""
    found: dict[str, str | None] = {}
    for event in chain.events:
        kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
        if kind == "START_CHILD_WORKFLOW_EXECUTION_INITIATED":
            asked = event.start_child_workflow_execution_initiated_event_attributes
            found.setdefault(asked.workflow_id, None)
        elif kind == "CHILD_WORKFLOW_EXECUTION_COMPLETED":
            done = event.child_workflow_execution_completed_event_attributes
            status = json.loads(done.result.payloads[0].data)["status"]
            if status in TERMINAL:
                found[done.workflow_execution.workflow_id] = status
        elif kind == "CHILD_WORKFLOW_EXECUTION_FAILED":
            failed = event.child_workflow_execution_failed_event_attributes
            found[failed.workflow_execution.workflow_id] = RunStatus.FAILED
        elif kind == "CHILD_WORKFLOW_EXECUTION_CANCELED":
            canceled = event.child_workflow_execution_canceled_event_attributes
            found[canceled.workflow_execution.workflow_id] = RunStatus.CANCELED
    return found


def code_of(error: Any) -> str | None:
    return None if not isinstance(error, dict) else error.get("code") or error.get("category")
