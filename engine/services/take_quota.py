"""Count a step's attempt against the installation's quota, before it has any effect."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import exists, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from engine.contract import ActionCall, Json, occurrence
from engine.store.projection import STEPS, USAGE


def take_quota(session: Session, call: ActionCall, now: datetime) -> dict[str, Json] | None:
    """None: counted, now or when a lost worker began this attempt. Else what is used up."""
    begun = exists().where(
        STEPS.c.run_id == call.run_id,
        STEPS.c.occurrence == occurrence(call.path, call.iter),
        STEPS.c.attempt == call.attempt,
    )
    if session.execute(select(begun)).scalar_one():
        return None
    current = (USAGE.c.period_start <= now, USAGE.c.period_end > now)
    taken = session.execute(
        update(USAGE)
        .where(
            *current,
            or_(USAGE.c.effective_limit.is_(None), USAGE.c.used_count < USAGE.c.effective_limit),
        )
        .values(used_count=USAGE.c.used_count + 1, updated_at=now)
    )
    if cast("CursorResult[Any]", taken).rowcount:
        return None
    row = session.execute(select(USAGE).where(*current).limit(1)).one_or_none()
    if row is None:
        return None
    return {
        "periodStart": row.period_start.isoformat(),
        "periodEnd": row.period_end.isoformat(),
        "usedCount": row.used_count,
        "limit": row.effective_limit,
    }
