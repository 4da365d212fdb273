"""Events that came in, and which runs each is for (original 1.9; docs/rules.md 7)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Json, UtcDateTime, Uuid, one_of


class DeliveryStatus(StrEnum):
    PENDING = "PENDING"
    """To be signaled: Temporal has not taken it yet."""
    DELIVERED = "DELIVERED"
    """Temporal has it; the workflow decides what comes of it."""
    OBSERVED = "OBSERVED"
    """It ended a wait of the run: it serves no other wait of it."""
    MISSED = "MISSED"
    """Its wait ended without it: free for a later wait of the run."""


UNPROCESSED = "processed_at IS NULL AND sent_by IS NOT NULL"
"""Ours, and not seen to: events from before the cut-over were for another engine."""


class WorkflowRuntimeEvent(Base):
    __tablename__ = "workflow_runtime_events"

    event_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    """The sender's id where it is a UUID, else made of it: the same event is stored once."""
    tenant: Mapped[str | None] = mapped_column(Uuid)
    event_name: Mapped[str]
    correlation_key: Mapped[str | None]
    payload: Mapped[Any | None] = mapped_column(Json)
    """Unredacted: it leaves the process only through engine.runs.redaction."""
    payload_schema_ref: Mapped[str | None]
    schema_ref_conflict: Mapped[Any | None] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When it was accepted; a wait looks back to the start of its run."""
    processed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When every run that it starts was started and every wait it was for was told."""
    matched_run_id: Mapped[str | None] = mapped_column(Uuid)
    """The first of its targets; all are in `workflow_event_deliveries`."""
    matched_wait_id: Mapped[str | None] = mapped_column(Uuid)
    matched_step_path: Mapped[str | None]
    error_message: Mapped[str | None]

    # Since the cut-over.
    source_id: Mapped[str | None]
    """The sender's id as it was given."""
    sent_by: Mapped[str | None]

    __table_args__ = (
        Index(None, "event_name", "correlation_key"),
        Index(None, "event_name", "created_at"),
        Index(None, "created_at"),
        Index(None, "matched_run_id"),
        Index(
            "ix_workflow_runtime_events_unprocessed",
            "created_at",
            sqlite_where=text(UNPROCESSED),
            postgresql_where=text(UNPROCESSED),
        ),
    )


class WorkflowEventDelivery(Base):
    """One target of an event. An event serves one wait of a run, and every run (authoring.md)."""

    __tablename__ = "workflow_event_deliveries"

    event_id: Mapped[str] = mapped_column(
        Uuid,
        ForeignKey("workflow_runtime_events.event_id", ondelete="CASCADE"),
        primary_key=True,
    )
    run_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("workflow_runs.run_id", ondelete="CASCADE"), primary_key=True
    )
    wait_id: Mapped[str] = mapped_column(Uuid)
    status: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        one_of("status", DeliveryStatus),
        Index(None, "status", "updated_at"),
        Index(None, "wait_id"),
        Index(None, "run_id"),
    )
