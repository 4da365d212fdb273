"""The task inbox: what a human.task asks, and what was answered (docs/rules.md 7).

The original's `workflow_tasks` has columns that ours has no values for; an adopted one is left as
it is, for reading.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Json, UtcDateTime, Uuid, one_of


class TaskStatus(StrEnum):
    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    """Its time-out came first."""


class WorkflowHumanTask(Base):
    __tablename__ = "workflow_human_tasks"

    task_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    """Its wait's id too."""
    run_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("workflow_runs.run_id", ondelete="CASCADE")
    )
    step_path: Mapped[str]
    title: Mapped[str]
    description: Mapped[str | None]
    task_type: Mapped[str | None]
    form_json: Mapped[Any | None] = mapped_column(Json)
    """JSON Schema of the answer, as it was when the task was opened."""
    context_json: Mapped[Any | None] = mapped_column(Json)
    assignee: Mapped[str | None]
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    timeout_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(default=TaskStatus.OPEN, server_default="OPEN")
    answer_json: Mapped[Any | None] = mapped_column(Json)
    answered_by: Mapped[str | None]
    """Email, or "command line"."""
    answered_by_id: Mapped[str | None] = mapped_column(Uuid)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answer_token: Mapped[str | None]
    """The form's one-time token: the same form again is the same answer."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        one_of("status", TaskStatus),
        Index(None, "run_id"),
        Index(None, "status", "created_at", "task_id"),
    )


class WorkflowTaskType(Base):
    """What `taskType` of a human.task may name (docs/authoring.md, Steps)."""

    __tablename__ = "workflow_task_types"

    task_type: Mapped[str] = mapped_column(primary_key=True)
    form_json: Mapped[Any] = mapped_column(Json)
    created_by: Mapped[str | None] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
