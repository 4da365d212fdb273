"""Statements that keep a run's rows true to its workflow (docs/rules.md 3 and 4).

Core only, built once a dialect: the ORM costs five times as much here. A step row moves forward in
rank, and within a rank to what a later workflow task wrote; a row that a lost task left behind is
`superseded`, and whoever writes it next has the say. Which task is later, its ordinal and history
say, as a clock could not; of those that Temporal repeats without a word in the history, the time at
which they started. The run's own columns are guarded by that and a counter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Table,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Insert, Update
from sqlalchemy.sql.selectable import Select

from engine.contract import Batch, Guard
from engine.runs.status import OPEN, TERMINAL, RunStatus, StepStatus, sources
from engine.store.runs import WorkflowRun
from engine.store.steps import WorkflowRunStep
from engine.store.upsert import insert_for
from engine.store.waits import WorkflowRunWait

RUNS = cast(Table, WorkflowRun.__table__)
STEPS = cast(Table, WorkflowRunStep.__table__)
WAITS = cast(Table, WorkflowRunWait.__table__)

_KEPT_WHEN_NULL = (
    "completed_at",
    "duration_ms",
    "error_json",
    "input_json",
    "name",
    "next_retry_at",
    "output_json",
)
"""A later record without one of these does not erase what an earlier one brought."""

_REPLACED = (
    "status",
    "rank",
    "handled",
    "written_ordinal",
    "written_history",
    "written_task",
    "superseded",
    "updated_at",
)


@dataclass(frozen=True, slots=True)
class RunGlance:
    """What every activity must know of the run's row before it writes."""

    status: str | None
    """None: there is no such row."""
    cancel_requested: bool
    lost_rows: bool
    """A workflow task that was lost has left rows: see `supersede`."""

    @property
    def over(self) -> bool:
        return self.status is None or self.status in TERMINAL


def glance(session: Session, batch: Batch, *, to_write: bool) -> RunGlance:
    """Look at the run's row and lock it, so that it cannot end before this transaction does.

    `to_write`: the run's row itself will be written; else others may look at the same time. SQLite
    has one writer, so that nothing need be locked there.
    """
    row = session.execute(_glance_statement(to_write, batch.sweep), _tasks_of(batch)).one_or_none()
    if row is None:
        return RunGlance(None, cancel_requested=False, lost_rows=False)
    return RunGlance(row.status, row.cancel_requested_at is not None, bool(row.lost))


@lru_cache
def _glance_statement(to_write: bool, sweep: bool) -> Select[Any]:
    lost = exists().where(*_left_by_lost_task()) if sweep else false()
    return (
        select(RUNS.c.status, RUNS.c.cancel_requested_at, lost.label("lost"))
        .where(RUNS.c.run_id == bindparam("the_run", type_=RUNS.c.run_id.type))
        .with_for_update(read=not to_write, of=RUNS)
    )


def _left_by_lost_task() -> list[Any]:
    """Rows of a task that never completed: of steps that began in the last one that did or in this
    one, and written before this one by another. Of rows of a release that did not know its tasks
    (NULL) the length of the history must do."""
    history, task = STEPS.c.written_history, STEPS.c.written_task
    completed: BindParameter[int] = bindparam("completed")
    now: BindParameter[int] = bindparam("history")
    return [
        STEPS.c.run_id == bindparam("the_run", type_=STEPS.c.run_id.type),
        STEPS.c.position > bindparam("first"),
        STEPS.c.written_ordinal == bindparam("ordinal"),
        STEPS.c.superseded.is_(False),
        or_(
            and_(history < now, history != completed),
            and_(history == completed, task != bindparam("completed_task")),
            and_(history == now, task < bindparam("task")),
        ),
    ]


def _tasks_of(batch: Batch) -> dict[str, Any]:
    """What `_left_by_lost_task` must be told. NULL is unlike nothing: of tasks that are not known
    no row is lost."""
    guard = batch.guard
    return {
        "the_run": batch.run_id,
        "first": batch.first_position,
        "ordinal": guard.ordinal,
        "completed": guard.completed_history,
        "completed_task": guard.completed_task or None,
        "history": guard.history,
        "task": guard.task or None,
    }


def supersede(session: Session, batch: Batch, now: datetime) -> None:
    """Mark what a lost workflow task left: shown, not counted, and open to be written anew."""
    session.execute(
        update(STEPS).where(*_left_by_lost_task()).values(superseded=True, updated_at=now),
        _tasks_of(batch),
    )


