"""The runs that an operator has ticked: kept on the server, so that paging does not lose them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, cast

from sqlalchemy import Table, delete, func, select
from sqlalchemy.orm import Session

from engine.errors import Conflict
from engine.services.context import Services
from engine.store.bulk import RunSelection
from engine.store.runs import WorkflowRun
from engine.store.upsert import insert_into

MOST_SELECTED: Final = 1000
"""As many as one bulk operation takes."""
_SELECTIONS: Final = cast(Table, RunSelection.__table__)


def selected_among(session: Session, operator_id: str, run_ids: Collection[str]) -> frozenset[str]:
    """Which of these the operator has selected: for the boxes of one page."""
    mine = select(RunSelection.run_id).where(RunSelection.operator_id == operator_id)
    return frozenset(session.scalars(mine.where(RunSelection.run_id.in_(run_ids))))


def count_selected(session: Session, operator_id: str) -> int:
    counted = select(func.count()).select_from(RunSelection)
    return session.scalar(counted.where(RunSelection.operator_id == operator_id)) or 0


def selected_runs(session: Session, operator_id: str) -> list[str]:
    """All of them, the newest run first."""
    return list(
        session.scalars(
            select(RunSelection.run_id)
            .join(WorkflowRun, WorkflowRun.run_id == RunSelection.run_id)
            .where(RunSelection.operator_id == operator_id)
            .order_by(WorkflowRun.started_at.desc(), WorkflowRun.run_id.desc())
        )
    )


def keep_page(
    services: Services, operator_id: str, shown: Iterable[str], chosen: Iterable[str]
) -> int:
    """Of the runs that a page has shown, those that are ticked are selected and no others.

    How many are selected now. Raises `Conflict` above MOST_SELECTED: then nothing has changed.
    """
    wanted, seen = set(chosen), set(shown)
    with services.store.writing() as session:
        dropped = seen - wanted
        if dropped:
            _drop(session, operator_id, dropped)
        _add(services, session, operator_id, wanted)
        count = count_selected(session, operator_id)
        if count > MOST_SELECTED:
            raise Conflict(
                f"At most {MOST_SELECTED:,} runs can be selected. Deselect some, or use a filter.",
                code="SELECTION_FULL",
            )
    return count


def deselect(services: Services, operator_id: str) -> None:
    """Nothing is selected any more."""
    with services.store.writing() as session:
        session.execute(delete(RunSelection).where(RunSelection.operator_id == operator_id))


def _drop(session: Session, operator_id: str, run_ids: Collection[str]) -> None:
    session.execute(
        delete(RunSelection).where(
            RunSelection.operator_id == operator_id, RunSelection.run_id.in_(run_ids)
        )
    )


def _add(services: Services, session: Session, operator_id: str, run_ids: Collection[str]) -> None:
    there = session.scalars(select(WorkflowRun.run_id).where(WorkflowRun.run_id.in_(run_ids)))
    now = services.now()
    rows = [{"operator_id": operator_id, "run_id": run_id, "added_at": now} for run_id in there]
    if not rows:
        return
    session.execute(insert_into(session, _SELECTIONS).values(rows).on_conflict_do_nothing())
