"""The cut-over of many runs, interrupted, and of unlike installations."""

from __future__ import annotations

import time

import pytest
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, inspect, text

from engine.errors import Conflict
from engine.store import cut_over, cut_over_rules, schema
from engine.store.tables import METADATA
from tests.integration.migrations import old_database
from tests.integration.migrations.cut_over_rows import (
    STRANDED,
    Runs,
    adopt,
    children,
    contents,
    insert_run,
    run_row,
    update_run,
)
from tests.integration.migrations.old_database import new_id


def test_five_thousand_stranded_runs_take_seconds(engine: Engine) -> None:
    with engine.begin() as connection:
        old_database.create_tables(connection)
        workflow_id = old_database.add_definition(connection)
        for _ in range(5000):
            run_id = insert_run(connection, workflow_id, "RUNNING", "db")
            for _ in range(2):
                old_database.insert(
                    connection,
                    "workflow_run_waits",
                    wait_id=new_id(),
                    run_id=run_id,
                    step_path="root.steps[0]",
                    wait_type="time",
                )
    began = time.monotonic()
    adopt(engine)
    took = time.monotonic() - began
    with engine.connect() as connection:
        live = connection.scalar(
            text("SELECT count(*) FROM workflow_runs WHERE status <> 'CANCELED'")
        )
        open_waits = connection.scalar(
            text("SELECT count(*) FROM workflow_run_waits WHERE status = 'WAITING'")
        )
    assert (live, open_waits) == (0, 0)
    assert took < 20


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_an_interrupted_cut_over_goes_on(
    engine: Engine, runs: Runs, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """Batches of one run; the process dies in the middle of one of them."""
    monkeypatch.setattr(cut_over, "BATCH", 1)
    real, calls = cut_over.finalize_batch, iter(range(1, 100))

    def dies(connection: Connection, columns: cut_over.Columns) -> int:
        found = real(connection, columns)
        if next(calls) == batch:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(cut_over, "finalize_batch", dies)
    with pytest.raises(KeyboardInterrupt):
        adopt(engine)
    assert schema.current(engine) == "0001"
    canceled = [which for which in STRANDED if run_row(engine, runs[which])["status"] == "CANCELED"]
    on_postgresql = engine.dialect.name == "postgresql"
    assert len(canceled) == (batch - 1 if on_postgresql else 0)
    monkeypatch.setattr(cut_over, "finalize_batch", real)
    schema.upgrade(engine)
    for which in STRANDED:
        assert run_row(engine, runs[which])["status"] == "CANCELED"
        waits = children(engine, "workflow_run_waits", runs[which])
        assert {row["status"] for row in waits} == {"CANCELED", "RESOLVED"}
    assert schema.at_head(engine)


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
def test_an_index_that_was_left_half_built_is_built_again(engine: Engine, runs: Runs) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE INDEX ix_workflow_runs_open ON workflow_runs (run_id)")
        connection.exec_driver_sql(
            "UPDATE pg_index SET indisvalid = false "
            "WHERE indexrelid = 'ix_workflow_runs_open'::regclass"
        )
    adopt(engine)
    indexes = {index["name"]: index for index in inspect(engine).get_indexes("workflow_runs")}
    assert indexes["ix_workflow_runs_open"]["column_names"] == ["started_at"]


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
def test_a_required_tenant_is_required_no_more(engine: Engine, runs: Runs) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE workflow_runs SET tenant = '{new_id()}'")
        connection.exec_driver_sql("ALTER TABLE workflow_runs ALTER COLUMN tenant SET NOT NULL")
    adopt(engine)
    with engine.begin() as connection:
        insert_run(
            connection, old_database.add_definition(connection, "new"), "RUNNING", "temporal"
        )


def test_two_workflows_with_one_key_are_not_guessed_apart(engine: Engine, runs: Runs) -> None:
    with engine.begin() as connection:
        other = old_database.add_definition(connection, key="twice")
        connection.exec_driver_sql("DROP INDEX workflow_definitions_tenant_key_unique")
        old_database.add_definition(connection, key="twice")
    with pytest.raises(Conflict, match="twice"):
        adopt(engine)
    assert schema.current(engine) == "0001"
    assert run_row(engine, runs["db", "RUNNING"])["status"] == "RUNNING"
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE workflow_definitions SET key = 'once' "
                "WHERE CAST(workflow_id AS VARCHAR(36)) = :id"
            ),
            {"id": other},
        )
    schema.upgrade(engine)
    assert schema.at_head(engine)


def test_a_forecast_of_an_empty_database_is_empty(engine: Engine) -> None:
    with engine.connect() as connection:
        forecast = cut_over.forecast(connection, cut_over_rules.refusals(connection))
    assert forecast == cut_over.Forecast([], 0, [], {})


def test_a_forecast_counts_and_writes_nothing(engine: Engine, runs: Runs) -> None:
    before = contents(engine)
    with engine.connect() as connection:
        forecast = cut_over.forecast(connection, cut_over_rules.refusals(connection))
    assert forecast.refusals == []
    assert forecast.runs == 4
    assert len(forecast.run_ids) == 4
    assert runs["db", "WAITING"] in forecast.run_ids
    assert forecast.closed == {
        "workflow_run_waits": 24,
        "workflow_run_steps": 8,
        "workflow_action_invocations": 4,
        "workflow_tasks": 8,
    }
    assert contents(engine) == before
    adopt(engine)
    with engine.connect() as connection:
        after = cut_over.forecast(connection, [])
    assert after.runs == 0
    assert set(after.closed.values()) == {0}


def test_the_commands_of_flask_adopt_a_database(engine: Engine, runs: Runs) -> None:
    app = Flask("old")
    app.config["SQLALCHEMY_DATABASE_URI"] = engine.url.render_as_string(hide_password=False)
    database = SQLAlchemy(app, metadata=METADATA)
    Migrate(app, database, directory=str(schema.MIGRATIONS))
    runner = app.test_cli_runner()
    for command in (["db", "stamp", "0001"], ["db", "upgrade"], ["db", "upgrade"]):
        result = runner.invoke(args=command)
        assert result.exit_code == 0, (command, result.output, result.exception)
    assert run_row(engine, runs["db", "RUNNING"])["status"] == "CANCELED"
    with app.app_context():
        database.engine.dispose()


def test_the_command_of_flask_refuses_with_the_list(engine: Engine, runs: Runs) -> None:
    with engine.begin() as connection:
        update_run(connection, runs["temporal", "RUNNING"], "engine", "airflow")
    app = Flask("old")
    app.config["SQLALCHEMY_DATABASE_URI"] = engine.url.render_as_string(hide_password=False)
    database = SQLAlchemy(app, metadata=METADATA)
    Migrate(app, database, directory=str(schema.MIGRATIONS))
    assert app.test_cli_runner().invoke(args=["db", "stamp", "0001"]).exit_code == 0
    assert app.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 1
    assert schema.current(engine) == "0001"
    with app.app_context():
        database.engine.dispose()
