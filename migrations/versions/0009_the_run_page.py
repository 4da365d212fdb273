"""What a run's page is read by: its open steps, and the family that its children belong to."""

from __future__ import annotations

import sqlalchemy as sa

from engine.store import columns as col
from engine.store import ddl
from engine.store.base import NAMING

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata = sa.MetaData(naming_convention=NAMING)
    for index in (_open_steps(metadata), _families(metadata)):
        ddl.create_index(index)


def downgrade() -> None:
    """Nothing: an older release does without, and is not hindered."""


def _open_steps(metadata: sa.MetaData) -> sa.Index:
    """However many steps a run has had, few are open: the live page asks for them at each poll."""
    steps = sa.Table("workflow_run_steps", metadata, col.uuid("run_id"))
    rule = sa.text("status IN ('STARTED', 'RETRY_SCHEDULED')")
    return sa.Index(
        "ix_workflow_run_steps_open", steps.c.run_id, sqlite_where=rule, postgresql_where=rule
    )


def _families(metadata: sa.MetaData) -> sa.Index:
    runs = sa.Table("workflow_runs", metadata, col.uuid("root_run_id"))
    rule = sa.text("root_run_id IS NOT NULL")
    return sa.Index(
        "ix_workflow_runs_family", runs.c.root_run_id, sqlite_where=rule, postgresql_where=rule
    )
