"""Several processes write at once: limits hold, and no one meets a locked database (rules.md 9)."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import IntegrityError

from engine.store.session import Store, make_engine
from engine.store.tables import WorkflowRun
from tests import builders

PROCESSES = 4
ATTEMPTS = 25
LIMIT = 5

_PROGRAM = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from sqlalchemy import func, select
from engine.store.session import Store, make_engine
from engine.store.tables import WorkflowDefinition, WorkflowRun
from tests import builders

url, workflow_id, attempts, limit, begin = sys.argv[1:]
store = Store(make_engine(url))
errors, accepted = [], 0
time.sleep(max(0, float(begin) - time.time()))

def attempt(_):
    with store.writing() as session:
        of = session.scalars(
            select(WorkflowDefinition)
            .where(WorkflowDefinition.workflow_id == workflow_id)
            .with_for_update()
        ).one()
        count = session.scalar(select(func.count()).select_from(WorkflowRun))
        if count >= int(limit):
            return 0
        session.add(builders.run(of))
        return 1

with ThreadPoolExecutor(2) as pool:
    for future in [pool.submit(attempt, n) for n in range(int(attempts))]:
        try:
            accepted += future.result()
        except Exception as error:
            errors.append(repr(error))
store.engine.dispose()
print(json.dumps({"accepted": accepted, "errors": errors}))
"""


@pytest.mark.parametrize("limit", [LIMIT, PROCESSES * ATTEMPTS])
def test_processes_together_keep_a_limit_and_meet_no_lock(
    store: Store, database_url: str, limit: int
) -> None:
    """With the high limit every attempt writes: that is where a locked database would show."""
    of, _ = builders.published(store)
    begin = subprocess.run(["date", "+%s"], capture_output=True, check=True, text=True)
    arguments = [
        database_url,
        of.workflow_id,
        str(ATTEMPTS),
        str(limit),
        str(int(begin.stdout) + 3),
    ]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *arguments],
            cwd=Path(__file__).parents[3],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    answers = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    assert [answer["errors"] for answer in answers] == [[]] * PROCESSES
    assert sum(answer["accepted"] for answer in answers) == limit
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(WorkflowRun)) == limit


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_is_set_up_as_pinned(store: Store) -> None:
    with store.reading() as session:
        found = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 10000,
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_reader_does_not_wait_for_a_writer(store: Store, database_url: str) -> None:
    other: Engine = make_engine(database_url)
    of, _ = builders.published(store)
    with store.writing() as session:
        session.add(builders.run(of))
        session.flush()
        with Store(other).reading() as reader:
            assert reader.scalar(select(func.count()).select_from(WorkflowRun)) == 0
    other.dispose()


def test_an_error_of_the_database_says_nothing_of_the_values(store: Store) -> None:
    of, _ = builders.published(store)
    run = builders.run(of, input_json={"pin": "canary-4711"})
    builders.save(store, run)
    again = builders.run(of, run_id=run.run_id, input_json={"pin": "canary-4711"})
    refused = builders.run(of, "NO_STATUS", input_json={"pin": "canary-4711"})
    for wrong in (again, refused):
        with pytest.raises(IntegrityError) as raised:
            builders.save(store, wrong)
        assert "canary" not in "".join(traceback.format_exception(raised.value))
