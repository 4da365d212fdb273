"""The fields of a form, made from a JSON Schema: of a run's payload, or of a task's answer.

What a form can ask for becomes a field: texts, numbers, yes or no, choices, lists of those, and
objects of them, flattened. Anything else is a JSON field of its own. A field is named after its
place: `field:/customer/name`. Nothing is decided here: the schema itself judges what comes back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from engine.contract import Json
from engine.runs.strict_json import child_pointer

PREFIX: Final = "field:"
MAX_FIELDS: Final = 200
_MAX_DEPTH: Final = 6
_COMBINING: Final = {"anyOf", "oneOf", "allOf", "not", "if", "$dynamicRef"}
_SCALARS: Final = {"string", "number", "integer", "boolean"}
_INPUT_TYPES: Final = {"email": "email", "date": "date", "uri": "url", "password": "password"}


class Kind(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    LIST = "list"
    """One entry a line."""
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Choice:
    text: str
    """What the option sends: a text as it is, any other value as JSON."""
    value: Json


@dataclass(frozen=True, slots=True)
class Field:
    pointer: str
    label: str
    kind: Kind
    required: bool
    """Whether its object must hold it; for an object that may be absent: if there is one."""
    hint: str | None = None
    format: str | None = None
    input_type: str = "text"
    default: str = ""
    example: str | None = None
    choices: tuple[Choice, ...] = ()
    entry: Kind = Kind.TEXT
    """Of a list."""
    group: str = ""
    """Label of the object it stands in."""

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.pointer}"


@dataclass(frozen=True, slots=True)
class SchemaForm:
    fields: tuple[Field, ...] = ()
    required_objects: tuple[str, ...] = ()
    """Pointers of objects that must be there, even when nothing in them was filled in."""

    @property
    def raw_only(self) -> bool:
        """The schema names no property: only JSON can be typed."""
        return not self.fields


def make_form(schema: Json) -> SchemaForm:
    """Never raises, whatever the schema."""
    if not isinstance(schema, dict):
        return SchemaForm()
    walker = _Walker(schema)
    fields = tuple(walker.walk(_resolved(schema, schema), "", "", 0, True))
    if len(fields) > MAX_FIELDS:
        return SchemaForm()
    return SchemaForm(fields, tuple(walker.required_objects))


class _Walker:
    def __init__(self, root: Mapping[str, Json]) -> None:
        self._root = root
        self.required_objects: list[str] = []

    def walk(
        self, schema: Mapping[str, Json], pointer: str, group: str, depth: int, certain: bool
    ) -> Iterator[Field]:
        """The fields of one object. `certain`: the object itself must be there."""
        properties = schema.get("properties")
        required = schema.get("required")
        wanted = set(required) if isinstance(required, list) else set()
        for name, part in (properties if isinstance(properties, dict) else {}).items():
            part = _resolved(part, self._root)
            here = child_pointer(pointer, name)
            must = name in wanted
            if _is_plain_object(part) and depth < _MAX_DEPTH:
                if must and certain:
                    self.required_objects.append(here)
                label = f"{group} / {_label(part, name)}" if group else _label(part, name)
                yield from self.walk(part, here, label, depth + 1, must and certain)
            else:
                yield _field(part, here, name, must, group)


def _field(schema: Mapping[str, Json], pointer: str, name: str, must: bool, group: str) -> Field:
    kind, entry = _kind(schema)
    choices = _choices(schema) if kind is Kind.CHOICE else ()
    form = schema.get("format")
    form = form if isinstance(form, str) else None
    secret = schema.get("writeOnly") is True or form == "password"
    examples = schema.get("examples")
    example = examples[0] if isinstance(examples, list) and examples else None
    return Field(
        pointer=pointer,
        label=_label(schema, name),
        kind=kind,
        required=must,
        hint=_text(schema.get("description")),
        format=form,
        input_type="password" if secret else _INPUT_TYPES.get(form or "", "text"),
        default="" if "default" not in schema else typed(schema["default"], kind),
        example=None if example is None else typed(example, kind),
        choices=choices,
        entry=entry,
        group=group,
    )


def typed(value: Json, kind: Kind) -> str:
    """How somebody would have typed `value` into a field of this kind."""
    if kind is Kind.LIST and isinstance(value, list):
        lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in value]
        if all(_stands_in_a_line(line) for line in lines):
            return "\n".join(lines)
        return json.dumps(value, ensure_ascii=False)
    if kind is Kind.JSON:
        return json.dumps(value, ensure_ascii=False, indent=2)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _stands_in_a_line(entry: str) -> bool:
    """Read back from a line of its own it is the same; else the list is written as JSON."""
    return (
        bool(entry)
        and entry == entry.strip()
        and not set("\r\n") & set(entry)
        and (not entry.startswith("["))
    )


def _kind(schema: Mapping[str, Json]) -> tuple[Kind, Kind]:
    """Of a field, and of an entry where it is a list."""
    if _COMBINING & schema.keys():
        return Kind.JSON, Kind.TEXT
    if "const" in schema or isinstance(schema.get("enum"), list):
        return Kind.CHOICE, Kind.TEXT
    found = _type(schema)
    if found == "array":
        items = schema.get("items")
        plain = isinstance(items, dict) and not (_COMBINING | {"$ref", "enum"}) & items.keys()
        entry = _type(items) if plain and isinstance(items, dict) else None
        if entry in _SCALARS and "prefixItems" not in schema:
            return Kind.LIST, _scalar(str(entry))
        return Kind.JSON, Kind.TEXT
    if found not in _SCALARS:
        return Kind.JSON, Kind.TEXT
    if found == "string" and _is_long(schema):
        return Kind.LONG_TEXT, Kind.TEXT
    return _scalar(str(found)), Kind.TEXT


def _scalar(name: str) -> Kind:
    return Kind.TEXT if name == "string" else Kind(name)


def _is_long(schema: Mapping[str, Json]) -> bool:
    longest = schema.get("maxLength")
    return isinstance(longest, int) and longest > 200 and "format" not in schema


def _type(schema: Mapping[str, Json]) -> str | None:
    """The type; one of two where the other is null, which a form leaves out instead."""
    found = schema.get("type")
    if isinstance(found, list):
        others = [name for name in found if name != "null"]
        found = others[0] if len(others) == 1 else None
    return found if isinstance(found, str) else None


def _is_plain_object(schema: Mapping[str, Json]) -> bool:
    """An object whose properties are named: it is flattened."""
    properties = schema.get("properties")
    return (
        _type(schema) in {"object", None}
        and isinstance(properties, dict)
        and bool(properties)
        and not _COMBINING & schema.keys()
        and not ({"enum", "const"} & schema.keys())
    )


def _choices(schema: Mapping[str, Json]) -> tuple[Choice, ...]:
    values: list[Any] = [schema["const"]] if "const" in schema else list(schema["enum"])
    texts = [typed(value, Kind.TEXT) for value in values]
    if len(set(texts)) < len(texts):  # 1 and "1"
        texts = [json.dumps(value, ensure_ascii=False) for value in values]
    return tuple(Choice(text, value) for text, value in zip(texts, values, strict=True))


def _resolved(schema: Json, root: Mapping[str, Json]) -> Mapping[str, Json]:
    """The schema behind a `$ref` within the document; {} where there is none."""
    for _ in range(8):
        if not isinstance(schema, dict):
            return {}
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        target = _target(root, reference)
        schema = {**target, **beside} if isinstance(target, dict) else {}
    return {}


def _target(root: Json, reference: str) -> Json:
    if not reference.startswith("#/"):
        return root if reference == "#" else None
    place = root
    for token in reference[2:].split("/"):
        key = token.replace("~1", "/").replace("~0", "~")
        if not isinstance(place, dict) or key not in place:
            return None
        place = place[key]
    return place


def _label(schema: Mapping[str, Json], name: str) -> str:
    return _text(schema.get("title")) or name


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
