"""Keeps a workflow's schedule as its newest version's trigger has it (docs/authoring.md, Triggers).

In the transaction that publishes: a version and its schedule are there together, or neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.definitions.cron import next_time
from engine.store.schedules import ScheduleStatus, TimedTrigger, WorkflowSchedule


@dataclass(frozen=True, slots=True)
class _Wanted:
    trigger_type: TimedTrigger
    run_at: datetime | None = None
    cron: str | None = None
    timezone: str | None = None

    def first_time(self, now: datetime) -> datetime:
        """A date that has passed is due at once."""
        if self.cron is None or self.timezone is None:
            assert self.run_at is not None
            return self.run_at
        return next_time(self.cron, self.timezone, now)

    def is_of(self, kept: WorkflowSchedule) -> bool:
        there = (kept.trigger_type, kept.run_at, kept.cron, kept.timezone)
        return there == (self.trigger_type, self.run_at, self.cron, self.timezone)


def keep_schedule(session: Session, workflow_id: str, trigger: Json, now: datetime) -> None:
    """Make, change or disable it. Where nothing has changed it goes on, and nothing is written.

    So a version with the same date does not run at that date again.
    """
    kept = session.scalars(
        select(WorkflowSchedule)
        .where(WorkflowSchedule.workflow_id == workflow_id)
        .with_for_update()
    ).one_or_none()
    wanted = _wanted(trigger)
    if wanted is None:
        if kept is not None and kept.status != ScheduleStatus.DISABLED:
            _disable(kept, now)
    elif kept is None:
        session.add(_made(workflow_id, wanted, now))
    elif not wanted.is_of(kept) or _has_stopped(kept):
        _change(kept, wanted, now)
    session.flush()


def _wanted(trigger: Any) -> _Wanted | None:
    kind = trigger.get("type") if isinstance(trigger, dict) else None
    if kind == TimedTrigger.SCHEDULE:
        return _Wanted(TimedTrigger.SCHEDULE, run_at=datetime.fromisoformat(trigger["runAt"]))
    if kind == TimedTrigger.RECURRING:
        return _Wanted(TimedTrigger.RECURRING, cron=trigger["cron"], timezone=trigger["timezone"])
    return None


def _has_stopped(kept: WorkflowSchedule) -> bool:
    """A date that has been is over; a cron line that failed may work now."""
    failed = kept.status == ScheduleStatus.FAILED and kept.trigger_type == TimedTrigger.RECURRING
    return failed or kept.status == ScheduleStatus.DISABLED


def _made(workflow_id: str, wanted: _Wanted, now: datetime) -> WorkflowSchedule:
    made = WorkflowSchedule(
        schedule_id=str(uuid4()), workflow_id=workflow_id, payload_json={}, created_at=now
    )
    _change(made, wanted, now)
    return made


def _change(schedule: WorkflowSchedule, wanted: _Wanted, now: datetime) -> None:
    schedule.trigger_type = wanted.trigger_type
    schedule.run_at = wanted.run_at
    schedule.cron = wanted.cron
    schedule.timezone = wanted.timezone
    schedule.enabled = True
    schedule.status = ScheduleStatus.SCHEDULED
    schedule.next_fire_at = wanted.first_time(now)
    schedule.last_error = None
    schedule.updated_at = now


def _disable(schedule: WorkflowSchedule, now: datetime) -> None:
    schedule.enabled = False
    schedule.status = ScheduleStatus.DISABLED
    schedule.next_fire_at = None
    schedule.updated_at = now
