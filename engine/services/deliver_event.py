"""An event comes in: it is stored once, and brought to every run that it is for (rules.md 7).

The event and whom it is for are committed first; then the runs are told. What Temporal does not
take stays PENDING and is told again by the workers (`tend_waits`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.errors import Invalid, Problem
from engine.runs.payload import Payload
from engine.services import audit
from engine.services.context import Actor, Services
from engine.services.entered import free_text
from engine.services.launch_checks import storable_payload
from engine.services.start_by_event import runs_started_by, start_triggered
from engine.services.tell_waits import tell
from engine.store import event_routing
from engine.store.event_routing import DELIVERIES, EVENTS
from engine.store.events import DeliveryStatus

OPERATION: Final = "event_send"
LONGEST: Final = 200
"""Characters of a name and of an id."""
LONGEST_KEY: Final = 500

_ERROR: Final = 2000
"""Characters of what went wrong that are kept."""

_IDS: Final = UUID("0c9a7a56-8f0e-4b39-9d0f-51a2f1f2b6a4")


@dataclass(frozen=True, slots=True)
class EventTarget:
    run_id: str
    wait_id: str
    status: str
    """PENDING (Temporal does not answer: it is repeated), DELIVERED, OBSERVED or MISSED."""


@dataclass(frozen=True, slots=True)
class EventReceipt:
    event_id: str
    """As the sender gave it, or a new one."""
    already: bool
    """This id was submitted before: nothing was stored, and these are the targets of then."""
    targets: tuple[EventTarget, ...]
    """Waits that were open for it. A wait that opens later may find it too."""
    started_runs: tuple[str, ...]
    """Runs that it started, of workflows with a trigger of its name."""


def deliver_event(
    services: Services,
    name: str,
    key: str | None,
    payload: Json,
    *,
    event_id: str | None = None,
    actor: Actor,
) -> EventReceipt:
    """Store an event, tell the waits it is for, start the workflows it triggers.

    Raises `Invalid` (name, key, id, payload) and `TooLarge`. Temporal being away is no error: what
    could not be told is repeated by the workers. An id that was used before is that event: nothing
    is stored again.
    """
    row = _row(services, name, key, payload, event_id, actor)
    with services.store.writing() as session:
        event_routing.meet(session, row["event_name"])
        already = not event_routing.store_event(session, row)
        event = _event(session, row["event_id"])
        if not already:
            _assign(session, event, services)
            audit.record(
                session,
                actor,
                OPERATION,
                services.now(),
                record_type="event",
                record_id=row["event_id"],
                details={"name": row["event_name"]},
            )
    if event.processed_at is None:
        process(services, event)
    with services.store.reading() as session:
        return EventReceipt(
            event_id=event.source_id or event.event_id,
            already=already,
            targets=_targets(session, event.event_id),
            started_runs=runs_started_by(session, event.event_id),
        )


def process(services: Services, event: Any) -> None:
    """Tell and start what a stored event is for. May be repeated; a worker does where it ended.

    It is acknowledged when all of it is done: what failed for a reason that nobody thought of is
    noted, and tried again by the workers.
    """
    tell(services, event_id=event.event_id)
    failed = start_triggered(services, event)
    done: dict[str, Any] = {"processed_at": services.now(), "error_message": None}
    with services.store.writing() as session:
        session.execute(
            update(EVENTS)
            .where(EVENTS.c.event_id == event.event_id, EVENTS.c.processed_at.is_(None))
            .values(done if not failed else {"error_message": "; ".join(failed)[:_ERROR]})
        )


def _row(
    services: Services, name: str, key: str | None, payload: Json, given: str | None, actor: Actor
) -> dict[str, Any]:
    kept_name = free_text("name", name, longest=LONGEST)
    if kept_name is None:
        raise Invalid("The event has no name.", [Problem("name", "must be given")])
    if key is not None and key != "":
        key = free_text("key", key, longest=LONGEST_KEY)
    source = free_text("id", given, longest=LONGEST)
    return {
        "event_id": str(uuid4()) if source is None else _stored_id(source),
        "source_id": source,
        "event_name": kept_name,
        "correlation_key": key,
        "payload": storable_payload(services, Payload(payload)).value,
        "sent_by": actor.email or actor.source,
        "created_at": services.now(),
    }


def _stored_id(source: str) -> str:
    """The table's key is a UUID; any other text always gives the same one."""
    try:
        return str(UUID(source)) if len(source) == 36 else str(uuid5(_IDS, source))
    except ValueError:
        return str(uuid5(_IDS, source))


def _event(session: Session, event_id: str) -> Any:
    return session.execute(select(EVENTS).where(EVENTS.c.event_id == event_id)).one()


def _assign(session: Session, event: Any, services: Services) -> None:
    now = services.now()
    waits = event_routing.waits_for(session, event)
    for wait in waits:
        event_routing.assign(
            session, event.event_id, wait.run_id, wait.wait_id, DeliveryStatus.PENDING, now
        )
    if waits:
        first = waits[0]
        session.execute(
            update(EVENTS)
            .where(EVENTS.c.event_id == event.event_id)
            .values(
                matched_run_id=first.run_id,
                matched_wait_id=first.wait_id,
                matched_step_path=first.step_path,
            )
        )


def _targets(session: Session, event_id: str) -> tuple[EventTarget, ...]:
    found = session.execute(
        select(DELIVERIES)
        .where(DELIVERIES.c.event_id == event_id)
        .order_by(DELIVERIES.c.created_at, DELIVERIES.c.run_id)
    )
    return tuple(EventTarget(row.run_id, row.wait_id, row.status) for row in found)
