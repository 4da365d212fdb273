"""action.call: inputs, outputs and who writes which row."""

from __future__ import annotations

import pytest

from engine.errors import Category
from tests.fakes import FakeHost, execute, failing
from tests.unit.interpreter.plans import (
    action,
    assign,
    expr,
    plan,
    rows,
)
from tests.unit.interpreter.requests import request


def test_an_actions_input_is_resolved_at_any_depth_and_secrets_stay_references() -> None:
    host = FakeHost()
    inputs = {
        "a": expr("payload.n"),
        "deep": [{"b": expr("vars.v")}, "text"],
        "key": {"$secret": "API_KEY"},
        "nothing": None,
    }

    execute(plan(assign("set", {"vars.v": 2}), action("act", inputs)), host, payload={"n": 1})

    assert request(host).input == {
        "a": 1,
        "deep": [{"b": 2}, "text"],
        "key": {"$secret": "API_KEY"},
        "nothing": None,
    }


def test_data_that_looks_like_a_secret_reference_is_refused_as_an_input() -> None:
    host = FakeHost()

    outcome = execute(
        plan(action("act", {"body": expr("payload.sent")})),
        host,
        payload={"sent": {"deep": [{"$secret": "API_KEY"}]}},
    )

    assert outcome.status == "FAILED"
    assert outcome.error is not None
    assert outcome.error["category"] == Category.EXPRESSION
    assert host.performed() == []


@pytest.mark.parametrize(
    ("save_as", "scopes"),
    [
        ("out", {"vars": {"out": {"n": 1}}}),
        ("vars.out", {"vars": {"out": {"n": 1}}}),
        ("a.b", {"vars": {"a": {"b": {"n": 1}}}}),
        ("payload.out", {"payload": {"out": {"n": 1}}}),
        ("/out", {"payload": {"out": {"n": 1}}}),
        ("error.out", {"error": {"out": {"n": 1}}}),
    ],
)
def test_save_as_writes_the_output_where_it_says(save_as: str, scopes: dict[str, object]) -> None:
    host = FakeHost({"act": {"n": 1}})

    outcome = execute(plan(action("act", save_as=save_as)), host)

    assert {name: outcome.scopes[name] for name in scopes} == scopes


def test_an_output_into_meta_keeps_what_meta_held() -> None:
    host = FakeHost({"act": "done"})

    outcome = execute(plan(action("act", save_as="meta.note")), host, meta={"source": "form"})

    assert outcome.scopes["meta"]["source"] == "form"
    assert outcome.scopes["meta"]["note"] == "done"


def test_an_assigned_value_is_seen_by_the_next_action() -> None:
    host = FakeHost({"first": {"ok": True}})
    seen = {"out": expr("vars.one.ok"), "bare": expr("one.ok"), "run": expr("system.runId")}

    execute(plan(action("first", save_as="one"), action("second", seen)), host)

    assert request(host, 1).input == {"out": True, "bare": True, "run": "run-1"}


def test_meta_shows_the_runs_ids_beside_its_own() -> None:
    host = FakeHost()

    execute(
        plan(action("act", {"m": expr("[meta.runId, meta.source, meta.workflowVersion]")})),
        host,
        meta={"source": "form"},
    )

    assert request(host).input == {"m": ["run-1", "form", 1]}


def test_the_plan_says_what_is_quick_and_the_document_how_long_it_may_take() -> None:
    host = FakeHost()
    steps = [
        action("local", mode="local"),
        action("regular", config={"timeoutMs": 5000}, name="Call it", on_error="continue"),
    ]

    execute(plan(*steps), host)

    local, regular = host.calls("perform")
    assert (local.quick, local.timeout_ms, local.handled_by) == (True, 30_000, None)
    assert (regular.quick, regular.timeout_ms, regular.handled_by) == (False, 5000, "continue")
    assert regular.place.name == "Call it"


def test_the_host_writes_the_rows_of_an_action_that_it_performed() -> None:
    host = FakeHost({"two": failing()})

    execute(plan(action("one"), action("two", on_error="continue")), host)

    assert rows(host) == []


def test_an_input_that_cannot_be_resolved_is_a_failed_row_of_the_interpreter() -> None:
    host = FakeHost()

    outcome = execute(plan(action("act", {"a": {"b": expr("payload.missing")}})), host)

    assert host.performed() == []
    assert rows(host) == ["act FAILED"]
    assert outcome.error is not None
    assert outcome.error["category"] == Category.EXPRESSION
    assert outcome.error["details"]["at"] == "a.b"
