"""The rows of a wait: what the operator sees of it, and what routes an event to it (rules.md 7)."""

from __future__ import annotations

from engine.contract import StepRecord, occurrence
from engine.contract_waits import OpenWait, WaitAnswer
from engine.runs.status import RunStatus, StepStatus, WaitStatus
from engine.services.context import Services
from engine.services.record_progress import apply_batch
from engine.services.step_rows import moment, write_step
from engine.store import projection


def open_wait(services: Services, wanted: OpenWait) -> WaitAnswer:
    """Write the wait and its step as open; the run is WAITING when nothing else executes."""
    now = services.now()
    with services.store.writing() as session:
        view = projection.glance(session, wanted.batch, to_write=True)
        if view.over:
            return WaitAnswer(run_over=True)
        status = RunStatus.WAITING if wanted.run_waits else None
        apply_batch(session, wanted.batch, view, now, run_row=True, status=status)
        write_step(session, wanted.batch, _opened_step(wanted), now)
        projection.open_wait(
            session,
            {
                "wait_id": wanted.wait_id,
                "run_id": wanted.run_id,
                "step_path": wanted.path,
                "occurrence": occurrence(wanted.path, wanted.iter),
                "wait_type": wanted.wait_type,
                "key": wanted.key,
                "event_name": wanted.event_name,
                "timeout_at": None if wanted.timeout_at is None else moment(wanted.timeout_at),
                "status": WaitStatus.WAITING,
                "payload": wanted.payload,
                "created_at": now,
                "updated_at": now,
                "epoch": 1,
            },
        )
    return WaitAnswer(take_boundary=view.cancel_requested, repeated=view.lost_rows)


def _opened_step(wanted: OpenWait) -> StepRecord:
    return StepRecord(
        position=wanted.position,
        step_id=wanted.step_id,
        path=wanted.path,
        iter=wanted.iter,
        kind=wanted.kind,
        status=StepStatus.STARTED,
        attempt=wanted.attempt,
        started_at=wanted.started_at,
        input=wanted.input,
        name=wanted.name,
    )
