"""Replay: an edit of redacted text carried over to the original (docs/rules.md 8)."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Invalid
from engine.runs.payload import Payload
from engine.runs.redaction import MASK, Redactor
from engine.runs.replay import merge

ORIGINAL = {
    "user": "ada",
    "password": "hunter2",
    "note": f"the text {MASK} was here",
    "accounts": [
        {"name": "a", "token": "secret-a"},
        {"name": "b", "token": "secret-b"},
    ],
    "tags": ["x", "y"],
}


def shown() -> dict:
    return copy.deepcopy(Redactor().redact(ORIGINAL, "/payload").value)


def merged(edited: object) -> object:
    return merge(Payload.of(ORIGINAL), Redactor().redact(ORIGINAL, "/payload"), edited).value


def refused(edited: object) -> list[str]:
    with pytest.raises(Invalid) as caught:
        merged(edited)
    return [problem.pointer for problem in caught.value.problems]


def test_an_unchanged_text_gives_the_original() -> None:
    assert Payload.of(merged(shown())).canonical == Payload.of(ORIGINAL).canonical


def test_a_masked_field_left_alone_keeps_its_true_value() -> None:
    edited = shown() | {"user": "grace"}
    assert merged(edited) == ORIGINAL | {"user": "grace"}


def test_a_masked_field_may_be_given_a_new_value() -> None:
    assert merged(shown() | {"password": "new"}) == ORIGINAL | {"password": "new"}


def test_a_field_may_be_added_or_removed() -> None:
    edited = shown() | {"more": {"deep": [1]}}
    del edited["password"]
    expected = {k: v for k, v in ORIGINAL.items() if k != "password"} | {"more": {"deep": [1]}}
    assert merged(edited) == expected


def test_a_mask_typed_anywhere_else_is_refused() -> None:
    assert refused(shown() | {"user": MASK}) == ["/user"]
    assert refused(shown() | {"new": [{"x": f"a {MASK}"}]}) == ["/new/0/x"]
    assert refused(shown() | {"password": f"x{MASK}"}) == ["/password"]
    assert refused(shown() | {"password": {"copy": MASK}}) == ["/password/copy"]


def test_mask_text_that_the_original_held_is_kept() -> None:
    assert merged(shown() | {"note": f"now {MASK} is there"})["note"] == f"now {MASK} is there"


def test_a_list_that_holds_masks_must_keep_length_and_order() -> None:
    first, second = shown()["accounts"]
    for accounts in ([second, first], [first], [first, second, {"name": "c"}], [second, second]):
        assert refused(shown() | {"accounts": accounts}) == ["/accounts"]


def test_an_entry_of_such_a_list_may_be_edited_in_place() -> None:
    first, second = shown()["accounts"]
    result = merged(shown() | {"accounts": [first | {"name": "A"}, second]})
    assert result["accounts"] == [{"name": "A", "token": "secret-a"}, ORIGINAL["accounts"][1]]


def test_a_list_without_masks_may_change_as_it_likes() -> None:
    assert merged(shown() | {"tags": ["y", "x", "z"]})["tags"] == ["y", "x", "z"]


def test_a_change_of_type_from_one_to_true_is_a_change() -> None:
    payload = {"n": 1, "password": "p-long"}
    redacted = Redactor().redact(payload, "/payload")
    assert merge(Payload.of(payload), redacted, {"n": True, "password": MASK}).value == {
        "n": True,
        "password": "p-long",
    }


_STORABLE = st.characters(codec="utf-8", exclude_characters="\0")
"""Others are refused before anything is merged."""


@given(
    st.recursive(
        st.text(_STORABLE, max_size=5) | st.integers() | st.booleans(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["a", "password", "token"]), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_whatever_was_shown_and_left_alone_gives_the_original(value: object) -> None:
    redacted = Redactor().knowing(value, "/payload").redact(value, "/payload")
    result = merge(Payload.of(value), redacted, copy.deepcopy(redacted.value))
    assert result.canonical == Payload.of(value).canonical
