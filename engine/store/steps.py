"""The timeline: one row an occurrence and attempt (docs/rules.md 4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.runs.status import StepStatus
from engine.store.base import Base, Json, UtcDateTime, Uuid, one_of


class WorkflowRunStep(Base):
    __tablename__ = "workflow_run_steps"

    step_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    """uuid5 of (run, occurrence, attempt): the same step always has the same row."""
    run_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("workflow_runs.run_id", ondelete="CASCADE")
    )
    tenant: Mapped[str | None] = mapped_column(Uuid)
    step_path: Mapped[str]
    definition_step_id: Mapped[str | None]
    status: Mapped[str]
    attempt: Mapped[int] = mapped_column(default=1, server_default="1")
    """Counts the author's retries; loop iterations are told apart by `iter`."""
    duration_ms: Mapped[int | None]
    error_json: Mapped[Any | None] = mapped_column(Json)
    snapshot_id: Mapped[str | None] = mapped_column(Uuid)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    # Since the cut-over.
    epoch: Mapped[int] = mapped_column(default=1, server_default="0")
    occurrence: Mapped[str | None]
    """step_path with its loop indexes, `engine.contract.occurrence`; NULL in older rows."""
    iter: Mapped[Any | None] = mapped_column(Json)
    kind: Mapped[str | None]
    name: Mapped[str | None]
    position: Mapped[int | None]
    """Order in which occurrences and attempts began, from 1."""
    input_json: Mapped[Any | None] = mapped_column(Json)
    output_json: Mapped[Any | None] = mapped_column(Json)
    handled: Mapped[bool] = mapped_column(default=False, server_default=false())
    next_retry_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rank: Mapped[int] = mapped_column(default=0, server_default="0")
    """STEP_RANK of the status: a row only moves to a higher one."""
    written_ordinal: Mapped[int] = mapped_column(default=0, server_default="0")
    written_history: Mapped[int] = mapped_column(default=0, server_default="0")
    written_task: Mapped[int | None] = mapped_column(BigInteger)
    """Of which workflow task: `engine.contract.Guard`. NULL: of a release that did not know."""
    superseded: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Written by a workflow task that was lost: shown, not counted."""
    updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        one_of("status", StepStatus),
        Index("uq_workflow_run_steps_occurrence", "run_id", "occurrence", "attempt", unique=True),
        Index(None, "run_id", "position"),
        Index(None, "run_id", "updated_at"),
        Index(None, "run_id", "step_path"),
        Index(
            "ix_workflow_run_steps_open",
            "run_id",
            sqlite_where=text("status IN ('STARTED', 'RETRY_SCHEDULED')"),
            postgresql_where=text("status IN ('STARTED', 'RETRY_SCHEDULED')"),
        ),
    )


class WorkflowRunSnapshot(Base):
    """Historical: nothing writes it since the cut-over (PRD, Non-goals)."""

    __tablename__ = "workflow_run_snapshots"

    snapshot_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    run_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("workflow_runs.run_id", ondelete="CASCADE"), index=True
    )
    tenant: Mapped[str | None] = mapped_column(Uuid)
    step_path: Mapped[str]
    envelope_json: Mapped[Any] = mapped_column(Json)
    size_bytes: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
