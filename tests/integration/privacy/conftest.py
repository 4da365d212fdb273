"""One installation on a real Temporal with a worker process, whose every word is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import SqliteDatabases
from tests.integration.actions.servers import HttpServer, http_server
from tests.integration.commands.conftest import (
    CommandLine,
    dev_server,
    installation,
    migrate,
    worker_of,
)
from tests.integration.privacy import leaky


@pytest.fixture(scope="session")
def world() -> Iterator[HttpServer]:
    with http_server() as server:
        leaky.answers(server)
        yield server


@pytest.fixture(scope="session")
def house(
    world: HttpServer, sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CommandLine]:
    directory: Path = tmp_path_factory.mktemp("privacy")
    for address in dev_server(directory):
        url = sqlite_databases.create(directory, migrate)
        made = installation(
            address, url, directory,
            redaction_patterns=leaky.PATTERNS, redaction_pointers=leaky.POINTERS,
            log_level="DEBUG", temporal_ui_url="http://temporal.example:8233",
        )  # fmt: skip
        made.environment["SECRET_PIN"] = leaky.SECRET
        with worker_of(made):
            yield made
