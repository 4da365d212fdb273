"""What the list of runs is read by: counts that triggers keep, and an index for every filter."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store import columns as col
from engine.store import ddl
from engine.store.base import NAMING, Uuid

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_RELATIVES = ("replay_of_run_id", "parent_run_id")

_PARTIAL = {
    "replays": "replay_of_run_id IS NOT NULL",
    "children": "parent_run_id IS NOT NULL",
    "manual": "trigger_type IS NULL AND replay_of_run_id IS NULL AND parent_run_id IS NULL",
}

_COUNT = "INSERT INTO workflow_run_counts (status, runs, changes)"

_FUNCTION = f"""
CREATE OR REPLACE FUNCTION workflow_runs_are_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    {_COUNT} SELECT status, count(*), 1 FROM written GROUP BY status;
  ELSIF TG_OP = 'UPDATE' THEN
    {_COUNT} VALUES (OLD.status, -1, 0), (NEW.status, 1, 1);
  ELSIF TG_OP = 'DELETE' THEN
    {_COUNT} SELECT status, -count(*), 1 FROM gone GROUP BY status;
  ELSE
    {_COUNT} SELECT status, -sum(runs), 1 FROM workflow_run_counts GROUP BY status;
  END IF;
  RETURN NULL;
END
$$
"""
"""An UPDATE is counted row by row: transition tables would be made for every UPDATE of a run."""


def _more(status: str, runs: int) -> str:
    """SQLite: in the one row of the status, which is made where it is not there."""
    return (
        f"{_COUNT} SELECT {status}, 0, 0 WHERE {status} NOT IN"
        " (SELECT status FROM workflow_run_counts);"
        f" UPDATE workflow_run_counts SET runs = runs + {runs}, changes = changes + 1"
        f" WHERE status = {status};"
    )


_TRIGGERS = {
    "postgresql": {
        "inserted": "AFTER INSERT ON workflow_runs"
        " REFERENCING NEW TABLE AS written FOR EACH STATEMENT",
        "deleted": "AFTER DELETE ON workflow_runs"
        " REFERENCING OLD TABLE AS gone FOR EACH STATEMENT",
        "updated": "AFTER UPDATE OF status ON workflow_runs FOR EACH ROW"
        " WHEN (OLD.status IS DISTINCT FROM NEW.status)",
        "truncated": "AFTER TRUNCATE ON workflow_runs FOR EACH STATEMENT",
    },
    "sqlite": {
        "inserted": f"AFTER INSERT ON workflow_runs BEGIN {_more('NEW.status', 1)} END",
        "deleted": f"AFTER DELETE ON workflow_runs BEGIN {_more('OLD.status', -1)} END",
        "updated": "AFTER UPDATE OF status ON workflow_runs WHEN OLD.status IS NOT NEW.status"
        f" BEGIN {_more('OLD.status', -1)} {_more('NEW.status', 1)} END",
    },
}


def upgrade() -> None:
    metadata = sa.MetaData(naming_convention=NAMING)
    ddl.add_columns("workflow_runs", col.text("correlation_key"))
    ddl.create_table(_counts(metadata))
    ddl.exclusively(_count_from_now_on)
    for index in _of_relatives():
        ddl.narrow_index(index)
    for index in (*_of_runs(metadata), _of_waits(metadata)):
        ddl.create_index(index)


def downgrade() -> None:
    """Nothing: an older release reads none of it, and its writes are counted all the same."""


def _count_from_now_on() -> None:
    """All in one transaction, beside no writer: no run is counted twice, or by nobody."""
    if _are_counted():
        return
    postgresql = ddl.on_postgresql()
    if postgresql:
        op.execute("LOCK TABLE workflow_runs IN SHARE ROW EXCLUSIVE MODE")
        op.execute(_FUNCTION)
    calls = " EXECUTE FUNCTION workflow_runs_are_counted()" if postgresql else ""
    for when, definition in _TRIGGERS[op.get_bind().dialect.name].items():
        op.execute(f"CREATE TRIGGER workflow_runs_{when} {definition}{calls}")
    op.execute("DELETE FROM workflow_run_counts")
    op.execute(f"{_COUNT} SELECT status, count(*), 1 FROM workflow_runs GROUP BY status")


def _are_counted() -> bool:
    if ddl.on_postgresql():
        triggers = "pg_trigger WHERE tgrelid = 'workflow_runs'::regclass AND tgname"
    else:
        triggers = "sqlite_master WHERE type = 'trigger' AND name"
    found = op.get_bind().scalar(
        sa.text(f"SELECT count(*) FROM {triggers} = 'workflow_runs_inserted'")
    )
    return bool(found)


def _counts(metadata: sa.MetaData) -> sa.Table:
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Table(
        "workflow_run_counts",
        metadata,
        sa.Column("count_id", number, primary_key=True, autoincrement=True),
        col.text("status", null=False),
        sa.Column("runs", number, nullable=False),
        sa.Column("changes", number, nullable=False),
    )


def _of_runs(metadata: sa.MetaData) -> list[sa.Index]:
    """In the order of the list, for what is common and for what is rare; and counted by status."""
    runs = sa.Table(
        "workflow_runs",
        metadata,
        sa.Column("run_id", Uuid, primary_key=True),
        sa.Column("workflow_id", Uuid),
        col.number("workflow_version"),
        col.text("status"),
        col.text("trigger_type"),
        col.text("correlation_key"),
        col.time("started_at"),
    ).c
    place = (runs.started_at, runs.run_id)
    found = [
        sa.Index(None, runs.workflow_version, *place),
        sa.Index(None, runs.workflow_id, runs.workflow_version, *place),
    ]
    for name, where in _PARTIAL.items():
        found.append(_partial(f"ix_workflow_runs_{name}", where, *place))
        found.append(_partial(f"ix_workflow_runs_{name}_status", where, runs.status, *place))
    triggered = "trigger_type IS NOT NULL"
    found.append(_partial("ix_workflow_runs_triggered", triggered, runs.trigger_type, *place))
    found.append(
        _partial(
            "ix_workflow_runs_triggered_status", triggered, runs.trigger_type, runs.status, *place
        )
    )
    found.append(
        _partial(
            "ix_workflow_runs_correlation_key",
            "correlation_key IS NOT NULL",
            runs.correlation_key,
            postgresql_ops={"correlation_key": "text_pattern_ops"},
        )
    )
    return found


def _of_relatives() -> list[sa.Index]:
    """Of those that have one: SQLite looked for the many runs that have none by these."""
    runs = sa.Table("workflow_runs", sa.MetaData(), *map(sa.Column, _RELATIVES)).c
    return [
        _partial(f"ix_workflow_runs_{column.name}", f"{column.name} IS NOT NULL", column)
        for column in runs
    ]


def _of_waits(metadata: sa.MetaData) -> sa.Index:
    waits = sa.Table("workflow_run_waits", metadata, col.text("key")).c
    return _partial(
        "ix_workflow_run_waits_key",
        "key IS NOT NULL",
        waits.key,
        postgresql_ops={"key": "text_pattern_ops"},
    )


def _partial(name: str, where: str, *columns: sa.Column[object], **options: object) -> sa.Index:
    rule = sa.text(where)
    return sa.Index(name, *columns, sqlite_where=rule, postgresql_where=rule, **options)
