"""Each verdict on a real Temporal: why a run is queued, and why one that has begun stands still.

All but RATE_LIMITED, which a dev server does not report (docs/rules.md 11).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from temporalio.client import Client

from blueprints.runs.banner import QueuedNotice, notice
from engine.activities.make_worker import activity_pool
from engine.contract import TASK_QUEUE, WORKFLOW_TYPE, RunStart, temporal_workflow_id
from engine.gateway.connect import LazyConnection
from engine.gateway.loop_thread import LoopThread
from engine.gateway.queues import TemporalQueueGateway
from engine.gateway.runs import TemporalRunGateway
from engine.runs.queued import Verdict
from engine.services.context import Services
from engine.services.explain_queued import Explainer
from engine.services.glance_run import glance_at_run
from engine.services.watch_queue import QueueWatch
from engine.store.session import in_transaction
from engine.store.steps import WorkflowRunStep
from engine.store.waits import WorkflowRunWait
from engine.store.workers import WorkerHeartbeat
from tests import builders, work_actions
from tests.dev_server import DevServer
from tests.integration.temporal.conftest import a_studio
from tests.steps import act, wait
from tests.stub_worker import StubWorker
from tests.studio import Studio

pytestmark = pytest.mark.temporal
A_MINUTE_AGO = timedelta(seconds=61)


@pytest.fixture
def studio(
    server: DevServer, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Studio]:
    monkeypatch.setenv(work_actions.EFFECTS, str(tmp_path / "effects"))
    yield from a_studio(server.address, sqlite_url, tmp_path / "effects")


@pytest.fixture
def services(studio: Studio) -> Iterator[Services]:
    """As the web has them: with a connection of its own, and the queue's view."""
    thread = LoopThread()
    connection = LazyConnection(studio.options, thread)
    yield replace(
        studio.services,
        gateway=TemporalRunGateway(connection, in_transaction),
        queues=TemporalQueueGateway(connection),
    )
    thread.stop()


def explained(services: Services, run_id: str) -> QueuedNotice | None:
    with services.store.reading() as session:
        glance = glance_at_run(session, run_id, services.now())
    found = Explainer(QueueWatch()).explain(services, glance)
    return notice(found, services.now()) if found else None


def age(studio: Studio, run_id: str) -> str:
    """The run is older than a minute, as far as the page knows."""
    studio.change(run_id, started_at=studio.services.now() - A_MINUTE_AGO)
    return run_id


def report(studio: Studio, *, busy: int = 0, slots: int = 20) -> None:
    """A worker has just said that it lives."""
    now = studio.services.now()
    beat = WorkerHeartbeat(
        identity="1@host", state="running", task_queue=TASK_QUEUE, namespace="default",
        registry_fingerprint=studio.tools.registry.fingerprint(),
        slots=slots, slots_used=busy, started_at=now - A_MINUTE_AGO, seen_at=now,
    )  # fmt: skip
    builders.save(studio.store, beat)


def signs(found: QueuedNotice) -> str:
    return "; ".join(sign.what for sign in found.signs)


def of(services: Services, run_id: str) -> QueuedNotice:
    found = explained(services, run_id)
    assert found is not None
    return found


def test_what_no_worker_takes(studio: Studio, services: Services) -> None:
    workflow = studio.publish(wait("pause"))
    row = builders.run(workflow)
    builders.save(studio.store, row)
    sent = age(studio, studio.start(workflow))
    unsent = age(studio, row.run_id)
    assert of(services, unsent).verdict is Verdict.NOT_SENT
    assert of(services, unsent).heading == "Queued: not handed over to Temporal yet"

    found = of(services, sent)
    assert found.verdict is Verdict.NO_WORKER
    assert "none has ever been seen" in signs(found)
    assert "nobody has taken it" in signs(found)

    report(studio)  # to this database; it polls somewhere else
    found = of(services, sent)
    assert found.verdict is Verdict.NO_WORKER
    assert "TEMPORAL_NAMESPACE" in found.do
    assert "Nobody polls the queue run-studio in namespace default" in signs(found)

    studio.change(unsent, claimed_by="somebody")
    lost = of(services, unsent)
    assert lost.verdict is Verdict.UNKNOWN
    assert lost.heading == "Queued: Temporal has lost the run"

    studio.services.gateway.terminate_run(temporal_workflow_id(sent), "by hand")
    ended = of(services, sent)
    assert ended.verdict is Verdict.PROJECTION_LAG
    assert "ended in Temporal" in ended.heading