def write_steps(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert or move forward step rows; each dict has every column of `STEP_COLUMNS`."""
    if rows:
        session.execute(_step_statement(session.get_bind().dialect.name), list(rows))


def written_by(guard: Guard) -> dict[str, int | None]:
    """Columns that say which workflow task wrote a row."""
    return {
        "written_ordinal": guard.ordinal,
        "written_history": guard.history,
        "written_task": guard.task or None,
    }


def written_order(row: Any) -> tuple[ColumnElement[Any], ...]:
    """The same as `Guard.order`; `row`: the table's columns, or those of what is to be written."""
    return row.written_ordinal, row.written_history, func.coalesce(row.written_task, 0)


@lru_cache
def _step_statement(dialect: str) -> Insert:
    statement = insert_for(dialect, STEPS)
    new, old = statement.excluded, STEPS.c
    order, last_order = (tuple_(*written_order(row)) for row in (new, old))
    changes: dict[str, Any] = {name: new[name] for name in _REPLACED}
    for name in _KEPT_WHEN_NULL:
        changes[name] = case((old.superseded, new[name]), else_=func.coalesce(new[name], old[name]))
    for name in ("position", "started_at"):
        # Of a task that was repeated, when a step began is the later one's say.
        anew = or_(old.superseded, order >= last_order)
        changes[name] = case((anew, new[name]), else_=old[name])
    return cast(
        Insert,
        statement.on_conflict_do_update(
            index_elements=[old.run_id, old.occurrence, old.attempt],
            set_=changes,
            where=or_(
                old.superseded,
                new.rank > old.rank,
                and_(new.rank == old.rank, order >= last_order),
            ),
        ),
    )


def move_run(session: Session, run_id: str, guard: Guard, values: dict[str, Any]) -> bool:
    """Write columns of an open run's row. False: it is terminal, or a later task has written."""
    changed = session.execute(
        update(RUNS)
        .where(
            RUNS.c.run_id == run_id,
            RUNS.c.status.in_(OPEN),
            tuple_(
                RUNS.c.progress_ordinal,
                RUNS.c.progress_history,
                RUNS.c.progress_task,
                RUNS.c.progress_counter,
            )
            <= tuple_(*guard.order, guard.counter),
        )
        .values(
            progress_ordinal=guard.ordinal,
            progress_history=guard.history,
            progress_task=guard.task,
            progress_counter=guard.counter,
            **values,
        )
    )
    return _touched(changed)


def end_run(
    session: Session, run_id: str, status: RunStatus, error: dict[str, Any] | None, now: datetime
) -> bool:
    """Make the run terminal. False: it was already."""
    return _touched(
        session.execute(
            _end_statement(status), {"the_run": run_id, "the_error": error, "the_time": now}
        )
    )


@lru_cache
def _end_statement(status: RunStatus) -> Update:
    now = bindparam("the_time", type_=RUNS.c.updated_at.type)
    return (
        update(RUNS)
        .where(
            RUNS.c.run_id == bindparam("the_run", type_=RUNS.c.run_id.type),
            RUNS.c.status.in_(sources(status)),
        )
        .values(
            status=status,
            error_json=bindparam("the_error", type_=RUNS.c.error_json.type),
            node_path=None,
            completed_at=now,
            updated_at=now,
        )
    )


def close_open_steps(session: Session, run_id: str, now: datetime) -> None:
    """Rows still open when their run ends become CANCELED: nothing executes them any more.

    An attempt that was to be repeated is open as long as its next attempt has not begun.
    """
    later = STEPS.alias("later")
    repeated = exists().where(
        later.c.run_id == STEPS.c.run_id,
        later.c.occurrence == STEPS.c.occurrence,
        later.c.attempt > STEPS.c.attempt,
    )
    session.execute(
        update(STEPS)
        .where(
            STEPS.c.run_id == run_id,
            or_(
                STEPS.c.status == StepStatus.STARTED,
                and_(STEPS.c.status == StepStatus.RETRY_SCHEDULED, ~repeated),
            ),
        )
        .values(
            status=StepStatus.CANCELED, rank=3, next_retry_at=None, completed_at=now, updated_at=now
        )
    )


def _touched(result: Any) -> bool:
    return bool(cast("CursorResult[Any]", result).rowcount)
