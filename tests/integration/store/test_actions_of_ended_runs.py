"""What an attempt writes when its run has ended, and what goes with it (docs/rules.md 3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from engine.actions.action import ActionContext
from engine.errors import RunOver
from engine.runs.status import InvocationStatus, StepStatus
from engine.services.context import Services
from engine.services.perform_action import perform_action
from engine.store.tables import (
    WorkflowRun,
    WorkflowRunStep,
)
from tests.attempts import Anything, Calls, FakePulse, action, batch, call, record, tools
from tests.builders import NOW
from tests.integration.store.performed import (
    FORMS,
    INSIDE,
    QUICK,
    add_one,
    counted,
    end,
    invocation,
    rows,
    step_row,
)


def test_work_inside_the_transaction_of_a_run_that_is_over_is_undone(
    services: Services, run: WorkflowRun
) -> None:
    end(services.store, run)

    with pytest.raises(RunOver):
        perform_action(
            services, tools(action(add_one, **INSIDE)), call(run, quick=True), FakePulse()
        )

    assert counted(services.store) is None
    assert rows(services.store, WorkflowRunStep) == []


@pytest.mark.parametrize(("nature", "quick"), FORMS)
def test_nothing_is_executed_for_a_run_that_is_over(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    end(services.store, run)
    note = Calls()

    with pytest.raises(RunOver):
        perform_action(services, tools(action(note, **nature)), call(run, quick=quick), FakePulse())

    assert note.seen == []
    assert rows(services.store, WorkflowRunStep) == []


def test_an_effect_whose_run_ended_meanwhile_is_in_the_ledger_only(
    services: Services, run: WorkflowRun
) -> None:
    def ends_it(given: Anything, context: ActionContext) -> dict[str, Any]:
        end(services.store, run)
        return {"value": 1}

    with pytest.raises(RunOver):
        perform_action(services, tools(action(ends_it)), call(run), FakePulse())

    assert invocation(services.store).status == InvocationStatus.SUCCEEDED
    assert step_row(services.store, run).status == StepStatus.STARTED


@pytest.mark.parametrize(("nature", "quick"), [*FORMS, pytest.param(INSIDE, True, id="inside")])
def test_a_requested_cancel_asks_for_a_boundary(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    known = tools(action(Calls(), **nature))
    before = perform_action(services, known, call(run, quick=quick), FakePulse())
    with services.store.writing() as session:
        session.execute(update(WorkflowRun).values(cancel_requested_at=NOW))

    after = perform_action(services, known, call(run, quick=quick, iter=[1]), FakePulse())

    assert (before.take_boundary, after.take_boundary) == (False, True)


@pytest.mark.parametrize(("nature", "quick"), [*FORMS, pytest.param(INSIDE, True, id="inside")])
def test_what_the_interpreter_did_before_is_written_with_the_action(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    earlier = record(path="root.steps[9]", step_id="assign", output={"a": 1})
    wanted = call(run, quick=quick, batch=batch(run, earlier), position=2)

    perform_action(services, tools(action(Calls(), **nature)), wanted, FakePulse())

    written = rows(services.store, WorkflowRunStep, step_path="root.steps[9]")
    assert [(row.status, row.output_json) for row in written] == [("SUCCEEDED", {"a": 1})]


def test_a_quick_step_does_not_touch_the_runs_own_row(services: Services, run: WorkflowRun) -> None:
    later = replace(services, now=lambda: NOW + timedelta(seconds=9))
    perform_action(later, tools(action(Calls(), **QUICK)), call(run, quick=True), FakePulse())

    [row] = rows(services.store, WorkflowRun, run_id=run.run_id)
    assert row.updated_at == NOW
