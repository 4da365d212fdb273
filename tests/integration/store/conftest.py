"""What the tests of executed attempts look at."""

from __future__ import annotations

import pytest

from engine.services.context import Services
from engine.store.session import Store
from engine.store.tables import WorkflowRun
from tests import builders
from tests.engine_fake import FakeEngine


@pytest.fixture
def run(store: Store) -> WorkflowRun:
    of, _ = builders.published(store)
    started = builders.run(of)
    builders.save(store, started)
    return started


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def services(store: Store, engine: FakeEngine) -> Services:
    return builders.services(store, gateway=engine)
