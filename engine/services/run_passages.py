"""The first occurrences of a run, each by its newest attempt: for comparing, without any values."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from sqlalchemy import ColumnElement, String, cast, func, select
from sqlalchemy.orm import Session

from engine.runs.passages import LIMIT, Passage
from engine.runs.status import StepStatus
from engine.services.outline import Outline
from engine.services.redact_run import RunRedaction
from engine.store.steps import WorkflowRunStep

_STEP = WorkflowRunStep
_KEY: ColumnElement[str] = func.coalesce(_STEP.occurrence, cast(_STEP.step_id, String))
_MS: Final = 1000


def passages_of(
    session: Session, run_id: str, outline: Outline, redaction: RunRedaction
) -> list[Passage]:
    """In the order in which they began; one more than are compared, where there are more."""
    began = func.min(func.coalesce(_STEP.position, 0))
    first = (
        select(_KEY.label("key"), began.label("began"))
        .where(_STEP.run_id == run_id, _STEP.superseded.is_(False))
        .group_by(_KEY)
        .order_by(began, func.min(_STEP.started_at), _KEY)
        .limit(LIMIT + 1)
        .subquery()
    )
    rows = session.execute(
        select(
            first.c.key,
            first.c.began,
            _STEP.step_path,
            _STEP.definition_step_id,
            _STEP.iter,
            _STEP.kind,
            _STEP.name,
            _STEP.status,
            _STEP.handled,
            _STEP.attempt,
            _STEP.duration_ms,
            _STEP.started_at,
            _STEP.completed_at,
        )
        .join(first, first.c.key == _KEY)
        .where(_STEP.run_id == run_id, _STEP.superseded.is_(False))
        .order_by(first.c.began, _STEP.started_at, first.c.key, _STEP.attempt)
    )
    newest = {row.key: row for row in rows}
    seen: Counter[str] = Counter()
    return [_passage(row, outline, redaction, seen) for row in newest.values()]


def _passage(row: Any, outline: Outline, redaction: RunRedaction, seen: Counter[str]) -> Passage:
    known = outline.of(row.step_path)
    step_id = row.definition_step_id or (known.step_id if known else None) or row.step_path
    place = f"{step_id}#{row.iter}"
    seen[place] += 1  # rows from before the cut-over do not say at which item they ran
    name = row.name or (known.name if known else None) or step_id
    return Passage(
        key=f"{place} {seen[place]}",
        name=redaction.text(name) or "",
        kind=(known.action if known else None) or row.kind,
        path=row.step_path,
        iter=tuple(row.iter or ()),
        status=StepStatus(row.status),
        handled=bool(row.handled),
        attempts=row.attempt,
        duration_ms=_duration(row),
    )


def _duration(row: Any) -> float | None:
    if row.duration_ms is not None:
        return float(row.duration_ms)
    if row.completed_at is None:
        return None
    return max(0.0, float((row.completed_at - row.started_at).total_seconds() * _MS))
