"""Secrets, inputs and outputs of an attempt, and the quota (docs/rules.md 3 and 4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.actions.action import ActionContext
from engine.errors import Category, StepFailed
from engine.runs.status import StepStatus
from engine.services.context import Services
from engine.services.perform_action import perform_action
from engine.store.tables import (
    StoredValue,
    WorkflowActionInvocation,
    WorkflowRun,
    WorkflowRunLog,
    WorkflowRunStep,
    WorkflowStepUsagePeriod,
)
from tests import builders
from tests.attempts import Anything, Calls, FakePulse, action, batch, call, guard, tools
from tests.builders import NOW
from tests.integration.store.performed import (
    FORMS,
    INSIDE,
    QUICK,
    begun_and_lost,
    rows,
    step_row,
)


def test_a_secret_is_opened_in_the_action_only_and_its_echo_is_masked(
    services: Services, run: WorkflowRun
) -> None:
    def echoes(given: Anything, context: ActionContext) -> dict[str, Any]:
        context.log("INFO", f"using {given.text}", {"with": given.text})
        return {"text": f"Bearer {given.text}", "value": [given.text]}

    wanted = call(run, input={"text": {"$secret": "API_KEY"}})
    answer = perform_action(
        services, tools(action(echoes), API_KEY="s3cr3t-value"), wanted, FakePulse()
    )

    assert answer.output == {"text": "Bearer [REDACTED]", "value": ["[REDACTED]"]}
    assert step_row(services.store, run).input_json == {"text": {"$secret": "API_KEY"}}
    stored = [
        *(vars(row) for row in rows(services.store, WorkflowRunStep)),
        *(vars(row) for row in rows(services.store, WorkflowActionInvocation)),
        *(vars(row) for row in rows(services.store, WorkflowRunLog)),
    ]
    assert len(stored) == 3
    assert "s3cr3t-value" not in str(stored)


def test_a_missing_secret_fails_the_step(services: Services, run: WorkflowRun) -> None:
    note = Calls()
    with pytest.raises(StepFailed) as raised:
        perform_action(
            services,
            tools(action(note)),
            call(run, input={"text": {"$secret": "NOT_THERE"}}),
            FakePulse(),
        )

    assert (raised.value.category, raised.value.code) == (Category.ACTION, "SECRET_NOT_FOUND")
    assert note.seen == []
    assert step_row(services.store, run).status == StepStatus.FAILED


def test_an_input_that_does_not_fit_the_schema_fails_the_step(
    services: Services, run: WorkflowRun
) -> None:
    with pytest.raises(StepFailed) as raised:
        perform_action(services, tools(action(Calls())), call(run, input={"other": 1}), FakePulse())

    assert raised.value.category is Category.VALIDATION
    assert step_row(services.store, run).error_json["category"] == "ValidationError"


def test_an_action_that_this_worker_does_not_have_fails_the_step(
    services: Services, run: WorkflowRun
) -> None:
    with pytest.raises(StepFailed) as raised:
        perform_action(services, tools(), call(run), FakePulse())

    assert raised.value.code == "UNKNOWN_ACTION"
    assert step_row(services.store, run).status == StepStatus.FAILED


@pytest.mark.parametrize(("nature", "quick"), FORMS)
def test_a_large_output_is_stored_once_and_passed_by_reference(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    large = "x" * 100_000
    known = tools(action(lambda *_: {"text": large}, **nature))

    answer = perform_action(services, known, call(run, quick=quick), FakePulse())
    again = perform_action(services, known, call(run, quick=quick), FakePulse())

    assert answer.by_reference
    assert answer.bytes < 300
    assert again == replace(answer, took_ms=again.took_ms)
    [value] = rows(services.store, StoredValue)
    assert value.value_json == {"text": large, "value": None}
    assert answer.output == {"$ref": value.value_id, "bytes": value.size_bytes}
    assert step_row(services.store, run).output_json == answer.output


def test_an_output_that_looks_like_a_reference_is_none(
    services: Services, run: WorkflowRun
) -> None:
    alike = {"$ref": "somewhere", "bytes": 3}
    answer = perform_action(
        services, tools(action(lambda *_: {"value": alike})), call(run), FakePulse()
    )

    assert answer.output["value"] == alike
    assert not answer.by_reference


def test_an_output_above_4_mib_is_an_action_error(services: Services, run: WorkflowRun) -> None:
    with pytest.raises(StepFailed) as raised:
        perform_action(
            services,
            tools(action(lambda *_: {"text": "x" * 4_200_000})),
            call(run),
            FakePulse(),
        )

    assert raised.value.code == "OUTPUT_TOO_LARGE"


def test_what_an_action_logs_is_written_with_its_row(services: Services, run: WorkflowRun) -> None:
    def logs(given: Anything, context: ActionContext) -> dict[str, Any]:
        context.log("WARN", "look\x00here", {"a": 1})
        return {}

    perform_action(services, tools(action(logs, **INSIDE)), call(run, quick=True), FakePulse())

    [line] = rows(services.store, WorkflowRunLog)
    assert (line.level, line.message, line.context_json) == ("WARN", "look\ufffdhere", {"a": 1})
    assert line.step_id == step_row(services.store, run).step_id


def test_texts_that_postgresql_refuses_do_not_stop_a_failure_from_being_written(
    services: Services, run: WorkflowRun
) -> None:
    def fails(given: Anything, context: ActionContext) -> dict[str, Any]:
        raise StepFailed(Category.ACTION, "bad\x00word", details={"half": "\ud800", "n": [1]})

    with pytest.raises(StepFailed):
        perform_action(services, tools(action(fails)), call(run), FakePulse())

    error = step_row(services.store, run).error_json
    assert (error["message"], error["details"]) == ("bad\ufffdword", {"half": "\ufffd", "n": [1]})


class TestQuota:
    @pytest.fixture
    def limited(self, services: Services) -> Services:
        builders.save(
            services.store,
            WorkflowStepUsagePeriod(
                period_start=NOW - timedelta(days=1),
                period_end=NOW + timedelta(days=1),
                period_source="fallback_calendar",
                effective_limit=2,
                used_count=0,
                created_at=NOW,
                updated_at=NOW,
            ),
        )
        return services

    def test_a_quick_action_is_counted_before_its_effect(
        self, limited: Services, run: WorkflowRun
    ) -> None:
        note = Calls()
        known = tools(action(note, **QUICK))
        answers = [
            perform_action(limited, known, call(run, quick=True, iter=[i]), FakePulse())
            for i in range(3)
        ]

        assert len(note.seen) == 2
        assert answers[2].quota is not None
        assert answers[2].quota["usedCount"] == answers[2].quota["limit"] == 2
        assert len(rows(limited.store, WorkflowRunStep)) == 2

    def test_an_attempt_that_was_counted_and_lost_is_not_counted_again(
        self, limited: Services, run: WorkflowRun
    ) -> None:
        begun_and_lost(limited, call(run), repeatable=True)
        perform_action(limited, tools(action(Calls(), repeatable=True)), call(run), FakePulse())

        [period] = rows(limited.store, WorkflowStepUsagePeriod)
        assert period.used_count == 1


def test_rows_of_a_lost_task_are_superseded_and_those_that_come_again_are_not(
    services: Services, run: WorkflowRun
) -> None:
    known = tools(action(Calls(), **QUICK))
    lost = batch(run, guard=guard(history=9, completed=3), first_position=1)
    perform_action(services, known, call(run, quick=True), FakePulse())
    for index in (1, 2):
        wanted = call(run, quick=True, iter=[index], position=index + 1, batch=lost)
        perform_action(services, known, wanted, FakePulse())

    again = batch(run, guard=guard(history=12, completed=3), first_position=1)
    wanted = call(run, quick=True, iter=[1], position=2, batch=again)
    perform_action(services, known, wanted, FakePulse())

    by_iter = {tuple(row.iter): row.superseded for row in rows(services.store, WorkflowRunStep)}
    assert by_iter == {(): False, (1,): False, (2,): True}
