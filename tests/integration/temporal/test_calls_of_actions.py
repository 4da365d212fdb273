"""What an action step leaves in the rows: the activities' part of docs/coverage-bar.md."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine.services.action_outcome import ERROR_DETAILS_BYTES, ERROR_MESSAGE_CHARACTERS
from engine.store.tables import WorkflowActionInvocation
from tests.integration.temporal.children import error_of
from tests.steps import act, expr
from tests.studio import Studio

pytestmark = pytest.mark.temporal


def calls_of(studio: Studio, run_id: str) -> list[WorkflowActionInvocation]:
    with studio.store.reading() as session:
        return list(session.scalars(select(WorkflowActionInvocation).filter_by(run_id=run_id)))


def test_a_step_s_config_reaches_the_call(worked: Studio) -> None:
    """Activities 1: the input as mapped, and the author's idempotency key."""
    step = act("do", value=expr("payload.n"))
    step["config"] |= {"idempotencyKey": expr("'order ' & payload.n"), "timeoutMs": 5000}
    run_id = worked.start(worked.publish(step), {"n": 3})
    run = worked.ended(run_id)

    assert run.status == "SUCCEEDED", run.error_json
    (call,) = calls_of(worked, run_id)
    assert call.input_json == {"note": "do", "value": 3}
    assert "order 3" in call.idempotency_key
    assert (call.action_id, call.action_version, call.status) == ("work.once", 1, "SUCCEEDED")


def test_a_failed_call_keeps_its_error_as_data_and_as_words(worked: Studio) -> None:
    """Activities 3."""
    run = worked.execute(act("do", fails=9, category="ActionError"))

    (call,) = calls_of(worked, run.run_id)
    assert call.error_message == "do fails"
    kept: dict[str, Any] = dict(call.error_json or {})
    assert (kept["category"], kept["code"], kept["message"]) == (
        "ActionError",
        "TOLD_TO",
        "do fails",
    )
    (step,) = worked.steps(run.run_id)
    assert (step.error_json or {})["category"] == "ActionError"


def test_too_large_an_error_is_cut_between_characters(worked: Studio) -> None:
    """Activities 4 and 5: details are cut by bytes, words never inside an astral character."""
    run = worked.execute(act("do", "rude"))

    error = error_of(run)
    assert error["details"] == {"truncated": True, "bytes": error["details"]["bytes"],
                                "max": ERROR_DETAILS_BYTES}  # fmt: skip
    assert len(error["message"]) <= ERROR_MESSAGE_CHARACTERS + 1
    assert set(error["message"]) == {"\N{GRINNING FACE}", "…"}
