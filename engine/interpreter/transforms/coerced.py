"""Values as text, the same way as `toString` of the expressions (docs/authoring.md)."""

from __future__ import annotations

import json
from typing import Any

from engine.contract import Json
from engine.expressions.values import number_text


def text_of(value: Json) -> str:
    """Text as it is, null as nothing, numbers and true as JavaScript writes them, the rest JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return json.dumps(one_kind_of_number(value), ensure_ascii=False, separators=(",", ":"))


def one_kind_of_number(value: Json) -> Json:
    """`value` with 3.0 as 3: JSON has one kind of number."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {key: one_kind_of_number(item) for key, item in value.items()}
    if isinstance(value, list):
        return [one_kind_of_number(item) for item in value]
    return value


def joined(values: list[Any], separator: str) -> list[str]:
    """The texts of `values` with the separator between them, as pieces of one text."""
    pieces: list[str] = []
    for index, value in enumerate(values):
        if index and separator:
            pieces.append(separator)
        pieces.append(text_of(value))
    return pieces
