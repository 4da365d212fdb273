"""What tests of called workflows ask of rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine.store.tables import WorkflowDefinition, WorkflowRun
from tests.steps import Step, act
from tests.studio import Studio


def children(studio: Studio, run_id: str) -> list[WorkflowRun]:
    with studio.store.reading() as session:
        rows = select(WorkflowRun).where(WorkflowRun.parent_run_id == run_id)
        return list(session.scalars(rows.order_by(WorkflowRun.started_at)))


def failing(times: int = 9, category: str = "ActionError") -> Step:
    return act("breaks", "quick", fails=times, category=category)


def key(of: WorkflowDefinition) -> str:
    assert of.key is not None
    return of.key


def error_of(run: WorkflowRun) -> dict[str, Any]:
    assert run.error_json is not None
    return dict(run.error_json)
