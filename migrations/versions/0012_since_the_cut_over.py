"""Which rows are from before the cut-over, the database knows by itself: nobody tells it.

`epoch` is 0 in the runs that were there, of which some ended without saying when. A statement that
writes 0 would take its run out of the rule that revision 0002 made for all since (docs/rules.md 9).
"""

from __future__ import annotations

from alembic import op

from engine.store import ddl

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_FUNCTION = """
CREATE OR REPLACE FUNCTION workflow_runs_keep_their_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.epoch := 1;
    RETURN NEW;
  END IF;
  RAISE check_violation USING MESSAGE = 'a run since the cut-over stays one';
END
$$
"""

_BACK = "BEFORE UPDATE OF epoch ON workflow_runs {each} WHEN (new.epoch = 0 AND old.epoch <> 0)"

_POSTGRESQL = {
    "workflow_runs_epoch": "BEFORE INSERT ON workflow_runs FOR EACH ROW WHEN (new.epoch = 0)",
    "workflow_runs_epoch_kept": _BACK.format(each="FOR EACH ROW"),
}

_SQLITE = {
    # Revision 0002 sets the epoch AFTER INSERT; after INSERT OR IGNORE that statement is skipped
    # where it breaks the rule, and the row is left. RAISE obeys no conflict clause.
    "workflow_runs_ended": (
        "BEFORE INSERT ON workflow_runs WHEN new.completed_at IS NULL "
        "AND new.status IN ('SUCCEEDED', 'FAILED', 'CANCELED')",
        "CHECK constraint failed: ck_workflow_runs_terminal_completed",
    ),
    "workflow_runs_epoch_kept": (_BACK.format(each=""), "a run since the cut-over stays one"),
}


def upgrade() -> None:
    if ddl.on_postgresql():
        ddl.exclusively(_on_postgresql)
        return
    for name, (when, message) in _SQLITE.items():
        op.execute(
            f"CREATE TRIGGER IF NOT EXISTS {name} {when} BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )


def downgrade() -> None:
    """Nothing: no release writes what is refused."""


def _on_postgresql() -> None:
    op.execute(_FUNCTION)
    for name, when in _POSTGRESQL.items():
        op.execute(
            f"CREATE OR REPLACE TRIGGER {name} {when} "
            "EXECUTE FUNCTION workflow_runs_keep_their_epoch()"
        )
