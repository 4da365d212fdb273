"""The cut-over (PRD, Data / migration; rules.md 9), on a database of the original system."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from alembic.util import CommandError
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.store import cut_over, cut_over_rules, schema
from engine.store.tables import METADATA, WorkflowRun
from tests.integration.migrations import old_database
from tests.integration.migrations.old_database import new_id

Runs = dict[tuple[str | None, str], str]
STRANDED = [(of, status) for of in (None, "db") for status in ("RUNNING", "WAITING")]


@pytest.fixture
def runs(engine: Engine) -> Runs:
    return old_database.build(engine)


@pytest.fixture
def before(engine: Engine, runs: Runs) -> dict[str, list[dict[str, Any]]]:
    return contents(engine)


def adopt(engine: Engine) -> None:
    schema.stamp(engine, "0001")
    schema.upgrade(engine)


def contents(
    engine: Engine, like: dict[str, list[dict[str, Any]]] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table; with `like`, of its tables and columns only."""
    with engine.connect() as connection:
        tables = like or {name: [] for name in inspect(connection).get_table_names()}
        return {
            table: list(
                old_database.rows(
                    connection, table, list(like[table][0]) if like and like[table] else None
                )
            )
            for table in tables
        }


def run_row(engine: Engine, run_id: str) -> dict[str, Any]:
    with engine.connect() as connection:
        rows = list(old_database.rows(connection, "workflow_runs"))
    return next(row for row in rows if str(row["run_id"]) == run_id)


def children(engine: Engine, table: str, run_id: str, column: str = "run_id") -> Iterator[Any]:
    with engine.connect() as connection:
        for row in old_database.rows(connection, table):
            if str(row[column]) == run_id:
                yield row


@pytest.mark.parametrize("which", STRANDED, ids=str)
def test_a_stranded_run_is_canceled_and_says_why(
    engine: Engine, runs: Runs, which: tuple[str | None, str]
) -> None:
    adopt(engine)
    row = run_row(engine, runs[which])
    assert row["status"] == "CANCELED"
    assert row["completed_at"] is not None
    assert str(row["updated_at"]) > "2026-01-03"
    assert row["node_path"] is None
    assert row["engine"] == which[0]
    error = (
        row["error_json"] if isinstance(row["error_json"], dict) else json.loads(row["error_json"])
    )
    assert set(error) == {"message", "stage", "migration"}
    assert error["stage"] == "migration"
    assert "Temporal" in error["message"]


@pytest.mark.parametrize("which", STRANDED, ids=str)
def test_what_was_open_under_a_stranded_run_is_closed(
    engine: Engine, runs: Runs, which: tuple[str | None, str]
) -> None:
    adopt(engine)
    run_id = runs[which]
    waits = list(children(engine, "workflow_run_waits", run_id))
    assert {row["status"] for row in waits} == {"CANCELED", "RESOLVED"}
    assert sum(row["resolved_at"] is not None for row in waits) == 6
    steps = list(children(engine, "workflow_run_steps", run_id))
    assert sorted(row["status"] for row in steps) == sorted(
        ["CANCELED", "CANCELED", "CANCELED", "SUCCEEDED", "FAILED"]
    )
    assert sum(row["completed_at"] is not None for row in steps) == 2
    calls = list(children(engine, "workflow_action_invocations", run_id))
    assert sorted(row["status"] for row in calls) == ["FAILED", "FAILED", "SUCCEEDED"]
    assert sum(row["error_message"] == cut_over.MESSAGE for row in calls) == 1
    tasks = list(children(engine, "workflow_tasks", run_id, "execution_id"))
    assert sorted(row["status"] for row in tasks) == [
        "canceled",
        "canceled",
        "canceled",
        "completed",
        "expired",
    ]


def test_each_stranded_run_gets_one_line_in_its_log(engine: Engine, runs: Runs) -> None:
    adopt(engine)
    for which, run_id in runs.items():
        logs = list(children(engine, "workflow_run_logs", run_id))
        new = [row for row in logs if row["message"] == cut_over.MESSAGE]
        assert len(logs) == 4 + len(new)
        assert len(new) == (1 if which in STRANDED else 0)
        for row in new:
            context = row["context_json"]
            known = context if isinstance(context, dict) else json.loads(context)
            assert known["previousStatus"] == which[1]


