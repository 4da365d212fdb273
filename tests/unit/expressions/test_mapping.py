"""Mappings: where expressions and secrets stand in a literal, well-formed or not."""

from __future__ import annotations

from engine.expressions import mapping


def test_expressions_and_secrets_are_found_with_their_places_in_order() -> None:
    value = {
        "a": [{"$expr": "1"}, {"b": {"$secret": "X"}}],
        "c": {"$expr": 2, "d": {"$expr": "not looked into"}},
        "e": {"f": {"$expr": "3"}},
    }
    assert list(mapping.expressions_of(value)) == [
        (("a", 0), "1"),
        (("c",), 2),
        (("e", "f"), "3"),
    ]
    assert list(mapping.secrets_of(value)) == [(("a", 1, "b"), "X")]


def test_a_mapping_can_be_one_expression_or_a_plain_value() -> None:
    assert list(mapping.expressions_of({"$expr": "1"}, ("top",))) == [(("top",), "1")]
    assert list(mapping.expressions_of(["plain", 1, None])) == []


def test_a_mapping_of_any_depth_is_searched_without_recursion() -> None:
    deep: object = {"$expr": "1"}
    for _ in range(5_000):
        deep = [deep]
    assert len(list(mapping.expressions_of(deep))) == 1
