"""Events, who they are for, and the task inbox.

The original had `workflow_runtime_events`: one that is there gains the columns it lacks.
"""

from __future__ import annotations

import sqlalchemy as sa

from engine.store import columns as col
from engine.store import ddl
from engine.store.base import NAMING, UtcDateTime, Uuid

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata = sa.MetaData(naming_convention=NAMING)
    sa.Table("workflow_runs", metadata, sa.Column("run_id", Uuid, primary_key=True))
    made = [*_events(metadata), *_tasks(metadata)]
    for table in made:
        ddl.create_table(table)


def downgrade() -> None:
    """Nothing: events and answers are not dropped by going back a revision."""


def _of_run(*, key: bool = False) -> sa.Column[str]:
    reference = sa.ForeignKey("workflow_runs.run_id", ondelete="CASCADE")
    return sa.Column("run_id", Uuid, reference, primary_key=key, nullable=False)


def _events(metadata: sa.MetaData) -> list[sa.Table]:
    events = sa.Table(
        "workflow_runtime_events",
        metadata,
        sa.Column("event_id", Uuid, primary_key=True),
        col.uuid("tenant"),
        col.text("event_name", null=False),
        col.text("correlation_key"),
        col.json("payload"),
        col.text("payload_schema_ref"),
        col.json("schema_ref_conflict"),
        sa.Column("created_at", UtcDateTime, nullable=False),
        col.time("processed_at"),
        col.uuid("matched_run_id"),
        col.uuid("matched_wait_id"),
        col.text("matched_step_path"),
        col.text("error_message"),
        col.text("source_id"),
        col.text("sent_by"),
        sa.Index(None, "event_name", "correlation_key"),
        sa.Index(None, "event_name", "created_at"),
        sa.Index(None, "created_at"),
        sa.Index(None, "matched_run_id"),
    )
    event = sa.ForeignKey("workflow_runtime_events.event_id", ondelete="CASCADE")
    deliveries = sa.Table(
        "workflow_event_deliveries",
        metadata,
        sa.Column("event_id", Uuid, event, primary_key=True),
        _of_run(key=True),
        sa.Column("wait_id", Uuid, nullable=False),
        col.text("status", null=False),
        col.number("attempts", null=False, default="0"),
        col.text("last_error"),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.CheckConstraint(
            "status IN ('PENDING', 'DELIVERED', 'OBSERVED', 'MISSED')", name="status_known"
        ),
        sa.Index(None, "status", "updated_at"),
        sa.Index(None, "wait_id"),
        sa.Index(None, "run_id"),
    )
    return [events, deliveries]


def _tasks(metadata: sa.MetaData) -> list[sa.Table]:
    tasks = sa.Table(
        "workflow_human_tasks",
        metadata,
        sa.Column("task_id", Uuid, primary_key=True),
        _of_run(),
        col.text("step_path", null=False),
        col.text("title", null=False),
        col.text("description"),
        col.text("task_type"),
        col.json("form_json"),
        col.json("context_json"),
        col.text("assignee"),
        col.time("due_at"),
        col.time("timeout_at"),
        col.text("status", null=False, default="OPEN"),
        col.json("answer_json"),
        col.text("answered_by"),
        col.uuid("answered_by_id"),
        col.time("answered_at"),
        col.text("answer_token"),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.CheckConstraint(
            "status IN ('OPEN', 'ANSWERED', 'CANCELED', 'EXPIRED')", name="status_known"
        ),
        sa.Index(None, "run_id"),
        sa.Index(None, "status", "created_at", "task_id"),
    )
    types = sa.Table(
        "workflow_task_types",
        metadata,
        sa.Column("task_type", sa.String, primary_key=True),
        col.json("form_json", null=False),
        col.uuid("created_by"),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )
    return [tasks, types]
