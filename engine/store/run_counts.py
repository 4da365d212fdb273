"""How many runs there are of each status, without counting them (docs/rules.md 13).

Triggers of `workflow_runs` (migration 0008) write down what a statement changes, in its own
transaction: whoever writes a run, by whatever way, cannot forget it. On SQLite, which has one
writer at a time, there is one row a status. On PostgreSQL they add rows, so that no two writers
ever wait for the same one; the count of a status is their sum, and they are folded into one now and
then.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from sqlalchemy import BigInteger, Integer, Select, delete, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.store.base import Base

FOLD_FROM: Final = 200
"""Rows. Fewer cost a reader nothing."""

_BIG: Final = BigInteger().with_variant(Integer, "sqlite")


class WorkflowRunCount(Base):
    __tablename__ = "workflow_run_counts"

    count_id: Mapped[int] = mapped_column(_BIG, primary_key=True, autoincrement=True)
    status: Mapped[str]
    runs: Mapped[int] = mapped_column(_BIG)
    """So many more; negative: fewer."""
    changes: Mapped[int] = mapped_column(_BIG)
    """The sum over all rows grows with every statement that changes how many runs there are of a
    status, and with nothing else."""


def counted() -> Select[str, int]:
    """Status and runs, of those statuses that a run ever had."""
    count = WorkflowRunCount
    return select(count.status, func.sum(count.runs).label("runs")).group_by(count.status)


def fold(session: Session) -> None:
    """One row a status again. The rows that are read are those that are deleted, and no others."""
    count = WorkflowRunCount
    rows = session.scalar(select(func.count()).select_from(count)) or 0
    if rows < FOLD_FROM:
        return
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    gone = delete(count).returning(count.status, count.runs, count.changes)
    for status, runs, changes in session.execute(gone.execution_options(synchronize_session=False)):
        sums[status][0] += runs
        sums[status][1] += changes
    kept = [{"status": s, "runs": runs, "changes": n} for s, (runs, n) in sums.items()]
    if kept:  # Another may have folded them meanwhile.
        session.execute(insert(count), kept)
