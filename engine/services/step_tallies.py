"""How a run's steps stand, place by place: one statement, however often each step ran."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, String, and_, case, cast, func, select
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.runs.status import StepStatus, WaitStatus
from engine.store.steps import WorkflowRunStep
from engine.store.waits import WorkflowRunWait

PLACES: Final = 4_000
"""A document has at most 2,000; rows from before the cut-over may name any place."""
_ERRORS: Final = 200
_WAITS: Final = 1_000

_STEP = WorkflowRunStep
_KEY: ColumnElement[str] = func.coalesce(_STEP.occurrence, cast(_STEP.step_id, String))


@dataclass(frozen=True, slots=True)
class StepTally:
    """All occurrences of one step of the document in one run."""

    path: str
    occurrences: int
    started: int
    succeeded: int
    failed: int
    handled: int
    """Of those that failed: the run went on."""
    canceled: int
    waiting: bool
    """One of them is held up by an open wait."""
    attempts: int
    """Of the occurrence that took most."""
    newest: str | None
    """Key of the occurrence that began last; None in rows from before the cut-over."""
    newest_position: int | None
    error: Json = None
    """Of the attempt that failed last; not redacted."""

    @property
    def retrying(self) -> int:
        """Those whose next attempt is due later."""
        ended = self.succeeded + self.failed + self.canceled
        return max(0, self.occurrences - self.started - ended)

    @property
    def status(self) -> str:
        """How it stands: what goes on counts before what has ended, failures before successes."""
        if self.waiting:
            return WaitStatus.WAITING.value
        for status, count in (
            (StepStatus.STARTED, self.started),
            (StepStatus.RETRY_SCHEDULED, self.retrying),
            (StepStatus.FAILED, self.failed),
            (StepStatus.CANCELED, self.canceled),
        ):
            if count:
                return status.value
        return StepStatus.SUCCEEDED.value


def tallies_of(session: Session, run_id: str) -> dict[str, StepTally]:
    """By static path; steps that have not begun are left out."""
    waiting = _waiting(session, run_id)
    rows = session.execute(_statement(run_id)).all()
    errors = _errors(session, run_id, [row.failed_at for row in rows if row.failed_at])
    return {
        row.step_path: StepTally(
            path=row.step_path,
            occurrences=row.occurrences,
            started=row.started,
            succeeded=row.succeeded,
            failed=row.failed,
            handled=row.handled,
            canceled=row.canceled,
            waiting=row.started > 0 and row.step_path in waiting,
            attempts=row.attempts,
            newest=row.newest,
            newest_position=row.newest_position,
            error=errors.get(row.step_path),
        )
        for row in rows
    }


def _statement(run_id: str) -> Any:
    counted = (
        select(
            _STEP.step_path,
            func.count(func.distinct(_KEY)).label("occurrences"),
            _count(_STEP.status == StepStatus.STARTED, "started"),
            _count(_STEP.status == StepStatus.SUCCEEDED, "succeeded"),
            _count(_STEP.status == StepStatus.FAILED, "failed"),
            _count(and_(_STEP.status == StepStatus.FAILED, _STEP.handled), "handled"),
            _count(_STEP.status == StepStatus.CANCELED, "canceled"),
            func.max(_STEP.attempt).label("attempts"),
            func.max(_STEP.position).label("newest_position"),
            func.max(case((_STEP.error_json.is_not(None), _STEP.position))).label("failed_at"),
        )
        .where(_STEP.run_id == run_id, _STEP.superseded.is_(False))
        .group_by(_STEP.step_path)
        .limit(PLACES)
        .subquery()
    )
    return select(*counted.c, _STEP.occurrence.label("newest")).outerjoin_from(
        counted,
        _STEP,
        and_(
            _STEP.run_id == run_id,
            _STEP.step_path == counted.c.step_path,
            _STEP.position == counted.c.newest_position,
            _STEP.superseded.is_(False),
        ),
    )


def _count(condition: ColumnElement[bool], name: str) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0).label(name)


def _waiting(session: Session, run_id: str) -> set[str]:
    query = (
        select(WorkflowRunWait.step_path)
        .where(WorkflowRunWait.run_id == run_id, WorkflowRunWait.status == WaitStatus.WAITING)
        .distinct()
        .limit(_WAITS)
    )
    return set(session.scalars(query))


def _errors(session: Session, run_id: str, positions: list[int]) -> dict[str, Json]:
    if not positions:
        return {}
    newest = sorted(positions, reverse=True)[:_ERRORS]
    query = select(_STEP.step_path, _STEP.error_json).where(
        _STEP.run_id == run_id, _STEP.position.in_(newest), _STEP.superseded.is_(False)
    )
    return {row.step_path: row.error_json for row in session.execute(query)}
