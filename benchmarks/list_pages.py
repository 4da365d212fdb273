"""`python -m benchmarks.list_pages`: the list of runs with a million of them, page by page.

For each filter the first page and the ten-thousandth (or where the filter finds less, the one in
the middle) are asked for in turn, through the whole web application. What is kept in
RESULTS-list.md are medians; the ratio is what matters, since it carries over to other machines.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import parse_qsl

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.datastructures import MultiDict

from app import create_app
from benchmarks import list_rows
from benchmarks.kept import add_results
from benchmarks.list_queries import deep_page, queries
from benchmarks.places import PLACES, database, place
from blueprints.runs.filters import ListFilters
from engine.services.context import Actor, Services
from engine.services.count_runs import count_by_status
from engine.services.find_runs import page_at, workflows_with_runs
from engine.services.keyset import Cursor
from engine.services.manage_operators import add_operator
from engine.services.run_rows import rows_of
from engine.services.sign_in import sign_in
from engine.settings import Settings
from engine.store import schema
from engine.store.session import Store

RESULTS: Final = Path(__file__).with_name("RESULTS-list.md")
_HEAD: Final = "# The list of a million runs\n\nMade by `python -m benchmarks.list_pages`.\n"
_EMAIL, _PASSWORD = "somebody@example.com", "a long enough password"

_NOW: Final = datetime.now(UTC)
AT_MOST: Final = 1.2
"""Times the first page; without filters it must be reached."""


@dataclass(frozen=True, slots=True)
class Measured:
    """In ms: whole pages, their two statements alone, and the counts beside the filters."""

    query: str
    page: int
    """Which one the deep one is."""
    first: float
    deep: float
    rows_first: float
    rows_deep: float
    counts: float

    @property
    def ratio(self) -> float:
        return self.deep / self.first

    @property
    def is_reached(self) -> bool:
        return self.ratio <= AT_MOST


def measure(engine: Engine, runs: int, turns: int) -> list[Measured]:
    with tempfile.TemporaryDirectory() as directory:
        url = engine.url.render_as_string(hide_password=False)
        app = create_app(Settings(database_url=url, data_dir=Path(directory)))
        store, client = Store(engine), _signed_in(app)
        return [_measure(store, client, query, turns) for query in queries(runs)]


def _measure(store: Store, client: FlaskClient, query: str, turns: int) -> Measured:
    with store.reading() as session:
        given: MultiDict[str, str] = MultiDict(parse_qsl(query))
        wanted = ListFilters.of(given, dict(workflows_with_runs(session)), _NOW).wanted
        page, cursor = deep_page(session, wanted, _NOW)

        def rows(at: Cursor | None) -> None:
            rows_of(session, page_at(session, wanted, at, _NOW).ids, _NOW)

        first, deep, rows_first, rows_deep, counts = _medians(
            turns,
            lambda: _get(client, f"/runs?all=1&{query}"),
            lambda: _get(client, f"/runs?all=1&{query}&cursor={cursor or ''}"),
            lambda: rows(None),
            lambda: rows(cursor),
            lambda: count_by_status(session, wanted, _NOW),
        )
    return Measured(query, page, first, deep, rows_first, rows_deep, counts)


def _medians(turns: int, *calls: Callable[[], object]) -> list[float]:
    """In ms; one of each in turn, so that what else the machine does falls on all of them.

    In another order each time: what one leaves to be cleared away is not always the next one's.
    """
    samples: list[list[float]] = [[] for _ in calls]
    chance = random.Random(0)
    for turn in range(turns + 3):
        for number in chance.sample(range(len(calls)), len(calls)):
            began = time.perf_counter()
            calls[number]()
            if turn >= 3:
                samples[number].append((time.perf_counter() - began) * 1000)
    return [median(taken) for taken in samples]


def _get(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)


def _signed_in(app: Flask) -> FlaskClient:
    services: Services = app.extensions["run_studio"]
    add_operator(services, _EMAIL, "admin", _PASSWORD, Actor(source="command"))
    client = app.test_client()
    client.set_cookie(
        app.config["RUN_STUDIO_COOKIE"], sign_in(services, _EMAIL, _PASSWORD, None).token
    )
    return client


def _report(found: list[Measured]) -> str:
    head = [
        "| filter | first page | deep page | which | ratio | rows alone | counts |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *(_line(one) for one in found)])


def _line(one: Measured) -> str:
    deep = (
        [f"{one.deep:.1f} ms", f"{one.page:,}", f"{one.ratio:.2f}"] if one.page > 1 else ["—"] * 3
    )
    cells = [
        f"`{one.query}`" if one.query else "none",
        f"{one.first:.1f} ms",
        *deep,
        f"{one.rows_first:.1f} / {one.rows_deep:.1f} ms",
        f"{one.counts:.1f} ms",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--database", choices=sorted(PLACES), default="postgresql")
    parser.add_argument("--keep", action="store_true", help="add the results to the page")
    options = parser.parse_args()
    with place(options.database) as where, database(where, "runs") as engine:
        schema.upgrade(engine)
        list_rows.build(engine, options.runs)
        found = measure(engine, options.runs, options.turns)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    title = f"{options.database}: {options.runs:,} runs; {os.cpu_count()} cores, load {load}"
    verdict = "reached" if found[0].is_reached else "**missed**"
    bar = f"Without filters page {found[0].page:,} within 1.2 times the first: {verdict}."
    text = f"{title}\n\n{bar}\n\n{_report(found)}"
    print(f"\n{text}", flush=True)
    if options.keep:
        add_results(RESULTS, _HEAD, text)
    return 0 if found[0].is_reached else 1


if __name__ == "__main__":
    sys.exit(main())
