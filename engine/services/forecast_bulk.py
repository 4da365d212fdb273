"""The dry run of a bulk operation: what would happen to each run, or why nothing would.

Looked up anew whenever it is shown: the set of runs is fixed, their states are not. What cannot be
known beforehand (a limit that is reached by then, a payload that no longer fits) is an item's own
receipt later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import RunStudioError
from engine.runs.status import OPEN, RunStatus
from engine.services.context import Services
from engine.services.launch_checks import find_definition, find_version
from engine.services.launch_plan import executable_plan
from engine.services.side_effects import side_effects_of
from engine.store.bulk import BulkItem, BulkKind, BulkOperation
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun


@dataclass(frozen=True, slots=True)
class Forecast:
    run_id: str
    status: RunStatus | None
    """None: the run is gone."""
    workflow_name: str | None
    acts: bool
    says: str
    """What would happen, or why it is skipped."""
    code: str | None = None
    """Of the reason to skip."""
    again: tuple[tuple[str, int], ...] = ()
    """Side effects that a replay has once more: action, how often."""


def forecast(services: Services, session: Session, bulk: BulkOperation) -> list[Forecast]:
    """One for each item, in their order."""
    rows = _rows(session, bulk.bulk_id)
    if bulk.kind == BulkKind.CANCEL:
        return _of_cancel(session, rows)
    return _of_replay(services, session, rows)


def _rows(session: Session, bulk_id: str) -> Sequence[Any]:
    run, of = WorkflowRun, WorkflowDefinition
    return session.execute(
        select(
            BulkItem.run_id,
            run.status,
            run.workflow_id,
            run.workflow_version,
            run.cancel_requested_at,
            run.claimed_by,
            (run.input_json.is_(None) & (run.epoch > 0)).label("payload_gone"),
            of.name,
        )
        .outerjoin(run, run.run_id == BulkItem.run_id)
        .outerjoin(of, of.workflow_id == run.workflow_id)
        .where(BulkItem.bulk_id == bulk_id)
        .order_by(BulkItem.position)
    ).all()


def _skipped(row: Any, code: str, says: str) -> Forecast:
    status = None if row.status is None else RunStatus(row.status)
    return Forecast(row.run_id, status, row.name, acts=False, says=says, code=code)


def _gone(row: Any) -> Forecast:
    return _skipped(row, "RUN_NOT_FOUND", "The run is no longer kept.")


def _of_cancel(session: Session, rows: Sequence[Any]) -> list[Forecast]:
    children = _open_children(session, [row.run_id for row in rows if row.status in OPEN])
    return [_cancel(row, children.get(row.run_id, 0)) for row in rows]


def _cancel(row: Any, children: int) -> Forecast:
    if row.status is None:
        return _gone(row)
    status = RunStatus(row.status)
    if status not in OPEN:
        return _skipped(row, "RUN_ENDED", f"It has ended: it is {status}.")
    says = "Temporal is asked to cancel it; it ends when it has cleaned up."
    if row.cancel_requested_at is not None:
        says = "Its cancel is requested already; Temporal is asked once more."
    if children == 1:
        says += " So is the run that it called."
    elif children:
        says += f" So are {children} runs that it called."
    return Forecast(row.run_id, status, row.name, acts=True, says=says)


def _open_children(session: Session, run_ids: Sequence[str]) -> dict[str, int]:
    rows = session.execute(
        select(WorkflowRun.parent_run_id, func.count())
        .where(WorkflowRun.parent_run_id.in_(run_ids), WorkflowRun.status.in_(OPEN))
        .group_by(WorkflowRun.parent_run_id)
    )
    return {str(parent): int(count) for parent, count in rows}


def _of_replay(services: Services, session: Session, rows: Sequence[Any]) -> list[Forecast]:
    effects = side_effects_of(session, [row.run_id for row in rows])
    refusals = _Refusals(services, session)
    return [_replay(row, refusals, effects.get(row.run_id, [])) for row in rows]


def _replay(row: Any, refusals: _Refusals, effects: list[tuple[str, int]]) -> Forecast:
    if row.status is None:
        return _gone(row)
    if row.payload_gone:
        return _skipped(row, "PAYLOAD_NOT_KEPT", "Its payload is no longer kept.")
    refused = refusals.of(row.workflow_id, row.workflow_version)
    if refused is not None:
        return _skipped(row, *refused)
    says = f"A new run of version {row.workflow_version} with the same payload."
    if row.status in OPEN:
        says += " The old run goes on."
    status = RunStatus(row.status)
    return Forecast(row.run_id, status, row.name, acts=True, says=says, again=tuple(effects))


class _Refusals:
    """Why a version would not be launched; asked once for each."""

    def __init__(self, services: Services, session: Session) -> None:
        self._services = services
        self._session = session
        self._known: dict[tuple[str, int], tuple[str, str] | None] = {}

    def of(self, workflow_id: str, version: int) -> tuple[str, str] | None:
        """Code and words; None: it would be."""
        key = (workflow_id, version)
        if key not in self._known:
            self._known[key] = self._ask(workflow_id, version)
        return self._known[key]

    def _ask(self, workflow_id: str, version: int) -> tuple[str, str] | None:
        try:
            find_definition(self._session, None, workflow_id)
            found = find_version(self._session, workflow_id, version)
            executable_plan(found, self._services.catalogue)
        except RunStudioError as error:
            return error.code, error.message
        return None
