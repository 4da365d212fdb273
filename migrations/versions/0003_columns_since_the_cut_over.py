"""What the old tables have gained since the cut-over: columns and indexes.

Each is added only where it is absent; a column that is there is named for an index. On PostgreSQL
the indexes are built CONCURRENTLY, since these tables may be large.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

from engine.store import columns as col
from engine.store import ddl
from engine.store.base import NAMING, Uuid

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _refuse_ambiguous_keys()
    old = sa.MetaData(naming_convention=NAMING)
    _definitions(old)
    _versions(old)
    _runs(old)
    _steps(old)
    _waits(old)
    _invocations(old)
    _logs(old)
    _snapshots(old)
    for table in old.tables.values():
        ddl.add_columns(table.name, *table.columns)
    for table in old.tables.values():
        _allow_no_tenant(table.name)
        for index in table.indexes:
            ddl.create_index(index)


def downgrade() -> None:
    """Nothing: what was added is in nobody's way."""


def _refuse_ambiguous_keys() -> None:
    """A workflow is addressed by its key; one installation is one tenant (docs/rules.md 1)."""
    keys = op.get_bind().scalars(
        sa.text(
            "SELECT key FROM workflow_definitions WHERE key IS NOT NULL "
            "GROUP BY key HAVING count(*) > 1 LIMIT 20"
        )
    )
    found = list(keys)
    if found:
        raise CommandError(
            "these keys belong to more than one row of workflow_definitions; give all but one of "
            f"each another key, then start the upgrade again: {', '.join(found)}"
        )


def _allow_no_tenant(table: str) -> None:
    """Some installations of the original required a tenant; ours write none."""
    if not ddl.on_postgresql():
        return
    inspector = sa.inspect(op.get_bind())
    required = any(
        column["name"] == "tenant" and not column["nullable"]
        for column in inspector.get_columns(table)
    )
    if required and "tenant" not in inspector.get_pk_constraint(table)["constrained_columns"]:
        ddl.exclusively(lambda: op.alter_column(table, "tenant", nullable=True))


def _definitions(metadata: sa.MetaData) -> None:
    key, name, updated_at = sa.Column("key", sa.String), col.text("name"), col.time("updated_at")
    sa.Table(
        "workflow_definitions",
        metadata,
        key,
        name,
        updated_at,
        sa.Index("uq_workflow_definitions_key", "key", unique=True),
        sa.Index(None, "name"),
        sa.Index(None, "updated_at"),
    )


def _versions(metadata: sa.MetaData) -> None:
    sa.Table(
        "workflow_definition_versions",
        metadata,
        col.text("definition_hash"),
        col.json("plan_json"),
    )


def _runs(metadata: sa.MetaData) -> None:
    live = sa.text("status IN ('RUNNING', 'WAITING')")
    fired = sa.text("trigger_fire_key IS NOT NULL")
    table = sa.Table(
        "workflow_runs",
        metadata,
        col.uuid("workflow_id"),
        col.text("status"),
        col.text("trigger_fire_key"),
        col.text("temporal_workflow_id"),
        col.uuid("parent_run_id"),
        col.time("started_at"),
        col.text("launch_token"),
        col.text("claimed_by"),
        col.time("claimed_at"),
        col.uuid("started_by"),
        col.uuid("replay_of_run_id"),
        col.text("reason"),
        col.time("cancel_requested_at"),
        col.uuid("cancel_requested_by"),
        col.text("cancel_reason"),
        col.time("cancel_delivered_at"),
        col.text("state_label"),
        col.number("progress_ordinal", null=False, default="0"),
        col.number("progress_history", null=False, default="0"),
        col.number("progress_counter", null=False, default="0"),
        # The id is only named for the indexes: it is there.
        sa.Column("run_id", Uuid),
    )
    sa.Index(None, table.c.started_at, table.c.run_id)
    sa.Index(None, table.c.status, table.c.started_at, table.c.run_id)
    sa.Index(None, table.c.workflow_id, table.c.started_at, table.c.run_id)
    sa.Index(None, table.c.workflow_id, table.c.status, table.c.started_at, table.c.run_id)
    sa.Index(None, table.c.temporal_workflow_id)
    sa.Index(None, table.c.replay_of_run_id)
    sa.Index(None, table.c.parent_run_id)
    sa.Index("uq_workflow_runs_launch_token", table.c.launch_token, unique=True)
    sa.Index(
        "ix_workflow_runs_open",
        table.c.started_at,
        sqlite_where=live,
        postgresql_where=live,
    )
    sa.Index(
        "workflow_runs_trigger_fire_key_unique",
        table.c.trigger_fire_key,
        unique=True,
        sqlite_where=fired,
        postgresql_where=fired,
    )


def _steps(metadata: sa.MetaData) -> None:
    sa.Table(
        "workflow_run_steps",
        metadata,
        sa.Column("run_id", Uuid),
        col.text("step_path"),
        sa.Column("attempt", sa.Integer),
        col.text("occurrence"),
        col.json("iter"),
        col.text("kind"),
        col.text("name"),
        col.number("position"),
        col.json("input_json"),
        col.json("output_json"),
        col.flag("handled"),
        col.time("next_retry_at"),
        col.number("rank", null=False, default="0"),
        col.number("written_ordinal", null=False, default="0"),
        col.number("written_history", null=False, default="0"),
        col.flag("superseded"),
        col.time("updated_at"),
        sa.Index(
            "uq_workflow_run_steps_occurrence", "run_id", "occurrence", "attempt", unique=True
        ),
        sa.Index(None, "run_id", "position"),
        sa.Index(None, "run_id", "updated_at"),
        sa.Index(None, "run_id", "step_path"),
    )


def _waits(metadata: sa.MetaData) -> None:
    sa.Table(
        "workflow_run_waits",
        metadata,
        sa.Column("run_id", Uuid),
        col.text("status"),
        col.text("wait_type"),
        col.text("event_name"),
        col.text("key"),
        col.text("occurrence"),
        col.time("updated_at"),
        sa.Index(None, "run_id", "status"),
        sa.Index(None, "run_id", "updated_at"),
        sa.Index(None, "wait_type", "status"),
        sa.Index(None, "event_name", "key", "status"),
    )


def _invocations(metadata: sa.MetaData) -> None:
    sa.Table(
        "workflow_action_invocations",
        metadata,
        sa.Column("run_id", Uuid),
        col.text("step_path"),
        col.text("action_id"),
        sa.Column("action_version", sa.Integer),
        col.text("idempotency_key"),
        col.json("error_json"),
        col.text("occurrence"),
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
        sa.Column("log_id", Uuid),
        sa.Column("run_id", Uuid),
        col.text("level"),
        col.time("created_at"),
        sa.Index(None, "run_id", "created_at", "log_id"),
        sa.Index(None, "run_id", "level"),
    )


def _snapshots(metadata: sa.MetaData) -> None:
    sa.Table(
        "workflow_run_snapshots",
        metadata,
        sa.Column("run_id", Uuid),
        sa.Index(None, "run_id"),
    )
