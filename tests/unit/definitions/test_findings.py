"""What a finding says, and that all of them come in one pass."""

from __future__ import annotations

from typing import Any

import pytest

from engine.definitions.check import Severity, has_errors
from tests.unit.definitions.sample import (
    FIRST,
    assign,
    branch,
    call,
    check,
    document,
    expr,
    loop,
    said,
    task,
    wait,
)


def test_all_faults_are_found_in_one_pass_each_at_its_own_step() -> None:
    data = document(
        branch(
            loop(
                call("a", actionId="nope"),
                {"id": "b", "type": "nope"},
                assign("c", **{"vars.x": expr("1 +")}),
                {"id": "d", "type": "control.tryCatch", "try": [{"id": "e"}],
                 "catch": [call("a")]},
            ),
            **{"else": [wait(mode="duration")]},
        ),
        call("z", idempotencyKey="x"),
        name="",
    )  # fmt: skip
    inside = "root.steps[0].then.steps[0].body.steps"
    assert said(data) == [
        ("INVALID_WORKFLOW_DEFINITION", "root"),
        ("UNKNOWN_ACTION", f"{inside}[0]"),
        ("UNKNOWN_NODE_TYPE", f"{inside}[1]"),
        ("INVALID_EXPR", f"{inside}[2]"),
        ("INVALID_WORKFLOW_DEFINITION", f"{inside}[3].try.steps[0]"),
        ("DUPLICATE_STEP_ID", f"{inside}[3].catch.steps[0]"),
        ("INVALID_CONFIG", "root.steps[0].else.steps[0]"),
        ("INVALID_CONFIG", "root.steps[1]"),
    ]
    ids = {finding.step_path: finding.step_id for finding in check(data)}
    assert ids["root"] is None
    assert ids["root.steps[1]"] == "z"
    assert ids[f"{inside}[3].try.steps[0]"] == "e"


@pytest.mark.parametrize(
    ("data", "suggestion"),
    [
        (document({"id": "x", "type": "action.cal"}), "Did you mean action.call?"),
        (document({"id": "x", "type": "control.foreach"}), "Did you mean control.forEach?"),
        (document(call(actionId="log.writ")), "Did you mean log.write?"),
        (document(call(actionId="mail.send", version=9)), "There is version 1, 2."),
        (document(branch(condition=expr("$exist(payload.x)"))), "Did you mean $exists(value)?"),
        (document(branch(condition=expr("paylod.x"))), "Did you mean payload?"),
        (document(assign(x=expr("1"))), "Write vars.x."),
        (document(redact=["/token"]), "Write /payload/token."),
        (document(payloadSchemaRef="payload.Empti.v1"), "Did you mean payload.Empty.v1?"),
    ],
)
def test_a_finding_says_what_was_meant(data: Any, suggestion: str) -> None:
    assert [finding.suggestion for finding in check(data)] == [suggestion]


def test_a_secret_that_is_not_there_is_a_warning_where_the_names_are_known() -> None:
    data = document(call(inputMapping={"a": {"$secret": "API_KEI"}}))
    assert said(data) == []
    (finding,) = check(data, secrets=["API_KEY"])
    assert (finding.code, finding.severity) == ("UNKNOWN_SECRET", Severity.WARNING)
    assert finding.suggestion == "Did you mean API_KEY?"
    assert not has_errors([finding])


def test_schemas_and_task_types_of_the_installation_are_known() -> None:
    data = document(payloadSchemaRef="payload.Mine.v1")
    assert said(data, schemas={"payload.Mine.v1": {"type": "object"}}) == []
    asks = document(task(taskType="approve"))
    assert said(asks, task_types=["approve"]) == []
    assert ("UNKNOWN_TASK_TYPE", FIRST) in said(asks, task_types=["review"])


def test_a_finding_travels_as_the_language_names_it() -> None:
    (finding,) = check(document(call(actionId="log.writ")))
    assert finding.as_data() == {
        "severity": "error",
        "stepPath": "root.steps[0]",
        "stepId": "call",
        "code": "UNKNOWN_ACTION",
        "message": "There is no action log.writ@1.",
        "suggestion": "Did you mean log.write?",
    }
    (finding,) = check(document(name=""))
    assert set(finding.as_data()) == {"severity", "stepPath", "code", "message"}
