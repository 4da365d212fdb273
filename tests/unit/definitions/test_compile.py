"""The plan of a document: paths, blocks, modes and what is pinned for good."""

from __future__ import annotations

from typing import Any

import pytest

from engine.definitions.compile import compile_plan
from engine.definitions.document import Document
from engine.definitions.hashing import canonical_hash
from engine.definitions.plan import load_plan
from tests.unit.definitions.sample import (
    CATALOGUE,
    WORKFLOWS,
    branch,
    call,
    child,
    document,
    expr,
    loop,
    wait,
)


def plan(*steps: Any, **fields: Any) -> list[Any]:
    compiled = compile_plan(
        Document.model_validate(document(*steps, **fields)), CATALOGUE, WORKFLOWS
    )
    load_plan(compiled)
    assert compiled["format"] == 1
    return list(compiled["steps"])


def test_a_step_has_its_config_as_written_and_its_path() -> None:
    mapping = {"level": "info", "n": None, "deep": [{"$expr": "payload.a"}]}
    (step,) = plan(call(inputMapping=mapping, saveAs="x") | {"name": "Say it"})
    assert step == {
        "id": "call",
        "kind": "action.call",
        "path": "root.steps[0]",
        "name": "Say it",
        "config": {
            "actionId": "log.write",
            "version": 1,
            "inputMapping": mapping,
            "saveAs": "x",
        },
        "mode": "local",
    }


def test_blocks_have_paths_of_their_own() -> None:
    steps = plan(
        branch(loop(call("a")), **{"else": []}),
        {"id": "t", "type": "control.tryCatch", "try": [call("b")], "catch": [call("c")]},
    )
    assert list(steps[0]["blocks"]) == ["then", "else"]
    inner = steps[0]["blocks"]["then"][0]["blocks"]["body"][0]
    assert inner["path"] == "root.steps[0].then.steps[0].body.steps[0]"
    assert steps[0]["blocks"]["else"] == []
    assert steps[0]["config"] == {"condition": {"$expr": "true"}}
    assert steps[1]["blocks"]["try"][0]["path"] == "root.steps[1].try.steps[0]"
    assert steps[1]["blocks"]["catch"][0]["path"] == "root.steps[1].catch.steps[0]"


@pytest.mark.parametrize(
    ("action", "mode"),
    [("log.write", "local"), ("mail.send", "regular"), ("transform.trim_text", "pure")],
)
def test_how_an_action_runs_is_fixed_by_the_catalogue_of_now(action: str, mode: str) -> None:
    assert plan(call(actionId=action))[0]["mode"] == mode


def test_retry_and_on_error_are_taken_out_of_the_config() -> None:
    retry = {"maxAttempts": 2, "backoffMs": 5, "jitter": False, "retryOn": ["ActionError"]}
    (step,) = plan(call() | {"retry": retry, "onError": {"policy": "continue"}})
    assert step["retry"] == retry
    assert step["on_error"] == "continue"
    assert step["config"] == {"actionId": "log.write", "version": 1}


@pytest.mark.parametrize(
    ("own", "in_config", "goes_on"),
    [
        (None, None, False),
        (None, "continue", True),
        (None, "fail", False),
        ("fail", "continue", False),
        ("continue", "fail", True),
    ],
)
def test_the_on_error_of_the_step_wins_over_that_of_its_config(
    own: str | None, in_config: str | None, goes_on: bool
) -> None:
    step = call(**({"onError": {"policy": in_config}} if in_config else {}))
    (compiled,) = plan(step | ({"onError": {"policy": own}} if own else {}))
    assert compiled.get("on_error") == ("continue" if goes_on else None)
    assert "onError" not in compiled["config"]


def test_designer_fields_are_not_executed() -> None:
    (step,) = plan(call(designerTileKind="app") | {"designerX": 1}, designerZoom=2)
    assert step["config"] == {"actionId": "log.write", "version": 1}


def test_fields_of_waits_and_loops_are_their_config() -> None:
    steps = plan(
        wait(mode="duration", durationMs=5),
        wait(mode="until", until=expr("payload.at")) | {"id": "w2"},
        loop(onItemError="continue", concurrency=3),
    )
    assert steps[0]["config"] == {"mode": "duration", "durationMs": 5}
    assert steps[1]["config"] == {"mode": "until", "until": {"$expr": "payload.at"}}
    assert steps[2]["config"] == {
        "items": {"$expr": "payload.list"},
        "itemVar": "row",
        "onItemError": "continue",
        "concurrency": 3,
    }


def test_a_called_workflow_without_a_version_is_pinned_to_the_newest() -> None:
    (newest,) = plan(child())
    assert newest["config"]["workflowVersion"] == 3
    (chosen,) = plan(child(workflowVersion=1))
    assert chosen["config"]["workflowVersion"] == 1


@pytest.mark.parametrize(
    "step", [call(actionId="gone"), call(version=9), child(workflowId="gone")], ids=str
)
def test_what_does_not_exist_cannot_be_compiled(step: Any) -> None:
    with pytest.raises(ValueError, match=r"not known|not published"):
        plan(step)


def test_equal_documents_have_equal_hashes_and_others_have_not() -> None:
    one = document(call(), description="é")
    other = dict(reversed(list(document(call(), description="é").items())))
    assert canonical_hash(one) == canonical_hash(other)
    assert len(canonical_hash(one)) == 64
    assert canonical_hash(one) != canonical_hash(document(call(), description="e"))
    assert canonical_hash({"a": 1}) != canonical_hash({"a": True})
