"""A child run, accepted for the step that calls it (docs/authoring.md, control.callWorkflow).

The row is written here; the execution is started by the parent's workflow, as a child of its own.
What a person would be told as an error the calling step gets as data: the cause of its failure.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.contract import Json, occurrence
from engine.contract_children import ChildLaunched, LaunchChild
from engine.definitions.workflows import MAX_CALL_DEPTH
from engine.errors import (
    Category,
    Invalid,
    RunOver,
    RunStudioError,
    StepFailed,
    TooLarge,
    TooMany,
)
from engine.runs.payload import Payload
from engine.services.context import Actor, Services
from engine.services.launch_run import LaunchRequest, Parent, accept
from engine.services.record_progress import apply_batch
from engine.store import projection
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun

_WORKER: Final = Actor(source="worker")
_MAY_PASS: Final = frozenset({"WORKFLOW_PAUSED", "CONCURRENCY_LIMIT"})
"""Refusals that another attempt may not meet."""


@dataclass(frozen=True, slots=True)
class _Caller:
    workflow_id: str
    key: str | None
    parent_run_id: str | None


def launch_child(services: Services, wanted: LaunchChild) -> ChildLaunched:
    """Accept the child run of one attempt; the same attempt always gets the same run."""
    now = services.now()
    with services.store.writing() as session:
        view = projection.glance(session, wanted.batch, to_write=True)
        if view.over:
            return ChildLaunched(run_over=True)
        apply_batch(session, wanted.batch, view, now, run_row=True)
        callers = _callers(session, wanted.run_id)
    root_run_id = callers[-1][0]
    child_run_id = cause = None
    try:
        _refuse_endless([caller for _, caller in callers], wanted)
        child_run_id = accept(services, _request(wanted, root_run_id)).run_id
    except RunOver:
        return ChildLaunched(run_over=True)
    except RunStudioError as refused:
        cause = _cause(refused)
    return ChildLaunched(
        child_run_id,
        root_run_id,
        cause,
        take_boundary=view.cancel_requested,
        repeated=view.lost_rows,
    )


def _request(wanted: LaunchChild, root_run_id: str) -> LaunchRequest:
    return LaunchRequest(
        workflow_key=wanted.workflow_key,
        payload=Payload(wanted.payload),
        actor=_WORKER,
        version=wanted.workflow_version,
        token=_token(wanted),
        trigger_metadata={
            "parentRunId": wanted.run_id,
            "rootRunId": root_run_id,
            "parentStepPath": wanted.path,
        },
        parent=Parent(wanted.run_id, root_run_id),
    )


def _token(wanted: LaunchChild) -> str:
    """Of the attempt, and of the workflow it calls: a run of another one is never taken for it."""
    place = occurrence(wanted.path, wanted.iter)
    named = f"{wanted.run_id}/{place}/{wanted.attempt}/{wanted.workflow_key}"
    return f"child-{hashlib.sha256(named.encode()).hexdigest()}"


def _callers(session: Session, run_id: str) -> list[tuple[str, _Caller]]:
    """The run that calls, then who called it, up to the root; bounded, whatever rows say."""
    found: list[tuple[str, _Caller]] = []
    at: str | None = run_id
    while at is not None and len(found) <= MAX_CALL_DEPTH:
        row = session.execute(
            select(WorkflowRun.workflow_id, WorkflowDefinition.key, WorkflowRun.parent_run_id)
            .join(WorkflowDefinition, WorkflowDefinition.workflow_id == WorkflowRun.workflow_id)
            .where(WorkflowRun.run_id == at)
        ).one_or_none()
        if row is None:
            break
        found.append((at, _Caller(row.workflow_id, row.key, row.parent_run_id)))
        at = row.parent_run_id
    return found


def _refuse_endless(callers: list[_Caller], wanted: LaunchChild) -> None:
    """Publishing refuses both already; rows may be older than what was published since."""
    if any(caller.key == wanted.workflow_key for caller in callers):
        raise StepFailed(
            Category.VALIDATION,
            f"{wanted.workflow_key} is among the workflows that led here: calls go round.",
            code="WORKFLOW_CALL_CYCLE",
        )
    if len(callers) > MAX_CALL_DEPTH:
        raise StepFailed(
            Category.VALIDATION,
            f"Calls may go {MAX_CALL_DEPTH} levels deep below the first run.",
            code="WORKFLOW_CALLS_TOO_DEEP",
        )


def _cause(refused: RunStudioError) -> dict[str, Json]:
    """The refusal as error data. What may pass is a TransientError, so that a retry meets it."""
    if isinstance(refused, StepFailed):
        return refused.as_data()
    if refused.code in _MAY_PASS or isinstance(refused, TooMany):
        category = Category.TRANSIENT
    elif isinstance(refused, Invalid | TooLarge):
        category = Category.VALIDATION
    else:
        category = Category.ACTION
    details = dict(refused.details)
    if isinstance(refused, Invalid):
        details["problems"] = [
            {"pointer": one.pointer, "message": one.message, "code": one.code}
            for one in refused.problems
        ]
    return StepFailed(category, refused.message, code=refused.code, details=details).as_data()
