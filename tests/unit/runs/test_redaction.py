"""Redaction: keys, pointers, values that turn up elsewhere; references stay; fails closed."""

from __future__ import annotations

import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runs.redaction import MASK, Redactor

CANARY = "canary-7f3a"


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "Password",
        "db_password",
        "apiKey",
        "api_key",
        "API-KEY",
        "Authorization",
        "clientSecret",
        "accessToken",
    ],
)
def test_a_key_that_names_a_secret_is_masked_whatever_its_value(key: str) -> None:
    for value in (CANARY, {"deep": [CANARY]}, 12345, None):
        assert Redactor().redact({"a": [{key: value}]}).value == {"a": [{key: MASK}]}


def test_an_installation_pattern_is_masked_beside_the_built_in_ones() -> None:
    redactor = Redactor(patterns=["/iban/", "^ssn$"])
    shown = redactor.redact({"IBAN": CANARY, "ssn": CANARY, "ssn2": 1, "password": CANARY})
    assert shown.value == {"IBAN": MASK, "ssn": MASK, "ssn2": 1, "password": MASK}


def test_a_pointer_masks_its_place_and_what_is_below() -> None:
    redactor = Redactor(pointers=["/payload/person/name", "/vars/lookup"])
    shown = redactor.redact({"person": {"name": CANARY, "age": 3}}, "/payload")
    assert shown.value == {"person": {"name": MASK, "age": 3}}
    assert redactor.redact({"any": [CANARY]}, "/vars/lookup/result").value == MASK
    assert redactor.redact({"any": 1}, "/vars/lookups").value == {"any": 1}


def test_a_sealed_value_is_masked_wherever_it_turns_up() -> None:
    redactor = Redactor().knowing({"password": CANARY, "pin": {"secret": 987654}}, "/payload")
    shown = redactor.redact(
        {"text": f"log in with {CANARY.upper()} now", "n": 987654, CANARY: 1, "other": 987}
    ).value
    assert shown == {"text": f"log in with {MASK} now", "n": MASK, MASK: 1, "other": 987}
    assert redactor.redact_text(f"failed for {CANARY}") == f"failed for {MASK}"


def test_a_short_sealed_value_is_masked_only_where_it_is_the_whole_text() -> None:
    redactor = Redactor().knowing({"password": "abc"}, "/payload")
    assert redactor.redact({"a": "abc", "b": "abcd"}).value == {"a": MASK, "b": "abcd"}


def test_a_secret_reference_is_no_value_and_stays() -> None:
    reference = {"$secret": "SMTP_PASSWORD"}
    assert Redactor().redact({"password": reference}).value == {"password": reference}
    forged = {"$secret": "X", "more": CANARY}
    assert CANARY not in str(Redactor().redact({"password": forged}).value)


@pytest.mark.parametrize("rules", [{"patterns": ["("]}, {"pointers": ["payload/a"]}])
def test_a_rule_that_cannot_be_compiled_fails_closed(rules: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match="redaction"):
        Redactor(**rules)


@given(
    st.recursive(
        st.text() | st.integers() | st.none(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["a", "password", "b"]), inner)
        ),
        max_leaves=15,
    )
)
def test_redacting_what_is_redacted_changes_nothing(value: object) -> None:
    once = Redactor().redact(value).value
    assert Redactor().redact(once).value == once


def test_sealed_values_are_told_apart_by_what_they_say_not_by_how_they_begin() -> None:
    sealed = ["abcd", "abcdefgh", "abcx-1", "bcde"]
    redactor = Redactor().knowing({"password": sealed}, "/payload")
    for text, shown in {
        "abcdefghi": f"{MASK}i",
        "abcdefg": f"{MASK}efg",
        "xabcx-1": f"x{MASK}",
        "abcx-2": "abcx-2",
        "ABCDBCDE": f"{MASK}{MASK}",
        "abc": "abc",
        "": "",
    }.items():
        assert redactor.redact_text(text) == shown


@pytest.mark.parametrize(
    ("sealed", "text"),
    [("STRASSE", "straße 7"), ("ΟΔΟΣ", "οδοσx"), ("İstanbul", "in İSTANBUL"), ("Kelvin", "KELVIN")],
)
def test_letters_that_have_no_simple_small_form_are_no_way_out(sealed: str, text: str) -> None:
    redactor = Redactor().knowing({"password": [sealed, text[:6]]}, "/payload")
    assert MASK in redactor.redact_text(text)
    assert MASK in redactor.redact_text(sealed)


def test_many_sealed_values_cost_no_more_than_a_few() -> None:
    text = {"lines": ["GET https://api.example/items/7?page=2 answered 200 after 31 ms"] * 400}

    def seconds(number: int) -> float:
        secrets = [{"token": f"{n * 7919 % 65_536:04x}-key-{n}"} for n in range(number)]
        redactor = Redactor().knowing(secrets, "/payload")
        return min(timeit.repeat(lambda: redactor.redact(text), number=1, repeat=5))

    assert seconds(5_000) < 5 * seconds(50)
