"""Cancellation: from every place, never caught, open steps closed from the inside outwards."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from engine.errors import Category, RunOver, StepFailed
from engine.interpreter.host import Performed
from tests.fakes import FakeHost, Lasting, failing, interpreter, run
from tests.unit.interpreter.plans import (
    Step,
    action,
    assign,
    attempt,
    child,
    each,
    event,
    leave,
    pause,
    plan,
    row,
    rows,
    task,
    when,
)

HOUR = Lasting(3600)


def cancelled(document: dict[str, Any], host: FakeHost, *, after_s: float = 10) -> None:
    """Runs the plan and cancels it; fails when the run ends in another way."""

    async def main() -> None:
        task = asyncio.create_task(interpreter(document, host).run())
        await host.sleep_until(host.now() + timedelta(seconds=after_s))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


@pytest.mark.parametrize(
    ("inside", "closed"),
    [
        (action("x"), ["x CANCELED"]),
        (pause("x", 3_600_000), ["x CANCELED"]),
        (event("x"), ["x CANCELED"]),
        (event("x", timeoutMs=3_600_000), ["x CANCELED"]),
        (task("x"), ["x CANCELED"]),
        (child("x"), ["x STARTED", "x CANCELED"]),
    ],
)
def test_a_cancel_is_not_caught_and_closes_the_step_where_it_stands(
    inside: Step, closed: list[str]
) -> None:
    host = FakeHost({"demo.do": HOUR, "other": HOUR})
    caught = attempt("try", [inside], [action("never")], "e")

    cancelled(plan(caught, action("never")), host)

    assert rows(host) == ["try STARTED", *closed, "try CANCELED"]
    assert "never" not in host.performed()
    error = row(host, "x").error
    assert error is not None
    assert error["category"] == Category.CANCELLATION
    assert error["nodePath"] == "root.steps[0].try.steps[0]"


def test_a_cancel_during_the_retry_backoff_closes_the_attempt() -> None:
    host = FakeHost({"x": failing("busy", Category.TRANSIENT)})
    retry = {"maxAttempts": 2, "backoffMs": 3_600_000}

    cancelled(plan(action("x", retry=retry, on_error="continue"), action("never")), host)

    assert host.performed() == ["x"]
    assert rows(host) == ["x CANCELED"]
    assert row(host, "x").place.attempt == 1


@pytest.mark.parametrize("inside", [pause("x"), child("x"), action("x")])
def test_a_cancel_during_a_quota_pause_closes_the_step(inside: Step) -> None:
    paused = {"limit": 1, "seconds": 3600}
    host = FakeHost({"x": Performed(None, quota=paused)})
    host.quota = [paused]

    cancelled(plan(inside), host)

    assert rows(host)[-1] == "x CANCELED"
    assert [name for name, _ in host.log][-1] == "quota"


def test_blocks_and_loops_close_from_the_inside_outwards() -> None:
    host = FakeHost({"x": HOUR})
    loop = each("loop", [1, 2], [when("if", True, [attempt("try", [action("x")], [])])])

    cancelled(plan(loop), host)

    assert [one for one in rows(host) if one.endswith("CANCELED")] == [
        "x#0 CANCELED",
        "try#0 CANCELED",
        "if#0 CANCELED",
        "loop CANCELED",
    ]


def test_on_item_error_continue_does_not_catch_a_cancel() -> None:
    host = FakeHost({"x": HOUR})

    cancelled(plan(each("loop", [1, 2], [action("x")], onItemError="continue")), host)

    assert host.performed() == ["x"]


def test_a_cancel_reaches_every_concurrent_item_and_none_is_left_running() -> None:
    host = FakeHost({"x": HOUR})
    loop = each("loop", [1, 2, 3], [action("x")], concurrency=2, onItemError="continue")

    async def main() -> None:
        running = asyncio.create_task(interpreter(plan(loop), host).run())
        await host.sleep_until(host.now() + timedelta(seconds=1))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main())

    assert len(host.calls("perform")) == 2
    assert rows(host)[1:] == ["x#0 CANCELED", "x#1 CANCELED", "loop CANCELED"]


def test_what_an_outcome_that_stays_unknown_says_is_on_the_cancelled_row() -> None:
    host = FakeHost()

    async def perform(request: Any) -> Performed:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError as error:
            raise error from StepFailed(Category.OUTCOME_UNKNOWN, "it may have happened")
        return Performed(None)

    host.perform = perform  # type: ignore[method-assign]
    cancelled(plan(action("x")), host)

    error = row(host, "x").error
    assert error is not None
    assert error["category"] == "OutcomeUnknown"


def test_an_action_that_ends_well_while_it_is_cancelled_does_not_lose_the_cancel() -> None:
    host = FakeHost()

    async def perform(request: Any) -> Performed:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            return Performed("done all the same")
        return Performed(None)

    host.perform = perform  # type: ignore[method-assign]
    cancelled(
        plan(when("if", True, [action("x", save_as="out"), assign("a", {"vars.a": 1})])), host
    )

    assert rows(host) == ["if STARTED", "if CANCELED"]


def test_an_attempt_that_fails_while_it_is_cancelled_is_not_repeated() -> None:
    host = FakeHost()
    performed = []

    async def perform(request: Any) -> Performed:
        performed.append(request)
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            raise failing("cut off", Category.TRANSIENT) from None
        return Performed(None)

    host.perform = perform  # type: ignore[method-assign]
    cancelled(plan(action("x", retry={"maxAttempts": 5, "backoffMs": 0})), host)

    assert len(performed) == 1
    assert rows(host) == ["x CANCELED"]


def test_a_wait_is_closed_before_the_run_is_left() -> None:
    host = FakeHost()

    cancelled(plan(pause("x", 3_600_000)), host)

    assert [name for name, _ in host.log] == ["admit", "wait", "wait closed"]


def test_an_error_that_speaks_of_cancelling_is_an_error_like_any_other() -> None:
    host = FakeHost({"x": failing("the order was cancelled")})

    outcome = run(interpreter(plan(attempt("t", [action("x")], [action("m")])), host).run())

    assert outcome.status == "SUCCEEDED"
    assert host.performed() == ["x", "m"]


def test_a_terminal_row_ends_the_run_without_a_word() -> None:
    host = FakeHost({"x": RunOver("over")})
    document = plan(attempt("t", [action("x", on_error="continue")], []), leave("end"))

    with pytest.raises(RunOver):
        run(interpreter(document, host).run())

    assert rows(host) == ["t STARTED"]
