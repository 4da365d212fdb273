"""The counts of runs by status are those of the rows, whoever writes them and how many at once."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from engine.store import run_counts
from engine.store.run_counts import FOLD_FROM, WorkflowRunCount, counted, fold
from engine.store.session import Store, make_engine
from engine.store.tables import WorkflowDefinition, WorkflowRun
from tests import builders

WRITERS = 4


class TakenBack(Exception):
    pass


def test_with_four_writers_at_once_they_are_those_of_the_rows(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They insert, change, delete and take back, three runs a transaction, and fold meanwhile."""
    monkeypatch.setattr(run_counts, "FOLD_FROM", 5)
    of, _ = builders.published(store)
    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(_write, database_url, of, seed) for seed in range(WRITERS)]:
            done.result()
    assert sum(_rows(store).values()) > 50
    assert _counts(store) == _rows(store)


def _write(url: str, of: WorkflowDefinition, seed: int) -> None:
    """As another process would: with connections and locks of its own."""
    chance, store = random.Random(seed), Store(make_engine(url))
    for _ in range(12):
        with suppress(TakenBack), store.writing() as session:
            _change_some(session, of, chance)
        if chance.random() < 0.3:
            with store.writing() as session:
                fold(session)
    store.engine.dispose()


def _change_some(session: Session, of: WorkflowDefinition, chance: random.Random) -> None:
    mine = [builders.run(of) for _ in range(3)]
    session.add_all(mine)
    session.flush()
    for status in chance.sample(("WAITING", "RUNNING", "SUCCEEDED", "FAILED"), 3):
        ids = [run.run_id for run in mine[: chance.randint(1, 3)]]
        session.execute(
            update(WorkflowRun)
            .where(WorkflowRun.run_id.in_(ids))
            .values(status=status, completed_at=builders.NOW)
        )
    if chance.random() < 0.3:
        session.execute(delete(WorkflowRun).where(WorkflowRun.run_id == mine[0].run_id))
    if chance.random() < 0.2:
        raise TakenBack


def test_raw_sql_is_counted_and_so_is_what_goes_with_its_workflow(store: Store) -> None:
    of, _ = builders.published(store)
    other, _ = builders.published(store)
    builders.save(store, *(builders.run(of) for _ in range(3)), builders.run(other, "FAILED"))
    with store.writing() as session:
        session.execute(
            text("UPDATE workflow_runs SET status = 'WAITING' WHERE workflow_id = :of"),
            {"of": of.workflow_id},
        )
        session.execute(text("UPDATE workflow_runs SET status = status, node_path = 'x'"))
    assert _counts(store) == {"WAITING": 3, "FAILED": 1}
    with store.writing() as session:
        session.execute(
            delete(WorkflowDefinition).where(WorkflowDefinition.workflow_id == of.workflow_id)
        )
    assert _counts(store) == {"FAILED": 1}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_truncated_table_has_no_runs(store: Store) -> None:
    of, _ = builders.published(store)
    builders.save(store, builders.run(of))
    with store.writing() as session:
        session.execute(text("TRUNCATE workflow_runs CASCADE"))
    assert _counts(store) == {}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_writer_does_not_wait_for_another_s_count(store: Store) -> None:
    """Both change the count of the same statuses; one row for each would be hot."""
    of, _ = builders.published(store)
    one, two = builders.run(of), builders.run(of)
    builders.save(store, one, two)
    with store.writing() as first, store.writing() as second:
        second.execute(text("SET LOCAL lock_timeout = '1s'"))
        for session, run in ((first, one), (second, two)):
            session.execute(
                update(WorkflowRun).where(WorkflowRun.run_id == run.run_id).values(status="WAITING")
            )
    assert _counts(store) == {"WAITING": 2}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_folding_leaves_the_counts_as_they_are_and_tells_nobody_of_a_change(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, _ = builders.published(store)
    builders.save(store, *(builders.run(of) for _ in range(5)), builders.run(of, "FAILED"))
    changes = _changes(store)
    assert changes == 6
    with store.writing() as session:
        fold(session)
        assert session.scalar(select(func.count()).select_from(WorkflowRunCount)) == 6 < FOLD_FROM
    monkeypatch.setattr(run_counts, "FOLD_FROM", 2)
    with store.writing() as session:
        fold(session)
        assert session.scalar(select(func.count()).select_from(WorkflowRunCount)) == 2
    assert _counts(store) == {"RUNNING": 5, "FAILED": 1}
    assert _changes(store) == changes


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_many_runs_in_one_statement_are_few_rows_of_counts(store: Store) -> None:
    """Whoever fills a database so may have no worker that folds them."""
    of, _ = builders.published(store)
    with store.writing() as session:
        session.execute(_MANY, {"of": of.workflow_id})
        session.execute(text("DELETE FROM workflow_runs WHERE status = 'CANCELED'"))
    assert _counts(store) == {"SUCCEEDED": 3000, "FAILED": 1000}
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(WorkflowRunCount)) == 4


_MANY = text("""
INSERT INTO workflow_runs (run_id, workflow_id, workflow_version, status, engine, epoch, started_at,
  updated_at, completed_at)
SELECT gen_random_uuid(), CAST(:of AS uuid), 1,
  CASE n % 5 WHEN 0 THEN 'FAILED' WHEN 1 THEN 'CANCELED' ELSE 'SUCCEEDED' END,
  'temporal', 1, now(), now(), now()
FROM generate_series(1, 5000) AS n
""")


def _changes(store: Store) -> int:
    with store.reading() as session:
        return int(session.scalar(select(func.sum(WorkflowRunCount.changes))) or 0)


def _counts(store: Store) -> dict[str, int]:
    with store.reading() as session:
        return {status: runs for status, runs in session.execute(counted()) if runs}


def _rows(store: Store) -> dict[str, int]:
    query = select(WorkflowRun.status, func.count()).group_by(WorkflowRun.status)
    with store.reading() as session:
        return {status: runs for status, runs in session.execute(query) if runs}
