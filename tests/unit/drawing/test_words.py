"""What stands in a drawn step."""

from __future__ import annotations

from typing import Any

import pytest

from engine.definitions.drawing.steps import steps_to_draw
from engine.definitions.drawing.words import shortened

EXPR = {"$expr": "payload.x"}


@pytest.mark.parametrize(
    ("step", "detail"),
    [
        ({"type": "action.call", "config": {"actionId": "http.request"}}, "http.request"),
        ({"type": "state.set", "config": {"state": "Ready"}}, "Ready"),
        ({"type": "transform.assign", "config": {"assign": {"vars.a": EXPR, "vars.b": EXPR}}},
         "sets vars.a, vars.b"),
        ({"type": "event.wait", "config": {"eventName": "PAID", "correlationKey": EXPR}},
         "PAID for payload.x"),
        ({"type": "time.wait", "config": {"durationMs": 90_061_001}}, "waits 1 d 1 h"),
        ({"type": "time.wait", "config": {"until": EXPR}}, "waits until payload.x"),
        ({"type": "human.task", "config": {"taskType": "approve", "title": EXPR}}, "payload.x"),
        ({"type": "control.if", "condition": {"$expr": "a  =\n b"}}, "a = b"),
        ({"type": "control.forEach", "items": EXPR, "itemVar": "one", "concurrency": 5},
         "one in payload.x, 5 at once"),
        ({"type": "control.tryCatch", "captureErrorAs": "oops"}, "error as oops"),
        ({"type": "control.callWorkflow", "workflowId": "other", "workflowVersion": 2},
         "other v2"),
        ({"type": "control.return"}, "ends the run"),
        ({"type": "action.call", "config": {"actionId": 7}}, ""),
        ({"type": "control.if", "condition": [1]}, ""),
        ({"type": "of.another.age"}, ""),
    ],
)  # fmt: skip
def test_the_second_line_says_what_a_step_does(step: dict[str, Any], detail: str) -> None:
    [drawn] = steps_to_draw({"steps": [step]})
    assert drawn.detail == detail


@pytest.mark.parametrize(
    ("step", "label"),
    [
        ({"type": "a", "id": "one", "name": "The first"}, "The first"),
        ({"type": "a", "id": "one", "name": " "}, "one"),
        ({"type": "a"}, "a"),
        ({}, "step"),
    ],
)
def test_a_step_is_called_by_its_name_else_its_id(step: dict[str, Any], label: str) -> None:
    assert [drawn.label for drawn in steps_to_draw({"steps": [step]})] == [label]


def test_long_text_ends_with_an_ellipsis_and_wide_letters_count_twice() -> None:
    assert shortened("short", 10) == "short"
    assert shortened("a" * 30, 10) == "a" * 9 + "…"
    assert shortened("漢" * 30, 10) == "漢" * 4 + "…"
    assert shortened("one two three four", 8.5) == "one two…"
    assert shortened("iiiiiiiiii", 6) == "iiiiiiiiii"
    assert shortened("iiiiiiiiii", 6, even=True) == "iiiii…"
