"""How events come to runs on a real Temporal: once each, also late, twice, or to many at once."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import Client

from engine.contract_waits import SIGNAL_EVENT, EventSignal
from engine.durable.messages import wait_id
from engine.durable.wire import pack
from engine.interpreter.host import StepPlace
from engine.services.tell_waits import OLD_ENOUGH, tell_again
from engine.store.events import DeliveryStatus
from engine.store.tables import WorkflowDefinition
from tests import builders
from tests.steps import assign, loop, wait
from tests.studio import Studio
from tests.waiting import (
    answer,
    deliveries,
    event_wait,
    human_task,
    name,
    open_wait_of,
    send,
    written,
)

pytestmark = pytest.mark.temporal


def test_the_same_event_again_changes_nothing(worked: Studio) -> None:
    """Missing from the original's bar: duplicate signals. Also one that Temporal brings twice."""
    event = name()
    run_id = worked.start(
        worked.publish(event_wait("one", event), event_wait("two", event, timeoutMs=700))
    )
    waiting = open_wait_of(worked, run_id)
    first = send(worked, event, payload={"n": 1}, event_id="same")
    worked.eventually(lambda: len(worked.waits(run_id)) == 2)
    again = send(worked, event, payload={"n": 1}, event_id="same")
    for _ in range(2):
        by_hand(worked, run_id, EventSignal(waiting, first.event_id, event, {"n": 1}))
    run = worked.ended(run_id)

    assert (first.already, again.already) == (False, True)
    assert [t.wait_id for t in again.targets] == [t.wait_id for t in first.targets] == [waiting]
    assert run.error_json["nodePath"] == "root.steps[1]", "the second wait was served too"


def by_hand(studio: Studio, run_id: str, signal: Any) -> None:
    async def tell(client: Client) -> None:
        argument = pack(signal) if isinstance(signal, EventSignal) else signal
        await studio.handle(client, run_id).signal(SIGNAL_EVENT, argument)

    studio.ask(tell)


def test_of_two_events_that_come_in_one_task_the_first_counts(studio: Studio) -> None:
    event = name()
    with studio.worker():
        run_id = studio.start(studio.publish(event_wait("one", event), assign("n", n="event.n")))
        waiting = open_wait_of(studio, run_id)
    for number in range(2):
        by_hand(studio, run_id, EventSignal(waiting, builders.new_id(), event, {"n": number}))
    with studio.worker():
        assert studio.ended(run_id).status == "SUCCEEDED"
    assert written(studio, run_id, "n") == {"n": 0}


def test_a_signal_that_comes_before_its_wait_is_kept_for_it(worked: Studio) -> None:
    """As after a reset in Temporal, which brings the signals again before the waits."""
    event = name()
    run_id = worked.start(worked.publish(wait("first", 400), event_wait("one", event)))
    place = StepPlace(2, "one", "root.steps[1]", (), "event.wait")
    signal = EventSignal(wait_id(run_id, place, "event"), builders.new_id(), event, {"n": 1})
    by_hand(worked, run_id, signal)
    run = worked.ended(run_id)

    assert run.status == "SUCCEEDED", run.error_json
    assert worked.waits(run_id)[-1].payload["matchedEventId"] == signal.event_id


@pytest.mark.parametrize("nonsense", [None, 5, "text", [], {}, {"wait_id": 3}])
def test_a_signal_that_is_no_event_is_passed_over(worked: Studio, nonsense: Any) -> None:
    event = name()
    run_id = worked.start(worked.publish(event_wait("one", event)))
    open_wait_of(worked, run_id)
    by_hand(worked, run_id, nonsense)
    send(worked, event)
    assert worked.ended(run_id).status == "SUCCEEDED"


def test_items_of_a_concurrent_loop_each_get_an_event(worked: Studio) -> None:
    """Side by side and for the same event: none gets two, none is left over."""
    event = name()
    each = loop("each", "[1..4]", event_wait("wait", event), assign("note", n="vars.event.n"))
    run_id = worked.start(worked.publish(each | {"concurrency": 4}))
    worked.eventually(lambda: len(worked.waits(run_id)) == 4)
    worked.eventually(lambda: worked.run(run_id).status == "WAITING")
    for number in range(4):
        assert len(send(worked, event, payload={"n": number}).targets) == 1
    assert worked.ended(run_id).status == "SUCCEEDED"
    notes = worked.steps(run_id, definition_step_id="note")

    assert sorted(step.output_json["vars.n"] for step in notes) == [0, 1, 2, 3]
    assert {status for status, _ in deliveries(worked, run_id)} == {DeliveryStatus.OBSERVED}


def test_an_event_that_temporal_could_not_be_told_of_arrives_when_it_is_back(
    worked: Studio,
) -> None:
    """Acknowledged only when it was done: until then it is PENDING, and a worker tells it again."""
    event = name()
    run_id = worked.start(worked.publish(event_wait("one", event)))
    open_wait_of(worked, run_id)
    away = Studio("127.0.0.1:1", worked.store, worked.effects_file)
    try:
        receipt = send(away, event)
    finally:
        away.close()
    assert [target.status for target in receipt.targets] == ["PENDING"]
    assert worked.run(run_id).status == "WAITING"
    tell_again(worked.services, worked.services.now() + 2 * OLD_ENOUGH)
    assert worked.ended(run_id).status == "SUCCEEDED"


def test_an_event_starts_a_run_that_is_executed(worked: Studio) -> None:
    """Once for its id; `event` is all that the mapping sees."""
    event = name()
    mapping = {"who": {"$expr": "event.payload.name & '@' & event.correlationKey"}}
    trigger = {"type": "event", "eventName": event, "payloadMapping": mapping}
    of = worked.publish(assign("seen", it="payload.who"), trigger=trigger)
    with worked.store.writing() as session:
        session.get_one(WorkflowDefinition, of.workflow_id).trigger = trigger
    first = send(worked, event, "k", {"name": "ada"}, event_id=f"{event}-1")
    again = send(worked, event, "k", {"name": "ada"}, event_id=f"{event}-1")
    (run_id,) = first.started_runs

    assert again.started_runs == (run_id,)
    run = worked.ended(run_id)
    assert (run.status, run.trigger_type) == ("SUCCEEDED", "event")
    assert written(worked, run_id, "seen") == {"it": "ada@k"}


def test_on_postgresql_events_tasks_and_quota_work_too(on_postgres: Studio) -> None:
    event = name()
    run_id = on_postgres.start(
        on_postgres.publish(
            event_wait("one", event, "payload.k"),
            event_wait("two", event),
            human_task("ask"),
            assign("end", ok="vars.event.ok"),
        ),
        {"k": "k"},
    )
    open_wait_of(on_postgres, run_id)
    send(on_postgres, event, "k", {"n": 1})
    send(on_postgres, event, "any", {"n": 2})
    on_postgres.eventually(lambda: len(on_postgres.waits(run_id)) == 3)
    answer(on_postgres, open_wait_of(on_postgres, run_id), {"ok": True})
    run = on_postgres.ended(run_id)

    assert run.status == "SUCCEEDED", run.error_json
    assert written(on_postgres, run_id, "end") == {"ok": True}
