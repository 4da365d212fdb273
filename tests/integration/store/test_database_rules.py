"""The database itself refuses a run that nothing would execute, or that ends without saying when.

Raw SQL, past every line of ours, on both databases (docs/rules.md 9).
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from engine.runs.status import OPEN, TERMINAL, RunStatus
from engine.store.session import Store
from tests import builders
from tests.builders import NOW
from tests.run_cases import a_run

OTHER_ENGINES = [None, "", " ", "db", "DB", "Temporal", "TEMPORAL", "temporal ", "airflow"]
UNKNOWN = [None, "", "running", "Running", "RUNNING ", "PAUSED", "QUEUED", "COMPLETED"]


def execute(store: Store, statement: str, **values: Any) -> int:
    with store.engine.begin() as connection:
        return connection.execute(text(statement), values).rowcount


def insert(store: Store, verb: str = "INSERT", **values: Any) -> int:
    """A row of an epoch that nothing sets: what an INSERT since the cut-over gets."""
    of, _ = builders.published(store)
    row = {
        "run_id": builders.new_id(), "workflow_id": of.workflow_id, "workflow_version": 1,
        "status": "RUNNING", "engine": "temporal", "started_at": NOW, "updated_at": NOW,
        "completed_at": None,
    } | values  # fmt: skip
    if store.engine.dialect.name == "sqlite":
        row |= {k: str(v) for k, v in row.items() if k.endswith("_at") and v is not None}
    names = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    return execute(store, f"{verb} INTO workflow_runs ({names}) VALUES ({places})", **row)


def update(store: Store, run_id: str, **values: Any) -> int:
    if store.engine.dialect.name == "sqlite":
        values |= {k: str(v) for k, v in values.items() if k.endswith("_at") and v is not None}
    changes = ", ".join(f"{name} = :{name}" for name in values)
    where = "CAST(run_id AS VARCHAR(36)) = :which"
    return execute(
        store, f"UPDATE workflow_runs SET {changes} WHERE {where}", **values, which=run_id
    )


def test_a_live_run_has_no_other_engine_than_temporal(store: Store) -> None:
    live = a_run(store).run_id
    ended = a_run(store, status="FAILED").run_id
    for status in OPEN:
        assert insert(store, status=status) == 1
        for other in OTHER_ENGINES:
            with pytest.raises(IntegrityError):
                insert(store, status=status, engine=other)
            with pytest.raises(IntegrityError):
                update(store, live, status=status, engine=other)
            with pytest.raises(IntegrityError):
                update(store, live, engine=other)
            assert update(store, ended, engine=other) == 1
            with pytest.raises(IntegrityError):
                update(store, ended, status=status, completed_at=None)


def test_a_status_that_nobody_knows_is_refused(store: Store) -> None:
    run = a_run(store).run_id
    for status in RunStatus:
        assert insert(store, status=status, completed_at=NOW) == 1
    for unknown in UNKNOWN:
        with pytest.raises(IntegrityError):
            insert(store, status=unknown, completed_at=NOW)
        with pytest.raises(IntegrityError):
            update(store, run, status=unknown)


def test_a_run_since_the_cut_over_does_not_end_without_its_time(store: Store) -> None:
    """Those from before it may."""
    for status in TERMINAL:
        live = a_run(store).run_id
        with pytest.raises(IntegrityError):
            insert(store, status=status)
        with pytest.raises(IntegrityError):
            update(store, live, status=status)
        assert update(store, live, status=status, completed_at=NOW) == 1
        with pytest.raises(IntegrityError):
            update(store, live, completed_at=None)
        assert update(store, a_run(store, status=status, epoch=0).run_id, completed_at=None) == 1


def test_a_row_that_says_it_is_from_before_the_cut_over_is_not_believed(store: Store) -> None:
    """`epoch` is 0 in rows that were there; what is inserted since is held to the rule."""
    live = a_run(store).run_id
    for status in TERMINAL:
        with pytest.raises(IntegrityError):
            insert(store, status=status, epoch=0)
        with pytest.raises(IntegrityError):
            update(store, live, status=status, epoch=0)
    with pytest.raises(IntegrityError):
        update(store, live, epoch=0)
    assert insert(store, status="FAILED", epoch=0, completed_at=NOW) == 1
    with store.reading() as session:
        assert set(session.scalars(text("SELECT epoch FROM workflow_runs"))) == {1}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("verb", ["INSERT OR IGNORE", "INSERT OR REPLACE", "INSERT OR FAIL"])
def test_no_conflict_clause_of_sqlite_lets_such_a_run_in(store: Store, verb: str) -> None:
    """OR IGNORE holds for the triggers' statements too: the one that sets `epoch` was skipped."""
    with pytest.raises(IntegrityError):
        insert(store, verb, status="FAILED")
    with store.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM workflow_runs")) == 0
