"""What was accepted and has not reached its workflow yet: the workers repeat it until it has."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from engine.runs.status import OPEN
from engine.store.events import (
    UNPROCESSED,
    DeliveryStatus,
    WorkflowEventDelivery,
    WorkflowRuntimeEvent,
)
from engine.store.runs import WorkflowRun


@dataclass(frozen=True, slots=True)
class Undelivered:
    cancels: int
    """Requested by somebody, and not taken by Temporal."""
    events: int
    """Stored, and not brought to all that they are for."""
    deliveries: int
    """Of an event to one run."""

    @property
    def nothing(self) -> bool:
        return not (self.cancels or self.events or self.deliveries)


def undelivered(session: Session) -> Undelivered:
    run, delivery = WorkflowRun, WorkflowEventDelivery
    cancels = select(func.count()).where(
        run.status.in_(OPEN),
        run.cancel_requested_at.is_not(None),
        run.cancel_delivered_at.is_(None),
    )
    events = select(func.count()).select_from(WorkflowRuntimeEvent).where(text(UNPROCESSED))
    pending = select(func.count()).where(delivery.status == DeliveryStatus.PENDING)
    found = session.execute(
        select(cancels.scalar_subquery(), events.scalar_subquery(), pending.scalar_subquery())
    ).one()
    return Undelivered(*found)
