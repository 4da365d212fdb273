"""Actions on our own database where a quota is configured (docs/rules.md 3).

A quota counted after the effect cannot pause before it: the call is claimed and counted first, and
the work is done inside the transaction that closes it. Exactly once, all the same.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from engine.actions.action import ActionContext
from engine.contract import ActionCall
from engine.errors import Category, RunOver, StepFailed
from engine.runs.status import InvocationStatus, StepStatus
from engine.services.context import Services
from engine.services.perform_action import perform_action
from engine.services.reserve_action import LeaseLost
from engine.services.step_quota import set_quota, show_quota
from engine.services.take_quota import USAGE
from engine.store import ledger
from engine.store.tables import WorkflowRun, WorkflowRunStep
from tests.attempts import Anything, FakePulse, action, call, tools
from tests.integration.store.performed import (
    INSIDE,
    add_one,
    begun_and_lost,
    counted,
    end,
    invocation,
    rows,
    step_row,
)
from tests.run_cases import SOMEBODY


@pytest.fixture
def wanted(services: Services, run: WorkflowRun) -> ActionCall:
    set_quota(services, 1, SOMEBODY)
    return call(run, quick=True)


def perform(services: Services, wanted: ActionCall, run: Any = add_one) -> Any:
    return perform_action(services, tools(action(run, **INSIDE)), wanted, FakePulse())


def test_it_is_counted_and_done_once_however_often_it_is_asked(
    services: Services, run: WorkflowRun, wanted: ActionCall
) -> None:
    outputs = [perform(services, wanted).output for _ in range(2)]

    assert outputs == [{"text": "", "value": 1}] * 2
    assert counted(services.store) == 1
    assert step_row(services.store, run).status == StepStatus.SUCCEEDED
    assert invocation(services.store).status == InvocationStatus.SUCCEEDED
    assert show_quota(services).used == 1


def test_without_quota_nothing_is_done(
    services: Services, run: WorkflowRun, wanted: ActionCall
) -> None:
    with services.store.writing() as session:
        session.execute(update(USAGE).values(used_count=1))
    assert perform(services, wanted).quota is not None
    assert counted(services.store) is None
    assert rows(services.store, WorkflowRunStep) == []


def test_a_worker_that_was_lost_in_it_has_done_nothing(
    services: Services, run: WorkflowRun, wanted: ActionCall
) -> None:
    begun_and_lost(services, wanted, **INSIDE)
    assert step_row(services.store, run).status == StepStatus.STARTED
    assert perform(services, wanted).output == {"text": "", "value": 1}
    assert counted(services.store) == 1


def test_what_fails_in_it_is_undone_and_recorded(
    services: Services, run: WorkflowRun, wanted: ActionCall
) -> None:
    def fails(given: Anything, context: ActionContext) -> dict[str, Any]:
        add_one(given, context)
        raise StepFailed(Category.ACTION, "it will not do")

    with pytest.raises(StepFailed):
        perform(services, wanted, fails)
    assert counted(services.store) is None
    assert step_row(services.store, run).status == StepStatus.FAILED
    assert invocation(services.store).status == InvocationStatus.FAILED


def test_who_lost_its_lease_undoes_its_work(
    services: Services, wanted: ActionCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "close", lambda *_, **__: False)
    with pytest.raises(LeaseLost):
        perform(services, wanted)
    assert counted(services.store) is None


def test_a_run_that_has_ended_meanwhile_is_not_worked_for(
    services: Services, run: WorkflowRun, wanted: ActionCall
) -> None:
    begun_and_lost(services, wanted, **INSIDE)
    end(services.store, run)
    with pytest.raises(RunOver):
        perform(services, wanted)
    assert counted(services.store) is None
