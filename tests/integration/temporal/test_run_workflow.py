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
