"""What the checker and the compiler need to know of other published workflows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from engine.contract import Json

MAX_CALL_DEPTH: Final = 8
"""Calls below a root run (docs/authoring.md)."""


@dataclass(frozen=True, slots=True)
class PublishedWorkflow:
    key: str
    version: int
    payload_schema: Mapping[str, Json] | None = None
    """None: any object."""
    calls: tuple[tuple[str, int], ...] = ()
    """Keys and pinned versions that it calls itself."""


class Workflows(Protocol):
    def find(self, key: str, version: int | None) -> PublishedWorkflow | None:
        """A published version; the newest one for None."""

    def versions(self, key: str) -> list[int]:
        """Published versions, ascending; empty for an unknown key."""

    def keys(self) -> list[str]: ...


class KnownWorkflows:
    """`Workflows` of a given set."""

    def __init__(self, *workflows: PublishedWorkflow) -> None:
        self._workflows = {(one.key, one.version): one for one in workflows}

    def find(self, key: str, version: int | None) -> PublishedWorkflow | None:
        if version is None:
            versions = self.versions(key)
            version = versions[-1] if versions else None
        return None if version is None else self._workflows.get((key, version))

    def versions(self, key: str) -> list[int]:
        return sorted(version for known, version in self._workflows if known == key)

    def keys(self) -> list[str]:
        return sorted({key for key, _ in self._workflows})
