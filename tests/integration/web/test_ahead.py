"""Before somebody presses Run or Replay: what stands in the way, and what is repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from flask import Flask

from engine.gateway.executions import QueueView
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from engine.store.workers import WorkerHeartbeat
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser, Page
from tests.integration.web.conftest import Clock

Worker = Callable[[], None]


@dataclass
class Queues:
    """`QueueGateway` with a queue that looks like this."""

    view: QueueView

    def describe_queue(self) -> QueueView:
        return self.view

    def last_task_failure(self, temporal_workflow_id: str) -> None:
        return None


@pytest.fixture
def dialogs(store: Store, of: WorkflowDefinition) -> list[str]:
    run = builders.run(of, "SUCCEEDED")
    builders.save(store, run)
    return [
        "/workflows/greet/run",
        f"/runs/{run.run_id}/replay",
        f"/runs/{run.run_id}/replay?edit=1",
    ]


@pytest.fixture
def same_release(store: Store, living_worker: Worker, operator: Browser) -> Worker:
    """A worker lives that knows what this web server knows."""
    catalogue = operator.client.application.extensions["run_studio"].catalogue

    def beat() -> None:
        living_worker()
        with store.writing() as session:
            worker = session.get_one(WorkerHeartbeat, "1@host-x")
            worker.registry_fingerprint = catalogue.fingerprint()

    return beat


def test_without_a_worker_both_dialogs_say_so_and_still_offer_the_button(
    operator: Browser, dialogs: list[str], clock: Clock, living_worker: Worker
) -> None:
    for address in dialogs:
        text = operator.page(address).text
        assert "No worker is running. None has ever been seen." in text
        assert "is accepted, and waits until one comes" in text
    living_worker()
    clock.forward(seconds=21)
    for address in dialogs:
        assert "The last one was seen 2026-11-23 09:30:00 UTC" in operator.page(address).text


def test_a_temporal_that_does_not_answer_is_said_beforehand(
    operator: Browser, dialogs: list[str], engine: FakeEngine, same_release: Worker, clock: Clock
) -> None:
    same_release()
    engine.down = True
    for address in dialogs:
        page = operator.page(address)
        assert "Temporal does not answer at the moment." in page.text
        assert "No worker" not in page.text
    engine.down = False
    clock.forward(seconds=6)
    assert operator.page(dialogs[0]).by_id("ahead") is None


def test_workers_that_report_here_and_poll_elsewhere_are_said(
    app: Flask, operator: Browser, dialogs: list[str], same_release: Worker, clock: Clock,
) -> None:  # fmt: skip
    view = QueueView((), (), 0, 0.0, rate_limited=False, namespace="orders")
    app.extensions["run_studio"] = replace(app.extensions["run_studio"], queues=Queues(view))
    same_release()
    assert operator.page(dialogs[0]).by_id("ahead") is None, "it has just come"
    clock.forward(seconds=11)
    with app.extensions["run_studio"].store.writing() as session:
        session.get_one(WorkerHeartbeat, "1@host-x").seen_at = clock()
    for address in dialogs:
        text = operator.page(address).text
        assert "No worker polls the queue run-studio in the namespace orders" in text


def test_a_bulk_operation_says_the_same_beforehand(
    operator: Browser, store: Store, of: WorkflowDefinition, engine: FakeEngine
) -> None:
    run = builders.run(of, "FAILED")
    builders.save(store, run)
    engine.down = True
    chosen = {"kind": "replay", "scope": "selected", "run": [run.run_id]}
    text = operator.page(operator.post("/runs/bulk", chosen).location).text
    assert "Temporal does not answer at the moment. What is started now is kept" in text
    assert "No worker is running. None has ever been seen." in text
    assert "runs a minute" not in text


def test_a_bulk_replay_that_takes_minutes_says_so(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    runs = [builders.run(of, "FAILED") for _ in range(61)]
    builders.save(store, *runs)
    chosen = {"kind": "replay", "scope": "selected", "run": [run.run_id for run in runs]}
    text = operator.page(operator.post("/runs/bulk", chosen).location).text
    assert "One operator starts at most 60 runs a minute" in text
    assert "these take 1 minute or more" in text


def test_workers_of_another_release_are_said(
    operator: Browser, dialogs: list[str], living_worker: Worker
) -> None:
    living_worker()
    assert "know other actions than this web server" in operator.page(dialogs[0]).text


def test_when_nothing_stands_in_the_way_nothing_is_said(
    operator: Browser, dialogs: list[str], same_release: Worker
) -> None:
    same_release()
    for address in dialogs:
        assert operator.page(address).by_id("ahead") is None


def test_many_dialogs_ask_temporal_once_in_two_seconds(
    operator: Browser, dialogs: list[str], engine: FakeEngine, clock: Clock
) -> None:
    for _ in range(3):
        for address in dialogs:
            operator.page(address)
    assert engine.looked == 1
    clock.forward(seconds=6)
    operator.page(dialogs[0])
    assert engine.looked == 2


def test_the_replay_form_lists_what_will_happen_again(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run, idle = builders.run(of, "FAILED"), builders.run(of, "FAILED")
    builders.save(store, run, idle)
    for action, status in (
        ("email.send", "SUCCEEDED"), ("email.send", "SUCCEEDED"), ("store.set", "SUCCEEDED"),
        ("http.request", "FAILED"), ("log.write", "SUCCEEDED"),
    ):  # fmt: skip
        builders.save(store, builders.invocation(run, status, action_id=action))
    text = operator.page(f"/runs/{run.run_id}/replay").text
    assert "email.send , 2 times" in text
    assert "store.set" in text
    assert "http.request" not in text
    assert "log.write" not in text
    assert "nothing is repeated" in operator.page(f"/runs/{idle.run_id}/replay").text


def test_a_replay_may_choose_another_version_and_stays_with_its_own_otherwise(
    operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of, "FAILED")
    builders.save(store, run)
    address = f"/runs/{run.run_id}/replay"
    assert "version" not in operator.page(address).form(address).fields
    builders.save(store, builders.version(of, 2), builders.version(of, 3))
    form = operator.page(address).form(address)
    assert form.fields["version"] == ""
    assert "payload" not in form.fields
    for chosen, expected in (("", 1), ("3", 3)):
        response = operator.submit(
            operator.page(address).form(address), reason="Again", version=chosen
        )
        assert response.status_code == 303
        with store.reading() as session:
            new = session.get_one(WorkflowRun, response.location.rsplit("/", 1)[1])
        assert new.workflow_version == expected


@pytest.mark.parametrize("version", ["7", "two", "-1", "9" * 30])
def test_a_version_that_does_not_exist_is_said_beside_the_choice(
    operator: Browser, store: Store, of: WorkflowDefinition, version: str
) -> None:
    run = builders.run(of, "FAILED")
    builders.save(store, run, builders.version(of, 2))
    address = f"/runs/{run.run_id}/replay"
    response = operator.submit(
        operator.page(address).form(address), reason="Again", version=version
    )
    assert response.status_code == 422
    page = Page(response.text)
    assert "Choose one of the versions." in page.text
    assert page.form(address).fields["reason"] == "Again"
