"""control.forEach with several items at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from engine.errors import RunOver
from engine.interpreter.host import Performed
from tests.fakes import FakeHost, Lasting, execute, failing, interpreter, run
from tests.unit.interpreter.plans import (
    action,
    assign,
    each,
    event,
    expr,
    leave,
    pause,
    plan,
    row,
    rows,
    when,
)


def seconds(request: Any) -> Lasting:
    return Lasting(request.input["s"])


def lasting(id: str = "act") -> Any:
    return action(id, {"s": expr("it")})


def test_at_most_so_many_items_run_at_once_and_all_run() -> None:
    running = highest = 0
    host = FakeHost()
    wait = host.sleep_until

    async def perform(request: Any) -> Any:
        nonlocal running, highest
        running += 1
        highest = max(highest, running)
        await wait(host.now() + timedelta(seconds=request.input["s"]))
        running -= 1
        return Performed(None)

    host.perform = perform  # type: ignore[method-assign]
    outcome = execute(plan(each("loop", [3, 1, 2, 5, 1], [lasting()], concurrency=2)), host)

    assert outcome.status == "SUCCEEDED"
    assert highest == 2
    assert running == 0


def test_items_begin_in_order_and_each_has_its_own_names() -> None:
    host = FakeHost({"act": seconds})

    execute(plan(each("loop", [3, 2, 1], [lasting(), action("end")], concurrency=3)), host)

    begun = [one.place.iter for one in host.calls("perform") if one.place.step_id == "act"]
    ended = [one.place.iter for one in host.calls("perform") if one.place.step_id == "end"]
    assert begun == [(0,), (1,), (2,)]
    assert ended == [(2,), (1,), (0,)]
    assert rows(host) == ["loop STARTED", "loop SUCCEEDED"]


def test_what_items_write_is_not_visible_outside_nor_to_each_other() -> None:
    host = FakeHost({"act": seconds})
    body = [
        assign("own", {"vars.own": expr("coalesce(vars.own, 0) + it"), "payload.x": expr("it")}),
        lasting(),
        action("see", {"own": expr("vars.own"), "x": expr("payload.x")}),
    ]
    before = assign("before", {"vars.own": 100})

    outcome = execute(plan(before, each("loop", [2, 1], body, concurrency=2)), host)

    seen = [one.input for one in host.calls("perform") if one.place.step_id == "see"]
    assert seen == [{"own": 101, "x": 1}, {"own": 102, "x": 2}]
    assert outcome.scopes["vars"] == {"own": 100}
    assert outcome.scopes["payload"] == {}


def test_a_failing_item_cancels_its_siblings_and_fails_the_loop() -> None:
    host = FakeHost(
        {"act": lambda one: Lasting(one.input["s"], failing() if one.input["s"] == 1 else None)}
    )

    outcome = execute(plan(each("loop", [5, 1, 9, 2], [lasting()], concurrency=3)), host)

    assert outcome.error is not None
    assert outcome.error["iter"] == [1]
    assert len(host.calls("perform")) == 3
    assert rows(host) == [
        "loop STARTED",
        "act#0 CANCELED",
        "act#2 CANCELED",
        "loop FAILED",
    ]
    assert row(host, "act").error is not None
    assert row(host, "act").error["category"] == "Cancellation"  # type: ignore[index]


def test_of_several_failures_that_of_the_lowest_index_counts() -> None:
    host = FakeHost({"act": lambda one: failing(f"item {one.place.iter[0]}")})

    outcome = execute(plan(each("loop", [1, 1, 1], [lasting()], concurrency=3)), host)

    assert outcome.error is not None
    assert outcome.error["message"] == "item 0"


def test_on_item_error_continue_collects_by_index_whatever_ends_first() -> None:
    host = FakeHost({"act": lambda one: Lasting(one.input["s"], failing(str(one.input["s"])))})

    outcome = execute(
        plan(each("loop", [3, 1, 2], [lasting()], concurrency=3, onItemError="continue")), host
    )

    errors = outcome.scopes["vars"]["loopErrors"]
    assert [(one["index"], one["item"], one["error"]["message"]) for one in errors] == [
        (0, 3, "3"),
        (1, 1, "1"),
        (2, 2, "2"),
    ]
    assert outcome.scopes["error"]["message"] == "3"


def test_a_return_in_an_item_cancels_the_others_and_ends_the_run() -> None:
    host = FakeHost({"act": seconds})
    body = [lasting(), when("if", expr("it = 1"), [leave("end")])]

    outcome = execute(plan(each("loop", [5, 1, 7, 7], body, concurrency=3), action("never")), host)

    assert outcome.status == "SUCCEEDED"
    assert "never" not in host.performed()
    assert rows(host)[-3:] == ["act#0 CANCELED", "act#2 CANCELED", "loop SUCCEEDED"]


def test_the_run_waits_only_when_every_branch_is_blocked() -> None:
    host = FakeHost({"act": seconds})
    body = [when("if", expr("it > 4"), [lasting()], [pause("wait", 20_000)])]

    execute(plan(each("loop", [1, 5, 2], body, concurrency=3)), host)

    # Two waits open while the action runs. When it has ended, all that is left waits; when one
    # wait is over (the host makes the run RUNNING) and its item ends, so does the other.
    assert host.run_waits == [False, False, True, True]


def test_a_slot_that_changes_hands_is_not_waiting() -> None:
    host = FakeHost({"act": seconds})
    body = [when("if", expr("it > 4"), [lasting()], [pause("wait", 60_000)])]

    execute(plan(each("loop", [1, 5, 6], body, concurrency=2)), host)

    assert host.run_waits == [False, True]


def test_the_last_branch_to_block_makes_the_run_wait() -> None:
    host = FakeHost({"wait": Lasting(5, {"payload": 1})})

    execute(plan(each("loop", [1, 2], [event("wait")], concurrency=2)), host)

    assert host.run_waits[:2] == [False, True]


def test_after_a_concurrent_loop_the_run_has_one_line_again() -> None:
    host = FakeHost({"act": seconds})
    loop = each("loop", [1, 2], [lasting()], concurrency=2)

    execute(plan(loop, pause("wait", 1000)), host)

    assert host.run_waits == [True]


def test_concurrent_loops_nest() -> None:
    host = FakeHost({"act": seconds})
    inner = each("inner", [2, 1], [lasting()], concurrency=2)

    outcome = execute(plan(each("outer", [1, 2], [inner], concurrency=2, var="o")), host)

    assert outcome.status == "SUCCEEDED"
    assert sorted(one.place.iter for one in host.calls("perform")) == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]
    assert [one for one in rows(host) if one.endswith("STARTED")] == [
        "outer STARTED",
        "inner#0 STARTED",
        "inner#1 STARTED",
    ]


def test_an_inner_failure_cancels_the_outer_siblings_and_their_inner_items() -> None:
    def act(one: Any) -> Lasting:
        return Lasting(1, failing()) if one.place.iter == (0, 0) else Lasting(60)

    host = FakeHost({"act": act})
    inner = each("inner", [1, 2], [lasting()], concurrency=2)

    outcome = execute(plan(each("outer", [1, 2], [inner], concurrency=2, var="o")), host)

    assert outcome.error is not None
    assert outcome.error["iter"] == [0, 0]
    assert rows(host)[3:] == [
        "act#0,1 CANCELED",
        "inner#0 FAILED",
        "act#1,0 CANCELED",
        "act#1,1 CANCELED",
        "inner#1 CANCELED",
        "outer FAILED",
    ]


def test_positions_are_unique_and_the_same_every_time() -> None:
    def positions() -> list[tuple[int, str, tuple[int, ...]]]:
        host = FakeHost({"act": seconds})
        body = [lasting(), assign("a", {"vars.x": 1}), lasting("again")]
        execute(plan(each("loop", [3, 1, 2, 2], body, concurrency=2)), host)
        return [(one.place.position, one.place.step_id, one.place.iter) for one in host.rows] + [
            (one.place.position, one.place.step_id, one.place.iter) for one in host.calls("perform")
        ]

    first = positions()
    assert first == positions()
    assert len({position for position, _, _ in first}) == 13


def test_a_terminal_row_seen_by_one_item_ends_the_run_for_all() -> None:
    host = FakeHost({"act": lambda one: Lasting(one.input["s"], RunOver("over"))})
    machine = interpreter(plan(each("loop", [5, 1], [lasting()], concurrency=2)), host)

    async def over() -> None:
        try:
            await machine.run()
        except RunOver:
            return
        raise AssertionError("the run went on")

    run(over())
    assert len(host.calls("perform")) == 2


def test_an_item_that_does_not_fit_fails_like_any_other() -> None:
    host = FakeHost({"act": seconds})
    big = assign("grow", {f"vars.v{n}": expr("payload.t") for n in range(40)})
    body = [big, lasting()]
    loop = each("loop", [1, 2, 3], body, concurrency=3, onItemError="continue")

    outcome = execute(plan(loop), host, payload={"t": "x" * 100_000})

    errors = outcome.scopes["vars"]["loopErrors"]
    assert [one["error"]["category"] for one in errors] == ["StateTooLarge"]
    assert errors[0]["index"] == 2


def test_items_that_ended_give_back_their_size() -> None:
    big = assign("grow", {f"vars.v{n}": expr("payload.t") for n in range(40)})

    outcome = execute(
        plan(each("loop", [1, 2, 3, 4, 5], [big, pause("w", 1)], concurrency=2)),
        FakeHost(),
        payload={"t": "x" * 90_000},
    )

    assert outcome.status == "SUCCEEDED"
