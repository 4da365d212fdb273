"""Event filters: missing values, and like compared with like (docs/authoring.md)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.expressions.filters import OPERATORS, matches

PAYLOAD = {
    "n": 5,
    "half": 2.5,
    "s": "hello",
    "t": True,
    "nothing": None,
    "list": [1, "a", {"k": 1}],
    "o": {"in": {"x": "y"}},
    "rows": [{"id": 7}],
}


@pytest.mark.parametrize("op", sorted(OPERATORS))
def test_on_a_missing_value_only_not_exists_is_true(op: str) -> None:
    for path in ("gone", "o.gone", "s.x", "rows.3", "nothing.x"):
        value = [1] if op in ("in", "not_in") else "x"
        assert matches([{"path": path, "op": op, "value": value}], PAYLOAD) is (op == "not_exists")


@pytest.mark.parametrize(
    ("path", "op", "value", "fits"),
    [
        ("n", "=", 5, True),
        ("n", "=", 5.0, True),
        ("n", "=", "5", False),
        ("t", "=", 1, False),
        ("t", "=", True, True),
        ("nothing", "=", None, True),
        ("o.in", "=", {"x": "y"}, True),
        ("rows.0.id", "=", 7, True),
        ("n", "!=", 5, False),
        ("n", "!=", 6, True),
        ("n", "!=", "5", True),
        ("nothing", "!=", None, False),
        ("n", "in", [1, 5], True),
        ("n", "in", ["5"], False),
        ("n", "in", 5, False),
        ("t", "in", [1], False),
        ("n", "not_in", [1], True),
        ("n", "not_in", [5], False),
        ("n", "exists", None, True),
        ("nothing", "exists", None, True),
        ("nothing", "not_exists", None, False),
        ("n", ">", 4, True),
        ("n", ">", 5, False),
        ("n", ">=", 5, True),
        ("half", "<", 3, True),
        ("n", "<=", 4.5, False),
        ("s", ">", "hallo", True),
        ("s", ">", 4, False),
        ("n", ">", "4", False),
        ("n", "<", "4", False),
        ("t", ">", False, False),
        ("nothing", "<=", None, False),
        ("s", "contains", "ell", True),
        ("s", "contains", "xyz", False),
        ("s", "contains", 1, False),
        ("list", "contains", "a", True),
        ("list", "contains", 1, True),
        ("list", "contains", True, False),
        ("list", "contains", {"k": 1}, True),
        ("n", "contains", 5, False),
        ("s", "starts_with", "he", True),
        ("s", "starts_with", "lo", False),
        ("n", "starts_with", "5", False),
        ("s", "ends_with", "lo", True),
        ("s", "ends_with", 1, False),
    ],
)
def test_an_operator_on_a_value_that_is_there(path: str, op: str, value: Any, fits: bool) -> None:
    assert matches([{"path": path, "op": op, "value": value}], PAYLOAD) is fits


def test_all_filters_must_be_true_and_none_is_true() -> None:
    assert matches([], PAYLOAD)
    good, bad = {"path": "n", "op": "=", "value": 5}, {"path": "n", "op": "=", "value": 6}
    assert matches([good, good], PAYLOAD)
    assert not matches([good, bad], PAYLOAD)


@pytest.mark.parametrize("payload", [None, 5, "text", [], [1]])
def test_any_payload_can_be_filtered(payload: Any) -> None:
    assert not matches([{"path": "a.b", "op": "exists"}], payload)
