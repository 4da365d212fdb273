"""Canceling a run: Temporal's cancellation, asked for in a way that is not lost (docs/rules.md 5).

The request is written first. Then Temporal is asked; when it cannot be, the request stays and the
reconciler delivers it. A run that Temporal has nothing of is closed here. The row becomes CANCELED
when the workflow has cleaned up and says so, not when the button is pressed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from engine.contract import Json, workflow_id_of
from engine.errors import Conflict, NotFound, RunStudioError, Unavailable
from engine.runs.status import OPEN, TERMINAL, LogLevel
from engine.services import audit
from engine.services.context import Actor, Services
from engine.services.end_run import lock_run
from engine.services.entered import free_text, run_id_of
from engine.services.run_log import note, source_of
from engine.services.settle_run import (
    counts_as_claimed,
    end_of_canceled,
    end_of_closed,
    write_end,
)
from engine.services.stop_run import refuse_unless_stoppable, stop_now
from engine.store.audit import AuditOutcome
from engine.store.logs import LogSource
from engine.store.runs import WorkflowRun

OPERATION: Final = "workflow_run_cancel"
_TRIES: Final = 3
"""The start may still be under way: unknown to the first call, there at the second."""


class CancelOutcome(StrEnum):
    REQUESTED = "requested"
    """Temporal has the request; the run ends when its worker has cleaned up."""
    CLOSED = "closed"
    """Nothing executed it (any more): the row says how it ended."""
    STOPPED = "stopped"
    """Terminated without clean-up."""


@dataclass(frozen=True, slots=True)
class CancelReceipt:
    run_id: str
    outcome: CancelOutcome


def cancel_run(
    services: Services, run_id: str, actor: Actor, reason: str | None, force: bool = False
) -> CancelReceipt:
    """Ask for the run's cancellation; with `force`, stop it at once where that is allowed.

    Raises `NotFound`, `Invalid` (reason), `Conflict` (it has ended; too early to force), and
    `Unavailable` when Temporal does not answer: then the request is recorded and will be delivered.
    """
    run_id = run_id_of(run_id)
    said = free_text("reason", reason)
    try:
        workflow_id = _request(services, run_id, actor, said, force=force)
        if force:
            stop_now(services, run_id, said, source_of(actor))
            return CancelReceipt(run_id, CancelOutcome.STOPPED)
        return CancelReceipt(run_id, deliver(services, run_id, workflow_id, source_of(actor)))
    except NotFound:
        raise
    except RunStudioError as error:
        _audit_failure(services, run_id, actor, error, force=force)
        raise _recorded(error, run_id) from error


def deliver(services: Services, run_id: str, workflow_id: str, source: LogSource) -> CancelOutcome:
    """Hand a recorded request to Temporal; close a run of which Temporal has nothing to cancel.

    Raises `Unavailable`. May be repeated.
    """
    for _ in range(_TRIES):
        # Read before Temporal is asked: a claim that comes in between is seen by `write_end`.
        with services.store.reading() as session:
            run = session.get_one(WorkflowRun, run_id)
        if run.status in TERMINAL:
            return CancelOutcome.CLOSED
        if services.gateway.cancel_run(workflow_id):
            _delivered(services, run_id)
            return CancelOutcome.REQUESTED
        execution = services.gateway.describe_run(workflow_id)
        if execution is None:
            claimed = counts_as_claimed(run.claimed_by, run.epoch)
            end = end_of_canceled(services, claimed=claimed)
        elif not execution.is_open:
            end = end_of_closed(services, execution)
        else:
            continue
        if write_end(services, run_id, end, source, claimed_by=run.claimed_by):
            return CancelOutcome.CLOSED
    return CancelOutcome.REQUESTED


def _request(
    services: Services, run_id: str, actor: Actor, reason: str | None, *, force: bool
) -> str:
    """Record the request before Temporal is called; the run's workflow id."""
    now = services.now()
    with services.store.writing() as session:
        run = lock_run(session, run_id)
        if run is None:
            raise NotFound("There is no such run.", code="RUN_NOT_FOUND")
        if run.status in TERMINAL:
            raise Conflict(f"The run has ended: it is {run.status}.", code="RUN_ENDED")
        if force:
            refuse_unless_stoppable(session, run, now)
        if run.cancel_requested_at is None:
            _write_request(session, run, actor, reason, services)
        details: dict[str, Json] = {"reason": reason, "force": force}
        audit.record(
            session,
            actor,
            OPERATION,
            now,
            record_type=audit.RUN,
            record_id=run_id,
            details=details,
        )
        return workflow_id_of(run_id, run.temporal_workflow_id)


def _write_request(
    session: Session, run: WorkflowRun, actor: Actor, reason: str | None, services: Services
) -> None:
    now = services.now()
    run.cancel_requested_at = now
    run.cancel_requested_by = actor.operator_id
    run.cancel_reason = reason
    run.updated_at = now
    note(
        session,
        run.run_id,
        LogLevel.WARN,
        f"Cancel requested by {actor.email or 'the command line'}",
        now=now,
        source=source_of(actor),
        context={"reason": reason},
    )


def _delivered(services: Services, run_id: str) -> None:
    now = services.now()
    with services.store.writing() as session:
        session.execute(
            update(WorkflowRun)
            .where(
                WorkflowRun.run_id == run_id,
                WorkflowRun.status.in_(OPEN),
                WorkflowRun.cancel_delivered_at.is_(None),
            )
            .values(cancel_delivered_at=now, updated_at=now)
        )


def _audit_failure(
    services: Services, run_id: str, actor: Actor, error: RunStudioError, *, force: bool
) -> None:
    audit.record_refusal(
        services,
        actor,
        OPERATION,
        outcome=AuditOutcome.FAILED,
        record_type=audit.RUN,
        record_id=run_id,
        details={"force": force, "code": error.code},
    )


def _recorded(error: RunStudioError, run_id: str) -> RunStudioError:
    """Unreachable is not lost: the message says what will happen."""
    if not isinstance(error, Unavailable):
        return error
    return Unavailable(
        "The cancel request is recorded, but Temporal does not answer. It is delivered as soon as "
        "Temporal does.",
        code=error.code,
        details={"run_id": run_id, "recorded": True, **error.details},
    )
