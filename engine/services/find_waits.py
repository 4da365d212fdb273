"""Open waits, and the task inbox: what is shown of them (docs/rules.md 7).

Nothing here leaves unredacted: titles, contexts and answers are made of the run's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from engine.contract import Json
from engine.runs.payload import RedactedPayload
from engine.services.find_runs import Cursor
from engine.services.redact_run import Rules

PAGE_SIZE: Final = 50


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
    raise NotImplementedError


def count_open_tasks(session: Session) -> int:
    """Tasks that wait for an answer; stops counting at 1,001."""
    raise NotImplementedError


def find_task(session: Session, rules: Rules, task_id: str) -> TaskView:
    """Raises `NotFound`."""
    raise NotImplementedError
