"""A database with very many runs for the list: of every status, trigger and version, by SQL.

Run n began `SECONDS_APART` after run n - 1. What is common, what is rare and what is very rare are
all there for each filter, since an index is needed where the order of time finds nothing for long.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, insert, text

from engine.store.session import writer
from engine.store.tables import Operator, WorkflowDefinition

BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS_APART: Final = 3
OPERATOR_ID: Final = "00000000-0000-4000-8000-0000000000ff"
WORKFLOWS: Final = ("orders", "invoices", "reminders", "onboarding", "yearly-audit")
"""Of ten runs five, three, one and one; of all runs, ten are of the last."""

_WORDS: Final = {
    "postgresql": {
        "numbers": "numbers(n) AS (SELECT generate_series(1, :runs))",
        "hex": "lpad(to_hex({}), {}, '0')",
        "uuid": "uuid",
        "json": "jsonb",
        "time": "timestamptz '2026-01-01 00:00:00+00' + {} * interval '1 second'",
    },
    "sqlite": {
        "numbers": "numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :runs)",
        "hex": "printf('%0{1}x', {0})",
        "uuid": "text",
        "json": "text",
        "time": "strftime('%Y-%m-%d %H:%M:%S.000000', '2026-01-01', ({}) || ' seconds')",
    },
}

_RARE: Final = "n % (:runs / 10) = 7"
_OPEN: Final = "n > :runs - :runs / 500"
_WORKFLOW: Final = (
    f"CASE WHEN {_RARE} THEN 4 WHEN n % 10 < 5 THEN 0 WHEN n % 10 < 8 THEN 1 ELSE n % 10 - 6 END"
)

_RUNS: Final = """
WITH RECURSIVE {numbers}
INSERT INTO workflow_runs (run_id, workflow_id, workflow_version, status, engine, epoch,
  input_json, temporal_workflow_id, trigger_type, trigger_metadata_json, replay_of_run_id,
  parent_run_id, started_by, started_at, updated_at, completed_at, claimed_by)
SELECT {run}, {workflow},
  CASE WHEN {rare} THEN 9 WHEN n < :runs / 2 THEN 1 ELSE 2 END,
  CASE WHEN {open} THEN CASE n % 2 WHEN 0 THEN 'RUNNING' ELSE 'WAITING' END
    WHEN n % 25 = 3 THEN 'FAILED' WHEN n % 50 = 7 THEN 'CANCELED' ELSE 'SUCCEEDED' END,
  'temporal', 1,
  CAST('{{"ticket": "T-1", "text": "as long as an operator would write it"}}' AS {json}),
  'run-' || {run},
  CASE WHEN {rare} THEN 'schedule' WHEN n % 10 IN (4, 5, 6) THEN 'recurring'
    WHEN n % 10 IN (7, 8) THEN 'event' END,
  NULL,
  CASE WHEN n % 20 = 9 AND NOT {rare} THEN {earlier} END,
  CASE WHEN n % 20 = 19 AND NOT {rare} THEN {earlier} END,
  CASE WHEN n % 10 < 4 THEN CAST('{operator}' AS {uuid}) END,
  {began}, {began}, CASE WHEN {open} THEN NULL ELSE {began} END, 'first'
FROM numbers
"""

_WAITS: Final = """
WITH RECURSIVE {numbers}
INSERT INTO workflow_run_waits (wait_id, run_id, step_path, wait_type, status, key, created_at)
SELECT {run}, {run}, 'root.steps[0]', 'event', 'RESOLVED', 'order-' || n, {began}
FROM numbers WHERE n % 5 = 2
"""


def build(engine: Engine, runs: int) -> None:
    """Fill the migrated, empty tables."""
    with writer(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        _workflows(connection)
        for statement in (_RUNS, _WAITS):
            connection.execute(text(_written(engine.dialect.name, statement)), {"runs": runs})
    if engine.dialect.name == "postgresql":  # It does so by itself; SQLite never does.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("VACUUM ANALYZE")


def run_id(number: int) -> str:
    """Of the run that began as the `number`th: its beginning is spread as a real one's is."""
    return f"{number * 2654435761 % 2**32:08x}-0000-4000-8000-{number:012x}"


def began_at(number: int) -> datetime:
    return BEGAN + timedelta(seconds=number * SECONDS_APART)


def workflow_id(place: int) -> str:
    return f"00000000-0000-4000-8000-{place:012x}"


def _workflows(connection: Connection) -> None:
    common = {"created_at": BEGAN, "updated_at": BEGAN}
    connection.execute(
        insert(WorkflowDefinition),
        [
            {
                "workflow_id": workflow_id(place),
                "key": key,
                "name": key.capitalize(),
                "payload_schema_ref": "inline",
                "draft_definition": {},
                "status": "published",
            }
            | common
            for place, key in enumerate(WORKFLOWS)
        ],
    )
    connection.execute(
        insert(Operator),
        [{"operator_id": OPERATOR_ID, "email": "bench@example.com", "role": "operator"} | common],
    )


def _written(dialect: str, statement: str) -> str:
    words = _WORDS[dialect]

    def identity(number: str) -> str:
        first = words["hex"].format(f"({number}) * 2654435761 % 4294967296", 8)
        last = words["hex"].format(number, 12)
        return f"CAST({first} || '-0000-4000-8000-' || {last} AS {words['uuid']})"

    workflow = words["hex"].format(f"({_WORKFLOW})", 12)
    return statement.format(
        numbers=words["numbers"],
        run=identity("n"),
        earlier=identity("n - 1"),
        workflow=f"CAST('00000000-0000-4000-8000-' || {workflow} AS {words['uuid']})",
        rare=_RARE,
        open=_OPEN,
        began=words["time"].format(f"n * {SECONDS_APART}"),
        operator=OPERATOR_ID,
        json=words["json"],
        uuid=words["uuid"],
    )
