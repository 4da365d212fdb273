"""One process that serves all contenders: only one of them has work at a time.

    python -m benchmarks.worker_process DATABASE_URL TEMPORAL_ADDRESS

Prints `ready` when it polls; ends on SIGTERM.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from benchmarks import handwritten
from benchmarks.product import SLOTS, registry, services
from engine.actions.secrets import Secrets
from engine.activities.make_worker import activity_pool, make_worker
from engine.gateway.connect import TemporalOptions, WorkerConnection, connect
from engine.services.action_attempt import ActionTools
from engine.store.session import Store, make_engine


async def serve(url: str, address: str) -> None:
    leave = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave.set)
    store = Store(make_engine(url, pool_size=2 * SLOTS + 4, ping=False))
    client = await connect(TemporalOptions(address))
    async with AsyncExitStack() as stack:
        for worker in (_ours(client, address, store), _handwritten(client, store)):
            await stack.enter_async_context(worker)
        print("ready", flush=True)
        await leave.wait()


def _ours(client: Client, address: str, store: Store) -> Worker:
    connection = WorkerConnection(TemporalOptions(address), client, asyncio.get_running_loop())
    tools = ActionTools(registry(), Secrets({}))
    return make_worker(
        client, services(store, connection), tools, activity_pool(SLOTS), identity="ours"
    )


def _handwritten(client: Client, store: Store) -> Worker:
    """Unsandboxed and with the same slots: nothing is held against it."""
    return Worker(
        client,
        task_queue=handwritten.QUEUE,
        workflows=[handwritten.HandwrittenRegular, handwritten.HandwrittenLocal],
        activities=[handwritten.make_activity(store)],
        activity_executor=activity_pool(SLOTS),
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_activities=SLOTS,
        max_concurrent_local_activities=SLOTS,
    )


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
    sys.stdout.flush()
    os._exit(0)
