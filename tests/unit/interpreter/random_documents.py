"""The random plans as an author would have written them, so that the publish check sees them."""

from __future__ import annotations

import json
from typing import Any

from engine.contract import Json
from engine.definitions.catalogue import ActionSpec
from engine.definitions.workflows import KnownWorkflows, PublishedWorkflow
from tests.unit.interpreter.plans import expr

WORKFLOWS = KnownWorkflows(PublishedWorkflow("other", 3))

_EXPRESSIONS = {"condition", "items", "correlationKey", "title"}
"""Fields that tests may give as a literal and documents may not."""


class Catalogue:
    """Two actions: one that leaves the house, and one that is pure."""

    def find(self, action: str, version: int) -> ActionSpec | None:
        if version != 1 or action not in self.names():
            return None
        pure = action.startswith("transform.")
        return ActionSpec(action, 1, {}, {}, "", pure=pure)

    def versions(self, action: str) -> list[int]:
        return [1] if action in self.names() else []

    def names(self) -> list[str]:
        return ["demo.do", "transform.trim_text"]


def as_document(plan: dict[str, Json]) -> dict[str, Json]:
    return {"id": "random", "name": "Random", "steps": [_step(one) for one in plan["steps"]]}


def without_modes(plan: Any) -> Any:
    """A plan without what is decided by the catalogue, empty members and absent policies."""
    if isinstance(plan, list):
        return [without_modes(one) for one in plan]
    if not isinstance(plan, dict) or "kind" not in plan:
        return plan
    kept = {name: plan.get(name) for name in ("id", "kind", "path", "on_error")}
    kept["blocks"] = {name: without_modes(inner) for name, inner in plan.get("blocks", {}).items()}
    return kept


def _step(step: dict[str, Any]) -> dict[str, Json]:
    config = {name: _field(name, value) for name, value in step["config"].items()}
    config = {name: value for name, value in config.items() if value not in (None, {})}
    written: dict[str, Json] = {"id": step["id"], "type": step["kind"]}
    if step["kind"].startswith("control."):
        written |= config
    else:
        written["config"] = config
    for name, inner in step.get("blocks", {}).items():
        written[name] = [_step(one) for one in inner]
    if step.get("retry"):
        written["retry"] = step["retry"]
    if step.get("on_error"):
        written["onError"] = {"policy": step["on_error"]}
    return written


def _field(name: str, value: Json) -> Json:
    if name in _EXPRESSIONS and not (isinstance(value, dict) and "$expr" in value):
        return expr(json.dumps(value))
    return value
