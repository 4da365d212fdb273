"""The Temporal worker: what it polls, what it executes, and how it leaves.

One place for the product, the tests and the benchmarks, so that what is measured is what runs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.worker import Worker

from engine.activities.make import make_activities
from engine.contract import RUNTIME_SEMANTICS, TASK_QUEUE
from engine.durable.run_workflow import RunWorkflow
from engine.durable.sandbox import workflow_runner
from engine.gateway.slots import CountedPool
from engine.services.action_attempt import ActionTools
from engine.services.context import Services

LEAVE_WITHIN: Final = timedelta(seconds=4)
"""After it, an action that may be repeated is left to another worker (docs/rules.md 3: 5 s)."""

BUILD: Final = f"run-studio-{RUNTIME_SEMANTICS}"
"""What histories say of the worker. Left out, the SDK compiles every loaded module to hash it:
seconds of a worker's start."""

_HEARTBEAT_THROTTLE: Final = timedelta(seconds=1)
"""A cancel comes with the answer to a heartbeat, and must be observed within 3 s."""


def activity_pool(slots: int) -> CountedPool:
    """`slots` threads for regular activities and as many for local ones: neither starves."""
    return CountedPool(2 * slots)


def make_worker(
    client: Client, services: Services, tools: ActionTools, pool: CountedPool, *, identity: str
) -> Worker:
    """To be made on the loop of `client`, which must not be lazy."""
    slots = pool.slots // 2
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[RunWorkflow],
        activities=make_activities(services, tools),
        activity_executor=pool,
        workflow_runner=workflow_runner(),
        identity=identity,
        build_id=BUILD,
        max_concurrent_activities=slots,
        max_concurrent_local_activities=slots,
        max_heartbeat_throttle_interval=_HEARTBEAT_THROTTLE,
        default_heartbeat_throttle_interval=_HEARTBEAT_THROTTLE,
        graceful_shutdown_timeout=LEAVE_WITHIN,
    )
