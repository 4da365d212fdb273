"""Stopping a run without its workflow's help: the way out that needs no worker (docs/rules.md 5).

Allowed when a cancel has not been observed for 30 s, or when no worker lives that could observe it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from engine.contract import workflow_id_of
from engine.errors import Conflict
from engine.runs.status import LogLevel, RunStatus
from engine.services.context import Services
from engine.services.end_run import close_run, open_descendants, why
from engine.services.heartbeat import a_worker_lives
from engine.services.run_log import note
from engine.store.logs import LogSource
from engine.store.runs import WorkflowRun

UNOBSERVED_AFTER: Final = timedelta(seconds=30)
WITHOUT_CLEAN_UP: Final = "stopped without clean-up"


def may_stop(session: Session, run: WorkflowRun, now: datetime) -> bool:
    """Is *Stop now* offered for this open run? The page asks the same question."""
    requested = run.cancel_requested_at
    if requested is not None and now - requested >= UNOBSERVED_AFTER:
        return True
    return not a_worker_lives(session, now)


def refuse_unless_stoppable(session: Session, run: WorkflowRun, now: datetime) -> None:
    """Raises `Conflict` while a worker may still end the run in its own way."""
    if not may_stop(session, run, now):
        raise Conflict(
            "A worker is running: cancel the run first. It can be stopped without clean-up "
            f"{UNOBSERVED_AFTER.seconds} s after a cancel that nothing came of.",
            code="STOP_TOO_EARLY",
        )


def stop_now(services: Services, run_id: str, reason: str | None, source: LogSource) -> None:
    """Terminate the run and every run it started, then close their rows. Raises `Unavailable`."""
    stopped: set[str] = set()
    remaining = [run_id]
    while remaining:
        for run in remaining:
            _terminate(services, run, reason)
        for run in remaining:
            _close(services, run, reason, source)
        stopped.update(remaining)
        with services.store.reading() as session:
            # A child may have been started while its parent was being stopped.
            found = open_descendants(session, run_id)
        remaining = [run for run in found if run not in stopped]


def _terminate(services: Services, run_id: str, reason: str | None) -> None:
    with services.store.reading() as session:
        stored = session.get_one(WorkflowRun, run_id).temporal_workflow_id
    services.gateway.terminate_run(workflow_id_of(run_id, stored), reason or WITHOUT_CLEAN_UP)


def _close(services: Services, run_id: str, reason: str | None, source: LogSource) -> None:
    now = services.now()
    message = f"The run was {WITHOUT_CLEAN_UP}: what its open steps had begun was left as it was."
    error = why("STOPPED", message, now, details={"reason": reason})
    with services.store.writing() as session:
        if close_run(session, run_id, RunStatus.CANCELED, error, now, source):
            note(
                session,
                run_id,
                LogLevel.WARN,
                f"Canceled: {WITHOUT_CLEAN_UP}",
                now=now,
                source=source,
                context={"reason": reason},
            )
