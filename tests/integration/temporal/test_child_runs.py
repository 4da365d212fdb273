"""control.callWorkflow: a run of its own for each attempt, owned by the run that calls it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.contract import temporal_workflow_id
from engine.store.tables import WorkflowDefinition
from tests.integration.temporal.children import children, error_of, failing, key
from tests.steps import act, assign, call, expr, try_catch
from tests.studio import Studio

pytestmark = pytest.mark.temporal


def test_a_child_is_a_run_of_its_own_and_its_scopes_are_mapped_back(worked: Studio) -> None:
    """Bar 18. Row, ids, lineage, input, output; no timeout on the execution."""
    child = worked.publish(
        assign("sum", total="payload.n + 1", zebra="1", apple="2"),
        payloadSchema={"type": "object", "properties": {"n": {"type": "integer"}}},
    )
    outputs = {
        "vars.total": expr("childRun.vars.total"),
        "vars.names": expr("$keys(childRun.vars)"),
        "payload.given": expr("childRun.payload.n"),
        "vars.run": expr("childRun.system.runId"),
    }
    run = worked.execute(
        call("sub", key(child), {"n": expr("payload.a")}, outputs),
        act("send", value=expr("vars")),
        payload={"a": 4},
    )

    assert run.status == "SUCCEEDED", run.error_json
    (row,) = children(worked, run.run_id)
    assert (row.status, row.input_json, row.root_run_id) == ("SUCCEEDED", {"n": 4}, run.run_id)
    assert row.trigger_metadata_json == {
        "parentRunId": run.run_id,
        "rootRunId": run.run_id,
        "parentStepPath": "root.steps[0]",
    }
    assert (row.trigger_type, row.engine) == (None, "temporal")
    assert row.temporal_workflow_id == temporal_workflow_id(row.run_id)
    assert row.claimed_by is not None
    (send,) = worked.steps(run.run_id, definition_step_id="send")
    assert (send.output_json or {})["value"] == {
        "total": 5,
        "names": ["total", "zebra", "apple"],
        "run": row.run_id,
    }
    assert worked.outline(run.run_id) == [("sub", 1, "SUCCEEDED"), ("send", 1, "SUCCEEDED")]
    started = _child_started(worked, run.run_id)
    assert started.workflow_id == row.temporal_workflow_id
    assert not started.workflow_run_timeout.seconds
    assert not started.workflow_execution_timeout.seconds


def _child_started(studio: Studio, run_id: str) -> Any:
    (event,) = [
        event.start_child_workflow_execution_initiated_event_attributes
        for event in studio.history(run_id).events
        if event.HasField("start_child_workflow_execution_initiated_event_attributes")
    ]
    return event


def test_large_scopes_come_by_reference_with_their_true_values(worked: Studio) -> None:
    """Neither history holds them: 200 KB in one var, and another one that is a reference itself."""
    child = worked.publish(
        {**act("big", "quick", bytes=200_000), "config": _saved("big", bytes=200_000)},
        assign("note", many="$string(payload.text)"),
    )
    outputs = {
        "vars.size": expr("len(childRun.vars.big.text)"),
        "vars.many": expr("len(childRun.vars.many)"),
    }
    inputs = {"text": expr("payload.text")}
    run = worked.execute(
        call("sub", key(child), inputs, outputs),
        act("send", value=expr("vars")),
        payload={"text": "y" * 100_000},
    )

    assert run.status == "SUCCEEDED", run.error_json
    (send,) = worked.steps(run.run_id, definition_step_id="send")
    assert (send.output_json or {})["value"] == {"size": 200_000, "many": 100_000}
    ended = [
        event.child_workflow_execution_completed_event_attributes.result.payloads[0].data
        for event in worked.history(run.run_id).events
        if event.HasField("child_workflow_execution_completed_event_attributes")
    ]
    assert len(ended[0]) < 1000


def _saved(name: str, **input: Any) -> dict[str, Any]:
    return {
        "actionId": "work.quick",
        "version": 1,
        "inputMapping": {"note": name, **input},
        "saveAs": name,
    }


def test_a_child_whose_scopes_nobody_reads_does_not_bring_them(worked: Studio) -> None:
    child = worked.publish(assign("sum", total="1"))
    run = worked.execute(call("sub", key(child)))

    assert run.status == "SUCCEEDED", run.error_json
    assert "total" not in worked.history(children(worked, run.run_id)[0].run_id).to_json()


def test_a_child_that_fails_is_a_child_workflow_error_with_its_cause(worked: Studio) -> None:
    """Bar 19."""
    child = worked.publish(failing())
    run = worked.execute(call("sub", key(child)))

    assert run.status == "FAILED"
    (row,) = children(worked, run.run_id)
    error = error_of(run)
    assert error["category"] == "ChildWorkflowError"
    assert error["nodePath"] == "root.steps[0]"
    details = error["details"]
    assert details["cause"] == row.error_json
    assert details["cause"]["category"] == "ActionError"
    assert {name: details[name] for name in details if name != "cause"} == {
        "workflowId": key(child),
        "workflowVersion": 1,
        "childRunId": row.run_id,
        "rootRunId": run.run_id,
    }


def test_every_attempt_is_a_new_child_run(worked: Studio) -> None:
    """Bar 21. `retryOn` matches the category of the cause."""
    child = worked.publish(
        try_catch("t", [act("mark", "quick")], []),
        {
            "id": "first",
            "type": "control.if",
            "condition": expr("payload.go"),
            "then": [],
            "else": [failing(category="TransientError")],
        },
    )
    retried = call("sub", key(child), {"go": expr("false")}, retry=_retry())
    run = worked.execute(try_catch("guard", [retried], [act("tidy", "quick")]))

    assert run.status == "SUCCEEDED", run.error_json
    rows = children(worked, run.run_id)
    assert [row.status for row in rows] == ["FAILED", "FAILED"]
    assert len({row.temporal_workflow_id for row in rows}) == 2
    assert worked.outline(run.run_id)[1:3] == [
        ("sub", 1, "RETRY_SCHEDULED"),
        ("sub", 2, "FAILED"),
    ]


def _retry(**more: Any) -> dict[str, Any]:
    return {"maxAttempts": 2, "backoffMs": 20, **more}


def test_a_failed_child_reaches_the_catch_and_on_error_continue(worked: Studio) -> None:
    """Bar 22, and W20: onError is honoured."""
    child = key(worked.publish(failing()))
    guarded = {**try_catch("guard", [call("sub", child)], []), "captureErrorAs": "why"}
    goes_on = {**call("again", child), "onError": {"policy": "continue"}}
    run = worked.execute(
        guarded, goes_on, act("send", value=expr("[vars.why.category, error.category]"))
    )

    assert run.status == "SUCCEEDED", run.error_json
    (send,) = worked.steps(run.run_id, definition_step_id="send")
    assert (send.output_json or {})["value"] == ["ChildWorkflowError", "ChildWorkflowError"]
    assert [(step.status, step.handled) for step in worked.steps(run.run_id)][1:3] == [
        ("FAILED", True),
        ("FAILED", True),
    ]


def test_an_input_that_is_refused_makes_no_run(worked: Studio) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    child = worked.publish(assign("a", b="1"), payloadSchema=schema)
    run = worked.execute(call("sub", key(child), {"n": expr("payload.n")}), payload={"n": "no"})

    assert run.status == "FAILED"
    assert children(worked, run.run_id) == []
    details = error_of(run)["details"]
    assert details["childRunId"] is None
    assert details["cause"]["category"] == "ValidationError"
    assert details["cause"]["code"] == "PAYLOAD_DOES_NOT_FIT"
    assert details["cause"]["details"]["problems"][0]["pointer"] == "/n"


def test_a_child_whose_workflow_is_paused_or_full_may_be_called_again(worked: Studio) -> None:
    child = worked.publish(assign("a", b="1"))
    _change(worked, child, is_paused=True)
    paused = worked.publish(
        call("sub", key(child), retry=_retry(maxAttempts=40, backoffMs=100, backoffMultiplier=1))
    )
    run_id = worked.start(paused)
    worked.eventually(lambda: len(worked.steps(run_id)) > 1)
    _change(worked, child, is_paused=False)

    assert worked.ended(run_id).status == "SUCCEEDED"
    first = worked.steps(run_id)[0]
    assert (first.error_json or {})["details"]["cause"]["code"] == "WORKFLOW_PAUSED"
    assert len(children(worked, run_id)) == 1

    _change(worked, child, concurrency_limit=0)
    run = worked.execute(call("sub", key(child)))
    assert error_of(run)["details"]["cause"]["category"] == "TransientError"
    assert error_of(run)["details"]["cause"]["code"] == "CONCURRENCY_LIMIT"


def _change(studio: Studio, of: WorkflowDefinition, **values: Any) -> None:
    with studio.store.writing() as session:
        found = session.get_one(WorkflowDefinition, of.workflow_id)
        for name, value in values.items():
            setattr(found, name, value)


def test_calls_go_eight_deep_and_no_deeper(worked: Studio) -> None:
    """Nothing that publish checks: the rows of nine workflows that call one another."""
    at = worked.publish(assign("end", b="1"))
    runs = []
    for _ in range(9):
        at = worked.publish(call("sub", key(at)))
        runs.append(at)
    fits, too_deep = worked.start(runs[7]), worked.start(runs[8])

    assert worked.ended(fits).status == "SUCCEEDED"
    failed = worked.ended(too_deep)
    assert failed.status == "FAILED"
    error = error_of(failed)
    for _ in range(9):
        assert error["category"] == "ChildWorkflowError"
        error = error["details"]["cause"]
    assert error["code"] == "WORKFLOW_CALLS_TOO_DEEP"


def test_calls_that_go_round_are_refused(worked: Studio) -> None:
    """callWorkflow recursion: published behind the back of the check, as another version."""
    first = worked.publish(assign("end", b="1"))
    second = worked.publish(call("back", key(first)))
    _call_each_other(worked, first, second)
    run = worked.ended(worked.start(first))

    assert run.status == "FAILED"
    cause = error_of(run)["details"]["cause"]["details"]["cause"]
    assert cause["code"] == "WORKFLOW_CALL_CYCLE"
    assert cause["category"] == "ValidationError"


def _call_each_other(studio: Studio, first: WorkflowDefinition, second: WorkflowDefinition) -> None:
    plan = {
        "format": 1,
        "steps": [
            {
                "id": "forth",
                "kind": "control.callWorkflow",
                "path": "root.steps[0]",
                "config": {"workflowId": second.key, "workflowVersion": 1},
            }
        ],
    }
    studio.change_version(first, plan_json=plan)
