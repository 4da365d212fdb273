"""One run as JSON: everything about it, all of it redacted (docs/cli.md has the shape).

The same record is what `flask runs show --json` prints and what an export is made of. It is
collected within a budget: what does not fit is left out, and said to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select

from engine.contract import Json
from engine.runs.payload import RedactedPayload
from engine.runs.strict_json import byte_length
from engine.services.find_waits import TaskView, task_view
from engine.services.inspect_run import OpenedRun, log_view, view_run, wait_view
from engine.services.list_calls import CallView, call_view
from engine.services.run_timeline import every_step, learn_every_step
from engine.services.run_views import (
    CancelView,
    ErrorView,
    LogView,
    RelatedRun,
    RunView,
    StepView,
    WaitView,
)
from engine.store.invocations import WorkflowActionInvocation
from engine.store.logs import WorkflowRunLog
from engine.store.steps import WorkflowRunStep
from engine.store.tasks import WorkflowHumanTask
from engine.store.waits import WorkflowRunWait

MOST_ROWS: Final = 20_000
"""Steps, waits, tasks, calls and log lines together."""
MOST_BYTES: Final = 32 * 1024 * 1024
"""Of their canonical text."""
_AT_A_TIME: Final = 100


@dataclass(frozen=True, slots=True)
class Cut:
    """A list of which only the beginning is here."""

    part: str
    """Its JSON pointer."""
    kept: int
    of: int


class Budget:
    """What may still be collected, and what did not fit."""

    def __init__(self, rows: int = MOST_ROWS, size: int = MOST_BYTES) -> None:
        self._rows, self._bytes = rows, size
        self.cuts: list[Cut] = []

    def collect(
        self, part: str, items: Iterable[dict[str, Json]], count: Callable[[], int]
    ) -> list[Json]:
        """The items that fit; `count` is asked for their number only when not all do."""
        kept: list[Json] = []
        for item in items:
            size = byte_length(item)
            if self._rows < 1 or self._bytes < size:
                self.cuts.append(Cut(part, len(kept), count()))
                break
            self._rows -= 1
            self._bytes -= size
            kept.append(item)
        return kept


def run_record(opened: OpenedRun, budget: Budget, at: str = "") -> dict[str, Json]:
    """{run, steps, waits, tasks, calls, logs, children}; `at`: where in a document it stands."""
    run_id, redaction = opened.run.run_id, opened.redaction
    learn_every_step(opened.session, run_id, redaction)
    view = view_run(opened)
    steps = every_step(opened.session, run_id, opened.outline, redaction)

    def listed(name: str, table: Any, items: Iterable[dict[str, Json]]) -> list[Json]:
        def count() -> int:
            query = select(func.count()).where(table.run_id == run_id)
            return opened.session.scalar(query) or 0

        return budget.collect(f"{at}/{name}", items, count)

    def rows(table: Any, row_id: Any) -> Iterable[Any]:
        query = select(table).where(table.run_id == run_id).order_by(table.created_at, row_id)
        return opened.session.scalars(query.execution_options(yield_per=_AT_A_TIME))

    wait, task = WorkflowRunWait, WorkflowHumanTask
    call, log = WorkflowActionInvocation, WorkflowRunLog
    waits = (_wait(wait_view(row, redaction)) for row in rows(wait, wait.wait_id))
    tasks = (_task(task_view(row, opened)) for row in rows(task, task.task_id))
    calls = (call_record(call_view(row, opened)) for row in rows(call, call.invocation_id))
    logs = (log_record(log_view(row, redaction)) for row in rows(log, log.log_id))
    return {
        "run": _run(view),
        "steps": listed("steps", WorkflowRunStep, map(step_record, steps)),
        "waits": listed("waits", wait, waits),
        "tasks": listed("tasks", task, tasks),
        "calls": listed("calls", call, calls),
        "logs": listed("logs", log, logs),
        "children": [related_record(child) for child in view.children],
    }


def related_record(run: RelatedRun) -> dict[str, Json]:
    return {
        "id": run.run_id,
        "status": run.status.value,
        "workflow": run.workflow_name,
        "startedAt": time_text(run.started_at),
    }


def error_record(error: ErrorView | None) -> dict[str, Json] | None:
    if error is None:
        return None
    return {
        "category": error.category,
        "code": error.code,
        "message": error.message,
        "nodePath": error.node_path,
        "stage": error.stage,
        "details": _value(error.details),
    }


def time_text(at: datetime | None) -> str | None:
    """RFC 3339, in UTC."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _run(view: RunView) -> dict[str, Json]:
    return {
        "id": view.run_id,
        "status": view.status.value,
        "workflow": {
            "key": view.workflow_key,
            "name": view.workflow_name,
            "version": view.workflow_version,
            "definitionHash": view.definition_hash,
        },
        "engine": view.engine,
        "temporalWorkflowId": view.temporal_workflow_id,
        "temporalRunId": view.temporal_run_id,
        "trigger": {"type": view.trigger_type, "metadata": _value(view.trigger_metadata)},
        "startedBy": view.started_by,
        "reason": view.reason,
        "state": view.state_label,
        "nodePath": view.node_path,
        "startedAt": time_text(view.started_at),
        "claimedAt": time_text(view.claimed_at),
        "completedAt": time_text(view.completed_at),
        "updatedAt": time_text(view.updated_at),
        "input": view.payload.value,
        "error": error_record(view.error),
        "cancel": _cancel(view.cancel),
        "replayOf": None if view.replay_of is None else view.replay_of.run_id,
        "replayedAs": [related_record(run) for run in view.replayed_as],
        "parent": None if view.parent is None else view.parent.run_id,
    }


