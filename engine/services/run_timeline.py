"""The steps of a run: the newest occurrences, those still open, or a page of earlier ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, String, cast, func, select
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.runs.status import StepStatus
from engine.services.find_occurrences import (
    Occurrences,
    and_also,
    newest_occurrences,
    with_open_ones,
)
from engine.services.outline import Outline
from engine.services.redact_run import RunRedaction
from engine.services.run_views import ErrorView, OccurrenceView, StepView, Timeline
from engine.services.step_values import VALUES, with_values
from engine.store.steps import WorkflowRunStep

_AT_A_TIME: Final = 50
"""Step rows in memory while all are read: each may have values of 4 MiB."""

_STEP = WorkflowRunStep
_KEY: ColumnElement[str] = func.coalesce(_STEP.occurrence, cast(_STEP.step_id, String))
"""Rows from before the cut-over have no occurrence: each stands for itself."""
_POSITION: ColumnElement[int] = func.coalesce(_STEP.position, 0)
_SHOWN = (
    *VALUES,
    _KEY.label("key"),
    _POSITION.label("place"),
    _STEP.definition_step_id,
    _STEP.iter,
    _STEP.kind,
    _STEP.name,
    _STEP.status,
    _STEP.attempt,
    _STEP.started_at,
    _STEP.completed_at,
    _STEP.duration_ms,
    _STEP.next_retry_at,
    _STEP.handled,
    _STEP.superseded,
    _STEP.error_json,
)


def live_timeline(
    session: Session,
    run_id: str,
    outline: Outline,
    redaction: RunRedaction,
    *,
    also: str | None = None,
) -> Timeline:
    """The newest occurrences, every open one however long ago it began, and one that is asked for.

    `also`: its key; where the run has no such step, nothing is added.
    """
    found = with_open_ones(session, run_id, newest_occurrences(session, run_id, None))
    if also is not None:
        found = and_also(found, also)
    return _timeline(session, run_id, found, outline, redaction)


def earlier_timeline(
    session: Session, run_id: str, before: int, outline: Outline, redaction: RunRedaction
) -> Timeline:
    """The page of occurrences that began before position `before`."""
    found = newest_occurrences(session, run_id, before)
    return _timeline(session, run_id, found, outline, redaction)


def whole_timeline_of(
    session: Session, run_id: str, found: Occurrences, outline: Outline, redaction: RunRedaction
) -> Timeline:
    """Large values in full: for a file."""
    rows = with_values(session, _found(session, run_id, found), _SHOWN)
    redaction.learn(rows)
    return Timeline(_grouped(rows, outline, redaction))


def _timeline(
    session: Session, run_id: str, found: Occurrences, outline: Outline, redaction: RunRedaction
) -> Timeline:
    rows = _found(session, run_id, found)
    redaction.learn(rows)
    return Timeline(_grouped(rows, outline, redaction), found.before)


def _found(session: Session, run_id: str, found: Occurrences) -> Sequence[Row[Any]]:
    if not found.keys:
        return ()
    return session.execute(_rows(run_id).where(found.condition)).all()


def every_step(
    session: Session, run_id: str, outline: Outline, redaction: RunRedaction
) -> Iterator[StepView]:
    """Each attempt in the order in which they began, large values in full: for the export.

    `redaction` must have learned from all of them.
    """
    for rows in _some_at_a_time(session, run_id):
        for row in rows:
            yield _view(row, outline, redaction)


def learn_every_step(session: Session, run_id: str, redaction: RunRedaction) -> None:
    """As `learn_steps`, however many there are."""
    redaction.learn(row for rows in _some_at_a_time(session, run_id) for row in rows)


def _rows(run_id: str) -> Select[*tuple[Any, ...]]:
    return (
        select(*_SHOWN)
        .where(_STEP.run_id == run_id)
        .order_by(_POSITION, _STEP.started_at, _STEP.attempt, _STEP.step_id)
    )


def _some_at_a_time(session: Session, run_id: str) -> Iterator[list[Any]]:
    query = _rows(run_id).execution_options(yield_per=_AT_A_TIME)
    for rows in session.execute(query).partitions():
        yield with_values(session, rows, _SHOWN)


def _grouped(
    rows: Iterable[Any], outline: Outline, redaction: RunRedaction
) -> tuple[OccurrenceView, ...]:
    groups: dict[str, list[StepView]] = {}
    for row in rows:
        groups.setdefault(row.key, []).append(_view(row, outline, redaction))
    return tuple(OccurrenceView(key, tuple(views)) for key, views in groups.items())


def _view(row: Any, outline: Outline, redaction: RunRedaction) -> StepView:
    known = outline.of(row.step_path)
    return StepView(
        step_id=row.definition_step_id,
        path=row.step_path,
        iter=tuple(row.iter or ()),
        kind=row.kind or (known.kind if known else None),
        name=row.name or (known.name if known else None),
        action=known.action if known else None,
        status=StepStatus(row.status),
        attempt=row.attempt,
        position=row.place,
        started_at=row.started_at,
        completed_at=row.completed_at,
        duration_ms=row.duration_ms,
        next_retry_at=row.next_retry_at,
        handled=bool(row.handled),
        superseded=bool(row.superseded),
        input=None if row.input_json is None else redaction.value(row.input_json),
        output=None
        if row.output_json is None
        else redaction.step_output(row.step_path, row.output_json),
        error=error_view(row.error_json, redaction),
    )


def error_view(error: Json, redaction: RunRedaction) -> ErrorView | None:
    """An error as it may be shown; what is no error object is shown as its details."""
    if error is None:
        return None
    shown = redaction.value(error).value
    if not isinstance(shown, dict):
        return ErrorView(message=str(shown))
    rest = shown.get("details", shown.get("data"))
    return ErrorView(
        message=str(shown.get("message") or "It failed without a message."),
        category=_word(shown.get("category")),
        code=_word(shown.get("code")),
        node_path=_word(shown.get("nodePath")),
        stage=_word(shown.get("stage")),
        details=None if rest is None else redaction.value(rest),
    )


def _word(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None
