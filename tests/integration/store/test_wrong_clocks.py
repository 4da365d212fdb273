"""The reconciler, where a worker's clock was wrong (docs/rules.md 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from engine.contract import temporal_workflow_id
from engine.services.context import Services
from engine.services.reconcile_runs import reconcile
from engine.store.session import Store
from engine.store.tables import Lease
from tests.builders import NOW
from tests.engine_fake import FakeEngine
from tests.run_cases import a_run

OLD = NOW - timedelta(seconds=16)


def later(services: Services, seconds: float) -> Services:
    return replace(services, now=lambda: NOW + timedelta(seconds=seconds))


def mended(services: Services) -> dict[str, int]:
    report = reconcile(services, "me")
    assert report is not None
    return dict(report["mended"])


def test_a_run_whose_clock_was_ahead_is_not_waited_for(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, started_at=NOW + timedelta(hours=1))
    assert mended(services) == {"started": 1}
    assert engine.asked("start") == [run.run_id]


def test_an_execution_of_a_run_that_a_clock_ahead_has_ended_is_stopped(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    """And terminated a minute after a pass with a right clock has seen it."""
    ahead = NOW + timedelta(hours=1)
    run = a_run(store, engine, status="FAILED", started_at=OLD, completed_at=ahead)
    assert mended(services) == {"surplus_canceled": 1}
    with store.writing() as session:
        [lease] = session.scalars(select(Lease))
        stopping = {temporal_workflow_id(run.run_id): {"me": ahead.isoformat()}}
        lease.last_pass_json = {**lease.last_pass_json, "stopping": stopping}
    assert mended(later(services, 15)) == {}
    assert mended(later(services, 60)) == {}
    assert mended(later(services, 75)) == {"surplus_terminated": 1}


def test_a_worker_whose_clock_is_ahead_terminates_nothing_that_another_has_just_canceled(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    """It would be in the midst of ending by itself. Each counts a minute by its own clock."""
    a_run(store, engine, status="SUCCEEDED", started_at=OLD, completed_at=OLD)
    assert mended(services) == {"surplus_canceled": 1}
    for seconds in (600, 630):
        report = reconcile(later(services, seconds), "ahead")
        assert report is not None
        assert report["mended"] == {}
    report = reconcile(later(services, 661), "ahead")
    assert report is not None
    assert report["mended"] == {"surplus_terminated": 1}
