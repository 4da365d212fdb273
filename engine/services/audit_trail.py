"""Who did what to one run, and who was refused: the audit log, as far as it is about the run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import literal, select, tuple_

from engine.runs.payload import RedactedPayload
from engine.services import audit
from engine.services.find_runs import Cursor
from engine.services.inspect_run import OpenedRun
from engine.store.audit import AuditLog, AuditOutcome

PAGE_SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class AuditView:
    audit_id: str
    at: datetime
    operation: str
    outcome: AuditOutcome
    who: str | None
    """The operator's email as it was then; None: nobody who signed in."""
    source: str
    source_ip: str | None
    details: RedactedPayload | None


def audit_trail(
    opened: OpenedRun, cursor: Cursor | None = None
) -> tuple[tuple[AuditView, ...], Cursor | None]:
    """One page, newest first, and where the next begins. `opened` must have learned."""
    query = (
        select(AuditLog)
        .where(AuditLog.record_type == audit.RUN, AuditLog.record_id == opened.run.run_id)
        .order_by(AuditLog.at.desc(), AuditLog.audit_id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if cursor is not None:
        at = (
            literal(cursor.started_at, AuditLog.at.type),
            literal(cursor.run_id, AuditLog.audit_id.type),
        )
        query = query.where(tuple_(AuditLog.at, AuditLog.audit_id) < tuple_(*at))
    rows = opened.session.scalars(query).all()
    kept = rows[:PAGE_SIZE]
    older = Cursor(kept[-1].at, kept[-1].audit_id) if len(rows) > PAGE_SIZE else None
    return tuple(_view(row, opened) for row in kept), older


def _view(row: AuditLog, opened: OpenedRun) -> AuditView:
    details = row.details_json
    return AuditView(
        audit_id=row.audit_id,
        at=row.at,
        operation=row.operation,
        outcome=AuditOutcome(row.outcome),
        who=row.operator_email,
        source=row.source,
        source_ip=row.source_ip,
        details=opened.redaction.value(details) if details else None,
    )
