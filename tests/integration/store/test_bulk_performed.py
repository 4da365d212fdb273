"""A started bulk operation is done once, whatever happens to the workers that do it."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from sqlalchemy import select

from engine.errors import Conflict
from engine.runs.status import RunStatus
from engine.services.context import Actor, Limits, Services
from engine.services.draft_bulk import draft_selected
from engine.services.follow_bulk import BulkView, follow_bulk, receipts
from engine.services.perform_bulk import perform_bulk
from engine.services.start_bulk import start_bulk, stop_bulk
from engine.store.bulk import BulkKind, BulkOperation
from engine.store.session import Store
from engine.store.tables import AuditLog, WorkflowDefinition, WorkflowRun
from tests import builders, bulk
from tests.engine_fake import FakeEngine


class Killed(BaseException):
    """The process that did it is gone."""


@pytest.fixture
def clock() -> bulk.Clock:
    return bulk.Clock()


@pytest.fixture
def services(store: Store, engine: FakeEngine, clock: bulk.Clock) -> Services:
    return builders.services(store, gateway=engine, now=clock)


@pytest.fixture
def ann(store: Store) -> Actor:
    return bulk.somebody(store)


def seen(services: Services, bulk_id: str) -> BulkView:
    with services.store.reading() as session:
        return follow_bulk(session, bulk_id, services.now())


def per_item(store: Store, operation: str) -> Counter[str | None]:
    """How often it was audited, by run (of a replay: by the new run)."""
    with store.reading() as session:
        rows = session.scalars(select(AuditLog).where(AuditLog.operation == operation))
        return Counter(row.record_id for row in rows)


def test_a_cancel_is_delivered_to_each_and_what_has_ended_is_skipped(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    runs = bulk.open_runs(store, engine, 3)
    [ended] = bulk.ended_runs(store, 1)
    bulk_id = bulk.started(services, "cancel", ann, [*runs, ended])
    assert engine.calls == []
    assert bulk.work_off(services) == 4
    assert bulk.states(store, bulk_id) == ["DONE", "DONE", "DONE", "SKIPPED"]
    assert engine.asked("cancel") == [f"run-{run_id}" for run_id in runs]
    last = bulk.items(store, bulk_id)[-1]
    assert (last.code, last.message) == ("RUN_ENDED", "The run has ended: it is FAILED.")
    assert bulk.operation(store, bulk_id).status == "DONE"
    assert per_item(store, "workflow_run_cancel") == Counter([*runs, ended])
    with store.reading() as session:
        row = session.get_one(WorkflowRun, runs[0])
        assert (row.cancel_reason, row.cancel_requested_by) == ("tidying up", ann.operator_id)
        audit = session.scalars(
            select(AuditLog).where(
                AuditLog.operation == "workflow_run_cancel", AuditLog.record_id == runs[0]
            )
        ).one()
    assert audit.details_json["bulkId"] == bulk_id
    assert audit.operator_email == ann.email


def test_receipts_claim_only_what_was_seen(
    store: Store, engine: FakeEngine, services: Services, ann: Actor, clock: bulk.Clock
) -> None:
    [run_id] = bulk.open_runs(store, engine, 1)
    bulk_id = bulk.started(services, "cancel", ann, [run_id])
    clock.forward(1)
    bulk.work_off(services)
    view = seen(services, bulk_id)
    with store.reading() as session:
        [receipt] = receipts(session, view)
    assert receipt.requested_at == receipt.delivered_at == clock()
    assert (receipt.observed_at, receipt.status) == (None, RunStatus.RUNNING)
    assert (view.awaited, view.is_over) == (1, False)
    clock.forward(5)
    with store.writing() as session:
        row = session.get_one(WorkflowRun, run_id)
        row.status, row.completed_at = "CANCELED", clock()
    after = seen(services, bulk_id)
    with store.reading() as session:
        [receipt] = receipts(session, after)
    assert (receipt.observed_at, receipt.status) == (clock(), RunStatus.CANCELED)
    assert (after.awaited, after.is_over) == (0, True)
    assert after.tag != view.tag


def test_each_replay_is_one_new_run_with_its_own_payload(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    runs = bulk.ended_runs(store, 3)
    bulk_id = bulk.started(services, "replay", ann, runs)
    bulk.work_off(services)
    assert bulk.states(store, bulk_id) == ["DONE"] * 3
    assert bulk.replays(store) != []
    with store.reading() as session:
        for item in bulk.items(store, bulk_id):
            assert item.new_run_id is not None
            new = session.get_one(WorkflowRun, item.new_run_id)
            old = session.get_one(WorkflowRun, item.run_id)
            assert new.replay_of_run_id == old.run_id
            assert new.input_json == old.input_json
            assert new.reason == "tidying up"
            receipt = receipts(session, seen(services, bulk_id))[item.position]
            assert (receipt.delivered_at, receipt.observed_at) == (new.started_at, None)


@pytest.mark.parametrize("kind", ["cancel", "replay"])
@pytest.mark.parametrize("call", [0, 1, 2])
def test_a_worker_killed_between_items_leaves_the_rest_to_another(
    store: Store,
    engine: FakeEngine,
    services: Services,
    ann: Actor,
    clock: bulk.Clock,
    kind: str,
    call: int,
) -> None:
    make = bulk.open_runs(store, engine, 3) if kind == "cancel" else bulk.ended_runs(store, 3)
    bulk_id = bulk.started(services, kind, ann, make)
    calls = iter(range(10))

    def kill(name: str) -> None:
        if next(calls) == call:
            raise Killed

    engine.before = kill
    with pytest.raises(Killed):
        perform_bulk(services, "worker-1")
    engine.before = lambda name: None
    with store.writing() as session:  # a killed one gives no lease back
        row = session.get_one(BulkOperation, bulk_id)
        row.lease_owner, row.lease_expires_at = "worker-1", clock.at.replace(minute=31)
    assert perform_bulk(services, "worker-2") is None
    clock.forward(120)
    bulk.work_off(services, "worker-2")
    assert bulk.states(store, bulk_id) == ["DONE"] * 3
    if kind == "replay":
        assert sorted(map(str, bulk.replays(store))) == sorted(make)
        assert len(set(engine.asked("start"))) == 3
    else:
        assert per_item(store, "workflow_run_cancel") == Counter(make)
        assert set(engine.asked("cancel")) == {f"run-{run_id}" for run_id in make}


def test_two_workers_at_once_do_each_item_once(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    runs = bulk.ended_runs(store, 12)
    bulk_ids = [
        bulk.started(services, "replay", ann, runs[:6]),
        bulk.started(services, "replay", ann, runs[6:]),
    ]
    failures: list[BaseException] = []

    def work(owner: str) -> None:
        try:
            for _ in range(6):
                bulk.work_off(services, owner)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=[f"worker-{n}"]) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bulk.work_off(services)
    assert failures == []
    assert [bulk.states(store, bulk_id) for bulk_id in bulk_ids] == [["DONE"] * 6] * 2
    assert sorted(map(str, bulk.replays(store))) == sorted(runs)
    assert len(engine.asked("start")) == 12


def test_temporal_away_holds_it_and_loses_nothing(
    store: Store, engine: FakeEngine, services: Services, ann: Actor, clock: bulk.Clock
) -> None:
    bulk_id = bulk.started(services, "replay", ann, bulk.ended_runs(store, 2))
    engine.down = True
    assert perform_bulk(services, "worker-1") == 0
    view = seen(services, bulk_id)
    assert (view.held_because, view.left) == ("Temporal does not answer.", 2)
    assert perform_bulk(services, "worker-1") is None
    engine.down = False
    clock.forward(6)
    bulk.work_off(services)
    assert bulk.states(store, bulk_id) == ["DONE", "DONE"]
    assert seen(services, bulk_id).held_because is None


def test_a_launch_that_fails_is_said_with_the_run_it_left(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    bulk_id = bulk.started(services, "replay", ann, bulk.ended_runs(store, 1))

    def away(name: str) -> None:
        engine.down = name == "start"

    engine.before = away
    perform_bulk(services, "worker-1")
    [item] = bulk.items(store, bulk_id)
    assert (item.state, item.code) == ("FAILED", "TEMPORAL_UNAVAILABLE")
    assert item.new_run_id is not None
    with store.reading() as session:
        assert session.get_one(WorkflowRun, item.new_run_id).status == "FAILED"


def test_a_limit_makes_the_rest_wait_and_says_which(
    store: Store, engine: FakeEngine, ann: Actor, clock: bulk.Clock
) -> None:
    limits = Limits(launches_per_minute=2)
    services = builders.services(store, gateway=engine, now=clock, limits=limits)
    bulk_id = bulk.started(services, "replay", ann, bulk.ended_runs(store, 3))
    perform_bulk(services, "worker-1")
    assert bulk.states(store, bulk_id) == ["DONE", "DONE", "PENDING"]
    view = seen(services, bulk_id)
    assert view.held_because is not None
    assert view.held_until is not None
    clock.forward(121)
    bulk.work_off(services)
    assert bulk.states(store, bulk_id) == ["DONE"] * 3


def test_who_may_not_any_more_has_the_rest_skipped(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    bulk_id = bulk.started(services, "cancel", ann, bulk.open_runs(store, engine, 2))
    bulk.set_role(store, ann, "viewer")
    bulk.work_off(services)
    assert bulk.states(store, bulk_id) == ["SKIPPED"] * 2
    assert engine.asked("cancel") == []
    assert bulk.operation(store, bulk_id).status == "DONE"


def test_stopping_leaves_out_what_has_not_had_its_turn(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    bulk_id = bulk.started(services, "cancel", ann, bulk.open_runs(store, engine, 3))
    assert stop_bulk(services, bulk_id, ann) == 3
    assert bulk.work_off(services) == 0
    assert bulk.operation(store, bulk_id).status == "DONE"
    assert {item.code for item in bulk.items(store, bulk_id)} == {"STOPPED"}
    assert engine.calls == []
    with pytest.raises(Conflict):
        stop_bulk(services, bulk_id, ann)


def test_what_changed_since_the_dry_run_is_skipped_in_words(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    runs = bulk.ended_runs(store, 1)
    bulk_id = draft_selected(services, BulkKind.REPLAY, ann, runs)
    start_bulk(services, bulk_id, ann, "tidying up")
    with store.writing() as session:
        of = session.get_one(WorkflowRun, runs[0]).workflow_id
        session.get_one(WorkflowDefinition, of).is_paused = True
    bulk.work_off(services)
    [item] = bulk.items(store, bulk_id)
    assert (item.state, item.code) == ("SKIPPED", "WORKFLOW_PAUSED")
    assert "paused" in str(item.message)


def test_a_run_that_is_deleted_leaves_its_receipt(
    store: Store, engine: FakeEngine, services: Services, ann: Actor
) -> None:
    [run_id] = bulk.open_runs(store, engine, 1)
    bulk_id = bulk.started(services, "cancel", ann, [run_id])
    bulk.work_off(services)
    with store.writing() as session:
        session.delete(session.get_one(WorkflowRun, run_id))
    view = seen(services, bulk_id)
    with store.reading() as session:
        [receipt] = receipts(session, view)
    assert (receipt.run_id, receipt.status, view.is_over) == (run_id, None, True)
