"""A database as the original system left it, in raw SQL: what an installation brings along.

Written from the description of its tables alone, so that it holds the migrations to that and not
to themselves. Every table has rows of every sort.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, text

STATUSES = ("RUNNING", "WAITING", "SUCCEEDED", "FAILED", "CANCELED")
ENGINES = (None, "db", "temporal")

_TABLES = """
CREATE TABLE workflow_definitions (
  workflow_id {uuid} PRIMARY KEY {new_id}, tenant {uuid}, key text, name text NOT NULL,
  description text, payload_schema_ref text NOT NULL,
  payload_schema_mode text NOT NULL DEFAULT 'pinned', pinned_payload_schema_ref text,
  payload_schema_provenance text, "trigger" {json}, draft_definition {json} NOT NULL,
  draft_version integer NOT NULL DEFAULT 1, status text NOT NULL DEFAULT 'draft',
  validation_status text, validation_errors {json}, validation_warnings {json},
  validated_at {time}, validation_context_json {json}, validation_payload_schema_hash text,
  is_system boolean DEFAULT {false}, is_visible boolean DEFAULT {true},
  is_paused boolean DEFAULT {false}, concurrency_limit integer,
  auto_pause_on_failure boolean DEFAULT {false}, failure_rate_threshold numeric(5,2) DEFAULT 0.5,
  failure_rate_min_runs integer DEFAULT 10, retention_policy_override {json},
  created_by {uuid}, updated_by {uuid}, created_at {time} DEFAULT {now},
  updated_at {time} DEFAULT {now});
CREATE UNIQUE INDEX workflow_definitions_tenant_key_unique ON workflow_definitions (tenant, key)
  WHERE key IS NOT NULL;
CREATE INDEX workflow_definitions_name_index ON workflow_definitions (name);
CREATE TABLE workflow_definition_versions (
  version_id {uuid} PRIMARY KEY {new_id},
  workflow_id {uuid} NOT NULL REFERENCES workflow_definitions (workflow_id) ON DELETE CASCADE,
  tenant {uuid}, version integer NOT NULL, definition_json {json} NOT NULL,
  payload_schema_json {json}, validation_status text, validation_errors {json},
  validation_warnings {json}, validated_at {time}, validation_context_json {json},
  validation_payload_schema_hash text, published_by {uuid}, published_at {time},
  created_at {time} DEFAULT {now}, updated_at {time} DEFAULT {now},
  CONSTRAINT workflow_definition_versions_workflow_version_unique UNIQUE (workflow_id, version));
CREATE TABLE workflow_runs (
  run_id {uuid} PRIMARY KEY {new_id},
  workflow_id {uuid} NOT NULL REFERENCES workflow_definitions (workflow_id) ON DELETE CASCADE,
  workflow_version integer NOT NULL, tenant {uuid}, status text NOT NULL, node_path text,
  input_json {json}, trigger_type text, trigger_metadata_json {json}, trigger_fire_key text,
  event_type text, source_payload_schema_ref text,
  trigger_mapping_applied boolean DEFAULT {false}, engine text, temporal_workflow_id text,
  temporal_run_id text, definition_hash text, runtime_semantics_version text,
  parent_run_id {uuid}, root_run_id {uuid}, error_json {json}, resume_event_payload {json},
  resume_event_name text, resume_error {json}, lease_owner text, lease_expires_at {time},
  started_at {time} DEFAULT {now}, completed_at {time}, updated_at {time} DEFAULT {now});
CREATE UNIQUE INDEX workflow_runs_trigger_fire_key_unique ON workflow_runs (trigger_fire_key)
  WHERE trigger_fire_key IS NOT NULL;
CREATE INDEX workflow_runs_status_index ON workflow_runs (status);
CREATE TABLE workflow_run_steps (
  step_id {uuid} PRIMARY KEY {new_id},
  run_id {uuid} NOT NULL REFERENCES workflow_runs (run_id) ON DELETE CASCADE, tenant {uuid},
  step_path text NOT NULL, definition_step_id text, status text NOT NULL,
  attempt integer DEFAULT 1, duration_ms integer, error_json {json}, snapshot_id {uuid},
  started_at {time} DEFAULT {now}, completed_at {time});
