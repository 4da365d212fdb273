"""What operators choose, do to many runs at once, and save as views."""

from __future__ import annotations

import sqlalchemy as sa

from engine.store import columns as col
from engine.store import ddl
from engine.store.base import NAMING, UtcDateTime, Uuid

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata = sa.MetaData(naming_convention=NAMING)
    sa.Table("workflow_runs", metadata, sa.Column("run_id", Uuid, primary_key=True))
    sa.Table("operators", metadata, sa.Column("operator_id", Uuid, primary_key=True))
    for table in (_selections(metadata), *_bulk(metadata), _views(metadata)):
        ddl.create_table(table)


def downgrade() -> None:
    """Nothing: receipts are not dropped by going back a revision."""


def _of_operator(*, key: bool = False) -> sa.Column[str]:
    reference = sa.ForeignKey("operators.operator_id", ondelete="CASCADE")
    return sa.Column("operator_id", Uuid, reference, primary_key=key, nullable=False)


def _selections(metadata: sa.MetaData) -> sa.Table:
    run = sa.ForeignKey("workflow_runs.run_id", ondelete="CASCADE")
    return sa.Table(
        "run_selections",
        metadata,
        _of_operator(key=True),
        sa.Column("run_id", Uuid, run, primary_key=True),
        sa.Column("added_at", UtcDateTime, nullable=False),
        sa.Index(None, "run_id"),
    )


def _bulk(metadata: sa.MetaData) -> list[sa.Table]:
    operations = sa.Table(
        "bulk_operations",
        metadata,
        sa.Column("bulk_id", Uuid, primary_key=True),
        col.text("kind", null=False),
        col.text("status", null=False, default="DRAFT"),
        col.text("query"),
        col.flag("left_out"),
        col.text("reason"),
        col.uuid("operator_id"),
        col.text("operator_email"),
        col.text("source_ip"),
        col.text("held_because"),
        col.time("held_until"),
        col.text("lease_owner"),
        col.time("lease_expires_at"),
        sa.Column("created_at", UtcDateTime, nullable=False),
        col.time("started_at"),
        col.time("completed_at"),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.CheckConstraint("kind IN ('cancel', 'replay')", name="kind_known"),
        sa.CheckConstraint("status IN ('DRAFT', 'STARTED', 'DONE')", name="status_known"),
        sa.Index(None, "status", "updated_at"),
        sa.Index(None, "created_at"),
    )
    operation = sa.ForeignKey("bulk_operations.bulk_id", ondelete="CASCADE")
    items = sa.Table(
        "bulk_items",
        metadata,
        sa.Column("item_id", Uuid, primary_key=True),
        sa.Column("bulk_id", Uuid, operation, nullable=False),
        col.number("position", null=False),
        sa.Column("run_id", Uuid, nullable=False),
        col.text("state", null=False, default="PENDING"),
        col.text("code"),
        col.text("message"),
        col.uuid("new_run_id"),
        col.time("requested_at"),
        col.time("settled_at"),
        sa.CheckConstraint(
            "state IN ('PENDING', 'REQUESTED', 'DONE', 'SKIPPED', 'FAILED')", name="state_known"
        ),
        sa.UniqueConstraint("bulk_id", "run_id"),
        sa.Index(None, "bulk_id", "position"),
        sa.Index(None, "bulk_id", "state", "position"),
        sa.Index(None, "run_id"),
    )
    return [operations, items]


def _views(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "saved_views",
        metadata,
        sa.Column("view_id", Uuid, primary_key=True),
        _of_operator(),
        col.text("name", null=False),
        col.text("query", null=False),
        col.flag("is_default"),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("operator_id", "name"),
    )
