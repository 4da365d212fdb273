"""All scopes together are at most 8 MiB (docs/rules.md 4), counted exactly and write by write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Category, StepFailed
from engine.expressions.paths import parse_assign
from engine.interpreter.account import LIMIT_BYTES, Account, measure
from engine.interpreter.host import Performed, ValueRef
from engine.interpreter.scope import Scope
from tests.fakes import FakeHost, execute, failing
from tests.unit.interpreter.plans import action, assign, attempt, each, expr, plan

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def scope(payload: Any = None) -> tuple[Scope, Account]:
    account = Account()
    made = Scope(payload=payload or {}, meta={}, system={}, account=account)
    made.begin()
    return made, account


@given(VALUES)
def test_a_value_measures_about_as_much_as_its_json(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode("utf-8", "surrogatepass"))

    assert measure(value) <= size
    assert measure(value) >= size / 7


def test_a_reference_measures_as_the_value_that_it_stands_for() -> None:
    assert measure(ValueRef("v", 70_000)) == 70_000
    assert measure({"a": [ValueRef("v", 70_000)]}) == 70_000 + len('{"a":[]}')


WRITES = st.lists(
    st.tuples(
        st.sampled_from(["vars.a", "vars.a.b", "vars.b", "payload.x", "/y", "error.e", "meta.m.n"]),
        VALUES,
    ),
    max_size=12,
)


@given(WRITES)
def test_the_account_is_what_measuring_everything_would_give(writes: list[tuple[str, Any]]) -> None:
    made, account = scope({"x": "begin"})
    for path, value in writes:
        try:
            made.write(parse_assign(path), value)
        except StepFailed:
            continue

    assert account.total == total_of(made)


@given(WRITES)
def test_going_back_gives_back_what_was_counted(writes: list[tuple[str, Any]]) -> None:
    made, account = scope({"x": "begin"})
    before, size = made.snapshot(), account.total
    for path, value in writes:
        try:
            made.write(parse_assign(path), value)
        except StepFailed:
            continue
    made.restore(before)

    assert account.total == size == total_of(made)


def total_of(made: Scope) -> int:
    """By member, as the account counts: `"name":value,`."""
    total = 0
    for held in (made.payload, made.vars, made.meta, made.error):
        if isinstance(held, dict):
            total += 2 + sum(len(name) + 4 + measure(value) for name, value in held.items())
        else:
            total += measure(held)
    return total


def test_what_does_not_fit_is_an_error_that_can_be_caught_and_changes_nothing() -> None:
    grow = {f"vars.v{n}": expr("payload.t") for n in range(60)}
    steps = [
        attempt("try", [assign("grow", grow)], [], "e"),
        assign("after", {"vars.fits": expr("payload.t")}),
    ]

    outcome = execute(plan(*steps), FakeHost(), payload={"t": "x" * 200_000})

    assert outcome.status == "SUCCEEDED"
    assert sorted(outcome.scopes["vars"]) == ["e", "fits"]
    error = outcome.scopes["vars"]["e"]
    assert error["category"] == Category.STATE_TOO_LARGE
    assert error["details"]["limitBytes"] == LIMIT_BYTES


def test_outputs_by_reference_count_as_what_they_stand_for() -> None:
    host = FakeHost({"act": Performed(ValueRef("v", 3_000_000))})
    steps = [action("act", save_as=f"out{n}") for n in range(3)]
    steps = [{**one, "id": f"act{n}"} for n, one in enumerate(steps)]
    host.script = {f"act{n}": Performed(ValueRef(f"v{n}", 3_000_000)) for n in range(3)}

    outcome = execute(plan(*steps), host)

    assert outcome.error is not None
    assert outcome.error["category"] == Category.STATE_TOO_LARGE
    assert sorted(outcome.scopes["vars"]) == ["out0", "out1"]


def test_overwriting_makes_room() -> None:
    body = [assign("set", {"vars.same": expr("payload.t")})]

    outcome = execute(
        plan(each("loop", expr("payload.n"), body)),
        FakeHost(),
        payload={"t": "x" * 200_000, "n": list(range(100))},
    )

    assert outcome.status == "SUCCEEDED"


def test_an_error_is_kept_however_full_the_scopes_are() -> None:
    made, account = scope()
    made.set_var("big", "x" * (LIMIT_BYTES - 100))

    made.set_error({"message": "m" * 5000})
    with pytest.raises(StepFailed) as refused:
        made.set_var("more", 1)

    assert refused.value.category is Category.STATE_TOO_LARGE
    assert account.total > LIMIT_BYTES
    made.set_var("big", "")
    made.set_var("more", 1)


def test_a_caught_error_is_kept_in_its_var_however_full_the_scopes_are() -> None:
    # 41 values of 200,000 characters leave less room than two copies of the error need.
    grow = {f"vars.v{n}": expr("payload.t") for n in range(40)}
    host = FakeHost({"act": failing("m" * 250_000)})

    outcome = execute(
        plan(assign("grow", grow), attempt("try", [action("act")], [], "e")),
        host,
        payload={"t": "x" * 200_000},
    )

    assert outcome.status == "SUCCEEDED"
    assert len(outcome.scopes["vars"]["e"]["message"]) == 250_000


def test_an_input_of_many_large_values_is_refused_before_it_fills_the_worker() -> None:
    host = FakeHost()
    inputs = {f"f{n}": expr("payload.t") for n in range(200)}

    outcome = execute(plan(action("act", inputs)), host, payload={"t": "x" * 200_000})

    assert outcome.error is not None
    assert outcome.error["category"] == Category.STATE_TOO_LARGE
    assert host.performed() == []


def test_large_values_cost_evaluations_so_that_a_task_stays_short() -> None:
    """Copying and weighing is work that the count of evaluated nodes does not show."""
    light, heavy = FakeHost(), FakeHost()
    payload = {"items": list(range(40_000))}

    execute(plan(assign("set", {"vars.copy": 1})), light, payload=payload)
    execute(plan(assign("set", {"vars.copy": expr("payload.items")})), heavy, payload=payload)

    assert heavy.evaluations > light.evaluations + 1_000
