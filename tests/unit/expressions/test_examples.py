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
SHARED = [
    case for case in CASES if "differs" not in case.values[0] and "refused" not in case.values[0]
]


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


@pytest.mark.parametrize("case", SHARED)
def test_jsonata_gives_the_same_where_nothing_was_decided_otherwise(case: dict[str, Any]) -> None:
    library = Jsonata(case["expression"])
    library.set_validate_input(False)
    try:
        value = library.evaluate(EXAMPLES["scope"])
    except Exception:
        assert case.get("error") == "EXPRESSION_FAILED"
        return
    if value is None:
        assert case.get("error") == "EXPRESSION_NO_VALUE"
    else:
        assert exactly(value) == exactly(case["result"])


def test_no_example_changes_the_scope() -> None:
    before = exactly(EXAMPLES["scope"])
    for case in EXAMPLES["cases"]:
        outcome(case["expression"])
    assert exactly(EXAMPLES["scope"]) == before
