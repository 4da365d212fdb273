"""Writes see those before them, also when the plan has been where keys are sorted."""

from __future__ import annotations

import json
from typing import Any

from engine.definitions.compile import compile_plan
from engine.definitions.document import Document
from tests.builders import EmptyCatalogue, document


def _stored(plan: dict[str, Any]) -> dict[str, Any]:
    """As JSONB and Temporal's converter give it back."""
    found: dict[str, Any] = json.loads(json.dumps(plan, sort_keys=True))
    return found


def test_the_order_of_an_assignment_survives_sorted_keys() -> None:
    assign = {"vars.z": {"$expr": "1"}, "vars.a": {"$expr": "z + 1"}, "vars.m": {"$expr": "a + 1"}}
    step = {"id": "set", "type": "transform.assign", "config": {"assign": assign}}
    authored = Document.model_validate(document(steps=[step]))
    config = _stored(compile_plan(authored, EmptyCatalogue()))["steps"][0]["config"]
    assert list(config["assign"]) != list(assign)
    assert config["assignOrder"] == list(assign)
