"""Faults of the document itself, of kinds and of ids: each with its code and place."""

from __future__ import annotations

from typing import Any

import pytest

from engine.definitions.check import Severity
from tests.unit.definitions.sample import (
    FIRST,
    SCHEMA,
    branch,
    call,
    check,
    document,
    event,
    expr,
    is_warning,
    said,
    task,
)

BAD: list[tuple[str, Any, list[tuple[str, str]]]] = [
    # the document
    ("no id", {"name": "x", "steps": []}, [("INVALID_WORKFLOW_DEFINITION", "root")]),
    ("a bad id", document(id="Not A Key"), [("INVALID_WORKFLOW_DEFINITION", "root")]),
    ("a long id", document(id="a" * 65), [("INVALID_WORKFLOW_DEFINITION", "root")]),
    ("no name", {"id": "x", "steps": []}, [("INVALID_WORKFLOW_DEFINITION", "root")]),
    ("an empty name", document(name=""), [("INVALID_WORKFLOW_DEFINITION", "root")]),
    ("no steps", {"id": "x", "name": "x"}, [("INVALID_WORKFLOW_DEFINITION", "root")]),
    ("an unknown field", document(owner="me"), [("INVALID_WORKFLOW_DEFINITION", "root")]),
    ("version 0", document(version=0), [("INVALID_WORKFLOW_DEFINITION", "root")]),
    ("version as text", document(version="1"), [("INVALID_WORKFLOW_DEFINITION", "root")]),
    ("version true", document(version=True), [("INVALID_WORKFLOW_DEFINITION", "root")]),
    ("a limit of 0", document(concurrencyLimit=0), [("INVALID_WORKFLOW_DEFINITION", "root")]),
    ("steps as object", document() | {"steps": {}}, [("INVALID_WORKFLOW_DEFINITION", "root")]),
    ("a step as text", document("x"), [("INVALID_WORKFLOW_DEFINITION", "root.steps[0]")]),
    ("a step of nothing", document({}), [("INVALID_WORKFLOW_DEFINITION", "root.steps[0]")]),
    ("both schemas", document(payloadSchema={}, payloadSchemaRef="payload.Empty.v1"),
     [("INVALID_WORKFLOW_DEFINITION", "root")]),
    # payload and redaction
    ("an unknown schema", document(payloadSchemaRef="payload.Empti.v1"),
     [("UNKNOWN_PAYLOAD_SCHEMA_REF", "root")]),
    ("a bad schema", document(payloadSchema={"type": "texts"}),
     [("INVALID_PAYLOAD_SCHEMA", "root")]),
    ("a remote schema", document(payloadSchema={"$ref": "https://x.y/z"}),
     [("INVALID_PAYLOAD_SCHEMA", "root")]),
    ("a payload that is a list", document(payloadSchema={"type": "array"}),
     [("INVALID_PAYLOAD_SCHEMA", "root")]),
    ("a schema as text", document(payloadSchema="x"), [("INVALID_WORKFLOW_DEFINITION", "root")]),
    ("redact without a scope", document(redact=["/token"]), [("INVALID_REDACT_POINTER", "root")]),
    ("redact dotted", document(redact=["payload.token"]), [("INVALID_REDACT_POINTER", "root")]),
    ("redact everything", document(redact=["/payload"]), [("INVALID_REDACT_POINTER", "root")]),
    ("redact ~2", document(redact=["/payload/a~2"]), [("INVALID_REDACT_POINTER", "root")]),
    ("redact a typing error", document(redact=["/payload/x"], payloadSchema=SCHEMA),
     [("REDACT_PATH_UNKNOWN", "root")]),
    # kinds
    ("an unknown kind", document({"id": "x", "type": "action.cal"}),
     [("UNKNOWN_NODE_TYPE", FIRST)]),
    ("an email kind", document({"id": "x", "type": "email.parseBody"}),
     [("UNKNOWN_NODE_TYPE", FIRST)]),
    ("a control kind", document({"id": "x", "type": "control.while"}),
     [("UNKNOWN_NODE_TYPE", FIRST)]),
    ("a kind as number", document({"id": "x", "type": 5}),
     [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    ("an event wait", document(event()), []),
    ("a task", document(task(form={})), []),
    # ids
    ("the same id twice", document(call("a"), call("a")), [("DUPLICATE_STEP_ID", "root.steps[1]")]),
    ("the same id inside", document(call("a"), branch(call("a"))),
     [("DUPLICATE_STEP_ID", "root.steps[1].then.steps[0]")]),
    ("no step id", document({"type": "control.return"}), [("INVALID_WORKFLOW_DEFINITION", FIRST)]),
    # triggers
    ("a bad date", document(trigger={"type": "schedule", "runAt": "2026-06-09 12:00"}),
     [("TIME_TRIGGER_INVALID_RUN_AT", "root")]),
    ("a date without offset",
     document(trigger={"type": "schedule", "runAt": "2026-06-09T12:00:00"}),
     [("TIME_TRIGGER_INVALID_RUN_AT", "root")]),
    ("a bad cron", document(trigger={"type": "recurring", "cron": "0 9 * *", "timezone": "UTC"}),
     [("TIME_TRIGGER_INVALID_CRON", "root")]),
    ("a bad time zone",
     document(trigger={"type": "recurring", "cron": "0 9 * * *", "timezone": "X/Y"}),
     [("TIME_TRIGGER_INVALID_TIMEZONE", "root")]),
    ("a clock's payload that fits nothing",
     document(payloadSchema={"type": "object", "required": ["a"]},
              trigger={"type": "schedule", "runAt": "2026-06-09T12:00:00Z"}),
     [("TIME_TRIGGER_PAYLOAD_DOES_NOT_FIT", "root")]),
    ("a clock's payload", document(payloadSchemaRef="payload.WorkflowClockTrigger.v1",
     trigger={"type": "schedule", "runAt": "2026-06-09T12:00:00Z"}), []),
    ("a date before all dates",
     document(trigger={"type": "schedule", "runAt": "0001-01-01T00:00:00+10:00"}),
     [("TIME_TRIGGER_INVALID_RUN_AT", "root")]),
    ("too often", document(trigger={"type": "recurring", "cron": "0,1 * * * *",
                                    "timezone": "UTC"}),
     [("TIME_TRIGGER_INVALID_CRON", "root")]),
    ("a trigger's root", document(trigger={"type": "event", "eventName": "x",
                                           "payloadMapping": {"a": expr("payload.b")}}),
     [("TRIGGER_MAPPING_INVALID_ROOT", "root")]),
    ("a trigger's gap", document(payloadSchema={"type": "object", "required": ["a", "b"]},
                                 trigger={"type": "event", "eventName": "x",
                                          "payloadMapping": {"a": expr("event.payload.b")}}),
     [("TRIGGER_MAPPING_MISSING_REQUIRED_FIELDS", "root")]),
    ("an event", document(trigger={"type": "event", "eventName": "paid"}), []),
    ("a date", document(trigger={"type": "schedule", "runAt": "2026-06-09T12:00:00+02:00"}),
     []),
    ("a cron line",
     document(trigger={"type": "recurring", "cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"}),
     []),
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
