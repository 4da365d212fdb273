"""Who did what, and who was refused. Rows are only ever added."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Json, UtcDateTime, Uuid, one_of


class AuditOutcome(StrEnum):
    DONE = "done"
    DENIED = "denied"
    FAILED = "failed"


class AuditLog(Base):
    __tablename__ = "audit_logs"

    audit_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    operation: Mapped[str]
    """workflow_run_start, workflow_run_cancel, workflow_run_replay, sign_in, …"""
    outcome: Mapped[str]
    operator_id: Mapped[str | None] = mapped_column(Uuid)
    operator_email: Mapped[str | None]
    """As it was then: it outlives the operator."""
    record_type: Mapped[str | None]
    record_id: Mapped[str | None]
    details_json: Mapped[Any | None] = mapped_column(Json)
    source: Mapped[str]
    """ui, command, worker."""
    source_ip: Mapped[str | None]

    __table_args__ = (
        one_of("outcome", AuditOutcome),
        Index(None, "at", "audit_id"),
        Index(None, "record_type", "record_id", "at"),
    )
