"""time.wait, event.wait and human.task: what they ask of the host and what they leave behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.errors import Category
from engine.interpreter.host import WaitRequest
from engine.interpreter.interpreter import Outcome
from tests.fakes import START, FakeHost, Lasting, execute
from tests.unit.interpreter.plans import (
    assign,
    attempt,
    each,
    event,
    expr,
    pause,
    plan,
    row,
    rows,
    step,
    task,
)


def waited(host: FakeHost) -> WaitRequest:
    (found,) = host.calls("wait")
    assert isinstance(found, WaitRequest)
    return found


def error_of(outcome: Outcome) -> dict[str, Any]:
    assert outcome.status == "FAILED"
    assert outcome.error is not None
    return outcome.error


def test_a_duration_is_waited_for_and_time_wait_tells_of_it() -> None:
    host = FakeHost()
    see = assign("see", {"vars.due": expr("vars.timeWait.dueAt")})

    outcome = execute(plan(pause("wait", 60_000), see), host)

    assert waited(host).kind == "time"
    assert waited(host).until == START + timedelta(minutes=1)
    assert outcome.scopes["vars"]["timeWait"] == {
        "mode": "duration",
        "dueAt": "2026-06-09T12:01:00.000Z",
        "resumedAt": "2026-06-09T12:01:00.000Z",
    }
    assert outcome.scopes["vars"]["due"] == "2026-06-09T12:01:00.000Z"
    assert rows(host) == ["wait SUCCEEDED", "see SUCCEEDED"]
    assert row(host, "wait").completed_at == START + timedelta(minutes=1)


@pytest.mark.parametrize(
    "until", ["2026-06-09T14:30:00+02:00", "2026-06-09T12:30:00Z", "2026-06-09t12:30:00.000z"]
)
def test_until_is_a_time_with_its_offset(until: str) -> None:
    host = FakeHost()
    wait = step("time.wait", "wait", {"mode": "until", "until": expr("payload.at")})

    outcome = execute(plan(wait), host, payload={"at": until})

    assert waited(host).until == START + timedelta(minutes=30)
    assert outcome.scopes["vars"]["timeWait"]["mode"] == "until"


def test_a_time_that_has_come_already_does_not_wait() -> None:
    host = FakeHost()
    wait = step("time.wait", "wait", {"mode": "until", "until": "2020-01-01T00:00:00Z"})

    outcome = execute(plan(wait), host)

    assert outcome.status == "SUCCEEDED"
    assert host.now() == START
    assert waited(host).until is not None
    assert outcome.scopes["vars"]["timeWait"]["resumedAt"] == "2026-06-09T12:00:00.000Z"


@pytest.mark.parametrize(
    "until",
    [
        "tomorrow",
        "2026-06-09",
        "2026-06-09T12:00:00",
        "2026-13-09T12:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "2099-01-01T00:00:00Z",
        1_780_000_000_000,
        None,
        "",
    ],
)
def test_an_until_that_is_no_time_is_a_validation_error(until: object) -> None:
    host = FakeHost()
    wait = step("time.wait", "wait", {"mode": "until", "until": expr("payload.at")})

    error = error_of(execute(plan(wait), host, payload={"at": until}))

    assert error["category"] == Category.VALIDATION
    assert host.calls("wait") == []
    assert rows(host) == ["wait FAILED"]


def test_the_assignments_of_a_wait_see_what_it_left() -> None:
    wait = pause("wait", assign={"vars.mode": expr("timeWait.mode"), "payload.done": True})

    outcome = execute(plan(wait), FakeHost())

    assert outcome.scopes["vars"]["mode"] == "duration"
    assert outcome.scopes["payload"] == {"done": True}


def test_an_event_ends_its_wait_and_is_in_vars() -> None:
    host = FakeHost({"wait": Lasting(5, {"eventName": "paid", "payload": {"sum": 3}})})
    filters = [{"path": "sum", "op": ">", "value": 1}]
    waiting = event(
        "wait", "paid", expr("payload.id"), filters=filters, assign={"vars.s": expr("event.sum")}
    )

    outcome = execute(plan(waiting), host, payload={"id": "o-1"})

    assert (waited(host).event_name, waited(host).key) == ("paid", "o-1")
    assert waited(host).until is None
    assert waited(host).payload["filters"] == filters
    assert outcome.scopes["vars"] == {"event": {"sum": 3}, "eventName": "paid", "s": 3}
    assert row(host, "wait").output == {"vars": {"eventName": "paid", "event": {"sum": 3}, "s": 3}}


def test_a_null_correlation_key_matches_any_and_a_number_is_text() -> None:
    for key, wanted in ((None, None), (17, "17")):
        host = FakeHost({"wait": {"payload": {}}})

        outcome = execute(plan(event("wait", key=expr("payload.id"))), host, payload={"id": key})

        assert waited(host).key == wanted
        assert outcome.scopes["vars"]["eventName"] == "E"


def test_an_absent_correlation_key_is_an_error() -> None:
    error = error_of(execute(plan(event("wait", key=expr("payload.id"))), FakeHost()))

    assert error["category"] == Category.EXPRESSION


def test_a_correlation_key_that_is_no_text_is_a_validation_error() -> None:
    error = error_of(execute(plan(event("wait", key={"a": 1})), FakeHost()))

    assert error["category"] == Category.VALIDATION


def test_an_event_that_does_not_come_is_a_timeout_that_can_be_caught() -> None:
    host = FakeHost()
    waiting = event("wait", "paid", "o-1", timeoutMs=60_000)

    outcome = execute(plan(attempt("try", [waiting], [], "e")), host)

    error = outcome.scopes["vars"]["e"]
    assert outcome.status == "SUCCEEDED"
    assert error["category"] == Category.TIMEOUT
    assert error["details"] == {
        "eventName": "paid",
        "correlationKey": "o-1",
        "timeoutAt": "2026-06-09T12:01:00.000Z",
    }
    assert row(host, "wait").status == "FAILED"
    assert row(host, "wait").handled
    assert "event" not in outcome.scopes["vars"]


def test_a_task_shows_what_the_author_wrote_and_leaves_its_answer() -> None:
    host = FakeHost({"ask": Lasting(60, {"payload": {"ok": True}})})
    asking = task(
        "ask",
        title=expr("'Approve ' & payload.id"),
        description="Look",
        contextData={"id": expr("payload.id")},
        assignee="anna",
        form={"type": "object"},
        dueInMs=3_600_000,
        timeoutMs=7_200_000,
        assign={"vars.ok": expr("event.ok")},
    )

    outcome = execute(plan(asking), host, payload={"id": 7})

    assert waited(host).kind == "human"
    assert waited(host).until == START + timedelta(hours=2)
    assert waited(host).payload == {
        "title": "Approve 7",
        "description": "Look",
        "assignee": "anna",
        "taskType": "approve",
        "contextData": {"id": 7},
        "form": {"type": "object"},
        "dueAt": "2026-06-09T13:00:00.000Z",
        "timeoutAt": "2026-06-09T14:00:00.000Z",
    }
    assert outcome.scopes["vars"] == {
        "event": {"ok": True},
        "eventName": "HUMAN_TASK_COMPLETED",
        "ok": True,
    }


def test_a_task_that_nobody_answers_in_time_is_a_timeout() -> None:
    error = error_of(execute(plan(task("ask", timeoutMs=1000)), FakeHost()))

    assert error["category"] == Category.TIMEOUT
    assert error["details"] == {
        "taskType": "approve",
        "timeoutAt": "2026-06-09T12:00:01.000Z",
    }


def test_a_wait_asks_for_quota_first_and_pauses_until_there_is_some() -> None:
    host = FakeHost()
    host.quota = [{"limit": 1, "seconds": 60}, {"limit": 1, "seconds": 60}]

    outcome = execute(plan(pause("wait", 1000)), host)

    assert outcome.status == "SUCCEEDED"
    assert [name for name, _ in host.log] == [
        "admit",
        "quota",
        "admit",
        "quota",
        "admit",
        "wait",
    ]


def test_a_wait_begins_when_its_quota_was_there_and_says_so_once() -> None:
    """To the quota, in the row of the wait, and in the row of how it ended."""
    host = FakeHost()
    host.quota = [{"limit": 1, "seconds": 60}]
    execute(plan(pause("wait", 1000)), host)

    said = [began for name, began in host.began if name == "admit"]
    [opened] = [one for name, one in host.log if name == "wait"]
    [ended] = [one for one in host.rows if one.place.step_id == "wait"]
    assert said[-1] - said[0] == timedelta(seconds=60)
    assert said[-1] == opened.started_at == ended.started_at


def test_a_run_that_waits_in_one_line_says_so_each_time() -> None:
    host = FakeHost()

    execute(plan(each("loop", [1, 2], [pause("wait", 1000)])), host)

    assert host.run_waits == [True, True]


def test_blocks_around_a_wait_are_announced_before_it() -> None:
    host = FakeHost()

    execute(plan(each("loop", [1], [attempt("try", [pause("wait")], [])])), host)

    assert rows(host)[:2] == ["loop STARTED", "try#0 STARTED"]
