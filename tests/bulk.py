"""Bulk operations in the state that a test needs, and what became of them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from engine.contract import temporal_workflow_id
from engine.services.context import Actor, Services
from engine.services.draft_bulk import draft_selected
from engine.services.perform_bulk import perform_bulk
from engine.services.start_bulk import start_bulk
from engine.store.bulk import BulkItem, BulkKind, BulkOperation
from engine.store.session import Store
from engine.store.tables import Operator, WorkflowRun
from tests import builders
from tests.engine_fake import FakeEngine


class Clock:
    """The clock of the services; a test moves it."""

    def __init__(self) -> None:
        self.at = builders.NOW

    def __call__(self) -> object:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def somebody(store: Store, role: str = "operator") -> Actor:
    operator = builders.operator(role)
    builders.save(store, operator)
    return Actor(operator.operator_id, operator.email)


def open_runs(store: Store, engine: FakeEngine, count: int, **fields: object) -> list[str]:
    """Of one workflow, each executed by Temporal; the newest first."""
    of, _ = builders.published(store)
    runs = [
        builders.run(of, claimed_by="x", started_at=builders.NOW - timedelta(seconds=n), **fields)
        for n in range(count)
    ]
    builders.save(store, *runs)
    for run in runs:
        engine.put(temporal_workflow_id(run.run_id))
    return [run.run_id for run in runs]


def ended_runs(store: Store, count: int, **fields: object) -> list[str]:
    of, _ = builders.published(store)
    runs = [
        builders.run(
            of,
            "FAILED",
            started_at=builders.NOW - timedelta(seconds=n),
            input_json={"n": n},
            **fields,
        )
        for n in range(count)
    ]
    builders.save(store, *runs)
    return [run.run_id for run in runs]


def started(services: Services, kind: str, actor: Actor, run_ids: list[str]) -> str:
    bulk_id = draft_selected(services, BulkKind(kind), actor, run_ids)
    assert start_bulk(services, bulk_id, actor, "tidying up")
    return bulk_id


def work_off(services: Services, owner: str = "worker-1", passes: int = 50) -> int:
    """As a worker does, pass after pass, until there is nothing to do."""
    settled = 0
    for _ in range(passes):
        done = perform_bulk(services, owner)
        if done is None:
            return settled
        settled += done
    raise AssertionError("it does not come to an end")


def items(store: Store, bulk_id: str) -> list[BulkItem]:
    with store.reading() as session:
        wanted = select(BulkItem).where(BulkItem.bulk_id == bulk_id).order_by(BulkItem.position)
        return list(session.scalars(wanted))


def states(store: Store, bulk_id: str) -> list[str]:
    return [item.state for item in items(store, bulk_id)]


def operation(store: Store, bulk_id: str) -> BulkOperation:
    with store.reading() as session:
        return session.get_one(BulkOperation, bulk_id)


def replays(store: Store) -> list[str | None]:
    """Of which run each replay is one."""
    with store.reading() as session:
        run = WorkflowRun
        found = select(run.replay_of_run_id).where(run.replay_of_run_id.is_not(None))
        return list(session.scalars(found))


def set_role(store: Store, actor: Actor, role: str) -> None:
    with store.writing() as session:
        session.get_one(Operator, actor.operator_id).role = role
