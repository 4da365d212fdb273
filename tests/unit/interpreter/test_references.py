"""Large values by reference: fetched only where an expression may read them, once."""

from __future__ import annotations

import pytest

from engine.interpreter.host import Performed, ValueRef
from engine.interpreter.references import KEPT_BYTES, FetchedValues
from tests.fakes import FakeHost, execute, run
from tests.unit.interpreter.plans import action, assign, child, each, expr, plan, when

BIG = {"rows": [{"n": 1}, {"n": 2}], "title": "big"}


def host(*more: str) -> FakeHost:
    script = {one: Performed(ValueRef(f"v-{one}", 70_000)) for one in ("act", *more)}
    return FakeHost(script, values={f"v-{one}": BIG for one in ("act", *more)})


@pytest.mark.parametrize(
    "source", ["vars.big.title", "big.title", "vars.*.title", "$lookup(vars.big, 'title')"]
)
def test_an_expression_sees_the_true_value(source: str) -> None:
    fake = host()

    outcome = execute(
        plan(action("act", save_as="big"), assign("a", {"vars.t": expr(source)})), fake
    )

    assert outcome.scopes["vars"]["t"] == "big"
    assert outcome.scopes["vars"]["big"] == ValueRef("v-act", 70_000)


def test_an_expression_that_reads_something_else_fetches_nothing() -> None:
    fake = host()
    steps = [action("act", save_as="big"), assign("a", {"vars.t": expr("payload.n")})]

    execute(plan(*steps), fake, payload={"n": 1})

    assert fake.fetched == []


def test_a_bare_name_fetches_its_own_value_only() -> None:
    fake = host("other")
    steps = [
        action("act", save_as="big"),
        action("other", save_as="more"),
        assign("a", {"vars.t": expr("big.title")}),
    ]

    execute(plan(*steps), fake)

    assert fake.fetched == ["v-act"]


def test_a_value_is_fetched_once_however_often_it_is_read() -> None:
    fake = host()
    loop = each("loop", expr("big.rows"), [assign("a", {"vars.s": expr("big.title & it.n")})])

    outcome = execute(plan(action("act", save_as="big"), loop), fake)

    assert outcome.scopes["vars"]["s"] == "big2"
    assert fake.fetched == ["v-act"]


@pytest.mark.parametrize("save_as", ["payload.big", "meta.big", "error.big", "vars.deep.big"])
def test_references_are_found_in_every_scope(save_as: str) -> None:
    fake = host()
    steps = [action("act", save_as=save_as), assign("a", {"vars.t": expr(f"{save_as}.title")})]

    outcome = execute(plan(*steps), fake)

    assert outcome.scopes["vars"]["t"] == "big"


def test_a_write_inside_a_large_value_keeps_the_rest_of_it() -> None:
    fake = host()
    steps = [action("act", save_as="big"), assign("a", {"vars.big.title": "new"})]

    outcome = execute(plan(*steps), fake)

    assert outcome.scopes["vars"]["big"] == {**BIG, "title": "new"}
    assert fake.values["v-act"]["title"] == "big"


def test_an_overwritten_reference_is_no_longer_fetched() -> None:
    fake = host()
    steps = [
        action("act", save_as="big"),
        assign("a", {"vars.big": 1}),
        assign("b", {"vars.t": expr("vars.big")}),
    ]

    outcome = execute(plan(*steps), fake)

    assert outcome.scopes["vars"]["t"] == 1
    assert fake.fetched == []


def test_an_assign_that_is_undone_leaves_the_reference_where_it_was() -> None:
    fake = host()
    undone = {"vars.big": 1, "vars.t": expr("$number('no')")}
    steps = [
        action("act", save_as="big"),
        assign("a", undone, on_error="continue"),
        assign("b", {"vars.t": expr("vars.big.title")}),
    ]

    outcome = execute(plan(*steps), fake)

    assert outcome.scopes["vars"]["t"] == "big"


def test_a_loop_gives_back_a_reference_that_its_item_name_hid() -> None:
    fake = host()
    steps = [
        action("act", save_as="it"),
        each("loop", [1], [when("if", expr("vars.it = 1"), [action("seen")])]),
        assign("a", {"vars.t": expr("vars.it.title")}),
    ]

    outcome = execute(plan(*steps), fake)

    assert "seen" in fake.performed()
    assert outcome.scopes["vars"]["t"] == "big"


def test_concurrent_items_see_references_too() -> None:
    fake = host()
    loop = each("loop", [1, 2], [action("use", {"t": expr("big.title")})], concurrency=2)

    execute(plan(action("act", save_as="big"), loop), fake)

    assert [one.input for one in fake.calls("perform")[1:]] == [{"t": "big"}] * 2


def test_a_child_gets_true_values() -> None:
    fake = host()

    execute(plan(action("act", save_as="big"), child("call", {"all": expr("vars.big")})), fake)

    assert fake.calls("child")[0].payload == {"all": BIG}


def test_an_authors_own_data_that_looks_like_a_reference_is_left_alone() -> None:
    fake = FakeHost({"act": {"$ref": "x", "bytes": 1}})
    steps = [action("act", save_as="like"), assign("a", {"vars.copy": expr("vars.like")})]

    outcome = execute(plan(*steps), fake)

    assert outcome.scopes["vars"]["copy"] == {"$ref": "x", "bytes": 1}
    assert fake.fetched == []


def test_what_was_fetched_is_kept_up_to_a_size_and_the_oldest_leave_first() -> None:
    fetched: list[str] = []

    async def fetch(reference: ValueRef) -> str:
        fetched.append(reference.value_id)
        return reference.value_id

    async def read(values: FetchedValues, *ids: str) -> None:
        for one in ids:
            assert await values.value(ValueRef(one, KEPT_BYTES // 2)) == one

    run(read(FetchedValues(fetch), "a", "b", "a", "c", "a", "b"))

    assert fetched == ["a", "b", "c", "b"]
