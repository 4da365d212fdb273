"""Dry runs: the same interpreter, nothing of the world, and always an end."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.actions.registry import default_registry
from engine.contract import Json
from engine.errors import Invalid
from engine.simulator.budget import Budget
from engine.simulator.samples import sample_of
from engine.simulator.simulate import Simulation, World, simulate
from tests.unit.interpreter import plans
from tests.unit.interpreter.plans import expr

START = datetime(2026, 6, 9, 12, 0, tzinfo=UTC)
RETRY = {"maxAttempts": 3, "backoffMs": 60_000, "jitter": False}


def simulated(
    *steps: plans.Step,
    payload: Json = None,
    stubs: dict[str, Json] | None = None,
    clock: Callable[[], float] = lambda: 0.0,
    **budget: Any,
) -> Simulation:
    world = World(default_registry(plugins=()), START, clock, stubs or {}, Budget(**budget))
    system = {"runId": "r", "workflowId": "wf", "workflowVersion": 1, "tenantId": None}
    return simulate(plans.plan(*steps), world, payload=payload or {}, system=system)


def outline(done: Simulation) -> list[str]:
    return [
        f"{entry.place.step_id}{list(entry.place.iter) or ''} {entry.status} {entry.outcome}"
        for entry in done.trace
    ]


def test_then_and_else_arms_with_assigns() -> None:
    """Bar, simulator 1 and 2."""
    branch = plans.when(
        "if",
        expr("payload.n > 1"),
        [plans.assign("big", {"vars.size": expr("'big'")})],
        [plans.assign("small", {"vars.size": expr("'small'")})],
    )
    many, few = simulated(branch, payload={"n": 2}), simulated(branch, payload={"n": 1})

    assert (many.status, many.scopes["vars"]) == ("completed", {"size": "big"})
    assert outline(many) == ["if SUCCEEDED executed", "big SUCCEEDED executed"]
    assert outline(few)[1] == "small SUCCEEDED executed"


def test_a_loop_in_order_with_its_names_and_the_item_var_restored() -> None:
    """Bar, simulator 3 and 7."""
    done = simulated(
        plans.assign("before", {"vars.it": expr("'kept'"), "vars.seen": expr("[]")}),
        plans.each(
            "each",
            ["a", "b"],
            [
                plans.when(
                    "nested",
                    expr("isFirst"),
                    [
                        plans.assign("one", {"vars.seen": expr("append(seen, it & '1')")}),
                        plans.assign("two", {"vars.seen": expr("append(seen, it & '2')")}),
                    ],
                ),
                plans.assign("all", {"vars.seen": expr("append(seen, [[index, it, isLast]])")}),
            ],
        ),
    )
    assert done.scopes["vars"]["it"] == "kept"
    assert done.scopes["vars"]["seen"] == ["a1", "a2", [0, "a", False], [1, "b", True]]
    assert outline(done)[2:5] == [
        "nested[0] SUCCEEDED executed",
        "one[0] SUCCEEDED executed",
        "two[0] SUCCEEDED executed",
    ]


def test_an_action_gives_its_stub_and_the_run_branches_on_it() -> None:
    """Bar, simulator 4."""
    done = simulated(
        plans.action("ask", {"a": expr("payload.a")}, save_as="answer"),
        plans.when("if", expr("answer.ok"), [plans.leave("out")]),
        plans.action("never"),
        payload={"a": 1},
        stubs={"ask": {"ok": True}},
    )
    assert outline(done) == [
        "ask SUCCEEDED stubbed",
        "if SUCCEEDED executed",
        "out SUCCEEDED executed",
    ]
    (call,) = done.invocations
    assert call.as_data() == {
        "stepId": "ask",
        "path": "root.steps[0]",
        "iter": [],
        "attempt": 1,
        "called": "demo.do@1",
        "input": {"a": 1},
        "output": {"ok": True},
        "outputSource": "stub",
    }


def test_a_stub_that_fails_is_retried_and_caught() -> None:
    """Bar, simulator 5."""
    busy = {"$error": {"category": "TransientError", "message": "busy", "code": "BUSY"}}
    done = simulated(
        plans.attempt("try", [plans.action("ask", retry=RETRY)], [], "why"),
        plans.action("then", retry=RETRY),
        stubs={"ask": busy, "then": {"$each": [busy, {"ok": 1}]}},
    )
    assert outline(done) == [
        "try SUCCEEDED executed",
        *["ask RETRY_SCHEDULED error"] * 2,
        "ask FAILED error",
        "then RETRY_SCHEDULED error",
        "then SUCCEEDED stubbed",
    ]
    assert done.scopes["vars"]["why"]["code"] == "BUSY"
    assert done.trace[3].handled
    # Three back-offs: 60, 120 and 60 s of virtual time.
    assert (done.trace[-1].started_at - START).total_seconds() == 240


def test_return_ends_it_and_on_item_error_goes_on_with_the_next_item() -> None:
    """Bar, simulator 6 and 8."""
    body = [plans.action("ask"), plans.assign("after", {"vars.n": expr("index")})]
    done = simulated(
        plans.each("each", [1, 2, 3], body, onItemError="continue"),
        plans.leave("out"),
        plans.action("never"),
        stubs={"ask": {"$each": [{}, {"$error": {}}, {}]}},
    )
    assert [line.split()[0] for line in outline(done)] == [
        "each", "ask[0]", "after[0]", "ask[1]", "ask[2]", "after[2]", "out",
    ]  # fmt: skip
    (error,) = done.scopes["vars"]["eachErrors"]
    assert (error["index"], error["error"]["category"]) == (1, "ActionError")


def test_state_set_and_transforms_are_real() -> None:
    """Bar, simulator 9."""
    done = simulated(
        plans.state("label", "half way"),
        plans.transform("trim", "trim_text", {"text": "  x "}, "vars.t"),
    )
    assert (done.labels, done.scopes["meta"]["state"]) == (["half way"], "half way")
    assert done.scopes["vars"]["t"] == {"text": "x"}
    assert done.invocations == []


def test_ten_years_take_no_time() -> None:
    done = simulated(*[plans.pause(f"p{n}", 315_360_000_000) for n in range(40)])
    assert done.status == "completed"
    assert done.scopes["vars"]["timeWait"]["dueAt"].startswith("242")


def test_events_and_tasks_are_answered_by_stubs() -> None:
    done = simulated(
        plans.event("paid", "invoice.paid"),
        plans.assign("keep", {"vars.paid": expr("event.sum")}),
        plans.task("ok", title="Approve?"),
        plans.attempt("guard", [plans.event("late", "late", timeoutMs=5000)], [], "why"),
        stubs={"invoice.paid": {"sum": 5}, "approve": {"yes": True}, "late": {"$timeout": True}},
    )
    assert done.status == "completed"
    variables = done.scopes["vars"]
    assert (variables["paid"], variables["event"]) == (5, {"yes": True})
    assert variables["why"]["category"] == "TimeoutError"


def test_an_event_without_a_stub_pauses_it_there() -> None:
    """What runs beside it goes on first: then nothing is left that could."""
    body = [
        plans.when(
            "which",
            expr("it = 1"),
            [plans.event("ask", "nobody")],
            [plans.pause("later", 5000), plans.action("act")],
        )
    ]
    done = simulated(plans.each("each", [1, 2], body, concurrency=2), plans.action("never"))
    assert done.status == "paused-at-wait"
    assert outline(done) == [
        "each STARTED executed",
        "which[0] STARTED executed",
        "ask[0] STARTED would-wait",
        "which[1] SUCCEEDED executed",
        "later[1] SUCCEEDED executed",
        "act[1] SUCCEEDED stubbed",
    ]
    assert done.trace[2].input["eventName"] == "nobody"


def test_a_child_gives_its_stub() -> None:
    call = plans.child("sub", {"n": expr("1")}, {"vars.total": expr("childRun.vars.total")})
    done = simulated(call, stubs={"workflow:other": {"vars": {"total": 7}}})
    assert done.scopes["vars"] == {"total": 7}
    failed = simulated(call, stubs={"sub": {"$error": {"category": "ChildWorkflowError"}}})
    assert (failed.status, failed.error["category"]) == ("failed", "ChildWorkflowError")  # type: ignore[index]
    assert simulated(plans.child("sub")).invocations[0].source == "empty"


def test_an_action_without_a_stub_gives_a_sample_of_its_output() -> None:
    config = {"actionId": "store.get", "version": 1, "inputMapping": {}}
    done = simulated(plans.step("action.call", "get", config, mode="local"))
    assert done.invocations[0].output.keys() == {"found", "value", "revision"}
    assert done.invocations[0].source == "schema"


def test_secrets_stay_references() -> None:
    done = simulated(plans.action("send", {"pin": {"$secret": "PIN"}}))
    assert done.invocations[0].input == {"pin": {"$secret": "PIN"}}


@pytest.mark.parametrize(
    ("budget", "code"),
    [
        ({"steps": 20}, "BUDGET_STEPS"),
        ({"iterations": 5}, "BUDGET_ITERATIONS"),
        ({"evaluations": 30}, "BUDGET_EVALUATIONS"),
        ({"seconds": 10.0}, "BUDGET_SECONDS"),
    ],
)
@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_budget_ends_it_and_nothing_catches_that(
    budget: dict[str, Any], code: str, concurrency: int
) -> None:
    ticks = itertools.count()
    body = [plans.attempt("try", [plans.assign("a", {"vars.n": expr("index")})], [])]
    loop = plans.each("each", list(range(50)), body, concurrency=concurrency)
    limits = {"steps": 5000, "iterations": 1000, "evaluations": 10**6, "seconds": 1e9} | budget
    done = simulated(plans.attempt("outer", [loop], []), clock=lambda: next(ticks), **limits)
    assert done.status == "failed"
    assert (done.error or {})["code"] == code
    assert done.trace


@pytest.mark.parametrize(
    "stub",
    [
        {"$error": "no"}, {"$error": {"kind": "x"}}, {"$error": {"category": "Nope"}},
        {"$error": {"category": "Cancellation"}}, {"$each": []}, {"$each": 5},
        {"$each": [1, {"$error": 1}]}, {"$error": {"details": 1}}, {"$error": {"message": 1}},
    ],
)  # fmt: skip
def test_a_stub_that_is_none_is_refused(stub: Json) -> None:
    with pytest.raises(Invalid) as refused:
        simulated(plans.leave("out"), stubs={"x": stub})
    assert refused.value.problems[0].pointer == "/stubs/x"


def test_a_sample_fits_what_its_schema_says() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string"},
            "b": {"type": ["integer", "null"]},
            "c": {"enum": ["x", "y"]},
            "d": {"$ref": "#/$defs/d"},
            "e": {"anyOf": [{"type": "array", "minItems": 1, "items": {"type": "boolean"}}]},
            "f": {"default": 5},
            "g": {"$ref": "https://elsewhere.example/x"},
            "h": {"$ref": "#/$defs/round"},
        },
        "$defs": {"d": {"type": "number", "minimum": 3}, "round": {"$ref": "#/$defs/round"}},
    }
    assert sample_of(schema) == {
        "a": "", "b": 0, "c": "x", "d": 3, "e": [False], "f": 5, "g": None, "h": None,
    }  # fmt: skip
