"""Ending a quota pause: the workflow is told, its rows follow (docs/rules.md 7).

An operator's request is written first; where Temporal is away the workers tell it later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from engine.errors import Conflict, NotFound, Unavailable
from engine.runs.status import LogLevel
from engine.services import audit
from engine.services.context import Actor, Services
from engine.services.end_run import lock_run
from engine.services.entered import run_id_of
from engine.services.run_log import note, source_of
from engine.services.take_quota import newest_period, open_period
from engine.services.tell_paused import MOST_AT_ONCE, on_their_way, paused, tell_paused, untold
from engine.store.logs import LogSource
from engine.store.projection import RUNS, WAITS

OPERATION: Final = "quota_release"


@dataclass(frozen=True, slots=True)
class ReleaseReceipt:
    run_id: str
    released: tuple[str, ...]
    """Ids of the quota waits that were told. One pauses again when there is still no quota."""


def release_quota(services: Services, wait_or_run_id: str, actor: Actor) -> ReleaseReceipt:
    """Have a paused run ask for quota again.

    Raises `NotFound`, `Conflict` (it does not wait for quota), `Unavailable` when Temporal does not
    answer: then the request is recorded and will be delivered.
    """
    wanted = run_id_of(wait_or_run_id)
    with services.store.writing() as session:
        run_id = _run_of(session, wanted)
        lock_run(session, run_id)  # first, as the activities do
        of = or_(WAITS.c.wait_id == wanted, WAITS.c.run_id == wanted)
        waits = session.execute(paused().where(of)).all()
        if not waits:
            raise Conflict("The run does not wait for quota.", code="NOT_PAUSED")
        _request(session, services, run_id, waits, actor)
    told, taken = tell_paused(services, waits, "released")
    if not told and None in taken:
        raise Unavailable(
            "The release is recorded, but Temporal does not answer. It is delivered as soon as "
            "Temporal does.",
            details={"run_id": run_id, "recorded": True},
        )
    if not told:
        raise Conflict("The run has ended in Temporal.", code="RUN_ENDED")
    return ReleaseReceipt(run_id, tuple(wait.wait_id for wait in told))


def release_paused(services: Services) -> int:
    """Tell those whose release was requested; then, when a period has turned or the limit was
    raised, as many as there is quota for. How many it was."""
    now = services.now()
    with services.store.reading() as session:
        requested = session.execute(
            paused().where(WAITS.c.release_requested_at.is_not(None), untold(now))
        ).all()
        room = _room(session, now) - len(requested)
        others = paused().where(WAITS.c.release_requested_at.is_(None), untold(now))
        waits = session.execute(others.limit(min(room, MOST_AT_ONCE))).all() if room > 0 else ()
    if waits:
        with services.store.writing() as session:
            open_period(session, now)
    return _told(services, requested, "released", "Told to ask for quota again") + _told(
        services, waits, "quota is free again", "There is quota again: the run goes on"
    )


def _told(services: Services, waits: Any, reason: str, message: str) -> int:
    if not waits:
        return 0
    told, _ = tell_paused(services, waits, reason)
    now = services.now()
    with services.store.writing() as session:
        for wait in told:
            if wait.tellings == 0:
                source = LogSource.WORKER
                note(session, wait.run_id, LogLevel.INFO, message, now=now, source=source)
    return len(told)


def _request(session: Session, services: Services, run_id: str, waits: Any, actor: Actor) -> None:
    now = services.now()
    ids = [wait.wait_id for wait in waits]
    session.execute(
        update(WAITS).where(WAITS.c.wait_id.in_(ids)).values(release_requested_at=now, told_at=None)
    )
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
        details={"waits": ids},
    )


def _room(session: Session, now: datetime) -> int:
    """How many attempts may still begin, beside those that are about to."""
    period = newest_period(session, now)
    if period is None or period.effective_limit is None:
        return MOST_AT_ONCE
    used = period.used_count if period.period_end > now else 0
    return int(period.effective_limit) - int(used) - on_their_way(session, now)


def _run_of(session: Session, wanted: str) -> str:
    """Raises `NotFound`."""
    run_id = session.scalar(
        select(WAITS.c.run_id).where(WAITS.c.wait_id == wanted)
    ) or session.scalar(select(RUNS.c.run_id).where(RUNS.c.run_id == wanted))
    if run_id is None:
        raise NotFound("There is no such run or wait.", code="RUN_NOT_FOUND")
    return str(run_id)
