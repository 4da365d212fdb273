"""What shows whether all that was accepted is executed: counts, mendings, workers, handshakes."""

from __future__ import annotations

import sqlalchemy as sa

from engine.store import columns as col
from engine.store import ddl
from engine.store.base import NAMING, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata = sa.MetaData(naming_convention=NAMING)
    ddl.add_columns("worker_heartbeats", col.text("release"), col.text("unready_because"))
    ddl.add_columns(
        "workflow_run_waits",
        col.time("release_requested_at"),
        col.time("told_at"),
        col.number("tellings", null=False, default="0"),
    )
    ddl.create_table(_handshakes(metadata))
    for index in (*_of_runs(metadata), _of_logs(metadata), _of_events(metadata)):
        ddl.create_index(index)


def downgrade() -> None:
    """Nothing: none of it is in the way of an older release."""


def _handshakes(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "handshakes",
        metadata,
        sa.Column("registry_fingerprint", sa.String, primary_key=True),
        sa.Column("release", sa.String, primary_key=True),
        col.json("registry_json"),
        sa.Column("seen_at", UtcDateTime, nullable=False, index=True),
    )


def _of_runs(metadata: sa.MetaData) -> list[sa.Index]:
    runs = sa.Table("workflow_runs", metadata, col.text("status"))
    return [
        _partial("ix_workflow_runs_unclaimed", runs.c.status, "epoch = 1 AND claimed_by IS NULL"),
        _partial("ix_workflow_runs_historical", runs.c.status, "epoch = 0"),
    ]


def _of_logs(metadata: sa.MetaData) -> sa.Index:
    logs = sa.Table("workflow_run_logs", metadata, col.time("created_at"))
    return _partial("ix_workflow_run_logs_mended", logs.c.created_at, "source = 'reconciler'")


def _of_events(metadata: sa.MetaData) -> sa.Index:
    events = sa.Table("workflow_runtime_events", metadata, col.time("created_at"))
    return _partial(
        "ix_workflow_runtime_events_unprocessed",
        events.c.created_at,
        "processed_at IS NULL AND sent_by IS NOT NULL",
    )


def _partial(name: str, column: sa.Column[object], rule: str) -> sa.Index:
    return sa.Index(name, column, sqlite_where=sa.text(rule), postgresql_where=sa.text(rule))
