"""The language on a real Temporal: what each kind of step does, and what the rows say of it.

The numbers are those of docs/coverage-bar.md.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.temporal.children import error_of
from tests.steps import Step, act, assign, expr, loop, try_catch, wait
from tests.studio import Studio

pytestmark = pytest.mark.temporal


def branch(step_id: str, condition: str, then: list[Step], otherwise: list[Step]) -> Step:
    kind = {"id": step_id, "type": "control.if", "condition": expr(condition)}
    return kind | {"then": then, "else": otherwise}


def continuing(step: Step) -> Step:
    return {**step, "onError": {"policy": "continue"}}


def value_of(studio: Studio, run_id: str, step_id: str = "send") -> Any:
    (step,) = studio.steps(run_id, definition_step_id=step_id)
    return (step.output_json or {})["value"]


def send(source: str) -> Step:
    return act("send", "quick", value=expr(source))


def test_an_action_then_a_return(worked: Studio) -> None:
    """Bar 1: one action, both steps in order, nothing after the return, SUCCEEDED."""
    run = worked.execute(act("do"), {"id": "out", "type": "control.return"}, act("never"))

    assert run.status == "SUCCEEDED"
    assert worked.outline(run.run_id) == [("do", 1, "SUCCEEDED"), ("out", 1, "SUCCEEDED")]
    assert worked.effects() == ["begin do", "end do"]


def test_a_condition_takes_the_right_branch_and_nested_ones_keep_their_place(
    worked: Studio,
) -> None:
    """Bar 2 and 3, and the state helpers' nested paths: the else action is never called."""
    inner = branch("inner", "payload.n = 1", [act("yes")], [act("no")])
    run = worked.ended(
        worked.start(worked.publish(branch("outer", "1 = 1", [inner], [act("else")])), {"n": 1})
    )

    assert [step.step_path for step in worked.steps(run.run_id)] == [
        "root.steps[0]",
        "root.steps[0].then.steps[0]",
        "root.steps[0].then.steps[0].then.steps[0]",
    ]
    assert worked.effects() == ["begin yes", "end yes"]


def test_a_condition_that_is_no_boolean_fails_the_step(worked: Studio) -> None:
    run = worked.execute(branch("if", "5", [], []))

    assert error_of(run)["category"] == "ValidationError"


def test_what_steps_write_is_seen_by_those_after_them(worked: Studio) -> None:
    """Bar 5 (vars and meta), 6 (nowIso in a condition), 7 (== is equality), and the state helpers'
    context: every name of it."""
    run = worked.execute(
        assign("begin", a="1"),
        {"id": "label", "type": "state.set", "config": {"state": "half"}},
        branch("time", "nowIso() > '2020' and 'a==b' == 'a==b'", [assign("t", yes="true")], []),
        loop("each", "[7]", assign("in", seen="[item, thing, index, length, isFirst, isLast]")),
        send(
            "[a, vars.a, meta.state, yes, {'seen': seen}, $exists(payload), error,"
            " system.tenantId, $exists(local), system.runId = meta.runId]"
        ),
    )

    assert run.status == "SUCCEEDED", run.error_json
    seen = [7, 7, 0, 1, True, True]
    assert value_of(worked, run.run_id) == [
        1, 1, "half", True, {"seen": seen}, True, None, None, True, True,
    ]  # fmt: skip
    assert run.state_label == "half"


def test_a_function_that_is_not_allowed_is_refused_with_its_name(worked: Studio) -> None:
    """Bar 8. Publishing refuses it; in the plan of an older release it fails the step."""
    of = worked.publish(assign("a", b="1"))
    plan = {
        "format": 1,
        "steps": [
            {
                "id": "a",
                "kind": "transform.assign",
                "path": "root.steps[0]",
                "config": {"assign": {"vars.b": expr("$eval('1')")}},
            }
        ],
    }
    worked.change_version(of, plan_json=plan)
    run = worked.ended(worked.start(of))

    assert error_of(run)["category"] == "ExpressionError"
    assert "eval" in error_of(run)["message"]


def test_a_result_above_256_kib_is_refused_with_its_size(worked: Studio) -> None:
    """Bar 9."""
    run_id = worked.start(
        worked.publish(assign("a", b="payload.t & payload.t")), {"t": "x" * 2**18}
    )
    error = error_of(worked.ended(run_id))

    assert error["category"] == "ExpressionError"
    assert "256 KiB" in error["message"]


def test_an_action_is_retried_as_its_policy_says_and_then_the_run_goes_on(worked: Studio) -> None:
    """Bar 10. In this language the step is FAILED and handled; its row keeps the message."""
    policy = {"maxAttempts": 2, "backoffMs": 10}
    run = worked.execute(continuing({**act("do", fails=9), "retry": policy}), send("error.code"))

    assert run.status == "SUCCEEDED"
    assert worked.outline(run.run_id)[:2] == [("do", 1, "RETRY_SCHEDULED"), ("do", 2, "FAILED")]
    last = worked.steps(run.run_id, definition_step_id="do", attempt=2)[0]
    assert (last.handled, (last.error_json or {})["message"]) == (True, "do fails")
    assert value_of(worked, run.run_id) == "TOLD_TO"


