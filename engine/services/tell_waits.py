"""Telling workflows of the events that are for their waits, until Temporal has taken them.

Only a delivery that is still PENDING is told; one whose wait has ended meanwhile is MISSED, and the
event goes to another open wait of the run, if there is one that it fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from engine.contract import workflow_id_of
from engine.contract_waits import SIGNAL_EVENT, EventSignal
from engine.durable.wire import pack
from engine.gateway.executions import Signal
from engine.runs.status import OPEN, WaitStatus
from engine.services.context import Services
from engine.store import event_routing
from engine.store.event_routing import DELIVERIES, EVENTS
from engine.store.events import DeliveryStatus
from engine.store.projection import RUNS, WAITS

MOST_TOLD: Final = 1000

_NO_ANSWER: Final = "Temporal does not answer."
_NOT_OPEN: Final = "Temporal has no such open workflow."


def tell(
    services: Services, *, event_id: str | None = None, untold_since: datetime | None = None
) -> int:
    """Tell what is PENDING; how many it was. `untold_since`: only what was tried before then."""
    with services.store.reading() as session:
        pending = _pending(session, event_id, untold_since)
    if not pending:
        return 0
    open_ones = [one for one in pending if _is_open(one)]
    taken = services.gateway.signal_runs([_signal(one) for one in open_ones])
    with services.store.writing() as session:
        for one, yes in zip(open_ones, taken, strict=True):
            _note(session, one, yes, services.now())
    for one in pending:
        if not _is_open(one):
            _miss(services, one)
    return len(pending)


def miss_stale(services: Services, told_before: datetime) -> int:
    """What Temporal took for a wait that ended without it, unnoticed by who closed it."""
    ended = WAITS.c.status != WaitStatus.WAITING
    with services.store.reading() as session:
        stale = session.execute(
            _with_event().where(
                DELIVERIES.c.status == DeliveryStatus.DELIVERED,
                DELIVERIES.c.updated_at < told_before,
                ended,
            )
        ).all()
    for one in stale:
        _miss(services, one)
    return len(stale)


def _with_event() -> Any:
    return (
        select(
            DELIVERIES.c.run_id,
            DELIVERIES.c.wait_id,
            EVENTS.c.event_id,
            EVENTS.c.event_name,
            EVENTS.c.correlation_key,
            EVENTS.c.payload,
            EVENTS.c.created_at,
            RUNS.c.status.label("run_status"),
            RUNS.c.temporal_workflow_id,
            WAITS.c.status.label("wait_status"),
        )
        .join(EVENTS, EVENTS.c.event_id == DELIVERIES.c.event_id)
        .join(RUNS, RUNS.c.run_id == DELIVERIES.c.run_id)
        .join(WAITS, WAITS.c.wait_id == DELIVERIES.c.wait_id)
        .order_by(EVENTS.c.created_at, EVENTS.c.event_id)
        .limit(MOST_TOLD)
    )


def _pending(
    session: Session, event_id: str | None, untold_since: datetime | None
) -> Sequence[Any]:
    query = _with_event().where(DELIVERIES.c.status == DeliveryStatus.PENDING)
    if event_id is not None:
        query = query.where(DELIVERIES.c.event_id == event_id)
    if untold_since is not None:
        query = query.where(DELIVERIES.c.updated_at < untold_since)
    return session.execute(query).all()


def _is_open(one: Any) -> bool:
    return one.wait_status == WaitStatus.WAITING and one.run_status in OPEN


def _signal(one: Any) -> Signal:
    message = EventSignal(
        one.wait_id, one.event_id, one.event_name, one.payload, one.correlation_key
    )
    workflow_id = workflow_id_of(one.run_id, one.temporal_workflow_id)
    return Signal(workflow_id, SIGNAL_EVENT, pack(message))


def _of(one: Any) -> Any:
    """This delivery, unless the workflow has said meanwhile what came of it."""
    return and_(
        DELIVERIES.c.event_id == one.event_id,
        DELIVERIES.c.run_id == one.run_id,
        DELIVERIES.c.wait_id == one.wait_id,
    )


def _note(session: Session, one: Any, taken: bool | None, now: datetime) -> None:
    status = DeliveryStatus.DELIVERED if taken else DeliveryStatus.PENDING
    error = None if taken else _NO_ANSWER if taken is None else _NOT_OPEN
    session.execute(
        update(DELIVERIES)
        .where(_of(one), DELIVERIES.c.status == DeliveryStatus.PENDING)
        .values(status=status, attempts=DELIVERIES.c.attempts + 1, last_error=error, updated_at=now)
    )


def _miss(services: Services, one: Any) -> None:
    """In a transaction of its own, which locks the run's row first as the activities do."""
    now = services.now()
    with services.store.writing() as session:
        session.execute(
            select(RUNS.c.run_id)
            .where(RUNS.c.run_id == one.run_id)
            .with_for_update(read=True, key_share=True)
        )
        missed = session.execute(
            update(DELIVERIES)
            .where(
                _of(one),
                DELIVERIES.c.status.in_((DeliveryStatus.PENDING, DeliveryStatus.DELIVERED)),
            )
            .values(status=DeliveryStatus.MISSED, updated_at=now)
            .returning(DELIVERIES.c.run_id)
        )
        if missed.first() is None:
            return
        for wait in event_routing.waits_for(session, one, one.run_id):
            event_routing.assign(
                session, one.event_id, one.run_id, wait.wait_id, DeliveryStatus.PENDING, now
            )
