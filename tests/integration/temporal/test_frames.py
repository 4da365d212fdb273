"""Frames are unwound one by one, each with its clean-up, whatever leaves them (coverage-bar.md)."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import select

from engine.store.tables import WorkflowActionInvocation
from tests.integration.temporal.children import children, error_of, failing, key
from tests.steps import Step, act, assign, call, chain, expr, loop, try_catch, wait
from tests.studio import Studio

pytestmark = pytest.mark.temporal


def send(source: str) -> Step:
    return act("send", "quick", value=expr(source))


def value_of(studio: Studio, run_id: str) -> Any:
    (step,) = studio.steps(run_id, definition_step_id="send")
    return (step.output_json or {})["value"]


def at_once(step: Step, limit: int, **more: Any) -> Step:
    return {**step, "concurrency": limit, **more}


def returning(when: str) -> Step:
    out = {"id": "out", "type": "control.return"}
    return {"id": "when", "type": "control.if", "condition": expr(when), "then": [out]}


def test_a_catch_inside_a_loop_inside_a_try(worked: Studio) -> None:
    """The nearest takes it, and the loop goes on; what its catch raises goes outward (W18)."""
    inner = try_catch("inner", [failing()], [act("mend", "quick", fails=expr("thing = 2 ? 9 : 0"),
                                                  category="ActionError")])  # fmt: skip
    outer = try_catch("outer", [assign("b", thing="'kept'"), loop("each", "[1, 2, 3]", inner)], [])
    run = worked.execute(outer, send("{'error': error.message, 'thing': vars.thing}"))

    assert run.status == "SUCCEEDED", run.error_json
    assert value_of(worked, run.run_id) == {"error": "mend fails", "thing": "kept"}
    assert [line for line in worked.outline(run.run_id) if line[0].startswith("mend")] == [
        ("mend[0]", 1, "SUCCEEDED"),
        ("mend[1]", 1, "FAILED"),
    ]


def test_a_loop_that_a_try_leaves_is_cleaned_up(worked: Studio) -> None:
    """Loop inside try: no name of it is left, and an empty catch goes on (W18)."""
    body = loop("outer", "[1, 2]", loop("inner", "['x', 'y']", failing()))
    run = worked.execute(
        try_catch("try", [body], []),
        send("[$exists(vars.thing), $exists(item), $count($keys(local)), error.category]"),
    )

    assert value_of(worked, run.run_id) == [False, False, 0, "ActionError"]
    statuses = {step.definition_step_id: step.status for step in worked.steps(run.run_id)}
    assert (statuses["outer"], statuses["inner"]) == ("FAILED", "FAILED")


def test_nested_loops_and_a_return_inside(worked: Studio) -> None:
    """It ends the run from any depth, successfully; rows of the loops are closed."""
    inner = loop("inner", "[1, 2]", act("do", "quick"), returning("item = 2"))
    run = worked.execute(loop("outer", "['a', 'b']", inner), act("never"))

    assert run.status == "SUCCEEDED"
    assert worked.outline(run.run_id) == [
        ("outer", 1, "SUCCEEDED"),
        ("inner[0]", 1, "SUCCEEDED"),
        ("do[0, 0]", 1, "SUCCEEDED"),
        ("when[0, 0]", 1, "SUCCEEDED"),
        ("do[0, 1]", 1, "SUCCEEDED"),
        ("when[0, 1]", 1, "SUCCEEDED"),
        ("out[0, 1]", 1, "SUCCEEDED"),
    ]


def test_iterations_with_equal_inputs_are_each_done(worked: Studio) -> None:
    """The ledger's key has the loop's indexes in it (W07)."""
    run = worked.execute(loop("each", "[1, 1, 1]", act("same", note="same")))

    assert run.status == "SUCCEEDED"
    assert worked.effects() == ["begin same", "end same"] * 3


def test_a_retry_goes_on_from_a_failed_ledger_row(worked: Studio) -> None:
    """W06: one row of the call, failed first and then succeeded, under the same key."""
    run = worked.execute({**act("do", fails=1), "retry": {"maxAttempts": 2, "backoffMs": 1}})

    assert run.status == "SUCCEEDED"
    with worked.store.reading() as session:
        rows = select(WorkflowActionInvocation).filter_by(run_id=run.run_id)
        (row,) = session.scalars(rows)
    assert (row.status, row.attempt) == ("SUCCEEDED", 2)


def test_concurrent_items_run_at_once_and_write_nowhere_else(worked: Studio) -> None:
    """Each has a copy of vars; WAITING only while all that are left wait."""
    body = [assign("note", mine="item"), wait("pause", 400), act("do", note=expr("'n' & mine"))]
    began = time.monotonic()
    run_id = worked.start(
        worked.publish(at_once(loop("each", "[1, 2, 3, 4]", *body), 4), send("$exists(vars.mine)"))
    )
    worked.eventually(lambda: worked.run(run_id).status == "WAITING")
    run = worked.ended(run_id)

    assert run.status == "SUCCEEDED", run.error_json
    assert time.monotonic() - began < 4 * 0.4 + 5
    assert value_of(worked, run_id) is False
    pauses = worked.steps(run_id, definition_step_id="pause")
    assert max(step.started_at for step in pauses) < min(
        step.completed_at for step in pauses if step.completed_at
    )
    done = [line for line in worked.effects() if line.startswith("end n")]
    assert sorted(done) == ["end n1", "end n2", "end n3", "end n4"]


def test_of_concurrent_failures_the_lowest_index_counts_and_siblings_are_cancelled(
    worked: Studio,
) -> None:
    """The first two fail in the same moment; the third waits."""
    which = {"id": "which", "type": "control.if", "condition": expr("item < 3"),
             "then": [assign("breaks", a="vars.missing.member < 1")],
             "else": [wait("long")]}  # fmt: skip
    run = worked.execute(at_once(loop("each", "[1, 2, 3]", which), 3))

    assert run.status == "FAILED"
    assert (error_of(run)["category"], error_of(run)["iter"]) == ("ExpressionError", [0])
    (long,) = worked.steps(run.run_id, definition_step_id="long")
    assert (long.status, long.iter) == ("CANCELED", [2])
    assert [one.status for one in worked.waits(run.run_id)] == ["CANCELED"]


def test_a_return_inside_a_concurrent_loop_cancels_the_others(worked: Studio) -> None:
    which = {"id": "which", "type": "control.if", "condition": expr("item = 2"),
             "then": [wait("soon", 200), {"id": "out", "type": "control.return"}],
             "else": [wait("long")]}  # fmt: skip
    run = worked.execute(at_once(loop("each", "[1, 2, 3]", which), 3), act("never"))

    assert run.status == "SUCCEEDED", run.error_json
    assert [one.status for one in worked.steps(run.run_id, definition_step_id="long")] == [
        "CANCELED", "CANCELED",
    ]  # fmt: skip
    assert worked.effects() == []


def test_no_execution_is_left_while_a_child_is_open(low: Studio) -> None:
    """Continue-as-new between calls, never during one; the child's scopes are wanted all along."""
    child = key(low.publish(*chain(5, "once"), assign("sum", total="payload.n")))
    sub = call("sub", child, {"n": expr("thing")}, {"vars.last": expr("childRun.vars.total")})
    run_id = low.start(low.publish(loop("each", "[1..5]", sub), send("last")))
    run = low.ended(run_id, 60)

    assert run.status == "SUCCEEDED", run.error_json
    assert run.progress_ordinal >= 1
    assert value_of(low, run_id) == 5
    assert all(one.progress_ordinal >= 1 for one in children(low, run_id))
    assert [one.status for one in children(low, run_id)] == ["SUCCEEDED"] * 5


def test_a_concurrent_loop_goes_on_in_a_new_execution(low: Studio) -> None:
    """Bar 31 and 32: those that run end first, and every item is done once."""
    body = act("do", "once", note=expr("'n' & item"))
    each = at_once(loop("each", "[1..20]", body), 4)
    run_id = low.start(low.publish(try_catch("try", [each], []), send("1")))
    run = low.ended(run_id, 60)

    assert run.status == "SUCCEEDED", run.error_json
    assert run.progress_ordinal >= 1
    done = [line for line in low.effects() if line.startswith("end n")]
    assert sorted(done) == sorted(f"end n{number}" for number in range(1, 21))
    assert len(low.steps(run_id, definition_step_id="do")) == 20
