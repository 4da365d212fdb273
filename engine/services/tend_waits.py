"""What the workers do for waits besides executing (docs/rules.md 7), every few seconds.

Events that Temporal did not take are told again, events that were stored and not seen to are seen
to, and runs that pause for quota are told when there is some. One worker at a time, and only when
there is something to do: a database with nothing open is not written to.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import and_, exists, or_, select

from engine.contract import Json
from engine.runs.status import WaitStatus, WaitType
from engine.services import leases
from engine.services.context import Services
from engine.services.deliver_event import process
from engine.services.release_quota import release_paused
from engine.services.tell_waits import miss_stale, tell
from engine.store.event_routing import DELIVERIES, EVENTS
from engine.store.events import DeliveryStatus
from engine.store.projection import WAITS

EVERY: Final = timedelta(seconds=5)
OLD_ENOUGH: Final = timedelta(seconds=3)
"""What is younger is being seen to by who stored it."""
MOST_PROCESSED: Final = 100

_LEASE_FOR: Final = timedelta(seconds=60)
_DUE: Final = EVERY - timedelta(seconds=1)

log = structlog.get_logger(__name__)


def tend_waits(services: Services, owner: str) -> dict[str, Json] | None:
    """One pass; what it did. None: there was nothing to do, or another worker does it."""
    old = services.now() - OLD_ENOUGH
    if not _something_to_do(services, old):
        return None
    held = leases.take(services, leases.WAITS, owner, held_for=_LEASE_FOR, every=_DUE)
    if held is None:
        return None
    done: dict[str, Json] = {}
    try:
        done = {
            "processed": _process(services, old),
            "told": tell(services, untold_since=old),
            "missed": miss_stale(services, old),
            "released": release_paused(services),
        }
    finally:
        leases.give_back(services, held, done)
    return done


def _something_to_do(services: Services, old: datetime) -> bool:
    untold = exists().where(_untold(old))
    stale = exists().where(
        DELIVERIES.c.status == DeliveryStatus.DELIVERED,
        DELIVERIES.c.updated_at < old,
        WAITS.c.wait_id == DELIVERIES.c.wait_id,
        WAITS.c.status != WaitStatus.WAITING,
    )
    unprocessed = exists().where(_unprocessed(old))
    paused = exists().where(
        WAITS.c.wait_type == WaitType.QUOTA, WAITS.c.status == WaitStatus.WAITING
    )
    with services.store.reading() as session:
        return bool(session.execute(select(or_(untold, stale, unprocessed, paused))).scalar_one())


def _untold(old: datetime) -> Any:
    return and_(DELIVERIES.c.status == DeliveryStatus.PENDING, DELIVERIES.c.updated_at < old)


def _unprocessed(old: datetime) -> Any:
    return and_(EVENTS.c.processed_at.is_(None), EVENTS.c.created_at < old, _is_ours())


def _is_ours() -> Any:
    """Events from before the cut-over were for another engine."""
    return EVENTS.c.sent_by.is_not(None)


def _process(services: Services, old: datetime) -> int:
    with services.store.reading() as session:
        waiting = session.execute(
            select(EVENTS)
            .where(_unprocessed(old))
            .order_by(EVENTS.c.created_at)
            .limit(MOST_PROCESSED)
        ).all()
    for event in waiting:
        try:
            process(services, event)
        except Exception:  # one event must not keep the others from being seen to
            log.exception("events.not_processed", event_id=event.event_id)
    return len(waiting)
