"""A bulk operation before it is started: which runs it is about is fixed here, once.

A filter finds other runs a minute later, and none at all when it gets lost on the way. So the ids
are written down first; what is shown next, and done after that, is about these and no others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from engine.errors import Invalid, NotFound, Problem
from engine.services.context import Actor, Services
from engine.services.match_runs import matching_ids
from engine.services.run_filter import RunFilter
from engine.services.select_runs import selected_runs
from engine.store.bulk import BulkItem, BulkKind, BulkOperation, BulkStatus
from engine.store.runs import WorkflowRun

MOST_ITEMS: Final = 1000
_KEPT_FOR: Final = timedelta(days=1)
"""A draft that nobody has started."""
_NOTHING: Final = "Tick at least one run, or choose all that match the filters."


def draft_selected(
    services: Services, kind: BulkKind, actor: Actor, run_ids: Sequence[str] = ()
) -> str:
    """A draft about the operator's selection and these runs; its id.

    Raises `Invalid` when that is none.
    """
    with services.store.reading() as session:
        kept = selected_runs(session, actor.operator_id) if actor.operator_id else []
        wanted = list(dict.fromkeys([*kept, *run_ids]))
        known = set(_known(session, wanted))
    found = [run_id for run_id in wanted if run_id in known]
    return _draft(services, kind, actor, found, query=None)


def draft_matching(
    services: Services, kind: BulkKind, actor: Actor, wanted: RunFilter, query: str
) -> str:
    """A draft about all runs that match now, the newest first; its id.

    Raises `Invalid` when there are none.
    """
    with services.store.reading() as session:
        found = matching_ids(session, wanted, services.now(), limit=MOST_ITEMS + 1)
    return _draft(services, kind, actor, found, query=query)


def forget_drafts(session: Session, now: datetime) -> None:
    """Delete what has been drafted a day ago and was not started."""
    session.execute(
        delete(BulkOperation).where(
            BulkOperation.status == BulkStatus.DRAFT, BulkOperation.updated_at < now - _KEPT_FOR
        )
    )


def bulk_of(session: Session, bulk_id: str) -> BulkOperation:
    """Raises `NotFound`."""
    found = session.get(BulkOperation, bulk_id)
    if found is None:
        raise NotFound("There is no such bulk operation.", code="BULK_NOT_FOUND")
    return found


def _known(session: Session, run_ids: Sequence[str]) -> list[str]:
    return list(session.scalars(select(WorkflowRun.run_id).where(WorkflowRun.run_id.in_(run_ids))))


def _draft(
    services: Services, kind: BulkKind, actor: Actor, run_ids: Sequence[str], *, query: str | None
) -> str:
    if not run_ids:
        raise Invalid("No run is chosen.", [Problem("run", _NOTHING)], code="NOTHING_CHOSEN")
    bulk_id, now = str(uuid4()), services.now()
    items = [
        {"item_id": str(uuid4()), "bulk_id": bulk_id, "position": place, "run_id": run_id}
        for place, run_id in enumerate(run_ids[:MOST_ITEMS])
    ]
    with services.store.writing() as session:
        session.add(
            BulkOperation(
                bulk_id=bulk_id,
                kind=kind,
                query=query,
                left_out=len(run_ids) > MOST_ITEMS,
                operator_id=actor.operator_id,
                operator_email=actor.email,
                source_ip=actor.source_ip,
                created_at=now,
                updated_at=now,
            )
        )
        session.flush()
        session.execute(insert(BulkItem), items)
    return bulk_id
