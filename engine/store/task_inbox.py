"""The rows of human tasks: opened and closed with their waits (docs/rules.md 7)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Table, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.store.tasks import TaskStatus, WorkflowHumanTask, WorkflowTaskType
from engine.store.upsert import insert_into

TASKS = cast(Table, WorkflowHumanTask.__table__)

_ANSWER: Final = ("answer_json", "answered_by", "answered_by_id", "answered_at", "answer_token")


def form_of_type(session: Session, task_type: str) -> dict[str, Json] | None:
    """The form that the type has now; None: there is no such type."""
    found = session.get(WorkflowTaskType, task_type)
    return None if found is None else cast("dict[str, Json]", found.form_json)


def open_task(session: Session, row: dict[str, Any], *, is_open: bool) -> dict[str, Json]:
    """Write a task's row; the form that counts: one that is there already stays as it is.

    `is_open`: its wait is, so that it is open again itself, whatever had become of it.
    """
    statement, old = insert_into(session, TASKS), TASKS.c
    if is_open:
        nothing = dict.fromkeys(_ANSWER)
        statement = statement.on_conflict_do_update(
            index_elements=[old.task_id],
            set_={**nothing, "status": TaskStatus.OPEN, "updated_at": row["updated_at"]},
            where=old.status != TaskStatus.OPEN,
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=[old.task_id])
    session.execute(statement, [row])
    form = session.scalar(select(TASKS.c.form_json).where(TASKS.c.task_id == row["task_id"]))
    return cast("dict[str, Json]", form)


def close_task(session: Session, task_id: str, values: dict[str, Any], now: datetime) -> bool:
    """Close an open task. False: it is closed already."""
    closed = session.execute(
        update(TASKS)
        .where(TASKS.c.task_id == task_id, TASKS.c.status == TaskStatus.OPEN)
        .values(updated_at=now, **values)
    )
    return bool(cast("CursorResult[Any]", closed).rowcount)


def write_end(session: Session, task_id: str, values: dict[str, Any], now: datetime) -> None:
    """How its workflow says that it ended, whatever a task of it that was lost has said."""
    session.execute(
        update(TASKS).where(TASKS.c.task_id == task_id).values(updated_at=now, **values)
    )


def cancel_open_tasks(session: Session, run_id: str, now: datetime) -> None:
    """Of a run that has ended."""
    session.execute(
        update(TASKS)
        .where(TASKS.c.run_id == run_id, TASKS.c.status == TaskStatus.OPEN)
        .values(status=TaskStatus.CANCELED, updated_at=now)
    )
