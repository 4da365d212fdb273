"""How many runs of each status: exact up to a limit, "1,000+" above (docs/rules.md 13)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from engine.runs.status import RunStatus
from engine.services.run_filter import RunFilter, conditions
from engine.store.runs import WorkflowRun

COUNT_LIMIT: Final = 1000


def count_by_status(session: Session, wanted: RunFilter, now: datetime) -> dict[RunStatus, int]:
    """Of each status, whichever are chosen, by a scan that stops at COUNT_LIMIT + 1."""
    others = conditions(session, wanted, now, statuses=False)
    columns = []
    for status in RunStatus:
        some = (
            select(literal(1))
            .select_from(WorkflowRun)
            .where(WorkflowRun.status == status, *others)
            .limit(COUNT_LIMIT + 1)
        )
        columns.append(
            select(func.count()).select_from(some.subquery()).scalar_subquery().label(status.value)
        )
    counted = session.execute(select(*columns)).one()
    return dict(zip(RunStatus, counted, strict=True))
