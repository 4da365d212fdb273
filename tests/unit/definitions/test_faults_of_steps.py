"""Faults of fields, expressions, paths and names: each with its code and place."""

from __future__ import annotations

from typing import Any

import pytest

from engine.definitions.check import Severity
from tests.unit.definitions.sample import (
    FIRST,
    SCHEMA,
    assign,
    branch,
    call,
    check,
    document,
    expr,
    is_warning,
    loop,
    said,
    wait,
)

BAD: list[tuple[str, Any, list[tuple[str, str]]]] = [
    # fields that are nowhere or elsewhere
    ("a name on control", document({"id": "r", "type": "control.return", "name": "x"}),
     [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    ("an ai field", document(call(aiOutputSchema={})), [("INVALID_CONFIG", FIRST)]),
    ("an unknown config field", document(call(retries=3)), [("INVALID_CONFIG", FIRST)]),
    ("fields beside config", document({"id": "s", "type": "state.set", "state": "x"}),
     [("INVALID_CONFIG", FIRST), ("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    ("an empty state", document({"id": "s", "type": "state.set", "config": {"state": ""}}),
     [("INVALID_CONFIG", FIRST)]),
    ("retry on assign", document(assign() | {"retry": {"maxAttempts": 1, "backoffMs": 0}}),
     [("RETRY_HAS_NO_EFFECT", FIRST)]),
    ("retry on control", document(branch(retry={})), [("RETRY_HAS_NO_EFFECT", FIRST)]),
    ("onError on state", document({"id": "s", "type": "state.set", "config": {"state": "x"},
                                   "onError": {"policy": "continue"}}),
     [("ON_ERROR_HAS_NO_EFFECT", FIRST)]),
    ("onError on return", document({"id": "r", "type": "control.return",
                                    "onError": {"policy": "continue"}}),
     [("ON_ERROR_HAS_NO_EFFECT", FIRST)]),
    ("retry of a transform", document(call(actionId="transform.trim_text")
                                      | {"retry": {"maxAttempts": 2, "backoffMs": 0}}),
     [("RETRY_HAS_NO_EFFECT", FIRST)]),
    ("retry without attempts", document(call() | {"retry": {"backoffMs": 5}}),
     [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    ("0 attempts", document(call() | {"retry": {"maxAttempts": 0, "backoffMs": 5}}),
     [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    ("an unknown category", document(call() | {"retry": {"maxAttempts": 1, "backoffMs": 5,
                                                         "retryOn": ["Timeout"]}}),
     [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    ("retryOn Cancellation", document(call() | {"retry": {"maxAttempts": 1, "backoffMs": 5,
                                                          "retryOn": ["Cancellation"]}}),
     [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    ("an onError policy", document(call() | {"onError": {"policy": "ignore"}}),
     [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    # expressions
    ("a condition as text", document(branch(condition="payload.x")),
     [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    ("a condition as boolean", document(branch(condition=True)),
     [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    ("a key beside $expr", document(branch(condition={"$expr": "true", "x": 1})),
     [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    ("a syntax error", document(branch(condition=expr("payload."))), [("INVALID_EXPR", FIRST)]),
    ("an empty condition", document(branch(condition=expr(" "))), [("INVALID_EXPR", FIRST)]),
    ("eval", document(branch(condition=expr("$eval('1')"))), [("INVALID_EXPR", FIRST)]),
    ("a lambda", document(loop(items=expr("$map(payload.l, function($x){$x})"))),
     [("INVALID_EXPR", FIRST)]),
    ("an expression over 8 KiB", document(branch(condition=expr("'" + "x" * 9000 + "'"))),
     [("INVALID_EXPR", FIRST)]),
    ("a bad assigned value", document(assign(**{"vars.x": expr("1 +")})),
     [("INVALID_EXPR", FIRST)]),
    ("a literal assigned", document(assign(**{"vars.x": 5})), [("INVALID_CONFIG", FIRST)]),
    ("a secret assigned", document(assign(**{"vars.x": {"$secret": "A"}})),
     [("INVALID_CONFIG", FIRST), ("INVALID_CONFIG", FIRST)]),
    ("a bad idempotency key", document(call(idempotencyKey=expr("foo(1)"))),
     [("INVALID_EXPR", FIRST)]),
    ("a bad mapping", document(call(inputMapping={"a": [expr("$now()")]})),
     [("INVALID_EXPRESSION", FIRST)]),
    ("an empty mapping", document(call(inputMapping={"a": expr("")})),
     [("EMPTY_EXPRESSION", FIRST)]),
    ("a number as mapping", document(call(inputMapping={"a": {"$expr": 5}})),
     [("INVALID_EXPRESSION", FIRST)]),
    ("beside $expr in a mapping", document(call(inputMapping={"a": {"$expr": "1", "b": 2}})),
     [("INVALID_EXPRESSION", FIRST)]),
    ("a name nobody gives", document(branch(condition=expr("paylod.x = 1"))),
     [("UNKNOWN_NAME", FIRST)]),
    ("a loop's name outside", document(loop(), branch(condition=expr("index = 1"))),
     [("UNKNOWN_NAME", "root.steps[1]")]),
    # paths and names
    ("an unscoped assignment", document(assign(x=expr("1"))), [("INVALID_ASSIGN_PATH", FIRST)]),
    ("a system assignment", document(assign(**{"system.x": expr("1")})),
     [("INVALID_ASSIGN_PATH", FIRST)]),
    ("__proto__", document(assign(**{"vars.__proto__.x": expr("1")})),
     [("INVALID_ASSIGN_PATH", FIRST)]),
    ("a prototype in saveAs", document(call(saveAs="a.prototype")),
     [("INVALID_ASSIGN_PATH", FIRST)]),
    ("an empty part in saveAs", document(call(saveAs="vars..a")), [("INVALID_ASSIGN_PATH", FIRST)]),
    ("a wait's assignment", document(wait(mode="duration", durationMs=1, assign={"x": expr("1")})),
     [("INVALID_ASSIGN_PATH", FIRST)]),
    ("a payload path not in the schema",
     document(assign(**{"payload.zz": expr("1")}), payloadSchema=SCHEMA),
     [("ASSIGN_PATH_UNKNOWN", FIRST)]),
    ("itemVar payload", document(loop(itemVar="payload")), [("INVALID_NAME", FIRST)]),
    ("itemVar with a dash", document(loop(itemVar="my-item")), [("INVALID_NAME", FIRST)]),
    ("itemVar index", document(loop(itemVar="index")), [("INVALID_NAME", FIRST)]),
    ("captureErrorAs error",
     document({"id": "t", "type": "control.tryCatch", "try": [], "catch": [],
               "captureErrorAs": "error"}), [("INVALID_NAME", FIRST)]),
    ("an empty itemVar", document(loop(itemVar="")), [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    ("concurrency 51", document(loop(concurrency=51)),
     [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    ("concurrency 0", document(loop(concurrency=0)), [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    ("onItemError skip", document(loop(onItemError="skip")),
     [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "expected"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_a_fault_is_found_with_its_code_and_place(
    data: Any, expected: list[tuple[str, str]]
) -> None:
    assert said(data) == expected
    for finding in check(data):
        assert finding.message[-1] in ".)"
        assert (finding.severity is Severity.WARNING) == is_warning(finding)
