"""A FAILED run that never was: what an event or a schedule leaves where it cannot start one.

Nobody would hear of it otherwise (docs/authoring.md, Decided).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.contract import RUNTIME_SEMANTICS, Json
from engine.errors import Category, Invalid, RunStudioError, StepFailed
from engine.runs.status import LogLevel, RunStatus
from engine.services.context import Services
from engine.services.end_run import why
from engine.services.find_definitions import latest_version
from engine.services.run_log import note
from engine.store.logs import LogSource
from engine.store.runs import WorkflowRun


@dataclass(frozen=True, slots=True)
class Start:
    """What was to be started, and by what."""

    workflow_id: str
    fire_key: str
    trigger_type: str
    metadata: dict[str, Json]
    payload: Json
    event_type: str | None = None
    correlation_key: str | None = None


def record_refusal(services: Services, start: Start, refused: RunStudioError) -> str | None:
    """Write the row once, however often the start is tried; the run's id.

    None: the workflow has no version, so there is no run of it.
    """
    try:
        with services.store.writing() as session:
            return run_of(session, start.fire_key) or _write(
                session, start, refused, services.now()
            )
    except IntegrityError:  # Another process has written it.
        with services.store.reading() as session:
            return run_of(session, start.fire_key)


def run_of(session: Session, fire_key: str) -> str | None:
    """The run of this event or fire, also one that failed at launch."""
    return session.scalar(
        select(WorkflowRun.run_id).where(WorkflowRun.trigger_fire_key == fire_key)
    )


def _write(session: Session, start: Start, refused: RunStudioError, now: datetime) -> str | None:
    version = latest_version(session, start.workflow_id)
    if version is None:
        return None
    run_id = str(uuid4())
    session.add(
        WorkflowRun(
            run_id=run_id,
            workflow_id=start.workflow_id,
            workflow_version=version.version,
            status=RunStatus.FAILED,
            input_json=start.payload,
            trigger_type=start.trigger_type,
            trigger_metadata_json=start.metadata,
            trigger_fire_key=start.fire_key,
            event_type=start.event_type,
            correlation_key=start.correlation_key,
            engine="temporal",
            definition_hash=version.definition_hash,
            runtime_semantics_version=RUNTIME_SEMANTICS,
            error_json=_error(refused, now),
            started_at=now,
            completed_at=now,
            updated_at=now,
        )
    )
    session.flush()
    message = f"Not started: {refused.message}"
    note(session, run_id, LogLevel.ERROR, message, now=now, source=LogSource.WORKER)
    return run_id


def _error(refused: RunStudioError, now: datetime) -> dict[str, Json]:
    problems = refused.problems if isinstance(refused, Invalid) else []
    details: dict[str, Json] = {
        **refused.details,
        "problems": [{"pointer": p.pointer, "message": p.message} for p in problems],
    }
    category = refused.category if isinstance(refused, StepFailed) else Category.VALIDATION
    return why(
        refused.code,
        refused.message,
        now,
        stage="launch",
        category=category.value,
        details=details,
    )