def test_every_other_row_is_as_it_was_byte_for_byte(
    engine: Engine, runs: Runs, before: dict[str, list[dict[str, Any]]]
) -> None:
    adopt(engine)
    stranded = {runs[which] for which in STRANDED}
    after = contents(engine, like=before)
    for table, rows in before.items():
        column = "execution_id" if table == "workflow_tasks" else "run_id"
        kept = [row for row in rows if str(row.get(column)) not in stranded]
        now = [row for row in after[table] if str(row.get(column)) not in stranded]
        assert now == kept, table


def test_no_row_is_lost(
    engine: Engine, runs: Runs, before: dict[str, list[dict[str, Any]]]
) -> None:
    adopt(engine)
    after = contents(engine, like=before)
    for table, rows in before.items():
        added = len(STRANDED) if table == "workflow_run_logs" else 0
        assert len(after[table]) == len(rows) + added, table


def test_a_database_that_was_never_stamped_is_adopted_too(engine: Engine, runs: Runs) -> None:
    schema.upgrade(engine)
    assert run_row(engine, runs[None, "RUNNING"])["status"] == "CANCELED"


def test_again_changes_nothing(engine: Engine, runs: Runs) -> None:
    adopt(engine)
    once = contents(engine)
    schema.upgrade(engine)
    adopt(engine)
    assert contents(engine) == once


def test_the_models_read_and_write_an_adopted_database(engine: Engine, runs: Runs) -> None:
    adopt(engine)
    with Session(engine) as session:
        for mapper in METADATA.tables.values():
            session.execute(select(mapper)).all()
        of_temporal = session.get_one(WorkflowRun, runs["temporal", "RUNNING"])
        assert of_temporal.epoch == 0
        assert of_temporal.claimed_by is None
        assert of_temporal.started_at.year == 2026


@pytest.mark.parametrize(
    "missing",
    [
        ["workflow_tasks"],
        ["workflow_run_snapshots"],
        ["workflow_run_waits", "workflow_run_logs"],
        ["workflow_run_steps", "workflow_action_invocations", "workflow_tasks"],
    ],
)
def test_tables_that_an_installation_lacks_are_no_obstacle(
    engine: Engine, runs: Runs, missing: list[str]
) -> None:
    with engine.begin() as connection:
        for table in missing:
            connection.exec_driver_sql(f"DROP TABLE {table}")
    adopt(engine)
    assert run_row(engine, runs["db", "WAITING"])["status"] == "CANCELED"
    assert set(inspect(engine).get_table_names()) >= set(METADATA.tables)


def test_columns_and_indexes_that_an_installation_lacks_are_added(
    engine: Engine, runs: Runs
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX workflow_runs_trigger_fire_key_unique")
        connection.exec_driver_sql("ALTER TABLE workflow_runs DROP COLUMN definition_hash")
        connection.exec_driver_sql("ALTER TABLE workflow_runs DROP COLUMN root_run_id")
    adopt(engine)
    inspector = inspect(engine)
    there = {column["name"] for column in inspector.get_columns("workflow_runs")}
    assert there >= set(METADATA.tables["workflow_runs"].columns.keys())
    names = {index["name"] for index in inspector.get_indexes("workflow_runs")}
    assert "workflow_runs_trigger_fire_key_unique" in names


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("workflow_runs", "engine", "airflow"),
        ("workflow_runs", "engine", ""),
        ("workflow_runs", "engine", "DB"),
        ("workflow_runs", "status", "PAUSED"),
        ("workflow_runs", "status", "running"),
        ("workflow_run_waits", "wait_type", "webhook"),
        ("workflow_run_steps", "status", "PENDING"),
        ("workflow_definitions", "status", "archived"),
    ],
)
def test_what_is_unknown_stops_the_cut_over_and_is_listed(
    engine: Engine, runs: Runs, table: str, column: str, value: str
) -> None:
    with engine.begin() as connection:
        key = cut_over_rules.KEYS[table]
        live = "status = 'RUNNING'" if column == "engine" else "1 = 1"
        which = str(connection.scalar(text(f"SELECT {key} FROM {table} WHERE {live} ORDER BY 1")))
        connection.execute(
            text(f"UPDATE {table} SET {column} = :value WHERE CAST({key} AS VARCHAR(36)) = :which"),
            {"value": value, "which": which},
        )
    before = contents(engine)
    with pytest.raises(CommandError) as refused:
        adopt(engine)
    assert which in str(refused.value)
    assert repr(value) in str(refused.value)
    after = contents(engine, like=before)
    assert after == before
    assert schema.current(engine) == "0001"
    with engine.connect() as connection:
        assert cut_over_rules.refusals(connection) == [
            f"{table} {which}: {column} {value!r} is not known"
        ]


