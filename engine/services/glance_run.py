"""What has to be known to tell whether a run's page has changed: one statement, no payload.

A poll of an unchanged run costs this and nothing more (rules.md 13): every part is a look into an
index, and what depends on the clock is reduced to yes or no.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Table, bindparam, exists, func, select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.runs.queued import QUIET_AFTER, WORKER_FRESH_FOR, is_queued
from engine.runs.status import TERMINAL, RunStatus
from engine.services.state_tag import state_tag
from engine.services.stop_run import UNOBSERVED_AFTER
from engine.store.definitions import WorkflowDefinition
from engine.store.logs import WorkflowRunLog
from engine.store.runs import WorkflowRun
from engine.store.steps import WorkflowRunStep
from engine.store.waits import WorkflowRunWait
from engine.store.workers import WorkerHeartbeat, WorkerState


@dataclass(frozen=True, slots=True)
class Glance:
    run_id: str
    status: RunStatus
    started_at: datetime
    claimed: bool
    handed_over: bool
    """Temporal has told us its run id."""
    temporal_workflow_id: str | None
    cancel_requested_at: datetime | None
    has_steps: bool
    has_waits: bool
    has_logs: bool
    has_children: bool
    has_replays: bool
    worker_seen_at: datetime | None
    """Newest heartbeat of a worker that has not left."""
    worker_fresh: bool
    queued: bool
    quiet: bool
    """It has begun, goes on, and nothing of it was recorded for some seconds."""
    stop_offered: bool
    """Cancel went unobserved for 30 s, or no worker lives that could observe it."""
    marks: tuple[Any, ...]
    """Changes whenever something that the page shows has changed."""

    @property
    def is_over(self) -> bool:
        return self.status in TERMINAL

    @property
    def may_become_queued(self) -> bool:
        """RUNNING without a step: the banner may come yet."""
        return self.status is RunStatus.RUNNING and not self.has_steps

    def page_tag(self, *seen_by: object) -> str:
        """Tag of the live region, as somebody with these rights sees it."""
        return state_tag(self.run_id, self.status, self.marks, self.stop_offered, seen_by)

    def banner_tag(self, *evidence: object) -> str:
        return state_tag(self.run_id, self.may_become_queued, self.queued, evidence)


def glance_at_run(session: Session, run_id: str, now: datetime) -> Glance:
    """Raises `NotFound`."""
    row = session.execute(_STATEMENT, {"wanted": run_id}).one_or_none()
    if row is None:
        raise NotFound("There is no run with this id.", code="RUN_NOT_FOUND")
    status = RunStatus(row.status)
    fresh = row.worker_seen_at is not None and now - row.worker_seen_at <= WORKER_FRESH_FOR
    asked = row.cancel_requested_at
    overdue = asked is not None and now - asked >= UNOBSERVED_AFTER
    return Glance(
        run_id=row.run_id,
        status=status,
        started_at=row.started_at,
        claimed=row.claimed_by is not None,
        handed_over=row.temporal_run_id is not None,
        temporal_workflow_id=row.temporal_workflow_id,
        cancel_requested_at=asked,
        has_steps=bool(row.has_steps),
        has_waits=bool(row.has_waits),
        has_logs=row.newest_log is not None,
        has_children=row.newest_child is not None,
        has_replays=bool(row.replays),
        worker_seen_at=row.worker_seen_at,
        worker_fresh=fresh,
        queued=is_queued(status, int(bool(row.has_steps)), row.started_at, now),
        quiet=_is_quiet(row, status, now),
        stop_offered=status not in TERMINAL and (overdue or not fresh),
        marks=tuple(row[: row._fields.index("worker_seen_at")]),
    )


def _is_quiet(row: Any, status: RunStatus, now: datetime) -> bool:
    if status in TERMINAL or not row.has_steps:
        return False
    recorded = (row.updated_at, row.newest_step, row.newest_wait)
    newest: datetime = max(at for at in recorded if at is not None)
    return now - newest > QUIET_AFTER


def _statement() -> Any:
    run, step, wait, log = WorkflowRun, WorkflowRunStep, WorkflowRunWait, WorkflowRunLog
    other = cast(Table, WorkflowRun.__table__).alias("other")

    def newest(column: Any, of: Any) -> Any:
        return select(func.max(column)).where(of == run.run_id).scalar_subquery()

    return (
        select(
            run.run_id,
            run.status,
            run.started_at,
            run.updated_at,
            run.completed_at,
            run.claimed_by,
            run.temporal_workflow_id,
            run.temporal_run_id,
            run.cancel_requested_at,
            run.cancel_delivered_at,
            run.progress_ordinal,
            run.progress_history,
            run.progress_task,
            run.progress_counter,
            WorkflowDefinition.updated_at.label("definition_updated_at"),
            # In an order that an index has: PostgreSQL would else expect one anywhere in the table.
            select(step.run_id)
            .where(step.run_id == run.run_id, step.superseded.is_(False))
            .order_by(step.position)
            .limit(1)
            .scalar_subquery()
            .label("has_steps"),
            newest(step.updated_at, step.run_id).label("newest_step"),
            newest(step.position, step.run_id).label("newest_position"),
            exists().where(wait.run_id == run.run_id).label("has_waits"),
            newest(wait.updated_at, wait.run_id).label("newest_wait"),
            newest(log.created_at, log.run_id).label("newest_log"),
            newest(other.c.updated_at, other.c.parent_run_id).label("newest_child"),
            select(func.max(other.c.updated_at))
            .where(other.c.root_run_id == func.coalesce(run.root_run_id, run.run_id))
            .scalar_subquery()
            .label("newest_of_family"),
            select(func.count())
            .where(other.c.replay_of_run_id == run.run_id)
            .scalar_subquery()
            .label("replays"),
            select(func.max(WorkerHeartbeat.seen_at))
            .where(WorkerHeartbeat.state != WorkerState.STOPPED)
            .scalar_subquery()
            .label("worker_seen_at"),
        )
        .join(WorkflowDefinition, WorkflowDefinition.workflow_id == run.workflow_id)
        .where(run.run_id == bindparam("wanted", type_=run.run_id.type))
    )


_STATEMENT: Final = _statement()
