"""state.set, transform.assign, and failures in expressions."""

from __future__ import annotations

from engine.errors import Category
from tests.fakes import FakeHost, execute
from tests.unit.interpreter.plans import (
    action,
    assign,
    attempt,
    expr,
    plan,
    row,
    state,
    step,
    when,
)


def test_state_set_is_meta_state_and_told_to_the_operator() -> None:
    host = FakeHost()
    see = assign("see", {"vars.label": expr("meta.state")})

    outcome = execute(plan(state("s", "half-way"), see), host)

    assert host.labels == ["half-way"]
    assert outcome.scopes["vars"]["label"] == "half-way"
    assert outcome.scopes["meta"]["state"] == "half-way"


def test_an_assignment_to_meta_state_is_told_to_the_operator_too() -> None:
    host = FakeHost()

    execute(plan(assign("a", {"meta.state": "one"}), assign("b", {"meta.other": 1})), host)

    assert host.labels == ["one"]


def test_assignments_are_made_in_order_and_each_sees_those_before_it() -> None:
    host = FakeHost()
    writes = {
        "vars.a": expr("payload.n + 1"),
        "vars.b.c": expr("a * 10"),
        "/noted": expr("vars.b.c"),
        "error.mine": "x",
    }

    outcome = execute(plan(assign("set", writes)), host, payload={"n": 1})

    assert outcome.scopes["vars"] == {"a": 2, "b": {"c": 20}}
    assert outcome.scopes["payload"] == {"n": 1, "noted": 20}
    assert outcome.scopes["error"] == {"mine": "x"}
    assert row(host, "set").output == {
        "vars.a": 2,
        "vars.b.c": 20,
        "/noted": 20,
        "error.mine": "x",
    }


def test_an_assign_that_fails_half_way_has_written_nothing() -> None:
    host = FakeHost()
    writes = {"vars.a": 1, "meta.state": "x", "vars.b": expr("$number('no')")}

    outcome = execute(plan(attempt("try", [assign("set", writes)], [])), host)

    assert outcome.scopes["vars"] == {}
    assert "state" not in outcome.scopes["meta"]
    assert host.labels == []


def test_a_large_assigned_value_is_left_out_of_the_row() -> None:
    host = FakeHost()

    outcome = execute(plan(assign("set", {"vars.big": "x" * 5000, "vars.small": 1})), host)

    assert outcome.scopes["vars"]["big"] == "x" * 5000
    output = row(host, "set").output
    assert output == {
        "vars.big": {"$omitted": "over 2 KiB", "bytes": 5002},
        "vars.small": 1,
    }


def test_on_error_continue_records_the_failure_as_handled_and_goes_on() -> None:
    host = FakeHost()
    broken = assign("broken", {"vars.a": expr("$number('no')")}, on_error="continue")

    outcome = execute(plan(broken, assign("see", {"vars.saw": expr("error.nodePath")})), host)

    assert outcome.status == "SUCCEEDED"
    assert row(host, "broken").status == "FAILED"
    assert row(host, "broken").handled
    assert outcome.scopes["vars"]["saw"] == "root.steps[0]"


def test_now_iso_in_a_condition_is_workflow_time() -> None:
    host = FakeHost()
    condition = expr("nowIso() == '2026-06-09T12:00:00.000Z'")

    execute(plan(when("if", condition, [action("yes")], [action("no")])), host)

    assert host.performed() == ["yes"]


def test_an_expression_outside_the_language_fails_the_step_in_words() -> None:
    outcome = execute(plan(when("if", expr("$eval('1')"), [])), FakeHost())

    assert outcome.error is not None
    assert outcome.error["category"] == Category.EXPRESSION
    assert "eval" in outcome.error["message"]


def test_a_result_above_256_kib_fails_the_step_in_words() -> None:
    outcome = execute(
        plan(assign("set", {"vars.a": expr("[payload.t, payload.t]")})),
        FakeHost(),
        payload={"t": "x" * 140_000},
    )

    assert outcome.error is not None
    assert outcome.error["code"] == "EXPRESSION_TOO_LARGE"
    assert "256 KiB" in outcome.error["message"]


def test_an_unknown_kind_fails_the_run_and_nobody_can_catch_it() -> None:
    host = FakeHost()
    unknown = step("control.nonsense", "what", on_error="continue")

    outcome = execute(plan(attempt("try", [unknown], [action("never")])), host)

    assert outcome.status == "FAILED"
    assert outcome.error is not None
    assert outcome.error["category"] == Category.INTERPRETER
    assert host.performed() == []
    assert not row(host, "what").handled
