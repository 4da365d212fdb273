"""One row of a list of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from engine.runs.queued import is_queued
from engine.runs.status import RunStatus
from engine.services.keyset import Cursor
from engine.services.run_filter import Condition, Trigger, has_steps
from engine.store.definitions import WorkflowDefinition
from engine.store.operators import Operator
from engine.store.runs import WorkflowRun


@dataclass(frozen=True, slots=True)
class RunRow:
    run_id: str
    status: RunStatus
    workflow_key: str | None
    workflow_name: str
    workflow_version: int
    started_at: datetime
    completed_at: datetime | None
    started_by: str | None
    trigger: str
    """One of `Trigger`, or what a historical row says."""
    replay_of_run_id: str | None
    parent_run_id: str | None
    cancel_requested: bool
    queued: bool
    """RUNNING without a step for more than 60 s."""

    @property
    def place(self) -> Cursor:
        return Cursor(self.started_at, self.run_id)


def rows_of(session: Session, run_ids: Sequence[str], now: datetime) -> tuple[RunRow, ...]:
    """In the order of the ids; what is no longer kept is left out."""
    found = session.execute(_rows().where(WorkflowRun.run_id.in_(run_ids))) if run_ids else ()
    by_id = {row.run_id: _row(row, now) for row in found}
    return tuple(by_id[run_id] for run_id in run_ids if run_id in by_id)


def moving() -> Condition:
    """It has begun: a run that has not is queued, after a while."""
    return or_(WorkflowRun.status != RunStatus.RUNNING, has_steps())


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            WorkflowRun.run_id,
            WorkflowRun.status,
            WorkflowRun.workflow_version,
            WorkflowRun.started_at,
            WorkflowRun.completed_at,
            WorkflowRun.trigger_type,
            WorkflowRun.replay_of_run_id,
            WorkflowRun.parent_run_id,
            WorkflowRun.cancel_requested_at,
            WorkflowDefinition.key,
            WorkflowDefinition.name,
            Operator.email,
            moving().label("moving"),
        )
        .join(WorkflowDefinition, WorkflowDefinition.workflow_id == WorkflowRun.workflow_id)
        .outerjoin(Operator, Operator.operator_id == WorkflowRun.started_by)
    )


def _row(row: Any, now: datetime) -> RunRow:
    status = RunStatus(row.status)
    return RunRow(
        run_id=row.run_id,
        status=status,
        workflow_key=row.key,
        workflow_name=row.name,
        workflow_version=row.workflow_version,
        started_at=row.started_at,
        completed_at=row.completed_at,
        started_by=row.email,
        trigger=trigger_of(row),
        replay_of_run_id=row.replay_of_run_id,
        parent_run_id=row.parent_run_id,
        cancel_requested=row.cancel_requested_at is not None,
        queued=is_queued(status, int(bool(row.moving)), row.started_at, now),
    )


def trigger_of(row: Any) -> str:
    """What a run was born of: in rows from before the cut-over it may be any word."""
    if row.replay_of_run_id is not None:
        return Trigger.REPLAY
    if row.parent_run_id is not None:
        return Trigger.CHILD
    return str(row.trigger_type or Trigger.MANUAL)
