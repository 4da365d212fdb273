"""When workflows start by themselves (original 1.12): one row for each that has a time trigger.

The original's `tenant_workflow_schedule` is another table, and left as it is.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Json, UtcDateTime, Uuid, one_of


class ScheduleStatus(StrEnum):
    SCHEDULED = "scheduled"
    """It has a next time."""
    COMPLETED = "completed"
    """Its one time has come, and a run was accepted."""
    DISABLED = "disabled"
    """The newest version has no such trigger any more."""
    FAILED = "failed"
    """It has no next time because of `last_error`."""


class TimedTrigger(StrEnum):
    SCHEDULE = "schedule"
    RECURRING = "recurring"


class WorkflowSchedule(Base):
    __tablename__ = "workflow_schedules"

    schedule_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    workflow_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("workflow_definitions.workflow_id", ondelete="CASCADE")
    )
    trigger_type: Mapped[str]
    run_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cron: Mapped[str | None]
    timezone: Mapped[str | None]
    payload_json: Mapped[Any] = mapped_column(Json)
    """Of its runs, where the version's schema is not the clock's."""
    enabled: Mapped[bool]
    status: Mapped[str]
    next_fire_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_fire_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a worker saw to it last, also where it skipped the run."""
    last_fire_key: Mapped[str | None]
    last_run_id: Mapped[str | None] = mapped_column(Uuid)
    """Of the last fire; None: it was skipped."""
    last_error: Mapped[str | None]
    """Of the last fire; None: a run was accepted."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        one_of("status", ScheduleStatus),
        one_of("trigger_type", TimedTrigger),
        UniqueConstraint("workflow_id"),
        Index(None, "next_fire_at"),
    )