def step_record(step: StepView) -> dict[str, Json]:
    return {
        "id": step.step_id,
        "path": step.path,
        "iter": list(step.iter),
        "kind": step.kind,
        "name": step.name,
        "action": step.action,
        "status": step.status.value,
        "attempt": step.attempt,
        "position": step.position,
        "startedAt": time_text(step.started_at),
        "completedAt": time_text(step.completed_at),
        "durationMs": step.duration_ms,
        "nextRetryAt": time_text(step.next_retry_at),
        "handled": step.handled,
        "superseded": step.superseded,
        "input": _value(step.input),
        "output": _value(step.output),
        "error": error_record(step.error),
    }


def _wait(wait: WaitView) -> dict[str, Json]:
    return {
        "id": wait.wait_id,
        "type": wait.wait_type,
        "status": wait.status,
        "path": wait.path,
        "key": wait.key,
        "eventName": wait.event_name,
        "timeoutAt": time_text(wait.timeout_at),
        "createdAt": time_text(wait.created_at),
        "resolvedAt": time_text(wait.resolved_at),
        "payload": _value(wait.payload),
    }


def _task(task: TaskView) -> dict[str, Json]:
    return {
        "id": task.task_id,
        "path": task.path,
        "title": task.title,
        "description": task.description,
        "taskType": task.task_type,
        "status": task.status,
        "assignee": task.assignee,
        "createdAt": time_text(task.created_at),
        "dueAt": time_text(task.due_at),
        "timeoutAt": time_text(task.timeout_at),
        "context": _value(task.context),
        "answer": _value(task.answer),
        "answeredBy": task.answered_by,
        "answeredAt": time_text(task.answered_at),
    }


def call_record(call: CallView) -> dict[str, Json]:
    return {
        "id": call.call_id,
        "action": call.action,
        "version": call.version,
        "path": call.path,
        "occurrence": call.occurrence,
        "status": call.status.value,
        "attempt": call.attempt,
        "idempotencyKey": call.idempotency_key,
        "startedAt": time_text(call.started_at),
        "completedAt": time_text(call.completed_at),
        "input": _value(call.input),
        "output": _value(call.output),
        "error": error_record(call.error),
    }


def log_record(line: LogView) -> dict[str, Json]:
    return {
        "at": time_text(line.at),
        "level": line.level.value,
        "message": line.message,
        "path": line.path,
        "source": line.source,
        "context": _value(line.context),
    }


def _cancel(cancel: CancelView | None) -> dict[str, Json] | None:
    if cancel is None:
        return None
    return {
        "requestedAt": time_text(cancel.requested_at),
        "requestedBy": cancel.requested_by,
        "reason": cancel.reason,
        "deliveredAt": time_text(cancel.delivered_at),
    }


def _value(value: RedactedPayload | None) -> Json:
    return None if value is None else value.value
