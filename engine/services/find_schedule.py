"""A workflow's schedule, for its page: when it runs next, and what came of the last time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store.schedules import ScheduleStatus, WorkflowSchedule


@dataclass(frozen=True, slots=True)
class ScheduleView:
    cron: str | None
    """None: it runs once."""
    timezone: str | None
    status: str
    next_fire_at: datetime | None
    last_fire_at: datetime | None
    last_run_id: str | None
    last_error: str | None


def find_schedule(session: Session, workflow_id: str) -> ScheduleView | None:
    """None: its newest version has no time trigger."""
    found = session.execute(
        select(
            WorkflowSchedule.cron,
            WorkflowSchedule.timezone,
            WorkflowSchedule.status,
            WorkflowSchedule.next_fire_at,
            WorkflowSchedule.last_fire_at,
            WorkflowSchedule.last_run_id,
            WorkflowSchedule.last_error,
        ).where(
            WorkflowSchedule.workflow_id == workflow_id,
            WorkflowSchedule.status != ScheduleStatus.DISABLED,
        )
    ).one_or_none()
    return None if found is None else ScheduleView(*found)
