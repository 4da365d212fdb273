"""How many runs of each status (docs/rules.md 13).

Without other filters the number is exact, from what triggers keep; with them it is exact up to a
limit, "1,000+" above.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.runs.status import RunStatus
from engine.services.match_runs import count_up_to
from engine.services.run_filter import RunFilter, ways_to_match
from engine.store.run_counts import counted
from engine.store.runs import WorkflowRun

COUNT_LIMIT: Final = 1000


def count_by_status(session: Session, wanted: RunFilter, now: datetime) -> dict[RunStatus, int]:
    """Of each status, whichever are chosen. Above COUNT_LIMIT only `is_exact` ones are exact."""
    if is_exact(wanted):
        known = {status: int(runs) for status, runs in session.execute(counted())}
        return {status: known.get(status, 0) for status in RunStatus}
    ways = ways_to_match(session, wanted, now, statuses=False)
    column: Any = WorkflowRun.status
    if wanted.text is not None and session.get_bind().dialect.name == "sqlite":
        # As an expression it has no index: SQLite would take that, and not the key's or the id's.
        column = column.concat("")
    each = [
        count_up_to(COUNT_LIMIT, ways, column == status).scalar_subquery() for status in RunStatus
    ]
    return dict(zip(RunStatus, session.execute(select(*each)).one(), strict=True))


def is_exact(wanted: RunFilter) -> bool:
    """Are its counts exact however many they are?"""
    return wanted.is_of_statuses
