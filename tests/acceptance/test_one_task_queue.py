"""PRD: producer and worker both compile against the single constant; the env variable is gone."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.client import Client

from engine.contract import TASK_QUEUE, temporal_workflow_id
from tests.acceptance.visitor import Visitor
from tests.product import Product

pytestmark = pytest.mark.temporal


def test_a_run_is_on_the_constants_queue_and_the_worker_polls_it(
    product: Product, visitor: Visitor, hello: str
) -> None:
    run_id = visitor.run_now(hello)
    assert visitor.wait_for_end(run_id) == "SUCCEEDED"

    async def queue_of_the_execution() -> str:
        client = await Client.connect(f"127.0.0.1:{product.ports['TEMPORAL_PORT']}")
        described = await client.get_workflow_handle(temporal_workflow_id(run_id)).describe()
        return described.task_queue

    assert asyncio.run(queue_of_the_execution()) == TASK_QUEUE == "run-studio"
