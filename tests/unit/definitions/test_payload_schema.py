"""Payload schemas: what is refused at publish, and what is said beside which field."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from engine.definitions.payload_schema import (
    BUILT_IN_SCHEMAS,
    check_schema,
    validate,
    validate_payload,
)

ORDER = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://example.test/order",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 5, "pattern": "^[a-z]+$"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "price": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.5},
        "kind": {"enum": ["new", "used", None]},
        "mode": {"const": "fast"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "uniqueItems": True,
                 "minItems": 1, "maxItems": 3},
        "address": {"$ref": "#/$defs/address"},
    },
    "required": ["name"],
    "additionalProperties": False,
    "$defs": {
        "tag": {"type": "string"},
        "address": {"type": "object", "properties": {"zip": {"type": "string"}},
                    "required": ["zip", "city"], "dependentRequired": {"zip": ["country"]}},
    },
}  # fmt: skip
GOOD = {"name": "abc", "count": 9, "price": 1.5, "kind": None, "mode": "fast", "note": None,
        "tags": ["a", "b"], "address": {"zip": "1", "city": "c", "country": "d"}}  # fmt: skip


def test_a_payload_that_fits_has_no_problems() -> None:
    assert check_schema(ORDER) == []
    assert validate_payload(ORDER, GOOD) == []
    assert validate_payload(ORDER, {"name": "ab"}) == []


@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"name": 5}, "/name", "Must be a string."),
        ({"name": "a"}, "/name", "Must have at least 2 characters."),
        ({"name": "abcdef"}, "/name", "Must have at most 5 characters."),
        ({"name": "AB"}, "/name", "Must match the pattern ^[a-z]+$."),
        ({"count": 0}, "/count", "Must be 1 or more."),
        ({"count": 10}, "/count", "Must be 9 or less."),
        ({"count": 1.5}, "/count", "Must be an integer."),
        ({"count": True}, "/count", "Must be an integer."),
        ({"price": 0}, "/price", "Must be more than 0."),
        ({"price": 1.2}, "/price", "Must be a multiple of 0.5."),
        ({"kind": "old"}, "/kind", 'Must be one of "new", "used", null.'),
        ({"mode": "slow"}, "/mode", 'Must be "fast".'),
        ({"note": 5}, "/note", "Must be a string or null."),
        ({"tags": []}, "/tags", "Must have at least 1 items."),
        ({"tags": ["a", "a"]}, "/tags", "Items must not repeat."),
        ({"tags": ["a", 5]}, "/tags/1", "Must be a string."),
        ({"more": 1}, "/more", "This field is not known."),
        ({"a/b~c": 1}, "/a~1b~0c", "This field is not known."),
        ({"address": {"zip": "1", "country": "d"}}, "/address/city", "This field is required."),
        ({"address": {"zip": "1", "city": "c"}}, "/address/country",
         "This field is required when zip is given."),
    ],
)  # fmt: skip
def test_a_problem_stands_beside_its_field(change: Any, pointer: str, words: str) -> None:
    (problem,) = validate_payload(ORDER, GOOD | change)
    assert (problem.pointer, problem.message) == (pointer, words)


def test_all_problems_come_at_once_and_each_once() -> None:
    problems = validate_payload(ORDER, {"count": 0, "more": 1, "address": {}})
    assert [problem.pointer for problem in problems] == [
        "/count",
        "/address/zip",
        "/address/city",
        "/name",
        "/more",
    ]
    many = {"type": "array", "items": {"type": "string"}}
    assert len(validate(many, [1] * 1_000)) == 100


@pytest.mark.parametrize("payload", [None, [], "x", 5, True])
def test_a_payload_is_always_an_object(payload: Any) -> None:
    for schema in (None, {}, {"type": ["array", "null", "string", "number", "boolean"]}):
        (problem,) = validate_payload(schema, payload)
        assert problem.pointer == ""


def test_without_a_schema_any_object_fits() -> None:
    assert validate_payload(None, {"any": [1]}) == []


def test_the_empty_payload_is_built_in() -> None:
    empty = BUILT_IN_SCHEMAS["payload.Empty.v1"]
    assert validate_payload(empty, {}) == []
    assert [problem.pointer for problem in validate_payload(empty, {"a": 1})] == ["/a"]


def test_no_message_repeats_a_value() -> None:
    secret = "hunter2-is-my-password"
    bad = dict.fromkeys(ORDER["properties"], secret) | {"name": 5, "tags": [secret, secret]}
    text = json.dumps([problem.message for problem in validate_payload(ORDER, bad)])
    assert secret not in text


def test_of_alternatives_the_nearest_is_explained() -> None:
    schema = {
        "oneOf": [
            {"properties": {"kind": {"const": "card"}, "number": {"type": "integer"}},
             "required": ["kind", "number"]},
            {"properties": {"kind": {"const": "cash"}}, "required": ["kind"]},
        ]
    }  # fmt: skip
    (problem,) = validate(schema, {"kind": "card", "number": "1"})
    assert (problem.pointer, problem.message) == ("/number", "Must be an integer.")


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        (5, ""),
        (True, ""),
        ({"type": "texts"}, "/type"),
        ({"properties": []}, "/properties"),
        ({"required": "name"}, "/required"),
        ({"properties": {"a": {"minLength": -1}}}, "/properties/a/minLength"),
        ({"$ref": "https://example.test/x"}, "/$ref"),
        ({"$ref": "other.json"}, "/$ref"),
        ({"$ref": "file:///etc/passwd"}, "/$ref"),
        ({"$ref": "#/$defs/gone"}, "/$ref"),
        ({"$ref": "#name"}, "/$ref"),
        ({"properties": {"a": {"$id": "https://x.y"}}}, "/properties/a/$id"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema"),
        ({"$defs": {"a": {"$schema": "http://json-schema.org/draft-07/schema#"}}},
         "/$defs/a/$schema"),
        ({"$dynamicRef": "#a"}, "/$dynamicRef"),
        ({"$anchor": "a"}, "/$anchor"),
        ({"pattern": "(?=a)"}, "/pattern"),
        ({"pattern": "(a)\\1"}, "/pattern"),
        ({"patternProperties": {"(a": {}}}, "/patternProperties/(a"),
        ({"patternProperties": {"a": {}}, "unevaluatedProperties": False},
         "/unevaluatedProperties"),
        ({"$ref": "#"}, ""),
        ({"allOf": [{"$ref": "#"}]}, "/allOf/0"),
        ({"$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"$ref": "#/$defs/a"}}},
         "/$defs/b"),
        ({"$defs": {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(30)}
          | {"a30": {}}}, "/$defs/a18"),
    ],
)  # fmt: skip
def test_a_schema_that_is_wrong_or_unsafe_is_refused_at_its_place(
    schema: Any, pointer: str
) -> None:
    assert [problem.pointer for problem in check_schema(schema)] == [pointer]


def test_a_deep_schema_is_refused_without_recursion() -> None:
    schema: dict[str, Any] = {}
    for _ in range(50_000):
        schema = {"not": schema}
    assert len(check_schema(schema)) == 1


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$defs": {"tree": {"properties": {"next": {"$ref": "#/$defs/tree"}}}},
         "$ref": "#/$defs/tree"},
        {"properties": {"$ref": {"type": "string"}, "pattern": {"type": "string"}}},
        {"enum": [{"$ref": "https://x.y"}]},
        {"default": {"pattern": "(?=a)"}, "title": "T", "description": "D", "format": "email"},
        {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": True},
        {"properties": {"a": {"type": "array", "prefixItems": [{}], "items": False}}},
    ],
)  # fmt: skip
def test_other_schemas_are_accepted(schema: Any) -> None:
    assert check_schema(schema) == []
    validate_payload(schema, {"a": [1], "next": {"next": {}}})


def test_patterns_are_linear_wherever_they_stand() -> None:
    evil = "^(a+)+$"
    text = "a" * 5_000 + "!"
    schema = {
        "properties": {"x": {"pattern": evil}},
        "patternProperties": {evil: {"type": "string"}},
        "propertyNames": {"pattern": "."},
        "additionalProperties": True,
    }
    assert check_schema(schema) == []
    begun = time.process_time()
    problems = validate_payload(schema, {"x": text, text: 1})
    assert [problem.pointer for problem in problems] == ["/x"]
    assert time.process_time() - begun < 1


def test_uniqueness_of_many_mixed_items_is_linear() -> None:
    items = [{"a": n} if n % 2 else [n] for n in range(20_000)]
    schema = {"properties": {"l": {"uniqueItems": True}}}
    begun = time.process_time()
    assert validate_payload(schema, {"l": items}) == []
    assert time.process_time() - begun < 2
    assert len(validate_payload(schema, {"l": [1, 1.0]})) == 1
    assert validate_payload(schema, {"l": [1, True, "1", [1]]}) == []


def test_a_schema_that_multiplies_its_work_going_down_is_stopped() -> None:
    twice = {"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}
    schema = {"$defs": {"a": {"properties": {"x": twice}}}, "$ref": "#/$defs/a"}
    assert check_schema(schema) == []
    payload: dict[str, Any] = {}
    for _ in range(40):
        payload = {"x": payload}
    begun = time.process_time()
    (problem,) = validate_payload(schema, payload)
    assert problem.code == "TOO_MUCH_WORK"
    assert time.process_time() - begun < 4


def test_a_long_list_of_references_is_not_too_much_work() -> None:
    schema = {"properties": {"l": {"items": {"$ref": "#/$defs/n"}}}, "$defs": {"n": {}}}
    assert validate_payload(schema, {"l": [0] * 12_000}) == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "ab", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=6,
)
SCHEMAS = st.recursive(
    st.sampled_from([{}, {"type": "string"}, {"type": ["integer", "null"]}, {"minLength": 1},
                     {"enum": [1, "a", None]}, {"const": True}, {"pattern": "^a"}, {"maximum": 1},
                     {"uniqueItems": True}, {"required": ["a", "b"]}, {"maxItems": 1}]),
    lambda inner: st.builds(lambda s: {"not": s}, inner)
    | st.builds(lambda s, t: {"allOf": [s, t]}, inner, inner)
    | st.builds(lambda s, t: {"anyOf": [s, t]}, inner, inner)
    | st.builds(lambda s, t: {"oneOf": [s, t]}, inner, inner)
    | st.builds(lambda s, t: {"properties": {"a": s}, "additionalProperties": t}, inner,
                inner | st.booleans())
    | st.builds(lambda s, t: {"patternProperties": {"^a": s}, "additionalProperties": t}, inner,
                inner | st.booleans())
    | st.builds(lambda s: {"items": s}, inner)
    | st.builds(lambda s: {"$ref": "#/$defs/x", "$defs": {"x": s}}, inner),
    max_leaves=5,
)  # fmt: skip


@settings(deadline=None)
@given(SCHEMAS, VALUES)
def test_a_value_fits_exactly_when_the_standard_says_so(schema: Any, value: Any) -> None:
    if check_schema(schema):
        return
    fits = Draft202012Validator(schema).is_valid(value)
    problems = validate(schema, value)
    assert (problems == []) == fits
    assert all(problem.message.endswith(".") for problem in problems)
