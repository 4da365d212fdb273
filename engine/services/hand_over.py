"""Handing an accepted run to Temporal, and what its row says when that fails (docs/rules.md 2).

Outside any transaction, and harmless to repeat: the workflow id is made of the run's. A failure may
be a lost answer, with the run executing already. So the row is marked only while no workflow has
claimed it; from then on a workflow that was started after all finds it terminal and ends at once.
"""

from __future__ import annotations

import structlog
from sqlalchemy import or_, update
from sqlalchemy.exc import OperationalError

from engine.contract import temporal_workflow_id
from engine.errors import Unavailable
from engine.runs.status import LogLevel, RunStatus
from engine.services import audit
from engine.services.context import Actor, Services
from engine.services.end_run import close_run, lock_run, why
from engine.services.run_log import note, source_of
from engine.store.audit import AuditOutcome
from engine.store.runs import WorkflowRun

log = structlog.get_logger(__name__)


def hand_over(services: Services, run_id: str, actor: Actor, operation: str) -> None:
    """Have Temporal start an accepted run. Raises `Unavailable` when its row is FAILED for it."""
    try:
        start_accepted(services, run_id)
    except Unavailable as error:
        if _mark_failed(services, run_id, actor, operation, error):
            raise Unavailable(
                f"{error.message} The run was not started.",
                code=error.code,
                details={"run_id": run_id, **error.details},
            ) from error
        # Its row has been claimed: only the answer was lost.


def start_accepted(services: Services, run_id: str) -> None:
    """Start the run's workflow and note the ids of its execution. Harmless to repeat.

    It has been started then: a database that cannot take the note makes it no failure.
    """
    temporal_run_id = services.gateway.start_run(run_id)
    workflow_id = temporal_workflow_id(run_id)
    unknown = or_(
        WorkflowRun.temporal_run_id.is_(None),
        WorkflowRun.temporal_workflow_id.is_distinct_from(workflow_id),
    )
    try:
        with services.store.writing() as session:
            session.execute(
                update(WorkflowRun)
                .where(WorkflowRun.run_id == run_id, unknown)
                .values(temporal_run_id=temporal_run_id, temporal_workflow_id=workflow_id)
            )
    except OperationalError:
        log.warning("launch.execution_not_noted", run_id=run_id)


def _mark_failed(
    services: Services, run_id: str, actor: Actor, operation: str, error: Unavailable
) -> bool:
    """Close the run as never started. False: it has started after all, or has ended."""
    now = services.now()
    message = f"{error.message} The run was not started, and nothing of it was executed."
    data = why(error.code, message, now, stage="launch", details=error.details)
    with services.store.writing() as session:
        run = lock_run(session, run_id)
        if run is None or run.claimed_by is not None or run.status != RunStatus.RUNNING:
            return False
        source = source_of(actor)
        close_run(session, run_id, RunStatus.FAILED, data, now, source)
        note(session, run_id, LogLevel.ERROR, message, now=now, source=source)
        audit.record(
            session,
            actor,
            operation,
            now,
            outcome=AuditOutcome.FAILED,
            record_type=audit.RUN,
            record_id=run_id,
            details={"code": error.code, "stage": "launch"},
        )
        return True
