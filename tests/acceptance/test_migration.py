"""PRD: the migration cancels a seeded stranded run and resolves its waits; leaves terminal rows and
Temporal runs untouched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text

from engine.store import schema
from engine.store.session import make_engine
from tests.integration.migrations import old_database

STRANDED = [(None, "RUNNING"), (None, "WAITING"), ("db", "RUNNING"), ("db", "WAITING")]
OPEN_WAITS = "SELECT count(*) FROM workflow_run_waits WHERE run_id = :id AND status = 'WAITING'"


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    made = make_engine(empty_database_url)
    yield made
    made.dispose()


def rows(engine: Engine, table: str, run_id: str) -> list[dict[str, Any]]:
    """As the database has them, in the columns of before the cut-over."""
    with engine.connect() as connection:
        found = connection.execute(text(f"SELECT * FROM {table}")).mappings()
        return [dict(row) for row in found if str(row["run_id"]) == run_id]


def open_waits(engine: Engine, run_id: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(OPEN_WAITS), {"id": run_id}).scalar_one())


def test_stranded_runs_are_cancelled_and_all_others_untouched(engine: Engine) -> None:
    """T046 to T049 of the original's acceptance tests: a RUNNING run of the db engine, a WAITING
    one without an engine and its waits, terminal rows, and Temporal's live rows."""
    runs = old_database.build(engine)
    others = {which: run_id for which, run_id in runs.items() if which not in STRANDED}
    before = {run_id: rows(engine, "workflow_runs", run_id) for run_id in others.values()}
    waits = {run_id: rows(engine, "workflow_run_waits", run_id) for run_id in others.values()}
    assert all(open_waits(engine, runs[which]) for which in STRANDED)

    schema.stamp(engine, "0001")
    schema.upgrade(engine)

    for which in STRANDED:
        [row] = rows(engine, "workflow_runs", runs[which])
        assert row["status"] == "CANCELED"
        assert row["completed_at"] is not None
        error = row["error_json"]
        assert "Temporal" in (error if isinstance(error, str) else json.dumps(error))
        assert open_waits(engine, runs[which]) == 0
    for run_id in others.values():
        assert same(before[run_id], rows(engine, "workflow_runs", run_id))
        assert same(waits[run_id], rows(engine, "workflow_run_waits", run_id))


def same(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> bool:
    """Equal in every column that was there before."""
    return [{name: row[name] for name in was} for was, row in zip(before, after, strict=True)] == (
        before
    )


def test_a_second_upgrade_changes_nothing(engine: Engine) -> None:
    runs = old_database.build(engine)
    schema.stamp(engine, "0001")
    schema.upgrade(engine)
    first = [rows(engine, "workflow_runs", run_id) for run_id in runs.values()]
    schema.upgrade(engine)
    assert [rows(engine, "workflow_runs", run_id) for run_id in runs.values()] == first
