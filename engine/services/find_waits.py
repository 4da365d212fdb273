"""Open waits, and the task inbox: what is shown of them (docs/rules.md 7).

Nothing here leaves unredacted: titles, contexts and answers are made of the run's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.runs.payload import RedactedPayload
from engine.runs.status import OPEN, WaitStatus, WaitType
from engine.services import answer_task
from engine.services.inspect_run import OpenedRun, open_run
from engine.services.keyset import Cursor, newest_first, page_of
from engine.services.redact_run import Rules, RunRedaction
from engine.services.redactions import redactions_of
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.tasks import TaskStatus, WorkflowHumanTask
from engine.store.waits import WorkflowRunWait

PAGE_SIZE: Final = 50
COUNT_LIMIT: Final = 1000
_QUOTA: Final = ("periodStart", "periodEnd", "usedCount", "limit")


@dataclass(frozen=True, slots=True)
class WaitView:
    """One open wait of an open run."""

    wait_id: str
    run_id: str
    workflow_key: str | None
    workflow_name: str
    kind: str
    """event, human, time or quota."""
    path: str
    since: datetime
    until: datetime | None
    """Due time of a time wait, end of a quota's period, time-out of the others."""
    title: str | None = None
    """A task's, redacted."""
    key: str | None = None
    """An event's correlation key, redacted; None: any."""
    event_name: str | None = None
    assignee: str | None = None
    due_at: datetime | None = None
    task_type: str | None = None
    reason: str | None = None
    """Of a quota pause: workflow_step_quota_exceeded."""
    quota: dict[str, Json] | None = None
    """Of a quota pause: {periodStart, periodEnd, usedCount, limit}."""


@dataclass(frozen=True, slots=True)
class WaitPage:
    waits: tuple[WaitView, ...]
    older: Cursor | None
    """Where the next page begins; None: there is none."""


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task, open or closed."""

    task_id: str
    run_id: str
    workflow_key: str | None
    workflow_name: str
    path: str
    title: str
    description: str | None
    task_type: str | None
    form: dict[str, Json]
    """JSON Schema of the answer, as it was when the task was opened."""
    context: RedactedPayload | None
    assignee: str | None
    created_at: datetime
    due_at: datetime | None
    timeout_at: datetime | None
    status: str
    """OPEN, ANSWERED, CANCELED, EXPIRED."""
    answer: RedactedPayload | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None


def list_open_waits(
    session: Session,
    rules: Rules,
    *,
    kinds: Sequence[str] | None = None,
    assignee: str | None = None,
    cursor: Cursor | None = None,
    limit: int = PAGE_SIZE,
) -> WaitPage:
    """Open waits of open runs, those that began last first; `kinds`: of these only.

    `assignee`: only tasks assigned to this email, whatever its case.
    """
    query = _page(kinds, cursor, limit + 1)
    if assignee is not None:
        query = query.where(func.lower(WorkflowHumanTask.assignee) == assignee.lower())
    rows = session.execute(query).all()
    kept, older = page_of(rows, limit, lambda row: Cursor(row.created_at, row.wait_id))
    redactions = redactions_of(session, rules, {row.run_id for row in kept})
    return WaitPage(tuple(_view(row, redactions[row.run_id]) for row in kept), older)


def count_open_tasks(session: Session) -> int:
    """Tasks that wait for an answer; stops counting at 1,001."""
    some = (
        select(WorkflowHumanTask.task_id)
        .join(WorkflowRun, WorkflowRun.run_id == WorkflowHumanTask.run_id)
        .where(WorkflowHumanTask.status == TaskStatus.OPEN, WorkflowRun.status.in_(OPEN))
        .limit(COUNT_LIMIT + 1)
    )
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def find_task(session: Session, rules: Rules, task_id: str) -> TaskView:
    """Raises `NotFound`."""
    task = answer_task.find(session, task_id).task
    opened = open_run(session, task.run_id, rules)
    opened.learn()
    return task_view(task, opened)


def open_task_of(opened: OpenedRun, task_id: str) -> TaskView | None:
    """None where it has been answered already, and the run has not gone on yet."""
    task = opened.session.get(WorkflowHumanTask, task_id)
    if task is None or task.status != TaskStatus.OPEN:
        return None
    opened.learn()
    return task_view(task, opened)


def task_view(task: WorkflowHumanTask, opened: OpenedRun) -> TaskView:
    """`opened`, the task's run, must have learned."""
    redaction = opened.redaction
    context, answer = task.context_json, task.answer_json
    answered = task.status == TaskStatus.ANSWERED
    return TaskView(
        task_id=task.task_id,
        run_id=task.run_id,
        workflow_key=opened.row.key,
        workflow_name=opened.row.name,
        path=task.step_path,
        title=redaction.text(task.title) or "",
        description=redaction.text(task.description),
        task_type=task.task_type,
        form=task.form_json or {},
        context=None if context is None else redaction.value(context),
        assignee=redaction.text(task.assignee),
        created_at=task.created_at,
        due_at=task.due_at,
        timeout_at=task.timeout_at,
        status=_status(task.status, opened.run.status),
        answer=redaction.value(answer, "/vars/event") if answered else None,
        answered_by=task.answered_by,
        answered_at=task.answered_at,
    )


def _status(status: str, run_status: str) -> str:
    """A task whose run has ended waits for nobody."""
    is_open = status == TaskStatus.OPEN and run_status in OPEN
    return TaskStatus.CANCELED if status == TaskStatus.OPEN and not is_open else status


def _page(kinds: Sequence[str] | None, cursor: Cursor | None, limit: int) -> Select[Any]:
    wait, task = WorkflowRunWait, WorkflowHumanTask
    query = (
        select(
            wait.wait_id,
            wait.run_id,
            wait.wait_type,
            wait.step_path,
            wait.created_at,
            wait.timeout_at,
            wait.key,
            wait.event_name,
            wait.payload,
            task.title,
            task.assignee,
            task.due_at,
            task.task_type,
            WorkflowDefinition.key.label("workflow_key"),
            WorkflowDefinition.name.label("workflow_name"),
        )
        .join(WorkflowRun, WorkflowRun.run_id == wait.run_id)
        .join(WorkflowDefinition, WorkflowDefinition.workflow_id == WorkflowRun.workflow_id)
        .outerjoin(task, task.task_id == wait.wait_id)
        .where(
            wait.status == WaitStatus.WAITING,
            WorkflowRun.status.in_(OPEN),
            # Answered, and its run has not gone on yet: there is nothing left to do.
            or_(task.status.is_(None), task.status == TaskStatus.OPEN),
        )
        .limit(limit)
    )
    if kinds is not None:
        query = query.where(wait.wait_type.in_(kinds))
    return newest_first(query, wait.created_at, wait.wait_id, cursor)


def _view(row: Any, redaction: RunRedaction) -> WaitView:
    payload = row.payload if isinstance(row.payload, dict) else {}
    is_quota, is_event = row.wait_type == WaitType.QUOTA, row.wait_type == WaitType.EVENT
    return WaitView(
        wait_id=row.wait_id,
        run_id=row.run_id,
        workflow_key=row.workflow_key,
        workflow_name=row.workflow_name,
        kind=row.wait_type,
        path=row.step_path,
        since=row.created_at,
        until=row.timeout_at,
        title=redaction.text(row.title),
        key=redaction.text(row.key) if is_event else None,
        event_name=row.event_name if is_event else None,
        assignee=redaction.text(row.assignee),
        due_at=row.due_at,
        task_type=row.task_type,
        reason=payload.get("reason") if is_quota else None,
        quota={name: payload.get(name) for name in _QUOTA} if is_quota else None,
    )
