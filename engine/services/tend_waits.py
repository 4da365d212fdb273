"""What the workers do for waits besides executing (docs/rules.md 7), every few seconds.

Events that Temporal did not take are told again, events that were stored and not seen to are seen
to, and runs that pause for quota are told when there is some. One worker at a time, and only when
there is something to do: a database with nothing open is not written to.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import and_, exists, or_, select, text

from engine.contract import Json
from engine.services import leases
from engine.services.clocks import older_than
from engine.services.context import Services
from engine.services.deliver_event import process
from engine.services.release_quota import release_paused
from engine.services.tell_paused import paused, untold
from engine.services.tell_waits import (
    OLD_ENOUGH,
    miss_stale,
    stale,
    tell_again,
    unanswered,
    unobserved,
)
from engine.store.event_routing import EVENTS
from engine.store.events import UNPROCESSED

EVERY: Final = timedelta(seconds=5)
MOST_PROCESSED: Final = 100

_LEASE_FOR: Final = timedelta(seconds=60)
_DUE: Final = EVERY - timedelta(seconds=1)

log = structlog.get_logger(__name__)


def tend_waits(services: Services, owner: str) -> dict[str, Json] | None:
    """One pass; what it did. None: there was nothing to do, or another worker does it."""
    now = services.now()
    if not _something_to_do(services, now):
        return None
    held = leases.take(services, leases.WAITS, owner, held_for=_LEASE_FOR, every=_DUE)
    if held is None:
        return None
    done: dict[str, Json] = {}
    try:
        done = {
            "processed": _process(services, now),
            "told": tell_again(services, now),
            "missed": miss_stale(services, now),
            "released": release_paused(services),
        }
    finally:
        leases.give_back(services, held, done)
    return done


def _something_to_do(services: Services, now: datetime) -> bool:
    telling = exists().where(or_(unanswered(now), unobserved(now), stale(now)))
    unprocessed = exists().where(_unprocessed(now))
    quota = select(paused().where(untold(now)).limit(1).subquery().c.wait_id).exists()
    with services.store.reading() as session:
        return bool(session.execute(select(or_(telling, unprocessed, quota))).scalar_one())


def _unprocessed(now: datetime) -> Any:
    return and_(text(UNPROCESSED), older_than(OLD_ENOUGH, EVENTS.c.created_at, now))


def _process(services: Services, now: datetime) -> int:
    with services.store.reading() as session:
        waiting = session.execute(
            select(EVENTS)
            .where(_unprocessed(now))
            # What failed before comes last: it must not keep the others waiting.
            .order_by(EVENTS.c.error_message.is_not(None), EVENTS.c.created_at)
            .limit(MOST_PROCESSED)
        ).all()
    for event in waiting:
        try:
            process(services, event)
        except Exception:  # one event must not keep the others from being seen to
            log.exception("events.not_processed", event_id=event.event_id)
    return len(waiting)
