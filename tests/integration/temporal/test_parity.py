"""The simulator and the worker execute the same language: the same occurrences, the same scopes.

Hundreds of random documents, many at once: one at a time they would only wait for one another.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from temporalio.client import Client

from engine.contract import (
    TASK_QUEUE,
    WORKFLOW_TYPE,
    Json,
    RunResult,
    RunStart,
    temporal_workflow_id,
)
from engine.interpreter import final_scopes
from engine.interpreter.host import ValueRef
from engine.services.values import load_value
from engine.simulator.simulate import Simulation, World, simulate
from engine.store.tables import WorkflowDefinitionVersion
from tests import builders
from tests.integration.temporal.bar_documents import BAR, Given
from tests.integration.temporal.parity_documents import CHILDREN, PAYLOAD, Made
from tests.studio import Studio

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(300)]

BATCHES: Final = 10
IN_A_BATCH: Final = 50
"""10 times 50: at least 500 documents a run."""

AT_ONCE: Final = 25

_OF_THE_MOMENT: Final = {"at", "dueAt", "resumedAt", "details", "timeoutAt"}
"""Times, and what names the child run."""


@dataclass
class Case:
    number: str
    made: Made | Given
    plan: dict[str, Json]
    run_id: str = ""
    scopes: dict[str, Json] | None = None


@pytest.fixture(scope="module")
def numbers() -> list[str]:
    """Of the documents that were compared."""
    return []


@settings(
    max_examples=BATCHES,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**64))
def test_both_hosts_agree_on_random_documents(
    worked: Studio, numbers: list[str], seed: int
) -> None:
    drawn = Random(seed)
    cases = [_case(worked, drawn.getrandbits(64)) for _ in range(IN_A_BATCH)]
    worked.ask(lambda client: _execute_all(client, worked, cases), timeout_s=120)
    for case in cases:
        _agree(worked, case)
    numbers.extend(case.number for case in cases)


def test_both_hosts_agree_on_the_documents_of_the_bar(worked: Studio) -> None:
    """The simulator contract suite: its nine cases, as the worker executes them."""
    cases = [_prepared(worked, name, given) for name, given in BAR.items()]
    worked.ask(lambda client: _execute_all(client, worked, cases), timeout_s=60)
    for case in cases:
        _agree(worked, case)
    assert len(cases) == 9


def test_at_least_500_documents_were_compared(numbers: list[str]) -> None:
    assert len(set(numbers)) >= BATCHES * IN_A_BATCH


def _case(studio: Studio, number: int) -> Case:
    for key, steps in CHILDREN.items():
        _publish_once(studio, key, steps)
    return _prepared(studio, str(number), Made(number))


def _prepared(studio: Studio, name: str, made: Made | Given) -> Case:
    of = studio.publish(*made.steps)
    now = studio.services.now()
    run = builders.run(of, input_json=PAYLOAD, started_at=now)
    builders.save(studio.store, run)
    with studio.store.reading() as session:
        (version,) = session.query(WorkflowDefinitionVersion).filter_by(workflow_id=of.workflow_id)
    return Case(name, made, version.plan_json, run.run_id)


def _publish_once(studio: Studio, key: str, steps: list[dict[str, Any]]) -> None:
    with studio.store.reading() as session:
        known = session.query(builders.WorkflowDefinition).filter_by(key=key).first()
    if known is None:
        studio.publish(*steps, key=key)


async def _execute_all(client: Client, studio: Studio, cases: list[Case]) -> None:
    free = asyncio.Semaphore(AT_ONCE)

    async def execute(case: Case) -> None:
        async with free:
            await _execute(client, studio, case)

    await asyncio.gather(*[execute(case) for case in cases])


async def _execute(client: Client, studio: Studio, case: Case) -> None:
    result = await client.execute_workflow(
        WORKFLOW_TYPE,
        RunStart(case.run_id, wants_scopes=True),
        id=temporal_workflow_id(case.run_id),
        task_queue=TASK_QUEUE,
        result_type=RunResult,
    )
    assert result.status == "SUCCEEDED", (case.number, result)
    packed = result.scopes or {}
    if "$ref" in packed:
        packed = await asyncio.to_thread(load_value, studio.services, packed["$ref"])
    case.scopes = final_scopes.unpack(packed)


def _agree(studio: Studio, case: Case) -> None:
    simulated = _simulated(studio, case)
    assert simulated.status == "completed", (case.number, simulated.error)
    mine = [
        (e.place.path, list(e.place.iter), e.place.attempt, str(e.status), e.handled)
        for e in simulated.trace
    ]
    theirs = [
        (row.step_path, row.iter, row.attempt, row.status, row.handled)
        for row in studio.steps(case.run_id)
        if not row.superseded
    ]
    if case.made.concurrent:
        mine, theirs = sorted(mine), sorted(theirs)
    assert theirs == mine, case.number
    left_out = {"error"} if case.made.concurrent else set()
    scopes = [_comparable(studio, one, left_out) for one in (case.scopes, simulated.scopes)]
    assert scopes[0] == scopes[1], case.number


def _simulated(studio: Studio, case: Case) -> Simulation:
    system = {"runId": case.run_id, "workflowId": "x", "workflowVersion": 1, "tenantId": None}
    world = World(studio.tools.registry, studio.services.now(), time.monotonic, case.made.stubs)
    return simulate(case.plan, world, payload=PAYLOAD, system=system)


def _comparable(studio: Studio, scopes: dict[str, Json] | None, left_out: set[str]) -> str:
    """Order included: it is something that expressions see."""
    assert scopes is not None
    own = set(scopes["system"])
    meta = {name: value for name, value in scopes["meta"].items() if name not in own}
    compared = {**scopes, "meta": meta} | dict.fromkeys({"system", *left_out})
    return json.dumps(_timeless(studio, compared))


def _timeless(studio: Studio, value: Json) -> Json:
    if isinstance(value, ValueRef):
        return load_value(studio.services, value.value_id)
    if isinstance(value, dict):
        return {
            name: None if name in _OF_THE_MOMENT else _timeless(studio, member)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_timeless(studio, member) for member in value]
    return value
