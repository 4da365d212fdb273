"""The page of a run of 5,000 steps, and its polls, against those of a run of 50."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Final

from flask.testing import FlaskClient

from benchmarks.report import Figure
from engine.store.session import Store
from tests import builders
from tests.long_runs import DOCUMENT, long_run

FEW, MANY = 50, 5_000
TRIES: Final = 30
AT_MOST: Final = 1.5


def measure(store: Store, client: FlaskClient) -> list[Figure]:
    """Processor time of this process, the least of some tries: what the request itself costs."""
    of, _ = builders.published(store, document=builders.document("long", **DOCUMENT))
    runs = {steps: f"/runs/{long_run(store, of, steps).run_id}" for steps in (FEW, MANY)}
    asked: Mapping[str, Mapping[str, str]] = {
        "run page": {},
        "poll, changed": {"HX-Request": "true", "HX-PTag": "old"},
    }
    figures = []
    for name, headers in asked.items():
        took = {steps: _cpu_ms(client, at, headers) for steps, at in runs.items()}
        figures.append(_figure(name, took))
    tags = {
        steps: client.get(at, headers={"HX-Request": "true"}).headers["HX-PTag"]
        for steps, at in runs.items()
    }
    unchanged = {
        steps: _cpu_ms(client, at, {"HX-Request": "true", "HX-PTag": tags[steps]})
        for steps, at in runs.items()
    }
    return [*figures, _figure("poll, unchanged", unchanged)]


def _figure(name: str, took: Mapping[int, float]) -> Figure:
    ours = f"{name}, {MANY:,} steps, CPU"
    return Figure(ours, took[MANY], took[FEW], "ms", f"{FEW} steps", at_most=AT_MOST)


def _cpu_ms(client: FlaskClient, address: str, headers: Mapping[str, str]) -> float:
    ask = partial(client.get, address, headers=dict(headers))
    ask()
    taken = []
    for _ in range(TRIES):
        began = time.process_time()
        ask()
        taken.append((time.process_time() - began) * 1000)
    return min(taken)
