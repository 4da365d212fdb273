"""What the tests of recorded progress look at."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine.contract_waits import OpenWait
from engine.store.session import Store
from engine.store.tables import (
    WorkflowRun,
    WorkflowRunStep,
)
from tests.attempts import STARTED_AT, batch

WAIT_ID = "6f3d9c0a-3f57-4f0e-8a58-2c5b1f8e7d41"


def rows(store: Store, table: Any, **where: Any) -> list[Any]:
    with store.reading() as session:
        return list(session.scalars(select(table).filter_by(**where)))


def row_of(store: Store, run: WorkflowRun) -> WorkflowRun:
    [row] = rows(store, WorkflowRun, run_id=run.run_id)
    return row


def step_of(store: Store, **where: Any) -> WorkflowRunStep:
    [row] = rows(store, WorkflowRunStep, **where)
    return row


def a_wait(run: WorkflowRun, **fields: Any) -> OpenWait:
    defaults: dict[str, Any] = {
        "run_id": run.run_id,
        "batch": batch(run),
        "wait_id": WAIT_ID,
        "position": 1,
        "step_id": "pause",
        "path": "root.steps[0]",
        "iter": [],
        "attempt": 1,
        "kind": "time.wait",
        "wait_type": "time",
        "started_at": STARTED_AT,
        "timeout_at": STARTED_AT + 60_000,
        "payload": {"mode": "duration"},
    }
    return OpenWait(**defaults | fields)
