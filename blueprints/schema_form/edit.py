"""A form over a value that is there already: what stands in it, what is sealed, what was changed.

A field that was left alone leaves its value exactly as it was, and what the schema does not name
stays. A masked value is sealed: its field is blank, and blank keeps the original.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace

from blueprints.schema_form.fields import Field, Kind, SchemaForm, typed
from blueprints.schema_form.typed import NotOfKind, faults_of, read
from blueprints.schema_form.view import FormView, filled
from engine.contract import Json
from engine.errors import Invalid, Problem
from engine.runs.redaction import MASK

_NOWHERE = object()


def over(form: SchemaForm, value: Json) -> SchemaForm:
    """The fields as they can hold what stands in `value`: an input would change some texts."""
    return replace(form, fields=tuple(_holding(field, value) for field in form.fields))


def shown(form: SchemaForm, value: Json) -> FormView:
    """The form as `value` fills it in."""
    return edited(form, value, {field.name: text_of(field, value) for field in form.fields}, ())


def edited(
    form: SchemaForm, value: Json, given: Mapping[str, str], problems: Sequence[Problem]
) -> FormView:
    """The form as it was sent."""
    texts = {name: text for name, text in given.items() if name != "payload"}
    view = filled(form, texts, problems)
    fields = tuple(replace(one, sealed=is_sealed(one.field, value)) for one in view.fields)
    return replace(view, fields=fields, raw_open=False)


def changed(form: SchemaForm, value: Json, given: Mapping[str, str]) -> tuple[Json, list[Problem]]:
    """`value` with what was typed into it, and what could not be read."""
    result: Json = copy.deepcopy(value)
    problems: list[Problem] = []
    for field in form.fields:
        text = given.get(field.name)
        if text is None or text.replace("\r\n", "\n") == text_of(field, value):
            continue
        try:
            _change(result, field, text)
        except NotOfKind as fault:
            problems.append(Problem(field.pointer, str(fault)))
        except Invalid as fault:
            problems += faults_of(field, fault)
    return result, problems


def text_of(field: Field, value: Json) -> str:
    found = _at(value, field.pointer)
    if found is _NOWHERE or is_sealed(field, value):
        return ""
    return typed(found, field.kind)


def is_sealed(field: Field, value: Json) -> bool:
    """It is masked, or an object around it is."""
    tokens = _tokens(field.pointer)
    return any(
        _at(value, "/".join(("", *field.pointer.split("/")[1 : depth + 1]))) == MASK
        for depth in range(1, len(tokens) + 1)
    )


def _holding(field: Field, value: Json) -> Field:
    text = text_of(field, value)
    if field.kind is Kind.TEXT and "\n" in text:
        return replace(field, kind=Kind.LONG_TEXT)
    return field if field.input_type == "password" else replace(field, input_type="text")


def _change(result: Json, field: Field, text: str) -> None:
    """Raises `NotOfKind`, `Invalid`."""
    *parents, last = _tokens(field.pointer)
    place = result
    for token in parents:
        place = place.setdefault(token, {}) if isinstance(place, dict) else None
    if not isinstance(place, dict):
        raise NotOfKind("What stands around it is sealed, or no object: edit the JSON instead.")
    if text.strip():
        place[last] = read(field, text)
    elif last in place:
        del place[last]


def _at(value: Json, pointer: str) -> object:
    place: object = value
    for token in _tokens(pointer):
        if not isinstance(place, dict) or token not in place:
            return _NOWHERE
        place = place[token]
    return place


def _tokens(pointer: str) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
