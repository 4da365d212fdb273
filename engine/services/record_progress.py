"""Write what the workflow has done since its last activity (docs/rules.md 4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine.contract import Batch, BatchAnswer
from engine.runs.status import RunStatus
from engine.services.close_waits import close_waits
from engine.services.context import Services
from engine.services.step_rows import write_records
from engine.store import projection
from engine.store.projection import RunGlance


def record_progress(services: Services, batch: Batch) -> BatchAnswer:
    """Bring the rows up to the batch; at boundaries, where the run's own row is due too."""
    now = services.now()
    with services.store.writing() as session:
        view = projection.glance(session, batch, to_write=True)
        if view.over:
            return BatchAnswer(run_over=True)
        apply_batch(session, batch, view, now, run_row=True)
    return BatchAnswer(take_boundary=view.cancel_requested, repeated=view.lost_rows)


def apply_batch(
    session: Session,
    batch: Batch,
    view: RunGlance,
    now: datetime,
    *,
    run_row: bool = False,
    status: RunStatus | None = None,
) -> None:
    """Write a batch in the caller's transaction, which has looked at the run's row.

    `run_row`: write the run's row even if the batch does not ask for it, with `status` if given.
    """
    if view.lost_rows:
        projection.supersede(session, batch, now)
    write_records(session, batch, now)
    close_waits(session, batch, now)
    if run_row or asks_for_run_row(batch):
        projection.move_run(
            session, batch.run_id, batch.guard, _run_values(batch, now, status or _status_of(batch))
        )


def asks_for_run_row(batch: Batch) -> bool:
    """The run's row is written at boundaries, waits and the end, never a step (docs/rules.md 3)."""
    return bool(batch.closed_waits) or batch.state is not None or batch.waiting is not None


def _status_of(batch: Batch) -> RunStatus | None:
    if batch.waiting:
        return RunStatus.WAITING
    if batch.closed_waits or batch.waiting is False:
        return RunStatus.RUNNING
    return None


def _run_values(batch: Batch, now: datetime, status: RunStatus | None) -> dict[str, Any]:
    values: dict[str, Any] = {"updated_at": now}
    if status is not None:
        values["status"] = status
    if batch.path is not None:
        values["node_path"] = batch.path
    if batch.state is not None:
        values["state_label"] = batch.state
    return values
