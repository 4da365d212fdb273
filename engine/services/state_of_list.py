"""Whether a list that is on somebody's screen has changed: what its poll costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, false, func, select
from sqlalchemy.orm import Session

from engine.runs.queued import is_queued
from engine.runs.status import RunStatus
from engine.services.run_rows import moving
from engine.services.state_tag import state_tag
from engine.store.bulk import RunSelection
from engine.store.run_counts import WorkflowRunCount
from engine.store.runs import WorkflowRun


def state_of_list(session: Session, operator_id: str, run_ids: Sequence[str], now: datetime) -> str:
    """Changes whenever something does that a list with these rows shows: one indexed statement.

    How many runs there are of a status under a filter can only change together with how many there
    are of it at all, but where the clock is part of the filter.
    """
    run, mine = WorkflowRun, RunSelection
    every = select(func.sum(WorkflowRunCount.changes).label("changes")).subquery()
    selected = exists().where(mine.operator_id == operator_id, mine.run_id == run.run_id)
    rows = session.execute(
        select(
            every.c.changes,
            run.run_id,
            run.status,
            run.started_at,
            run.completed_at,
            run.cancel_requested_at,
            moving().label("moving"),
            selected.label("selected"),
        )
        .select_from(every)
        .outerjoin(run, run.run_id.in_(run_ids) if run_ids else false())
        .order_by(run.run_id)
    ).all()
    queued = [
        row.run_id
        for row in rows
        if row.run_id is not None
        and is_queued(RunStatus(row.status), int(bool(row.moving)), row.started_at, now)
    ]
    return state_tag(list(map(tuple, rows)), queued)