def test_a_terminal_run_of_an_unknown_engine_is_history(engine: Engine, runs: Runs) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE workflow_runs SET engine = 'airflow' WHERE status = 'FAILED'"
        )
    adopt(engine)
    assert run_row(engine, runs["db", "FAILED"])["engine"] == "airflow"


def test_many_refusals_are_counted(engine: Engine, runs: Runs) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE workflow_run_waits SET wait_type = 'webhook'")
    with engine.connect() as connection:
        refusals = cut_over_rules.refusals(connection)
    assert len(refusals) == 21
    assert "270 rows in all" in refusals[-1]


@pytest.mark.parametrize("of", [None, "", "db"], ids=repr)
@pytest.mark.parametrize("status", ["RUNNING", "WAITING"])
def test_the_database_refuses_a_live_run_of_another_engine(
    engine: Engine, runs: Runs, of: str | None, status: str
) -> None:
    adopt(engine)
    with engine.begin() as connection:
        workflow_id = old_database.add_definition(connection, key="new")
    with pytest.raises(IntegrityError), engine.begin() as connection:
        insert_run(connection, workflow_id, status, of)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        update_run(connection, runs["temporal", "RUNNING"], "engine", of)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        update_run(connection, runs["db", "FAILED"], "status", status)
    with engine.begin() as connection:
        insert_run(connection, workflow_id, status, "temporal")


def test_since_the_cut_over_a_terminal_run_has_its_time(engine: Engine, runs: Runs) -> None:
    adopt(engine)
    assert run_row(engine, runs["db", "FAILED"])["completed_at"] is None
    with engine.begin() as connection:
        workflow_id = old_database.add_definition(connection, key="new")
        run_id = insert_run(connection, workflow_id, "RUNNING", "temporal")
        update_run(connection, runs["db", "FAILED"], "definition_hash", "still writable")
    assert run_row(engine, run_id)["epoch"] == 1
    with pytest.raises(IntegrityError), engine.begin() as connection:
        insert_run(connection, workflow_id, "FAILED", "temporal")
    with pytest.raises(IntegrityError), engine.begin() as connection:
        update_run(connection, run_id, "status", "SUCCEEDED")


def test_every_status_is_known_to_the_database(engine: Engine, runs: Runs) -> None:
    adopt(engine)
    for table, known in cut_over_rules.KNOWN.items():
        for column in known:
            with pytest.raises(IntegrityError), engine.begin() as connection:
                connection.exec_driver_sql(f"UPDATE {table} SET {column} = 'nonsense'")


def insert_run(connection: Connection, workflow_id: str, status: str, of: str | None) -> str:
    run_id = new_id()
    old_database.insert(
        connection,
        "workflow_runs",
        run_id=run_id,
        workflow_id=workflow_id,
        workflow_version=1,
        status=status,
        engine=of,
    )
    return run_id


def update_run(connection: Connection, run_id: str, column: str, value: str | None) -> None:
    connection.execute(
        text(f"UPDATE workflow_runs SET {column} = :value WHERE CAST(run_id AS VARCHAR(36)) = :id"),
        {"value": value, "id": run_id},
    )


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
        logs = list(children(engine, "workflow_run_logs", runs[which]))
        assert run_row(engine, runs[which])["status"] == "CANCELED"
        assert len(logs) == 5
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
    with pytest.raises(CommandError, match="twice"):
        adopt(engine)
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


def test_a_forecast_counts_and_writes_nothing(engine: Engine, runs: Runs) -> None:
    before = contents(engine)
    with engine.connect() as connection:
        forecast = cut_over.forecast(connection, cut_over_rules.refusals(connection))
    assert forecast.refusals == []
    assert forecast.runs == 4
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
