"""What a replay runs with: the old payload, and what the operator changed of it (docs/rules.md 8).

The operator sees and edits redacted text. Here the edit is carried over to the original by path: a
mask left alone keeps its true value; a mask anywhere else is refused, because nobody knows what it
stands for.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.contract import Json
from engine.errors import Invalid, Problem
from engine.runs.payload import Payload, RedactedPayload
from engine.runs.redaction import MASK
from engine.runs.strict_json import child_pointer


def merge(original: Payload, shown: RedactedPayload, edited: Json) -> Payload:
    """The original with the operator's edit. Raises `Invalid` with the pointer of each fault."""
    problems: list[Problem] = []
    merged = _merge(original.value, shown.value, edited, "", problems)
    if problems:
        raise Invalid("The edited payload cannot be used as it is.", problems)
    return Payload.of(merged)


def sealed_places(shown: Json, pointer: str = "") -> Iterator[str]:
    """Pointers of what is masked in a redacted value: left alone, it keeps the original."""
    if isinstance(shown, dict):
        for key, value in shown.items():
            yield from sealed_places(value, child_pointer(pointer, key))
    elif isinstance(shown, list):
        for index, value in enumerate(shown):
            yield from sealed_places(value, child_pointer(pointer, index))
    elif isinstance(shown, str) and MASK in shown:
        yield pointer


def _merge(
    original: Json, shown: Json, edited: Json, pointer: str, problems: list[Problem]
) -> Json:
    if _same(edited, shown):
        return original
    if isinstance(edited, dict) and isinstance(shown, dict) and isinstance(original, dict):
        return _merge_object(original, shown, edited, pointer, problems)
    if isinstance(edited, list) and isinstance(shown, list) and isinstance(original, list):
        return _merge_array(original, shown, edited, pointer, problems)
    _refuse_masks(edited, original, pointer, problems)
    return edited


def _merge_object(
    original: dict[str, Json],
    shown: dict[str, Json],
    edited: dict[str, Json],
    pointer: str,
    problems: list[Problem],
) -> dict[str, Json]:
    merged: dict[str, Json] = {}
    for key, value in edited.items():
        here = child_pointer(pointer, key)
        if MASK in key and key not in original:
            problems.append(Problem(here, "this key is a mask and has no value to keep"))
        elif key in shown and key in original:
            merged[key] = _merge(original[key], shown[key], value, here, problems)
        else:
            _refuse_masks(value, None, here, problems)
            merged[key] = value
    return merged


def _merge_array(
    original: list[Json],
    shown: list[Json],
    edited: list[Json],
    pointer: str,
    problems: list[Problem],
) -> list[Json]:
    if original != shown and (len(edited) != len(shown) or _reordered(shown, edited)):
        message = (
            "this list holds masked values and has changed its length or order: by position "
            "another entry's value would be restored"
        )
        problems.append(Problem(pointer, message))
        return edited
    if len(edited) != len(shown):
        _refuse_masks(edited, original, pointer, problems)
        return edited
    return [
        _merge(original[index], shown[index], value, child_pointer(pointer, index), problems)
        for index, value in enumerate(edited)
    ]


def _reordered(shown: list[Json], edited: list[Json]) -> bool:
    """Does an entry that was changed equal another entry that was shown elsewhere?"""
    return any(
        not _same(value, shown[index])
        and any(_same(value, other) for other in shown if _holds_mask(other))
        for index, value in enumerate(edited)
    )


def _refuse_masks(edited: Json, original: Json, pointer: str, problems: list[Problem]) -> None:
    """Mask text is kept only where the original itself held it."""
    if isinstance(edited, str):
        if MASK in edited and not (isinstance(original, str) and MASK in original):
            problems.append(
                Problem(pointer, f"{MASK} is a mask: type the value, or leave the field alone")
            )
    elif isinstance(edited, dict):
        for key, value in edited.items():
            known = original.get(key) if isinstance(original, dict) else None
            here = child_pointer(pointer, key)
            if MASK in key and not (isinstance(original, dict) and key in original):
                problems.append(Problem(here, "this key is a mask"))
            _refuse_masks(value, known, here, problems)
    elif isinstance(edited, list):
        held = original if isinstance(original, list) else []
        for index, value in enumerate(edited):
            known = value if value in held else None
            _refuse_masks(value, known, child_pointer(pointer, index), problems)


def _holds_mask(value: Json) -> bool:
    if isinstance(value, str):
        return MASK in value
    if isinstance(value, dict):
        return any(MASK in key or _holds_mask(item) for key, item in value.items())
    if isinstance(value, list):
        return any(map(_holds_mask, value))
    return False


def _same(left: Json, right: Json) -> bool:
    """Equal as JSON: 1, 1.0 and true are three values."""
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if isinstance(left, float) != isinstance(right, float):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)
