"""control.if, control.tryCatch, control.return."""

from __future__ import annotations

import pytest

from engine.errors import Category
from tests.fakes import FakeHost, execute, failing
from tests.unit.interpreter.plans import (
    action,
    assign,
    attempt,
    each,
    expr,
    leave,
    plan,
    row,
    rows,
    when,
)


def test_a_plan_without_steps_succeeds_at_once() -> None:
    outcome = execute(plan(), FakeHost(), payload={"a": 1})

    assert outcome.status == "SUCCEEDED"
    assert outcome.scopes["payload"] == {"a": 1}
    assert outcome.error is None


def test_an_action_and_a_return_are_executed_in_order_and_what_follows_is_not() -> None:
    host = FakeHost()

    outcome = execute(plan(action("first"), leave("end"), action("never")), host)

    assert outcome.status == "SUCCEEDED"
    assert host.performed() == ["first"]
    assert rows(host) == ["end SUCCEEDED"]


@pytest.mark.parametrize(("paid", "taken"), [(True, "yes"), (False, "no")])
def test_an_if_takes_the_branch_that_its_condition_names(paid: bool, taken: str) -> None:
    host = FakeHost()
    branching = when("if", expr("payload.paid"), [action("yes")], [action("no")])

    execute(plan(branching, action("after")), host, payload={"paid": paid})

    assert host.performed() == [taken, "after"]
    assert row(host, "if").output == {"branch": "then" if paid else "else"}


def test_an_absent_else_is_an_empty_branch() -> None:
    host = FakeHost()

    outcome = execute(plan(when("if", expr("1 = 2"), [action("never")])), host)

    assert outcome.status == "SUCCEEDED"
    assert rows(host) == ["if SUCCEEDED"]


def test_nested_ifs_keep_their_paths_and_close_from_the_inside() -> None:
    host = FakeHost()
    inner = when("inner", True, [action("deep")])

    execute(plan(when("outer", True, [inner])), host)

    (request,) = host.calls("perform")
    assert request.place.path == "root.steps[0].then.steps[0].then.steps[0]"
    assert rows(host) == [
        "outer STARTED",
        "inner STARTED",
        "inner SUCCEEDED",
        "outer SUCCEEDED",
    ]
    assert row(host, "outer").place.position < row(host, "inner").place.position


def test_blocks_of_pure_steps_get_one_row_each() -> None:
    host = FakeHost()

    execute(plan(when("if", True, [assign("a", {"vars.x": 1})])), host)

    assert rows(host) == ["a SUCCEEDED", "if SUCCEEDED"]


@pytest.mark.parametrize("condition", ["yes", 1, None, []])
def test_a_condition_that_is_no_boolean_is_a_validation_error(condition: object) -> None:
    host = FakeHost()

    outcome = execute(plan(when("if", condition, [])), host)

    assert outcome.status == "FAILED"
    assert outcome.error is not None
    assert outcome.error["category"] == Category.VALIDATION
    assert outcome.error["nodePath"] == "root.steps[0]"
    assert rows(host) == ["if FAILED"]


def test_an_error_in_a_condition_is_an_expression_error() -> None:
    outcome = execute(plan(when("if", expr("payload.nothing.there"), [])), FakeHost())

    assert outcome.error is not None
    assert outcome.error["category"] == Category.EXPRESSION


def test_error_data_says_what_where_and_when() -> None:
    host = FakeHost({"act": failing("refused", code="NOPE", details={"n": 1})})
    loop = each("loop", [7], [when("if", True, [action("act")])])

    outcome = execute(plan(loop), host)

    assert outcome.error == {
        "category": "ActionError",
        "code": "NOPE",
        "message": "refused",
        "details": {"n": 1},
        "nodePath": "root.steps[0].body.steps[0].then.steps[0]",
        "iter": [0],
        "at": "2026-06-09T12:00:00.000Z",
    }
    assert row(host, "loop").error == outcome.error


def test_a_failure_in_a_try_goes_to_its_catch_with_error_and_the_captured_var() -> None:
    host = FakeHost({"act": failing("broken", Category.TRANSIENT)})
    caught = [assign("note", {"vars.saw": expr("error.category"), "vars.also": expr("e.message")})]

    outcome = execute(plan(attempt("try", [action("act"), action("never")], caught, "e")), host)

    assert outcome.status == "SUCCEEDED"
    assert outcome.scopes["vars"]["saw"] == "TransientError"
    assert outcome.scopes["vars"]["also"] == "broken"
    assert outcome.scopes["vars"]["e"] == outcome.scopes["error"]
    assert host.performed() == ["act"]
    assert row(host, "try").output == {"branch": "catch"}


def test_an_empty_catch_takes_the_error() -> None:
    host = FakeHost({"act": failing()})

    outcome = execute(plan(attempt("try", [action("act")], []), action("after")), host)

    assert outcome.status == "SUCCEEDED"
    assert host.performed() == ["act", "after"]


def test_a_try_that_does_not_fail_skips_its_catch() -> None:
    host = FakeHost()

    execute(plan(attempt("try", [action("act")], [action("never")])), host)

    assert host.performed() == ["act"]
    assert row(host, "try").output == {"branch": "try"}


def test_an_error_in_a_catch_goes_outward_to_the_next_try() -> None:
    host = FakeHost({"one": failing("first"), "two": failing("second")})
    inner = attempt("inner", [action("one")], [action("two")])

    outcome = execute(plan(attempt("outer", [inner], [action("three")], "e")), host)

    assert outcome.status == "SUCCEEDED"
    assert host.performed() == ["one", "two", "three"]
    assert outcome.scopes["vars"]["e"]["message"] == "second"
    assert row(host, "inner").status == "FAILED"
    assert row(host, "inner").handled


def test_the_nearest_handler_takes_the_error() -> None:
    host = FakeHost({"act": failing()})
    loop = each("loop", [1, 2], [action("act")], onItemError="continue")

    outcome = execute(plan(attempt("try", [loop], [action("never")])), host)

    assert outcome.status == "SUCCEEDED"
    assert host.performed() == ["act", "act"]
    assert [request.handled_by for request in host.calls("perform")] == ["item", "item"]


def test_error_lives_until_the_next_error() -> None:
    host = FakeHost({"one": failing("first"), "two": failing("second")})
    first = attempt("a", [action("one")], [])
    second = attempt("b", [action("two")], [])
    note = assign("note", {"vars.seen": expr("error.message")})

    outcome = execute(plan(first, note, second), host)

    assert outcome.scopes["vars"]["seen"] == "first"
    assert outcome.scopes["error"]["message"] == "second"


def test_return_ends_the_run_from_any_depth_and_closes_every_block() -> None:
    host = FakeHost()
    deep = each("loop", [1, 2], [when("if", True, [attempt("try", [leave("end")], [])])])

    outcome = execute(plan(deep, action("never")), host)

    assert outcome.status == "SUCCEEDED"
    assert host.performed() == []
    assert rows(host) == [
        "end#0 SUCCEEDED",
        "try#0 SUCCEEDED",
        "if#0 SUCCEEDED",
        "loop SUCCEEDED",
    ]
    assert outcome.scopes["vars"] == {}
