"""The list of runs: newest first, filtered, in keyset pages that cost the same at any depth.

No row of a list asks Temporal anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from engine.runs.queued import is_queued
from engine.runs.status import RunStatus
from engine.services.count_runs import count_by_status
from engine.services.keyset import Cursor, place
from engine.services.run_filter import RunFilter, conditions, has_steps
from engine.store.definitions import WorkflowDefinition
from engine.store.operators import Operator
from engine.store.runs import WorkflowRun

PAGE_SIZE: Final = 50
NEW_RUNS_COUNTED: Final = 100


@dataclass(frozen=True, slots=True)
class RunRow:
    run_id: str
    status: RunStatus
    workflow_key: str | None
    workflow_name: str
    workflow_version: int
    started_at: datetime
    completed_at: datetime | None
    started_by: str | None
    trigger_type: str | None
    replay_of_run_id: str | None
    parent_run_id: str | None
    cancel_requested: bool
    queued: bool
    """RUNNING without a step for more than 60 s."""


@dataclass(frozen=True, slots=True)
class RunList:
    rows: tuple[RunRow, ...]
    newer: Cursor | None
    older: Cursor | None
    counts: Mapping[RunStatus, int]
    """Of each status, under all other filters; never more than COUNT_LIMIT + 1."""
    new: int = 0
    """How many have begun since the rows were first shown; never more than NEW_RUNS_COUNTED + 1."""


def find_runs(
    session: Session,
    wanted: RunFilter,
    cursor: Cursor | None,
    now: datetime,
    *,
    size: int = PAGE_SIZE,
) -> RunList:
    """One page. An unknown workflow key gives an empty list."""
    newer = cursor is not None and cursor.newer
    where = conditions(session, wanted, now)
    found = session.execute(_page(where, cursor, newer, size + 1)).all()
    more = len(found) > size
    if newer and not more:
        # Fewer are newer than a page holds: the first page is what is wanted.
        return find_runs(session, wanted, None, now, size=size)
    kept = found[:size]
    if newer:
        kept = kept[::-1]
    rows = tuple(_row(row, now) for row in kept)
    has_newer, has_older = (more, True) if newer else (cursor is not None, more)
    return RunList(
        rows=rows,
        newer=_place(rows[0], newer=True) if rows and has_newer else None,
        older=_place(rows[-1], newer=False) if rows and has_older else None,
        counts=count_by_status(session, wanted, now),
    )


def shown_runs(
    session: Session, wanted: RunFilter, run_ids: Sequence[str], now: datetime
) -> RunList:
    """The same rows as they are now, whether or not they would still be found, and in their order.

    A list that renews itself must not move under the hand that points at it: what is new is
    counted only.
    """
    found = session.execute(_rows().where(WorkflowRun.run_id.in_(run_ids))).all()
    by_id = {row.run_id: _row(row, now) for row in found}
    rows = tuple(by_id[run_id] for run_id in run_ids if run_id in by_id)
    new = 0
    if rows:
        later = _at(_place(rows[0], newer=True)) < _PLACE
        some = (
            select(literal(1))
            .select_from(WorkflowRun)
            .where(*conditions(session, wanted, now), later)
            .limit(NEW_RUNS_COUNTED + 1)
        )
        new = session.scalar(select(func.count()).select_from(some.subquery())) or 0
    older = _place(rows[-1], newer=False) if len(rows) == PAGE_SIZE else None
    return RunList(rows, None, older, count_by_status(session, wanted, now), new)


def all_runs(
    session: Session, wanted: RunFilter, now: datetime, *, limit: int
) -> tuple[RunRow, ...]:
    """The newest `limit`, without pages: for a file."""
    found = session.execute(_page(conditions(session, wanted, now), None, False, limit)).all()
    return tuple(_row(row, now) for row in found)


def workflows_with_runs(session: Session) -> list[tuple[str, str]]:
    """Key and name of each workflow, for the filter."""
    query = (
        select(WorkflowDefinition.key, WorkflowDefinition.name)
        .where(WorkflowDefinition.key.is_not(None))
        .order_by(func.lower(WorkflowDefinition.name), WorkflowDefinition.key)
    )
    return [(key, name) for key, name in session.execute(query) if key is not None]


_PLACE: Final = tuple_(WorkflowRun.started_at, WorkflowRun.run_id)


def _page(
    where: Sequence[ColumnElement[bool]], cursor: Cursor | None, newer: bool, limit: int
) -> Select[*tuple[Any, ...]]:
    query = _rows().where(*where).limit(limit)
    if cursor is not None:
        at = _at(cursor)
        query = query.where(at < _PLACE if newer else at > _PLACE)
    columns = (WorkflowRun.started_at, WorkflowRun.run_id)
    return query.order_by(*(c.asc() if newer else c.desc() for c in columns))


def _at(cursor: Cursor) -> Any:
    return place(cursor, WorkflowRun.started_at, WorkflowRun.run_id)


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            WorkflowRun.run_id,
            WorkflowRun.status,
            WorkflowRun.workflow_version,
            WorkflowRun.started_at,
            WorkflowRun.completed_at,
            WorkflowRun.trigger_type,
            WorkflowRun.replay_of_run_id,
            WorkflowRun.parent_run_id,
            WorkflowRun.cancel_requested_at,
            WorkflowDefinition.key,
            WorkflowDefinition.name,
            Operator.email,
            or_(WorkflowRun.status != RunStatus.RUNNING, has_steps()).label("moving"),
        )
        .join(WorkflowDefinition, WorkflowDefinition.workflow_id == WorkflowRun.workflow_id)
        .outerjoin(Operator, Operator.operator_id == WorkflowRun.started_by)
    )


def _row(row: Any, now: datetime) -> RunRow:
    status = RunStatus(row.status)
    return RunRow(
        run_id=row.run_id,
        status=status,
        workflow_key=row.key,
        workflow_name=row.name,
        workflow_version=row.workflow_version,
        started_at=row.started_at,
        completed_at=row.completed_at,
        started_by=row.email,
        trigger_type=row.trigger_type,
        replay_of_run_id=row.replay_of_run_id,
        parent_run_id=row.parent_run_id,
        cancel_requested=row.cancel_requested_at is not None,
        queued=is_queued(status, int(bool(row.moving)), row.started_at, now),
    )


def _place(row: RunRow, *, newer: bool) -> Cursor:
    return Cursor(row.started_at, row.run_id, newer=newer)
