"""Where a step writes: the same rules for checker, interpreter and simulator."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from engine.errors import Category, StepFailed
from engine.expressions.paths import PathRefused, Target, assign, parse_assign, parse_save_as


@pytest.mark.parametrize(
    ("text", "scope", "segments"),
    [
        ("payload.a", "payload", ("a",)),
        ("vars.a.b.c", "vars", ("a", "b", "c")),
        ("meta.state", "meta", ("state",)),
        ("error.message", "error", ("message",)),
        ("/a/b", "payload", ("a", "b")),
        ("/a~1b/c~0d", "payload", ("a/b", "c~d")),
        ("/items/0/name", "payload", ("items", "0", "name")),
    ],
)
def test_an_assignment_names_its_scope_or_points_into_the_payload(
    text: str, scope: str, segments: tuple[str, ...]
) -> None:
    assert parse_assign(text) == parse_save_as(text) == Target(scope, segments)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("result", ("result",)),
        ("a.b", ("a", "b")),
        ("payload", ("payload",)),
        ("system.x", ("system", "x")),
    ],
)
def test_an_unscoped_save_as_is_below_vars(text: str, segments: tuple[str, ...]) -> None:
    assert parse_save_as(text) == Target("vars", segments)


@pytest.mark.parametrize(
    "text",
    ["", "result", "a.b", "payload", "payload.", "vars..a", "system.runId", "local.x", ".a", "/",
     "//", "/a//b", "vars.__proto__", "payload.a.prototype", "vars.constructor.x", "/__proto__",
     "/a/constructor", "vars. a", "vars." + ".".join("a" * 33)],
)  # fmt: skip
def test_other_texts_are_no_path(text: str) -> None:
    with pytest.raises(PathRefused):
        parse_assign(text)


@pytest.mark.parametrize("text", ["", ".", "a.", "__proto__", "a.prototype", "vars.constructor"])
def test_save_as_has_the_same_forbidden_parts(text: str) -> None:
    with pytest.raises(PathRefused):
        parse_save_as(text)


@pytest.mark.parametrize(
    ("before", "segments", "after"),
    [
        ({}, ("a",), {"a": 9}),
        (None, ("a", "b"), {"a": {"b": 9}}),
        ({"a": 1, "b": 2}, ("a",), {"a": 9, "b": 2}),
        ({"a": {"x": 1}}, ("a", "y"), {"a": {"x": 1, "y": 9}}),
        ({"a": None}, ("a", "y"), {"a": {"y": 9}}),
        ({"a": [1, 2]}, ("a", "1"), {"a": [1, 9]}),
        ({"a": [1, 2]}, ("a", "2"), {"a": [1, 2, 9]}),
        ({"a": [1, 2]}, ("a", "-"), {"a": [1, 2, 9]}),
        ({"a": [{"b": 1}]}, ("a", "0", "b"), {"a": [{"b": 9}]}),
        ({"0": 1}, ("0",), {"0": 9}),
    ],
)
def test_a_write_changes_its_place_and_nothing_else(
    before: Any, segments: tuple[str, ...], after: Any
) -> None:
    kept = copy.deepcopy(before)
    assert assign(before, segments, 9) == after
    assert before == kept


@pytest.mark.parametrize(
    ("before", "segments"),
    [
        ({"a": "text"}, ("a", "b")),
        ({"a": 1}, ("a", "b")),
        ({"a": True}, ("a", "b", "c")),
        ({"a": [1]}, ("a", "2")),
        ({"a": [1]}, ("a", "x")),
        ({"a": [1]}, ("a", "²")),
        ({"a": [1]}, ("a", "99999999999999")),
    ],
)
def test_a_write_through_what_holds_nothing_is_a_validation_error(
    before: Any, segments: tuple[str, ...]
) -> None:
    with pytest.raises(StepFailed) as failed:
        assign(before, segments, 9)
    assert failed.value.category is Category.VALIDATION
