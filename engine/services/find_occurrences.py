"""Which occurrences of a run's steps a page holds, by indexes alone: what it costs does not grow.

An occurrence begins with its first attempt, so that its place is that attempt's position. Rows from
before the cut-over have neither occurrence nor position: each stands for itself, in the order in
which they were written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from engine.runs import strict_json
from engine.runs.status import StepStatus
from engine.store.steps import WorkflowRunStep

OCCURRENCES: Final = 50
"""In the live region, and on a page of earlier ones (docs/rules.md 13)."""
MOST_OPEN: Final = 500
"""Open ones beside them: loops in loops may have 2,500 at once."""

_LONGEST_KEY: Final = 1000

_STEP = WorkflowRunStep
_OPEN: ColumnElement[bool] = _STEP.status.in_(
    [literal_column(f"'{status}'") for status in (StepStatus.STARTED, StepStatus.RETRY_SCHEDULED)]
)
"""In the words of the index of open steps, so that it serves."""


@dataclass(frozen=True, slots=True)
class Occurrences:
    """A page of them: their keys, in no order."""

    keys: tuple[str, ...]
    old: bool
    """From before the cut-over: the keys are ids of rows."""
    before: int | None
    """Where the page of earlier ones ends; None: there are none."""

    @property
    def condition(self) -> ColumnElement[bool]:
        return (_STEP.step_id if self.old else _STEP.occurrence).in_(self.keys)


def newest_occurrences(session: Session, run_id: str, before: int | None) -> Occurrences:
    """The last of the run, or the last that began before a place."""
    rows = session.execute(_begun(run_id, before)).all()
    old = not rows
    if old:
        rows = session.execute(_begun_before_the_cut_over(run_id, before)).all()
    shown = rows[:OCCURRENCES]
    more = len(rows) > OCCURRENCES
    return Occurrences(tuple(row.key for row in shown), old, shown[-1].began if more else None)


def with_open_ones(session: Session, run_id: str, newest: Occurrences) -> Occurrences:
    """And every one that is executed, or waits for its next attempt, however long ago it began."""
    if newest.old:
        return newest
    keys = session.scalars(_open_ones(run_id))
    return Occurrences(tuple({*newest.keys, *keys}), newest.old, newest.before)


def and_also(found: Occurrences, key: str) -> Occurrences:
    """And this one, if the run has it."""
    return replace(found, keys=tuple({*found.keys, key})) if _fits(found, key) else found


def only_occurrence(key: str) -> Occurrences:
    """This one, if the run has it."""
    return and_also(Occurrences((), old=_is_id(key), before=None), key)


def _fits(found: Occurrences, key: str) -> bool:
    if found.old:
        return _is_id(key)
    return len(key) <= _LONGEST_KEY and not strict_json.check(key)


def _begun(run_id: str, before: int | None) -> Select[Any]:
    columns: tuple[Any, ...] = (_STEP.occurrence.label("key"), _STEP.position.label("began"))
    query = (
        select(*columns)
        .where(_STEP.run_id == run_id, _STEP.attempt == 1, _STEP.position.is_not(None))
        .order_by(_STEP.position.desc())
        .limit(OCCURRENCES + 1)
    )
    return query if before is None else query.where(_STEP.position < before)


def _open_ones(run_id: str) -> Select[Any]:
    """In no order: asked for one, SQLite would walk through all of the run's steps."""
    later = aliased(WorkflowRunStep)
    followed = exists().where(
        later.run_id == _STEP.run_id,
        later.occurrence == _STEP.occurrence,
        later.attempt > _STEP.attempt,
    )
    return (
        select(_STEP.occurrence)
        .where(
            _STEP.run_id == run_id,
            _OPEN,
            _STEP.superseded.is_(False),
            or_(_STEP.status == StepStatus.STARTED, ~followed),
        )
        .limit(MOST_OPEN)
    )


def _begun_before_the_cut_over(run_id: str, before: int | None) -> Select[Any]:
    numbered = _numbered(run_id).subquery()
    query = select(numbered).order_by(numbered.c.began.desc()).limit(OCCURRENCES + 1)
    return query if before is None else query.where(numbered.c.began < before)


def _numbered(run_id: str) -> Select[Any]:
    order: Sequence[Any] = (_STEP.started_at, _STEP.attempt, _STEP.step_id)
    number = func.row_number().over(order_by=order)
    return select(_STEP.step_id.label("key"), number.label("began")).where(
        _STEP.run_id == run_id, _STEP.occurrence.is_(None)
    )


def _is_id(key: str) -> bool:
    try:
        UUID(key)
    except ValueError:
        return False
    return True
