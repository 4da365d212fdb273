"""From what was typed into a form to the JSON it means.

A field left blank is left out. Text that does not fit its field's type is a problem beside it, and
stays as it was typed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from blueprints.schema_form.fields import Field, Kind, SchemaForm
from engine.contract import Json
from engine.errors import Invalid, Problem
from engine.runs import strict_json
from engine.runs.payload import Payload

_TRUE: Final = {"true", "on", "yes", "1"}
_FALSE: Final = {"false", "off", "no", "0"}
_INTEGER: Final = re.compile(r"[+-]?\d+")
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_LONGEST_NUMBER: Final = 400


class NotOfKind(ValueError):
    """What was typed is not what the field asks for; the words are for beside the field."""


def read_form(form: SchemaForm, given: Mapping[str, str]) -> Payload:
    """Raw JSON where some was typed, else what the fields mean. Raises `Invalid`."""
    raw = given.get("payload", "")
    if raw.strip():
        return Payload.parse(raw)
    if form.raw_only:
        raise Invalid(
            "The JSON is missing.", [Problem("", "Type a JSON object, {} for an empty one.")]
        )
    value, problems = read_fields(form, given)
    if problems:
        raise Invalid("Some of the fields cannot be read.", problems)
    return Payload.of(value)


def read_fields(form: SchemaForm, given: Mapping[str, str]) -> tuple[Json, list[Problem]]:
    """The payload, and what could not be read. `given` is by field name."""
    payload: dict[str, Json] = {}
    problems: list[Problem] = []
    for pointer in form.required_objects:
        _put(payload, pointer, {})
    for field in form.fields:
        text = given.get(field.name)
        if text is None or not text.strip():
            continue
        try:
            _put(payload, field.pointer, read(field, text))
        except NotOfKind as fault:
            problems.append(Problem(field.pointer, str(fault)))
        except Invalid as fault:
            problems += faults_of(field, fault)
    return payload, problems


def faults_of(field: Field, fault: Invalid) -> list[Problem]:
    """What is wrong with the JSON in a field."""
    return [
        Problem(field.pointer + inner.pointer, f"This JSON {inner.message}")
        if inner.pointer
        else Problem(field.pointer, f"This is not valid JSON: {inner.message}")
        for inner in fault.problems
    ]


def read(field: Field, text: str) -> Json:
    """Raises `NotOfKind`, and `Invalid` for JSON that strict JSON refuses."""
    if field.kind is Kind.CHOICE:
        return _chosen(field, text)
    if field.kind is Kind.JSON:
        return strict_json.parse(text)
    if field.kind is Kind.LIST:
        return _entries(field, text)
    return _scalar(field.kind, text)


def _scalar(kind: Kind, text: str) -> Json:
    if kind in {Kind.TEXT, Kind.LONG_TEXT}:
        return text.replace("\r\n", "\n")
    word = text.strip()
    if kind is Kind.BOOLEAN:
        if word.lower() in _TRUE | _FALSE:
            return word.lower() in _TRUE
        raise NotOfKind("Choose yes or no.")
    if len(word) > _LONGEST_NUMBER:
        raise NotOfKind("This number is too long.")
    if _INTEGER.fullmatch(word):
        return int(word)
    if kind is Kind.INTEGER:
        raise NotOfKind("This must be a whole number.")
    if _NUMBER.fullmatch(word):
        return strict_json.normal(float(word))
    raise NotOfKind("This must be a number.")


def _chosen(field: Field, text: str) -> Json:
    for choice in field.choices:
        if choice.text == text:
            return choice.value
    raise NotOfKind("This is none of the choices.")


def _entries(field: Field, text: str) -> Json:
    """A JSON list where it looks like one, else one entry a line."""
    if text.lstrip().startswith("["):
        try:
            return strict_json.parse(text)
        except Invalid:
            if field.entry is not Kind.TEXT or _is_json(text):
                raise
    entries: list[Json] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            entries.append(_scalar(field.entry, line.strip()))
        except NotOfKind as fault:
            raise NotOfKind(f"Line {number}: {fault}") from None
    return entries


def _is_json(text: str) -> bool:
    """Meant as a list, then, and refused for what is in it."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _put(payload: dict[str, Json], pointer: str, value: Json) -> None:
    place = payload
    *parents, last = [t.replace("~1", "/").replace("~0", "~") for t in pointer.split("/")[1:]]
    for token in parents:
        place = place.setdefault(token, {})
    place[last] = value
