"""Whoever an event or a release is for is told until it has heard it, each on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.contract import ClosedWait
from engine.errors import Unavailable
from engine.services import start_by_event
from engine.services.context import Services
from engine.services.record_progress import record_progress
from engine.services.release_quota import release_paused, release_quota
from engine.services.take_quota import QuotaLimit
from engine.services.tell_paused import AGAIN_AFTER
from engine.services.tend_waits import tend_waits
from engine.services.track_wait import open_wait
from engine.store.session import Store
from engine.store.tables import (
    WorkflowEventDelivery,
    WorkflowRun,
    WorkflowRunLog,
    WorkflowRuntimeEvent,
    WorkflowRunWait,
)
from tests import builders
from tests.attempts import STARTED_AT, batch
from tests.engine_fake import FakeEngine
from tests.integration.store.events_sent import an_event_wait, close, later, opened, send, statuses
from tests.integration.store.recorded import a_wait, rows
from tests.run_cases import SOMEBODY, a_run

TRIGGER = {"type": "event", "eventName": "paid"}


def after(services: Services, **time: float) -> Services:
    now = services.now() + timedelta(**time)
    return replace(services, now=lambda: now)


@pytest.fixture
def run(store: Store, engine: FakeEngine) -> WorkflowRun:
    return a_run(store, engine)


def paused(services: Services, run: WorkflowRun) -> str:
    wait = a_wait(run, wait_id=builders.new_id(), wait_type="quota")
    open_wait(services, QuotaLimit(), wait)
    return wait.wait_id


def messages(store: Store, run: WorkflowRun) -> list[str]:
    return [line.message for line in rows(store, WorkflowRunLog) if line.run_id == run.run_id]


def test_one_workflow_that_cannot_be_started_keeps_no_other_from_it(
    services: Services, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the event is not done with before all of them are."""
    definitions = [builders.published(store, trigger=TRIGGER)[0] for _ in range(3)]
    broken = min(definitions, key=lambda of: of.workflow_id)
    start: Callable[..., Any] = start_by_event._accept

    def fails(services: Services, one: Any, event: Any) -> Any:
        if one.workflow_id == broken.workflow_id:
            raise RuntimeError("nobody thought of this")
        return start(services, one, event)

    with monkeypatch.context() as patched:
        patched.setattr(start_by_event, "_accept", fails)
        send(services)
    others = {of.workflow_id for of in definitions} - {broken.workflow_id}
    assert {run.workflow_id for run in rows(store, WorkflowRun)} == others
    [event] = rows(store, WorkflowRuntimeEvent)
    assert event.processed_at is None
    assert broken.workflow_id in event.error_message

    tend_waits(later(services), "worker")
    assert {run.workflow_id for run in rows(store, WorkflowRun)} == others | {broken.workflow_id}
    [event] = rows(store, WorkflowRuntimeEvent)
    assert event.processed_at is not None
    assert event.error_message is None


def test_an_event_that_its_workflow_never_observed_is_told_again(
    services: Services, store: Store, engine: FakeEngine, run: WorkflowRun
) -> None:
    """As where Temporal came back from an older backup."""
    wait = an_event_wait(run)
    opened(services, wait)
    event_id = send(services).event_id
    assert (statuses(store), len(engine.signals)) == (["DELIVERED"], 1)
    assert tend_waits(after(services, minutes=4), "worker") is None

    much_later = after(services, seconds=AGAIN_AFTER.total_seconds() + 1)
    tend_waits(much_later, "worker")
    assert (statuses(store), len(engine.signals)) == (["DELIVERED"], 2)
    assert tend_waits(after(much_later, seconds=20), "worker") is None
    close(services, run, wait, rows(store, WorkflowRuntimeEvent)[0].event_id)
    assert statuses(store) == ["OBSERVED"]
    assert event_id
    assert tend_waits(after(much_later, hours=1), "worker") is None


