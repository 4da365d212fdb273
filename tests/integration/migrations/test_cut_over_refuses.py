"""What the cut-over refuses, and what the database refuses since (docs/rules.md 9)."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from engine.errors import Conflict
from engine.store import cut_over_rules, schema
from tests.integration.migrations import old_database
from tests.integration.migrations.cut_over_rows import (
    Runs,
    adopt,
    contents,
    insert_run,
    run_row,
    update_run,
)


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
    with pytest.raises(Conflict) as refused:
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


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
def test_a_run_without_any_status_stops_the_cut_over(engine: Engine, runs: Runs) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE workflow_runs ALTER COLUMN status DROP NOT NULL")
        update_run(connection, runs["db", "RUNNING"], "status", None)
    with pytest.raises(Conflict, match="status None"):
        adopt(engine)


@pytest.mark.parametrize(
    ("table", "columns", "listed"),
    [
        ("workflow_runs", "trigger_fire_key", "trigger_fire_key 'twice' belongs to 2 rows"),
        (
            "workflow_action_invocations",
            "action_id, action_version, idempotency_key",
            "action_id, action_version, idempotency_key 'tickets.create', 1, 'twice'",
        ),
    ],
    ids=["fire key", "ledger"],
)
def test_what_a_lost_unique_index_let_in_twice_stops_the_cut_over_and_is_listed(
    engine: Engine, runs: Runs, table: str, columns: str, listed: str
) -> None:
    """Some installations of the original lost theirs, or had one a tenant: ours would not build."""
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX workflow_runs_trigger_fire_key_unique")
        if table == "workflow_action_invocations":
            connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO with_its_rules")
            connection.exec_driver_sql(f"CREATE TABLE {table} AS SELECT * FROM with_its_rules")
            connection.exec_driver_sql("DROP TABLE with_its_rules")
        connection.execute(
            text(
                f"UPDATE {table} SET {columns.split(', ')[-1]} = 'twice' "
                "WHERE CAST(run_id AS VARCHAR(36)) IN (:one, :other)"
            ),
            {"one": runs["db", "FAILED"], "other": runs["temporal", "FAILED"]},
        )
    before = contents(engine)
    with pytest.raises(Conflict) as refused:
        adopt(engine)
    assert listed in str(refused.value)
    assert contents(engine, like=before) == before
    assert schema.current(engine) == "0001"


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
