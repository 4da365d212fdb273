"""The contract's messages travel as plain JSON and come back equal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.contract import ActionAnswer, ActionCall, Batch, ClosedWait, Guard, StepRecord
from engine.durable.wire import pack, unpack

RECORD = StepRecord(1, "first", "root.steps[0]", [0, 2], "state.set", "SUCCEEDED", started_at=5)
CLOSED = ClosedWait("w", "RESOLVED", 7, {"a": None})
BATCH = Batch("r", Guard(0, 3, 1, 0), [RECORD], "label", [CLOSED], True, "root", sweep=False)
CALL = ActionCall("r", BATCH, 1, "first", "root.steps[0]", [], 1, "log.write", 1, {"x": [1]}, 5)


@pytest.mark.parametrize("message", [RECORD, CLOSED, BATCH, CALL, ActionAnswer({"$ref": "x"})])
def test_a_message_comes_back_equal(message: Any) -> None:
    travelled = json.loads(json.dumps(pack(message)))

    assert unpack(type(message), travelled) == message


def test_what_has_its_default_is_left_out() -> None:
    assert pack(ActionAnswer(took_ms=3)) == {"took_ms": 3}


def test_a_false_that_is_not_the_default_travels() -> None:
    assert pack(BATCH)["sweep"] is False


def test_a_field_that_a_newer_worker_added_is_passed_over() -> None:
    assert unpack(ActionAnswer, {"took_ms": 3, "added_later": 1}) == ActionAnswer(took_ms=3)


def test_a_missing_field_is_no_message() -> None:
    with pytest.raises(TypeError):
        unpack(Guard, {"ordinal": 0})
