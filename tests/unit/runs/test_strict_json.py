"""Strict JSON: what is accepted reads back equal, what is refused says where (docs/rules.md 8)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Invalid
from engine.runs import strict_json

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False, max_value=2.0**52, min_value=-(2.0**52))
    | st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


def pointers(text: str | bytes) -> list[str]:
    with pytest.raises(Invalid) as caught:
        strict_json.parse(text)
    return [problem.pointer for problem in caught.value.problems]


@given(JSON_VALUES)
def test_what_is_accepted_reads_back_canonically_equal(value: object) -> None:
    text = json.dumps(value)
    assert strict_json.canonical(strict_json.parse(text)) == strict_json.canonical(value)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"a": [1, NaN]}', ""),
        ('{"a": Infinity}', ""),
        ('{"a": 1e400}', "/a"),
        ('{"a": "x\\u0000y"}', "/a"),
        ('{"a": ["\\ud800"]}', "/a/0"),
        ('{"a": 1, "a": 2}', "/a"),
        ('{"b": {"a~b/c": 1, "a~b/c": 2}}', "/b/a~0b~1c"),
        ('{"a": 9007199254740992.0}', "/a"),
        ('{"a": 1e16}', "/a"),
        ('{"a": -1e300}', "/a"),
        ("{", ""),
        ("", ""),
        ("[1,]", ""),
        (b'"\xff"', ""),
    ],
)
def test_a_value_that_cannot_be_kept_is_refused_with_its_pointer(
    text: str | bytes, where: str
) -> None:
    assert where in pointers(text)


def test_every_fault_is_reported_at_once() -> None:
    assert pointers('{"a": 1e16, "b": ["\\u0000"], "c": 1, "c": 2}') == ["/a", "/b/0", "/c"]


def test_depth_64_is_kept_and_65_is_refused() -> None:
    strict_json.parse("[" * 64 + "]" * 64)
    assert pointers("[" * 65 + "]" * 65)
    assert pointers("[" * 100_000 + "]" * 100_000)


def test_negative_zero_becomes_zero() -> None:
    assert str(strict_json.parse("[-0.0]")[0]) == "0.0"
    assert strict_json.canonical({"a": -0.0}) == '{"a":0.0}'


def test_whole_numbers_of_any_size_are_kept() -> None:
    assert strict_json.parse("123456789012345678901234567890") == 123456789012345678901234567890


def test_an_integer_and_a_float_are_two_values() -> None:
    assert strict_json.canonical(1) != strict_json.canonical(1.0)


def test_python_values_that_are_not_json_are_named() -> None:
    problems = strict_json.check({"a": {1, 2}, "b": float("nan")})
    assert [p.pointer for p in problems] == ["/a", "/b"]
