"""The schema as it was before the cut-over: two engines, and no rule about any status.

An existing database is adopted with `flask db stamp 0001 && flask db upgrade` (rules.md 9). Columns
are those of the original system's tables; of its indexes only those are made here that carry a rule
or that are still used. A table that exists gains the columns it lacks.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from engine.store import columns as col
from engine.store import ddl
from engine.store.base import NAMING, Uuid

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata = sa.MetaData(naming_convention=NAMING)
    _definitions(metadata)
    _versions(metadata)
    _runs(metadata)
    _steps(metadata)
    _waits(metadata)
    _invocations(metadata)
    _logs(metadata)
    _snapshots(metadata)
    for table in metadata.sorted_tables:
        if ddl.column_types(table.name):
            ddl.add_columns(table.name, *(one for one in table.columns if not one.primary_key))
        else:
            table.create(op.get_bind())


def downgrade() -> None:
    """Nothing: the tables may be older than this revision, and what is in them is not ours to drop."""


def _validation() -> list[sa.Column[Any]]:
    return [
        col.text("validation_status"),
        col.json("validation_errors"),
        col.json("validation_warnings"),
        col.time("validated_at"),
        col.json("validation_context_json"),
        col.text("validation_payload_schema_hash"),
    ]


def _definitions(metadata: sa.MetaData) -> None:
    sa.Table(
        "workflow_definitions",
        metadata,
        col.key("workflow_id"),
        col.uuid("tenant"),
        col.text("key"),
        col.text("name", null=False),
        col.text("description"),
        col.text("payload_schema_ref", null=False),
        col.text("payload_schema_mode", null=False, default="pinned"),
        col.text("pinned_payload_schema_ref"),
        col.text("payload_schema_provenance"),
        col.json("trigger"),
        col.json("draft_definition", null=False),
        col.number("draft_version", null=False, default="1"),
        col.text("status", null=False, default="draft"),
        *_validation(),
        col.flag("is_system"),
        col.flag("is_visible", default=True),
        col.flag("is_paused"),
        col.number("concurrency_limit"),
        col.flag("auto_pause_on_failure"),
        sa.Column(
            "failure_rate_threshold", sa.Numeric(5, 2), nullable=False, server_default="0.5"
        ),
        col.number("failure_rate_min_runs", null=False, default="10"),
        col.json("retention_policy_override"),
        col.uuid("created_by"),
        col.uuid("updated_by"),
        col.now("created_at"),
        col.now("updated_at"),
        sa.Index(None, "name"),
    )


def _versions(metadata: sa.MetaData) -> None:
    sa.Table(
        "workflow_definition_versions",
        metadata,
        col.key("version_id"),
        sa.Column(
            "workflow_id",
            Uuid,
            sa.ForeignKey("workflow_definitions.workflow_id", ondelete="CASCADE"),
            nullable=False,
        ),
        col.uuid("tenant"),
        col.number("version", null=False),
        col.json("definition_json", null=False),
        col.json("payload_schema_json"),
        *_validation(),
        col.uuid("published_by"),
        col.time("published_at"),
        col.now("created_at"),
        col.now("updated_at"),
        sa.UniqueConstraint(
            "workflow_id", "version", name="workflow_definition_versions_workflow_version_unique"
        ),
    )


def _runs(metadata: sa.MetaData) -> None:
    fired = sa.text("trigger_fire_key IS NOT NULL")
    sa.Table(
        "workflow_runs",
        metadata,
        col.key("run_id"),
        sa.Column(
            "workflow_id",
            Uuid,
            sa.ForeignKey("workflow_definitions.workflow_id", ondelete="CASCADE"),
            nullable=False,
        ),
        col.number("workflow_version", null=False),
        col.uuid("tenant"),
        col.text("status", null=False),
        col.text("node_path"),
        col.json("input_json"),
        col.text("trigger_type"),
        col.json("trigger_metadata_json"),
        col.text("trigger_fire_key"),
        col.text("event_type"),
        col.text("source_payload_schema_ref"),
        col.flag("trigger_mapping_applied"),
        col.text("engine"),
        col.text("temporal_workflow_id"),
        col.text("temporal_run_id"),
        col.text("definition_hash"),
        col.text("runtime_semantics_version"),
        col.uuid("parent_run_id"),
        col.uuid("root_run_id"),
        col.json("error_json"),
        col.json("resume_event_payload"),
        col.text("resume_event_name"),
        col.json("resume_error"),
        col.text("lease_owner"),
        col.time("lease_expires_at"),
        col.now("started_at"),
        col.time("completed_at"),
        col.now("updated_at"),
        sa.Index(None, "temporal_workflow_id"),
        sa.Index(
            "workflow_runs_trigger_fire_key_unique",
            "trigger_fire_key",
            unique=True,
            sqlite_where=fired,
            postgresql_where=fired,
        ),
    )


def _steps(metadata: sa.MetaData) -> None:
    sa.Table(
        "workflow_run_steps",
        metadata,
        col.key("step_id"),
        col.run_id(),
        col.uuid("tenant"),
        col.text("step_path", null=False),
        col.text("definition_step_id"),
        col.text("status", null=False),
        col.number("attempt", null=False, default="1"),
        col.number("duration_ms"),
        col.json("error_json"),
        col.uuid("snapshot_id"),
        col.now("started_at"),
        col.time("completed_at"),
        sa.Index(None, "run_id", "step_path"),
    )


def _waits(metadata: sa.MetaData) -> None:
    sa.Table(
        "workflow_run_waits",
        metadata,
        col.key("wait_id"),
        col.run_id(),
        col.uuid("tenant"),
        col.text("step_path", null=False),
        col.text("wait_type", null=False),
        col.text("key"),
        col.text("event_name"),
        col.time("timeout_at"),
        col.text("status", null=False, default="WAITING"),
        col.json("payload"),
        col.now("created_at"),
        col.time("resolved_at"),
        sa.Index(None, "wait_type", "status"),
        sa.Index(None, "event_name", "key", "status"),
    )


def _invocations(metadata: sa.MetaData) -> None:
    sa.Table(
        "workflow_action_invocations",
        metadata,
        col.key("invocation_id"),
        col.run_id(),
        col.uuid("tenant"),
        col.text("step_path", null=False),
        col.text("action_id", null=False),
        col.number("action_version", null=False),
        col.text("idempotency_key", null=False),
        col.text("status", null=False),
        col.number("attempt", null=False, default="1"),
        col.text("lease_owner"),
        col.time("lease_expires_at"),
        col.json("input_json"),
        col.json("output_json"),
        col.text("error_message"),
        col.json("error_json"),
        col.now("created_at"),
        col.time("started_at"),
        col.time("completed_at"),
        sa.Index(
            "workflow_action_invocations_ledger_unique",
            "action_id",
            "action_version",
            "idempotency_key",
            unique=True,
        ),
        sa.Index(None, "run_id", "step_path"),
    )


def _logs(metadata: sa.MetaData) -> None:
    sa.Table(
        "workflow_run_logs",
        metadata,
        col.key("log_id"),
        col.run_id(),
        col.uuid("tenant"),
        col.uuid("step_id"),
        col.text("step_path"),
        col.text("level", null=False),
        col.text("message", null=False),
        col.json("context_json"),
        col.text("correlation_key"),
        col.text("event_name"),
        col.text("source"),
        col.now("created_at"),
        sa.Index(None, "run_id", "level"),
    )


def _snapshots(metadata: sa.MetaData) -> None:
    sa.Table(
        "workflow_run_snapshots",
        metadata,
        col.key("snapshot_id"),
        col.run_id(),
        col.uuid("tenant"),
        col.text("step_path", null=False),
        col.json("envelope_json", null=False),
        col.number("size_bytes"),
        col.now("created_at"),
    )
