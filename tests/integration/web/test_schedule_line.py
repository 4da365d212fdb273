"""The page of a workflow says when it starts by itself, and what came of the last time."""

from __future__ import annotations

from datetime import datetime

import pytest

from engine.services import publish_definition
from engine.services.context import Services
from engine.services.fire_schedules import fire_schedules
from engine.services.pause_definition import pause_definition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.integration.store.recorded import rows
from tests.integration.web.browser import Browser
from tests.integration.web.conftest import Clock
from tests.run_cases import SOMEBODY

TEN = builders.NOW.replace(hour=10, minute=0)
HOURLY = {"type": "recurring", "cron": "0 * * * *", "timezone": "Europe/Berlin"}


def publish(services: Services, **fields: object) -> None:
    publish_definition.publish(services, builders.document(**fields), SOMEBODY)


def fire(services: Services, clock: Clock, at: datetime) -> None:
    clock.at = at
    fire_schedules(services, "worker")


def test_it_says_the_next_time_and_leads_to_the_last_run(
    operator: Browser, services: Services, store: Store, clock: Clock
) -> None:
    publish(services, trigger=HOURLY)
    page = operator.page("/workflows/greet")
    assert "Starts by itself next" in page.text
    assert "0 * * * *" in page.text
    assert TEN.strftime("%Y-%m-%dT%H:%M") in operator.get("/workflows/greet").text
    fire(services, clock, TEN)
    (run,) = rows(store, WorkflowRun)
    links = [link["href"] for link in operator.page("/workflows/greet").all("a") if "href" in link]
    assert f"/runs/{run.run_id}" in links


def test_it_says_why_the_last_time_started_nothing(
    operator: Browser, services: Services, clock: Clock
) -> None:
    once = {"type": "schedule", "runAt": TEN.isoformat()}
    publish(services, trigger=once)
    publish(services, key="unfit", trigger=once, payloadSchema={"required": ["name"]})
    pause_definition(services, "greet", SOMEBODY, "Broken")
    assert "if it is not paused then" in operator.page("/workflows/greet").text
    fire(services, clock, TEN)
    assert "was skipped: Greet is paused" in operator.page("/workflows/greet").text
    assert "Starts by itself no more" in operator.page("/workflows/greet").text
    assert "The payload does not fit" in operator.page("/workflows/unfit").text


def test_it_says_that_a_time_could_not_be_started_and_is_tried_again(
    operator: Browser, services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(services, trigger=HOURLY)
    with monkeypatch.context() as broken:
        broken.setattr("engine.services.fire_schedules.start_scheduled", _breaks)
        fire(services, clock, TEN)
    said = operator.page("/workflows/greet").text
    assert "could not be started: RuntimeError. It is tried again." in said
    clock.forward(seconds=2)
    fire(services, clock, clock.at)
    assert "could not be started" not in operator.page("/workflows/greet").text


def _breaks(*_: object) -> None:
    raise RuntimeError("nobody thought of this")


def test_a_workflow_without_a_clock_says_nothing_of_it(
    operator: Browser, services: Services
) -> None:
    publish(services)
    assert "by itself" not in operator.page("/workflows/greet").text