CREATE INDEX workflow_run_steps_run_id_step_path_index ON workflow_run_steps (run_id, step_path);
CREATE TABLE workflow_run_waits (
  wait_id {uuid} PRIMARY KEY {new_id},
  run_id {uuid} NOT NULL REFERENCES workflow_runs (run_id) ON DELETE CASCADE, tenant {uuid},
  step_path text NOT NULL, wait_type text NOT NULL, key text, event_name text,
  timeout_at {time}, status text NOT NULL DEFAULT 'WAITING', payload {json},
  created_at {time} DEFAULT {now}, resolved_at {time});
CREATE TABLE workflow_action_invocations (
  invocation_id {uuid} PRIMARY KEY {new_id},
  run_id {uuid} NOT NULL REFERENCES workflow_runs (run_id) ON DELETE CASCADE, tenant {uuid},
  step_path text NOT NULL, action_id text NOT NULL, action_version integer NOT NULL,
  idempotency_key text NOT NULL, status text NOT NULL, attempt integer DEFAULT 1,
  lease_owner text, lease_expires_at {time}, input_json {json}, output_json {json},
  error_message text, created_at {time} DEFAULT {now}, started_at {time}, completed_at {time},
  UNIQUE (action_id, action_version, idempotency_key));
CREATE TABLE workflow_run_logs (
  log_id {uuid} PRIMARY KEY {new_id},
  run_id {uuid} NOT NULL REFERENCES workflow_runs (run_id) ON DELETE CASCADE, tenant {uuid},
  step_id {uuid}, step_path text, level text NOT NULL, message text NOT NULL,
  context_json {json}, correlation_key text, event_name text, source text,
  created_at {time} DEFAULT {now});
CREATE TABLE workflow_run_snapshots (
  snapshot_id {uuid} PRIMARY KEY {new_id},
  run_id {uuid} NOT NULL REFERENCES workflow_runs (run_id) ON DELETE CASCADE, tenant {uuid},
  step_path text NOT NULL, envelope_json {json} NOT NULL, size_bytes integer,
  created_at {time} DEFAULT {now});
CREATE TABLE workflow_tasks (
  task_id {uuid} PRIMARY KEY {new_id}, tenant text, execution_id {uuid},
  task_definition_type text, title text, status text NOT NULL, response_data {json},
  created_at {time} DEFAULT {now}, updated_at {time} DEFAULT {now});
