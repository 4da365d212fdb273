"""Faults of actions, secrets, waits and calls: each with its code and place."""

from __future__ import annotations

from typing import Any

import pytest

from engine.definitions.check import Severity
from tests.unit.definitions.sample import (
    FIRST,
    FULL,
    SCHEMA,
    SEND,
    call,
    check,
    child,
    document,
    event,
    expr,
    is_warning,
    said,
    task,
    wait,
)

BAD: list[tuple[str, Any, list[tuple[str, str]]]] = [
    # actions
    ("no config", document({"id": "x", "type": "action.call"}), [("INVALID_ACTION_CONFIG", FIRST)]),
    ("no action", document({"id": "x", "type": "action.call", "config": {"version": 1}}),
     [("INVALID_ACTION_CONFIG", FIRST)]),
    ("no version", document({"id": "x", "type": "action.call", "config": {"actionId": "x"}}),
     [("INVALID_ACTION_CONFIG", FIRST)]),
    ("an unknown action", document(call(actionId="log.writ")), [("UNKNOWN_ACTION", FIRST)]),
    ("an unknown version", document(call(version=7)), [("UNKNOWN_ACTION", FIRST)]),
    ("nothing mapped", document(call(**SEND)),
     [("MISSING_REQUIRED_MAPPING", FIRST), ("MISSING_REQUIRED_MAPPING", FIRST)]),
    ("one not mapped", document(call(**SEND, inputMapping={"to": expr("payload.to")})),
     [("MISSING_REQUIRED_MAPPING", FIRST)]),
    ("a deep one not mapped",
     document(call(**SEND, inputMapping=FULL | {"options": {"size": expr("1")}})),
     [("MISSING_REQUIRED_MAPPING", FIRST)]),
    ("an unknown input", document(call(**SEND, inputMapping=FULL | {"sujbect": "x"})),
     [("UNKNOWN_INPUT_FIELD", FIRST)]),
    ("an unknown input beside an expression",
     document(call(**SEND, inputMapping=FULL | {"subject": expr("'x'"), "cc": "x"})),
     [("UNKNOWN_INPUT_FIELD", FIRST)]),
    ("a literal of a wrong type", document(call(**SEND, inputMapping=FULL | {"to": "a@b.c"})),
     [("MAPPING_TYPE_INCOMPATIBLE", FIRST)]),
    ("a literal not in the enum", document(call(**SEND, inputMapping=FULL | {"level": "mid"})),
     [("MAPPING_TYPE_INCOMPATIBLE", FIRST)]),
    ("a payload field of a wrong type",
     document(call(**SEND, inputMapping=FULL | {"to": expr("payload.n")}), payloadSchema=SCHEMA),
     [("MAPPING_TYPE_INCOMPATIBLE", FIRST)]),
    ("a payload field that is unknown",
     document(call(**SEND, inputMapping=FULL | {"subject": expr("payload.zz")}),
              payloadSchema=SCHEMA),
     [("MAPPING_TYPE_UNKNOWN", FIRST)]),
    ("a secret where a list is wanted",
     document(call(**SEND, inputMapping=FULL | {"to": {"$secret": "A"}})),
     [("MAPPING_TYPE_INCOMPATIBLE", FIRST)]),
    ("a mapping that is a list", document(call(inputMapping=[])), [("INVALID_CONFIG", FIRST)]),
    ("a timeout of 0", document(call(timeoutMs=0)), [("INVALID_CONFIG", FIRST)]),
    ("a timeout over 24 h", document(call(timeoutMs=86_400_001)), [("INVALID_CONFIG", FIRST)]),
    # secrets and other keys
    ("a secret in lower case", document(call(inputMapping={"a": {"$secret": "key"}})),
     [("INVALID_SECRET_NAME", FIRST)]),
    ("beside a secret", document(call(inputMapping={"a": {"$secret": "KEY", "b": 1}})),
     [("INVALID_SECRET_NAME", FIRST)]),
    ("an unknown special key", document(call(inputMapping={"a": {"$exp": "1"}})),
     [("UNKNOWN_SPECIAL_KEY", FIRST)]),
    ("a secret for a transform",
     document(call(actionId="transform.trim_text", inputMapping={"text": {"$secret": "A"}})),
     [("SECRET_NOT_ALLOWED", FIRST)]),
    # waits
    ("no mode", document(wait(durationMs=5)), [("INVALID_CONFIG", FIRST)]),
    ("another mode", document(wait(mode="cron")), [("INVALID_CONFIG", FIRST)]),
    ("duration without one", document(wait(mode="duration")), [("INVALID_CONFIG", FIRST)]),
    ("both", document(wait(mode="duration", durationMs=5, until=expr("1"))),
     [("INVALID_CONFIG", FIRST)]),
    ("until without one", document(wait(mode="until")), [("INVALID_CONFIG", FIRST)]),
    ("a duration of 0", document(wait(mode="duration", durationMs=0)), [("INVALID_CONFIG", FIRST)]),
    ("over ten years", document(wait(mode="duration", durationMs=315_700_000_000)),
     [("INVALID_CONFIG", FIRST)]),
    ("no correlation key",
     document({"id": "e", "type": "event.wait", "config": {"eventName": "x"}}),
     [("INVALID_CONFIG", FIRST)]),
    ("an unknown operator", document(event(filters=[{"path": "a", "op": "~"}])),
     [("INVALID_CONFIG", FIRST)]),
    ("in without a list", document(event(filters=[{"path": "a", "op": "in", "value": 1}])),
     [("INVALID_CONFIG", FIRST)]),
    ("exists with a value", document(event(filters=[{"path": "a", "op": "exists", "value": 1}])),
     [("INVALID_CONFIG", FIRST)]),
    ("= without a value", document(event(filters=[{"path": "a", "op": "="}])),
     [("INVALID_CONFIG", FIRST)]),
    ("a task of nothing", document(task()),
     [("INVALID_CONFIG", FIRST)]),
    ("a task of both", document(task(taskType="approve", form={})),
     [("INVALID_CONFIG", FIRST)]),
    ("a task's bad form", document(task(form={"type": "x"})),
     [("INVALID_FORM_SCHEMA", FIRST)]),
    # calls
    ("an unknown workflow", document(child(workflowId="childd")),
     [("UNKNOWN_WORKFLOW", FIRST)]),
    ("an unknown workflow version", document(child(workflowVersion=2)),
     [("UNKNOWN_WORKFLOW_VERSION", FIRST)]),
    ("a call of itself", document(child(workflowId="tested")),
     [("WORKFLOW_CALLS_ITSELF", FIRST)]),
    ("a circle of calls", document(child(workflowId="calls-me")),
     [("WORKFLOW_CALL_CYCLE", FIRST)]),
    ("nine levels", document(child(workflowId="chain-1")),
     [("WORKFLOW_CALLS_TOO_DEEP", FIRST)]),
    ("a call's missing input", document(child()),
     [("MISSING_REQUIRED_MAPPING", FIRST)]),
    ("a call's unknown input",
     document(child(inputMapping={"ticket": expr("'x'"), "urgnt": expr("true")})),
     [("UNKNOWN_INPUT_FIELD", FIRST)]),
    ("a literal in a call's input", document(child(inputMapping={"ticket": "x"})),
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
