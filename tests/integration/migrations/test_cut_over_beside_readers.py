"""The cut-over holds nobody up: a reader waits less than a second, whoever else uses the tables."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, text

from engine.store import schema
from tests.integration.migrations.cut_over_rows import Runs, adopt

TABLES = ("workflow_runs", "workflow_run_waits", "workflow_run_steps", "workflow_definitions")


@contextmanager
def reading_all_the_time(engine: Engine) -> Iterator[list[float]]:
    """A reader of every table, over and over; how long each time took, in seconds."""
    waits: list[float] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            for table in TABLES:
                began = time.monotonic()
                with engine.connect() as connection:
                    connection.execute(text(f"SELECT count(*) FROM {table}")).all()
                waits.append(time.monotonic() - began)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield waits
    finally:
        over.set()
        reader.join()


@contextmanager
def a_long_query(engine: Engine, table: str, seconds: float) -> Iterator[None]:
    """A transaction that has read the table, and stays open for a while: a report, a backup."""
    connection = engine.connect()
    connection.execute(text(f"SELECT count(*) FROM {table}")).all()
    timer = threading.Timer(seconds, connection.rollback)
    timer.start()
    try:
        yield
    finally:
        timer.join()
        connection.close()


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
def test_readers_do_not_queue_behind_a_change_that_waits_for_a_long_query(
    engine: Engine, runs: Runs
) -> None:
    """A concurrent index waits for that transaction too; but nobody waits for the index."""
    with a_long_query(engine, "workflow_run_waits", 2.5), reading_all_the_time(engine) as waits:
        adopt(engine)
    assert schema.at_head(engine)
    assert max(waits) < 1.0


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
def test_an_alter_gives_way_and_is_tried_again(engine: Engine, runs: Runs) -> None:
    schema.stamp(engine, "0001")
    schema.upgrade(engine, "0002")
    with (
        a_long_query(engine, "workflow_run_steps", 2.0),
        reading_all_the_time(engine) as waits,
    ):
        began = time.monotonic()
        schema.upgrade(engine, "0003")
        took = time.monotonic() - began
    assert took > 1.5
    assert max(waits) < 1.0


def test_readers_go_on_beside_the_whole_upgrade(engine: Engine, runs: Runs) -> None:
    with reading_all_the_time(engine) as waits:
        adopt(engine)
    assert len(waits) > len(TABLES)
    assert max(waits) < 1.0
