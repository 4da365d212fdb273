"""control.forEach, one item after the other."""

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
    rows,
    step,
    transform,
    when,
)


def test_a_loop_runs_its_body_for_each_item_in_order_with_all_its_names() -> None:
    host = FakeHost()
    names = expr("[it, item, index, length, isFirst, isLast, local.index]")
    loop = each("loop", expr("payload.items"), [action("act", {"seen": names})])

    execute(plan(loop), host, payload={"items": ["a", "b", "c"]})

    assert [request.input["seen"] for request in host.calls("perform")] == [
        ["a", "a", 0, 3, True, False, 0],
        ["b", "b", 1, 3, False, False, 1],
        ["c", "c", 2, 3, False, True, 2],
    ]
    assert [request.place.iter for request in host.calls("perform")] == [(0,), (1,), (2,)]
    assert rows(host) == ["loop STARTED", "loop SUCCEEDED"]


def test_the_item_is_also_in_vars_and_what_was_there_before_comes_back() -> None:
    before = assign("before", {"vars.it": "mine"})
    loop = each("loop", [1, 2], [assign("see", {"vars.seen": expr("vars.it")})])

    outcome = execute(plan(before, loop), FakeHost())

    assert outcome.scopes["vars"] == {"it": "mine", "seen": 2}


def test_an_item_variable_that_was_not_there_is_gone_afterwards() -> None:
    outcome = execute(plan(each("loop", [1], [assign("a", {"vars.x": 1})])), FakeHost())

    assert outcome.scopes["vars"] == {"x": 1}
    assert outcome.scopes["local"] == {}


def test_loop_bookkeeping_is_not_visible() -> None:
    host = FakeHost()

    execute(plan(each("loop", [1], [action("act", {"all": expr("$keys(vars)")})])), host)

    assert host.calls("perform")[0].input == {"all": "it"}


def test_names_of_loops_win_over_vars_and_inner_loops_over_outer_ones() -> None:
    host = FakeHost()
    inner = each(
        "inner", [10, 20], [action("act", {"all": expr("[index, local.outer, it, item]")})]
    )
    outer = each("outer", ["x", "y"], [inner], var="outer")

    execute(plan(assign("set", {"vars.index": "shadowed"}), outer), host)

    assert [request.input["all"] for request in host.calls("perform")] == [
        [0, "x", 10, 10],
        [1, "x", 20, 20],
        [0, "y", 10, 10],
        [1, "y", 20, 20],
    ]
    assert [request.place.iter for request in host.calls("perform")] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]


def test_after_an_inner_loop_the_names_are_those_of_the_outer_one() -> None:
    host = FakeHost()
    body = [each("inner", [1, 2], [assign("a", {"vars.x": 1})]), action("act", {"i": expr("item")})]

    execute(plan(each("outer", ["p", "q"], body, var="o")), host)

    assert [request.input["i"] for request in host.calls("perform")] == ["p", "q"]


def test_a_body_that_ends_in_an_if_runs_for_every_item() -> None:
    host = FakeHost()

    execute(plan(each("loop", [1, 2], [when("if", True, [action("act")])])), host)

    assert host.performed() == ["act", "act"]


@pytest.mark.parametrize("body", [[], [assign("a", {"vars.x": 1})]])
def test_no_items_or_no_body_is_a_loop_that_succeeds(body: list[dict[str, object]]) -> None:
    items = [] if body else [1, 2]
    host = FakeHost()

    outcome = execute(plan(each("loop", items, body)), host)

    assert outcome.status == "SUCCEEDED"
    assert rows(host) == ["loop SUCCEEDED"]


@pytest.mark.parametrize("items", ["text", 3, None, {"a": 1}, True])
def test_items_that_are_no_list_are_a_validation_error(items: object) -> None:
    outcome = execute(plan(each("loop", items, [action("never")])), FakeHost())

    assert outcome.error is not None
    assert outcome.error["category"] == Category.VALIDATION


def test_a_failed_item_fails_the_loop_and_the_run() -> None:
    host = FakeHost({"act": failing()})

    outcome = execute(plan(each("loop", [1, 2], [action("act")])), host)

    assert outcome.status == "FAILED"
    assert outcome.error is not None
    assert outcome.error["iter"] == [0]
    assert host.performed() == ["act"]
    assert rows(host) == ["loop STARTED", "loop FAILED"]
    assert outcome.scopes["vars"] == {}


