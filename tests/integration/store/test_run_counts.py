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


def test_folding_leaves_the_counts_as_they_are_and_says_that_nothing_is_as_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, _ = builders.published(store)
    builders.save(store, *(builders.run(of) for _ in range(5)), builders.run(of, "FAILED"))
    with store.writing() as session:
        fold(session)
        assert session.scalar(select(func.count()).select_from(WorkflowRunCount)) == 6 < FOLD_FROM
        last = session.scalar(select(func.max(WorkflowRunCount.count_id)))
    monkeypatch.setattr(run_counts, "FOLD_FROM", 2)
    with store.writing() as session:
        fold(session)
    assert _counts(store) == {"RUNNING": 5, "FAILED": 1}
    with store.reading() as session:
        ids = session.scalars(select(WorkflowRunCount.count_id)).all()
    assert len(ids) == 2
    assert last is not None
    assert min(ids) > last


def _counts(store: Store) -> dict[str, int]:
    with store.reading() as session:
        return {status: runs for status, runs in session.execute(counted()) if runs}


def _rows(store: Store) -> dict[str, int]:
    query = select(WorkflowRun.status, func.count()).group_by(WorkflowRun.status)
    with store.reading() as session:
        return {status: runs for status, runs in session.execute(query) if runs}
