"""Telling steps that pause for quota to try again, until their waits are over (docs/rules.md 7).

The wait's own row is the record: who asked, when Temporal took the message, how often. The workflow
ends the wait, and nobody else; what it has not heard for five minutes it is told again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.orm import Session

from engine.contract import workflow_id_of
from engine.contract_waits import SIGNAL_QUOTA_RELEASED, QuotaReleased
from engine.durable.wire import pack
from engine.gateway.executions import Signal
from engine.runs.status import OPEN, WaitStatus, WaitType
from engine.services.clocks import older_than
from engine.services.context import Services
from engine.store.projection import RUNS, WAITS

MOST_AT_ONCE: Final = 500
AGAIN_AFTER: Final = timedelta(minutes=5)


def paused() -> Select[Any]:
    """Open quota waits of open runs, those first that have waited longest."""
    return (
        select(WAITS.c.wait_id, WAITS.c.run_id, WAITS.c.tellings, RUNS.c.temporal_workflow_id)
        .join(RUNS, RUNS.c.run_id == WAITS.c.run_id)
        .where(
            WAITS.c.wait_type == WaitType.QUOTA,
            WAITS.c.status == WaitStatus.WAITING,
            RUNS.c.status.in_(OPEN),
        )
        .order_by(WAITS.c.created_at, WAITS.c.wait_id)
        .limit(MOST_AT_ONCE)
    )


def untold(now: datetime) -> ColumnElement[bool]:
    """Temporal has not taken the message, or it has come to nothing."""
    return or_(WAITS.c.told_at.is_(None), older_than(AGAIN_AFTER, WAITS.c.told_at, now))


def on_their_way(session: Session, now: datetime) -> int:
    """So many were told, and have not tried again yet."""
    told = paused().where(WAITS.c.told_at >= now - AGAIN_AFTER).limit(None).subquery()
    return session.scalar(select(func.count()).select_from(told)) or 0


def tell_paused(
    services: Services, waits: Sequence[Any], reason: str
) -> tuple[list[Any], Sequence[bool | None]]:
    """Those that Temporal took, and what it said to each (as `RunGateway.signal_runs`)."""
    taken = services.gateway.signal_runs([_signal(wait, reason) for wait in waits])
    told = [wait for wait, yes in zip(waits, taken, strict=True) if yes]
    if told:
        with services.store.writing() as session:
            session.execute(
                update(WAITS)
                .where(WAITS.c.wait_id.in_([wait.wait_id for wait in told]))
                .values(told_at=services.now(), tellings=WAITS.c.tellings + 1)
            )
    return told, taken


def _signal(wait: Any, reason: str) -> Signal:
    workflow_id = workflow_id_of(wait.run_id, wait.temporal_workflow_id)
    return Signal(workflow_id, SIGNAL_QUOTA_RELEASED, pack(QuotaReleased(wait.wait_id, reason)))
