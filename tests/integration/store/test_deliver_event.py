"""Events meet waits in the store: whichever comes first, none is lost and none served twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import Invalid, TooLarge
from engine.services.context import Services
from engine.services.deliver_event import EventReceipt
from engine.services.tend_waits import tend_waits
from engine.store import event_routing
from engine.store.session import Store
from engine.store.tables import (
    AuditLog,
    WorkflowEventDelivery,
    WorkflowRun,
    WorkflowRuntimeEvent,
    WorkflowRunWait,
)
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.store.events_sent import (
    an_event_wait,
    close,
    later,
    opened,
    send,
    statuses,
)
from tests.integration.store.recorded import rows
from tests.run_cases import a_run

Wrapped = Callable[..., Any]


@pytest.fixture
def run(store: Store, engine: FakeEngine) -> WorkflowRun:
    return a_run(store, engine)


def test_an_event_and_a_wait_that_come_at_once_find_each_other(
    services: Services,
    store: Store,
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each looks for the other and, before it commits, gives it time to miss it."""
    for name in ("event_for", "waits_for"):
        monkeypatch.setattr(event_routing, name, slow(getattr(event_routing, name)))
    for number in range(4):
        run = a_run(store, engine)
        wait, answers, receipts = an_event_wait(run, key=f"k{number}"), [], []
        both = [
            threading.Thread(target=lambda w=wait, a=answers: a.append(opened(services, w))),
            threading.Thread(
                target=lambda r=receipts, k=f"k{number}": r.append(send(services, key=k))
            ),
        ]
        if number % 2:
            both.reverse()
        for thread in both:
            thread.start()
            time.sleep(0.05)
        for thread in both:
            thread.join()
        found = answers[0].event is not None
        told = [target.wait_id for target in receipts[0].targets] == [wait.wait_id]

        assert found or told, f"the event of round {number} is lost"


