"""A database as the original system left it, with very many runs: made by SQL, in seconds.

Of the runs, `stranded` have no engine that could execute them, as many are Temporal's and live, and
the rest is history. A stranded run has two open waits, an open step, call and task under it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, text

from tests.integration.migrations import old_database

OPEN_WAITS_A_RUN: Final = 2

_WORDS: Final = {
    "postgresql": {
        "numbers": "numbers(n) AS (SELECT generate_series(1, :runs))",
        "two": "two(m) AS (SELECT generate_series(1, 2))",
        "id": "CAST('a0000000-0000-4000-8000-' || lpad(to_hex({}), 12, '0') AS uuid)",
        "json": "jsonb",
        "time": "timestamptz",
        "definition": "CAST(:definition AS uuid)",
    },
    "sqlite": {
        "numbers": "numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :runs)",
        "two": "two(m) AS (SELECT 1 UNION ALL SELECT 2)",
        "id": "printf('a0000000-0000-4000-8000-%012x', {})",
        "json": "text",
        "time": "text",
        "definition": ":definition",
    },
}

_STRANDED: Final = "n % :every = 0"
_OF_TEMPORAL: Final = "n % :every = 1"

_RUNS: Final = """
WITH RECURSIVE {numbers}
INSERT INTO workflow_runs (run_id, workflow_id, workflow_version, status, engine, node_path,
  input_json, temporal_workflow_id, started_at, completed_at)
SELECT {run}, {definition}, 1,
  CASE WHEN {stranded} OR {of_temporal}
    THEN CASE n / :every % 2 WHEN 0 THEN 'RUNNING' ELSE 'WAITING' END
    ELSE CASE n % 3 WHEN 0 THEN 'SUCCEEDED' WHEN 1 THEN 'FAILED' ELSE 'CANCELED' END END,
  CASE WHEN {stranded} THEN CASE n / :every % 3 WHEN 0 THEN NULL ELSE 'db' END
    WHEN {of_temporal} OR n % 2 = 0 THEN 'temporal' ELSE 'db' END,
  CASE WHEN {stranded} THEN 'root.steps[0]' END,
  CAST('{{"ticket": "T-1", "text": "as long as an operator would write it"}}' AS {json}),
  CASE WHEN {of_temporal} THEN 'workflow-runtime-v2:run:' || n END,
  CAST('2026-01-02 03:04:05' AS {time}),
  CASE WHEN {stranded} OR {of_temporal} THEN NULL ELSE CAST('2026-01-02 03:05:06' AS {time}) END
FROM numbers
"""

_WAITS: Final = """
WITH RECURSIVE {numbers}, {two}
INSERT INTO workflow_run_waits (wait_id, run_id, step_path, wait_type, status)
SELECT {wait}, {run}, 'root.steps[0]', CASE m WHEN 1 THEN 'event' ELSE 'timeout' END,
  CASE WHEN {stranded} OR {of_temporal} THEN 'WAITING' ELSE 'RESOLVED' END
FROM numbers, two WHERE m = 1 OR {stranded}
"""

_STEPS: Final = """
WITH RECURSIVE {numbers}
INSERT INTO workflow_run_steps (step_id, run_id, step_path, definition_step_id, status)
SELECT {run}, {run}, 'root.steps[0]', 'first',
  CASE WHEN {stranded} OR {of_temporal} THEN 'STARTED' ELSE 'SUCCEEDED' END
FROM numbers
"""

_INVOCATIONS: Final = """
WITH RECURSIVE {numbers}
INSERT INTO workflow_action_invocations
  (invocation_id, run_id, step_path, action_id, action_version, idempotency_key, status)
SELECT {run}, {run}, 'root.steps[0]', 'tickets.create', 1, 'key-' || n,
  CASE WHEN {stranded} OR {of_temporal} THEN 'STARTED' ELSE 'SUCCEEDED' END
FROM numbers
"""

_TASKS: Final = """
WITH RECURSIVE {numbers}
INSERT INTO workflow_tasks (task_id, execution_id, title, status)
SELECT {run}, {run}, 'Approve', CASE WHEN {stranded} THEN 'pending' ELSE 'completed' END
FROM numbers WHERE {stranded} OR n % 20 = 7
"""


@dataclass(frozen=True, slots=True)
class Size:
    runs: int
    stranded: int

    @property
    def open_waits(self) -> int:
        """Of the stranded runs."""
        return self.stranded * OPEN_WAITS_A_RUN


def build(engine: Engine, size: Size) -> None:
    """The tables with the original's indexes, filled and analyzed."""
    with engine.begin() as connection:
        old_database.create_tables(connection)
        definition = old_database.add_definition(connection)
        for statement in (_RUNS, _WAITS, _STEPS, _INVOCATIONS, _TASKS):
            _fill(connection, statement, size, definition)
        connection.exec_driver_sql(
            "CREATE INDEX workflow_action_invocations_run_id_step_path_index "
            "ON workflow_action_invocations (run_id, step_path)"
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("VACUUM ANALYZE")


def _fill(connection: Connection, statement: str, size: Size, definition: str) -> None:
    words = _WORDS[connection.dialect.name]
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    written = statement.format(
        **words,
        run=words["id"].format("n"),
        wait=words["id"].format(f"n + (m - 1) * {1 << 40}"),
        stranded=_STRANDED,
        of_temporal=_OF_TEMPORAL,
    )
    values = {"runs": size.runs, "every": size.runs // size.stranded, "definition": definition}
    clause = text(written)
    connection.execute(clause, {name: values[name] for name in clause._bindparams})
