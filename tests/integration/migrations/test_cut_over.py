"""The cut-over (PRD, Data / migration; docs/rules.md 9), on a database of the original system."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, select
from sqlalchemy.orm import Session

from engine.store import cut_over, schema
from engine.store.tables import METADATA, WorkflowRun
from tests.integration.migrations.cut_over_rows import (
    STRANDED,
    Runs,
    adopt,
    children,
    contents,
    run_row,
)


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
    assert set(error) == {"message", "stage", "migration", "details"}
    assert error["stage"] == "migration"
    assert error["details"] == {"previousStatus": which[1], "nodePath": "root.steps[0]"}
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


def test_no_row_is_lost_and_none_is_made(
    engine: Engine, runs: Runs, before: dict[str, list[dict[str, Any]]]
) -> None:
    adopt(engine)
    after = contents(engine, like=before)
    for table, rows in before.items():
        assert len(after[table]) == len(rows), table


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
