"""What still hangs on a run that ends: asked in one statement, for mostly nothing does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, bindparam, exists, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import Select

from engine.runs.status import OPEN, InvocationStatus, StepStatus, WaitStatus
from engine.store.invocations import WorkflowActionInvocation
from engine.store.projection import RUNS, STEPS, WAITS

_CALLS = cast(Table, WorkflowActionInvocation.__table__)


@dataclass(frozen=True, slots=True)
class LooseEnds:
    steps: bool
    """Some may be open: of attempts that were to be repeated it is not asked whether they were."""
    waits: bool
    calls: bool
    """Calls of actions that were begun and not closed."""
    unborn: bool
    """Children that were accepted and never claimed."""


def loose_ends(session: Session, run_id: str) -> LooseEnds:
    """For a transaction that has locked the run's row: nothing is added meanwhile."""
    return LooseEnds(*session.execute(_statement(), {"the_run": run_id}).one())


@lru_cache
def _statement() -> Select[bool, bool, bool, bool]:
    the_run: ColumnElement[Any] = bindparam("the_run", type_=RUNS.c.run_id.type)
    return select(
        exists().where(
            STEPS.c.run_id == the_run,
            STEPS.c.status.in_([StepStatus.STARTED, StepStatus.RETRY_SCHEDULED]),
        ),
        exists().where(WAITS.c.run_id == the_run, WAITS.c.status == WaitStatus.WAITING),
        exists().where(_CALLS.c.run_id == the_run, _CALLS.c.status == InvocationStatus.STARTED),
        exists().where(
            RUNS.c.parent_run_id == the_run,
            RUNS.c.status.in_(OPEN),
            RUNS.c.claimed_by.is_(None),
        ),
    )
