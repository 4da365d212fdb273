"""Starting a bulk operation, and stopping what is left of one.

Started means: written down for the workers, which do it item by item (`perform_bulk`). Nothing of
it hangs on the request or on the browser that asked.
"""

from __future__ import annotations

from typing import Any, Final, cast

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.errors import Conflict, Forbidden
from engine.services import audit
from engine.services.context import Actor, Services
from engine.services.draft_bulk import bulk_of
from engine.services.entered import free_text
from engine.services.forecast_bulk import forecast
from engine.services.select_runs import deselect
from engine.store.bulk import UNSETTLED, BulkItem, BulkKind, BulkOperation, BulkStatus, ItemState

OPERATIONS: Final = {
    BulkKind.CANCEL: "workflow_run_bulk_cancel",
    BulkKind.REPLAY: "workflow_run_bulk_replay",
}
STOP: Final = "workflow_run_bulk_stop"
RECORD: Final = "bulk_operations"


def start_bulk(services: Services, bulk_id: str, actor: Actor, reason: str | None) -> bool:
    """Hand the operation to the workers. False: it was started before, and nothing changed.

    Raises `NotFound`, `Invalid` (reason), `Forbidden` (another operator drafted it) and `Conflict`
    (nothing would happen to any of its runs).
    """
    said = free_text("reason", reason)
    with services.store.reading() as session:
        bulk = bulk_of(session, bulk_id)
        if bulk.status != BulkStatus.DRAFT:
            return False
        if bulk.operator_id != actor.operator_id:
            raise Forbidden(
                "Another operator chose these runs. Choose them yourself, and look at what would "
                "happen to each.",
                code="NOT_YOURS",
            )
        if not any(one.acts for one in forecast(services, session, bulk)):
            raise Conflict("Every one of these runs would be skipped.", code="NOTHING_TO_DO")
    if not _start(services, bulk, actor, said):
        return False
    if bulk.query is None and actor.operator_id is not None:
        deselect(services, actor.operator_id)
    return True


def stop_bulk(services: Services, bulk_id: str, actor: Actor) -> int:
    """Do nothing to the items whose turn has not come; how many these are.

    What has begun is finished. Raises `NotFound`, and `Conflict` when it does not go on.
    """
    now = services.now()
    message = f"Stopped by {actor.email or 'the command line'} before its turn came."
    with services.store.writing() as session:
        bulk = bulk_of(session, bulk_id)
        if bulk.status != BulkStatus.STARTED:
            raise Conflict("There is nothing left to stop.", code="BULK_OVER")
        stopped = skip_pending(session, bulk_id, "STOPPED", message, now)
        end_if_settled(session, bulk_id, now)
        audit.record(
            session,
            actor,
            STOP,
            now,
            record_type=RECORD,
            record_id=bulk_id,
            details={"stopped": stopped},
        )
    return stopped


def skip_pending(session: Session, bulk_id: str, code: str, message: str, now: Any) -> int:
    """Skip every item that has not begun; how many."""
    skipped = session.execute(
        update(BulkItem)
        .where(BulkItem.bulk_id == bulk_id, BulkItem.state == ItemState.PENDING)
        .values(state=ItemState.SKIPPED, code=code, message=message, settled_at=now)
    )
    session.execute(
        update(BulkOperation).where(BulkOperation.bulk_id == bulk_id).values(updated_at=now)
    )
    return cast("CursorResult[Any]", skipped).rowcount


def end_if_settled(session: Session, bulk_id: str, now: Any) -> bool:
    """The operation is done when no item is left."""
    left = session.scalar(
        select(func.count())
        .select_from(BulkItem)
        .where(BulkItem.bulk_id == bulk_id, BulkItem.state.in_(UNSETTLED))
    )
    if left:
        return False
    session.execute(
        update(BulkOperation)
        .where(BulkOperation.bulk_id == bulk_id, BulkOperation.status == BulkStatus.STARTED)
        .values(
            status=BulkStatus.DONE,
            completed_at=now,
            updated_at=now,
            lease_owner=None,
            lease_expires_at=None,
            held_because=None,
            held_until=None,
        )
    )
    return True


def _start(services: Services, bulk: BulkOperation, actor: Actor, reason: str | None) -> bool:
    now = services.now()
    with services.store.writing() as session:
        started = session.execute(
            update(BulkOperation)
            .where(BulkOperation.bulk_id == bulk.bulk_id, BulkOperation.status == BulkStatus.DRAFT)
            .values(status=BulkStatus.STARTED, reason=reason, started_at=now, updated_at=now)
        )
        if not cast("CursorResult[Any]", started).rowcount:
            return False
        count = session.scalar(
            select(func.count()).select_from(BulkItem).where(BulkItem.bulk_id == bulk.bulk_id)
        )
        details: dict[str, Json] = {"runs": count, "reason": reason, "filter": bulk.query}
        audit.record(
            session,
            actor,
            OPERATIONS[BulkKind(bulk.kind)],
            now,
            record_type=RECORD,
            record_id=bulk.bulk_id,
            details=details,
        )
    return True
