"""A run that is continued from checkpoints is the same run (rules.md 4, architecture.md 3)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract import Json
from engine.errors import Category
from engine.interpreter.checkpoint import CheckpointReached
from engine.interpreter.host import Performed, ValueRef
from engine.interpreter.interpreter import Outcome
from tests.fakes import FakeHost, Lasting, execute, failing, interpreter, run
from tests.unit.interpreter.plans import (
    action,
    assign,
    attempt,
    each,
    expr,
    leave,
    pause,
    plan,
    when,
)
from tests.unit.interpreter.random_plans import PAYLOAD, AnsweringHost, random_plan


def continued(document: dict[str, Json], host: FakeHost, payload: Json) -> tuple[Outcome, int]:
    """Runs to the end, through as many checkpoints as the host wants, each as JSON."""

    async def main() -> tuple[Outcome, int]:
        checkpoint, taken = None, 0
        while True:
            begin = payload if checkpoint is None else {}
            machine = interpreter(document, host, payload=begin, checkpoint=checkpoint)
            try:
                return await machine.run(), taken
            except CheckpointReached as reached:
                checkpoint = json.loads(json.dumps(reached.checkpoint))
                taken += 1

    return run(main())


def checkpoint_of(document: dict[str, Json], host: FakeHost, payload: Json = None) -> Any:
    with pytest.raises(CheckpointReached) as reached:
        execute(document, host, payload=payload)
    return reached.value.checkpoint


def inside(checkpoint: Any) -> Any:
    return json.loads(checkpoint["text"])


EVERYTHING = plan(
    assign("begin", {"vars.it": "before", "vars.n": 0}),
    action("big", save_as="vars.deep.big"),
    each(
        "outer",
        expr("payload.items"),
        [
            assign("count", {"vars.n": expr("n + 1"), "vars.it": expr("'mine' & it")}),
            attempt(
                "try",
                [
                    when("even", expr("index % 2 = 1"), [action("fails"), action("never")]),
                    action("works", {"it": expr("[it, vars.it]")}),
                ],
                [
                    assign("note", {"vars.seen": expr("error.iter"), "vars.e": expr("e.message")}),
                    each(
                        "inner",
                        ["p", "q"],
                        [action("deep", {"all": expr("[it, x, index]")})],
                        var="x",
                    ),
                ],
                "e",
            ),
            pause("wait", 1000),
        ],
        onItemError="continue",
    ),
    assign("end", {"vars.total": expr("n + vars.deep.big.n")}),
    when("last", True, [leave("done")]),
)
SCRIPT = {
    "big": Performed(ValueRef("v", 70_000)),
    "fails": failing("broken"),
}


def everything(**options: Any) -> FakeHost:
    return FakeHost(SCRIPT, values={"v": {"n": 10}}, **options)


ITEMS = {"items": [1, {"$ref": "x", "bytes": 2}, 3]}


def test_a_checkpoint_at_each_boundary_changes_nothing() -> None:
    plain = everything()
    expected, none = continued(EVERYTHING, plain, ITEMS)
    assert none == 0
    assert plain.asked > 20

    for boundary in range(1, plain.asked + 1):
        host = everything(checkpoint_when=lambda asked, boundary=boundary: asked == boundary)
        outcome, taken = continued(EVERYTHING, host, ITEMS)

        assert taken == 1
        assert outcome == expected
        assert host.rows == plain.rows
        assert host.log == plain.log
        assert host.labels == plain.labels


def test_checkpoints_at_all_boundaries_change_nothing() -> None:
    plain, host = everything(), everything(checkpoint_when=lambda asked: True)
    expected, _ = continued(EVERYTHING, plain, ITEMS)

    outcome, taken = continued(EVERYTHING, host, ITEMS)

    assert taken > 15
    assert outcome == expected
    assert host.rows == plain.rows
    assert host.log == plain.log


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_any_plan_is_the_same_run_with_checkpoints_and_without(number: int, every: int) -> None:
    """Without concurrent items: a checkpoint lets those end first, and that takes time."""
    document = random_plan(number, concurrent=False)
    plain = AnsweringHost(number)
    host = AnsweringHost(number, checkpoint_when=lambda asked: asked % every == 0)

    expected, _ = continued(document, plain, PAYLOAD)
    outcome, _ = continued(document, host, PAYLOAD)

    assert outcome == expected
    assert host.rows == plain.rows
    assert host.log == plain.log


def test_a_checkpoint_keeps_the_order_of_keys_where_objects_are_sorted() -> None:
    document = plan(
        assign("made", {"vars.o": {"b": 1, "a": 2}}),
        assign("next", {"vars.x": 1}),
        assign("read", {"vars.keys": expr("$keys(o)")}),
    )
    host = FakeHost(checkpoint_when=lambda asked: asked == 1)
    stored = json.dumps(checkpoint_of(document, host), sort_keys=True)

    outcome = execute(document, FakeHost(), checkpoint=json.loads(stored))

    assert outcome.scopes["vars"]["keys"] == ["b", "a"]


def test_a_checkpoint_is_plain_json_and_says_where_references_are() -> None:
    host = everything(checkpoint_when=lambda asked: asked == 3)

    checkpoint = checkpoint_of(EVERYTHING, host, ITEMS)

    state = inside(checkpoint)
    assert json.loads(json.dumps(checkpoint)) == checkpoint
    assert state["refs"] == [["scopes", "vars", "deep", "big"]]
    assert state["scopes"]["vars"]["deep"]["big"] == {"$ref": "v", "bytes": 70_000}
    assert state["scopes"]["payload"] == ITEMS


def test_a_checkpoint_is_the_same_whether_taken_again_right_after_it_or_not() -> None:
    """Nothing is asked before the first step after a checkpoint: every one makes headway."""
    host = everything(checkpoint_when=lambda asked: True)

    first = checkpoint_of(EVERYTHING, host, ITEMS)
    with pytest.raises(CheckpointReached) as second:
        execute(EVERYTHING, host, checkpoint=first)

    assert inside(second.value.checkpoint)["position"] == inside(first)["position"] + 1


def test_a_concurrent_loop_lets_its_items_end_before_a_checkpoint() -> None:
    host = FakeHost({"slow": lambda one: Lasting(one.input["n"])})
    document = plan(each("both", [3, 1, 1, 1], [action("slow", {"n": expr("it")})], concurrency=2))
    wants = iter([False, False, False, True, True])
    host.wants_checkpoint = lambda: next(wants)  # type: ignore[method-assign]

    checkpoint = checkpoint_of(document, host)

    assert len(host.performed()) == 3
    assert inside(checkpoint)["frames"][-1]["state"]["next"] == 3
    outcome = execute(document, FakeHost(), checkpoint=checkpoint)
    assert outcome.status == "SUCCEEDED"


def test_inside_a_concurrent_item_no_checkpoint_is_asked_for() -> None:
    host = FakeHost()
    body = [assign(f"a{n}", {"vars.x": n}) for n in range(5)]

    execute(plan(each("both", [1, 2, 3], body, concurrency=2)), host)

    assert host.asked <= 4


@pytest.mark.parametrize(
    "broken",
    [
        {},
        None,
        [],
        {"format": 2},
        {"format": 1},
        {"format": 1, "text": "{"},
        {"format": 1, "text": '{"position":1,"bytes":1,"scopes":{},"frames":[],"refs":[]}'},
    ],
)
def test_what_is_no_checkpoint_fails_the_run(broken: Json) -> None:
    if broken is None:
        broken = "text"

    outcome = execute(plan(action("never")), FakeHost(), checkpoint=broken)

    assert outcome.status == "FAILED"
    assert outcome.error is not None
    assert outcome.error["category"] == Category.INTERPRETER


@pytest.mark.parametrize(
    "damage",
    [
        lambda frames: frames[1].update(step="other"),
        lambda frames: frames[2].update(block="nowhere"),
        lambda frames: frames[-1].update(index=99),
        lambda frames: frames.clear(),
        lambda frames: frames[0].update(index=99),
    ],
)
def test_a_checkpoint_that_stands_nowhere_in_the_plan_fails_the_run_uncaught(damage: Any) -> None:
    host = everything(checkpoint_when=lambda asked: asked == 6)
    checkpoint = checkpoint_of(EVERYTHING, host, ITEMS)
    state = inside(checkpoint)
    assert len(state["frames"]) >= 3
    damage(state["frames"])
    checkpoint["text"] = json.dumps(state)
    fresh = everything()

    outcome = execute(EVERYTHING, fresh, checkpoint=checkpoint)

    assert outcome.status == "FAILED"
    assert outcome.error is not None
    assert outcome.error["category"] == Category.INTERPRETER
    assert fresh.log == []


def test_a_checkpoint_in_a_catch_still_knows_the_error() -> None:
    document = plan(
        attempt("try", [action("x")], [action("one"), action("two", {"m": expr("error.message")})])
    )
    host = FakeHost({"x": failing("broken")}, checkpoint_when=lambda asked: asked == 3)

    outcome, taken = continued(document, host, {})

    assert taken == 1
    assert outcome.status == "SUCCEEDED"
    assert host.calls("perform")[-1].input == {"m": "broken"}


def test_a_reference_that_an_item_name_hides_outlives_a_checkpoint() -> None:
    host = FakeHost(
        {"big": Performed(ValueRef("v", 70_000))},
        values={"v": {"n": 10}},
        checkpoint_when=lambda asked: asked == 3,
    )
    loop = each("loop", [1, 2], [action("one")])
    document = plan(action("big", save_as="it"), loop, action("end", {"n": expr("vars.it.n")}))

    outcome, taken = continued(document, host, {})

    assert taken == 1
    assert host.calls("perform")[-1].input == {"n": 10}
    assert outcome.scopes["vars"] == {"it": ValueRef("v", 70_000)}


def test_a_restored_block_still_fails_to_its_handler() -> None:
    document = plan(attempt("try", [action("one"), action("x")], [action("mend")]))
    host = FakeHost({"x": failing()}, checkpoint_when=lambda asked: asked == 2)

    outcome, taken = continued(document, host, {})

    assert taken == 1
    assert outcome.status == "SUCCEEDED"
    assert host.performed() == ["one", "x", "mend"]
    assert host.calls("perform")[1].handled_by == "catch"
