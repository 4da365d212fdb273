"""docs/actions.md names every action with its fields, and its example works."""

from __future__ import annotations

import re
from typing import Any

import pytest

from engine.actions.action import ActionContext
from engine.actions.registry import Registry, default_registry
from engine.definitions.catalogue import ActionSpec
from engine.settings import ROOT

PAGE = (ROOT / "docs" / "actions.md").read_text("utf-8")
SPECS = default_registry(plugins=[]).specs()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.action)
def test_every_action_is_in_the_table_with_its_fields(spec: ActionSpec) -> None:
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| `{spec.action}` |")]
    required = set(spec.input_schema.get("required", []))
    for name in spec.input_schema["properties"]:
        assert f"`{name}{'' if name in required else '?'}`" in row
    for name in spec.output_schema["properties"]:
        assert f"`{name}`" in row


def test_the_table_names_no_other_action() -> None:
    named = set(re.findall(r"^\| `((?:\w+)\.(?:\w+))` \|", PAGE, re.MULTILINE))
    assert named == {spec.action for spec in SPECS}


def test_the_example_is_an_action(any_context: ActionContext) -> None:
    [source] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(source, "docs/actions.md", "exec", dont_inherit=True), names)
    registry = Registry(names["ACTIONS"])
    action = registry.get("tickets.close", 1)
    assert action.run(action.read({"ticketId": "T-1"}), any_context).closed is True


@pytest.fixture
def any_context() -> ActionContext:
    from datetime import UTC, datetime

    return ActionContext(run_id="r", idempotency_key="k", now=datetime(2026, 6, 9, tzinfo=UTC))
