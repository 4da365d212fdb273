"""`flask cut-over forecast`: what the migration would do, asked of a database it never touched."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from engine.store import schema
from engine.store.session import make_engine
from tests.integration.commands.conftest import CommandLine, installation
from tests.integration.migrations import old_database
from tests.integration.migrations.cut_over_rows import STRANDED, Runs, contents, update_run

NOWHERE = "127.0.0.1:1"
"""The forecast asks no Temporal."""


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    made = make_engine(empty_database_url)
    yield made
    made.dispose()


@pytest.fixture
def runs(engine: Engine) -> Runs:
    return old_database.build(engine)


@pytest.fixture
def flask(empty_database_url: str, tmp_path: Path) -> CommandLine:
    return installation(NOWHERE, empty_database_url, tmp_path)


def test_it_lists_what_would_be_canceled_and_closed_and_changes_nothing(
    flask: CommandLine, engine: Engine, runs: Runs
) -> None:
    """Never stamped: no table of ours is made, not even Alembic's."""
    before = contents(engine)
    told = flask.json("cut-over", "forecast")
    assert told == {
        "canRun": True,
        "refusals": [],
        "runs": 4,
        "runIds": sorted(runs[which] for which in STRANDED),
        "closed": {
            "workflow_run_waits": 24,
            "workflow_run_steps": 8,
            "workflow_action_invocations": 4,
            "workflow_tasks": 8,
        },
    }
    printed = flask("cut-over", "forecast").stdout
    assert all(runs[which] in printed for which in STRANDED)
    assert "24 of workflow_run_waits" in printed
    assert contents(engine) == before
    assert schema.current(engine) is None


@pytest.mark.parametrize("empty_database_url", ["sqlite"], indirect=True)
def test_a_file_that_is_not_ours_yet_stays_as_it_is_to_the_byte(
    engine: Engine, runs: Runs, tmp_path: Path
) -> None:
    """Not even its journal's mode is changed: whoever else uses it may not know of WAL."""
    copy = tmp_path / "original.sqlite3"
    with closing(sqlite3.connect(str(engine.url.database))) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    before = copy.read_bytes()
    told = installation(NOWHERE, f"sqlite:///{copy}", tmp_path).process("cut-over", "forecast")
    assert "would cancel 4 run(s)" in told.stdout, told.stderr
    assert copy.read_bytes() == before


def test_what_was_forecast_is_what_then_happens(
    flask: CommandLine, engine: Engine, runs: Runs
) -> None:
    told = flask.json("cut-over", "forecast")
    schema.upgrade(engine)
    with engine.connect() as connection:
        canceled = connection.scalars(
            text(
                "SELECT CAST(run_id AS VARCHAR(36)) FROM workflow_runs "
                "WHERE CAST(error_json AS VARCHAR(2000)) LIKE '%0002_cut_over%'"
            )
        )
        assert sorted(canceled) == told["runIds"]
    assert flask.json("cut-over", "forecast")["runs"] == 0
    assert "Nothing is stranded" in flask("cut-over", "forecast").stdout


def test_what_stops_the_cut_over_is_listed_and_the_exit_code_says_so(
    flask: CommandLine, engine: Engine, runs: Runs
) -> None:
    with engine.begin() as connection:
        update_run(connection, runs["temporal", "RUNNING"], "engine", "airflow")
        update_run(connection, runs["db", "FAILED"], "status", "PAUSED")
        connection.exec_driver_sql("DROP INDEX workflow_definitions_tenant_key_unique")
        old_database.add_definition(connection)
    told = flask.json("cut-over", "forecast", code=3)
    assert told["canRun"] is False
    assert told["runs"] == 4
    assert len(told["refusals"]) == 3
    result = flask("cut-over", "forecast", code=3)
    assert f"workflow_runs {runs['temporal', 'RUNNING']}: engine 'airflow'" in result.stderr
    assert "status 'PAUSED'" in result.stderr
    assert "key 'old-workflow' belongs to 2 rows" in result.stderr


def test_an_empty_database_and_one_at_head_have_nothing_to_cancel(
    flask: CommandLine, engine: Engine
) -> None:
    assert flask.json("cut-over", "forecast")["runs"] == 0
    schema.upgrade(engine)
    assert flask.json("cut-over", "forecast")["canRun"] is True


def test_runs_of_before_there_were_engines_are_stranded_too(
    flask: CommandLine, engine: Engine, runs: Runs
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE workflow_runs DROP COLUMN engine")
    assert flask.json("cut-over", "forecast")["runs"] == 6
    schema.upgrade(engine)
    assert flask.json("cut-over", "forecast")["runs"] == 0


def test_of_many_runs_the_first_are_named_and_the_rest_counted(
    flask: CommandLine, engine: Engine, runs: Runs
) -> None:
    with engine.begin() as connection:
        workflow_id = old_database.add_definition(connection, key="many")
        for _ in range(60):
            old_database.insert(
                connection,
                "workflow_runs",
                run_id=old_database.new_id(),
                workflow_id=workflow_id,
                workflow_version=1,
                status="WAITING",
            )
    told = flask.json("cut-over", "forecast")
    assert (told["runs"], len(told["runIds"])) == (64, 50)
    assert "… and 14 more" in flask("cut-over", "forecast").stdout


def test_the_real_command_line_answers_with_its_code(flask: CommandLine, runs: Runs) -> None:
    told = flask.process("cut-over", "forecast")
    assert told.returncode == 0, told.stderr
    assert "would cancel 4 run(s)" in told.stdout
