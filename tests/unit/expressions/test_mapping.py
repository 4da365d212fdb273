"""Mappings: expressions at any depth of a literal, secrets left as references."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.errors import Category, StepFailed
from engine.expressions import mapping

NOW = datetime(2026, 6, 9, tzinfo=UTC)
SCOPE = {"payload": {"a": 1, "list": [1, 2], "trick": {"$secret": "DB"}}, "vars": {"b": "x"}}


def test_expressions_are_evaluated_at_any_depth_and_their_cost_is_told() -> None:
    value = {
        "plain": [1, None, "payload.a"],
        "one": {"$expr": "payload.a + 1"},
        "deep": {"list": [{"$expr": "payload.list"}, {"k": {"$expr": "vars.b"}}]},
    }
    resolved, evaluations = mapping.resolve(value, SCOPE, NOW)
    assert resolved == {
        "plain": [1, None, "payload.a"],
        "one": 2,
        "deep": {"list": [[1, 2], {"k": "x"}]},
    }
    assert evaluations == 5 + 3 + 3


def test_a_mapping_can_be_one_expression_or_a_plain_value() -> None:
    assert mapping.resolve({"$expr": "payload.a"}, SCOPE, NOW) == (1, 3)
    assert mapping.resolve(7, SCOPE, NOW) == (7, 0)


def test_a_secret_stays_a_reference() -> None:
    value = {"token": {"$secret": "API_KEY"}}
    assert mapping.resolve(value, SCOPE, NOW) == (value, 0)


@pytest.mark.parametrize(
    "value",
    [
        {"$expr": "payload.a", "other": 1},
        {"$secret": "A", "other": 1},
        {"$expr": 5},
        {"$expr": None},
        {"$expr": ""},
        {"$expr": "$eval('1')"},
        {"$expr": "payload.missing"},
        {"$expr": "payload.trick"},
        {"$expr": "[payload.trick]"},
        {"$expr": "{'a': {'$secret': 'DB'}}"},
    ],
    ids=str,
)
def test_what_cannot_be_resolved_is_an_expression_error_with_its_place(value: Any) -> None:
    with pytest.raises(StepFailed) as failed:
        mapping.resolve({"outer": [value]}, SCOPE, NOW)
    assert failed.value.category is Category.EXPRESSION
    assert failed.value.details["at"] == "outer.0"


def test_what_a_mapping_reads_is_known() -> None:
    value = {"a": {"$expr": "payload.a"}, "b": [{"$expr": "vars.b"}], "s": {"$secret": "X"}}
    assert mapping.roots_of(value) == {"payload", "vars"}
    assert mapping.roots_of({"a": {"$expr": "$"}}) is None
    assert mapping.roots_of({"a": 1}) == frozenset()


def test_expressions_and_secrets_are_found_with_their_places_in_order() -> None:
    value = {"a": [{"$expr": "1"}, {"b": {"$secret": "X"}}], "c": {"$expr": 2, "d": 3}}
    assert list(mapping.expressions_of(value)) == [(("a", 0), "1"), (("c",), 2)]
    assert list(mapping.secrets_of(value)) == [(("a", 1, "b"), "X")]
