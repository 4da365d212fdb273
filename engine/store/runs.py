"""Runs: the row that was accepted (docs/rules.md 2, 4 and 9)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.runs.status import RunStatus
from engine.store.base import Base, Json, UtcDateTime, Uuid, one_of

ENGINE_RULE = "coalesce(engine, '') = 'temporal' OR status IN ('SUCCEEDED', 'FAILED', 'CANCELED')"
"""No live run has another engine; without the coalesce NULL would pass (docs/rules.md 9)."""

COMPLETED_RULE = (
    "epoch = 0 OR status NOT IN ('SUCCEEDED', 'FAILED', 'CANCELED') OR completed_at IS NOT NULL"
)

UNCLAIMED = "epoch = 1 AND claimed_by IS NULL"
"""No workflow has begun to execute it, or ever did: a run passes through this index once."""

HISTORICAL = "epoch = 0"
"""From before the cut-over."""

REPLAYS = "replay_of_run_id IS NOT NULL"
CHILDREN = "parent_run_id IS NOT NULL"
TRIGGERED = "trigger_type IS NOT NULL"
MANUAL = "trigger_type IS NULL AND replay_of_run_id IS NULL AND parent_run_id IS NULL"
"""What a run was born of: each run is in one of these, and the list is filtered by them."""


def _partial(name: str, where: str, *columns: str, **options: Any) -> Index:
    rule = text(where)
    return Index(
        f"ix_workflow_runs_{name}", *columns, sqlite_where=rule, postgresql_where=rule, **options
    )


class WorkflowRun(Base):
    __tablename__ = "workflow_runs"

    run_id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    workflow_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("workflow_definitions.workflow_id", ondelete="CASCADE")
    )
    workflow_version: Mapped[int]
    tenant: Mapped[str | None] = mapped_column(Uuid)
    status: Mapped[str]
    node_path: Mapped[str | None]
    input_json: Mapped[Any | None] = mapped_column(Json)
    """The payload, unredacted: it leaves the process only through engine.runs.redaction."""
    trigger_type: Mapped[str | None]
    trigger_metadata_json: Mapped[Any | None] = mapped_column(Json)
    trigger_fire_key: Mapped[str | None]
    event_type: Mapped[str | None]
    source_payload_schema_ref: Mapped[str | None]
    trigger_mapping_applied: Mapped[bool] = mapped_column(default=False, server_default=false())
    engine: Mapped[str | None]
    """'temporal' in every row we write; 'db' and NULL are historical."""
    temporal_workflow_id: Mapped[str | None]
    temporal_run_id: Mapped[str | None]
    """For display: a run is addressed by workflow id alone (docs/rules.md 1)."""
    definition_hash: Mapped[str | None]
    runtime_semantics_version: Mapped[str | None]
    parent_run_id: Mapped[str | None] = mapped_column(Uuid)
    root_run_id: Mapped[str | None] = mapped_column(Uuid)
    error_json: Mapped[Any | None] = mapped_column(Json)
    resume_event_payload: Mapped[Any | None] = mapped_column(Json)
    resume_event_name: Mapped[str | None]
    resume_error: Mapped[Any | None] = mapped_column(Json)
    lease_owner: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the run was accepted; how long it was queued ends with `claimed_at`."""
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    # Since the cut-over.
    correlation_key: Mapped[str | None]
    """Of the event that started it: what an operator may search for."""
    epoch: Mapped[int] = mapped_column(default=1, server_default="0")
    """0: written before the cut-over; 1: since."""
    launch_token: Mapped[str | None]
    claimed_by: Mapped[str | None]
    """First execution run id of the claiming workflow: alone decides "never started"."""
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_by: Mapped[str | None] = mapped_column(Uuid)
    """The operator, where one started it."""
    replay_of_run_id: Mapped[str | None] = mapped_column(Uuid)
    reason: Mapped[str | None]
    """Why it was replayed."""
    cancel_requested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_requested_by: Mapped[str | None] = mapped_column(Uuid)
    cancel_reason: Mapped[str | None]
    cancel_delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When Temporal took the cancel request."""
    state_label: Mapped[str | None]
    """meta.state, the author's progress label."""
    progress_ordinal: Mapped[int] = mapped_column(default=0, server_default="0")
    progress_history: Mapped[int] = mapped_column(default=0, server_default="0")
    progress_task: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    progress_counter: Mapped[int] = mapped_column(default=0, server_default="0")

    __table_args__ = (
        one_of("status", RunStatus),
        CheckConstraint(ENGINE_RULE, name="live_engine"),
        CheckConstraint(COMPLETED_RULE, name="terminal_completed"),
        Index(
            "workflow_runs_trigger_fire_key_unique",
            "trigger_fire_key",
            unique=True,
            sqlite_where=text("trigger_fire_key IS NOT NULL"),
            postgresql_where=text("trigger_fire_key IS NOT NULL"),
        ),
        Index("uq_workflow_runs_launch_token", "launch_token", unique=True),
        Index(None, "started_at", "run_id"),
        Index(None, "status", "started_at", "run_id"),
        Index(None, "workflow_id", "started_at", "run_id"),
        Index(None, "workflow_id", "status", "started_at", "run_id"),
        Index(None, "temporal_workflow_id"),
        _partial("replay_of_run_id", REPLAYS, "replay_of_run_id"),
        _partial("parent_run_id", CHILDREN, "parent_run_id"),
        Index(
            "ix_workflow_runs_family",
            "root_run_id",
            sqlite_where=text("root_run_id IS NOT NULL"),
            postgresql_where=text("root_run_id IS NOT NULL"),
        ),
        Index(None, "workflow_version", "started_at", "run_id"),
        Index(None, "workflow_id", "workflow_version", "started_at", "run_id"),
        _partial("open", "status IN ('RUNNING', 'WAITING')", "started_at"),
        _partial("unclaimed", UNCLAIMED, "status"),
        _partial("historical", HISTORICAL, "status"),
        _partial("replays", REPLAYS, "started_at", "run_id"),
        _partial("replays_status", REPLAYS, "status", "started_at", "run_id"),
        _partial("children", CHILDREN, "started_at", "run_id"),
        _partial("children_status", CHILDREN, "status", "started_at", "run_id"),
        _partial("manual", MANUAL, "started_at", "run_id"),
        _partial("manual_status", MANUAL, "status", "started_at", "run_id"),
        _partial("triggered", TRIGGERED, "trigger_type", "started_at", "run_id"),
        _partial("triggered_status", TRIGGERED, "trigger_type", "status", "started_at", "run_id"),
        _partial(
            "correlation_key",
            "correlation_key IS NOT NULL",
            "correlation_key",
            postgresql_ops={"correlation_key": "text_pattern_ops"},
        ),
    )


class LaunchToken(Base):
    """A form's one-time token that has been used, and the run it gave (docs/rules.md 2)."""

    __tablename__ = "launch_tokens"

    token: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(Uuid)
    operator_id: Mapped[str | None] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StoredValue(Base):
    """A value over 64 KiB, stored once and passed by reference (docs/rules.md 4)."""

    __tablename__ = "workflow_values"

    value_id: Mapped[str] = mapped_column(primary_key=True)
    """`<run_id>:<sha256 of the canonical JSON>`: the same value of one run is one row."""
    run_id: Mapped[str] = mapped_column(
        Uuid, ForeignKey("workflow_runs.run_id", ondelete="CASCADE"), index=True
    )
    size_bytes: Mapped[int]
    value_json: Mapped[Any] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
