"""The compiled plan of a published version: what the interpreter executes.

Made once, when a version is published, and stored with it. What depends on the registry (is the
action pure, local or regular) is fixed here, so that a registry that changes later cannot change
the replay of a running history (docs/architecture.md 3).

Wire form (JSON): {"format": 1, "steps": [step…]}; a step is
  {"id", "kind", "path", "name"?, "config": {…the document's fields for the kind…},
   "retry"?: {…}, "on_error"?: "continue",
   "blocks"?: {"then" | "else" | "body" | "try" | "catch": [step…]},
   "mode"?: "pure" | "local" | "regular"}         # action.call only
Paths are static: `root.steps[2].then.steps[0]`. `config` is as the author wrote it, with the nested
step lists, retry and onError taken out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.contract import Json

FORMAT = 1

ORDERED = ("assign", "outputMapping")
"""Maps whose writes see those before them. JSONB and Temporal's converter sort the keys of an
object, so that the plan keeps the author's order in a list beside the map (`order_of`)."""


def order_of(field: str) -> str:
    """Name of the list that holds the order of a map of a step's config."""
    return f"{field}Order"


@dataclass(frozen=True, slots=True)
class PlanStep:
    id: str
    kind: str
    path: str
    config: Mapping[str, Json]
    name: str | None = None
    retry: Mapping[str, Json] | None = None
    on_error: str | None = None
    """"continue", or None: the failure goes outward."""
    blocks: Mapping[str, tuple[PlanStep, ...]] = field(default_factory=dict)
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    steps: tuple[PlanStep, ...]


def load_plan(data: Mapping[str, Json]) -> Plan:
    """A plan from its wire form. Raises ValueError for a format this code does not know."""
    if data.get("format") != FORMAT:
        raise ValueError(f"unknown plan format {data.get('format')!r}")
    return Plan(tuple(_load(step) for step in data["steps"]))


def _load(data: Mapping[str, Json]) -> PlanStep:
    return PlanStep(
        id=data["id"],
        kind=data["kind"],
        path=data["path"],
        config=data.get("config", {}),
        name=data.get("name"),
        retry=data.get("retry"),
        on_error=data.get("on_error"),
        blocks={
            name: tuple(_load(step) for step in steps)
            for name, steps in data.get("blocks", {}).items()
        },
        mode=data.get("mode"),
    )
