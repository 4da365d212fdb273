"""A called workflow: its row is accepted by an activity, its execution is Temporal's child.

The child claims its row as every run does, and ends in Temporal as its row says; that is how its
parent knows. The parent owns it: cancelled, it cancels the child and waits for its clean-up, and
nobody else starts it (docs/rules.md 6).
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    WorkflowAlreadyStartedError,
)

from engine import contract
from engine.contract import REFERENCE_KEY, Json, RunResult, RunStart
from engine.contract_children import ACTIVITY_LAUNCH_CHILD, ChildLaunched
from engine.durable import calls, messages
from engine.durable.patches import ACCEPTED_CHILDREN_BEGIN
from engine.durable.progress import Progress
from engine.errors import Category, StepFailed
from engine.interpreter import final_scopes
from engine.interpreter.host import ChildRequest
from engine.runs.status import RunStatus

INLINE_SCOPES_BYTES: Final = 64 * 1024
"""Larger scopes of a child are stored, and its result is the reference."""

Child = workflow.ChildWorkflowHandle[Any, RunResult]


async def run_child(progress: Progress, request: ChildRequest) -> dict[str, Json]:
    """`Host.start_child`."""
    launched = await _launch(progress, request)
    if launched.child_run_id is None:
        raise _failed(request, launched, launched.cause or {})
    try:
        child = await _start(launched.child_run_id, wants_scopes=request.wants_scopes)
        result = await _end_of(child)
    except WorkflowAlreadyStartedError:
        calls.raise_if_cancelled()
        raise _failed(request, launched, _STARTED_BEFORE) from None
    except ChildWorkflowError as error:
        calls.raise_if_cancelled()
        raise _failed(request, launched, _cause(error)) from error
    finally:
        progress.renew()
    calls.raise_if_cancelled()
    if result.status != RunStatus.SUCCEEDED:
        raise _failed(request, launched, _ended_outside(result.status))
    return await _scopes(progress, result)


async def reported(progress: Progress, scopes: dict[str, Json]) -> dict[str, Json]:
    """A child's own final scopes, in the form in which its result brings them."""
    packed = final_scopes.pack(scopes)
    if messages.size(packed) <= INLINE_SCOPES_BYTES:
        return packed
    return await progress.store(packed)


async def _launch(progress: Progress, request: ChildRequest) -> ChildLaunched:
    await progress.make_room()
    batch = progress.take_batch()
    wanted = messages.launch_child(progress.run_id, batch, request)
    launched: ChildLaunched = await progress.write_whatever_comes(
        ACTIVITY_LAUNCH_CHILD, wanted, ChildLaunched, batch
    )
    # A child that is accepted begins, and is cancelled then: its row would stay open else, with
    # nothing behind it, for as long as this run goes on after a cancelled branch.
    if calls.is_cancelled() and not (
        launched.child_run_id is not None and workflow.patched(ACCEPTED_CHILDREN_BEGIN)
    ):
        raise asyncio.CancelledError
    progress.heed(launched)
    return launched


async def _start(child_run_id: str, *, wants_scopes: bool) -> Child:
    """Started, though a cancel may have come meanwhile: what is not known cannot be cancelled."""
    start = RunStart(child_run_id, wants_scopes=wants_scopes)
    return await calls.insist(
        workflow.start_child_workflow(
            contract.WORKFLOW_TYPE,
            start,
            id=contract.temporal_workflow_id(child_run_id),
            result_type=RunResult,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
            cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            static_summary=f"Run Studio run {child_run_id}",
        )
    )


async def _end_of(child: Child) -> RunResult:
    """The child's end. A cancel of this branch is passed on, and its clean-up waited for."""
    if calls.is_cancelled():
        child.cancel()
    while True:
        try:
            return await asyncio.shield(child)
        except asyncio.CancelledError:
            if child.done():
                return child.result()
            child.cancel()


async def _scopes(progress: Progress, result: RunResult) -> dict[str, Json]:
    packed = result.scopes
    if packed is not None and REFERENCE_KEY in packed:
        packed = await progress.fetch(packed[REFERENCE_KEY])
    return {} if packed is None else final_scopes.unpack(packed)


def _failed(request: ChildRequest, launched: ChildLaunched, cause: dict[str, Json]) -> StepFailed:
    """ChildWorkflowError; its words are the cause's, its category says whose failure it is."""
    details = {
        "workflowId": request.workflow_key,
        "workflowVersion": request.workflow_version,
        "childRunId": launched.child_run_id,
        "rootRunId": launched.root_run_id,
        "cause": cause,
    }
    said = cause.get("message", "it failed")
    message = f"The called workflow {request.workflow_key} failed: {said}"
    if launched.child_run_id is None:
        message = f"The workflow {request.workflow_key} could not be called: {said}"
    return StepFailed(Category.CHILD, message, details=details)


def _cause(error: ChildWorkflowError) -> dict[str, Json]:
    """The error object with which the child ended."""
    cause = error.cause
    if isinstance(cause, CancelledError):
        return _error(Category.CANCELLATION, "The child run was canceled.", "CANCELED")
    if isinstance(cause, TerminatedError):
        return _error(Category.CANCELLATION, "The child run was stopped.", "TERMINATED")
    if isinstance(cause, ApplicationError) and cause.details:
        details = cause.details[0]
        if isinstance(details, dict):
            return details
    return _error(Category.INTERPRETER, f"The child run ended in Temporal: {cause}", "ENGINE")


def _ended_outside(status: str) -> dict[str, Json]:
    """Its row was closed by somebody else: stopped, or settled by the reconciler."""
    if status == RunStatus.FAILED:
        return _error(Category.INTERPRETER, "The child run was ended as failed.", "RUN_OVER")
    return _error(Category.CANCELLATION, "The child run was ended from outside.", "RUN_OVER")


def _error(category: Category, message: str, code: str) -> dict[str, Json]:
    return StepFailed(category, message, code=code).as_data()


_STARTED_BEFORE: Final = _error(
    Category.OUTCOME_UNKNOWN,
    "This attempt's child run had been started before the workflow was reset; it is not run twice, "
    "and its own page says what came of it.",
    "CHILD_STARTED_BEFORE",
)