CREATE TABLE event_catalog (event_id {uuid} PRIMARY KEY, event_type text NOT NULL);
"""

_WORDS = {
    "postgresql": {
        "uuid": "uuid",
        "json": "jsonb",
        "time": "timestamptz",
        "now": "now()",
        "new_id": "DEFAULT gen_random_uuid()",
        "true": "true",
        "false": "false",
    },
    "sqlite": {
        "uuid": "text",
        "json": "text",
        "time": "text",
        "now": "CURRENT_TIMESTAMP",
        "new_id": "",
        "true": "1",
        "false": "0",
    },
}

_numbers = itertools.count(1)


def new_id() -> str:
    """Ids in a known order, so that two databases of this kind are the same."""
    return str(uuid.UUID(int=0xA000_0000_0000_4000_8000_0000_0000_0000 + next(_numbers)))


def create_tables(connection: Connection) -> None:
    script = _TABLES.format(**_WORDS[connection.dialect.name])
    for statement in script.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)


def insert(connection: Connection, table: str, **values: Any) -> None:
    columns = ", ".join(values)
    marks = ", ".join(_mark(connection, column) for column in values)
    connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({marks})"), values)


_UUIDS = {
    f"{noun}_id"
    for noun in (
        *("workflow", "version", "run", "step", "wait", "invocation", "log", "snapshot"),
        *("task", "execution", "event"),
    )
}


def _mark(connection: Connection, column: str) -> str:
    if connection.dialect.name == "sqlite":
        return f":{column}"
    if column.endswith(("_json", "payload", "draft_definition")):
        return f"CAST(:{column} AS jsonb)"
    if column.endswith("_at"):
        return f"CAST(:{column} AS timestamptz)"
    if column in _UUIDS:
        return f"CAST(:{column} AS uuid)"
    return f":{column}"


def add_definition(connection: Connection, key: str | None = "old-workflow") -> str:
    workflow_id = new_id()
    insert(
        connection,
        "workflow_definitions",
        workflow_id=workflow_id,
        key=key,
        name="Old workflow",
        payload_schema_ref="payload.Old.v1",
        draft_definition='{"id": "x", "steps": []}',
        status="published",
        validation_status="valid",
    )
    insert(
        connection,
        "workflow_definition_versions",
        version_id=new_id(),
        workflow_id=workflow_id,
        version=1,
        definition_json='{"id": "x", "version": 1, "steps": []}',
    )
    return workflow_id


def add_run(connection: Connection, workflow_id: str, status: str, engine: str | None) -> str:
    """A run with a row of every sort under it."""
    run_id = new_id()
    over = status in {"SUCCEEDED", "FAILED", "CANCELED"}
    insert(
        connection,
        "workflow_runs",
        run_id=run_id,
        workflow_id=workflow_id,
        workflow_version=1,
        status=status,
        node_path=None if over else "root.steps[0]",
        input_json='{"password": "hunter2", "n": 1}',
        engine=engine,
        temporal_workflow_id=f"workflow-runtime-v2:run:{run_id}" if engine == "temporal" else None,
        trigger_fire_key=f"fire-{run_id}",
        # Some of the original's terminal rows have no completed_at.
        completed_at="2026-01-02T03:04:05.678Z" if status == "SUCCEEDED" else None,
        started_at="2026-01-02T03:04:05.678Z",
        updated_at="2026-01-02 03:04:05",
    )
    add_children(connection, run_id)
    return run_id


def add_children(connection: Connection, run_id: str) -> None:
    for status in ("STARTED", "SUCCEEDED", "FAILED", "RETRY_SCHEDULED", "CANCELED"):
        insert(
            connection,
            "workflow_run_steps",
            step_id=new_id(),
            run_id=run_id,
            step_path="root.steps[0]",
            definition_step_id="first",
            status=status,
        )
    for wait_type in ("event", "time", "human", "quota", "retry", "timeout"):
        for status in ("WAITING", "RESOLVED", "CANCELED"):
            insert(
                connection,
                "workflow_run_waits",
                wait_id=new_id(),
                run_id=run_id,
                step_path="root.steps[0]",
                wait_type=wait_type,
                status=status,
                payload='{"mode": "until"}',
            )
    for status in ("STARTED", "SUCCEEDED", "FAILED"):
        invocation_id = new_id()
        insert(
            connection,
            "workflow_action_invocations",
            invocation_id=invocation_id,
            run_id=run_id,
            step_path="root.steps[0]",
            action_id="tickets.create",
            action_version=1,
            idempotency_key=invocation_id,
            status=status,
            input_json='{"a": [1, 2.5]}',
        )
    for level in ("DEBUG", "INFO", "WARN", "ERROR"):
        insert(
            connection,
            "workflow_run_logs",
            log_id=new_id(),
            run_id=run_id,
            level=level,
            message="as it was",
            source="runtime",
        )
    insert(
        connection,
        "workflow_run_snapshots",
        snapshot_id=new_id(),
        run_id=run_id,
        step_path="root.steps[0]",
        envelope_json='{"v": 1}',
        size_bytes=8,
    )
    for status in ("pending", "claimed", "completed", "canceled", "expired"):
        insert(
            connection,
            "workflow_tasks",
            task_id=new_id(),
            execution_id=run_id,
            title="Approve",
            status=status,
        )


def build(engine: Engine) -> dict[tuple[str | None, str], str]:
    """All of it; the run ids by engine and status."""
    with engine.begin() as connection:
        create_tables(connection)
        workflow_id = add_definition(connection)
        add_definition(connection, key=None)
        add_definition(connection, key=None)
        insert(connection, "event_catalog", event_id=new_id(), event_type="ticket.created")
        return {
            (of, status): add_run(connection, workflow_id, status, of)
            for of, status in itertools.product(ENGINES, STATUSES)
        }


def rows(
    connection: Connection, table: str, columns: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """The rows as the database holds them: no type of ours in between."""
    wanted = "*" if columns is None else ", ".join(f'"{column}"' for column in columns)
    for row in connection.execute(text(f"SELECT {wanted} FROM {table} ORDER BY 1")):
        yield dict(row._mapping)
