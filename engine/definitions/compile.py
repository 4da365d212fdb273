"""A checked document to the plan that runs execute (see plan.py). Nothing is decided later.

Whether an action is pure, local or regular, and which version a called workflow has, is fixed here:
a registry or a workflow that changes later must not change the replay of a running history.
"""

from __future__ import annotations

from typing import Any

from engine.contract import Json
from engine.definitions.catalogue import Catalogue
from engine.definitions.document import Document
from engine.definitions.plan import FORMAT, ORDERED, order_of
from engine.definitions.steps import BLOCKS
from engine.definitions.workflows import Workflows

_NOT_CONFIG = frozenset({"id", "type", "name", "retry", "onError", "config", *BLOCKS})


def compile_plan(
    document: Document, catalogue: Catalogue, workflows: Workflows | None = None
) -> dict[str, Json]:
    """The plan in its wire form.

    Raises ValueError for an action that the catalogue does not have, and for a called workflow
    that is not published (a document that passes `check_document` has neither).
    """
    data = document.model_dump(mode="json", by_alias=True, exclude_unset=True)
    compiler = _Compiler(catalogue, workflows)
    return {"format": FORMAT, "steps": compiler.steps(data["steps"], "root.steps")}


class _Compiler:
    def __init__(self, catalogue: Catalogue, workflows: Workflows | None) -> None:
        self._catalogue = catalogue
        self._workflows = workflows

    def steps(self, steps: list[dict[str, Any]], place: str) -> list[Json]:
        return [self.step(step, f"{place}[{index}]") for index, step in enumerate(steps)]

    def step(self, step: dict[str, Any], path: str) -> Json:
        config = self._config(step)
        plan: dict[str, Json] = {
            "id": step["id"],
            "kind": step["type"],
            "path": path,
            "config": config,
        }
        if step.get("name") is not None:
            plan["name"] = step["name"]
        if step.get("retry") is not None:
            plan["retry"] = _given(step["retry"])
        if _goes_on(step):
            plan["on_error"] = "continue"
        blocks = {
            name: self.steps(step[name], f"{path}.{name}.steps")
            for name in BLOCKS
            if step.get(name) is not None
        }
        if blocks:
            plan["blocks"] = blocks
        if step["type"] == "action.call":
            plan["mode"] = self._mode(config["actionId"], config["version"])
        return plan

    def _config(self, step: dict[str, Any]) -> dict[str, Json]:
        config = self._written_config(step)
        for field in ORDERED:
            if isinstance(config.get(field), dict):
                config[order_of(field)] = list(config[field])
        return config

    def _written_config(self, step: dict[str, Any]) -> dict[str, Json]:
        if "config" in step:
            config = _given(step["config"])
            config.pop("onError", None)
            return config
        config = _given({key: value for key, value in step.items() if key not in _NOT_CONFIG})
        if step["type"] == "control.callWorkflow" and config.get("workflowVersion") is None:
            config["workflowVersion"] = self._newest(config["workflowId"])
        return config

    def _mode(self, action: str, version: int) -> str:
        spec = self._catalogue.find(action, version)
        if spec is None:
            raise ValueError(f"the action {action}@{version} is not known")
        if spec.pure:
            return "pure"
        return "local" if spec.local else "regular"

    def _newest(self, key: str) -> int:
        found = self._workflows.find(key, None) if self._workflows is not None else None
        if found is None:
            raise ValueError(f"the workflow {key} is not published")
        return found.version


def _given(fields: dict[str, Json]) -> dict[str, Json]:
    """Without the optional fields that were written as null."""
    return {key: value for key, value in fields.items() if value is not None}


def _goes_on(step: dict[str, Any]) -> bool:
    """The step's own onError wins over that in its config (original 2.3)."""
    on_error = step.get("onError") or step.get("config", {}).get("onError")
    return bool(on_error and on_error["policy"] == "continue")
