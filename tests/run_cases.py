"""Runs in the state that a test of a service needs, and what became of them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from engine.contract import temporal_workflow_id
from engine.services.context import Actor
from engine.store.session import Store
from engine.store.tables import AuditLog, WorkerHeartbeat, WorkflowRun
from tests import builders
from tests.builders import NOW
from tests.engine_fake import FakeEngine

SOMEBODY = Actor(email="ann@example.com", source_ip="192.0.2.1")


def a_run(store: Store, engine: FakeEngine | None = None, **fields: object) -> WorkflowRun:
    """An open run; with an engine, one that Temporal executes."""
    definition, _ = builders.published(store)
    run = builders.run(definition, **fields)
    builders.save(store, run)
    if "epoch" in fields:
        # Every insert since the cut-over has epoch 1, whatever it says.
        with store.writing() as session:
            session.execute(
                update(WorkflowRun)
                .values(epoch=fields["epoch"])
                .where(WorkflowRun.run_id == run.run_id)
            )
    if engine is not None:
        engine.put(temporal_workflow_id(run.run_id))
    return run


def row(store: Store, run: WorkflowRun) -> WorkflowRun:
    with store.reading() as session:
        return session.get_one(WorkflowRun, run.run_id)


def audits(store: Store) -> list[tuple[str, str | None]]:
    with store.reading() as session:
        rows = session.scalars(select(AuditLog).order_by(AuditLog.at)).all()
        return [(f"{row.operation} {row.outcome}", row.record_id) for row in rows]


def worker(store: Store, *, seen_ago_s: float = 0) -> None:
    builders.save(
        store,
        WorkerHeartbeat(
            identity="1@host-x",
            state="running",
            task_queue="run-studio",
            namespace="default",
            registry_fingerprint="f",
            slots=1,
            started_at=NOW,
            seen_at=NOW - timedelta(seconds=seen_ago_s),
        ),
    )
