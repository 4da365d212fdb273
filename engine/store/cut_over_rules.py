"""What holds for every row after the cut-over, and which rows would break it (docs/rules.md 9).

The rules become CHECK constraints in revision 0002, and unique indexes in 0003. A row that breaks
one stops the cut-over before it has changed anything, and is listed: what it means, only its owner
knows. Frozen, like the revisions themselves.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from engine.store import ddl

_TERMINAL: Final = "('SUCCEEDED', 'FAILED', 'CANCELED')"
_LISTED: Final = 20
"""Rows listed by name, a table and fault; the rest is a number."""

KEYS: Final = {
    "workflow_definitions": "workflow_id",
    "workflow_definition_versions": "version_id",
    "workflow_runs": "run_id",
    "workflow_run_steps": "step_id",
    "workflow_run_waits": "wait_id",
    "workflow_action_invocations": "invocation_id",
    "workflow_run_logs": "log_id",
}

KNOWN: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "workflow_definitions": {
        "status": ("draft", "published", "active"),
        "validation_status": ("valid", "warning", "error"),
    },
    "workflow_definition_versions": {"validation_status": ("valid", "warning", "error")},
    "workflow_runs": {"status": ("RUNNING", "WAITING", "SUCCEEDED", "FAILED", "CANCELED")},
    "workflow_run_steps": {
        "status": ("STARTED", "RETRY_SCHEDULED", "SUCCEEDED", "FAILED", "CANCELED")
    },
    "workflow_run_waits": {
        "status": ("WAITING", "RESOLVED", "CANCELED"),
        "wait_type": ("event", "time", "human", "quota", "retry", "timeout"),
    },
    "workflow_action_invocations": {"status": ("STARTED", "SUCCEEDED", "FAILED")},
    "workflow_run_logs": {"level": ("DEBUG", "INFO", "WARN", "ERROR")},
}

UNIQUE: Final = {
    "workflow_definitions": ("uq_workflow_definitions_key", ("key",)),
    "workflow_runs": ("workflow_runs_trigger_fire_key_unique", ("trigger_fire_key",)),
    "workflow_action_invocations": (
        "workflow_action_invocations_ledger_unique",
        ("action_id", "action_version", "idempotency_key"),
    ),
}
"""Of each table, the index and the columns that no two rows share; one installation is one tenant
(docs/rules.md 1). Some of the original's had lost theirs, or had them a tenant."""

_LIVE_ELSEWHERE: Final = (
    f"status NOT IN {_TERMINAL} AND engine IS NOT NULL AND engine NOT IN ('db', 'temporal')"
)
_RUN_RULES: Final = {
    "ck_workflow_runs_live_engine": (f"coalesce(engine, '') = 'temporal' OR status IN {_TERMINAL}"),
    "ck_workflow_runs_terminal_completed": (
        f"epoch = 0 OR status NOT IN {_TERMINAL} OR completed_at IS NOT NULL"
    ),
}


def checks(table: str) -> dict[str, str]:
    """The table's rules by the name of their constraint."""
    known = {
        f"ck_{table}_{column}_known": f"{column} IN {_listed(values)}"
        for column, values in KNOWN[table].items()
    }
    return known | (_RUN_RULES if table == "workflow_runs" else {})


def refusals(connection: Connection) -> list[str]:
    """One sentence a row, or a number of rows, that stops the cut-over; empty: it may go on.

    Tables and columns that an adopted database lacks hold nothing wrong.
    """
    inspector = sa.inspect(connection)
    found: list[str] = []
    for table in KNOWN:
        if inspector.has_table(table):
            there = {column["name"] for column in inspector.get_columns(table)}
            found += _faults(connection, table, _conditions(table, there))
            if table in UNIQUE:
                found += _twice(connection, inspector, table, there)
    return found


def _conditions(table: str, there: Collection[str]) -> list[tuple[str, str]]:
    """A column of the table and what is wrong with it, by rows."""
    wrong = [(column, _unknown(column, values)) for column, values in KNOWN[table].items()]
    if table == "workflow_runs":
        wrong.append(("engine", _LIVE_ELSEWHERE))
    return [(column, condition) for column, condition in wrong if column in there]


def _twice(
    connection: Connection, inspector: sa.Inspector, table: str, there: Collection[str]
) -> list[str]:
    """Values that several rows share; nothing is read where the database keeps them apart."""
    name, columns = UNIQUE[table]
    if not set(columns) <= set(there) or ddl.is_there(inspector, table, name, columns, unique=True):
        return []
    listed = ", ".join(columns)
    given = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    rows = connection.execute(
        sa.text(
            f"SELECT {listed}, count(*) FROM {table} WHERE {given} "
            f"GROUP BY {listed} HAVING count(*) > 1 ORDER BY {listed} LIMIT {_LISTED}"
        )
    )
    return [
        f"{table}: {listed} {', '.join(map(repr, values))} belongs to {count} rows; "
        "give all but one another"
        for *values, count in rows
    ]


def _unknown(column: str, values: tuple[str, ...]) -> str:
    """NULL is a status nobody knows, except of a check that was never made."""
    unknown = f"{column} NOT IN {_listed(values)}"
    return unknown if column == "validation_status" else f"({column} IS NULL OR {unknown})"


def _faults(connection: Connection, table: str, wrong: list[tuple[str, str]]) -> list[str]:
    """The rows of `table` that something is wrong with. Where nothing is, they are read once."""
    anything = " OR ".join(f"({condition})" for _, condition in wrong) or "1 = 0"
    if not connection.scalar(sa.text(f"SELECT 1 FROM {table} WHERE {anything} LIMIT 1")):
        return []
    return [
        fault
        for column, condition in wrong
        for fault in _rows(connection, table, column, condition)
    ]


def _rows(connection: Connection, table: str, column: str, condition: str) -> list[str]:
    """Those that meet `condition`, a fault of `column`."""
    rows = connection.execute(
        sa.text(
            f"SELECT {KEYS[table]}, {column} FROM {table} WHERE {condition} LIMIT {_LISTED + 1}"
        )
    ).all()
    listed = [f"{table} {key}: {column} {value!r} is not known" for key, value in rows[:_LISTED]]
    if len(rows) > _LISTED:
        total = connection.scalar(sa.text(f"SELECT count(*) FROM {table} WHERE {condition}"))
        listed.append(f"{table}: {total} rows in all with such a value of {column}")
    return listed


def _listed(values: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{value}'" for value in values) + ")"
