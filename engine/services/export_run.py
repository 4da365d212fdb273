"""A run as one JSON document: everything about it, all of it redacted (docs/cli.md has the shape).

The same document is what `flask runs show --json` prints and what Export saves.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from engine.contract import Json
from engine.runs.payload import RedactedPayload
from engine.runs.redaction import POLICY_VERSION
from engine.services.inspect_run import OpenedRun, logs_of, open_run, view_run, waits_of
from engine.services.redact_run import Rules
from engine.services.run_timeline import learn_steps, whole_timeline
from engine.services.run_views import (
    CancelView,
    ErrorView,
    LogView,
    RelatedRun,
    RunView,
    StepView,
    WaitView,
)


def export_run(session: Session, run_id: str, rules: Rules, now: datetime) -> dict[str, Json]:
    """{run, steps, waits, children, logs, …}. Raises `NotFound`."""
    opened: OpenedRun = open_run(session, run_id, rules)
    learn_steps(session, run_id, opened.redaction)
    timeline = whole_timeline(session, run_id, opened.outline, opened.redaction)
    logs, _ = logs_of(opened, limit=None)
    view = view_run(opened)
    return {
        "format": 1,
        "exportedAt": _time(now),
        "redactionPolicy": POLICY_VERSION,
        "run": _run(view),
        "steps": [_step(step) for found in timeline.occurrences for step in found.attempts],
        "waits": [_wait(wait) for wait in reversed(waits_of(opened))],
        "children": [_related(child) for child in view.children],
        "logs": [_log(line) for line in logs],
    }


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
        "trigger": {"type": view.trigger_type, "metadata": view.trigger},
        "startedBy": view.started_by,
        "reason": view.reason,
        "state": view.state_label,
        "nodePath": view.node_path,
        "startedAt": _time(view.started_at),
        "claimedAt": _time(view.claimed_at),
        "completedAt": _time(view.completed_at),
        "updatedAt": _time(view.updated_at),
        "input": view.payload.value,
        "error": _error(view.error),
        "cancel": _cancel(view.cancel),
        "replayOf": None if view.replay_of is None else view.replay_of.run_id,
        "replayedAs": [_related(run) for run in view.replayed_as],
        "parent": None if view.parent is None else view.parent.run_id,
    }


def _step(step: StepView) -> dict[str, Json]:
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
        "startedAt": _time(step.started_at),
        "completedAt": _time(step.completed_at),
        "durationMs": step.duration_ms,
        "nextRetryAt": _time(step.next_retry_at),
        "handled": step.handled,
        "superseded": step.superseded,
        "input": _value(step.input),
        "output": _value(step.output),
        "error": _error(step.error),
    }


def _wait(wait: WaitView) -> dict[str, Json]:
    return {
        "id": wait.wait_id,
        "type": wait.wait_type,
        "status": wait.status,
        "path": wait.path,
        "key": wait.key,
        "eventName": wait.event_name,
        "timeoutAt": _time(wait.timeout_at),
        "createdAt": _time(wait.created_at),
        "resolvedAt": _time(wait.resolved_at),
        "payload": _value(wait.payload),
    }


def _log(line: LogView) -> dict[str, Json]:
    return {
        "at": _time(line.at),
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
        "requestedAt": _time(cancel.requested_at),
        "requestedBy": cancel.requested_by,
        "reason": cancel.reason,
        "deliveredAt": _time(cancel.delivered_at),
    }


def _error(error: ErrorView | None) -> dict[str, Json] | None:
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


def _related(run: RelatedRun) -> dict[str, Json]:
    return {
        "id": run.run_id,
        "status": run.status.value,
        "workflow": run.workflow_name,
        "startedAt": _time(run.started_at),
    }


def _value(value: RedactedPayload | None) -> Json:
    return None if value is None else value.value


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
