"""The action calls of one run, from the ledger: what was sent, what came back, how often tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from engine.runs.payload import RedactedPayload
from engine.runs.status import InvocationStatus
from engine.services.inspect_run import OpenedRun
from engine.services.keyset import Cursor, newest_first, page_of
from engine.services.run_timeline import error_view
from engine.services.run_views import ErrorView
from engine.store.invocations import WorkflowActionInvocation

PAGE_SIZE: Final = 50

_CALL: Final = WorkflowActionInvocation


@dataclass(frozen=True, slots=True)
class CallView:
    call_id: str
    action: str
    version: int
    path: str
    occurrence: str | None
    status: InvocationStatus
    attempt: int
    idempotency_key: str
    started_at: datetime | None
    completed_at: datetime | None
    input: RedactedPayload | None
    output: RedactedPayload | None
    error: ErrorView | None


def list_calls(
    opened: OpenedRun, cursor: Cursor | None = None
) -> tuple[tuple[CallView, ...], Cursor | None]:
    """One page, newest first, and where the next begins. `opened` must have learned."""
    query = select(_CALL).where(_CALL.run_id == opened.run.run_id).limit(PAGE_SIZE + 1)
    query = newest_first(query, _CALL.created_at, _CALL.invocation_id, cursor)
    rows = opened.session.scalars(query).all()
    kept, older = page_of(rows, PAGE_SIZE, lambda row: Cursor(row.created_at, row.invocation_id))
    return tuple(call_view(row, opened) for row in kept), older


def call_view(row: WorkflowActionInvocation, opened: OpenedRun) -> CallView:
    redaction = opened.redaction
    error = row.error_json
    if error is None and row.error_message:
        error = {"message": row.error_message}
    return CallView(
        call_id=row.invocation_id,
        action=row.action_id,
        version=row.action_version,
        path=row.step_path,
        occurrence=row.occurrence,
        status=InvocationStatus(row.status),
        attempt=row.attempt,
        idempotency_key=redaction.text(row.idempotency_key) or "",
        started_at=row.started_at,
        completed_at=row.completed_at,
        input=None if row.input_json is None else redaction.value(row.input_json),
        output=None
        if row.output_json is None
        else redaction.step_output(row.step_path, row.output_json),
        error=error_view(error, redaction),
    )