def slow(function: Wrapped) -> Wrapped:
    def slowly(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        time.sleep(0.15)
        return result

    return slowly


def test_the_same_id_is_stored_once_however_many_send_it(
    services: Services, store: Store, engine: FakeEngine, run: WorkflowRun
) -> None:
    opened(services, an_event_wait(run))
    receipts: list[EventReceipt] = []
    threads = [
        threading.Thread(target=lambda: receipts.append(send(services, event_id="pay-1")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(receipt.already for receipt in receipts) == [False, True, True, True]
    assert len(rows(store, WorkflowRuntimeEvent)) == 1
    assert len({receipt.targets[0].wait_id for receipt in receipts}) == 1
    assert len([row for row in rows(store, AuditLog) if row.operation == "event_send"]) == 1


def test_two_events_for_two_waits_of_a_run_serve_one_each(
    services: Services, store: Store, engine: FakeEngine, run: WorkflowRun
) -> None:
    """Items of a concurrent loop wait side by side: the one that waits longest is served first."""
    first, second = an_event_wait(run, 0), an_event_wait(run, 1)
    opened(services, first)
    opened(later(services), second)
    targets = [send(services, {"n": n}).targets[0].wait_id for n in range(2)]
    third = send(services, {"n": 3})

    assert targets == [first.wait_id, second.wait_id]
    assert third.targets == ()
    assert opened(services, an_event_wait(run, 2)).event["payload"] == {"n": 3}


def test_a_wait_that_is_opened_again_gets_the_event_it_had(
    services: Services, run: WorkflowRun
) -> None:
    """The workflow task was lost after the wait had been opened: what it had found is still its."""
    send(services, {"n": 1})
    send(later(services), {"n": 2})
    wait = an_event_wait(run)
    found = opened(services, wait).event
    close(services, run, wait, found["eventId"])

    assert opened(services, wait).event == found
    assert opened(services, an_event_wait(run, 1)).event["payload"] == {"n": 2}


def test_an_event_that_was_on_its_way_to_a_wait_that_ended_is_free_for_the_next(
    services: Services, store: Store, run: WorkflowRun
) -> None:
    wait = an_event_wait(run)
    opened(services, wait)
    sent = send(services, {"n": 1})
    assert sent.targets[0].status == "DELIVERED"
    close(services, run, wait, None)
    assert statuses(store) == ["MISSED"]

    found = opened(services, an_event_wait(run, 1)).event
    assert found["payload"] == {"n": 1}
    assert statuses(store) == ["DELIVERED"]


def test_an_event_that_its_wait_missed_goes_to_another_that_is_open(
    services: Services, store: Store, engine: FakeEngine, run: WorkflowRun
) -> None:
    """Side by side: the first ends without it, and nobody opens a wait any more."""
    first, second = an_event_wait(run, 0), an_event_wait(run, 1)
    opened(services, first)
    sent = send(services)
    opened(later(services), second)
    with store.writing() as session:
        # As it is when both happen at the same moment: the wait ends, the delivery is not seen.
        session.get_one(WorkflowRunWait, first.wait_id).status = "RESOLVED"
    tend_waits(later(services), "worker")
    tend_waits(later(later(services)), "worker")

    assert [signal.argument["wait_id"] for signal in engine.signals] == [
        first.wait_id,
        second.wait_id,
    ]
    assert sent.targets[0].wait_id == first.wait_id
    assert statuses(store) == ["DELIVERED"]


@pytest.mark.parametrize("sent", ["before", "after"])
def test_an_event_whose_wait_ends_without_it_goes_to_another_that_is_open(
    services: Services, store: Store, engine: FakeEngine, run: WorkflowRun, sent: str
) -> None:
    """A time-out that comes with the event; `sent`: before or after the other wait was opened."""
    first, second = an_event_wait(run, 0), an_event_wait(run, 1)
    opened(services, first)
    if sent == "before":
        send(services)
        opened(later(services), second)
    else:
        opened(later(services), second)
        send(services)
    close(services, run, first, None)
    tend_waits(later(services), "worker")

    assert [signal.argument["wait_id"] for signal in engine.signals] == [
        first.wait_id,
        second.wait_id,
    ]
    assert statuses(store) == ["DELIVERED"]


def test_an_event_that_ended_its_wait_after_all_is_taken_back_from_the_other(
    services: Services, store: Store, engine: FakeEngine, run: WorkflowRun
) -> None:
    """A workflow task that was lost had let it go."""
    first, second = an_event_wait(run, 0), an_event_wait(run, 1)
    opened(services, first)
    opened(later(services), second)
    send(services)
    close(services, run, first, None)
    [event] = rows(store, WorkflowRuntimeEvent)
    close(services, run, first, event.event_id)
    tend_waits(later(services), "worker")

    [delivery] = rows(store, WorkflowEventDelivery)
    assert (delivery.status, delivery.wait_id) == ("OBSERVED", first.wait_id)
    assert [signal.argument["wait_id"] for signal in engine.signals] == [first.wait_id]


def test_what_temporal_does_not_take_is_told_again_by_a_worker(
    services: Services, store: Store, engine: FakeEngine, run: WorkflowRun
) -> None:
    opened(services, an_event_wait(run))
    engine.down = True
    assert [target.status for target in send(services).targets] == ["PENDING"]
    assert tend_waits(services, "too early") is None
    tend_waits(later(services), "still down")
    [row] = rows(store, WorkflowEventDelivery)
    assert (row.status, row.attempts) == ("PENDING", 2)
    engine.down = False
    tend_waits(later(later(services)), "worker")

    [row] = rows(store, WorkflowEventDelivery)
    assert (row.status, row.attempts, row.last_error) == ("DELIVERED", 3, None)
    assert tend_waits(later(later(later(services))), "nothing to do") is None
    assert len(engine.signals) == 1


def test_an_event_that_was_stored_and_not_seen_to_is_seen_to_by_a_worker(
    services: Services, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process died between the two."""
    of, _ = builders.published(store, "greet", trigger={"type": "event", "eventName": "paid"})

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("engine.services.deliver_event.process", dies)
        with pytest.raises(KeyboardInterrupt):
            send(services)
    assert rows(store, WorkflowRun) == []
    for _ in range(2):
        tend_waits(later(services), "worker")
    [started] = rows(store, WorkflowRun)
    assert started.workflow_id == of.workflow_id


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": " "}, "name"),
        ({"name": "n\0"}, "name"),
        ({"name": "n" * 201}, "name"),
        ({"key": "k\0"}, "key"),
        ({"event_id": "\ud800"}, "id"),
        ({"payload": {"n": float("inf")}}, "/n"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    services: Services, store: Store, fields: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        send(services, **fields)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
    assert rows(store, WorkflowRuntimeEvent) == []


def test_a_payload_above_the_limit_is_refused(services: Services) -> None:
    with pytest.raises(TooLarge):
        send(services, {"text": "x" * 600_000})
