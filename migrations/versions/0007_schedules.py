"""When workflows start by themselves. The original's `tenant_workflow_schedule` is left alone."""

from __future__ import annotations

import sqlalchemy as sa

from engine.store import columns as col
from engine.store import ddl
from engine.store.base import NAMING, UtcDateTime, Uuid

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata = sa.MetaData(naming_convention=NAMING)
    sa.Table("workflow_definitions", metadata, sa.Column("workflow_id", Uuid, primary_key=True))
    ddl.create_table(_schedules(metadata))


def downgrade() -> None:
    """Nothing: schedules are not dropped by going back a revision."""


def _schedules(metadata: sa.MetaData) -> sa.Table:
    workflow = sa.ForeignKey("workflow_definitions.workflow_id", ondelete="CASCADE")
    return sa.Table(
        "workflow_schedules",
        metadata,
        sa.Column("schedule_id", Uuid, primary_key=True),
        sa.Column("workflow_id", Uuid, workflow, nullable=False),
        col.text("trigger_type", null=False),
        col.time("run_at"),
        col.text("cron"),
        col.text("timezone"),
        col.json("payload_json", null=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        col.text("status", null=False),
        col.time("next_fire_at"),
        col.time("last_fire_at"),
        col.text("last_fire_key"),
        col.uuid("last_run_id"),
        col.text("last_error"),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.CheckConstraint(
            "status IN ('scheduled', 'completed', 'disabled', 'failed')", name="status_known"
        ),
        sa.CheckConstraint("trigger_type IN ('schedule', 'recurring')", name="trigger_type_known"),
        sa.UniqueConstraint("workflow_id"),
        sa.Index(None, "next_fire_at"),
    )
