"""The limits of a document, each exactly where it says, and that any input is only reported."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.definitions.check import Finding
from engine.runs.strict_json import byte_length
from tests.unit.definitions.sample import (
    assign,
    branch,
    call,
    check,
    child,
    document,
    event,
    expr,
    loop,
    said,
    task,
    wait,
)


def nested(levels: int) -> dict[str, Any]:
    step: dict[str, Any] = call()
    for level in range(levels - 1):
        step = {"id": f"if{level}", "type": "control.if", "condition": expr("true"), "then": [step]}
    return document(step)


def test_32_levels_are_allowed_and_not_33() -> None:
    assert said(nested(32)) == []
    ((code, path),) = said(nested(33))
    assert code == "NESTING_TOO_DEEP"
    assert path == "root.steps[0]" + ".then.steps[0]" * 32


def test_2000_steps_are_allowed_and_not_2001() -> None:
    steps = [call(f"s{number}") for number in range(2_000)]
    begun = time.process_time()
    assert said(document(*steps)) == []
    assert time.process_time() - begun < 2
    assert said(document(*steps, call("more"))) == [("TOO_MANY_STEPS", "root")]
    inside = branch(*steps[:1_999])
    assert said(document(inside)) == []
    assert said(document(inside, call("more"))) == [("TOO_MANY_STEPS", "root")]


def test_one_mib_is_allowed_and_not_a_byte_more() -> None:
    data = document(description="")
    room = 1024 * 1024 - byte_length(data)
    assert said(document(description="x" * room)) == []
    assert said(document(description="x" * (room + 1))) == [("DOCUMENT_TOO_LARGE", "root")]
    assert said(document(description="é" * room)) == [("DOCUMENT_TOO_LARGE", "root")]


@pytest.mark.parametrize("data", [None, 5, "text", [], True, [document()]])
def test_what_is_no_object_is_no_document(data: Any) -> None:
    assert said(data) == [("INVALID_WORKFLOW_DEFINITION", "root")]


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "\x00", "\ud800", 2.0**53, {1: 2}, object(), {"\x00": 1}]
)
def test_what_is_no_json_is_reported(value: Any) -> None:
    assert said(document(call(inputMapping={"a": value}))) == [("NON_SERIALIZABLE", "root")]


def test_a_document_of_endless_depth_is_reported() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"a": deep}
    assert said(document() | {"steps": [deep]}) == [("NESTING_TOO_DEEP", "root")]
    around: list[Any] = []
    around.append(around)
    assert said(document() | {"steps": around}) == [("NESTING_TOO_DEEP", "root")]


def test_the_check_of_a_document_takes_time_in_proportion_to_its_size() -> None:
    worst = "a" + ".a" * 250
    writes = {f"vars.x{n}": expr(f"{worst}{n}") for n in range(40)}
    begun = time.process_time()
    assert said(document(assign(**writes))) == [("UNKNOWN_NAME", "root.steps[0]")] * 40
    assert time.process_time() - begun < 4


def mangled() -> dict[str, Any]:
    """A document with a bit of everything."""
    mapped = {"x": [expr("1"), {"$secret": "A"}]}
    form = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/a"}},
        "$defs": {"a": {"type": "string", "pattern": "^a"}},
    }
    guarded: dict[str, Any] = {"try": [assign("b")], "catch": [], "captureErrorAs": "e"}
    retry = {"maxAttempts": 2, "backoffMs": 1, "retryOn": ["ActionError"]}
    return document(
        branch(
            loop(call("a", inputMapping=mapped, saveAs="r")),
            **{"else": [wait(mode="until", until=expr("payload.at"))]},
        ),
        {"id": "t", "type": "control.tryCatch"} | guarded,
        event(filters=[{"path": "a.b", "op": "in", "value": [1]}]),
        task(form=form),
        child(
            inputMapping={"ticket": expr("payload.a")},
            outputMapping={"vars.o": expr("childRun")},
            retry=retry,
        ),
        call("c") | {"retry": retry, "onError": {"policy": "continue"}},
        call("d", actionId="mail.send", inputMapping={"options": {"name": expr("'n'")}}),
        {"id": "r", "type": "control.return"},
        payloadSchema={"type": "object", "properties": {"a": {"type": "string"}}},
        redact=["/payload/a"],
        trigger={"type": "event", "eventName": "e", "payloadMapping": {"a": expr("event.x")}},
        concurrencyLimit=1,
    )


TEXTS = ["$expr", "$secret", "then", "steps", "type", "action.call", "control.if", "a.b"]
KEYS = (
    *("$expr", "$secret", "$ref", "id", "type", "config", "then", "steps", "body", "mode"),
    *("until", "inputMapping", "actionId", "version", "properties", "required", "retry"),
    *("onError", "assign", "form", "filters", "op", "path"),
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JUNK = st.recursive(
    SCALARS | st.sampled_from(TEXTS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of everything in a document."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else list(range(len(one)))
        for key in keys:
            found.append((one, key))
            if isinstance(one[key], dict | list):
                waiting.append(one[key])
    return found


@settings(deadline=None)
@given(st.data())
def test_a_document_broken_anywhere_is_reported_and_never_raises(data: st.DataObject) -> None:
    broken = mangled()
    for _ in range(data.draw(st.integers(1, 4))):
        container, key = data.draw(st.sampled_from(places(broken)))
        change = data.draw(st.sampled_from(["replace", "remove", "add", "copy"]))
        if change == "replace":
            container[key] = data.draw(JUNK)
        elif change == "remove":
            del container[key]
        elif isinstance(container, list):
            container.append(data.draw(JUNK) if change == "add" else copy.deepcopy(container[key]))
        else:
            name = data.draw(st.text(max_size=3) | st.sampled_from(["type", "then", "$expr", "if"]))
            container[name] = data.draw(JUNK) if change == "add" else copy.deepcopy(container[key])
    findings = check(broken)
    assert all(isinstance(finding, Finding) and finding.message for finding in findings)
    json.dumps([finding.as_data() for finding in findings])


@settings(deadline=None)
@given(JUNK)
def test_any_value_is_only_reported(value: Any) -> None:
    assert isinstance(check(value), list)
    assert isinstance(check(document() | {"steps": value}), list)
    assert isinstance(check(document(call() | {"config": value})), list)
    assert isinstance(check(document(payloadSchema=value)), list)
