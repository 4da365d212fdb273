"""Wherever a run stands, a cancel ends it within 3 s: row, steps, waits and Temporal agree."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import select

from engine.runs.status import TERMINAL
from engine.services.cancel_run import CancelOutcome, cancel_run
from engine.store.tables import WorkflowHumanTask
from tests.run_cases import SOMEBODY
from tests.steps import Step, act, assign, chain, loop, try_catch, wait
from tests.studio import Studio
from tests.waiting import event_wait, human_task

pytestmark = pytest.mark.temporal

OBSERVED_WITHIN_S = 3
"""docs/rules.md 3."""

RETRY = {"maxAttempts": 5, "backoffMs": 60_000}

Cancel = Callable[[Studio, str], None]


def by_the_service(studio: Studio, run_id: str) -> None:
    receipt = cancel_run(studio.services, run_id, SOMEBODY, "why")
    assert receipt.outcome is CancelOutcome.REQUESTED


def by_temporal(studio: Studio, run_id: str) -> None:
    studio.cancel(run_id, row=False)


@pytest.fixture(params=[by_the_service, by_temporal])
def cancel(request: pytest.FixtureRequest) -> Cancel:
    found: Cancel = request.param
    return found


def canceled(studio: Studio, run_id: str, cancel: Cancel) -> list[tuple[str, int, str]]:
    """Cancel and look: everything agrees, in time. The timeline that it leaves."""
    began = time.monotonic()
    cancel(studio, run_id)
    studio.eventually(lambda: studio.run(run_id).status in TERMINAL, 20)
    assert time.monotonic() - began < OBSERVED_WITHIN_S
    run = studio.ended(run_id)
    assert run.status == "CANCELED", run.error_json
    assert run.completed_at is not None
    assert studio.temporal_status(run_id) == "CANCELED"
    assert {found.status for found in studio.waits(run_id)} <= {"CANCELED"}
    outline = studio.outline(run_id)
    assert {status for _, _, status in outline} <= {"SUCCEEDED", "CANCELED", "RETRY_SCHEDULED"}
    return outline


def started(studio: Studio, *steps: Step, until: Callable[[str], bool]) -> str:
    run_id = studio.start(studio.publish(*steps))
    studio.eventually(lambda: until(run_id))
    return run_id


def waits(studio: Studio) -> Callable[[str], bool]:
    return lambda run_id: studio.run(run_id).status == "WAITING"


def test_in_an_action_that_heeds_it(worked: Studio, cancel: Cancel) -> None:
    run_id = started(
        worked,
        act("first"),
        act("long", "heed", ms=60_000),
        act("never"),
        until=lambda _: "begin long" in worked.effects(),
    )
    assert canceled(worked, run_id, cancel) == [
        ("first", 1, "SUCCEEDED"),
        ("long", 1, "CANCELED"),
    ]
    assert worked.effects() == ["begin first", "end first", "begin long"]


def test_in_an_action_that_ends_all_the_same_its_success_is_kept(
    worked: Studio, cancel: Cancel
) -> None:
    run_id = started(
        worked,
        act("stubborn", ms=2_000),
        act("never"),
        until=lambda _: "begin stubborn" in worked.effects(),
    )
    assert canceled(worked, run_id, cancel) == [("stubborn", 1, "SUCCEEDED")]
    assert worked.effects() == ["begin stubborn", "end stubborn"]


@pytest.mark.parametrize("ms", [20, 300])
def test_in_a_chain_of_local_actions(worked: Studio, cancel: Cancel, ms: int) -> None:
    count = 12_000 // ms
    run_id = started(worked, *chain(count, ms=ms), until=lambda _: "end step-1" in worked.effects())
    outline = canceled(worked, run_id, cancel)
    begun = {line.split()[1] for line in worked.effects()}
    assert {step for step, _, _ in outline} == begun
    assert len(begun) < count
    assert [status for _, _, status in outline[:-1]] == ["SUCCEEDED"] * (len(outline) - 1)
    assert worked.effects()[-1].startswith("end ")


def test_in_retry_back_off(worked: Studio, cancel: Cancel) -> None:
    retried = act("flaky", fails=9) | {"retry": RETRY}
    run_id = started(
        worked,
        retried,
        act("never"),
        until=lambda run_id: bool(worked.steps(run_id, status="RETRY_SCHEDULED")),
    )
    outline = canceled(worked, run_id, cancel)
    assert {(step, attempt) for step, attempt, _ in outline} <= {("flaky", 1), ("flaky", 2)}
    assert outline[-1][2] == "CANCELED"
    assert worked.effects() == ["begin flaky"]


def test_in_a_wait(worked: Studio, cancel: Cancel) -> None:
    run_id = started(worked, wait("sleep"), act("never"), until=waits(worked))
    assert canceled(worked, run_id, cancel) == [("sleep", 1, "CANCELED")]
    assert len(worked.waits(run_id)) == 1


@pytest.mark.parametrize("waits_for", [event_wait("ask", "never-sent"), human_task("ask")])
def test_in_a_wait_for_an_event_or_a_person(
    worked: Studio, cancel: Cancel, waits_for: Step
) -> None:
    """Original 3.11, case 25, and missing from its bar: cancellation during a human task.

    The task is closed with its wait, and a catch around it does not take the cancel.
    """
    guarded = try_catch("careful", [waits_for], [act("never")])
    run_id = started(worked, act("first"), guarded, act("never-either"), until=waits(worked))
    assert canceled(worked, run_id, cancel) == [
        ("first", 1, "SUCCEEDED"),
        ("careful", 1, "CANCELED"),
        ("ask", 1, "CANCELED"),
    ]
    with worked.store.reading() as session:
        query = select(WorkflowHumanTask.status).filter_by(run_id=run_id)
        tasks = list(session.scalars(query))
    assert tasks == (["CANCELED"] if waits_for["type"] == "human.task" else [])


def test_in_a_loop(worked: Studio, cancel: Cancel) -> None:
    run_id = started(
        worked,
        loop("each", "[1, 2, 3]", act("send"), wait("sleep")) | {"onItemError": "continue"},
        act("never"),
        until=waits(worked),
    )
    assert canceled(worked, run_id, cancel) == [
        ("each", 1, "CANCELED"),
        ("send[0]", 1, "SUCCEEDED"),
        ("sleep[0]", 1, "CANCELED"),
    ]


def test_in_a_try_that_does_not_catch_it(worked: Studio, cancel: Cancel) -> None:
    run_id = started(
        worked,
        try_catch("guard", [wait("sleep")], [act("caught")]),
        act("never"),
        until=waits(worked),
    )
    assert canceled(worked, run_id, cancel) == [
        ("guard", 1, "CANCELED"),
        ("sleep", 1, "CANCELED"),
    ]
    assert worked.effects() == []


def test_in_a_try_around_an_action_that_it_stops(worked: Studio, cancel: Cancel) -> None:
    run_id = started(
        worked,
        try_catch("guard", [act("long", "heed", ms=60_000)], [act("caught")]),
        until=lambda _: "begin long" in worked.effects(),
    )
    assert canceled(worked, run_id, cancel) == [("guard", 1, "CANCELED"), ("long", 1, "CANCELED")]
    assert worked.effects() == ["begin long"]


def test_in_pure_work(worked: Studio, cancel: Cancel) -> None:
    """It has no activity that could tell it: boundaries let the cancel in."""
    body = [assign(f"add-{n}", total="thing + 1") for n in range(8)]
    of = worked.publish(loop("each", "payload.many", *body))
    run_id = worked.start(of, {"many": list(range(30_000))})
    worked.eventually(lambda: bool(worked.steps(run_id)))
    outline = canceled(worked, run_id, cancel)
    assert outline[0] == ("each", 1, "CANCELED")


def test_before_any_worker_came(studio: Studio, cancel: Cancel) -> None:
    run_id = studio.start(studio.publish(act("never")))
    cancel(studio, run_id)
    time.sleep(0.3)
    assert studio.run(run_id).status == "RUNNING"
    began = time.monotonic()
    with studio.worker():
        assert studio.ended(run_id).status == "CANCELED"
        assert time.monotonic() - began < OBSERVED_WITHIN_S
    assert studio.temporal_status(run_id) == "CANCELED"
    assert studio.steps(run_id) == []
    assert studio.effects() == []
