"""Count a step's attempt against the installation's quota, before it has any effect."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Table, exists, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from engine.contract import ActionCall, Json, occurrence
from engine.services.context import Services
from engine.store.projection import STEPS
from engine.store.usage import WorkflowStepUsagePeriod

_KNOWN_FOR_S: Final = 5.0
"""How soon a limit that is set holds everywhere: asked at each step it would cost all of them."""

_USAGE = cast(Table, WorkflowStepUsagePeriod.__table__)


class QuotaLimit:
    """Is a limit configured at all? Shared by the threads of a worker."""

    def __init__(self) -> None:
        self._limited = False
        self._known_until = 0.0

    def applies(self, services: Services) -> bool:
        if time.monotonic() >= self._known_until:
            with services.store.reading() as session:
                limited = exists().where(
                    *_current(services.now()), _USAGE.c.effective_limit.is_not(None)
                )
                self._limited = bool(session.execute(select(limited)).scalar_one())
            self._known_until = time.monotonic() + _KNOWN_FOR_S
        return self._limited


def take_quota(session: Session, call: ActionCall, now: datetime) -> dict[str, Json] | None:
    """None: counted, now or when a lost worker began this attempt. Else what is used up."""
    begun = exists().where(
        STEPS.c.run_id == call.run_id,
        STEPS.c.occurrence == occurrence(call.path, call.iter),
        STEPS.c.attempt == call.attempt,
    )
    if session.execute(select(begun)).scalar_one():
        return None
    taken = session.execute(
        update(_USAGE)
        .where(
            *_current(now),
            or_(_USAGE.c.effective_limit.is_(None), _USAGE.c.used_count < _USAGE.c.effective_limit),
        )
        .values(used_count=_USAGE.c.used_count + 1, updated_at=now)
    )
    if cast("CursorResult[Any]", taken).rowcount:
        return None
    row = session.execute(select(_USAGE).where(*_current(now)).limit(1)).one_or_none()
    if row is None:
        return None
    return {
        "periodStart": row.period_start.isoformat(),
        "periodEnd": row.period_end.isoformat(),
        "usedCount": row.used_count,
        "limit": row.effective_limit,
    }


def _current(now: datetime) -> list[Any]:
    return [_USAGE.c.period_start <= now, _USAGE.c.period_end > now]
