"""Which runs are open, as narrow as the reconciler needs it: no payload is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from engine.contract import workflow_id_of
from engine.runs.status import OPEN, TERMINAL
from engine.services import clocks
from engine.store.runs import WorkflowRun

_ASKED_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class OpenRun:
    run_id: str
    workflow_id: str
    """Temporal's."""
    claimed_by: str | None
    epoch: int
    cancel_requested: bool
    cancel_undelivered: bool
    parent_open: bool | None = None
    """Is the run open that called it? None: nothing called it."""


@dataclass(frozen=True, slots=True)
class KnownRun:
    run_id: str
    workflow_id: str
    ended_at: datetime | None
    """None: it is open. Of the time before the cut-over it may be the last change."""


def open_runs(session: Session, now: datetime, *, older_than: timedelta) -> list[OpenRun]:
    """Every open run that was accepted so long ago."""
    parent = aliased(WorkflowRun)
    rows = session.execute(
        select(
            WorkflowRun.run_id,
            WorkflowRun.temporal_workflow_id,
            WorkflowRun.claimed_by,
            WorkflowRun.epoch,
            WorkflowRun.cancel_requested_at,
            WorkflowRun.cancel_delivered_at,
            WorkflowRun.parent_run_id,
            parent.status.label("parent_status"),
        )
        .outerjoin(parent, parent.run_id == WorkflowRun.parent_run_id)
        .where(
            WorkflowRun.status.in_(OPEN),
            clocks.older_than(older_than, WorkflowRun.started_at, now),
        )
    )
    return [
        OpenRun(
            run_id=row.run_id,
            workflow_id=workflow_id_of(row.run_id, row.temporal_workflow_id),
            claimed_by=row.claimed_by,
            epoch=row.epoch,
            cancel_requested=row.cancel_requested_at is not None,
            cancel_undelivered=row.cancel_requested_at is not None
            and row.cancel_delivered_at is None,
            parent_open=None if row.parent_run_id is None else row.parent_status in OPEN,
        )
        for row in rows
    ]


def rows_of(session: Session, workflow_ids: list[str]) -> list[KnownRun]:
    """The runs that have these Temporal workflow ids."""
    found: list[KnownRun] = []
    remaining = iter(workflow_ids)
    while some := list(islice(remaining, _ASKED_AT_ONCE)):
        rows = session.execute(
            select(
                WorkflowRun.run_id,
                WorkflowRun.temporal_workflow_id,
                WorkflowRun.status,
                WorkflowRun.completed_at,
                WorkflowRun.updated_at,
            ).where(WorkflowRun.temporal_workflow_id.in_(some))
        )
        found.extend(
            KnownRun(
                row.run_id,
                row.temporal_workflow_id or "",
                (row.completed_at or row.updated_at) if row.status in TERMINAL else None,
            )
            for row in rows
        )
    return found
