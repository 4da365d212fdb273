"""From any JSON Schema to fields, and from what was typed to the payload it means."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from blueprints.schema_form.fields import Kind, make_form, typed
from blueprints.schema_form.typed import read_fields


def _schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, Kind.TEXT),
        ({"type": "string", "maxLength": 5000}, Kind.LONG_TEXT),
        ({"type": ["string", "null"]}, Kind.TEXT),
        ({"type": "number"}, Kind.NUMBER),
        ({"type": "integer"}, Kind.INTEGER),
        ({"type": "boolean"}, Kind.BOOLEAN),
        ({"enum": [1, "a", None]}, Kind.CHOICE),
        ({"const": "only"}, Kind.CHOICE),
        ({"type": "array", "items": {"type": "number"}}, Kind.LIST),
        ({"type": "array", "items": {"type": "object"}}, Kind.JSON),
        ({"type": "array"}, Kind.JSON),
        ({"type": "object"}, Kind.JSON),
        ({"type": ["string", "number"]}, Kind.JSON),
        ({"anyOf": [{"type": "string"}]}, Kind.JSON),
        ({"type": "string", "allOf": [{}]}, Kind.JSON),
        (True, Kind.JSON),
        ({}, Kind.JSON),
        ({"$ref": "#/nowhere"}, Kind.JSON),
    ],
)
def test_each_schema_has_its_kind_of_field(schema: Any, kind: Kind) -> None:
    (field,) = make_form(_schema(x=schema)).fields
    assert (field.kind, field.name) == (kind, "field:/x")


def test_objects_are_flattened_and_those_required_are_always_there() -> None:
    inner = _schema(name={"type": "string"})
    form = make_form({**_schema(must=inner, may=inner), "required": ["must"]})
    assert [field.name for field in form.fields] == ["field:/must/name", "field:/may/name"]
    assert read_fields(form, {}) == ({"must": {}}, [])
    assert read_fields(form, {"field:/may/name": "x"}) == ({"must": {}, "may": {"name": "x"}}, [])


def test_a_reference_within_the_schema_is_followed_and_one_in_circles_is_not() -> None:
    schema = _schema(a={"$ref": "#/$defs/name"}, b={"$ref": "#/$defs/loop"})
    schema["$defs"] = {"name": {"type": "string"}, "loop": {"$ref": "#/$defs/loop"}}
    assert [field.kind for field in make_form(schema).fields] == [Kind.TEXT, Kind.JSON]


def test_a_schema_that_contains_itself_ends() -> None:
    schema: dict[str, Any] = _schema(child={"$ref": "#"}, name={"type": "string"})
    form = make_form(schema)
    assert 0 < len(form.fields) <= 200


@pytest.mark.parametrize("schema", [None, True, {}, {"type": "object"}, {"properties": {}}, [], 7])
def test_without_properties_there_is_only_raw_json(schema: Any) -> None:
    assert make_form(schema).raw_only


def test_choices_that_look_alike_are_told_apart() -> None:
    form = make_form(_schema(x={"enum": [1, "1", True]}))
    (field,) = form.fields
    assert [choice.text for choice in field.choices] == ["1", '"1"', "true"]
    for text, value in (("1", 1), ('"1"', "1"), ("true", True)):
        payload, problems = read_fields(form, {"field:/x": text})
        assert (payload, problems) == ({"x": value}, [])
        assert type(payload["x"]) is type(value)


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "integer"}, " 007 ", 7),
        ({"type": "integer"}, "-3", -3),
        ({"type": "number"}, "1e3", 1000.0),
        ({"type": "number"}, "-0.0", 0.0),
        ({"type": "number"}, "9007199254740993", 9007199254740993),
        ({"type": "boolean"}, "on", True),
        ({"type": "boolean"}, "No", False),
        ({"type": "string"}, " kept ", " kept "),
        ({"type": "array", "items": {"type": "string"}}, "a\r\n\r\n b \r\n", ["a", "b"]),
        ({"type": "array", "items": {"type": "string"}}, '["a\\nb", ""]', ["a\nb", ""]),
        ({"type": "array", "items": {"type": "string"}}, "[not json", ["[not json"]),
        ({"type": "array", "items": {"type": "boolean"}}, "yes\nno", [True, False]),
        ({"anyOf": [{}]}, "null", None),
    ],
)
def test_what_is_typed_means_this(schema: Any, text: str, value: Any) -> None:
    payload, problems = read_fields(make_form(_schema(x=schema)), {"field:/x": text})
    assert problems == []
    assert payload == {"x": value}
    assert type(payload["x"]) is type(value)


@pytest.mark.parametrize("text", ["", "   ", "\r\n"])
def test_what_is_left_blank_is_left_out(text: str) -> None:
    for schema in ({"type": "string"}, {"type": "integer"}, {"enum": ["a"]}, {"anyOf": [{}]}):
        assert read_fields(make_form(_schema(x=schema)), {"field:/x": text}) == ({}, [])


def test_every_fault_is_reported_at_its_field() -> None:
    form = make_form(_schema(a={"type": "integer"}, b={"type": "boolean"}, c={"anyOf": [{}]}))
    sent = {"field:/a": "x", "field:/b": "y", "field:/c": '{"k": NaN}'}
    _, problems = read_fields(form, sent)
    assert [problem.pointer for problem in problems] == ["/a", "/b", "/c"]


scalars = st.none() | st.booleans() | st.integers(-100, 100) | st.text(max_size=5)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.dictionaries(st.text(max_size=8), inner, max_size=4)
    return st.lists(inner, max_size=3) | objects


json_values = st.recursive(scalars, _nested, max_leaves=12)
WORDS = (
    "type properties required enum const items format title default examples description $ref "
    "anyOf maxLength writeOnly"
)
keywords = st.sampled_from(WORDS.split())


@given(st.dictionaries(keywords, json_values, max_size=6))
def test_no_schema_however_odd_breaks_the_form(schema: dict[str, Any]) -> None:
    form = make_form(_schema(x=schema))
    given_back = {field.name: field.default for field in form.fields}
    read_fields(form, given_back)


@example(["", "\0"])
@given(st.lists(st.text(max_size=6), max_size=5))
def test_a_default_list_comes_back_as_it_was(entries: list[str]) -> None:
    form = make_form(_schema(x={"type": "array", "items": {"type": "string"}}))
    text = typed(entries, Kind.LIST)
    payload, problems = read_fields(form, {"field:/x": text})
    assert problems or payload == ({"x": entries} if text.strip() else {})
