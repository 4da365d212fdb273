"""What publish checks and plans need to know of actions, without importing any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.contract import Json


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """An action as the catalogue describes it; `engine.actions.registry` makes these."""

    action: str
    version: int
    input_schema: Mapping[str, Json]
    """JSON Schema of the resolved input."""
    output_schema: Mapping[str, Json]
    summary: str
    pure: bool = False
    """Runs inside the workflow, at no activity (transform.*)."""
    quick: bool = False
    repeatable: bool = False
    """May be run again after a lost worker; an http.request decides by method instead."""

    @property
    def local(self) -> bool:
        """Local activity: only quick *and* repeatable (docs/rules.md 3)."""
        return self.quick and self.repeatable and not self.pure


class Catalogue(Protocol):
    def find(self, action: str, version: int) -> ActionSpec | None: ...

    def versions(self, action: str) -> list[int]: ...

    def names(self) -> list[str]: ...
