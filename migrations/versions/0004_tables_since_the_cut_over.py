"""Tables of our own, which the original did not have or had in another shape.

One that is there already (the original had a data store and usage periods) gains the columns it
lacks.
"""

from __future__ import annotations

import sqlalchemy as sa

from engine.store import columns as col
from engine.store import ddl
from engine.store.base import NAMING, Json, UtcDateTime, Uuid

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata = sa.MetaData(naming_convention=NAMING)
    _operators(metadata)
    _launching(metadata)
    _schemas(metadata)
    _values(metadata)
    _working(metadata)
    _usage(metadata)
    for table in metadata.sorted_tables:
        ddl.create_table(table)


def downgrade() -> None:
    """Nothing: operators and what they did are not dropped by going back a revision."""


def _operators(metadata: sa.MetaData) -> None:
    sa.Table(
        "operators",
        metadata,
        sa.Column("operator_id", Uuid, primary_key=True),
        sa.Column("email", sa.String, nullable=False, unique=True),
        col.text("password_hash"),
        col.text("role", null=False),
        col.flag("is_active", default=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'operator', 'admin')", name="role_known"),
    )
    sa.Table(
        "operator_sessions",
        metadata,
        sa.Column("token_hash", sa.String, primary_key=True),
        sa.Column(
            "operator_id",
            Uuid,
            sa.ForeignKey("operators.operator_id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
        col.text("source_ip"),
    )
    sa.Table(
        "audit_logs",
        metadata,
        sa.Column("audit_id", Uuid, primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
        col.text("operation", null=False),
        col.text("outcome", null=False),
        col.uuid("operator_id"),
        col.text("operator_email"),
        col.text("record_type"),
        col.text("record_id"),
        col.json("details_json"),
        col.text("source", null=False),
        col.text("source_ip"),
        sa.CheckConstraint("outcome IN ('done', 'denied', 'failed')", name="outcome_known"),
        sa.Index(None, "at", "audit_id"),
        sa.Index(None, "record_type", "record_id", "at"),
    )


def _launching(metadata: sa.MetaData) -> None:
    sa.Table(
        "launch_tokens",
        metadata,
        sa.Column("token", sa.String, primary_key=True),
        sa.Column("run_id", Uuid, nullable=False),
        col.uuid("operator_id"),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    sa.Table(
        "rate_limit_counters",
        metadata,
        sa.Column("bucket", sa.String, primary_key=True),
        sa.Column("window_start", UtcDateTime, primary_key=True),
        col.number("used", null=False, default="0"),
    )


def _schemas(metadata: sa.MetaData) -> None:
    sa.Table(
        "payload_schemas",
        metadata,
        sa.Column("ref", sa.String, primary_key=True),
        col.json("schema_json", null=False),
        col.uuid("created_by"),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )


def _values(metadata: sa.MetaData) -> None:
    sa.Table("workflow_runs", metadata, sa.Column("run_id", Uuid, primary_key=True))
    sa.Table(
        "workflow_values",
        metadata,
        sa.Column("value_id", sa.String, primary_key=True),
        sa.Column(
            "run_id",
            Uuid,
            sa.ForeignKey("workflow_runs.run_id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        col.number("size_bytes", null=False),
        col.json("value_json", null=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    sa.Table(
        "workflow_data_store",
        metadata,
        sa.Column("store_id", Uuid, primary_key=True),
        col.uuid("tenant"),
        col.text("namespace", null=False),
        col.text("key", null=False),
        col.json("value", null=False),
        col.text("value_type", null=False, default="json"),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("expires_at", UtcDateTime, index=True),
        col.uuid("created_by_run_id"),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("namespace", "key"),
    )


def _working(metadata: sa.MetaData) -> None:
    sa.Table(
        "worker_heartbeats",
        metadata,
        sa.Column("identity", sa.String, primary_key=True),
        col.text("state", null=False),
        col.text("task_queue", null=False),
        col.text("namespace", null=False),
        col.text("registry_fingerprint", null=False),
        col.json("registry_json"),
        col.number("slots", null=False),
        col.number("slots_used", null=False, default="0"),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False, index=True),
        sa.CheckConstraint("state IN ('running', 'stopping', 'stopped')", name="state_known"),
    )
    sa.Table(
        "leases",
        metadata,
        sa.Column("name", sa.String, primary_key=True),
        col.text("owner"),
        col.time("expires_at"),
        col.time("last_pass_at"),
        col.json("last_pass_json"),
    )


def _usage(metadata: sa.MetaData) -> None:
    sa.Table(
        "workflow_step_usage_periods",
        metadata,
        sa.Column("period_start", UtcDateTime, primary_key=True),
        sa.Column("period_end", UtcDateTime, primary_key=True),
        col.uuid("tenant"),
        col.text("period_source", null=False, default="fallback_calendar"),
        col.number("effective_limit"),
        col.number("used_count", null=False, default="0"),
        col.text("limit_source"),
        col.text("tier"),
        sa.Column("metadata_json", Json),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.CheckConstraint("period_start < period_end", name="period_order"),
        sa.CheckConstraint("used_count >= 0", name="used_not_negative"),
        sa.CheckConstraint(
            "effective_limit IS NULL OR effective_limit > 0", name="limit_positive"
        ),
    )
