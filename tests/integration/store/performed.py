"""What the tests of executed attempts look at."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.actions.action import ActionContext
from engine.contract import ActionCall
from engine.services.context import Services
from engine.services.perform_action import perform_action
from engine.store import key_values
from engine.store.key_values import Place, Written
from engine.store.session import Store
from engine.store.tables import (
    WorkflowActionInvocation,
    WorkflowRun,
    WorkflowRunStep,
)
from tests.attempts import Anything, FakePulse, action, tools
from tests.builders import NOW

QUICK: dict[str, Any] = {"quick": True, "repeatable": True}
INSIDE: dict[str, Any] = {**QUICK, "in_transaction": True}


def step_row(store: Store, run: WorkflowRun, **where: Any) -> WorkflowRunStep:
    return rows(store, WorkflowRunStep, run_id=run.run_id, **where)[0]


def rows(store: Store, table: Any, **where: Any) -> list[Any]:
    with store.reading() as session:
        return list(session.scalars(select(table).filter_by(**where)))


def invocation(store: Store) -> WorkflowActionInvocation:
    [row] = rows(store, WorkflowActionInvocation)
    return row


def add_one(given: Anything, context: ActionContext) -> dict[str, Any]:
    """Not repeatable by nature: only a rollback or the ledger can make it happen once."""
    session, place = context.database(), Place("test", "count")
    stored = key_values.lock_or_create(session, place, 1, Written(context.run_id, context.now))
    value = 1 if stored.revision == 1 else stored.value + 1
    key_values.overwrite(session, place, value)
    return {"value": value}


FORMS = [
    pytest.param({}, False, id="in two transactions"),
    pytest.param(QUICK, True, id="recorded after it"),
]


def begun_and_lost(services: Services, wanted: ActionCall, **nature: Any) -> None:
    """A worker dies in the action: what it wrote before is all there is."""

    def dies(given: Anything, context: ActionContext) -> dict[str, Any]:
        raise SystemExit

    with pytest.raises(SystemExit):
        perform_action(services, tools(action(dies, **nature)), wanted, FakePulse())


def after_the_lease(services: Services) -> Services:
    return replace(services, now=lambda: NOW + timedelta(seconds=31))


def end(store: Store, run: WorkflowRun) -> None:
    with store.writing() as session:
        session.execute(
            update(WorkflowRun)
            .where(WorkflowRun.run_id == run.run_id)
            .values(status="CANCELED", completed_at=NOW)
        )


def counted(store: Store) -> Any:
    with store.reading() as session:
        stored = key_values.get(session, Place("test", "count"))
    return None if stored is None else stored.value