def test_a_release_that_temporal_does_not_take_is_recorded_and_told_by_a_worker(
    services: Services, store: Store, engine: FakeEngine, run: WorkflowRun
) -> None:
    wait_id = paused(services, run)
    engine.down = True
    with pytest.raises(Unavailable, match="The release is recorded"):
        release_quota(services, run.run_id, SOMEBODY)
    assert release_paused(later(services)) == 0
    [wait] = rows(store, WorkflowRunWait)
    assert (wait.status, wait.told_at) == ("WAITING", None)
    engine.down = False
    tend_waits(later(later(services)), "worker")
    assert [signal.argument["wait_id"] for signal in engine.signals] == [wait_id]
    assert messages(store, run) == [
        "Quota released by ann@example.com", "Told to ask for quota again",
    ]  # fmt: skip


def test_a_paused_run_is_told_once_and_again_only_after_five_minutes(
    services: Services, store: Store, engine: FakeEngine, run: WorkflowRun
) -> None:
    """Else a workflow that cannot answer gets a message and a line every five seconds."""
    paused(services, run)
    for _ in range(3):
        tend_waits(services := later(services), "worker")
    assert len(engine.signals) == 1
    tend_waits(after(services, minutes=5), "worker")
    assert len(engine.signals) == 2
    assert messages(store, run) == ["There is quota again: the run goes on"]
    [wait] = rows(store, WorkflowRunWait)
    assert (wait.status, wait.tellings) == ("WAITING", 2)


def test_it_is_done_when_the_workflow_has_ended_the_wait_and_not_before(
    services: Services, store: Store, engine: FakeEngine, run: WorkflowRun
) -> None:
    wait_id = paused(services, run)
    tend_waits(later(services), "worker")
    closed = ClosedWait(wait_id, "RESOLVED", STARTED_AT, {}, None)
    record_progress(services, batch(run, closed_waits=[closed]))
    assert tend_waits(after(services, hours=1), "worker") is None
    assert len(engine.signals) == 1


def test_two_workers_tell_a_release_once(
    services: Services, store: Store, engine: FakeEngine, run: WorkflowRun
) -> None:
    paused(services, run)
    passes = [tend_waits(later(services), name) for name in ("one", "two")]
    assert [done is not None for done in passes] == [True, False]
    assert len(engine.signals) == 1


def test_a_worker_that_died_after_it_told_tells_again_and_the_delivery_is_not_lost(
    services: Services,
    store: Store,
    engine: FakeEngine,
    run: WorkflowRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between Temporal's yes and our row. A signal that comes twice is one to the workflow."""
    opened(services, an_event_wait(run))

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("engine.services.tell_waits._note", dies)
        with pytest.raises(KeyboardInterrupt):
            send(services)
    assert (statuses(store), len(engine.signals)) == (["PENDING"], 1)
    tend_waits(later(services), "another")
    assert (statuses(store), len(engine.signals)) == (["DELIVERED"], 2)
    assert rows(store, WorkflowEventDelivery)[0].attempts == 1


def test_an_event_that_was_not_told_is_though_a_clock_was_ahead(
    services: Services, store: Store, engine: FakeEngine, run: WorkflowRun
) -> None:
    opened(services, an_event_wait(run))
    engine.down = True
    send(after(services, hours=1))
    engine.down = False
    tend_waits(later(services), "worker")
    assert statuses(store) == ["DELIVERED"]


def test_an_event_that_was_not_seen_to_is_though_a_clock_was_ahead(
    services: Services, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    builders.published(store, trigger=TRIGGER)

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("engine.services.deliver_event.process", dies)
        with pytest.raises(KeyboardInterrupt):
            send(after(services, hours=1))
    tend_waits(later(services), "worker")
    assert len(rows(store, WorkflowRun)) == 1


def test_a_paused_run_that_has_not_heard_is_told_again_though_a_clock_was_ahead(
    services: Services, engine: FakeEngine, run: WorkflowRun
) -> None:
    paused(services, run)
    release_paused(after(services, hours=1))
    tend_waits(later(services), "worker")
    assert len(engine.signals) == 2
