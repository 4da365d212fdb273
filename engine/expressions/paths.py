"""Where a step writes: `payload.`, `vars.`, `meta.`, `error.`, or a JSON pointer into the payload.

One module for interpreter, simulator and checker (original 2.9, document.md Steps).
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


class PathRefused(ValueError):
    """The text is no path that a step may write to."""


@dataclass(frozen=True, slots=True)
class AssignPath:
    scope: str
    """One of `SCOPES`."""
    segments: tuple[str, ...]
    """At least one; list positions are digits."""

    def __str__(self) -> str:
        return ".".join((self.scope, *self.segments))


@lru_cache(maxsize=4096)
def parse_assign(text: str) -> AssignPath:
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
def parse_save_as(text: str) -> AssignPath:
    """The path of a saveAs: without one of the scopes in front it is below vars."""
    if text.startswith("/") or text.partition(".")[0] in SCOPES and "." in text:
        return parse_assign(text)
    return _path("vars", text.split("."), text)


def put(container: Json, path: AssignPath, value: Json) -> Json:
    """`container` (the value of the path's scope) with `value` at the path.

    Nothing is changed in place: what lies beside the path is shared with the old container.
    Missing and null containers on the way become objects. Raises `StepFailed` (ValidationError)
    where the way leads through text, a number or a boolean, or out of a list.
    """
    return _put(container, path, 0, value)


def _put(container: Json, path: AssignPath, depth: int, value: Json) -> Json:
    if depth == len(path.segments):
        return value
    segment = path.segments[depth]
    if isinstance(container, list):
        index = _position(container, path, depth)
        before = container[index] if index < len(container) else None
        return [*container[:index], _put(before, path, depth + 1, value), *container[index + 1 :]]
    if container is None:
        container = {}
    if not isinstance(container, dict):
        raise _failed(path, depth, "is neither an object nor a list")
    return {**container, segment: _put(container.get(segment), path, depth + 1, value)}


def _position(container: list[Json], path: AssignPath, depth: int) -> int:
    segment = path.segments[depth]
    if segment == "-":
        return len(container)
    if segment.isascii() and segment.isdigit() and len(segment) < 10:
        index = int(segment)
        if index <= len(container):
            return index
    raise _failed(path, depth, f"is a list of {len(container)} and has no position {segment!r}")


def _failed(path: AssignPath, depth: int, words: str) -> StepFailed:
    place = ".".join((path.scope, *path.segments[:depth]))
    return StepFailed(
        Category.VALIDATION, f"Cannot write {path}: {place} {words}.", code="ASSIGN_PATH"
    )


def _path(scope: str, segments: list[str], text: str) -> AssignPath:
    if len(segments) > MAX_SEGMENTS:
        raise PathRefused(f"A path has at most {MAX_SEGMENTS} parts.")
    for segment in segments:
        if not segment or segment != segment.strip():
            raise PathRefused(f"{text!r} has an empty part.")
        if segment in FORBIDDEN:
            raise PathRefused(f"{segment} may not be part of a path.")
    return AssignPath(scope, tuple(segments))


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
