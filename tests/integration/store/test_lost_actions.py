"""An action whose worker was lost, hangs, is cancelled or leaves (docs/rules.md 3)."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.actions.action import ActionContext
from engine.errors import Category, StepFailed
from engine.runs.status import InvocationStatus, StepStatus
from engine.services import reserve_action
from engine.services.attempt import Stop, Stopped
from engine.services.claim_call import CallIsBusy
from engine.services.context import Services
from engine.services.perform_action import perform_action
from engine.services.reserve_action import LeaseLost
from engine.store.tables import (
    WorkflowRun,
)
from tests.attempts import Anything, Calls, FakePulse, action, call, tools
from tests.builders import NOW
from tests.integration.store.performed import (
    FORMS,
    after_the_lease,
    begun_and_lost,
    invocation,
    step_row,
)


def test_a_lost_action_that_must_not_be_repeated_ends_with_outcome_unknown(
    services: Services, run: WorkflowRun
) -> None:
    begun_and_lost(services, call(run))
    note = Calls()

    with pytest.raises(StepFailed) as raised:
        perform_action(after_the_lease(services), tools(action(note)), call(run), FakePulse())

    assert raised.value.category is Category.OUTCOME_UNKNOWN
    assert note.seen == []
    row = step_row(services.store, run)
    assert (row.status, row.error_json["category"]) == ("FAILED", "OutcomeUnknown")
    assert invocation(services.store).status == InvocationStatus.FAILED


def test_an_unknown_outcome_stays_unknown_when_temporal_has_not_heard_of_it(
    services: Services, run: WorkflowRun
) -> None:
    begun_and_lost(services, call(run))
    note = Calls()

    for _ in range(2):
        with pytest.raises(StepFailed) as raised:
            perform_action(after_the_lease(services), tools(action(note)), call(run), FakePulse())

    assert raised.value.category is Category.OUTCOME_UNKNOWN
    assert note.seen == []


def test_a_failure_that_must_not_be_repeated_is_told_again_when_temporal_has_not_heard_of_it(
    services: Services, run: WorkflowRun
) -> None:
    """It may have taken effect before it failed."""
    note = Calls()

    def fails(given: Anything, context: ActionContext) -> dict[str, Any]:
        note(given, context)
        raise StepFailed(Category.ACTION, "No.", code="NO", details={"status": 502})

    for _ in range(2):
        with pytest.raises(StepFailed) as raised:
            perform_action(services, tools(action(fails)), call(run), FakePulse())

    assert (raised.value.message, raised.value.code) == ("No.", "NO")
    assert raised.value.details == {"status": 502}
    assert len(note.seen) == 1
    row = step_row(services.store, run)
    assert (row.status, row.error_json["code"]) == ("FAILED", "NO")


def test_while_the_lease_of_such_an_action_runs_its_outcome_is_waited_for(
    services: Services, run: WorkflowRun
) -> None:
    begun_and_lost(services, call(run))

    with pytest.raises(CallIsBusy):
        perform_action(services, tools(action(Calls())), call(run), FakePulse())

    assert step_row(services.store, run).status == StepStatus.STARTED


def test_a_lease_from_a_clock_that_was_ahead_keeps_nobody_waiting(
    services: Services, run: WorkflowRun
) -> None:
    begun_and_lost(replace(services, now=lambda: NOW + timedelta(minutes=10)), call(run))

    with pytest.raises(StepFailed) as raised:
        perform_action(services, tools(action(Calls())), call(run), FakePulse())

    assert raised.value.category is Category.OUTCOME_UNKNOWN


@pytest.mark.parametrize(
    ("nature", "consent"),
    [
        pytest.param({"repeatable": True}, {}, id="repeatable"),
        pytest.param({}, {"retry": {"maxAttempts": 2, "backoffMs": 0}}, id="retry policy"),
    ],
)
def test_a_lost_action_is_repeated_at_once_where_it_may_be(
    services: Services, run: WorkflowRun, nature: dict[str, Any], consent: dict[str, Any]
) -> None:
    begun_and_lost(services, call(run, **consent), **nature)

    answer = perform_action(
        services, tools(action(Calls(), **nature)), call(run, **consent), FakePulse()
    )

    assert answer.output is not None
    assert step_row(services.store, run).status == StepStatus.SUCCEEDED


def test_who_lost_the_lease_does_not_close_the_call(services: Services, run: WorkflowRun) -> None:
    nature = {"repeatable": True}

    def overtaken(given: Anything, context: ActionContext) -> dict[str, Any]:
        perform_action(
            services,
            tools(action(lambda *_: {"value": "the other"}, **nature)),
            call(run),
            FakePulse(),
        )
        return {"value": "mine"}

    with pytest.raises(LeaseLost):
        perform_action(services, tools(action(overtaken, **nature)), call(run), FakePulse())

    assert invocation(services.store).output_json["value"] == "the other"
    assert step_row(services.store, run).output_json["value"] == "the other"


def test_the_lease_is_held_while_the_action_runs(
    services: Services, run: WorkflowRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.services.attempt.BEAT_EVERY_S", 0.05)
    monkeypatch.setattr(reserve_action, "_EXTEND_EVERY", timedelta(0))
    clock = {"now": NOW}
    moving = replace(services, now=lambda: clock["now"])
    expiries = []

    def watches(given: Anything, context: ActionContext) -> dict[str, Any]:
        expiries.append(invocation(services.store).lease_expires_at)
        clock["now"] = NOW + timedelta(seconds=10)
        deadline = time.monotonic() + 5
        while invocation(services.store).lease_expires_at == expiries[0]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        expiries.append(invocation(services.store).lease_expires_at)
        return {}

    pulse = FakePulse()
    perform_action(moving, tools(action(watches)), call(run), pulse)

    assert expiries == [NOW + timedelta(seconds=15), NOW + timedelta(seconds=25)]
    assert pulse.beats > 0


@pytest.mark.parametrize(("nature", "quick"), FORMS)
def test_code_that_hangs_is_given_up_when_its_time_is_over(
    services: Services, run: WorkflowRun, nature: dict[str, Any], quick: bool
) -> None:
    free = threading.Event()
    began = time.monotonic()
    with pytest.raises(StepFailed) as raised:
        perform_action(
            services,
            tools(action(lambda *_: free.wait(20) and {}, **nature)),
            call(run, quick=quick, timeout_ms=300),
            FakePulse(),
        )
    free.set()

    assert raised.value.category is Category.TIMEOUT
    assert raised.value.details == {"timeoutMs": 300}
    assert time.monotonic() - began < 3
    assert step_row(services.store, run).error_json["category"] == "TimeoutError"


def test_an_action_that_heeds_a_cancel_is_canceled(services: Services, run: WorkflowRun) -> None:
    def heeds(given: Anything, context: ActionContext) -> dict[str, Any]:
        while True:
            context.raise_if_cancelled()
            time.sleep(0.02)

    with pytest.raises(StepFailed) as raised:
        perform_action(services, tools(action(heeds)), call(run), FakePulse(Stop.REQUESTED))

    assert raised.value.category is Category.CANCELLATION
    assert step_row(services.store, run).status == StepStatus.CANCELED


def test_an_action_that_does_not_is_given_up_with_its_outcome_unknown(
    services: Services, run: WorkflowRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.services.attempt.LONG_GRACE_S", 0.3)
    free = threading.Event()
    with pytest.raises(StepFailed) as raised:
        perform_action(
            services,
            tools(action(lambda *_: free.wait(20) and {})),
            call(run),
            FakePulse(Stop.REQUESTED),
        )
    free.set()

    assert raised.value.category is Category.OUTCOME_UNKNOWN
    row = step_row(services.store, run)
    assert (row.status, row.error_json["category"]) == ("CANCELED", "OutcomeUnknown")
    assert invocation(services.store).status == InvocationStatus.FAILED


def test_an_outcome_that_comes_while_the_cancel_waits_is_the_truth(
    services: Services, run: WorkflowRun
) -> None:
    def ends(given: Anything, context: ActionContext) -> dict[str, Any]:
        while not context.cancelled():
            time.sleep(0.02)
        return {"value": "sent"}

    answer = perform_action(services, tools(action(ends)), call(run), FakePulse(Stop.REQUESTED))

    assert answer.output["value"] == "sent"
    assert step_row(services.store, run).status == StepStatus.SUCCEEDED


def test_a_worker_that_leaves_hands_a_repeatable_action_over(
    services: Services, run: WorkflowRun
) -> None:
    nature = {"repeatable": True}
    free = threading.Event()
    with pytest.raises(Stopped):
        perform_action(
            services,
            tools(action(lambda *_: free.wait(20) and {}, **nature)),
            call(run),
            FakePulse(Stop.LEAVING),
        )
    free.set()

    assert invocation(services.store).lease_expires_at == NOW
    assert step_row(services.store, run).status == StepStatus.STARTED


def test_a_worker_that_leaves_ends_what_must_not_be_repeated(
    services: Services, run: WorkflowRun
) -> None:
    def takes_a_moment(given: Anything, context: ActionContext) -> dict[str, Any]:
        time.sleep(0.5)
        return {"value": not context.cancelled()}

    answer = perform_action(
        services, tools(action(takes_a_moment)), call(run), FakePulse(Stop.LEAVING)
    )

    assert answer.output["value"] is True
