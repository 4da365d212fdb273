"""Run page, banner and list against a signed-in page of the same base template with one query.

Requests go through Flask's test client, in turn: what is compared is the work of a request, guard
and session look-up included, without the noise of sockets.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from flask import Flask, render_template_string
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, update

from app import create_app
from benchmarks import long_run_figures
from benchmarks.report import Figure, percentile
from benchmarks.stage import Stage
from blueprints.extensions import reading
from engine.services.context import Actor, Services
from engine.services.manage_operators import add_operator
from engine.services.sign_in import sign_in
from engine.settings import Settings
from engine.store import projection
from engine.store.session import Store

_EMAIL, _PASSWORD = "bench@example.com", "a long enough password"
_ONE_QUERY = "/bench/one-query"
_TEMPLATE = """{% extends "base.html" %}{% block main %}<h1>{{ status }}</h1>{% endblock %}"""


def measure(place: Stage, directory: Path, *, requests: int) -> list[Figure]:
    """Medians of `requests` requests to each page, one of each in turn."""
    app = create_app(Settings(database_url=place.database_url, data_dir=directory))
    finished, queued = _finished_run(place.store), _queued_run(place.store)
    _add_one_query_page(app, finished)
    client = _signed_in(app)
    pages = {
        "one query": _ONE_QUERY,
        "banner": f"/runs/{queued}/banner",
        "run page": f"/runs/{finished}",
        "list": "/runs",
    }
    samples: dict[str, list[float]] = {name: [] for name in pages}
    for turn in range(requests + 20):
        for name, address in pages.items():
            took = _request_ms(client, address)
            if turn >= 20:
                samples[name].append(took)
    peer = percentile(samples.pop("one query"), 0.5)
    most = {"banner": 2.0, "run page": 3.0}
    figures = [
        Figure(
            f"{name}, p50",
            percentile(taken, 0.5),
            peer,
            "ms",
            "one-query page",
            at_most=most.get(name),
        )
        for name, taken in samples.items()
    ]
    return figures + long_run_figures.measure(place.store, client)


def _request_ms(client: FlaskClient, address: str) -> float:
    began = time.perf_counter()
    answer = client.get(address)
    took = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, (address, answer.status_code)
    return took


def _add_one_query_page(app: Flask, run_id: str) -> None:
    statement = select(projection.RUNS.c.status).where(projection.RUNS.c.run_id == run_id)

    @app.get(_ONE_QUERY)
    def one_query() -> str:
        with reading() as session:
            status = session.execute(statement).scalar_one()
        return render_template_string(_TEMPLATE, status=status)


def _signed_in(app: Flask) -> FlaskClient:
    services: Services = app.extensions["run_studio"]
    add_operator(services, _EMAIL, "admin", _PASSWORD, Actor(source="command"))
    signed_in = sign_in(services, _EMAIL, _PASSWORD, None)
    client = app.test_client()
    client.set_cookie(app.config["RUN_STUDIO_COOKIE"], signed_in.token)
    return client


def _finished_run(store: Store) -> str:
    """A run of ten steps that this product executed."""
    steps, runs = projection.STEPS, projection.RUNS
    statement = (
        select(steps.c.run_id)
        .join(runs, runs.c.run_id == steps.c.run_id)
        .where(runs.c.status == "SUCCEEDED")
        .group_by(steps.c.run_id)
        .having(func.count() == 10)
        .limit(1)
    )
    with store.reading() as session:
        return str(session.execute(statement).scalar_one())


def _queued_run(store: Store) -> str:
    """A run that looks queued: its banner is shown."""
    run_id, then = str(uuid4()), datetime.now(UTC) - timedelta(minutes=5)
    runs = projection.RUNS
    with store.writing() as session:
        workflow_id = session.execute(select(runs.c.workflow_id).limit(1)).scalar_one()
        session.execute(
            insert(runs).values(
                run_id=run_id,
                workflow_id=workflow_id,
                workflow_version=1,
                status="RUNNING",
                engine="temporal",
                started_at=then,
                updated_at=then,
                epoch=1,
            )
        )
        # The peers' runs have no workflow of ours behind them: they are not to look open.
        session.execute(
            update(runs)
            .where(runs.c.status == "RUNNING", runs.c.run_id != run_id)
            .values(status="SUCCEEDED", completed_at=then)
        )
    return run_id
