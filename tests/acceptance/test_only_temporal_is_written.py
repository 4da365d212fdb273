"""PRD: no code path writes `engine` other than `'temporal'`."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.acceptance.visitor import Visitor
from tests.product import Product

OTHERS = [None, "db", "", "Temporal"]


@pytest.mark.temporal
def test_every_way_to_start_a_run_writes_temporal(
    product: Product, visitor: Visitor, product_store: Store, hello: str
) -> None:
    by_page = visitor.run_now(hello)
    visitor.wait_for_end(by_page)
    by_replay = visitor.replay(by_page)
    started = product.flask("runs", "start", hello, "--wait", "--json")
    replayed = product.flask("runs", "replay", by_page, "--reason", "again", "--json")
    assert (started.returncode, replayed.returncode) == (0, 0), started.stderr + replayed.stderr
    with product_store.reading() as session:
        engines = {run.run_id: run.engine for run in session.scalars(select(WorkflowRun))}
    assert set(engines.values()) == {"temporal"}
    by_command = {json.loads(done.stdout)["id"] for done in (started, replayed)}
    assert {by_page, by_replay} | by_command <= set(engines)


@pytest.mark.parametrize("engine", OTHERS)
@pytest.mark.parametrize("status", ["RUNNING", "WAITING"])
def test_the_database_refuses_a_live_run_of_another_engine(
    store: Store, engine: str | None, status: str
) -> None:
    of, _ = builders.published(store, "greet")
    run = builders.run(of)
    builders.save(store, run)
    with pytest.raises(IntegrityError), store.writing() as session:
        session.execute(
            text("UPDATE workflow_runs SET engine = :engine, status = :status"),
            {"engine": engine, "status": status},
        )
    with pytest.raises(IntegrityError):
        builders.save(store, builders.run(of, status, engine=engine))
