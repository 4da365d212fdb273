"""A one-time token gives one run, however often and from wherever it comes (docs/rules.md 2)."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from engine.errors import Conflict, Invalid, RunStudioError
from engine.runs.payload import Payload
from engine.services.context import Services
from engine.services.launch_run import Launched, LaunchRequest, launch_published_workflow_run
from engine.store.session import Store, make_engine
from engine.store.tables import LaunchToken, WorkflowDefinition, WorkflowRun
from tests import builders
from tests.engine_fake import FakeEngine
from tests.run_cases import SOMEBODY, audits


def launch(services: Services, token: str | None, key: str = "greet") -> Launched:
    request = LaunchRequest(workflow_key=key, payload=Payload({}), actor=SOMEBODY, token=token)
    return launch_published_workflow_run(services, request)


def count_runs(store: Store) -> int:
    with store.reading() as session:
        return session.scalar(select(func.count()).select_from(WorkflowRun)) or 0


def test_a_second_launch_with_a_token_gives_the_first_run_and_starts_nothing(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    builders.published(store, "greet")
    first = launch(services, "t")
    again = launch(services, "t")
    assert again == Launched(first.run_id, already=True)
    assert engine.asked("start") == [first.run_id]
    assert len(audits(store)) == 1


def test_without_a_token_each_launch_is_a_run_of_its_own(store: Store, services: Services) -> None:
    builders.published(store, "greet")
    assert launch(services, None).run_id != launch(services, None).run_id


def test_a_used_token_gives_its_run_even_when_the_workflow_has_been_paused_since(
    store: Store, services: Services
) -> None:
    definition, _ = builders.published(store, "greet")
    first = launch(services, "t")
    with store.writing() as session:
        session.get_one(WorkflowDefinition, definition.workflow_id).is_paused = True
    assert launch(services, "t").run_id == first.run_id


def test_a_token_that_was_refused_can_be_used_again(store: Store, services: Services) -> None:
    definition, _ = builders.published(store, "greet", is_paused=True)
    with pytest.raises(Conflict):
        launch(services, "t")
    with store.writing() as session:
        session.get_one(WorkflowDefinition, definition.workflow_id).is_paused = False
    assert not launch(services, "t").already


def test_a_token_of_another_workflow_is_a_conflict(store: Store, services: Services) -> None:
    builders.published(store, "greet")
    builders.published(store, "other")
    launch(services, "t")
    with pytest.raises(Conflict) as caught:
        launch(services, "t", key="other")
    assert caught.value.code == "TOKEN_USED"
    assert count_runs(store) == 1


@pytest.mark.parametrize("token", ["x" * 201, "a\0b"])
def test_a_token_that_cannot_be_kept_is_refused(
    store: Store, services: Services, token: str
) -> None:
    builders.published(store, "greet")
    with pytest.raises(Invalid):
        launch(services, token)
    assert count_runs(store) == 0


def test_a_double_click_on_two_processes_gives_one_run(
    database_url: str, store: Store, engine: FakeEngine
) -> None:
    """Each thread has a store of its own, as a process has: no lock of ours is between them."""
    builders.published(store, "greet")
    launched: list[Launched] = []
    failed: list[RunStudioError] = []
    start = threading.Barrier(6)

    def click() -> None:
        own = make_engine(database_url)
        services = builders.services(Store(own), gateway=engine)
        start.wait()
        try:
            launched.append(launch(services, "t"))
        except RunStudioError as error:
            failed.append(error)
        own.dispose()

    threads = [threading.Thread(target=click) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len({one.run_id for one in launched}) == 1
    assert [one.already for one in launched].count(False) == 1
    assert count_runs(store) == 1
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(LaunchToken)) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_token_used_for_two_workflows_at_once_gives_one_run(
    database_url: str, store: Store, engine: FakeEngine
) -> None:
    """Two definitions: no row lock is between them, only the unique index."""
    builders.published(store, "greet")
    builders.published(store, "other")
    outcomes: list[str] = []
    start = threading.Barrier(6)

    def click(key: str) -> None:
        own = make_engine(database_url)
        services = builders.services(Store(own), gateway=engine)
        start.wait()
        try:
            outcomes.append("already" if launch(services, "t", key).already else "launched")
        except Conflict as error:
            outcomes.append(error.code)
        own.dispose()

    threads = [threading.Thread(target=click, args=(key,)) for key in ("greet", "other") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["TOKEN_USED"] * 3 + ["already"] * 2 + ["launched"]
    assert count_runs(store) == 1
