"""What a page needs to know of a version's document: its redaction rules and its steps' names.

A published version never changes, so that what was read once stays true: the newest few are kept in
the process. Nothing else is.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.expressions import paths
from engine.runs.strict_json import child_pointer
from engine.store.definitions import WorkflowDefinitionVersion

_KEPT: Final = 256


@dataclass(frozen=True, slots=True)
class StepOutline:
    kind: str
    step_id: str | None = None
    name: str | None = None
    action: str | None = None
    """`http.request`, for action.call."""
    saved_at: str | None = None
    """JSON pointer of what its output is saved as: /vars/customer, /payload/…"""


@dataclass(frozen=True, slots=True)
class Outline:
    redact: tuple[str, ...] = ()
    steps: Mapping[str, StepOutline] = field(default_factory=dict)
    """By static path."""

    def of(self, path: str) -> StepOutline | None:
        return self.steps.get(path)


class _Newest:
    """The outlines used last, by version id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Outline] = OrderedDict()

    def find(self, version_id: str) -> Outline | None:
        with self._lock:
            outline = self._kept.get(version_id)
            if outline is not None:
                self._kept.move_to_end(version_id)
            return outline

    def keep(self, version_id: str, outline: Outline) -> None:
        with self._lock:
            self._kept[version_id] = outline
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)


_newest: Final = _Newest()


def outline_of(session: Session, version_id: str | None) -> Outline:
    """None, or a version that is gone: nothing is known of it."""
    return outlines_of(session, {version_id})[version_id]


def outlines_of(
    session: Session, version_ids: Collection[str | None]
) -> Mapping[str | None, Outline]:
    """As `outline_of`, of several; those that are not kept are read in one statement."""
    version = WorkflowDefinitionVersion
    known: dict[str | None, Outline] = {None: Outline()}
    for version_id in version_ids:
        if version_id is not None and (outline := _newest.find(version_id)) is not None:
            known[version_id] = outline
    missing = [version_id for version_id in version_ids if version_id not in known]
    if missing:
        query = select(version.version_id, version.definition_json)
        for row in session.execute(query.where(version.version_id.in_(missing))):
            known[row.version_id] = outline = read_outline(row.definition_json)
            _newest.keep(row.version_id, outline)
    return {version_id: known.get(version_id, Outline()) for version_id in version_ids}


def read_outline(document: Json) -> Outline:
    """Never raises: documents from before the cut-over may have any shape."""
    if not isinstance(document, dict):
        return Outline()
    redact = document.get("redact")
    pointers = tuple(p for p in redact if isinstance(p, str)) if isinstance(redact, list) else ()
    return Outline(pointers, dict(_steps(document.get("steps"), "root.steps")))


def _steps(steps: Json, prefix: str) -> Iterator[tuple[str, StepOutline]]:
    for index, step in enumerate(steps if isinstance(steps, list) else []):
        if not isinstance(step, dict):
            continue
        path = f"{prefix}[{index}]"
        yield path, _outline(step)
        for block in ("then", "else", "body", "try", "catch"):
            yield from _steps(step.get(block), f"{path}.{block}.steps")


def _outline(step: dict[str, Any]) -> StepOutline:
    config = step.get("config")
    config = config if isinstance(config, dict) else step
    return StepOutline(
        kind=str(step.get("type", "")),
        step_id=_word(step.get("id")),
        name=_word(step.get("name")),
        action=_word(config.get("actionId")),
        saved_at=saved_at(config.get("saveAs")),
    )


def saved_at(target: Json) -> str | None:
    """The JSON pointer of a path that a step writes to."""
    if not isinstance(target, str):
        return None
    try:
        place = paths.parse_save_as(target)
    except paths.PathRefused:
        return None
    pointer = f"/{place.scope}"
    for segment in place.segments:
        pointer = child_pointer(pointer, segment)
    return pointer


def _word(value: Json) -> str | None:
    return value if isinstance(value, str) else None
