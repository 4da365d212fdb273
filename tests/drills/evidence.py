"""What the database holds of each run, as it was read: what is compared with Temporal's history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from engine.store.session import Store
from engine.store.tables import (
    StoredValue,
    WorkflowActionInvocation,
    WorkflowDataStore,
    WorkflowDefinition,
    WorkflowEventDelivery,
    WorkflowHumanTask,
    WorkflowRun,
    WorkflowRunStep,
    WorkflowRunWait,
)

Row = SimpleNamespace
"""A row by its columns' names: a copy, which a test may corrupt."""


@dataclass
class Evidence:
    run: Row
    key: str
    """Its workflow's."""
    steps: list[Row] = field(default_factory=list)
    waits: list[Row] = field(default_factory=list)
    tasks: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)
    calls: list[Row] = field(default_factory=list)
    """Of the ledger."""
    children: list[Row] = field(default_factory=list)
    """Rows of the runs that it called."""
    values: dict[str, Any] = field(default_factory=dict)
    """Stored apart, by their ids."""
    counted: int = 0
    """How often `store.increment` has counted for it."""


def gather(store: Store) -> list[Evidence]:
    """Of every run that is stored, in the order in which they were accepted."""
    with store.reading() as session:
        runs = session.execute(
            select(WorkflowRun, WorkflowDefinition.key)
            .join(WorkflowDefinition, WorkflowDefinition.workflow_id == WorkflowRun.workflow_id)
            .order_by(WorkflowRun.started_at, WorkflowRun.run_id)
        )
        found = {run.run_id: Evidence(_row(run), str(key)) for run, key in runs}
        for name, table in _OF_A_RUN.items():
            for run_id, rows in _by_run(session, table).items():
                setattr(found[run_id], name, rows)
        for value in session.scalars(select(StoredValue)):
            found[value.run_id].values[value.value_id] = value.value_json
        for kept in session.scalars(select(WorkflowDataStore)):
            if kept.key in found:
                found[kept.key].counted = int(kept.value["v"])
    for one in found.values():
        parent = found.get(one.run.parent_run_id)
        if parent is not None:
            parent.children.append(one.run)
    return list(found.values())


_OF_A_RUN: dict[str, Any] = {
    "steps": WorkflowRunStep,
    "waits": WorkflowRunWait,
    "tasks": WorkflowHumanTask,
    "deliveries": WorkflowEventDelivery,
    "calls": WorkflowActionInvocation,
}


def _by_run(session: Session, table: Any) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    rows: Iterable[Any] = session.scalars(select(table))
    for row in rows:
        found[row.run_id].append(_row(row))
    return found


def _row(row: Any) -> Row:
    columns = inspect(type(row)).columns
    return SimpleNamespace(**{name: getattr(row, name) for name in columns.keys()})  # noqa: SIM118
