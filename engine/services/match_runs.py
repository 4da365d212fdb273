"""The ids of the runs that match, in keyset pages that cost the same at any depth.

What else a page shows of them is read afterwards, by id.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, select, tuple_, union
from sqlalchemy.orm import Session

from engine.services.keyset import Cursor, place
from engine.services.run_filter import Condition, RunFilter, ways_to_match
from engine.store.runs import WorkflowRun

_COLUMNS: Final = (WorkflowRun.started_at, WorkflowRun.run_id)
_PLACE: Final = tuple_(*_COLUMNS)


def matching_ids(
    session: Session,
    wanted: RunFilter,
    now: datetime,
    *,
    limit: int,
    cursor: Cursor | None = None,
) -> list[str]:
    """At most `limit`, the newest first; those next to the cursor, on its side."""
    newer = cursor is not None and cursor.newer
    order = [column.asc() if newer else column.desc() for column in _COLUMNS]
    found: set[tuple[datetime, str]] = set()
    for way in ways_to_match(session, wanted, now):
        beside = [] if cursor is None else [_beside(cursor)]
        query = select(*_COLUMNS).where(*way, *beside).order_by(*order).limit(limit)
        found.update((began, run_id) for began, run_id in session.execute(query))
    nearest = sorted(found, reverse=not newer)[:limit]
    return [run_id for _, run_id in (reversed(nearest) if newer else nearest)]


def _beside(cursor: Cursor) -> Condition:
    at = place(cursor, *_COLUMNS)
    beside: Condition = at < _PLACE if cursor.newer else at > _PLACE
    return beside


def newer_than(cursor: Cursor) -> Condition:
    """Began after the run at the cursor."""
    newer: Condition = place(cursor, *_COLUMNS) < _PLACE
    return newer


def count_up_to(limit: int, ways: Sequence[Sequence[Condition]], *more: Condition) -> Select[Any]:
    """How many runs match; where that is above `limit`, some number above it."""
    some = [select(WorkflowRun.run_id).where(*way, *more).limit(limit + 1) for way in ways]
    if len(some) == 1:
        return select(func.count()).select_from(some[0].subquery())
    each = union(*(select(one.subquery().c.run_id) for one in some))
    return select(func.count()).select_from(each.subquery())
