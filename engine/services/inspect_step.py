"""One step of a run at its place: its attempts in full, the calls that it made, what it logged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select

from engine.errors import NotFound
from engine.services.find_occurrences import only_occurrence
from engine.services.inspect_run import OpenedRun, log_view
from engine.services.list_calls import CallView, call_view
from engine.services.run_timeline import whole_timeline_of
from engine.services.run_views import LogView, OccurrenceView
from engine.store.invocations import WorkflowActionInvocation
from engine.store.logs import WorkflowRunLog
from engine.store.steps import WorkflowRunStep

MOST_RECORDS: Final = 100
"""Calls, or log lines, of one step on a page: the newest."""


@dataclass(frozen=True, slots=True)
class StepDetails:
    """What the run recorded beside the step's attempts; oldest first."""

    key: str
    calls: tuple[CallView, ...]
    logs: tuple[LogView, ...]


def find_step(opened: OpenedRun, key: str) -> OccurrenceView:
    """With large values in full. `opened` must have learned. Raises `NotFound`."""
    session, run_id = opened.session, opened.run.run_id
    found = only_occurrence(key)
    whole = whole_timeline_of(session, run_id, found, opened.outline, opened.redaction)
    if not whole.occurrences:
        raise NotFound("The run has no step at this place.", code="STEP_NOT_FOUND")
    return whole.occurrences[0]


def details_of(
    opened: OpenedRun, found: OccurrenceView, *, most: int | None = MOST_RECORDS
) -> StepDetails:
    """`most` None: all of them. `opened` must have learned."""
    return StepDetails(found.key, _calls(opened, found, most), _logs(opened, found, most))


def _calls(opened: OpenedRun, found: OccurrenceView, most: int | None) -> tuple[CallView, ...]:
    call = WorkflowActionInvocation
    query = (
        select(call)
        .where(
            call.run_id == opened.run.run_id,
            call.step_path == found.last.path,
            or_(call.occurrence == found.key, call.occurrence.is_(None)),
        )
        .order_by(call.created_at.desc(), call.invocation_id.desc())
        .limit(most)
    )
    rows = opened.session.scalars(query).all()
    return tuple(call_view(row, opened) for row in reversed(rows))


def _logs(opened: OpenedRun, found: OccurrenceView, most: int | None) -> tuple[LogView, ...]:
    log = WorkflowRunLog
    query = (
        select(log)
        .where(log.run_id == opened.run.run_id, _said_by(opened.run.run_id, found))
        .order_by(log.created_at.desc(), log.log_id.desc())
        .limit(most)
    )
    rows = opened.session.scalars(query).all()
    return tuple(log_view(row, opened.redaction) for row in reversed(rows))


def _said_by(run_id: str, found: OccurrenceView) -> ColumnElement[bool]:
    """A line names its attempt's row; one that names only a path may be of any iteration."""
    step, log = WorkflowRunStep, WorkflowRunLog
    attempts = select(step.step_id).where(step.run_id == run_id, step.occurrence == found.key)
    of_attempt: ColumnElement[bool] = log.step_id.in_(attempts)
    if found.last.iter:
        return of_attempt
    return or_(of_attempt, and_(log.step_id.is_(None), log.step_path == found.last.path))
