"""Where a step writes: `payload.`, `vars.`, `meta.`, `error.`, or a JSON pointer into the payload.

One module for interpreter, simulator and checker (original 2.9, docs/authoring.md Steps).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from engine.contract import Json
from engine.errors import Category, StepFailed

SCOPES: Final = ("payload", "vars", "meta", "error")
FORBIDDEN: Final = frozenset({"__proto__", "prototype", "constructor"})
MAX_SEGMENTS: Final = 32
_MAX_INDEX_DIGITS: Final = 10


class PathRefused(ValueError):
    """The text is no path that a step may write to."""


@dataclass(frozen=True, slots=True)
class Target:
    scope: str
    """One of `SCOPES`."""
    segments: tuple[str, ...]
    """At least one; list positions are digits."""

    def __str__(self) -> str:
        return ".".join((self.scope, *self.segments))


@lru_cache(maxsize=4096)
def parse_assign(text: str) -> Target:
    """The path of an assignment. Raises `PathRefused`."""
    if text.startswith("/"):
        return _path("payload", [_unescaped(part) for part in text[1:].split("/")], text)
    scope, dot, rest = text.partition(".")
    if not dot or scope not in SCOPES:
        raise PathRefused(
            "A path begins with payload., vars., meta. or error., or is a JSON pointer (/...)."
        )
    return _path(scope, rest.split("."), text)


@lru_cache(maxsize=4096)
def parse_save_as(text: str) -> Target:
    """The path of a saveAs: without one of the scopes in front it is below vars."""
    if text.startswith("/") or (text.partition(".")[0] in SCOPES and "." in text):
        return parse_assign(text)
    return _path("vars", text.split("."), text)


def assign(root: Json, segments: tuple[str, ...], value: Json) -> Json:
    """`root` (the value of a target's scope) with `value` at the target's segments.

    Nothing is changed in place: what lies beside the path is shared with the old value.
    Missing and null containers on the way become objects. Raises `StepFailed` (ValidationError)
    where the way leads through text, a number or a boolean, or out of a list.
    """
    return _assigned(root, segments, 0, value)


def _assigned(container: Json, segments: tuple[str, ...], depth: int, value: Json) -> Json:
    if depth == len(segments):
        return value
    segment = segments[depth]
    if isinstance(container, list):
        index = _position(container, segments, depth)
        before = container[index] if index < len(container) else None
        inner = _assigned(before, segments, depth + 1, value)
        return [*container[:index], inner, *container[index + 1 :]]
    if container is None:
        container = {}
    if not isinstance(container, dict):
        raise _failed(segments, depth, "is neither an object nor a list")
    inner = _assigned(container.get(segment), segments, depth + 1, value)
    return {**container, segment: inner}


def _position(container: list[Json], segments: tuple[str, ...], depth: int) -> int:
    segment = segments[depth]
    if segment == "-":
        return len(container)
    if segment.isascii() and segment.isdigit() and len(segment) < _MAX_INDEX_DIGITS:
        index = int(segment)
        if index <= len(container):
            return index
    raise _failed(segments, depth, f"is a list of {len(container)} without position {segment!r}")


def _failed(segments: tuple[str, ...], depth: int, words: str) -> StepFailed:
    written, place = ".".join(segments), ".".join(segments[:depth])
    what = repr(place) if place else "the value there"
    return StepFailed(
        Category.VALIDATION, f"Cannot write {written!r}: {what} {words}.", code="ASSIGN_PATH"
    )


def _path(scope: str, segments: list[str], text: str) -> Target:
    if len(segments) > MAX_SEGMENTS:
        raise PathRefused(f"A path has at most {MAX_SEGMENTS} parts.")
    for segment in segments:
        if not segment or segment != segment.strip():
            raise PathRefused(f"{text!r} has an empty part.")
        if segment in FORBIDDEN:
            raise PathRefused(f"{segment} may not be part of a path.")
    return Target(scope, tuple(segments))


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
