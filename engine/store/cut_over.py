"""What the cut-over does to runs of the engine that is gone (PRD, Data / migration).

A run whose `engine` is null or 'db' and that is RUNNING or WAITING has nothing left that could
execute it: it becomes CANCELED with an error that says so, and what was open under it is closed.
Terminal rows and Temporal's rows are not touched. Plain SQL, made for the tables and columns that
are there: an adopted database may lack some. Used by revision 0002 and by its dry run; frozen, like
the revision itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

MIGRATION: Final = "0002_cut_over"
MESSAGE: Final = (
    "Canceled by the cut-over to Temporal: the database engine that this run was started on has "
    "been removed, and nothing was left to execute it. Replay starts it again, on Temporal."
)
BATCH: Final = 500
"""Runs a transaction: a writer to one of them waits some 30 ms (docs/measured.md 5)."""

LISTED: Final = 50
"""Runs that a forecast names."""

_LIVE: Final = "status IN ('RUNNING', 'WAITING')"
STRANDED: Final = f"{_LIVE} AND (engine IS NULL OR engine = 'db')"
_ERROR: Final = json.dumps({"message": MESSAGE, "stage": "migration", "migration": MIGRATION})
"""Of a call that was open."""
_RUN_ERROR: Final = (
    "{object}('message', CAST(:message AS VARCHAR), 'stage', 'migration', 'migration', "
    "CAST(:migration AS VARCHAR), 'details', "
    "{object}('previousStatus', status, 'nodePath', node_path))"
)
"""Of a run: with what it was, which the UPDATE changes."""

Columns = Mapping[str, Mapping[str, Any]]
"""Types of the columns of the tables that are there."""


@dataclass(frozen=True, slots=True)
class Closing:
    """How the open rows of one table are closed, once the runs of a batch are known."""

    table: str
    open: str
    changes: Mapping[str, str]
    """SQL by column; a column that the table lacks is left out."""
    run_column: str = "run_id"


CLOSINGS: Final = (
    Closing(
        "workflow_run_waits", "status = 'WAITING'", {"status": "'CANCELED'", "resolved_at": "{now}"}
    ),
    Closing(
        "workflow_run_steps",
        "status IN ('STARTED', 'RETRY_SCHEDULED')",
        {"status": "'CANCELED'", "completed_at": "coalesce(completed_at, {now})"},
    ),
    Closing(
        "workflow_action_invocations",
        "status = 'STARTED'",
        {
            "status": "'FAILED'",
            "error_message": ":message",
            "error_json": "{error}",
            "completed_at": "{now}",
        },
    ),
    Closing(
        "workflow_tasks",
        "status IN ('pending', 'claimed')",
        {"status": "'canceled'", "updated_at": "{now}"},
        run_column="execution_id",
    ),
)

_RUN_CHANGES: Final = {
    "status": "'CANCELED'",
    "completed_at": "{now}",
    "updated_at": "{now}",
    "node_path": "NULL",
    "error_json": _RUN_ERROR,
}

_POSTGRESQL: Final = {
    "now": "now()",
    "error": "CAST(:error AS jsonb)",
    "object": "jsonb_build_object",
    "locked": "FOR UPDATE",
}
_SQLITE: Final = {
    "now": "strftime('%Y-%m-%d %H:%M:%f000', 'now')",
    "error": ":error",
    "object": "json_object",
    "locked": "",
}


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the cut-over would do; `refusals` would stop it before it did anything."""

    refusals: list[str]
    runs: int
    run_ids: list[str]
    """The first of them, oldest first."""
    closed: dict[str, int]
    """Open rows that would be closed, by table."""


def columns_there(connection: Connection) -> Columns:
    inspector = sa.inspect(connection)
    tables = ("workflow_runs", *(closing.table for closing in CLOSINGS))
    return {
        table: {column["name"]: column["type"] for column in inspector.get_columns(table)}
        for table in tables
        if inspector.has_table(table)
    }


