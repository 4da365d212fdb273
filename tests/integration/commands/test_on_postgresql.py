"""The same commands on PostgreSQL, with a worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import PostgresDatabases
from tests.integration.commands.conftest import CommandLine, installation, migrate, worker_of
from tests.integration.commands.test_runs import GREET, PAYLOAD
from tests.studio import Studio


@pytest.fixture
def flask(
    own_address: str, postgres_databases: PostgresDatabases, tmp_path: Path
) -> Iterator[CommandLine]:
    url = postgres_databases.create(migrate)
    running = installation(own_address, url, tmp_path)
    yield running
    running.services.store.engine.dispose()
    postgres_databases.drop(url)


def test_from_publish_to_doctor(flask: CommandLine) -> None:
    flask.publish(GREET)
    flask("operators", "add", "a@x.example", "--role", "admin", input="a long passphrase")
    runner = flask.app.test_cli_runner()
    with worker_of(flask):
        run_id = flask("runs", "start", "greet", "--payload", PAYLOAD, "--wait").stdout.strip()
        flask("runs", "replay", run_id, "--wait")
        shown = flask.json("runs", "show", run_id)
        assert [step["status"] for step in shown["steps"]] == ["SUCCEEDED"]
        assert shown["run"]["input"] == {"name": "Ada", "password": "[REDACTED]"}
        assert flask.json("secrets", "check") == []
        Studio.eventually(lambda: runner.invoke(args=["doctor"]).exit_code == 0, 40)
    flask("runs", "cancel", run_id, code=3)
    assert json.loads(flask("runs", "export", run_id).stdout)["run"]["id"] == run_id
