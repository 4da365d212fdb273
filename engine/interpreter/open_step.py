"""A step that has begun and not ended: for blocks, also where inside they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.contract import Json
from engine.definitions.plan import PlanStep
from engine.interpreter.host import StepPlace


@dataclass(slots=True)
class OpenStep:
    step: PlanStep
    place: StepPlace
    started_at: datetime

    # Where a block stands; a checkpoint keeps these.
    block: str = ""
    index: int = 0
    state: dict[str, Json] = field(default_factory=dict)
    """What the kind itself must know to go on: JSON, or values of scopes."""
    announced: bool = False
    """Its STARTED row is written: done lazily, before the branch first leaves pure work."""
    resumed: bool = False
    """Restored from a checkpoint: go on instead of beginning."""

    # How it goes; for its row.
    input: Json = None
    output: Json = None
    recorded: bool = False
    """The host's side has written how this attempt ended."""
    performed: bool = False
    """Its effect has happened: whatever fails now, the attempt is not repeated."""
    kept: dict[str, Json] = field(default_factory=dict)
    """What all attempts share: the resolved input, the idempotency key."""

    @property
    def config(self) -> Mapping[str, Json]:
        return self.step.config
