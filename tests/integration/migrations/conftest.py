"""An engine on an empty database, and one on a database of the original system."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from engine.store.session import make_engine
from tests.integration.migrations import old_database
from tests.integration.migrations.cut_over_rows import Runs, contents


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    made = make_engine(empty_database_url)
    yield made
    made.dispose()


@pytest.fixture
def runs(engine: Engine) -> Runs:
    return old_database.build(engine)


@pytest.fixture
def before(engine: Engine, runs: Runs) -> dict[str, list[dict[str, Any]]]:
    return contents(engine)
