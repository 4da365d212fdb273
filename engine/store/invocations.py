"""The ledger of action calls (docs/rules.md 3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from engine.runs.status import InvocationStatus
from engine.store.base import Base, Json, UtcDateTime, Uuid, one_of


class WorkflowActionInvocation(Base):
    __tablename__ = "workflow_action_invocations"

    invocation_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    run_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("workflow_runs.run_id", ondelete="CASCADE")
    )
    tenant: Mapped[str | None] = mapped_column(Uuid)
    step_path: Mapped[str]
    action_id: Mapped[str]
    action_version: Mapped[int]
    idempotency_key: Mapped[str]
    """SHA-256 of run, occurrence and action, or the author's key; the same for every attempt."""
    status: Mapped[str]
    attempt: Mapped[int] = mapped_column(default=1, server_default="1")
    lease_owner: Mapped[str | None]
    """Token of the attempt that holds the claim; only it may close the row."""
    lease_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    input_json: Mapped[Any | None] = mapped_column(Json)
    output_json: Mapped[Any | None] = mapped_column(Json)
    error_message: Mapped[str | None]
    error_json: Mapped[Any | None] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    # Since the cut-over.
    epoch: Mapped[int] = mapped_column(default=1, server_default="0")
    occurrence: Mapped[str | None]

    __table_args__ = (
        one_of("status", InvocationStatus),
        Index(
            "workflow_action_invocations_ledger_unique",
            "action_id",
            "action_version",
            "idempotency_key",
            unique=True,
        ),
        Index(None, "run_id", "step_path"),
    )
