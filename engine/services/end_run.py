"""Ends a run from outside its workflow: the row, and everything that hangs on it.

For runs that nothing executes (any more): a launch that failed, a cancel that Temporal cannot take,
a run that Temporal has lost. A workflow that ends by itself writes its own end (`finish_run`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.errors import Category
from engine.interpreter.failure import timestamp
from engine.runs.status import OPEN, InvocationStatus, LogLevel, RunStatus
from engine.services.run_log import note
from engine.store import projection, task_inbox, wait_rows
from engine.store.invocations import WorkflowActionInvocation
from engine.store.logs import LogSource
from engine.store.loose_ends import loose_ends
from engine.store.runs import WorkflowRun

_UNKNOWN = "The run ended while this call was being made: whether it took effect is not known."


def close_run(
    session: Session,
    run_id: str,
    status: RunStatus,
    error: dict[str, Json] | None,
    now: datetime,
    source: LogSource,
) -> bool:
    """End the run, and close its open steps, waits and calls. False: it had ended already.

    `source`: who says so in the logs of children that end with it before they began.
    """
    if not projection.end_run(session, run_id, status, error, now):
        return False
    hanging = loose_ends(session, run_id)
    if hanging.steps:
        projection.close_open_steps(session, run_id, now)
    if hanging.waits and wait_rows.cancel_open_waits(session, run_id, now):
        task_inbox.cancel_open_tasks(session, run_id, now)
    if hanging.calls:
        _close_calls(session, run_id, now)
    if hanging.unborn:
        _close_unborn(session, run_id, now, source)
    return True


def never_to_begin(now: datetime) -> dict[str, Json]:
    """Why a child run that was accepted is not started any more."""
    message = "Canceled before it began: the run that called it has ended."
    return why("PARENT_ENDED", message, now)


def lock_run(session: Session, run_id: str) -> WorkflowRun | None:
    """The run's row, which nobody else may change before this transaction ends."""
    return session.scalars(
        select(WorkflowRun).where(WorkflowRun.run_id == run_id).with_for_update()
    ).one_or_none()


def open_descendants(session: Session, run_id: str) -> list[str]:
    """Open runs started by this one, and by those in turn: nearest first."""
    known: dict[str, bool] = {run_id: False}
    parents: Sequence[str] = [run_id]
    while parents:
        children = session.execute(
            select(WorkflowRun.run_id, WorkflowRun.status)
            .where(WorkflowRun.parent_run_id.in_(parents))
            .order_by(WorkflowRun.started_at, WorkflowRun.run_id)
        ).all()
        parents = [child.run_id for child in children if child.run_id not in known]
        known |= {child.run_id: child.status in OPEN for child in children}
    return [found for found, is_open in known.items() if is_open]


def why(code: str, message: str, at: datetime, **more: Json) -> dict[str, Json]:
    """What a run's `error_json` says when no step is to blame."""
    return {"code": code, "message": message, "at": timestamp(at), **more}


def _close_unborn(session: Session, run_id: str, now: datetime, source: LogSource) -> None:
    """Children that were accepted and never claimed: nobody else would start them."""
    unborn = session.scalars(
        select(WorkflowRun.run_id).where(
            WorkflowRun.parent_run_id == run_id,
            WorkflowRun.status.in_(OPEN),
            WorkflowRun.claimed_by.is_(None),
        )
    ).all()
    for child in unborn:
        error = never_to_begin(now)
        if projection.end_run(session, child, RunStatus.CANCELED, error, now):
            note(session, child, LogLevel.WARN, error["message"], now=now, source=source)


def _close_calls(session: Session, run_id: str, now: datetime) -> None:
    session.execute(
        update(WorkflowActionInvocation)
        .where(
            WorkflowActionInvocation.run_id == run_id,
            WorkflowActionInvocation.status == InvocationStatus.STARTED,
        )
        .values(
            status=InvocationStatus.FAILED,
            error_message=_UNKNOWN,
            error_json={"category": Category.OUTCOME_UNKNOWN.value, "message": _UNKNOWN},
            completed_at=now,
            lease_owner=None,
            lease_expires_at=None,
        )
    )
