"""Ending a quota pause: the workflow is told first, its rows follow (docs/rules.md 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine.contract import workflow_id_of
from engine.contract_waits import SIGNAL_QUOTA_RELEASED, QuotaReleased
from engine.durable.wire import pack
from engine.errors import Conflict, NotFound, Unavailable
from engine.gateway.executions import Signal
from engine.runs.status import OPEN, LogLevel, WaitStatus, WaitType
from engine.services import audit
from engine.services.context import Actor, Services
from engine.services.entered import run_id_of
from engine.services.run_log import note, source_of
from engine.services.take_quota import newest_period, open_period
from engine.store.logs import LogSource
from engine.store.projection import RUNS, WAITS

OPERATION: Final = "quota_release"
MOST_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class ReleaseReceipt:
    run_id: str
    released: tuple[str, ...]
    """Ids of the quota waits that were told. One pauses again when there is still no quota."""


def release_quota(services: Services, wait_or_run_id: str, actor: Actor) -> ReleaseReceipt:
    """Have a paused run ask for quota again.

    Raises `NotFound`, `Conflict` (it does not wait for quota), `Unavailable` (nothing was told).
    """
    wanted = run_id_of(wait_or_run_id)
    with services.store.reading() as session:
        waits = _paused(session, wanted)
        run_id = _run_of(session, wanted)
    if not waits:
        raise Conflict("The run does not wait for quota.", code="NOT_PAUSED")
    taken = services.gateway.signal_runs([_signal(wait, "released") for wait in waits])
    told = tuple(wait.wait_id for wait, yes in zip(waits, taken, strict=True) if yes)
    if not told and None in taken:
        raise Unavailable("Temporal does not answer: nothing was released.")
    if not told:
        raise Conflict("The run has ended in Temporal.", code="RUN_ENDED")
    now = services.now()
    with services.store.writing() as session:
        who = actor.email or "the command line"
        source = source_of(actor)
        note(session, run_id, LogLevel.INFO, f"Quota released by {who}", now=now, source=source)
        audit.record(
            session,
            actor,
            OPERATION,
            now,
            record_type=audit.RUN,
            record_id=run_id,
            details={"waits": list(told)},
        )
    return ReleaseReceipt(run_id, told)


def release_paused(services: Services) -> int:
    """When a period has turned or the limit was raised: tell as many as there is quota for.

    Those that have waited longest first. How many it was.
    """
    now = services.now()
    with services.store.reading() as session:
        if not _paused(session, None, limit=1):
            return 0
        room = _room(newest_period(session, now), now)
        waits = _paused(session, None, limit=min(room, MOST_AT_ONCE)) if room else []
    if not waits:
        return 0
    with services.store.writing() as session:
        open_period(session, now)
    taken = services.gateway.signal_runs([_signal(wait, "quota is free again") for wait in waits])
    told = [wait for wait, yes in zip(waits, taken, strict=True) if yes]
    with services.store.writing() as session:
        for wait in told:
            note(
                session,
                wait.run_id,
                LogLevel.INFO,
                "There is quota again: the run goes on",
                now=now,
                source=LogSource.WORKER,
            )
    return len(told)


def _room(period: Any | None, now: Any) -> int:
    """How many attempts may still begin."""
    if period is None or period.effective_limit is None:
        return MOST_AT_ONCE
    used = period.used_count if period.period_end > now else 0
    return max(0, int(period.effective_limit) - int(used))


def _paused(session: Session, wanted: str | None, limit: int = MOST_AT_ONCE) -> list[Any]:
    query = (
        select(WAITS.c.wait_id, WAITS.c.run_id, RUNS.c.temporal_workflow_id)
        .join(RUNS, RUNS.c.run_id == WAITS.c.run_id)
        .where(
            WAITS.c.wait_type == WaitType.QUOTA,
            WAITS.c.status == WaitStatus.WAITING,
            RUNS.c.status.in_(OPEN),
        )
        .order_by(WAITS.c.created_at, WAITS.c.wait_id)
        .limit(limit)
    )
    if wanted is not None:
        query = query.where(or_(WAITS.c.wait_id == wanted, WAITS.c.run_id == wanted))
    return list(session.execute(query))


def _run_of(session: Session, wanted: str) -> str:
    """Raises `NotFound`."""
    run_id = session.scalar(
        select(WAITS.c.run_id).where(WAITS.c.wait_id == wanted)
    ) or session.scalar(select(RUNS.c.run_id).where(RUNS.c.run_id == wanted))
    if run_id is None:
        raise NotFound("There is no such run or wait.", code="RUN_NOT_FOUND")
    return str(run_id)


def _signal(wait: Any, reason: str) -> Signal:
    workflow_id = workflow_id_of(wait.run_id, wait.temporal_workflow_id)
    return Signal(workflow_id, SIGNAL_QUOTA_RELEASED, pack(QuotaReleased(wait.wait_id, reason)))
