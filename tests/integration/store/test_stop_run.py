"""Stopping a run without its workflow: when it is allowed, and what it closes (docs/rules.md 5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.contract import temporal_workflow_id
from engine.errors import Conflict, Unavailable
from engine.services.cancel_run import CancelOutcome, cancel_run
from engine.services.context import Services
from engine.store.session import Store
from engine.store.tables import (
    WorkflowRun,
    WorkflowRunStep,
    WorkflowRunWait,
)
from tests import builders
from tests.builders import NOW
from tests.engine_fake import FakeEngine
from tests.run_cases import SOMEBODY, a_run, audits, row, worker


def test_stopping_is_refused_while_a_worker_lives_and_a_cancel_is_young(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, engine, claimed_by="e")
    worker(store)
    for ago in (None, 29):
        asked = None if ago is None else NOW - timedelta(seconds=ago)
        with store.writing() as session:
            session.get_one(WorkflowRun, run.run_id).cancel_requested_at = asked
        with pytest.raises(Conflict) as caught:
            cancel_run(services, run.run_id, SOMEBODY, "why", force=True)
        assert caught.value.code == "STOP_TOO_EARLY"
    assert engine.asked("terminate") == []
    assert row(store, run).status == "RUNNING"
    assert {name for name, _ in audits(store)} == {"workflow_run_cancel failed"}


def test_stopping_is_allowed_after_30_s_unobserved(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, engine, claimed_by="e", cancel_requested_at=NOW - timedelta(seconds=30))
    worker(store)
    receipt = cancel_run(services, run.run_id, SOMEBODY, "why", force=True)
    assert receipt.outcome is CancelOutcome.STOPPED
    after = row(store, run)
    assert after.status == "CANCELED"
    assert "stopped without clean-up" in after.error_json["message"]
    assert engine.asked("terminate") == [temporal_workflow_id(run.run_id)]


@pytest.mark.parametrize("seen_ago_s", [None, 21, 3600])
def test_stopping_is_allowed_at_once_where_no_worker_lives(
    store: Store, engine: FakeEngine, services: Services, seen_ago_s: float | None
) -> None:
    run = a_run(store, engine, status="WAITING", claimed_by="e")
    if seen_ago_s is not None:
        worker(store, seen_ago_s=seen_ago_s)
    cancel_run(services, run.run_id, SOMEBODY, "why", force=True)
    after = row(store, run)
    assert (after.status, after.cancel_requested_at) == ("CANCELED", NOW)


def test_stopping_ends_children_and_their_children_too(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    parent = a_run(store, engine, claimed_by="e")
    child = a_run(store, engine, claimed_by="e", parent_run_id=parent.run_id)
    ended = a_run(store, status="SUCCEEDED", parent_run_id=parent.run_id)
    grandchild = a_run(store, engine, claimed_by="e", parent_run_id=ended.run_id)
    stranger = a_run(store, engine, claimed_by="e")
    builders.save(store, builders.step(child, "STARTED"), builders.wait(grandchild))
    cancel_run(services, parent.run_id, SOMEBODY, "why", force=True)
    assert [row(store, run).status for run in (parent, child, grandchild, ended, stranger)] == [
        "CANCELED",
        "CANCELED",
        "CANCELED",
        "SUCCEEDED",
        "RUNNING",
    ]
    assert len(engine.asked("terminate")) == 3
    with store.reading() as session:
        assert session.scalars(select(WorkflowRunStep.status)).all() == ["CANCELED"]
        assert session.scalars(select(WorkflowRunWait.status)).all() == ["CANCELED"]


def test_stopping_while_temporal_is_away_closes_nothing_and_says_so(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, engine, claimed_by="e")
    engine.down = True
    with pytest.raises(Unavailable):
        cancel_run(services, run.run_id, SOMEBODY, "why", force=True)
    after = row(store, run)
    assert (after.status, after.cancel_requested_at) == ("RUNNING", NOW)