def forecast(connection: Connection, refusals: list[str]) -> Forecast:
    """Counts what is stranded; writes nothing."""
    columns = columns_there(connection)
    if "workflow_runs" not in columns:
        return Forecast(refusals, runs=0, run_ids=[], closed={})
    # The first revision adds the column where an old installation lacks it: null in every row.
    which = STRANDED if "engine" in columns["workflow_runs"] else _LIVE
    stranded = f"(SELECT run_id FROM workflow_runs WHERE {which})"
    first = connection.scalars(
        sa.text(
            f"SELECT run_id FROM workflow_runs WHERE {which} "
            f"ORDER BY started_at, run_id LIMIT {LISTED}"
        )
    )
    return Forecast(
        refusals=refusals,
        runs=_count(connection, f"SELECT count(*) FROM workflow_runs WHERE {which}"),
        run_ids=[str(run_id) for run_id in first],
        closed={
            closing.table: _count(
                connection,
                f"SELECT count(*) FROM {closing.table} WHERE {closing.open} "
                f"AND {_of_runs(closing, columns, stranded)}",
            )
            for closing in CLOSINGS
            if closing.table in columns
        },
    )


def batch_statements(dialect: str, columns: Columns) -> list[str]:
    """The statements that finalize one batch, to be executed in order in one transaction.

    The batch's run ids are in the temporary table `cut_over_batch`, which `prepare` makes.
    """
    words = _POSTGRESQL if dialect == "postgresql" else _SQLITE
    closings = [
        _update(closing, columns, words) for closing in CLOSINGS if closing.table in columns
    ]
    changes = _assignments(_RUN_CHANGES, columns["workflow_runs"], words)
    runs = f"UPDATE workflow_runs SET {changes} WHERE {_IN_BATCH} AND {STRANDED}"
    return [*closings, runs]


def prepare(connection: Connection) -> None:
    connection.execute(
        sa.text(
            "CREATE TEMPORARY TABLE IF NOT EXISTS cut_over_batch AS "
            "SELECT run_id FROM workflow_runs WHERE 1 = 0"
        )
    )


def finalize_batch(connection: Connection, columns: Columns) -> int:
    """Finalize at most `BATCH` stranded runs; how many it were. The caller commits."""
    words = _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE
    connection.execute(sa.text("DELETE FROM cut_over_batch"))
    connection.execute(
        sa.text(
            f"INSERT INTO cut_over_batch SELECT run_id FROM workflow_runs "
            f"WHERE {STRANDED} LIMIT {BATCH} {words['locked']}"
        )
    )
    found = _count(connection, "SELECT count(*) FROM cut_over_batch")
    if found:
        for statement in batch_statements(connection.dialect.name, columns):
            execute(connection, statement)
    return found


def execute(connection: Connection, statement: str) -> None:
    """One of `batch_statements`, with the values that it names."""
    values = {"message": MESSAGE, "error": _ERROR, "migration": MIGRATION}
    clause = sa.text(statement)
    connection.execute(clause, {name: values[name] for name in clause._bindparams})


_BATCH_IDS: Final = "(SELECT run_id FROM cut_over_batch)"
_IN_BATCH: Final = f"run_id IN {_BATCH_IDS}"


def _update(closing: Closing, columns: Columns, words: Mapping[str, str]) -> str:
    changes = _assignments(closing.changes, columns[closing.table], words)
    return (
        f"UPDATE {closing.table} SET {changes} WHERE {closing.open} "
        f"AND {_of_runs(closing, columns, _BATCH_IDS)}"
    )


def _of_runs(closing: Closing, columns: Columns, run_ids: str) -> str:
    """A condition on the closing's run column, also where it is text beside a uuid."""
    own = columns[closing.table].get(closing.run_column)
    if isinstance(own, sa.String) is isinstance(columns["workflow_runs"]["run_id"], sa.String):
        return f"{closing.run_column} IN {run_ids}"
    as_text = run_ids.replace("SELECT run_id", "SELECT CAST(run_id AS VARCHAR(36))")
    return f"CAST({closing.run_column} AS VARCHAR(36)) IN {as_text}"


def _assignments(
    changes: Mapping[str, str], there: Mapping[str, Any], words: Mapping[str, str]
) -> str:
    return ", ".join(
        f"{column} = {value.format(**words)}"
        for column, value in changes.items()
        if column in there
    )


def _count(connection: Connection, query: str) -> int:
    return int(connection.scalar(sa.text(query)) or 0)
