"""The cut-over: no live run is left to an engine that is gone, and none can be made again.

1. A live run on an engine that nobody knows, or an unknown status, stops the upgrade; nothing is
   changed (engine.store.cut_over_rules).
2. What is stranded is finalized in batches, found by a partial index (engine.store.cut_over).
3. CHECK constraints. On PostgreSQL they refuse new rows first; what came meanwhile is finalized,
   and then the old rows are validated.

Interrupted, it goes on where it stopped: each part looks whether it is done.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from alembic.util import CommandError

from engine.store import cut_over, cut_over_rules, ddl

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _refuse_what_is_unknown()
    # What an adopted database lacks of the first revision is made: the invocations' error_json
    # came late, and some installations never had all tables.
    context.script.get_revision("0001").module.upgrade()
    _build_the_indexes()
    _finalize()
    for table in cut_over_rules.KNOWN:
        _add_rules(table)
    if ddl.on_postgresql():
        _finalize()
        for table in cut_over_rules.KNOWN:
            ddl.validate_checks(table, list(cut_over_rules.checks(table)))


def downgrade() -> None:
    """Nothing: the previous statuses are not kept, and the engine that had them is gone (PRD)."""


def _refuse_what_is_unknown() -> None:
    refusals = cut_over_rules.refusals(op.get_bind())
    if refusals:
        listed = "\n  ".join(refusals)
        raise CommandError(
            "the cut-over to Temporal has not begun and nothing was changed. These rows must be "
            f"mended or finalized by hand first; then start the upgrade again:\n  {listed}"
        )


def _build_the_indexes() -> None:
    metadata = sa.MetaData()
    live = sa.text("status IN ('RUNNING', 'WAITING')")
    runs = sa.Table("workflow_runs", metadata, sa.Column("started_at"))
    waits = sa.Table("workflow_run_waits", metadata, sa.Column("run_id"), sa.Column("status"))
    ddl.create_index(
        sa.Index(
            "ix_workflow_runs_open",
            runs.c.started_at,
            sqlite_where=live,
            postgresql_where=live,
        )
    )
    ddl.create_index(
        sa.Index("ix_workflow_run_waits_run_id_status", waits.c.run_id, waits.c.status)
    )


def _finalize() -> None:
    """PostgreSQL: a transaction a batch. SQLite: all in the upgrade's one transaction."""
    connection = op.get_bind()
    columns = cut_over.columns_there(connection)
    with ddl.outside_transaction():
        cut_over.prepare(connection)
        found = cut_over.BATCH
        while found == cut_over.BATCH:
            with ddl.transaction_of_its_own():
                if ddl.on_postgresql():
                    # A batch need not be on the disk before the next: what a crash takes back is
                    # stranded again, and the constraints, which are waited for, come after it.
                    op.execute("SET LOCAL synchronous_commit = off")
                found = cut_over.finalize_batch(connection, columns)


def _add_rules(table: str) -> None:
    """`epoch` is 0 in the rows that are there, and 1 in every row inserted from now on."""
    epoch = sa.Column("epoch", sa.Integer, nullable=False, server_default="0")
    rules = cut_over_rules.checks(table)
    if ddl.on_postgresql():

        def change() -> None:
            ddl.add_checked_column(table, epoch, rules)
            op.execute(f"ALTER TABLE {table} ALTER COLUMN epoch SET DEFAULT 1")

        ddl.exclusively(change)
        return
    ddl.add_checked_column(table, epoch, rules)
    op.execute(  # SQLite cannot change a default.
        f"CREATE TRIGGER IF NOT EXISTS {table}_epoch AFTER INSERT ON {table} WHEN new.epoch = 0 "
        f"BEGIN UPDATE {table} SET epoch = 1 WHERE rowid = new.rowid; END"
    )
