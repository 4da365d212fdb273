"""The messages of called workflows: how a child run is accepted for the step that calls it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.contract import Batch, Json

ACTIVITY_LAUNCH_CHILD: Final = "launch_child"


@dataclass(frozen=True, slots=True)
class LaunchChild:
    """A child run to accept, for one attempt of a call step; repeated, it gives the same run."""

    run_id: str
    """The parent's."""
    batch: Batch
    path: str
    iter: list[int]
    attempt: int
    workflow_key: str
    workflow_version: int
    payload: Json


@dataclass(frozen=True, slots=True)
class ChildLaunched:
    child_run_id: str | None = None
    root_run_id: str | None = None
    cause: dict[str, Json] | None = None
    """Refused, there is no child run: error data that says why."""
    take_boundary: bool = False
    run_over: bool = False
    repeated: bool = False
