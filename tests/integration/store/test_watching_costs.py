"""What is asked every few seconds is read by an index, however many rows there are.

Plans of SQLite, which do not depend on the rows; PostgreSQL has the same indexes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from engine.services.last_pass import last_pass, mendings
from engine.services.open_runs import open_runs
from engine.services.tally_runs import tally_runs
from engine.services.tend_waits import tend_waits
from engine.services.undelivered import undelivered
from engine.services.workers_seen import workers_seen
from engine.store.session import Store
from tests import builders
from tests.builders import NOW

ASKED: dict[str, Callable[[Session], Any]] = {
    "tally": lambda session: tally_runs(session, NOW),
    "mendings": lambda session: mendings(session, NOW),
    "undelivered": undelivered,
    "last pass": last_pass,
    "workers": lambda session: workers_seen(session, None, NOW),
    "open runs": lambda session: open_runs(session, NOW, older_than=timedelta(seconds=15)),
}
GROWING = (
    "workflow_runs", "workflow_run_logs", "workflow_runtime_events", "workflow_event_deliveries",
    "workflow_run_waits", "worker_heartbeats", "other",
)  # fmt: skip

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def scans(store: Store, ask: Callable[[], Any]) -> list[str]:
    """Tables of which every row would be looked at."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    ask()
    event.remove(store.engine, "before_cursor_execute", note)
    found = []
    with store.engine.connect() as connection:
        for statement, parameters in asked:
            if statement.lstrip().startswith(("SELECT", "WITH")):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                found += [row[3] for row in plan if _is_scan(row[3])]
    return found


def _is_scan(step: str) -> bool:
    words = step.split()
    return words[0] == "SCAN" and words[1] in GROWING and "INDEX" not in words


@on_sqlite
@pytest.mark.parametrize("what", ASKED)
def test_the_page_of_the_engine_and_the_reconciler_read_by_indexes(store: Store, what: str) -> None:
    def ask() -> None:
        with store.reading() as session:
            ASKED[what](session)

    assert scans(store, ask) == []


@on_sqlite
def test_the_workers_look_for_what_waits_by_indexes(store: Store) -> None:
    services = builders.services(store)
    assert scans(store, lambda: tend_waits(services, "worker")) == []


@on_sqlite
def test_a_scan_would_be_seen(store: Store) -> None:
    def ask() -> None:
        with store.engine.connect() as connection:
            connection.exec_driver_sql("SELECT * FROM workflow_runs WHERE reason = 'x'")

    assert scans(store, ask) == ["SCAN workflow_runs"]
