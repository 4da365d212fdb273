"""Who did what, and who was refused: one row each, in the transaction of what was done."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy.orm import Session

from engine.contract import Json
from engine.runs.redaction import Redactor
from engine.services.context import Actor, Services
from engine.store.audit import AuditLog, AuditOutcome

RUN: Final = "workflow_run"
DEFINITION: Final = "workflow_definition"
OPERATOR: Final = "operator"
"""Values of `record_type`."""

_REDACTOR = Redactor()


def record(
    session: Session,
    actor: Actor,
    operation: str,
    now: datetime,
    *,
    outcome: AuditOutcome = AuditOutcome.DONE,
    record_type: str | None = None,
    record_id: str | None = None,
    details: dict[str, Json] | None = None,
) -> None:
    """Add a row; the caller's transaction keeps it or not. No payload may be in `details`.

    What `details` holds under a key that names a secret is masked (docs/architecture.md 4).
    """
    if actor.bulk_id is not None:
        details = {**(details or {}), "bulkId": actor.bulk_id}
    session.add(
        AuditLog(
            audit_id=str(uuid4()),
            at=now,
            operation=operation,
            outcome=outcome,
            operator_id=actor.operator_id,
            operator_email=actor.email,
            record_type=record_type,
            record_id=record_id,
            details_json=None if details is None else _REDACTOR.redact(details).value,
            source=actor.source,
            source_ip=actor.source_ip,
        )
    )


def record_refusal(
    services: Services,
    actor: Actor,
    operation: str,
    *,
    outcome: AuditOutcome = AuditOutcome.DENIED,
    record_type: str | None = None,
    record_id: str | None = None,
    details: dict[str, Json] | None = None,
) -> None:
    """A row in a transaction of its own: for what was refused, or failed and rolled back."""
    with services.store.writing() as session:
        record(
            session,
            actor,
            operation,
            services.now(),
            outcome=outcome,
            record_type=record_type,
            record_id=record_id,
            details=details,
        )
