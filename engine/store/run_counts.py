"""How many runs there are of each status, without counting them (docs/rules.md 13).

Triggers of `workflow_runs` (migration 0008) write what a statement changes as further rows, in its
own transaction: whoever writes a run, by whatever way, cannot forget it, and no two writers ever
wait for the same row. The count of a status is the sum of its rows; they are folded into one now
and then.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from sqlalchemy import BigInteger, Integer, Select, delete, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.store.base import Base

FOLD_FROM: Final = 200
"""Rows. Fewer cost a reader nothing, and folding them would look like a change to every list."""


class WorkflowRunCount(Base):
    __tablename__ = "workflow_run_counts"

    count_id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    """Never given twice: together with how many rows there are, it says whether any run changed."""
    status: Mapped[str]
    runs: Mapped[int]
    """So many more; negative: fewer."""

    __table_args__ = ({"sqlite_autoincrement": True},)


def counted() -> Select[str, int]:
    """Status and runs, of those statuses that a run ever had."""
    count = WorkflowRunCount
    return select(count.status, func.sum(count.runs).label("runs")).group_by(count.status)


def fold(session: Session) -> None:
    """One row a status again. The rows that are read are those that are deleted, and no others."""
    rows = session.scalar(select(func.count()).select_from(WorkflowRunCount)) or 0
    if rows < FOLD_FROM:
        return
    gone = delete(WorkflowRunCount).returning(WorkflowRunCount.status, WorkflowRunCount.runs)
    sums: Counter[str] = Counter()
    for status, runs in session.execute(gone.execution_options(synchronize_session=False)):
        sums[status] += runs
    kept = [{"status": status, "runs": runs} for status, runs in sums.items() if runs]
    if kept:
        session.execute(insert(WorkflowRunCount), kept)
