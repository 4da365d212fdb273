"""A pass of the reconciler: its lease, and what it forgets (docs/rules.md 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.runs.payload import Payload
from engine.services import reconcile_runs
from engine.services.context import Services
from engine.services.launch_run import LaunchRequest, launch_published_workflow_run
from engine.services.reconcile_runs import reconcile
from engine.store.session import Store
from engine.store.tables import LaunchToken
from tests import builders
from tests.builders import NOW
from tests.engine_fake import FakeEngine
from tests.run_cases import SOMEBODY, a_run, row

OLD = NOW - timedelta(seconds=16)


def later(services: Services, seconds: float) -> Services:
    return replace(services, now=lambda: NOW + timedelta(seconds=seconds))


def mended(services: Services) -> dict[str, int]:
    report = reconcile(services, "me")
    assert report is not None
    return dict(report["mended"])


def test_a_pass_that_lost_its_lease_mends_no_more(
    store: Store, engine: FakeEngine, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_run(store, started_at=OLD)
    monkeypatch.setattr(reconcile_runs, "_RENEW_EVERY_S", 0)
    monkeypatch.setattr(reconcile_runs.leases, "renew", lambda *_, **__: False)
    assert mended(services) == {}
    assert engine.asked("start") == []


def test_a_worker_that_was_killed_in_a_pass_delays_the_next_by_two_at_most(
    store: Store, services: Services
) -> None:
    run = a_run(store, started_at=OLD)
    taken = reconcile_runs.leases.take(
        services, "reconciler", "killed", held_for=reconcile_runs.LEASE_FOR, every=timedelta(0)
    )
    assert taken is not None
    assert reconcile(later(services, 15), "me") is None
    assert reconcile(later(services, 31), "me") is not None
    assert row(store, run).temporal_run_id is not None


def test_used_tokens_are_forgotten_after_a_week_and_still_start_nothing_twice(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    builders.published(store, "greet")
    request = LaunchRequest("greet", Payload({}), SOMEBODY, token="old-form")
    first = launch_published_workflow_run(services, request)
    next_week = later(services, 8 * 86_400)
    reconcile(next_week, "me")
    with store.reading() as session:
        assert session.get(LaunchToken, "old-form") is None
    again = launch_published_workflow_run(next_week, request)
    assert (again.run_id, again.already) == (first.run_id, True)
