"""A child run's row: whose it is, that an attempt has one only, and what refuses it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.contract import Batch, Guard, temporal_workflow_id
from engine.contract_children import LaunchChild
from engine.runs.status import RunStatus
from engine.services.context import Services
from engine.services.end_run import close_run
from engine.services.launch_child import launch_child
from engine.services.reconcile_runs import reconcile
from engine.store.logs import LogSource
from engine.store.session import Store
from engine.store.tables import WorkflowRun
from tests import builders
from tests.builders import NOW
from tests.engine_fake import FakeEngine
from tests.run_cases import a_run, row

OLD = NOW - timedelta(seconds=16)


def wanted(parent: WorkflowRun, key: str, **fields: Any) -> LaunchChild:
    defaults: dict[str, Any] = {
        "run_id": parent.run_id,
        "batch": Batch(parent.run_id, Guard(0, 3, 1, 0)),
        "path": "root.steps[0].body.steps[0]",
        "iter": [2],
        "attempt": 1,
        "workflow_key": key,
        "workflow_version": 1,
        "payload": {"n": 1},
    }
    return LaunchChild(**defaults | fields)


def a_target(store: Store, **fields: Any) -> str:
    of, _ = builders.published(store, f"target-{builders.new_id()}", **fields)
    assert of.key is not None
    return of.key


def rows_of(store: Store, parent: WorkflowRun) -> list[WorkflowRun]:
    with store.reading() as session:
        found = select(WorkflowRun).where(WorkflowRun.parent_run_id == parent.run_id)
        return list(session.scalars(found))


def test_the_same_attempt_always_gets_the_same_run(store: Store, services: Services) -> None:
    parent, key = a_run(store, claimed_by="e"), a_target(store)
    asked = wanted(parent, key)
    first, again = launch_child(services, asked), launch_child(services, asked)
    other = [
        launch_child(services, replace(asked, **{name: value})).child_run_id  # type: ignore[arg-type]
        for name, value in (("attempt", 2), ("iter", [3]), ("path", "root.steps[1]"))
    ]
    assert first.child_run_id == again.child_run_id is not None
    assert len({first.child_run_id, *other}) == 4
    assert len(rows_of(store, parent)) == 4


def test_a_grandchild_knows_its_parent_and_the_root(store: Store, services: Services) -> None:
    root = a_run(store, claimed_by="e")
    middle = a_run(store, claimed_by="e", parent_run_id=root.run_id, root_run_id=root.run_id)
    launched = launch_child(services, wanted(middle, a_target(store)))
    assert launched.root_run_id == root.run_id
    (child,) = rows_of(store, middle)
    assert (child.run_id, child.root_run_id) == (launched.child_run_id, root.run_id)
    assert child.temporal_workflow_id == temporal_workflow_id(child.run_id)
    assert (child.status, child.claimed_by, child.input_json) == ("RUNNING", None, {"n": 1})
    assert child.trigger_metadata_json == {
        "parentRunId": middle.run_id,
        "rootRunId": root.run_id,
        "parentStepPath": "root.steps[0].body.steps[0]",
    }


def test_a_run_that_has_ended_calls_nobody(store: Store, services: Services) -> None:
    parent = a_run(store, status="CANCELED", claimed_by="e")
    assert launch_child(services, wanted(parent, a_target(store))).run_over
    assert rows_of(store, parent) == []


@pytest.mark.parametrize(
    ("fields", "category", "code"),
    [
        ({"status": "draft"}, "ActionError", "WORKFLOW_NOT_PUBLISHED"),
        ({"is_paused": True}, "TransientError", "WORKFLOW_PAUSED"),
        ({"concurrency_limit": 0}, "TransientError", "CONCURRENCY_LIMIT"),
    ],
)
def test_a_refusal_is_data_and_makes_no_run(
    store: Store, services: Services, fields: dict[str, Any], category: str, code: str
) -> None:
    parent = a_run(store, claimed_by="e")
    launched = launch_child(services, wanted(parent, a_target(store, **fields)))
    assert launched.cause is not None
    assert (launched.cause["category"], launched.cause["code"]) == (category, code)
    assert (launched.child_run_id, rows_of(store, parent)) == (None, [])


@pytest.mark.parametrize(
    ("asked", "category", "code"),
    [
        ({"workflow_key": "nobody"}, "ActionError", "WORKFLOW_NOT_FOUND"),
        ({"workflow_version": 7}, "ActionError", "VERSION_NOT_FOUND"),
        ({"payload": {"x": "x" * 600_000}}, "ValidationError", "PAYLOAD_TOO_LARGE"),
        ({"payload": {"x": "a\0b"}}, "ValidationError", None),
    ],
)
def test_what_cannot_be_called_is_refused(
    store: Store, services: Services, asked: dict[str, Any], category: str, code: str | None
) -> None:
    parent, key = a_run(store, claimed_by="e"), a_target(store)
    launched = launch_child(services, replace(wanted(parent, key), **asked))
    assert launched.cause is not None
    assert launched.cause["category"] == category
    assert code in (None, launched.cause["code"])
    assert rows_of(store, parent) == []


def test_a_child_that_was_never_started_ends_with_its_parent(
    store: Store, services: Services
) -> None:
    parent = a_run(store, claimed_by="e")
    launched = launch_child(services, wanted(parent, a_target(store)))
    claimed = a_run(store, claimed_by="f", parent_run_id=parent.run_id)
    with store.writing() as session:
        assert close_run(
            session, parent.run_id, RunStatus.FAILED, {"message": "no"}, NOW, LogSource.RUNTIME
        )
    by_id = {child.run_id: child for child in rows_of(store, parent)}
    unborn = by_id[str(launched.child_run_id)]
    assert (unborn.status, unborn.error_json["code"]) == ("CANCELED", "PARENT_ENDED")
    assert by_id[claimed.run_id].status == "RUNNING"


def test_the_reconciler_leaves_a_child_to_its_parent_and_settles_it_afterwards(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    parent = a_run(store, engine, claimed_by="e", started_at=OLD)
    child = a_run(store, parent_run_id=parent.run_id, started_at=OLD)
    ended = a_run(store, status="FAILED", started_at=OLD)
    orphan = a_run(store, parent_run_id=ended.run_id, started_at=OLD)
    report = reconcile(services, "me")
    assert report is not None
    assert report["mended"] == {"CANCELED": 1}
    assert engine.asked("start") == []
    assert (row(store, child).status, row(store, orphan).status) == ("RUNNING", "CANCELED")
    assert row(store, orphan).error_json["code"] == "PARENT_ENDED"
