"""Telling workflows of the events that are for their waits, until Temporal has taken them.

A delivery is told until its workflow has observed it: one that Temporal took and nothing came of is
told again after five minutes, which does no harm. One whose wait has ended meanwhile is MISSED, and
the event goes to another open wait of the run, if there is one that it fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import Session

from engine.contract import workflow_id_of
from engine.contract_waits import SIGNAL_EVENT, EventSignal
from engine.durable.wire import pack
from engine.gateway.executions import Signal
from engine.runs.status import OPEN, WaitStatus
from engine.services.clocks import older_than
from engine.services.context import Services
from engine.services.tell_paused import AGAIN_AFTER
from engine.store import event_routing
from engine.store.event_routing import DELIVERIES, EVENTS
from engine.store.events import DeliveryStatus
from engine.store.projection import RUNS, WAITS

MOST_TOLD: Final = 1000
OLD_ENOUGH: Final = timedelta(seconds=3)
"""What is younger is being seen to by who stored it."""
TOLD: Final = WAITS.alias("told")
"""The wait of a delivery, beside a query that has waits of its own."""

_UNDER_WAY: Final = (DeliveryStatus.PENDING, DeliveryStatus.DELIVERED)

_NO_ANSWER: Final = "Temporal does not answer."
_NOT_OPEN: Final = "Temporal has no such open workflow."


def tell(services: Services, *, event_id: str) -> int:
    """Tell what is PENDING of an event; how many it was."""
    with services.store.reading() as session:
        pending = session.execute(
            _with_event().where(
                DELIVERIES.c.status == DeliveryStatus.PENDING, DELIVERIES.c.event_id == event_id
            )
        ).all()
    return _tell(services, pending)


def tell_again(services: Services, now: datetime) -> int:
    """Tell what Temporal did not take, or its workflow has not observed; how many it was."""
    with services.store.reading() as session:
        untold = session.execute(_with_event().where(or_(unanswered(now), unobserved(now)))).all()
    return _tell(services, untold)


def miss_stale(services: Services, now: datetime) -> int:
    """What Temporal took for a wait that ended without it, unnoticed by who closed it."""
    with services.store.reading() as session:
        found = session.execute(_with_event().where(stale(now))).all()
    for one in found:
        _miss(services, one)
    return len(found)


def unanswered(now: datetime) -> ColumnElement[bool]:
    return and_(
        DELIVERIES.c.status == DeliveryStatus.PENDING,
        older_than(OLD_ENOUGH, DELIVERIES.c.updated_at, now),
    )


def unobserved(now: datetime) -> ColumnElement[bool]:
    """Temporal took it, and its wait is still open: of an execution that was lost, for example."""
    return and_(
        DELIVERIES.c.status == DeliveryStatus.DELIVERED,
        older_than(AGAIN_AFTER, DELIVERIES.c.updated_at, now),
        _wait_is(WaitStatus.WAITING),
    )


def stale(now: datetime) -> ColumnElement[bool]:
    return and_(
        DELIVERIES.c.status == DeliveryStatus.DELIVERED,
        older_than(OLD_ENOUGH, DELIVERIES.c.updated_at, now),
        ~_wait_is(WaitStatus.WAITING),
    )


def _wait_is(status: WaitStatus) -> ColumnElement[bool]:
    return exists().where(TOLD.c.wait_id == DELIVERIES.c.wait_id, TOLD.c.status == status)


def _tell(services: Services, deliveries: Sequence[Any]) -> int:
    open_ones = [one for one in deliveries if _is_open(one)]
    taken = services.gateway.signal_runs([_signal(one) for one in open_ones]) if open_ones else []
    with services.store.writing() as session:
        for one, yes in zip(open_ones, taken, strict=True):
            _note(session, one, yes, services.now())
    for one in deliveries:
        if not _is_open(one):
            _miss(services, one)
    return len(deliveries)


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
        .where(_of(one), DELIVERIES.c.status.in_(_UNDER_WAY))
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
                DELIVERIES.c.status.in_(_UNDER_WAY),
            )
            .values(status=DeliveryStatus.MISSED, updated_at=now)
            .returning(DELIVERIES.c.run_id)
        )
        if missed.first() is None:
            return
        event_routing.pass_on(session, one, one.run_id, now)
