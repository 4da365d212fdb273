"""Runs of many steps: a loop whose two actions ran for item after item, with all that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from engine.store.base import Base
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders

DOCUMENT: dict[str, Any] = {
    "steps": [
        {
            "id": "each",
            "name": "Each item",
            "type": "control.forEach",
            "config": {"items": {"$expr": "payload.items"}, "itemVar": "item"},
            "body": [
                {"id": "get", "type": "action.call", "config": {"actionId": "http.request"}},
                {"id": "put", "type": "action.call", "config": {"actionId": "store.set"}},
            ],
        }
    ]
}


def long_run(
    store: Store, of: WorkflowDefinition, steps: int, status: str = "RUNNING"
) -> WorkflowRun:
    """One open step, and others that have ended: each with a call, a log line and a secret."""
    began = builders.NOW + timedelta(seconds=1)
    run = builders.run(of, status, input_json={"api_key": "canary"}, claimed_at=began)
    loop = builders.step(
        run, "STARTED", position=1, kind="control.forEach", started_at=began, updated_at=began
    )
    rows = [_rows(run, number) for number in range(steps - 1)]
    builders.save(store, run, loop)
    for kind in zip(*rows, strict=True):
        insert_all(store, kind)
    return run


def insert_all(store: Store, rows: Sequence[Base]) -> None:
    """Rows of one table, in one statement."""
    names = [attribute.key for attribute in type(rows[0]).__mapper__.column_attrs]
    given = [name for name in names if any(getattr(row, name) is not None for row in rows)]
    with store.writing() as session:
        values = [{name: getattr(row, name) for name in given} for row in rows]
        session.execute(insert(type(rows[0])), values)


def _rows(run: WorkflowRun, number: int) -> tuple[Base, Base, Base]:
    item, which = divmod(number, 2)
    path = f"root.steps[0].body.steps[{which}]"
    at = builders.NOW + timedelta(seconds=1, milliseconds=30 * (number + 1))
    sent = {"url": f"https://api.example/items/{item}", "authorization": f"Bearer {item:08d}"}
    got = {"status": 200, "body": {"id": item, "token": f"{item:08x}-of-the-answer"}}
    step = builders.step(
        run, path=path, iter=(item,), position=number + 2, started_at=at, completed_at=at,
        updated_at=at, input_json=sent, output_json=got,
    )  # fmt: skip
    call = builders.invocation(
        run, "SUCCEEDED", step_path=path, occurrence=step.occurrence, input_json=sent,
        output_json=got, created_at=at, completed_at=at,
    )  # fmt: skip
    line = builders.log(
        run, f"Item {item} is done", step_path=path, step_id=step.step_id, created_at=at
    )
    return step, call, line
