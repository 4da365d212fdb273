"""PRD: a run with zero steps older than 60s renders the queued-warning banner.

On a real Temporal with no worker at first; the web's clock is moved, nothing else is pretended.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from engine.runs.status import RunStatus
from engine.services import manage_operators, publish_definition
from engine.services.context import Actor, Services
from engine.settings import Settings
from tests import builders
from tests.dev_server import DevServer
from tests.integration.web.browser import PASSWORD, Browser, Page

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Actor(source="command")
WAITS = [{"id": "pause", "type": "time.wait", "config": {"mode": "duration", "durationMs": 60_000}}]
pytestmark = pytest.mark.temporal


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> Iterator[Settings]:
    server = DevServer(tmp_path)
    server.start()
    yield Settings(
        data_dir=tmp_path,
        database_url=sqlite_url,
        temporal_address=server.address,
        secret_key="of a test",  # type: ignore[arg-type]
    )
    server.kill()


@pytest.fixture
def app(settings: Settings, clock: Clock) -> Flask:
    made = create_app(settings)
    services: Services = replace(made.extensions["run_studio"], now=clock)
    made.extensions["run_studio"] = services
    manage_operators.add_operator(services, "o@example.com", "operator", PASSWORD, COMMAND)
    document = builders.document("pausing", steps=WAITS)
    publish_definition.publish(services, document, COMMAND)
    return made


@pytest.fixture
def browser(app: Flask) -> Browser:
    made = Browser(app)
    made.sign_in("o@example.com")
    return made


@pytest.fixture
def run_id(browser: Browser) -> str:
    form = browser.page("/workflows/pausing/run").form("/workflows/pausing/run")
    return browser.submit(form).location.rsplit("/", 1)[-1]


def banner(browser: Browser, run_id: str) -> str:
    page = Page(browser.get(f"/runs/{run_id}/banner", htmx=True).text)
    whole = browser.page(f"/runs/{run_id}")
    said = page.text.partition("What to do")[0]  # what follows are ages
    assert (said in whole.text) == (whole.by_id("run-banner") is not None)
    return page.text


def age(services: Services, clock: Clock, run_id: str, seconds: int) -> None:
    """Move the clock to where the run is so old."""
    from engine.store.runs import WorkflowRun

    with services.store.reading() as session:
        started = session.get_one(WorkflowRun, run_id).started_at
    clock.ahead = started + timedelta(seconds=seconds) - datetime.now(UTC)


def test_absent_at_59_present_at_61_gone_after_the_first_step(
    app: Flask, browser: Browser, clock: Clock, settings: Settings, run_id: str
) -> None:
    services: Services = app.extensions["run_studio"]
    age(services, clock, run_id, 59)
    assert banner(browser, run_id) == ""
    age(services, clock, run_id, 61)
    assert "Queued" in banner(browser, run_id)
    assert "Queued" in browser.page(f"/runs/{run_id}").text

    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "TEMPORAL_ADDRESS": settings.temporal_address,
        "DATA_DIR": str(settings.data_dir),
    }
    worker = subprocess.Popen([sys.executable, "worker.py"], cwd=ROOT, env=environment)
    try:
        until = time.monotonic() + 60
        while banner(browser, run_id):
            assert time.monotonic() < until, "the banner stays although a worker came"
            time.sleep(0.2)
        # It went because a step was recorded, and not for another reason.
        with services.store.reading() as session:
            from engine.store.steps import WorkflowRunStep

            assert session.query(WorkflowRunStep).filter_by(run_id=run_id).count() == 1
    finally:
        worker.terminate()
        worker.wait(timeout=30)


@pytest.mark.parametrize("status", [one for one in RunStatus if one is not RunStatus.RUNNING])
def test_absent_for_every_other_status(
    app: Flask, browser: Browser, clock: Clock, status: RunStatus
) -> None:
    services: Services = app.extensions["run_studio"]
    of, _ = builders.published(services.store, "other")
    run = builders.run(of, status, started_at=clock())
    builders.save(services.store, run)
    clock.ahead = timedelta(hours=1)
    assert banner(browser, run.run_id) == ""
