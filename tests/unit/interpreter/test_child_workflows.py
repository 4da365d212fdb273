"""control.callWorkflow."""

from __future__ import annotations

from datetime import timedelta

from engine.errors import Category, StepFailed
from tests.fakes import START, FakeHost, Lasting, execute
from tests.unit.interpreter.plans import (
    action,
    attempt,
    child,
    expr,
    plan,
    row,
    rows,
)

RETRY = {"maxAttempts": 2, "backoffMs": 1000, "jitter": False}


def child_failed(cause: str = "TransientError") -> StepFailed:
    return StepFailed(
        Category.CHILD,
        "the child failed",
        details={"childRunId": "c-1", "cause": {"category": cause, "message": "m"}},
    )


def test_a_child_gets_its_payload_and_its_scopes_are_mapped_back() -> None:
    host = FakeHost({"other": Lasting(9, {"vars": {"total": 5}, "meta": {"state": "done"}})})
    outputs = {
        "vars.total": expr("childRun.vars.total"),
        "payload.more": expr("vars.total + 1"),
        "meta.state": expr("childRun.meta.state"),
    }

    outcome = execute(
        plan(child("call", {"n": expr("payload.n")}, outputs)), host, payload={"n": 1}
    )

    (request,) = host.calls("child")
    assert (request.workflow_key, request.workflow_version) == ("other", 3)
    assert request.payload == {"n": 1}
    assert outcome.scopes["vars"] == {"total": 5}
    assert outcome.scopes["payload"] == {"n": 1, "more": 6}
    assert host.labels == ["done"]
    assert rows(host) == ["call STARTED", "call SUCCEEDED"]
    assert row(host, "call").input == {"n": 1}
    assert row(host, "call").output == {
        "vars": {"total": 5},
        "payload": {"more": 6},
        "meta": {"state": "done"},
    }


def test_child_run_is_known_in_the_output_mapping_only() -> None:
    host = FakeHost({"other": {"vars": {}}})

    outcome = execute(plan(child("call"), action("act", {"a": expr("childRun")})), host)

    assert outcome.status == "FAILED"
    assert host.performed() == []


def test_a_failed_child_is_a_child_workflow_error_with_its_cause() -> None:
    host = FakeHost({"other": child_failed()})

    outcome = execute(plan(child("call")), host)

    assert outcome.error is not None
    assert outcome.error["category"] == "ChildWorkflowError"
    assert outcome.error["details"]["cause"]["category"] == "TransientError"
    assert rows(host) == ["call STARTED", "call FAILED"]


def test_a_failed_child_reaches_the_catch_around_it() -> None:
    host = FakeHost({"other": child_failed()})

    outcome = execute(plan(attempt("try", [child("call")], [action("mend")], "e")), host)

    assert host.performed() == ["mend"]
    assert outcome.scopes["vars"]["e"]["category"] == "ChildWorkflowError"


def test_a_child_call_honours_on_error_continue() -> None:
    host = FakeHost({"other": child_failed()})

    outcome = execute(plan(child("call", on_error="continue"), action("after")), host)

    assert outcome.status == "SUCCEEDED"
    assert host.performed() == ["after"]
    assert row(host, "call").handled


def test_every_attempt_is_a_child_of_its_own_with_the_same_payload() -> None:
    host = FakeHost({"other": [child_failed(), {"vars": {"ok": 1}}]})
    calling = child("call", {"at": expr("nowIso()")}, {"vars.ok": expr("childRun.vars.ok")})

    outcome = execute(plan({**calling, "retry": RETRY}), host)

    first, second = host.calls("child")
    assert first.payload == second.payload
    assert (first.place.attempt, second.place.attempt) == (1, 2)
    assert host.calls("back off") == [START + timedelta(seconds=1)]
    assert outcome.scopes["vars"] == {"ok": 1}
    assert rows(host) == [
        "call STARTED",
        "call RETRY_SCHEDULED",
        "call STARTED",
        "call SUCCEEDED",
    ]


def test_a_child_is_not_run_again_because_its_output_cannot_be_mapped() -> None:
    host = FakeHost({"other": {"vars": {}}})
    calling = child("call", {}, {"vars.x": expr("childRun.vars.missing")})
    policy = {**RETRY, "retryOn": ["ExpressionError"]}

    outcome = execute(plan({**calling, "retry": policy}), host)

    assert outcome.error is not None
    assert outcome.error["category"] == Category.EXPRESSION
    assert len(host.calls("child")) == 1
    assert row(host, "call").status == "FAILED"


def test_every_attempt_asks_for_quota() -> None:
    host = FakeHost({"other": child_failed()})

    execute(plan({**child("call"), "retry": RETRY}), host)

    assert len(host.calls("admit")) == 2
