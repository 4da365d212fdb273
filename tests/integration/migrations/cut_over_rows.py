"""What the tests of the cut-over look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text

from engine.store import schema
from tests.integration.migrations import old_database
from tests.integration.migrations.old_database import new_id

Runs = dict[tuple[str | None, str], str]
STRANDED = [(of, status) for of in (None, "db") for status in ("RUNNING", "WAITING")]


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
