"""A paused workflow: nothing starts a run of it until it is unpaused; what is open goes on."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine.errors import Conflict, Invalid, NotFound
from engine.runs.payload import Payload
from engine.services.context import Actor, Services
from engine.services.launch_run import LaunchRequest, launch_published_workflow_run
from engine.services.pause_definition import pause_definition, pause_of, unpause_definition
from engine.services.replay_run import replay_run
from engine.store.audit import AuditLog
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from tests import builders

ANN = Actor(email="ann@example.com")


@pytest.fixture
def greet(services: Services) -> WorkflowDefinition:
    of, _ = builders.published(services.store, "greet", name="Greet")
    return of


def _launch(services: Services) -> str:
    request = LaunchRequest(workflow_key="greet", payload=Payload({}), actor=ANN)
    return launch_published_workflow_run(services, request).run_id


def test_nothing_starts_it_and_what_is_open_goes_on(
    services: Services, greet: WorkflowDefinition
) -> None:
    run_id = _launch(services)
    assert pause_definition(services, "greet", ANN, "The CRM is down")
    for start in (lambda: _launch(services), lambda: replay_run(services, run_id, ANN, "again")):
        with pytest.raises(Conflict, match="Greet is paused: new runs are not accepted"):
            start()
    with services.store.reading() as session:
        (run,) = session.scalars(select(WorkflowRun)).all()
    assert run.status == "RUNNING"
    assert unpause_definition(services, "greet", ANN)
    assert _launch(services) != run_id


def test_it_is_written_down_once_with_who_and_why(
    services: Services, greet: WorkflowDefinition
) -> None:
    assert pause_definition(services, "greet", ANN, "  The CRM is down ")
    assert not pause_definition(services, "greet", ANN, "Again")
    with services.store.reading() as session:
        found = pause_of(session, greet.workflow_id)
    assert found is not None
    assert (found.by, found.reason) == ("ann@example.com", "The CRM is down")
    assert unpause_definition(services, "greet", ANN)
    assert not unpause_definition(services, "greet", ANN)
    with services.store.reading() as session:
        operations = session.scalars(select(AuditLog.operation)).all()
    assert sorted(operations) == ["workflow_pause", "workflow_unpause"]


def test_what_is_not_there_cannot_be_paused(services: Services) -> None:
    for change in (pause_definition, unpause_definition):
        with pytest.raises(NotFound):
            change(services, "nothing", ANN, None)


def test_a_reason_that_cannot_be_kept_pauses_nothing(
    services: Services, greet: WorkflowDefinition
) -> None:
    with pytest.raises(Invalid):
        pause_definition(services, "greet", ANN, "x\0")
    assert _launch(services)
