"""action.call: attempts, keys, quota, budgets and large outputs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import Category
from engine.interpreter.host import Performed, ValueRef
from engine.interpreter.retry import next_delay_ms, retry_seed
from tests.fakes import START, FakeHost, execute, failing
from tests.unit.interpreter.plans import (
    action,
    assign,
    attempt,
    each,
    expr,
    plan,
    row,
    rows,
    transform,
    when,
)
from tests.unit.interpreter.requests import RETRY, request


def test_an_action_is_retried_by_its_policy_and_then_continued() -> None:
    host = FakeHost({"act": failing("busy", Category.TRANSIENT)})
    broken = action("act", retry={**RETRY, "maxAttempts": 2}, on_error="continue")

    outcome = execute(plan(broken, action("after")), host)

    assert outcome.status == "SUCCEEDED"
    assert host.performed() == ["act", "act", "after"]
    assert [one.place.attempt for one in host.calls("perform")] == [1, 2, 1]
    assert [one.place.position for one in host.calls("perform")] == [1, 2, 3]
    assert host.calls("back off") == [START + timedelta(seconds=1)]
    assert outcome.scopes["error"]["message"] == "busy"


def test_a_second_attempt_that_succeeds_is_a_success() -> None:
    host = FakeHost({"act": [failing("busy", Category.TRANSIENT), {"ok": 1}]})

    outcome = execute(plan(action("act", save_as="out", retry=RETRY)), host)

    assert outcome.scopes["vars"] == {"out": {"ok": 1}}


def test_every_attempt_has_the_same_input_and_the_same_key() -> None:
    host = FakeHost({"act": [failing("busy", Category.TRANSIENT), None]})
    inputs = {"at": expr("nowIso()")}
    keyed = action("act", inputs, retry=RETRY, config={"idempotencyKey": expr("'k-' & nowIso()")})

    execute(plan(keyed), host)

    first, second = host.calls("perform")
    assert second.input == first.input == {"at": "2026-06-09T12:00:00.000Z"}
    assert second.idempotency_key == first.idempotency_key == "k-2026-06-09T12:00:00.000Z"
    assert first.retry == RETRY


@pytest.mark.parametrize(("key", "text"), [("k", "k"), (5, "5"), (True, "true"), (1.5, "1.5")])
def test_an_idempotency_key_is_text(key: object, text: str) -> None:
    host = FakeHost()

    execute(plan(action("act", config={"idempotencyKey": key})), host)

    assert request(host).idempotency_key == text


@pytest.mark.parametrize("key", [None, "", {"a": 1}])
def test_an_idempotency_key_that_would_be_shared_by_all_is_refused(key: object) -> None:
    host = FakeHost()

    outcome = execute(plan(action("act", config={"idempotencyKey": key})), host)

    assert outcome.error is not None
    assert outcome.error["category"] == Category.VALIDATION
    assert host.performed() == []


def test_the_delay_is_the_one_that_the_activity_computes() -> None:
    policy = {"maxAttempts": 2, "backoffMs": 60_000}
    host = FakeHost({"act": failing("busy", Category.TRANSIENT)})

    execute(plan(each("loop", [1], [action("act", retry=policy)])), host)

    seed = retry_seed("run-1", "root.steps[0].body.steps[0]#0")
    delay = next_delay_ms(policy, 1, {"category": "TransientError"}, seed)
    assert delay is not None
    assert host.calls("back off") == [START + timedelta(milliseconds=delay)]


def test_without_a_policy_or_for_another_category_nothing_is_repeated() -> None:
    host = FakeHost({"a": failing("x", Category.TRANSIENT), "b": failing("x", Category.ACTION)})
    steps = [action("a", on_error="continue"), action("b", retry=RETRY, on_error="continue")]

    execute(plan(*steps), host)

    assert host.performed() == ["a", "b"]


def test_an_effect_is_not_repeated_because_its_output_cannot_be_kept() -> None:
    host = FakeHost({"act": {"x": 1}})
    policy = {**RETRY, "retryOn": ["ValidationError", "StateTooLarge"]}
    steps = [assign("set", {"vars.text": "t"}), action("act", save_as="text.in", retry=policy)]

    outcome = execute(plan(*steps), host)

    assert outcome.status == "FAILED"
    assert outcome.error is not None
    assert outcome.error["category"] == Category.VALIDATION
    assert host.performed() == ["act"]


def test_a_used_up_quota_pauses_the_run_and_then_the_same_attempt_is_made() -> None:
    paused = Performed(None, quota={"limit": 1, "usedCount": 1, "seconds": 600})
    host = FakeHost({"act": [paused, paused, {"ok": 1}]})

    outcome = execute(plan(action("act", save_as="out")), host)

    assert outcome.scopes["vars"] == {"out": {"ok": 1}}
    assert [one.place for one in host.calls("perform")] == [request(host).place] * 3
    assert host.run_waits == [True, True]
    assert host.now() == START + timedelta(seconds=1200)


def test_a_pure_action_runs_inside_and_is_recorded_with_input_and_output() -> None:
    host = FakeHost()

    outcome = execute(
        plan(transform("up", "uppercase_text", {"text": expr("payload.t")}, "out")),
        host,
        payload={"t": "grün"},
    )

    assert outcome.scopes["vars"]["out"] == {"text": "GRÜN"}
    assert host.log == []
    assert row(host, "up").input == {"text": "grün"}
    assert row(host, "up").output == {"text": "GRÜN"}


def test_a_pure_action_that_is_given_the_wrong_input_fails_as_validation() -> None:
    host = FakeHost()

    outcome = execute(plan(transform("up", "uppercase_text", {"txt": 5})), host)

    assert outcome.error is not None
    assert outcome.error["category"] == Category.VALIDATION
    assert rows(host) == ["up FAILED"]
    assert row(host, "up").input == {"txt": 5}


def test_a_pure_action_is_retried_only_for_what_its_policy_names() -> None:
    host = FakeHost()
    policy = {**RETRY, "maxAttempts": 2, "retryOn": ["ValidationError"]}

    execute(plan(transform("up", "uppercase_text", {"txt": 5}, retry=policy)), host)

    assert rows(host) == ["up RETRY_SCHEDULED", "up FAILED"]
    first, second = host.rows
    assert first.next_retry_at == START + timedelta(seconds=1)
    assert (first.place.attempt, second.place.attempt) == (1, 2)
    assert (first.place.position, second.place.position) == (1, 2)


def test_a_failure_in_a_try_is_announced_to_the_host_as_handled() -> None:
    host = FakeHost()

    execute(plan(attempt("try", [when("if", True, [action("in")])], [action("out")])), host)
    execute(plan(action("bare")), host)

    assert [one.handled_by for one in host.calls("perform")] == ["catch", None]


def test_a_mapping_of_many_expressions_may_yield_between_them() -> None:
    host = FakeHost()
    spent: list[int] = []

    async def spend(evaluations: int, records: int) -> None:
        spent.append(evaluations)

    host.spend = spend  # type: ignore[method-assign]
    busy = expr("$sum(payload.n[$ > 1])")
    items = list(range(900))

    execute(plan(action("act", {f"f{n}": busy for n in range(40)})), host, payload={"n": items})

    assert sum(spent) > 40_000
    assert max(spent) < 10_000


def test_an_expression_that_exhausts_its_budget_is_charged_for_it() -> None:
    host = FakeHost()
    busy = expr("$sum(payload.n[$count($$.payload.n[$ > 1]) > 0])")

    outcome = execute(plan(action("act", {"a": busy})), host, payload={"n": list(range(900))})

    assert outcome.error is not None
    assert outcome.error["code"] == "EXPRESSION_BUDGET"
    # The value that was weighed for the account costs a few more.
    assert 5_000 <= host.evaluations < 5_100


def test_a_large_output_is_a_reference_until_an_expression_needs_it() -> None:
    host = FakeHost({"act": Performed(ValueRef("v1", 70_000))}, values={"v1": {"rows": [1, 2, 3]}})
    steps = [
        action("act", save_as="big"),
        action("blind", {"n": 1}),
        action("seeing", {"n": expr("$sum(vars.big.rows)"), "bare": expr("big.rows[0]")}),
    ]

    outcome = execute(plan(*steps), host)

    assert host.calls("perform")[2].input == {"n": 6, "bare": 1}
    assert host.fetched == ["v1"]
    assert outcome.scopes["vars"]["big"] == ValueRef("v1", 70_000)
