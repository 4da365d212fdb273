"""Pausing a workflow: no new run of it is accepted, from anywhere, until it is unpaused.

A launch takes the definition's row before it counts (`launch_checks.admit`), so that none which
began before is accepted after. Runs that are open go on, and may be cancelled as ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.services import audit
from engine.services.context import Actor, Services
from engine.services.entered import free_text
from engine.services.find_definitions import by_key, find_definition
from engine.store.audit import AuditLog, AuditOutcome

PAUSE: Final = "workflow_pause"
UNPAUSE: Final = "workflow_unpause"


@dataclass(frozen=True, slots=True)
class Pause:
    """Who paused a workflow, when and why."""

    at: datetime
    by: str | None
    reason: str | None


def pause_definition(services: Services, key: str, actor: Actor, reason: str | None) -> bool:
    """False: it was paused already. Raises `NotFound`, `Invalid` (reason)."""
    return _set_paused(services, key, actor, reason, paused=True)


def unpause_definition(
    services: Services, key: str, actor: Actor, reason: str | None = None
) -> bool:
    """False: it was not paused. Raises `NotFound`, `Invalid` (reason)."""
    return _set_paused(services, key, actor, reason, paused=False)


def pause_of(session: Session, workflow_id: str) -> Pause | None:
    """The newest pause, as the audit log has it; None: it was paused before there was one."""
    row = session.scalars(
        select(AuditLog)
        .where(
            AuditLog.record_type == audit.DEFINITION,
            AuditLog.record_id == workflow_id,
            AuditLog.operation == PAUSE,
            AuditLog.outcome == AuditOutcome.DONE,
        )
        .order_by(AuditLog.at.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    details = row.details_json if isinstance(row.details_json, dict) else {}
    reason = details.get("reason")
    return Pause(row.at, row.operator_email, reason if isinstance(reason, str) else None)


def _set_paused(
    services: Services, key: str, actor: Actor, reason: str | None, *, paused: bool
) -> bool:
    said = free_text("reason", reason)
    with services.store.writing() as session:
        found = by_key(session, key, lock=True)
        definition = found or find_definition(session, key)
        if definition.is_paused == paused:
            return False
        now = services.now()
        definition.is_paused = paused
        definition.updated_by = actor.operator_id
        definition.updated_at = now
        audit.record(
            session,
            actor,
            PAUSE if paused else UNPAUSE,
            now,
            record_type=audit.DEFINITION,
            record_id=definition.workflow_id,
            details={"key": key, "reason": said},
        )
        return True
