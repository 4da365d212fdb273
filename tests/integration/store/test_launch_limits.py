"""Limits hold between processes: they are counted where the row is inserted (rules.md 2 and 9)."""

from __future__ import annotations

import multiprocessing
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from engine.errors import Conflict, RunStudioError, TooMany
from engine.runs.payload import Payload
from engine.services.context import Actor, Limits, Services
from engine.services.launch_run import LaunchRequest, launch_published_workflow_run
from engine.store.session import Store, make_engine
from engine.store.tables import WorkflowDefinition, WorkflowRun
from tests import builders
from tests.builders import NOW
from tests.engine_fake import FakeEngine
from tests.run_cases import SOMEBODY

LIMIT = 5
TRIES = 15
"""Of each process."""


def launch(services: Services, actor: Actor = SOMEBODY) -> str:
    request = LaunchRequest(workflow_key="greet", payload=Payload({}), actor=actor)
    return launch_published_workflow_run(services, request).run_id


@pytest.fixture
def services(store: Store) -> Services:
    return builders.services(store, gateway=FakeEngine())


def try_often(database_url: str, start: object, report: object) -> None:
    """A process of its own: launches, and ends what it launched, again and again.

    Reports how often the limit refused it, and the most open runs it ever saw.
    """
    store = Store(make_engine(database_url))
    services = builders.services(store, gateway=FakeEngine())
    refused, most, errors = 0, 0, []
    start.wait()
    for _ in range(TRIES):
        try:
            run_id = launch(services)
        except TooMany:
            refused += 1
            continue
        except Exception as error:
            errors.append(repr(error))
            continue
        with store.reading() as session:
            most = max(most, open_runs(session))
        if refused % 2:
            with store.writing() as session:
                ended = {"status": "SUCCEEDED", "completed_at": NOW}
                of_run = WorkflowRun.run_id == run_id
                session.execute(update(WorkflowRun).where(of_run).values(ended))
    report.put((refused, most, errors))


def open_runs(session: object) -> int:
    query = select(func.count()).select_from(WorkflowRun).where(WorkflowRun.status == "RUNNING")
    return session.scalar(query) or 0


def test_four_processes_never_exceed_a_concurrency_limit_and_none_finds_the_database_locked(
    database_url: str, store: Store
) -> None:
    builders.published(store, "greet", concurrency_limit=LIMIT)
    context = multiprocessing.get_context("spawn")
    start, report = context.Barrier(4), context.Queue()
    processes = [
        context.Process(target=try_often, args=(database_url, start, report)) for _ in range(4)
    ]
    for process in processes:
        process.start()
    reports = [report.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(30)
    assert [errors for _, _, errors in reports] == [[], [], [], []]
    assert max(most for _, most, _ in reports) == LIMIT
    assert sum(refused for refused, _, _ in reports) > 0


@pytest.mark.parametrize("status", ["RUNNING", "WAITING"])
def test_a_run_that_is_not_over_takes_a_place(
    store: Store, services: Services, status: str
) -> None:
    definition, _ = builders.published(store, "greet", concurrency_limit=1)
    run = builders.run(definition, status)
    builders.save(store, run)
    with pytest.raises(TooMany) as caught:
        launch(services)
    assert caught.value.code == "CONCURRENCY_LIMIT"
    assert caught.value.retry_after_s > 0
    with store.writing() as session:
        session.execute(update(WorkflowRun).values(status="CANCELED", completed_at=NOW))
    assert launch(services)


def test_other_workflows_runs_take_no_place(store: Store, services: Services) -> None:
    builders.published(store, "greet", concurrency_limit=1)
    other, _ = builders.published(store, "other")
    builders.save(store, builders.run(other))
    assert launch(services)


def test_an_operator_s_launches_are_limited_a_minute_and_others_are_not_touched(
    store: Store, services: Services
) -> None:
    builders.published(store, "greet")
    services = replace(services, limits=Limits(launches_per_minute=3))
    ann, bob = (builders.operator() for _ in range(2))
    builders.save(store, ann, bob)
    for _ in range(3):
        launch(services, Actor(ann.operator_id))
    with pytest.raises(TooMany) as caught:
        launch(services, Actor(ann.operator_id))
    assert caught.value.code == "RATE_LIMITED"
    assert launch(services, Actor(bob.operator_id))
    for _ in range(5):
        launch(services, Actor(source="command"))
    later = replace(services, now=lambda: NOW + timedelta(minutes=3))
    assert launch(later, Actor(ann.operator_id))


def test_a_refused_launch_does_not_use_up_the_rate(store: Store, services: Services) -> None:
    definition, _ = builders.published(store, "greet", is_paused=True)
    services = replace(services, limits=Limits(launches_per_minute=1))
    ann = builders.operator()
    builders.save(store, ann)
    for _ in range(3):
        with pytest.raises(Conflict):
            launch(services, Actor(ann.operator_id))
    with store.writing() as session:
        session.get_one(WorkflowDefinition, definition.workflow_id).is_paused = False
    assert launch(services, Actor(ann.operator_id))


def test_who_pauses_a_workflow_has_no_launch_afterwards(database_url: str, store: Store) -> None:
    """Launches that looked before the pause find it when they insert."""
    definition, _ = builders.published(store, "greet")
    paused, launched_after = threading.Event(), []

    def launching() -> None:
        own = make_engine(database_url)
        services = builders.services(Store(own), gateway=FakeEngine())
        while True:
            was_paused = paused.is_set()
            try:
                launch(services)
            except RunStudioError:
                break
            if was_paused:
                launched_after.append(1)
        own.dispose()

    threads = [threading.Thread(target=launching) for _ in range(3)]
    for thread in threads:
        thread.start()
    with store.writing() as session:
        session.get_one(WorkflowDefinition, definition.workflow_id).is_paused = True
    paused.set()
    for thread in threads:
        thread.join(30)
    assert launched_after == []
