"""Runs in the state that a test of a service needs, and what became of them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, text, update

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
    if fields.get("epoch") == 0:
        put_before_the_cut_over(store, run)
    if engine is not None:
        engine.put(temporal_workflow_id(run.run_id))
    return run


def put_before_the_cut_over(store: Store, run: WorkflowRun) -> None:
    """The migration alone makes such rows: what keeps others from it is away for the moment."""
    kept = "workflow_runs_epoch_kept"
    with store.writing() as session:
        if session.get_bind().dialect.name == "postgresql":
            off = f"ALTER TABLE workflow_runs DISABLE TRIGGER {kept}"
            on = f"ALTER TABLE workflow_runs ENABLE TRIGGER {kept}"
        else:
            off = f"DROP TRIGGER {kept}"
            on = session.scalars(
                text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": kept}
            ).one()
        session.execute(text(off))
        session.execute(update(WorkflowRun).values(epoch=0).where(WorkflowRun.run_id == run.run_id))
        session.connection().exec_driver_sql(on)


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
