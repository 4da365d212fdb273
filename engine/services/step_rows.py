"""The rows of the timeline, made from what the workflow says and from what an action did."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from engine.contract import ActionCall, Batch, Guard, Json, StepRecord, occurrence
from engine.runs.status import STEP_RANK, StepStatus
from engine.services.values import fit
from engine.store import projection

_NAMESPACE: Final = UUID("7a5c1a52-0c1e-4f5b-9d0e-6d1c8f3b2a90")


def step_row_id(run_id: str, occurrence: str, attempt: int) -> str:
    """The same step always has the same row, whoever writes it and however often."""
    return str(uuid5(_NAMESPACE, f"{run_id}/{occurrence}/{attempt}"))


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def write_records(session: Session, batch: Batch, now: datetime) -> None:
    """The rows of the steps that the interpreter itself executed."""
    projection.write_steps(
        session, [_record_row(session, batch, record, now) for record in batch.records]
    )


def write_step(session: Session, batch: Batch, record: StepRecord, now: datetime) -> None:
    """The row of one more step, written by what the activity is about."""
    projection.write_steps(session, [_record_row(session, batch, record, now)])


def _record_row(
    session: Session, batch: Batch, record: StepRecord, now: datetime
) -> dict[str, Any]:
    started = moment(record.started_at)
    completed = None if record.completed_at is None else moment(record.completed_at)
    next_retry = None if record.next_retry_at is None else moment(record.next_retry_at)
    return _row(
        batch.run_id,
        batch.guard,
        path=record.path,
        iter=record.iter,
        attempt=record.attempt,
        now=now,
        status=StepStatus(record.status),
        definition_step_id=record.step_id,
        kind=record.kind,
        name=record.name,
        position=record.position,
        input_json=fit(session, batch.run_id, record.input, now).value,
        output_json=fit(session, batch.run_id, record.output, now).value,
        error_json=fit(session, batch.run_id, record.error, now).value,
        handled=record.handled,
        next_retry_at=next_retry,
        started_at=started,
        completed_at=completed,
        duration_ms=_between(started, completed),
    )


def action_row(
    session: Session,
    call: ActionCall,
    status: StepStatus,
    now: datetime,
    *,
    took_ms: int | None = None,
    output: Json = None,
    error: dict[str, Json] | None = None,
    handled: bool = False,
    next_retry_at: datetime | None = None,
) -> dict[str, Any]:
    """The row of one attempt of an action step."""
    ended = status is not StepStatus.STARTED
    return _row(
        call.run_id,
        call.batch.guard,
        path=call.path,
        iter=call.iter,
        attempt=call.attempt,
        now=now,
        status=status,
        definition_step_id=call.step_id,
        kind="action.call",
        name=call.name,
        position=call.position,
        input_json=fit(session, call.run_id, call.input, now).value,
        output_json=output,
        error_json=error,
        handled=handled,
        next_retry_at=next_retry_at,
        started_at=moment(call.started_at),
        completed_at=now if ended else None,
        duration_ms=took_ms,
    )


def _row(
    run_id: str,
    guard: Guard,
    *,
    path: str,
    iter: list[int],
    attempt: int,
    now: datetime,
    status: StepStatus,
    **columns: Any,
) -> dict[str, Any]:
    key = occurrence(path, iter)
    return {
        "step_id": step_row_id(run_id, key, attempt),
        "run_id": run_id,
        "step_path": path,
        "occurrence": key,
        "iter": iter,
        "attempt": attempt,
        "status": status,
        "rank": STEP_RANK[status],
        **projection.written_by(guard),
        "superseded": False,
        "epoch": 1,
        "updated_at": now,
        **columns,
    }


def _between(started: datetime, completed: datetime | None) -> int | None:
    if completed is None:
        return None
    return max(0, round((completed - started).total_seconds() * 1000))
