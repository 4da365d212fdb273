"""Which workflow task wrote a row: tasks that Temporal repeats without a word in the history."""

from __future__ import annotations

import sqlalchemy as sa

from engine.store import columns as col
from engine.store import ddl

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    ddl.add_columns(
        "workflow_runs",
        sa.Column("progress_task", sa.BigInteger, nullable=False, server_default="0"),
    )
    ddl.add_columns("workflow_run_steps", sa.Column("written_task", sa.BigInteger))
    ddl.add_columns(
        "workflow_run_waits",
        col.number("written_ordinal", null=False, default="0"),
        col.number("written_history", null=False, default="0"),
        sa.Column("written_task", sa.BigInteger),
    )


def downgrade() -> None:
    """Nothing: none of it is in the way of an older release."""
