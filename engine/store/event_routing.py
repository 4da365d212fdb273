"""Which events a wait takes, and which waits an event is for (docs/authoring.md, event.wait).

An event and a wait may come at the same moment: whoever stores one looks for the other in the same
transaction, and `meet` lets only one transaction of an event's name look at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Select, Table, and_, case, exists, func, or_, select, update
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.expressions.filters import matches
from engine.runs.status import OPEN, WaitStatus, WaitType
from engine.store.events import DeliveryStatus, WorkflowEventDelivery, WorkflowRuntimeEvent
from engine.store.projection import RUNS, WAITS
from engine.store.upsert import insert_into

EVENTS = cast(Table, WorkflowRuntimeEvent.__table__)
DELIVERIES = cast(Table, WorkflowEventDelivery.__table__)

_UNDER_WAY: Final = (DeliveryStatus.PENDING, DeliveryStatus.DELIVERED)
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an event wait waits for."""

    run_id: str
    wait_id: str
    name: str
    key: str | None
    """None: any."""
    filters: list[dict[str, Json]]


def meet(session: Session, name: str) -> None:
    """To be called first in the transaction. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 7))))


def event_for(session: Session, wanted: Wanted, since: datetime) -> Any | None:
    """The event that a wait which is being opened takes: oldest first; None: it has to wait.

    One that is on its way to this very wait counts before all others: the wait was opened before.
    """
    own = session.execute(
        select(EVENTS)
        .join(DELIVERIES, DELIVERIES.c.event_id == EVENTS.c.event_id)
        .where(
            DELIVERIES.c.wait_id == wanted.wait_id,
            DELIVERIES.c.status != DeliveryStatus.MISSED,
        )
        .order_by(EVENTS.c.created_at, EVENTS.c.event_id)
        .limit(1)
    ).one_or_none()
    if own is not None:
        return own
    for event in _early(session, wanted, since):
        if matches(wanted.filters, event.payload):
            return event
    return None


def _early(session: Session, wanted: Wanted, since: datetime) -> Iterator[Any]:
    place = (EVENTS.c.created_at, EVENTS.c.event_id)
    query = (
        select(EVENTS)
        .where(EVENTS.c.event_name == wanted.name, EVENTS.c.created_at >= since)
        .where(~_serves(wanted.run_id))
        .order_by(*place)
        .limit(_AT_ONCE)
    )
    if wanted.key is not None:
        query = query.where(EVENTS.c.correlation_key == wanted.key)
    page: Select[Any] = query
    while found := session.execute(page).all():
        yield from found
        last = found[-1]
        page = query.where(
            or_(
                EVENTS.c.created_at > last.created_at,
                and_(EVENTS.c.created_at == last.created_at, EVENTS.c.event_id > last.event_id),
            )
        )


def _serves(run_id: str) -> Any:
    """Has the event ended a wait of the run, or is it on its way to one that is still open?"""
    open_wait = exists().where(
        WAITS.c.wait_id == DELIVERIES.c.wait_id, WAITS.c.status == WaitStatus.WAITING
    )
    return exists().where(
        DELIVERIES.c.event_id == EVENTS.c.event_id,
        DELIVERIES.c.run_id == run_id,
        or_(
            DELIVERIES.c.status == DeliveryStatus.OBSERVED,
            and_(DELIVERIES.c.status.in_(_UNDER_WAY), open_wait),
        ),
    )


def waits_for(session: Session, event: Any, run_id: str | None = None) -> list[Any]:
    """Open waits that the event is for: of each run the one that has waited longest.

    `event`: its row. `run_id`: look at this run only.
    """
    spoken_for = exists().where(
        DELIVERIES.c.wait_id == WAITS.c.wait_id,
        or_(
            DELIVERIES.c.status == DeliveryStatus.OBSERVED,
            DELIVERIES.c.status.in_(_UNDER_WAY),
        ),
    )
    served = exists().where(
        DELIVERIES.c.event_id == event.event_id,
        DELIVERIES.c.run_id == WAITS.c.run_id,
        DELIVERIES.c.status != DeliveryStatus.MISSED,
    )
    query = (
        select(WAITS.c.wait_id, WAITS.c.run_id, WAITS.c.step_path, WAITS.c.payload)
        .join(RUNS, RUNS.c.run_id == WAITS.c.run_id)
        .where(
            WAITS.c.wait_type == WaitType.EVENT,
            WAITS.c.status == WaitStatus.WAITING,
            WAITS.c.event_name == event.event_name,
            or_(WAITS.c.key.is_(None), WAITS.c.key == event.correlation_key),
            RUNS.c.status.in_(OPEN),
            ~spoken_for,
            ~served,
        )
        .order_by(WAITS.c.created_at, WAITS.c.wait_id)
    )
    if run_id is not None:
        query = query.where(WAITS.c.run_id == run_id)
    found: dict[str, Any] = {}
    for wait in session.execute(query):
        filters = (wait.payload or {}).get("filters") or []
        if wait.run_id not in found and matches(filters, event.payload):
            found[wait.run_id] = wait
    return list(found.values())


def store_event(session: Session, row: dict[str, Any]) -> bool:
    """False: it is stored already."""
    stored = session.execute(
        insert_into(session, EVENTS)
        .values(row)
        .on_conflict_do_nothing(index_elements=[EVENTS.c.event_id])
        .returning(EVENTS.c.event_id)
    )
    return stored.first() is not None


def assign(
    session: Session,
    event_id: str,
    run_id: str,
    wait_id: str,
    status: DeliveryStatus,
    now: datetime,
) -> None:
    """The event is for this wait of the run; an earlier wait has missed it."""
    statement = insert_into(session, DELIVERIES).values(
        event_id=event_id,
        run_id=run_id,
        wait_id=wait_id,
        status=status,
        created_at=now,
        updated_at=now,
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[DELIVERIES.c.event_id, DELIVERIES.c.run_id],
            set_={"wait_id": wait_id, "status": status, "updated_at": now},
            where=DELIVERIES.c.status != DeliveryStatus.OBSERVED,
        )
    )


def settle(
    session: Session, run_id: str, wait_id: str, event_id: str | None, now: datetime
) -> None:
    """A wait of the run has ended, by this event or without one: what else was on its way to it
    has missed it, and goes to another open wait of the run.

    So does what a workflow task that was lost has observed, where its repetition did not. An event
    that such a task had let go, so that it is on its way to another wait, comes back.
    """
    deliveries = DELIVERIES.c
    came = and_(
        deliveries.run_id == run_id,
        deliveries.event_id == event_id,
        or_(deliveries.wait_id == wait_id, deliveries.status != DeliveryStatus.OBSERVED),
    )
    let_go = and_(deliveries.wait_id == wait_id, deliveries.status != DeliveryStatus.MISSED)
    observed, missed = DeliveryStatus.OBSERVED.value, DeliveryStatus.MISSED.value
    settled = session.execute(
        update(DELIVERIES)
        .where(or_(came, let_go))
        .values(
            wait_id=wait_id,
            status=case((deliveries.event_id == event_id, observed), else_=missed),
            updated_at=now,
        )
        .returning(deliveries.event_id, deliveries.status)
    )
    free = [one.event_id for one in settled.all() if one.status == missed]
    if free:
        for event in session.execute(select(EVENTS).where(EVENTS.c.event_id.in_(free))).all():
            pass_on(session, event, run_id, now)


def pass_on(session: Session, event: Any, run_id: str, now: datetime) -> None:
    """What a wait of the run has missed goes to another open one that it is for."""
    for wait in waits_for(session, event, run_id):
        assign(session, event.event_id, run_id, wait.wait_id, DeliveryStatus.PENDING, now)
