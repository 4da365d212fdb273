"""Expression -> result, from the file that the documentation's examples are taken from."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jsonata.jsonata import Jsonata

from engine.expressions import ExpressionFailed, compile_expression

EXAMPLES = json.loads((Path(__file__).parent / "examples.json").read_text("utf-8"))
NOW = datetime.fromisoformat(EXAMPLES["now"])
CASES = [pytest.param(case, id=case["expression"][:60]) for case in EXAMPLES["cases"]]


def outcome(expression: str) -> dict[str, Any]:
    try:
        found = compile_expression(expression).evaluate(EXAMPLES["scope"], now=NOW)
    except ExpressionFailed as failed:
        return {"error": failed.code}
    return {"result": found.value}


def exactly(value: Any) -> str:
    """Text that tells 1 from true and from 1.0."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("case", CASES)
def test_the_expression_gives_what_the_example_says(case: dict[str, Any]) -> None:
    expected = {key: case[key] for key in ("result", "error") if key in case}
    assert exactly(outcome(case["expression"])) == exactly(expected)


def jsonata_says(expression: str) -> dict[str, Any]:
    """The library's own evaluator, in our terms; it knows no null, and errors without a code."""
    library = Jsonata(expression)
    library.set_validate_input(False)
    try:
        value = library.evaluate(EXAMPLES["scope"])
    except Exception:
        return {"error": "EXPRESSION_FAILED"}
    return {"error": "EXPRESSION_NO_VALUE"} if value is None else {"result": value}


def test_jsonata_gives_the_same_where_nothing_was_decided_otherwise() -> None:
    shared = [case for case in EXAMPLES["cases"] if "differs" not in case]
    assert len(shared) > 200
    for case in shared:
        said = jsonata_says(case["expression"])
        assert exactly(said) == exactly(outcome(case["expression"])), case["expression"]


def test_no_example_changes_the_scope() -> None:
    before = exactly(EXAMPLES["scope"])
    for case in EXAMPLES["cases"]:
        outcome(case["expression"])
    assert exactly(EXAMPLES["scope"]) == before
