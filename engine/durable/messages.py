"""What the host is asked, in the words of the contract."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from engine.contract import (
    ActionCall,
    Batch,
    ClosedWait,
    Json,
    StepRecord,
    occurrence,
)
from engine.contract_children import LaunchChild
from engine.contract_waits import AdmitStep, OpenWait
from engine.interpreter.host import ActionRequest, ChildRequest, StepEnd, StepPlace, WaitRequest

_WAITS: Final = UUID("6f3d9c0a-3f57-4f0e-8a58-2c5b1f8e7d41")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def size(value: Json) -> int:
    """Characters of its JSON: near enough to bytes for deciding how it travels."""
    return len(json.dumps(value, ensure_ascii=False))


def record(end: StepEnd) -> StepRecord:
    place = end.place
    return StepRecord(
        position=place.position,
        step_id=place.step_id,
        path=place.path,
        iter=list(place.iter),
        kind=place.kind,
        status=end.status,
        attempt=place.attempt,
        started_at=milliseconds(end.started_at),
        completed_at=None if end.completed_at is None else milliseconds(end.completed_at),
        input=end.input,
        output=end.output,
        error=end.error,
        handled=end.handled,
        next_retry_at=None if end.next_retry_at is None else milliseconds(end.next_retry_at),
        name=place.name,
    )


def action_call(
    run_id: str,
    batch: Batch,
    request: ActionRequest,
    now: datetime,
    *,
    input: dict[str, Json] | None,
) -> ActionCall:
    """`input`: the reference to the request's input, where it is too large to travel."""
    place = request.place
    return ActionCall(
        run_id=run_id,
        batch=batch,
        position=place.position,
        step_id=place.step_id,
        path=place.path,
        iter=list(place.iter),
        attempt=place.attempt,
        action=request.action,
        version=request.version,
        input=request.input if input is None else input,
        started_at=milliseconds(now),
        timeout_ms=request.timeout_ms,
        idempotency_key=request.idempotency_key,
        retry=request.retry,
        handled_by=request.handled_by,
        quick=request.quick,
        name=place.name,
        input_by_reference=input is not None,
    )


def admit_step(run_id: str, batch: Batch, place: StepPlace, started_at: datetime) -> AdmitStep:
    return AdmitStep(
        run_id=run_id,
        batch=batch,
        position=place.position,
        step_id=place.step_id,
        path=place.path,
        iter=list(place.iter),
        attempt=place.attempt,
        kind=place.kind,
        started_at=milliseconds(started_at),
        name=place.name,
    )


def open_wait(run_id: str, batch: Batch, request: WaitRequest, wait_id: str) -> OpenWait:
    place = request.place
    return OpenWait(
        run_id=run_id,
        batch=batch,
        wait_id=wait_id,
        position=place.position,
        step_id=place.step_id,
        path=place.path,
        iter=list(place.iter),
        attempt=place.attempt,
        kind=place.kind,
        wait_type=request.kind,
        started_at=milliseconds(request.started_at),
        timeout_at=None if request.until is None else milliseconds(request.until),
        key=request.key,
        event_name=request.event_name,
        payload=request.payload,
        run_waits=request.run_waits,
        name=place.name,
    )


def launch_child(run_id: str, batch: Batch, request: ChildRequest) -> LaunchChild:
    place = request.place
    return LaunchChild(
        run_id=run_id,
        batch=batch,
        path=place.path,
        iter=list(place.iter),
        attempt=place.attempt,
        workflow_key=request.workflow_key,
        workflow_version=request.workflow_version,
        payload=request.payload,
    )


def wait_id(run_id: str, place: StepPlace, wait_type: str) -> str:
    """The same wait always has the same id, however often it is opened."""
    key = occurrence(place.path, list(place.iter))
    return str(uuid5(_WAITS, f"{run_id}/{key}/{place.attempt}/{wait_type}"))


def closed_wait(
    wait_id: str,
    outcome: str,
    now: datetime,
    known: dict[str, Json],
    *,
    event_id: str | None = None,
    task: dict[str, Json] | None = None,
) -> ClosedWait:
    """`known`: what its row says of its end, beside the time."""
    resolved = known | {"resolvedAt": now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"}
    return ClosedWait(wait_id, outcome, milliseconds(now), resolved, event_id, task)
