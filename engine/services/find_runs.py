"""The list of runs: newest first, filtered, in keyset pages that cost the same at any depth.

No row of a list asks Temporal anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.runs.status import RunStatus
from engine.services.context import Services
from engine.services.count_runs import count_by_status
from engine.services.keyset import Cursor
from engine.services.match_runs import count_up_to, matching_ids, newer_than
from engine.services.run_filter import RunFilter, ways_to_match
from engine.services.run_rows import RunRow, rows_of
from engine.store.definitions import WorkflowDefinition

PAGE_SIZE: Final = 50
NEW_RUNS_COUNTED: Final = 100
_AT_ONCE: Final = 1000
"""Rows of a file that are read in one transaction: whoever takes long to fetch it holds none."""


@dataclass(frozen=True, slots=True)
class RunList:
    rows: tuple[RunRow, ...]
    newer: Cursor | None
    older: Cursor | None
    counts: Mapping[RunStatus, int]
    """Of each status, under all other filters: see `count_by_status`."""
    new: int = 0
    """How many have begun since the rows were first shown; never more than NEW_RUNS_COUNTED + 1."""


@dataclass(frozen=True, slots=True)
class PageOfIds:
    """Which runs a page shows, before anything else of them is read."""

    ids: tuple[str, ...]
    has_newer: bool
    has_older: bool


def page_at(
    session: Session,
    wanted: RunFilter,
    cursor: Cursor | None,
    now: datetime,
    *,
    size: int = PAGE_SIZE,
) -> PageOfIds:
    """Beside the cursor; None: the newest. An unknown workflow key gives an empty page."""
    newer = cursor is not None and cursor.newer
    ids = matching_ids(session, wanted, now, limit=size + 1, cursor=cursor)
    more = len(ids) > size
    if not newer:
        return PageOfIds(tuple(ids[:size]), has_newer=cursor is not None, has_older=more)
    if more:
        return PageOfIds(tuple(ids[-size:]), has_newer=True, has_older=True)
    # Fewer are newer than a page holds: the first page is what is wanted.
    return page_at(session, wanted, None, now, size=size)


def runs_of(session: Session, wanted: RunFilter, page: PageOfIds, now: datetime) -> RunList:
    """What the page shows."""
    rows = rows_of(session, page.ids, now)
    return RunList(
        rows=rows,
        newer=replace(rows[0].place, newer=True) if rows and page.has_newer else None,
        older=rows[-1].place if rows and page.has_older else None,
        counts=count_by_status(session, wanted, now),
    )


def shown_runs(
    session: Session, wanted: RunFilter, run_ids: Sequence[str], now: datetime
) -> RunList:
    """The same rows as they are now, whether or not they would still be found, and in their order.

    A list that renews itself must not move under the hand that points at it: what is new is
    counted only.
    """
    rows, counts = rows_of(session, run_ids, now), count_by_status(session, wanted, now)
    if not rows:
        return RunList(rows, None, None, counts)
    ways, last = ways_to_match(session, wanted, now), rows[-1].place
    new = session.scalar(count_up_to(NEW_RUNS_COUNTED, ways, newer_than(rows[0].place))) or 0
    more = matching_ids(session, wanted, now, limit=1, cursor=last)
    return RunList(rows, None, last if more else None, counts, new)


def first_runs(
    session: Session, wanted: RunFilter, now: datetime, *, limit: int
) -> tuple[RunRow, ...]:
    """The newest `limit`, without pages."""
    return rows_of(session, matching_ids(session, wanted, now, limit=limit), now)


def every_run(services: Services, wanted: RunFilter) -> Iterator[RunRow]:
    """All of them, the newest first, in many short transactions: for a file."""
    now, cursor = services.now(), None
    while True:
        with services.store.reading() as session:
            ids = matching_ids(session, wanted, now, limit=_AT_ONCE, cursor=cursor)
            rows = rows_of(session, ids, now)
        yield from rows
        if len(ids) < _AT_ONCE or not rows:
            return
        cursor = rows[-1].place


def workflows_with_runs(session: Session) -> list[tuple[str, str]]:
    """Key and name of each workflow, for the filter."""
    query = (
        select(WorkflowDefinition.key, WorkflowDefinition.name)
        .where(WorkflowDefinition.key.is_not(None))
        .order_by(func.lower(WorkflowDefinition.name), WorkflowDefinition.key)
    )
    return [(key, name) for key, name in session.execute(query) if key is not None]
