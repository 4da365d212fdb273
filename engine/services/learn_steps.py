"""What the steps of a run are known to hide, before anything of it is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Select, select, union_all
from sqlalchemy.orm import Session

from engine.services.redact_run import RunRedaction
from engine.services.step_values import VALUES, with_values
from engine.store.steps import WorkflowRunStep

LEARNED_FROM: Final = 400
"""Step rows, the first of a run, whose masked values are looked for on every page of it."""

_STEP = WorkflowRunStep
_COLUMNS: Final = (_STEP.run_id, *VALUES)


def learn_steps(session: Session, run_id: str, redaction: RunRedaction) -> None:
    learn_many(session, {run_id: redaction})


def learn_many(session: Session, redactions: Mapping[str, RunRedaction]) -> None:
    """By run id. Two statements however many they are, and one for each long run that needs it."""
    if not redactions:
        return
    first = [_first_of(run_id).subquery() for run_id in redactions]
    rows = session.execute(union_all(*[select(*part.c) for part in first])).all()
    steps: defaultdict[str, list[Any]] = defaultdict(list)
    for row in with_values(session, rows, _COLUMNS):
        steps[row.run_id].append(row)
    for run_id, redaction in redactions.items():
        learned = steps[run_id]
        if len(learned) == LEARNED_FROM and redaction.masked_writers:
            learned += _written_by(session, run_id, redaction.masked_writers)
        redaction.learn(learned)


def _first_of(run_id: str) -> Select[*tuple[Any, ...]]:
    query = select(*_COLUMNS).where(_STEP.run_id == run_id)
    return query.order_by(_STEP.position, _STEP.started_at).limit(LEARNED_FROM)


def _written_by(session: Session, run_id: str, paths: list[str]) -> list[Any]:
    query = select(*_COLUMNS).where(_STEP.run_id == run_id, _STEP.step_path.in_(paths))
    return with_values(session, session.execute(query).all(), _COLUMNS)
