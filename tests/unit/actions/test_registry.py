"""What may be registered, and how two processes tell that they have the same registry."""

from __future__ import annotations

import dataclasses
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from pydantic import BaseModel

from engine.actions import registry as module
from engine.actions.action import Action
from engine.actions.plugins import GROUP, PluginBroken
from engine.actions.registry import ActionRefused, Registry, default_registry
from engine.definitions.catalogue import Catalogue
from engine.errors import Category, StepFailed
from engine.interpreter.transforms.fields import Fields, Whole


class In(Fields):
    max_length: Whole = 3


class Out(Fields):
    text: str


class Loose(BaseModel):
    text: str


def action(**changes: Any) -> Action:
    plain = Action(
        id="demo.echo", version=1, Input=In, Output=Out, run=lambda i, c: Out(text=""), summary="s"
    )
    return dataclasses.replace(plain, **changes)


ONE = action()
LISTED = [action(id="demo.two"), action(id="demo.two", version=2)]


def made() -> Action:
    return action(id="demo.made")


def broken() -> Action:
    raise RuntimeError("no licence")


NOT_ONE = [42]


def point(name: str) -> EntryPoint:
    return EntryPoint(name=name.lower(), value=f"{__name__}:{name}", group=GROUP)


def test_an_action_is_found_with_its_schemas_and_flags() -> None:
    registry: Catalogue = Registry([action(quick=True, repeatable=True)])
    spec = registry.find("demo.echo", 1)
    assert spec is not None
    assert spec.input_schema["properties"]["maxLength"]["type"] == "integer"
    assert spec.input_schema["additionalProperties"] is False
    assert spec.local
    assert registry.find("demo.echo", 2) is None
    assert registry.versions("demo.echo") == [1]
    assert "demo.echo" in registry.names()


def test_pure_transforms_are_in_the_catalogue_and_are_never_local() -> None:
    spec = Registry().find("transform.trim_text", 1)
    assert spec is not None
    assert spec.pure
    assert not spec.local


def test_an_action_that_is_not_here_is_an_action_error() -> None:
    with pytest.raises(StepFailed) as failed:
        Registry().get("demo.echo", 1)
    assert failed.value.category is Category.ACTION
    assert failed.value.code == "UNKNOWN_ACTION"


@pytest.mark.parametrize(
    "changes",
    [
        {"quick": True},
        {"quick": True, "repeatable": lambda _: True},
        {"in_transaction": True, "repeatable": True},
        {"Input": Loose},
        {"Output": Loose},
        {"version": 0},
        {"id": ""},
    ],
    ids=", ".join,
)
def test_an_action_that_breaks_a_rule_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ActionRefused):
        Registry([action(**changes)])


def test_the_same_action_twice_is_refused_and_so_is_the_name_of_a_transform() -> None:
    with pytest.raises(ActionRefused, match=r"demo\.echo@1"):
        Registry([action(), action()])
    with pytest.raises(ActionRefused, match=r"transform\.trim_text@1"):
        Registry([action(id="transform.trim_text")])


def test_the_fingerprint_depends_on_what_is_registered_and_not_on_the_order() -> None:
    other = action(id="demo.other")
    assert Registry([action(), other]).fingerprint() == Registry([other, action()]).fingerprint()
    prints = {
        Registry([changed]).fingerprint()
        for changed in (
            action(),
            action(version=2),
            action(repeatable=True),
            action(repeatable=True, quick=True),
            action(repeatable=True, quick=True, in_transaction=True),
            action(Input=Out),
            action(Output=In),
        )
    }
    assert len(prints) == 7
    assert all(len(text) == 64 for text in prints)


def test_an_entry_point_may_be_an_action_a_list_or_a_callable() -> None:
    registry = default_registry(plugins=[point("ONE"), point("LISTED"), point("made")])
    assert registry.versions("demo.two") == [1, 2]
    assert registry.get("demo.made", 1).id == "demo.made"


@pytest.mark.parametrize("name", ["broken", "NOT_ONE", "missing"])
def test_a_broken_plug_in_is_named_by_the_error(name: str) -> None:
    with pytest.raises(PluginBroken, match=name.lower()):
        default_registry(plugins=[point(name)])


def test_a_plug_in_cannot_replace_a_built_in_action(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.builtin, "actions", lambda options: [action()])
    with pytest.raises(PluginBroken, match="one"):
        default_registry(plugins=[point("ONE")])
