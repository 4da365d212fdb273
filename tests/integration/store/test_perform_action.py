"""Executing an attempt of an action, on both databases (docs/rules.md 3 and 4)."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from engine.actions.action import ActionContext
from engine.contract import ActionAnswer
from engine.errors import Category, StepFailed
from engine.runs.status import InvocationStatus, StepStatus
from engine.services.context import Services
from engine.services.perform_action import perform_action
from engine.store.tables import (
    WorkflowRun,
    WorkflowRunStep,
)
from tests import builders
from tests.attempts import Anything, Calls, FakePulse, action, call, tools
from tests.builders import NOW
from tests.integration.store.performed import (
    FORMS,
    INSIDE,
    add_one,
    counted,
    invocation,
    rows,
    step_row,
)


@pytest.mark.parametrize(("nature", "quick"), FORMS)
def test_a_success_is_in_the_ledger_and_in_the_timeline(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    note = Calls()
    wanted = call(run, quick=quick, input={"value": 7}, name="Note it")

    answer = perform_action(services, tools(action(note, **nature)), wanted, FakePulse())

    assert answer.output == {"text": "", "value": 7}
    row = step_row(services.store, run)
    assert (row.status, row.rank, row.output_json) == ("SUCCEEDED", 3, {"text": "", "value": 7})
    assert (row.input_json, row.kind, row.name) == ({"value": 7}, "action.call", "Note it")
    assert row.completed_at is not None
    entry = invocation(services.store)
    assert (entry.status, entry.output_json) == ("SUCCEEDED", {"text": "", "value": 7})
    assert note.seen[0].idempotency_key == entry.idempotency_key


@pytest.mark.parametrize(("nature", "quick"), FORMS)
def test_a_call_that_succeeded_is_not_made_again(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    note = Calls(lambda given, _: {"value": len(note.seen)})
    known = tools(action(note, **nature))
    perform_action(services, known, call(run, quick=quick), FakePulse())

    again = perform_action(services, known, call(run, quick=quick), FakePulse())

    assert again.output == {"text": "", "value": 1}
    assert len(note.seen) == 1


def test_work_inside_the_transaction_happens_once_however_often_it_is_called(
    services: Services, run: WorkflowRun
) -> None:
    known = tools(action(add_one, **INSIDE))
    answers = [
        perform_action(services, known, call(run, quick=True), FakePulse()) for _ in range(3)
    ]

    assert [answer.output["value"] for answer in answers] == [1, 1, 1]
    assert counted(services.store) == 1


def test_two_workers_that_do_the_same_call_at_once_do_it_once(
    services: Services, run: WorkflowRun
) -> None:
    both = threading.Barrier(2, timeout=5)
    on_postgres = services.store.engine.dialect.name == "postgresql"

    def slowly(given: Anything, context: ActionContext) -> dict[str, Any]:
        if on_postgres and not both.broken:
            both.wait()
        return add_one(given, context)

    known = tools(action(slowly, **INSIDE))
    answers: list[ActionAnswer] = []

    def attempt() -> None:
        answers.append(perform_action(services, known, call(run, quick=True), FakePulse()))

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert [answer.output["value"] for answer in answers] == [1, 1]
    assert counted(services.store) == 1


def test_a_repetition_that_fails_after_a_success_is_a_success(
    services: Services, run: WorkflowRun
) -> None:
    """As `store.set` with an expected revision does: its first execution has raised it."""

    def once(given: Anything, context: ActionContext) -> dict[str, Any]:
        if counted(services.store):
            raise StepFailed(Category.ACTION, "the revision is another one")
        return add_one(given, context)

    known = tools(action(once, **INSIDE))
    perform_action(services, known, call(run, quick=True), FakePulse())

    again = perform_action(services, known, call(run, quick=True), FakePulse())

    assert again.output["value"] == 1
    assert step_row(services.store, run).status == StepStatus.SUCCEEDED


def test_a_failure_inside_the_transaction_leaves_nothing_of_the_work(
    services: Services, run: WorkflowRun
) -> None:
    def fails(given: Anything, context: ActionContext) -> dict[str, Any]:
        add_one(given, context)
        raise StepFailed(Category.ACTION, "no", code="NO", details={"a": 1})

    with pytest.raises(StepFailed):
        perform_action(services, tools(action(fails, **INSIDE)), call(run, quick=True), FakePulse())

    assert counted(services.store) is None
    row = step_row(services.store, run)
    assert row.status == StepStatus.FAILED
    assert row.error_json["category"] == "ActionError"
    assert (row.error_json["code"], row.error_json["details"]) == ("NO", {"a": 1})
    assert (row.error_json["nodePath"], row.error_json["iter"]) == ("root.steps[0]", [])
    assert invocation(services.store).status == InvocationStatus.FAILED


def test_a_database_that_is_away_is_no_failure_of_the_action(
    services: Services, run: WorkflowRun
) -> None:
    def lost(given: Anything, context: ActionContext) -> dict[str, Any]:
        raise OperationalError("SELECT 1", {}, Exception("connection lost"))

    with pytest.raises(OperationalError):
        perform_action(services, tools(action(lost, **INSIDE)), call(run, quick=True), FakePulse())

    assert rows(services.store, WorkflowRunStep) == []


@pytest.mark.parametrize(("nature", "quick"), FORMS)
def test_an_attempt_that_will_be_repeated_says_when(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    def fails(given: Anything, context: ActionContext) -> dict[str, Any]:
        raise StepFailed(Category.TRANSIENT, "later")

    retry = {"maxAttempts": 2, "backoffMs": 1000, "jitter": False}
    known = tools(action(fails, **nature))
    with pytest.raises(StepFailed):
        perform_action(services, known, call(run, quick=quick, retry=retry), FakePulse())
    with pytest.raises(StepFailed):
        perform_action(services, known, call(run, quick=quick, retry=retry, attempt=2), FakePulse())

    first, second = step_row(services.store, run), step_row(services.store, run, attempt=2)
    assert first.status == StepStatus.RETRY_SCHEDULED
    assert first.next_retry_at == NOW + timedelta(seconds=1)
    assert (second.status, second.next_retry_at) == (StepStatus.FAILED, None)
    assert invocation(services.store).attempt == 2


def test_a_failure_that_somebody_handles_says_so(services: Services, run: WorkflowRun) -> None:
    def fails(given: Anything, context: ActionContext) -> dict[str, Any]:
        raise StepFailed(Category.ACTION, "no")

    with pytest.raises(StepFailed):
        perform_action(
            services, tools(action(fails)), call(run, handled_by="continue"), FakePulse()
        )

    assert step_row(services.store, run).handled


def test_a_retry_after_a_failure_is_made_with_the_same_key(
    services: Services, run: WorkflowRun
) -> None:
    def second_time(given: Anything, context: ActionContext) -> dict[str, Any]:
        if context.attempt == 1:
            raise StepFailed(Category.TRANSIENT, "later")
        return {"value": "done"}

    note = Calls(second_time)
    known = tools(action(note))
    retry = {"maxAttempts": 2, "backoffMs": 0}
    with pytest.raises(StepFailed):
        perform_action(services, known, call(run, retry=retry), FakePulse())
    answer = perform_action(services, known, call(run, retry=retry, attempt=2), FakePulse())

    assert answer.output["value"] == "done"
    assert note.seen[0].idempotency_key == note.seen[1].idempotency_key
    entry = invocation(services.store)
    assert (entry.status, entry.attempt, entry.error_json) == ("SUCCEEDED", 2, None)


def test_each_iteration_of_a_loop_is_a_call_of_its_own(
    services: Services, run: WorkflowRun
) -> None:
    known = tools(action(add_one, **INSIDE))
    values = [
        perform_action(services, known, call(run, quick=True, iter=[i]), FakePulse()).output
        for i in range(3)
    ]

    assert [value["value"] for value in values] == [1, 2, 3]


def test_the_authors_key_holds_for_every_run(services: Services, run: WorkflowRun) -> None:
    of = builders.definition()
    other = builders.run(of)
    builders.save(services.store, of, other)
    note = Calls()
    known = tools(action(note))
    perform_action(
        services, known, call(run, idempotency_key="order-5", input={"value": 1}), FakePulse()
    )

    answer = perform_action(
        services, known, call(other, idempotency_key="order-5", input={"value": 2}), FakePulse()
    )

    assert answer.output["value"] == 1
    assert [seen.idempotency_key for seen in note.seen] == ["order-5"]
