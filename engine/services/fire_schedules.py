"""Starts what is due, every two seconds, one worker at a time (docs/authoring.md, Triggers).

Where nothing is due it is one indexed query and nothing is written. After a time without workers
the latest time that was missed is made up for by one run, which says how many were missed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import structlog
from sqlalchemy import Table, select, update

from engine.contract import Json
from engine.definitions.cron import times_after
from engine.interpreter.failure import timestamp
from engine.services import leases
from engine.services.context import Services
from engine.services.start_by_schedule import Fire, Outcome, start_scheduled
from engine.store.schedules import ScheduleStatus, WorkflowSchedule

EVERY: Final = timedelta(seconds=2)
MOST_FIRED: Final = 100
"""In one pass; the oldest first."""

_LEASE_FOR: Final = timedelta(seconds=60)
_AT_MOST_EVERY: Final = EVERY - timedelta(seconds=1)
_SCHEDULES: Final = cast(Table, WorkflowSchedule.__table__)

log = structlog.get_logger(__name__)


def fire_schedules(services: Services, owner: str) -> dict[str, Json] | None:
    """One pass; what it did. None: nothing is due, or another worker sees to it."""
    if not due_schedules(services):
        return None
    held = leases.take(services, leases.SCHEDULES, owner, held_for=_LEASE_FOR, every=_AT_MOST_EVERY)
    if held is None:
        return None
    done: dict[str, Json] = {"fired": 0}
    try:
        done["fired"] = sum(_fired(services, one) for one in due_schedules(services))
    finally:
        leases.give_back(services, held, done)
    return done


def due_schedules(services: Services) -> list[Any]:
    """Rows as they are now; `fire_schedule` changes one only while its time is still that."""
    query = (
        select(_SCHEDULES)
        .where(
            _SCHEDULES.c.next_fire_at <= services.now(),
            _SCHEDULES.c.status == ScheduleStatus.SCHEDULED,
        )
        # What could not be fired comes last: it must not keep the others waiting.
        .order_by(
            _SCHEDULES.c.last_error.is_not(None),
            _SCHEDULES.c.next_fire_at,
            _SCHEDULES.c.schedule_id,
        )
        .limit(MOST_FIRED)
    )
    with services.store.reading() as session:
        return list(session.execute(query))


def fire_schedule(services: Services, schedule: Any) -> None:
    """Start the run of the latest time that is due, and set the next one."""
    now = services.now()
    try:
        fire, then = _fire(schedule, now)
    except ValueError as error:
        _set(services, schedule, status=ScheduleStatus.FAILED, next_fire_at=None, error=str(error))
        return
    outcome = start_scheduled(services, fire)
    _set(
        services,
        schedule,
        status=_status(then, outcome),
        next_fire_at=then,
        error=outcome.error,
        last_fire_at=now,
        last_fire_key=fire.key,
        last_run_id=outcome.run_id,
    )


def _fired(services: Services, schedule: Any) -> int:
    try:
        fire_schedule(services, schedule)
    except Exception as error:  # one schedule must not keep the others from their time
        log.exception("schedules.not_fired", schedule_id=schedule.schedule_id)
        _say(services, schedule, error)
        return 0
    return 1


def _say(services: Services, schedule: Any, error: Exception) -> None:
    """On the workflow's page; its time stays due, and it is tried again with the next pass."""
    at = timestamp(schedule.next_fire_at)
    said = f"The run of {at} could not be started: {type(error).__name__}. It is tried again."
    if schedule.last_error != said:
        _set(services, schedule, error=said, last_fire_at=services.now(), last_run_id=None)


def _fire(schedule: Any, now: datetime) -> tuple[Fire, datetime | None]:
    """The latest time that is due, and the one after it. Raises `ValueError`."""
    due, missed, then = schedule.next_fire_at, 0, None
    if schedule.cron is not None:
        for then in times_after(schedule.cron, schedule.timezone, due):
            if then > now:
                break
            due, missed = then, missed + 1
    fire = Fire(
        schedule_id=schedule.schedule_id,
        workflow_id=schedule.workflow_id,
        trigger_type=schedule.trigger_type,
        cron=schedule.cron,
        timezone=schedule.timezone or str(UTC),
        payload=schedule.payload_json,
        scheduled_for=due,
        fired_at=now,
        missed=missed,
    )
    return fire, then


def _status(then: datetime | None, outcome: Outcome) -> ScheduleStatus:
    if then is not None:
        return ScheduleStatus.SCHEDULED
    return ScheduleStatus.COMPLETED if outcome.error is None else ScheduleStatus.FAILED


def _set(services: Services, schedule: Any, *, error: str | None, **values: Any) -> None:
    """Only while its time is the one that was fired: publishing may have set another."""
    with services.store.writing() as session:
        session.execute(
            update(_SCHEDULES)
            .where(
                _SCHEDULES.c.schedule_id == schedule.schedule_id,
                _SCHEDULES.c.next_fire_at == schedule.next_fire_at,
                _SCHEDULES.c.status == ScheduleStatus.SCHEDULED,
            )
            .values(last_error=error, updated_at=services.now(), **values)
        )
