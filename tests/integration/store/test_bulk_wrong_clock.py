"""A worker whose clock is ahead, and dies with a bulk operation in its hands."""

from __future__ import annotations

from datetime import timedelta

from engine.store.bulk import BulkOperation
from engine.store.session import Store
from tests import builders, bulk
from tests.engine_fake import FakeEngine


def test_times_from_a_clock_that_was_ahead_keep_nobody_waiting(
    store: Store, engine: FakeEngine
) -> None:
    services = builders.services(store, gateway=engine)
    runs = bulk.open_runs(store, engine, 1)
    bulk_id = bulk.started(services, "cancel", bulk.somebody(store), runs)
    with store.writing() as session:
        row = session.get_one(BulkOperation, bulk_id)
        row.lease_owner, row.lease_expires_at = "worker-1", builders.NOW + timedelta(minutes=11)
        row.held_until = builders.NOW + timedelta(minutes=10)

    bulk.work_off(services, "worker-2")

    assert bulk.states(store, bulk_id) == ["DONE"]
