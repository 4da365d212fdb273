"""The whole web application over real services, with a Temporal that lives in a dictionary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from app import create_app
from engine.services.context import Services
from engine.settings import Settings
from engine.store.definitions import WorkflowDefinition
from engine.store.operators import Operator
from engine.store.session import Store
from engine.store.workers import WorkerHeartbeat
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.web import dialog
from tests.integration.web.browser import PASSWORD, Browser


class Clock:
    """The clock of the services; a test moves it."""

    def __init__(self, at: datetime = builders.NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite; a test that is about SQL asks for both, see `on_both`."""
    wanted = getattr(request, "param", "sqlite")
    return str(request.getfixturevalue("sqlite_url" if wanted == "sqlite" else "postgres_url"))


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=database_url,
        temporal_ui_url="http://temporal.example:8233",
        secret_key="a key of tests",
        production=False,
    )


@pytest.fixture
def app(settings: Settings, engine: FakeEngine, clock: Clock) -> Iterator[Flask]:
    app = create_app(settings, gateway=engine)
    app.testing = False
    app.extensions["run_studio"] = replace(app.extensions["run_studio"], now=clock)
    yield app
    services: Services = app.extensions["run_studio"]
    services.store.engine.dispose()


@pytest.fixture
def services(app: Flask) -> Services:
    found: Services = app.extensions["run_studio"]
    return found


@pytest.fixture
def store(services: Services) -> Store:
    return services.store


@lru_cache
def _hash() -> str:
    """A cheap one: the tests of passwords are elsewhere."""
    return generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")


@pytest.fixture
def add_operator(store: Store) -> Callable[[str], Operator]:
    def add(role: str) -> Operator:
        operator = builders.operator(role, password_hash=_hash())
        builders.save(store, operator)
        return operator

    return add


@pytest.fixture
def sign_in(app: Flask, add_operator: Callable[[str], Operator]) -> Callable[[str], Browser]:
    """A browser in which somebody of this role has signed in."""

    def signed_in(role: str) -> Browser:
        operator = add_operator(role)
        browser = Browser(app, operator)
        browser.sign_in(operator.email)
        return browser

    return signed_in


@pytest.fixture
def anybody(app: Flask) -> Browser:
    """A browser in which nobody has signed in."""
    return Browser(app)


@pytest.fixture
def operator(sign_in: Callable[[str], Browser]) -> Browser:
    return sign_in("operator")


@pytest.fixture
def viewer(sign_in: Callable[[str], Browser]) -> Browser:
    return sign_in("viewer")


@pytest.fixture
def of(store: Store) -> WorkflowDefinition:
    """The workflow whose runs the tests look at."""
    definition, _ = builders.published(store, "greet", name="Greet somebody")
    return definition


@pytest.fixture
def living_worker(store: Store, clock: Clock) -> Callable[[], None]:
    """A worker has just said that it lives."""

    def beat() -> None:
        with store.writing() as session:
            session.merge(
                WorkerHeartbeat(
                    identity="1@host-x", state="running", task_queue="run-studio",
                    namespace="default", registry_fingerprint="x", slots=20,
                    started_at=clock(), seen_at=clock(),
                )
            )  # fmt: skip

    return beat


@pytest.fixture
def onboard(store: Store) -> WorkflowDefinition:
    """Published, with a schema of every kind of field."""
    of = builders.definition("onboard", name="Onboard")
    builders.save(store, of, builders.version(of, payload_schema_json=dialog.SCHEMA))
    return of


@pytest.fixture
def anything(store: Store) -> WorkflowDefinition:
    """Published, without a schema."""
    of, _ = builders.published(store, "anything")
    return of
