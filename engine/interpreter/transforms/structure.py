"""Objects, lists, and the first usable of several values."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from engine.contract import Json
from engine.interpreter.transforms.fields import Fields
from engine.interpreter.transforms.transform import Transform

Name = Annotated[str, Field(min_length=1)]


class Coalesce(Fields):
    candidates: list[Any]
    treat_empty_string_as_missing: bool = True


class Chosen(Fields):
    value: Any
    matched_index: int | None
    """Null when no candidate is usable."""


class NamedValue(Fields):
    key: Name
    value: Any


class BuildObject(Fields):
    fields: list[NamedValue]


class ObjectResult(Fields):
    object: dict[str, Any]


class PickFields(Fields):
    source: dict[str, Any] | None
    fields: list[Name]


class Rename(Fields):
    source_name: Annotated[Name, Field(alias="from")]
    to: Name


class RenameFields(Fields):
    source: dict[str, Any] | None
    renames: list[Rename]


class AppendArray(Fields):
    items: list[Any]
    values: list[Any]


class BuildArray(Fields):
    items: list[Any]


class Items(Fields):
    items: list[Any]


def _coalesce(input: Coalesce) -> dict[str, Json]:
    for index, candidate in enumerate(input.candidates):
        if candidate is None or (candidate == "" and input.treat_empty_string_as_missing):
            continue
        return {"value": candidate, "matchedIndex": index}
    return {"value": None, "matchedIndex": None}


def _build_object(input: BuildObject) -> dict[str, Json]:
    """Of two fields with one key the later counts."""
    return {"object": {field.key: field.value for field in input.fields}}


def _pick_fields(input: PickFields) -> dict[str, Json]:
    """Fields that the source does not have are left out; a null source has none."""
    source = input.source or {}
    return {"object": {name: source[name] for name in input.fields if name in source}}


def _rename_fields(input: RenameFields) -> dict[str, Json]:
    """All at once, so that two fields can change names; one that is not there is passed over."""
    source = input.source or {}
    present = [rename for rename in input.renames if rename.source_name in source]
    gone = {rename.source_name for rename in present}
    result = {name: value for name, value in source.items() if name not in gone}
    result.update({rename.to: source[rename.source_name] for rename in present})
    return {"object": result}


def _append_array(input: AppendArray) -> dict[str, Json]:
    return {"items": [*input.items, *input.values]}


def _build_array(input: BuildArray) -> dict[str, Json]:
    return {"items": list(input.items)}


STRUCTURE: Final = {
    "coalesce_value": Transform(
        Coalesce, Chosen, _coalesce, "The first candidate that is not null (nor empty text)."
    ),
    "build_object": Transform(
        BuildObject, ObjectResult, _build_object, "Make an object of named values."
    ),
    "pick_fields": Transform(PickFields, ObjectResult, _pick_fields, "Keep some fields only."),
    "rename_fields": Transform(
        RenameFields, ObjectResult, _rename_fields, "Give fields other names."
    ),
    "append_array": Transform(AppendArray, Items, _append_array, "Put values after a list."),
    "build_array": Transform(BuildArray, Items, _build_array, "Make a list."),
}
