"""The installation's step quota: how many attempts a calendar month may begin (authoring.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from engine.errors import Invalid, Problem
from engine.runs.status import WaitStatus, WaitType
from engine.services import audit
from engine.services.context import Actor, Services
from engine.services.take_quota import (
    USAGE,
    begin_period,
    calendar_month,
    newest_period,
    open_period,
)
from engine.store.projection import WAITS

_HIGHEST: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class StepQuota:
    period_start: datetime
    period_end: datetime
    used: int
    """Attempts of action, wait, task and call steps; counted only while there is a limit."""
    limit: int | None
    """None: unlimited."""
    paused: int
    """Steps that wait for quota now."""


def show_quota(services: Services) -> StepQuota:
    """The current period."""
    with services.store.reading() as session:
        return _shown(session, services.now())


def set_quota(services: Services, limit: int | None, actor: Actor) -> StepQuota:
    """Set the limit, of this period and those that follow; None: unlimited. Raises `Invalid`."""
    if limit is not None and not 0 < limit <= _HIGHEST:
        problem = Problem("limit", f"is a number from 1 to {_HIGHEST:,}, or unlimited")
        raise Invalid("This cannot be the limit.", [problem])
    now = services.now()
    with services.store.writing() as session:
        if open_period(session, now) is None:
            begin_period(session, limit, now)
        session.execute(
            update(USAGE)
            .where(USAGE.c.period_start <= now, USAGE.c.period_end > now)
            .values(effective_limit=limit, updated_at=now)
        )
        audit.record(
            session, actor, "quota_set", now, record_type="step_quota", details={"limit": limit}
        )
        return _shown(session, now)


def _shown(session: Session, now: datetime) -> StepQuota:
    newest = newest_period(session, now)
    paused = session.scalar(
        select(func.count()).where(
            WAITS.c.wait_type == WaitType.QUOTA, WAITS.c.status == WaitStatus.WAITING
        )
    )
    limit = None if newest is None else newest.effective_limit
    if newest is not None and newest.period_end > now:
        start, end, used = newest.period_start, newest.period_end, newest.used_count
    else:
        (start, end), used = calendar_month(now), 0
    return StepQuota(start, end, used, limit, paused or 0)
