"""A worker with a test's actions, as a process: `python -m tests.worker_process ADDRESS DB`.

SIGTERM ends it as it ends the product's own.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from engine.actions.secrets import Secrets
from engine.activities.make_worker import activity_pool, make_worker
from engine.gateway.connect import TemporalOptions, WorkerConnection, connect
from engine.gateway.runs import TemporalRunGateway
from engine.services.action_attempt import ActionTools
from engine.services.context import Limits, Services
from engine.store.session import Store, in_transaction, make_engine
from tests import work_actions


async def main(address: str, url: str) -> None:
    options = TemporalOptions(address)
    client = await connect(options)
    loop, leave = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, leave.set)
    registry = work_actions.registry()
    services = Services(
        store=Store(make_engine(url, pool_size=40)),
        gateway=TemporalRunGateway(WorkerConnection(options, client, loop), in_transaction),
        catalogue=registry,
        limits=Limits(),
    )
    with activity_pool(20) as pool:
        identity = f"process-{os.getpid()}"
        worker = make_worker(
            client, services, ActionTools(registry, Secrets({})), pool, identity=identity
        )
        async with worker:
            print("polling", flush=True)
            await leave.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    os._exit(0)
