"""Lines of a run's own log that services write."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from engine.contract import Json
from engine.runs.status import LogLevel
from engine.services.context import Actor
from engine.store.logs import LogSource, WorkflowRunLog

_SOURCES = {"ui": LogSource.UI, "command": LogSource.COMMAND, "worker": LogSource.WORKER}


def note(
    session: Session,
    run_id: str,
    level: LogLevel,
    message: str,
    *,
    now: datetime,
    source: LogSource,
    context: dict[str, Json] | None = None,
) -> None:
    """Add a line. Nothing of a payload may be in it: it is shown as it is."""
    session.add(
        WorkflowRunLog(
            log_id=str(uuid4()),
            run_id=run_id,
            level=level,
            message=message,
            context_json=context,
            source=source,
            created_at=now,
        )
    )


def source_of(actor: Actor) -> LogSource:
    return _SOURCES.get(actor.source, LogSource.API)
