"""event.wait on a real Temporal: what comes ends it, in time, once, and nothing is lost."""

from __future__ import annotations

import time

import pytest
from temporalio import workflow

from engine.store.events import DeliveryStatus
from tests.steps import assign, loop, try_catch, wait
from tests.studio import Studio
from tests.waiting import deliveries, event_wait, name, open_wait_of, send, written

pytestmark = pytest.mark.temporal


def test_a_matching_event_ends_the_wait_and_leaves_its_payload_in_vars(worked: Studio) -> None:
    """Original 3.11, case 26: resumed by its event; the row names it; vars.event, vars.eventName.

    Others go by: another key, another name, and a payload that the filters refuse.
    """
    event = name()
    filters = [{"path": "amount", "op": ">", "value": 10}]
    run_id = worked.start(
        worked.publish(
            event_wait(
                "paid",
                event,
                "payload.order",
                filters=filters,
                assign={"vars.got": {"$expr": "vars.event.amount"}},
            ),
            assign("after", seen="vars.got", named="eventName"),
        ),
        {"order": "o-1"},
    )
    waiting = open_wait_of(worked, run_id)
    assert worked.run(run_id).status == "WAITING"
    assert send(worked, event, "o-2", {"amount": 11}).targets == ()
    assert send(worked, name(), "o-1", {"amount": 11}).targets == ()
    assert send(worked, event, "o-1", {"amount": 9}).targets == ()
    receipt = send(worked, event, "o-1", {"amount": 12}, event_id="pay-1")
    run = worked.ended(run_id)

    assert run.status == "SUCCEEDED", run.error_json
    assert [target.wait_id for target in receipt.targets] == [waiting]
    assert written(worked, run_id, "after") == {"seen": 12, "named": event}
    (closed,) = worked.waits(run_id)
    assert (closed.status, closed.key, closed.event_name) == ("RESOLVED", "o-1", event)
    assert closed.payload["matchedEventId"]
    assert deliveries(worked, run_id) == [(DeliveryStatus.OBSERVED, waiting)]


def test_a_time_out_is_a_catchable_time_out_error(worked: Studio) -> None:
    """Original 3.11, case 27: TimeoutError; the row is RESOLVED, without an event."""
    event = name()
    caught = worked.start(
        worked.publish(
            try_catch(
                "careful",
                [event_wait("never", event, "'k'", timeoutMs=300)],
                [assign("took", category="error.category", of="error.details.eventName")],
            )
        )
    )
    uncaught = worked.execute(event_wait("never", event, timeoutMs=50))

    assert uncaught.status == "FAILED"
    assert uncaught.error_json["category"] == "TimeoutError"
    assert {"eventName", "correlationKey", "timeoutAt"} <= uncaught.error_json["details"].keys()
    assert worked.temporal_status(uncaught.run_id) == "FAILED"
    assert worked.ended(caught).status == "SUCCEEDED"
    assert written(worked, caught, "took") == {"category": "TimeoutError", "of": event}
    for run_id in (caught, uncaught.run_id):
        (closed,) = worked.waits(run_id)
        assert (closed.status, closed.payload["matchedEventId"]) == ("RESOLVED", None)


def test_an_event_that_came_before_its_wait_is_found(worked: Studio) -> None:
    """Missing from the original's bar: signal before wait. Oldest first, each wait another one."""
    event = name()
    run_id = worked.start(
        worked.publish(
            wait("first", 800),
            event_wait("one", event),
            assign("a", seen="vars.event.n"),
            event_wait("two", event),
            assign("b", seen="vars.event.n"),
            event_wait("three", event, timeoutMs=100),
        )
    )
    open_wait_of(worked, run_id)
    assert send(worked, event, payload={"n": 1}).targets == ()
    send(worked, event, "whatever", payload={"n": 2})
    run = worked.ended(run_id)

    assert run.error_json["category"] == "TimeoutError", "an event serves one wait of a run"
    assert written(worked, run_id, "a") == {"seen": 1}
    assert written(worked, run_id, "b") == {"seen": 2}


def test_an_event_of_before_the_run_is_not_for_it(worked: Studio) -> None:
    event = name()
    send(worked, event)
    run = worked.execute(event_wait("only", event, timeoutMs=100))
    assert run.error_json["category"] == "TimeoutError"


def test_an_event_serves_every_run_that_waits_for_it(worked: Studio) -> None:
    event = name()
    of = worked.publish(event_wait("only", event, "payload.k"))
    runs = [worked.start(of, {"k": "same"}) for _ in range(4)]
    for run_id in runs:
        open_wait_of(worked, run_id)
    receipt = send(worked, event, "same")

    assert {target.run_id for target in receipt.targets} == set(runs)
    assert [worked.ended(run_id).status for run_id in runs] == ["SUCCEEDED"] * 4


def test_nothing_is_lost_where_a_run_continues_as_new(
    worked: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing from the original's bar: signal across continue-as-new, with a low threshold.

    Ten waits in a loop, continued as new between them, and events that are sent without regard.
    """
    monkeypatch.setattr(
        "engine.durable.host.TemporalHost.wants_checkpoint",
        lambda self: workflow.info().get_current_history_length() > 30,
    )
    event = name()
    run_id = worked.start(
        worked.publish(
            assign("begin", seen="[]"),
            loop(
                "each",
                "[1..10]",
                event_wait("next", event, timeoutMs=20_000),
                assign("note", seen="append(vars.seen, vars.event.n)"),
            ),
            assign("end", all="vars.seen"),
        )
    )
    for number in range(10):
        send(worked, event, payload={"n": number})
        time.sleep(0.08)
    run = worked.ended(run_id)

    assert run.status == "SUCCEEDED", run.error_json
    assert sorted(written(worked, run_id, "end")["all"]) == list(range(10))
    assert "WORKFLOW_EXECUTION_CONTINUED_AS_NEW" in worked.events(
        run_id, first_execution(worked, run_id)
    )


def first_execution(studio: Studio, run_id: str) -> str | None:
    return studio.run(run_id).claimed_by
