"""Count a step's attempt against the installation's quota, before it has any effect."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Final, Protocol, cast

from sqlalchemy import Table, exists, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from engine.contract import Json, occurrence
from engine.services.context import Services
from engine.store.projection import STEPS
from engine.store.upsert import insert_into
from engine.store.usage import WorkflowStepUsagePeriod

_KNOWN_FOR_S: Final = 0.5
"""How soon a limit that is set holds everywhere: asked at each step it would cost all of them."""

USAGE = cast(Table, WorkflowStepUsagePeriod.__table__)


class Attempted(Protocol):
    """An attempt of a step: an action's call, or a step that is admitted."""

    @property
    def run_id(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def iter(self) -> list[int]: ...
    @property
    def attempt(self) -> int: ...


class QuotaLimit:
    """Is a limit configured at all? Shared by the threads of a worker."""

    def __init__(self) -> None:
        self._limited = False
        self._known_until = 0.0

    def applies(self, services: Services) -> bool:
        if time.monotonic() >= self._known_until:
            with services.store.reading() as session:
                newest = newest_period(session, services.now())
            self._limited = newest is not None and newest.effective_limit is not None
            self._known_until = time.monotonic() + _KNOWN_FOR_S
        return self._limited


def take_quota(session: Session, step: Attempted, now: datetime) -> dict[str, Json] | None:
    """None: counted, now or when a lost worker began this attempt. Else what is used up."""
    begun = exists().where(
        STEPS.c.run_id == step.run_id,
        STEPS.c.occurrence == occurrence(step.path, step.iter),
        STEPS.c.attempt == step.attempt,
    )
    if session.execute(select(begun)).scalar_one():
        return None
    row = open_period(session, now)
    if row is None:
        return None
    taken = session.execute(
        update(USAGE)
        .where(
            *_current(now),
            or_(USAGE.c.effective_limit.is_(None), USAGE.c.used_count < USAGE.c.effective_limit),
        )
        .values(used_count=USAGE.c.used_count + 1, updated_at=now)
    )
    if cast("CursorResult[Any]", taken).rowcount:
        return None
    row = session.execute(select(USAGE).where(*_current(now)).limit(1)).one()
    return {
        "periodStart": row.period_start.isoformat(),
        "periodEnd": row.period_end.isoformat(),
        "usedCount": row.used_count,
        "limit": row.effective_limit,
    }


def newest_period(session: Session, now: datetime) -> Any | None:
    """The current period's row, else that of the last one there was: its limit still holds."""
    return session.execute(
        select(USAGE)
        .where(USAGE.c.period_start <= now)
        .order_by(USAGE.c.period_start.desc(), USAGE.c.period_end.desc())
        .limit(1)
    ).one_or_none()


def open_period(session: Session, now: datetime) -> Any | None:
    """The current period's row; the limit of the last one goes on. None: there never was any."""
    newest = newest_period(session, now)
    if newest is None or newest.period_end > now:
        return newest
    begin_period(session, newest.effective_limit, now)
    return newest_period(session, now)


def begin_period(session: Session, limit: int | None, now: datetime) -> None:
    """A row for this calendar month, in UTC; one that is there stays as it is."""
    start, end = calendar_month(now)
    session.execute(
        insert_into(session, USAGE)
        .values(
            period_start=start,
            period_end=end,
            effective_limit=limit,
            used_count=0,
            limit_source="installation",
            created_at=now,
            updated_at=now,
        )
        .on_conflict_do_nothing()
    )


def calendar_month(now: datetime) -> tuple[datetime, datetime]:
    start = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start, end


def _current(now: datetime) -> list[Any]:
    return [USAGE.c.period_start <= now, USAGE.c.period_end > now]
