"""What a page of the list costs does not grow with the runs there are, nor with how deep it is.

Counted in rows that PostgreSQL looks at, which no load of the machine changes; the times with a
million runs are in benchmarks/RESULTS-list.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from benchmarks import list_rows
from benchmarks.list_queries import deep_page, queries
from blueprints.runs.filters import ListFilters
from engine.services.find_runs import PAGE_SIZE, page_at, workflows_with_runs
from engine.services.keyset import Cursor
from engine.services.run_filter import RunFilter
from engine.store.session import Store
from tests.integration.web.conftest import Clock

RUNS = 20_000
MOST = 10 * PAGE_SIZE
"""Rows of one page, its filter and its place included."""
BROAD = "q=order-"
"""A fifth of all runs have such a key: there the database may take what it likes."""


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_page_looks_at_few_rows_whatever_it_is_filtered_by_and_however_deep_it_is(
    store: Store, clock: Clock
) -> None:
    list_rows.build(store.engine, RUNS)
    clock.at = list_rows.began_at(2 * RUNS)
    dear = {}
    with store.reading() as session:
        known = dict(workflows_with_runs(session))
        for query in set(queries(RUNS)) - {BROAD}:
            given: MultiDict[str, str] = MultiDict(parse_qsl(query))
            wanted = ListFilters.of(given, known, clock()).wanted
            page, deep = deep_page(session, wanted, clock())
            for number, cursor in {1: None, page: deep}.items():
                looked_at = _looked_at(session, wanted, cursor, clock)
                if looked_at > MOST:
                    dear[query, number] = looked_at
    assert dear == {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_on_sqlite_a_page_is_read_in_the_order_of_an_index(store: Store, clock: Clock) -> None:
    """Its plans do not depend on the rows: nobody tells it what it has."""
    with store.reading() as session:
        for query in queries(RUNS):
            if query.startswith("q=") or query.count("status=") > 1:
                continue  # what is found so is sorted
            given: MultiDict[str, str] = MultiDict(parse_qsl(query))
            wanted = ListFilters.of(given, dict.fromkeys(list_rows.WORKFLOWS, ""), clock()).wanted
            for statement, values in _statements(session, wanted, None, clock):
                found = session.connection().exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {statement}", values
                )
                plan = " | ".join(str(line.detail) for line in found)
                assert "TEMP B-TREE" not in plan, (query, plan)
                assert "SCAN workflow_runs" not in plan.replace("SCAN workflow_runs USING", "")


def _looked_at(session: Session, wanted: RunFilter, cursor: Cursor | None, clock: Clock) -> int:
    statements = _statements(session, wanted, cursor, clock)
    plans = [_plan(session, *statement) for statement in statements]
    return sum(rows for plan in plans for rows in _rows(plan))


def _statements(
    session: Session, wanted: RunFilter, cursor: Cursor | None, clock: Clock
) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        found.append((statement, values))

    event.listen(session.get_bind(), "before_cursor_execute", note)
    page_at(session, wanted, cursor, clock())
    event.remove(session.get_bind(), "before_cursor_execute", note)
    return [one for one in found if "FROM workflow_runs" in one[0]]


def _plan(session: Session, statement: str, values: Any) -> dict[str, Any]:
    explained = session.connection().exec_driver_sql(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values
    )
    found = explained.scalar_one()
    plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan


def _rows(node: dict[str, Any]) -> Iterator[int]:
    """Of every scan in the plan: what it gave, and what it threw away."""
    if "Scan" in node["Node Type"]:
        seen = node["Actual Rows"] + sum(
            count for name, count in node.items() if name.startswith("Rows Removed by")
        )
        yield round(seen * node["Actual Loops"])
    for inner in node.get("Plans", ()):
        yield from _rows(inner)