def test_a_failure_in_try_goes_to_catch(worked: Studio) -> None:
    """Bar 11: the captured error has category and message, and `error` lives on (W11)."""
    caught = try_catch(
        "try", [act("breaks", fails=9, category="ActionError")], [assign("c", a="1")]
    )
    run = worked.execute(
        {**caught, "captureErrorAs": "why"},
        send("[vars.why.category, why.message, error.message, why.nodePath]"),
    )

    place = "root.steps[0].try.steps[0]"
    assert value_of(worked, run.run_id) == ["ActionError", *["breaks fails"] * 2, place]


def test_a_checkpoint_that_stands_nowhere_fails_the_run_for_good(worked: Studio) -> None:
    """Bar 13."""
    of = worked.publish(act("do"))
    run_id = worked.start_with(of, checkpoint={"format": 1, "text": '{"position":1}'}, ordinal=1)
    run = worked.ended(run_id)

    assert (run.status, error_of(run)["category"]) == ("FAILED", "InterpreterError")
    assert worked.temporal_status(run_id) == "FAILED"
    assert worked.effects() == []


def test_a_loop_goes_through_its_items_in_order(worked: Studio) -> None:
    """Bar 14 and 15: names of each item, a nested action for every item, the item var restored."""
    body = [
        assign("note", all="append(coalesce(vars.all, []), [[item, index, isFirst, isLast]])"),
        branch("if", "index >= 0", [act("do", note=expr("'for ' & thing"))], []),
    ]
    run = worked.execute(
        assign("b", thing="'kept'"),
        loop("each", "['a', 'b', 'c']", *body),
        send("[{'all': vars.all}, vars.thing, $exists(vars.`__forEach`)]"),
    )

    rows = [["a", 0, True, False], ["b", 1, False, False], ["c", 2, False, True]]
    assert value_of(worked, run.run_id) == [{"all": rows}, "kept", False]
    assert worked.effects()[::2][:3] == ["begin for a", "begin for b", "begin for c"]
    assert [step.iter for step in worked.steps(run.run_id, definition_step_id="do")] == [
        [0], [1], [2],
    ]  # fmt: skip


def test_on_item_error_skips_to_the_next_item_and_collects(worked: Studio) -> None:
    """Bar 16, as decided: what is left of the failed item does not run."""
    fails = act("breaks", "quick", fails=expr("thing = 2 ? 9 : 0"), category="ActionError")
    each = {**loop("each", "[1, 2, 3]", fails, act("rest")), "onItemError": "continue"}
    run = worked.execute(each, send("[eachErrors.index, eachErrors.item, eachErrors.error.code]"))

    assert run.status == "SUCCEEDED", run.error_json
    assert value_of(worked, run.run_id) == [1, 2, "TOLD_TO"]
    assert worked.effects().count("end rest") == 2


def test_on_item_error_fail_ends_the_run(worked: Studio) -> None:
    """Bar 17."""
    fails = act("breaks", "quick", fails=9, category="ActionError")
    run = worked.execute(loop("each", "[1, 2]", fails))

    assert (run.status, error_of(run)["category"]) == ("FAILED", "ActionError")
    assert error_of(run)["iter"] == [0]
    assert worked.outline(run.run_id) == [("each", 1, "FAILED"), ("breaks[0]", 1, "FAILED")]


def test_the_position_can_be_asked_for(worked: Studio) -> None:
    """Bar 30, and the state helpers' first frame and advance."""
    run_id = worked.start(worked.publish(act("do", "quick"), wait("pause")))
    worked.eventually(lambda: worked.run(run_id).status == "WAITING")

    async def ask(client: Any) -> Any:
        return await worked.handle(client, run_id).query("position")

    assert worked.ask(ask) == {"path": "root.steps[1]", "steps": 2}
    worked.cancel(run_id)
    worked.ended(run_id)


def test_a_time_wait_resolves_and_says_when(worked: Studio) -> None:
    """Bar 23, and 24: one whose time has come does not wait; each has its row."""
    due = {
        "id": "due",
        "type": "time.wait",
        "config": {"mode": "until", "until": expr("'2020-01-01T00:00:00+02:00'")},
    }
    read = send("[timeWait.mode, timeWait.dueAt, timeWait.resumedAt > timeWait.dueAt]")
    first, second = worked.execute(wait("pause", 50), read), worked.execute(due, read)

    assert value_of(worked, first.run_id)[0] == "duration"
    assert value_of(worked, second.run_id) == ["until", "2019-12-31T22:00:00.000Z", True]
    for run, timers in ((first, 1), (second, 0)):
        assert run.status == "SUCCEEDED", run.error_json
        assert [one.status for one in worked.waits(run.run_id)] == ["RESOLVED"]
        assert worked.events(run.run_id).count("TIMER_STARTED") == timers