def test_on_item_error_continue_leaves_the_item_and_collects_its_error() -> None:
    host = FakeHost({"act": lambda request: failing() if request.input["it"] == 2 else None})
    body = [action("act", {"it": expr("it")}), action("rest")]

    outcome = execute(plan(each("loop", [1, 2, 3], body, onItemError="continue")), host)

    assert outcome.status == "SUCCEEDED"
    assert host.performed() == ["act", "rest", "act", "act", "rest"]
    (error,) = outcome.scopes["vars"]["loopErrors"]
    assert error["index"] == 1
    assert error["item"] == 2
    assert error["error"]["category"] == "ActionError"
    assert error["error"]["iter"] == [1]
    assert outcome.scopes["error"] == error["error"]
    assert [request.handled_by for request in host.calls("perform")] == ["item"] * 5


def test_a_loop_that_continues_on_errors_has_an_empty_list_when_there_was_none() -> None:
    loop = each("loop", [1], [assign("a", {"vars.x": 1})], onItemError="continue")

    outcome = execute(plan(loop), FakeHost())

    assert outcome.scopes["vars"]["loopErrors"] == []


def test_errors_of_an_inner_loop_begin_anew_for_each_item_of_the_outer_one() -> None:
    host = FakeHost({"act": lambda request: failing() if request.place.iter[0] == 0 else None})
    inner = each("inner", [1], [action("act")], onItemError="continue")
    see = action("see", {"errors": expr("$count(vars.innerErrors)")})

    execute(plan(each("outer", [1, 2], [inner, see])), host)

    seen = [one.input for one in host.calls("perform") if one.place.step_id == "see"]
    assert seen == [{"errors": 1}, {"errors": 0}]


def test_a_try_around_a_loop_cleans_the_loop_up() -> None:
    host = FakeHost({"act": failing()})
    loop = each("loop", ["a", "b"], [action("act")])
    after = action("after", {"local": expr("local"), "it": expr("coalesce(vars.it, 'gone')")})

    execute(plan(attempt("try", [loop], [after])), host)

    request = host.calls("perform")[-1]
    assert request.input == {"local": {}, "it": "gone"}
    assert request.place.iter == ()


def test_a_catch_inside_a_loop_inside_a_try_takes_only_its_own_item() -> None:
    host = FakeHost({"act": lambda request: failing() if request.place.iter == (0,) else None})
    loop = each("loop", [1, 2], [attempt("inner", [action("act")], [action("mend")])])

    outcome = execute(plan(attempt("outer", [loop], [action("never")])), host)

    assert outcome.status == "SUCCEEDED"
    assert host.performed() == ["act", "mend", "act"]


def test_iterations_with_equal_inputs_are_told_apart() -> None:
    host = FakeHost()

    execute(plan(each("loop", [1, 1], [action("act", {"same": True})])), host)

    first, second = host.calls("perform")
    assert first.place.iter != second.place.iter
    assert first.place.position < second.place.position


def test_a_var_written_in_the_body_stays_and_the_next_item_sees_it() -> None:
    loop = each(
        "loop", [1, 2, 3], [assign("sum", {"vars.total": expr("coalesce(vars.total, 0) + it")})]
    )

    outcome = execute(plan(loop), FakeHost())

    assert outcome.scopes["vars"]["total"] == 6


def test_return_in_a_loop_keeps_the_errors_that_were_collected() -> None:
    host = FakeHost({"act": failing()})
    body = [when("last", expr("isLast"), [leave("end")]), action("act")]

    outcome = execute(plan(each("loop", [1, 2], body, onItemError="continue")), host)

    assert len(outcome.scopes["vars"]["loopErrors"]) == 1


def test_on_item_error_continue_does_not_take_what_nobody_can_catch() -> None:
    loop = each("loop", [1, 2], [step("control.nonsense", "what")], onItemError="continue")

    outcome = execute(plan(loop), FakeHost())

    assert outcome.status == "FAILED"
    assert outcome.error is not None
    assert outcome.error["category"] == Category.INTERPRETER


def test_a_loop_of_ten_thousand_pure_items_is_bounded_in_each_task() -> None:
    """Between two chances to yield lies no more than a workflow task may hold (rules.md 10)."""
    host = FakeHost()
    spent: list[tuple[int, int]] = []

    async def spend(evaluations: int, records: int) -> None:
        spent.append((evaluations, records))

    host.spend = spend  # type: ignore[method-assign]
    body = [
        assign("a", {"vars.x": expr("it + 1"), "vars.y": expr("index * 2")}),
        transform("t", "uppercase_text", {"text": expr("toString(x)")}, "z"),
    ]

    outcome = execute(
        plan(each("loop", expr("payload.items"), body)), host, payload={"items": [*range(10_000)]}
    )

    assert outcome.status == "SUCCEEDED"
    assert len(host.rows) == 20_001
    assert sum(records for _, records in spent) == 20_001
    assert max(evaluations for evaluations, _ in spent) < 5_000
    assert max(records for _, records in spent) <= 2