def test_what_a_full_worker_leaves(
    studio: Studio, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.studio.activity_pool", lambda slots: activity_pool(1))
    with studio.worker():
        long = studio.start(studio.publish(act("long", ms=4000)))
        studio.eventually(lambda: bool(studio.steps(long)))
        queued = age(studio, studio.start(studio.publish(act("next"))))
        report(studio, busy=1, slots=1)
        studio.eventually(lambda: of(services, queued).verdict is Verdict.AT_CAPACITY, 3)
        assert "all 1 slots in use" in signs(of(services, queued))
        with studio.store.writing() as session:
            session.get_one(WorkerHeartbeat, "1@host").registry_fingerprint = "another release"
        assert of(services, queued).verdict is Verdict.WRONG_REGISTRY


def test_what_has_begun_and_is_not_recorded(studio: Studio, services: Services) -> None:
    with studio.worker():
        report(studio)
        run_id = age(studio, studio.start(studio.publish(act("slow", "quick", ms=3000))))
        studio.eventually(lambda: studio.run(run_id).claimed_by is not None)
        found = of(services, run_id)
    assert found.verdict is Verdict.PROJECTION_LAG
    assert "A worker has begun the run" in signs(found)


def start_stub(studio: Studio, run_id: str, kind: str, task_timeout: timedelta) -> None:
    async def start(client: Client) -> None:
        await client.start_workflow(
            WORKFLOW_TYPE,
            RunStart(f"{kind}-{run_id}"),
            id=temporal_workflow_id(run_id),
            task_queue=TASK_QUEUE,
            task_timeout=task_timeout,
        )

    studio.ask(start)


def test_what_a_worker_takes_and_fails_at(
    studio: Studio, services: Services, server: DevServer
) -> None:
    row = builders.run(studio.publish(wait("pause")))
    builders.save(studio.store, row)
    run_id = age(studio, row.run_id)
    start_stub(studio, run_id, "break", timedelta(seconds=10))
    with StubWorker(server):
        studio.eventually(lambda: of(services, run_id).verdict is Verdict.TASK_FAILING)
        report(studio)
        found = of(services, run_id)
    assert found.because is not None
    assert "a bug in the workflow" in found.because
    assert found.do.startswith("Mend the cause")
    assert "the one before failed" in signs(found)


def test_what_a_killed_worker_had_taken(studio: Studio, services: Services) -> None:
    row = builders.run(studio.publish(act("slow", "quick", ms=60_000)))
    builders.save(studio.store, row)
    run_id = age(studio, row.run_id)

    async def start(client: Client) -> None:
        await client.start_workflow(
            WORKFLOW_TYPE, RunStart(run_id), id=temporal_workflow_id(run_id),
            task_queue=TASK_QUEUE, task_timeout=timedelta(seconds=2),
        )  # fmt: skip

    studio.ask(start)
    with studio.worker_process() as process:
        studio.eventually(lambda: bool(studio.effects()), 30)
        process.kill()
        studio.eventually(lambda: of(services, run_id).verdict is Verdict.TASK_FAILING, 30)
    found = of(services, run_id)
    assert found.heading == "Queued: a worker took the run, and was lost"
    assert found.do.startswith("Start a worker"), "there is none any more"


def test_what_fails_at_a_later_step(studio: Studio, services: Services, server: DevServer) -> None:
    """The same panel; while nothing hinders the run, it says nothing."""
    with studio.worker():
        run_id = studio.start(studio.publish(wait("pause", ms=2500), act("next")))
        studio.eventually(lambda: studio.run(run_id).status == "WAITING")
    long_ago = studio.services.now() - A_MINUTE_AGO

    def quiet() -> None:
        """Nothing was recorded of it for a minute."""
        studio.change(run_id, updated_at=long_ago)
        with studio.store.writing() as session:
            for table in (WorkflowRunStep, WorkflowRunWait):
                session.execute(
                    update(table).where(table.run_id == run_id).values(updated_at=long_ago)
                )

    quiet()
    assert explained(services, run_id) is None, "it waits, as it was told to"
    with StubWorker(server):  # it has other code: the history does not fit it
        studio.eventually(lambda: explained(services, run_id) is not None)
    found = of(services, run_id)
    assert found.verdict is Verdict.TASK_FAILING
    assert found.heading == "Standing still: a worker takes it up, and fails"
    assert "Nondeterminism" in str(found.because) or "TMPRL1100" in str(found.because)


def test_a_temporal_that_is_away(studio: Studio, services: Services, server: DevServer) -> None:
    """The last of this file: it is away from then on."""
    run_id = age(studio, studio.start(studio.publish(wait("pause"))))
    watch = QueueWatch()
    explainer = Explainer(watch)
    later = replace(services, now=lambda: services.now() + timedelta(seconds=16))
    with services.store.reading() as session:
        glance = glance_at_run(session, run_id, services.now())
    assert explainer.explain(services, glance) is not None
    server.kill()
    found = explainer.explain(later, glance)
    assert found is not None
    assert found.verdict is Verdict.ENGINE_UNREACHABLE
    said = notice(found, later.now())
    assert "unknown" in said.says
    assert "Temporal last answered" in signs(said)
