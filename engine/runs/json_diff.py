"""How two values differ, by JSON pointer, without showing what either of them masks.

Each side comes as it is and as it may be shown. What is masked on both sides is compared by keyed
fingerprint: only "equal" or "differs" comes out. What is masked on one side alone is not compared
at all, else the open side would tell what the masked one holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from engine.contract import Json
from engine.runs.payload import RedactedPayload
from engine.runs.redaction import MASK
from engine.runs.strict_json import canonical, child_pointer

LIMIT: Final = 500
"""Differences that are listed."""


class Change(StrEnum):
    ADDED = "added"
    """Only on the right."""
    REMOVED = "removed"
    """Only on the left."""
    CHANGED = "changed"


class Masked(StrEnum):
    DIFFERS = "differs"
    """Masked on both sides; the values differ."""
    NOT_COMPARED = "not compared"
    """Masked on one side only."""


@dataclass(frozen=True, slots=True)
class Side:
    value: Json
    """Never leaves this module."""
    shown: Json


@dataclass(frozen=True, slots=True)
class Difference:
    pointer: str
    change: Change
    left: RedactedPayload | None = None
    right: RedactedPayload | None = None
    masked: Masked | None = None


@dataclass(frozen=True, slots=True)
class Differences:
    found: tuple[Difference, ...] = ()
    masked_equal: tuple[str, ...] = ()
    """Pointers of what is masked on both sides and equal."""
    more: bool = False
    """There are further differences, which are not listed."""

    @property
    def none(self) -> bool:
        return not self.found


def compare_json(
    left: Side, right: Side, equal: Callable[[Json, Json], bool], *, limit: int = LIMIT
) -> Differences:
    """`equal` tells by keyed fingerprint whether two masked values are the same."""
    found: list[Difference] = []
    masked_equal: list[str] = []
    for one in _walk("", left, right, equal):
        if isinstance(one, Difference):
            if len(found) == limit:
                return Differences(tuple(found), tuple(masked_equal), more=True)
            found.append(one)
        elif len(masked_equal) < limit:
            masked_equal.append(one)
    return Differences(tuple(found), tuple(masked_equal))


def _walk(
    pointer: str, left: Side, right: Side, equal: Callable[[Json, Json], bool]
) -> Iterator[Difference | str]:
    """Differences, and pointers of equal masked values."""
    ours, theirs = _members(left), _members(right)
    if ours is None or theirs is None or _is_list(left) != _is_list(right):
        yield from _leaf(pointer, left, right, equal)
        return
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        here = child_pointer(pointer, key)
        if key not in theirs:
            yield Difference(here, Change.REMOVED, left=RedactedPayload(ours[key].shown))
        elif key not in ours:
            yield Difference(here, Change.ADDED, right=RedactedPayload(theirs[key].shown))
        else:
            yield from _walk(here, ours[key], theirs[key], equal)


def _leaf(
    pointer: str, left: Side, right: Side, equal: Callable[[Json, Json], bool]
) -> Iterator[Difference | str]:
    hidden = (_is_masked(left), _is_masked(right))
    if hidden == (True, True) and equal(left.value, right.value):
        yield pointer
        return
    if hidden == (False, False) and canonical(left.value) == canonical(right.value):
        return
    masked = None
    if any(hidden):
        masked = Masked.DIFFERS if all(hidden) else Masked.NOT_COMPARED
    shown = RedactedPayload(left.shown), RedactedPayload(right.shown)
    yield Difference(pointer, Change.CHANGED, *shown, masked)


def _is_masked(side: Side) -> bool:
    return canonical(side.value) != canonical(side.shown)


def _is_list(side: Side) -> bool:
    return isinstance(side.value, list)


def _members(side: Side) -> dict[str | int, Side] | None:
    """What is in an object or a list that is shown as one; None for everything else.

    Keys that are masked themselves are taken together as one member named by the mask.
    """
    if isinstance(side.value, list) and isinstance(side.shown, list):
        pairs = zip(side.value, side.shown, strict=True)
        return {index: Side(*pair) for index, pair in enumerate(pairs)}
    if not isinstance(side.value, dict) or not isinstance(side.shown, dict):
        return None
    members: dict[str | int, Side] = {}
    unseen: dict[str, Json] = {}
    for key, value in side.value.items():
        if key in side.shown:
            members[key] = Side(value, side.shown[key])
        else:
            unseen[key] = value
    if unseen:
        members[MASK] = Side(unseen, MASK)
    return members
