"""`flask doctor`: each thing that may be wrong is found, and says what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from engine.actions.registry import Registry
from tests import builders
from tests.databases import SqliteDatabases
from tests.dev_server import free_port
from tests.integration.commands.conftest import CommandLine, installation, migrate, worker_of
from tests.studio import Studio

PASSWORD = "a long enough passphrase"


def checks(flask: CommandLine, code: int) -> dict[str, Any]:
    result = flask("doctor", "--json", code=code)
    return {check["name"]: check for check in json.loads(result.stdout)}


def problems(flask: CommandLine) -> set[str]:
    found = checks(flask, code=1)
    wrong = {name for name, check in found.items() if not check["ok"]}
    assert all(found[name]["remedy"] for name in wrong)
    return wrong


def test_without_a_worker_it_says_so_and_how_to_start_one(flask: CommandLine) -> None:
    assert problems(flask) == {"operators", "worker", "queue"}
    result = flask("doctor", code=1)
    assert "PROBLEM  worker: no worker lives" in result.stdout
    assert "python worker.py" in result.stdout


def test_a_healthy_installation_has_no_problem(worked: CommandLine) -> None:
    worked("operators", "add", "a@x.example", "--role", "admin", input=PASSWORD)
    runner = worked.app.test_cli_runner()
    Studio.eventually(lambda: runner.invoke(args=["doctor"]).exit_code == 0, 40)
    found = checks(worked, code=0)
    assert {
        "schema", "temporal", "namespace", "worker", "registry", "queue", "stranded", "reconciler",
        "accounted",
    } <= found.keys()  # fmt: skip
    assert "PROBLEM" not in worked("doctor").output


def test_a_worker_with_other_actions_is_named(
    worked: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(worked.services, catalogue=Registry())
    monkeypatch.setitem(worked.app.extensions, "run_studio", other)
    assert "registry" in problems(worked)


def test_temporal_away_and_a_missing_namespace_are_told_apart(flask: CommandLine) -> None:
    url = flask.environment["DATABASE_URL"]
    away = installation(f"127.0.0.1:{free_port()}", url, flask.directory)
    found = checks(away, code=1)
    assert not found["temporal"]["ok"]
    assert "namespace" not in found

    from app import create_app
    from engine.settings import Settings

    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=flask.directory,
        database_url=url,
        temporal_address=flask.environment["TEMPORAL_ADDRESS"],
        temporal_namespace="not-there",
    )
    found = checks(CommandLine(create_app(settings), {}, flask.directory), code=1)
    assert found["temporal"]["ok"]
    assert not found["namespace"]["ok"]


@pytest.mark.parametrize(
    ("change", "found", "remedy"),
    [
        ("UPDATE alembic_version SET version_num = '0007'", "0007", "Run `flask db upgrade`."),
        ("UPDATE alembic_version SET version_num = '9999'", "9999", "Deploy the newer release"),
        ("INSERT INTO alembic_version VALUES ('0003')", "0003, 00", "Restore a backup"),
    ],
    ids=["older", "newer", "two revisions at once"],
)
def test_another_schema_is_told_with_what_helps(
    flask: CommandLine, change: str, found: str, remedy: str
) -> None:
    """A release that does not know a revision cannot upgrade from it."""
    with flask.services.store.writing() as session:
        session.execute(text(change))
    check = checks(flask, code=1)["schema"]
    assert not check["ok"]
    assert found in check["message"]
    assert check["remedy"].startswith(remedy)


def test_a_database_without_a_schema_is_told(address: str, tmp_path: Path) -> None:
    empty = installation(address, f"sqlite:///{tmp_path / 'empty.sqlite3'}", tmp_path)
    found = checks(empty, code=1)
    assert not found["schema"]["ok"]
    assert "flask db upgrade" in found["schema"]["remedy"]
    result = empty("definitions", "list", code=3)
    assert "flask db upgrade" in result.stderr


def test_a_run_that_nothing_executes_is_found(
    own_address: str, sqlite_databases: SqliteDatabases, tmp_path: Path
) -> None:
    """Accepted, committed, and the process died before it told Temporal."""
    flask = installation(own_address, sqlite_databases.create(tmp_path, migrate), tmp_path)
    services = flask.services
    of, _ = builders.published(services.store, "greet")
    now = services.now()
    row = builders.run(of, started_at=now - timedelta(minutes=5))
    builders.save(services.store, row)
    found = checks(flask, code=1)
    assert not found["stranded"]["ok"]
    assert row.run_id in found["stranded"]["message"]
    with worker_of(flask):
        Studio.eventually(lambda: checks(flask, code=1)["stranded"]["ok"], 40)


def test_a_missing_secret_is_a_problem(flask: CommandLine) -> None:
    call = {
        "id": "call",
        "type": "action.call",
        "config": {
            "actionId": "http.request",
            "version": 1,
            "inputMapping": {"method": "GET", "url": {"$secret": "NOT_THERE"}},
        },
    }
    flask.publish(call)
    assert "secrets" in problems(flask)
