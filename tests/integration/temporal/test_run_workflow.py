"""Runs on a real Temporal: what they do, what the rows say, what it costs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.studio import Studio

pytestmark = pytest.mark.temporal


def expr(source: str) -> dict[str, str]:
    return {"$expr": source}


def act(step_id: str, action: str = "work.once", **fields: Any) -> dict[str, Any]:
    """An action step; keywords that are no fields of a step are its input."""
    known = ("saveAs", "retry", "onError", "timeoutMs", "idempotencyKey")
    config = {name: fields.pop(name) for name in known if name in fields and name != "retry"}
    on_error = config.pop("onError", None)
    step: dict[str, Any] = {
        "id": step_id,
        "type": "action.call",
        "config": {
            "actionId": action,
            "version": 1,
            "inputMapping": {"note": step_id, **fields} if action.startswith("work.") else fields,
            **config,
        },
    }
    if on_error:
        step["onError"] = on_error
    if "retry" in fields:
        step["retry"] = step["config"]["inputMapping"].pop("retry")
    return step


def test_an_action_and_a_return(worked: Studio) -> None:
    run = worked.execute(act("send"), {"id": "end", "type": "control.return"}, act("never"))

    assert run.status == "SUCCEEDED", run.error_json
    assert worked.outline(run.run_id) == [("send", 1, "SUCCEEDED"), ("end", 1, "SUCCEEDED")]
    assert worked.effects() == ["begin send", "end send"]
    assert worked.temporal_status(run.run_id) == "COMPLETED"


def test_a_quick_action_that_fails_is_the_steps_failure(worked: Studio) -> None:
    """A local activity's failure comes without the envelope that a regular one's has."""
    run = worked.execute(
        {
            "id": "guard",
            "type": "control.tryCatch",
            "captureErrorAs": "why",
            "try": [act("breaks", "work.quick", fails=9, category="ActionError")],
            "catch": [],
        },
        act("again", "work.quick", fails=1, retry={"maxAttempts": 2, "backoffMs": 10}),
        act("last", "work.quick", fails=9, note="no"),
    )

    assert run.status == "FAILED"
    assert (run.error_json["category"], run.error_json["code"]) == ("TransientError", "TOLD_TO")
    assert worked.outline(run.run_id) == [
        ("guard", 1, "SUCCEEDED"),
        ("breaks", 1, "FAILED"),
        ("again", 1, "RETRY_SCHEDULED"),
        ("again", 2, "SUCCEEDED"),
        ("last", 1, "FAILED"),
    ]
