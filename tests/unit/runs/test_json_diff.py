"""Differences by JSON pointer; what is masked is compared without being shown."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contract import Json
from engine.runs.fingerprint import Fingerprints
from engine.runs.json_diff import Change, Differences, Masked, Side, compare_json
from engine.runs.redaction import Redactor

KEYED = Fingerprints("a key of tests")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab/~", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c/d", "token", "e~f"]), inner, max_size=3)
    ),
    max_leaves=12,
)


def diff(
    left: Json, right: Json, redactor: Redactor | None = None, limit: int = 500
) -> Differences:
    by = redactor or Redactor()

    def side(value: Json) -> Side:
        return Side(value, by.knowing(value, "/payload").redact(value, "/payload").value)

    return compare_json(side(left), side(right), KEYED.equal, limit=limit)


def said(found: Differences) -> list[tuple[str, str]]:
    return [(one.pointer, one.change.value) for one in found.found]


@pytest.mark.parametrize(
    ("left", "right", "changes"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("/a", "changed")]),
        ({"a": 1}, {"a": True}, [("/a", "changed")]),
        ({"a": 1}, {"a": 1.0}, [("/a", "changed")]),
        ({"a": 1}, {}, [("/a", "removed")]),
        ({}, {"a/b": None}, [("/a~1b", "added")]),
        ([1, 2], [1, 2, 3], [("/2", "added")]),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 3}]}}, [("/a/b/1/c", "changed")]),
        ({"a": []}, {"a": {}}, [("/a", "changed")]),
        ({"b": 1, "a": 2}, {"a": 2, "b": 1}, []),
        (1, "1", [("", "changed")]),
    ],
)
def test_differences_have_their_pointer(
    left: Json, right: Json, changes: list[tuple[str, str]]
) -> None:
    assert said(diff(left, right)) == changes


def test_masked_values_are_compared_without_being_shown() -> None:
    found = diff(
        {"token": "one", "apiKey": "same", "x": 1}, {"token": "two", "apiKey": "same", "x": 1}
    )
    [one] = found.found
    assert (one.pointer, one.masked) == ("/token", Masked.DIFFERS)
    assert one.left is not None
    assert one.left.value == "[REDACTED]"
    assert found.masked_equal == ("/apiKey",)


def test_what_is_masked_on_one_side_only_is_not_compared() -> None:
    """Else the open side would tell what the masked one holds."""
    guess = diff({"apiKey": "open sesame", "note": "open sesame"}, {"note": "open sesame"})
    by_pointer = {one.pointer: one for one in guess.found}
    assert by_pointer["/note"].masked is Masked.NOT_COMPARED
    wrong = diff({"apiKey": "open sesame", "note": "open sesame"}, {"note": "something else"})
    assert [(d.pointer, d.masked) for d in wrong.found] == [
        (d.pointer, d.masked) for d in guess.found
    ]


def test_a_text_that_holds_a_masked_part_is_compared_as_masked() -> None:
    left = {"password": "hunter22", "note": "say hunter22 twice"}
    right = {"password": "hunter33", "note": "say hunter33 twice"}
    assert {(one.pointer, one.masked) for one in diff(left, right).found} == {
        ("/password", Masked.DIFFERS), ("/note", Masked.DIFFERS),
    }  # fmt: skip


def test_keys_that_are_masked_are_in_no_pointer() -> None:
    left = {"password": "hunter22", "of": {"hunter22": 1, "x": 1}}
    right = {"password": "hunter22", "of": {"hunter22": 2, "x": 1}}
    found = diff(left, right)
    assert [(one.pointer, one.masked) for one in found.found] == [
        ("/of/[REDACTED]", Masked.DIFFERS)
    ]
    assert "hunter22" not in repr(found)


def test_no_more_than_the_limit_is_listed_and_it_says_so() -> None:
    found = diff(list(range(20)), list(range(1, 21)), limit=10)
    assert (len(found.found), found.more) == (10, True)
    assert not diff(list(range(10)), list(range(1, 11)), limit=10).more


@given(JSON)
def test_a_value_does_not_differ_from_itself(value: Json) -> None:
    assert diff(value, copy.deepcopy(value)).none


@given(JSON, JSON)
def test_equal_on_both_sides_means_equal(left: Json, right: Json) -> None:
    assert diff(left, right).none is (KEYED.of(left) == KEYED.of(right))


@given(JSON, JSON)
def test_the_other_way_round_what_was_added_is_removed(left: Json, right: Json) -> None:
    turned = {Change.ADDED: Change.REMOVED, Change.REMOVED: Change.ADDED}
    there = {(d.pointer, turned.get(d.change, d.change)) for d in diff(left, right).found}
    assert there == {(d.pointer, d.change) for d in diff(right, left).found}


SECRET = "CANARY-4711"


@given(JSON, JSON)
def test_a_secret_is_never_in_the_differences(left: Json, right: Json) -> None:
    def holding(value: Json) -> dict[str, Any]:
        return {"password": SECRET, "copy": f"it is {SECRET}", SECRET: 1, "rest": value}

    assert SECRET not in repr(diff(holding(left), holding(right)))
    assert SECRET not in repr(diff(holding(left), {"rest": right, "password": "x"}))


def test_fingerprints_need_the_key_and_not_the_order_of_keys() -> None:
    assert KEYED.of({"a": 1, "b": 2}) == KEYED.of({"b": 2, "a": 1})
    assert KEYED.of({"a": 1}) != KEYED.of({"a": 1.0})
    assert KEYED.of({"a": 1}) != Fingerprints("another key").of({"a": 1})
    assert len(KEYED.of(None)) == 16
