"""How an attempt of an action ends in the rows: the same for every way of executing it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import uuid4

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from engine.contract import ActionAnswer, ActionCall, Json, occurrence
from engine.errors import Category, StepFailed
from engine.interpreter.failure import located
from engine.interpreter.host import StepPlace
from engine.interpreter.retry import next_delay_ms, retry_seed
from engine.runs.status import LogLevel, StepStatus
from engine.services.step_rows import action_row, step_row_id
from engine.services.values import Fitted, clean_text, fit, storable
from engine.store import projection
from engine.store.ledger import Call, call_key
from engine.store.logs import LogSource, WorkflowRunLog
from engine.store.projection import RunGlance

ERROR_DETAILS_BYTES: Final = 32 * 1024
ERROR_MESSAGE_CHARACTERS: Final = 8 * 1024
LOG_CONTEXT_BYTES: Final = 64 * 1024

_LOGS = cast(Table, WorkflowRunLog.__table__)


def call_of(call: ActionCall) -> Call:
    """What the ledger knows the call by."""
    place = occurrence(call.path, call.iter)
    key = call_key(call.run_id, place, call.action, call.version, call.idempotency_key)
    return Call(call.run_id, call.path, place, call.action, call.version, key)


def stored_input(session: Session, call: ActionCall, now: datetime) -> Json:
    """The input as rows keep it: secrets are references in it, and so is what is large."""
    return fit(session, call.run_id, call.input, now).value


@dataclass(slots=True)
class RunLog:
    """Lines that an action writes; they become rows with the attempt's own, or not at all."""

    call: ActionCall
    lines: list[dict[str, Any]] = field(default_factory=list)

    def line(self, at: datetime, level: str, message: str, context: Json) -> None:
        self.lines.append(
            {
                "log_id": str(uuid4()),
                "run_id": self.call.run_id,
                "step_id": step_row_id(
                    self.call.run_id, occurrence(self.call.path, self.call.iter), self.call.attempt
                ),
                "step_path": self.call.path,
                "level": LogLevel(level),
                "message": clean_text(message),
                "context_json": _fitting_context(context),
                "source": LogSource.RUNTIME,
                "created_at": at,
                "epoch": 1,
            }
        )

    def write(self, session: Session) -> None:
        if self.lines:
            session.execute(insert(_LOGS), self.lines)


def _fitting_context(context: Json) -> Json:
    if context is None:
        return None
    context, size = storable(context)
    if size > LOG_CONTEXT_BYTES:
        return {"truncated": True, "bytes": size, "max": LOG_CONTEXT_BYTES}
    return context


def write_success(
    session: Session, call: ActionCall, output: Fitted, now: datetime, took_ms: int
) -> None:
    row = action_row(session, call, StepStatus.SUCCEEDED, now, took_ms=took_ms, output=output.value)
    projection.write_steps(session, [row])


def write_failure(
    session: Session, call: ActionCall, failed: StepFailed, now: datetime, took_ms: int
) -> None:
    """FAILED, or RETRY_SCHEDULED where the author's policy repeats it: the interpreter decides by
    the same pure function (`next_delay_ms`)."""
    place = StepPlace(call.position, call.step_id, call.path, tuple(call.iter), "action.call")
    error = located(failed, place, now)
    seed = retry_seed(call.run_id, occurrence(call.path, call.iter))
    delay = next_delay_ms(call.retry, call.attempt, error, seed)
    row = action_row(
        session,
        call,
        StepStatus.FAILED if delay is None else StepStatus.RETRY_SCHEDULED,
        now,
        took_ms=took_ms,
        error=error,
        handled=delay is None and call.handled_by is not None,
        next_retry_at=None if delay is None else now + timedelta(milliseconds=delay),
    )
    projection.write_steps(session, [row])


def write_canceled(
    session: Session, call: ActionCall, failed: StepFailed, now: datetime, took_ms: int
) -> None:
    place = StepPlace(call.position, call.step_id, call.path, tuple(call.iter), "action.call")
    row = action_row(
        session,
        call,
        StepStatus.CANCELED,
        now,
        took_ms=took_ms,
        error=located(failed, place, now),
    )
    projection.write_steps(session, [row])


def answer(output: Fitted, view: RunGlance) -> ActionAnswer:
    return ActionAnswer(
        output=output.value,
        bytes=output.bytes,
        take_boundary=view.cancel_requested,
        by_reference=output.by_reference,
        repeated=view.lost_rows,
    )


def bounded(failed: StepFailed) -> StepFailed:
    """The same failure, of a size that every row and every answer can carry."""
    message = clean_text(failed.message)
    if len(message) > ERROR_MESSAGE_CHARACTERS:
        message = f"{message[:ERROR_MESSAGE_CHARACTERS]}…"
    details = _fitting_details(failed.details)
    category = failed.category
    if category is Category.CANCELLATION:
        # Nothing cancels a run but a cancel (docs/authoring.md): an action cannot.
        category = Category.ACTION
    return StepFailed(category, message, code=failed.own_code, details=details)


def _fitting_details(details: Mapping[str, Json]) -> dict[str, Json]:
    try:
        text = json.dumps(details, allow_nan=False)
    except (TypeError, ValueError):
        return {"unreadable": True}
    if len(text) > ERROR_DETAILS_BYTES:
        return {"truncated": True, "bytes": len(text), "max": ERROR_DETAILS_BYTES}
    return cast("dict[str, Json]", storable(json.loads(text))[0])


OUTCOME_UNKNOWN_MESSAGE: Final = (
    "Whether the action did its work is not known, and it must not be done twice."
)


CANCELLED_UNDER_WAY: Final = "The run was cancelled while the action was under way."


def outcome_unknown(why: str) -> StepFailed:
    return StepFailed(
        Category.OUTCOME_UNKNOWN, f"{why} {OUTCOME_UNKNOWN_MESSAGE}", code="OUTCOME_UNKNOWN"
    )
