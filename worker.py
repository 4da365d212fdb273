"""The worker's composition root: settings -> store -> Temporal client -> Worker. No logic.

Polls exactly `engine.contract.TASK_QUEUE`. Beside it run a heartbeat and the reconciler. SIGTERM
and SIGINT end it: it takes nothing new, finishes the step it is at, leaves the rest to others. It
lives from its first line on, and is ready while Temporal, its database and its polling are.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.worker import Worker

from engine import compose, logging
from engine.actions.secrets import Secrets
from engine.activities.make_worker import activity_pool, make_worker
from engine.contract import TASK_QUEUE
from engine.errors import RunStudioError
from engine.gateway.connect import TemporalOptions, WorkerConnection, wait_for_temporal
from engine.gateway.runs import TemporalRunGateway
from engine.services import heartbeat
from engine.services.action_attempt import ActionTools
from engine.services.check_schema import check_schema
from engine.services.context import Services
from engine.services.fire_schedules import EVERY as FIRE_EVERY
from engine.services.fire_schedules import fire_schedules
from engine.services.handshake import difference_to_web
from engine.services.heartbeat import HeartbeatWriter
from engine.services.perform_bulk import EVERY_S as BULK_EVERY_S
from engine.services.perform_bulk import perform_bulk
from engine.services.reconcile_runs import EVERY, reconcile
from engine.services.repeat import Repeating
from engine.services.tend_waits import EVERY as TEND_EVERY
from engine.services.tend_waits import tend_waits
from engine.services.worker_file import WRITE_EVERY_S, WorkerFile
from engine.services.worker_readiness import LOOK_EVERY_S, Readiness
from engine.settings import Settings
from engine.store.session import Store, in_transaction, make_engine
from engine.store.workers import WorkerState

_STOP_BACKGROUND_WITHIN_S: Final = 2.0
_TELL_WITHIN_S: Final = 2.0

T = TypeVar("T")

log = structlog.get_logger("worker")


def main() -> int:
    """The exit code: 0 it was told to end, 1 something was wrong, 2 the settings are."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until `_serve` listens
    try:
        return _begin()
    except KeyboardInterrupt:
        log.info("worker.stopped")
        return 0


def _begin() -> int:
    settings = compose.read_settings()
    logging.configure(
        settings.log_level, as_json=settings.log_json, patterns=settings.redaction_patterns
    )
    readiness = Readiness()
    file = WorkerFile(settings.data_dir, readiness.because)
    writing = Repeating("readiness-file", WRITE_EVERY_S, file.write)
    writing.start()
    try:
        temporal = compose.temporal_options(settings, _identity())
        tools = ActionTools(
            compose.registry(settings), Secrets.of_environment(settings.secrets_dir)
        )
        # A connection for each thread of an activity, and some for the rest.
        connections = 2 * settings.worker_slots + 4
        store = Store(
            make_engine(settings.effective_database_url, pool_size=connections, ping=False)
        )
        check_schema(store)
        # Not asyncio.run: at its end it waits for threads, and one may hang in a database call.
        asyncio.new_event_loop().run_until_complete(
            _serve(settings, store, temporal, tools, readiness)
        )
    except RunStudioError as error:
        log.error("worker.cannot_run", code=error.code, reason=error.message)  # noqa: TRY400
        return 1
    except Exception:
        log.exception("worker.failed")
        return 1
    finally:
        writing.stop(_TELL_WITHIN_S)
        file.remove()
    return 0


async def _serve(
    settings: Settings,
    store: Store,
    temporal: TemporalOptions,
    tools: ActionTools,
    readiness: Readiness,
) -> None:
    """Run until a signal comes; raises what ended the worker before."""
    leave = asyncio.Event()

    def told_to_leave() -> None:
        readiness.leave()
        leave.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_leave)
    client = await _first(wait_for_temporal(temporal, log.warning), leave)
    if client is None:
        return
    services = _services(settings, store, temporal, client, tools)
    pool = activity_pool(settings.worker_slots)
    identity = temporal.identity or client.identity
    worker = make_worker(client, services, tools, pool, identity=identity)
    readiness.polling(lambda: worker.is_running)
    about = _about(settings, identity, tools, pool.slots)
    writer = HeartbeatWriter(services, about, lambda: pool.busy, readiness.because_elsewhere)
    background = (
        Repeating("temporal", LOOK_EVERY_S, lambda: _look(readiness, services, writer)),
        Repeating("heartbeat", heartbeat.EVERY_S, lambda: readiness.beaten(writer.beat)),
        Repeating("waits", TEND_EVERY.total_seconds(), lambda: tend_waits(services, identity)),
        Repeating(
            "schedules", FIRE_EVERY.total_seconds(), lambda: fire_schedules(services, identity)
        ),
        Repeating("bulk", BULK_EVERY_S, lambda: perform_bulk(services, identity)),
        Repeating(
            "reconciler",
            EVERY.total_seconds(),
            lambda: reconcile(services, identity, leave.is_set),
        ),
    )
    for repeating in background:
        repeating.start()
    await asyncio.to_thread(_compare_actions, services)
    log.info("worker.started", identity=identity, queue=TASK_QUEUE, namespace=client.namespace)
    try:
        await _polling(worker, writer, leave)
    finally:
        await _stop(background)
        await _tell(writer, WorkerState.STOPPED)
        log.info("worker.stopped", identity=identity)


async def _first(wanted: Coroutine[Any, Any, T], leave: asyncio.Event) -> T | None:
    """What `wanted` gives, or None when the process is to end before that."""
    task, ending = asyncio.ensure_future(wanted), asyncio.ensure_future(leave.wait())
    await asyncio.wait({task, ending}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if task.done():
        return task.result()
    task.cancel()
    return None


async def _polling(worker: Worker, writer: HeartbeatWriter, leave: asyncio.Event) -> None:
    running = asyncio.create_task(worker.run())
    await _first(asyncio.wait({running}), leave)
    if not running.done():
        log.info("worker.stopping")
        await asyncio.gather(_tell(writer, WorkerState.STOPPING), worker.shutdown())
    await running


async def _stop(background: Sequence[Repeating]) -> None:
    """All at once: what hangs in a call must not keep the worker from leaving in time."""
    for repeating in background:
        repeating.leave()
    until = time.monotonic() + _STOP_BACKGROUND_WITHIN_S
    for repeating in background:
        left = max(0.0, until - time.monotonic())
        await asyncio.to_thread(repeating.stop, left)


def _look(readiness: Readiness, services: Services, writer: HeartbeatWriter) -> None:
    """A heartbeat at once where something has changed: pages should not lag behind."""
    readiness.look(services)
    if writer.is_outdated:
        readiness.beaten(writer.beat)


def _compare_actions(services: Services) -> None:
    """With those of the web. A difference is shown on the page of the engine; it ends nothing."""
    try:
        difference = difference_to_web(services)
    except SQLAlchemyError as error:
        log.warning("worker.actions_not_compared", reason=type(error).__name__)
        return
    if difference is not None:
        log.warning(
            "worker.other_actions_than_the_web",
            lacks=difference.lacks,
            knows_more=difference.knows_more,
            web_release=difference.release,
        )


async def _tell(writer: HeartbeatWriter, state: WorkerState) -> None:
    """Write the new state. A database that is away must not keep the worker from leaving."""
    try:
        await asyncio.wait_for(asyncio.to_thread(writer.enter, state), _TELL_WITHIN_S)
    except (SQLAlchemyError, TimeoutError) as error:
        log.warning("worker.state_not_written", state=state.value, reason=type(error).__name__)


def _services(
    settings: Settings,
    store: Store,
    temporal: TemporalOptions,
    client: Client,
    tools: ActionTools,
) -> Services:
    connection = WorkerConnection(temporal, client, asyncio.get_running_loop())
    return Services(
        store=store,
        gateway=TemporalRunGateway(connection, in_transaction),
        catalogue=tools.registry,
        limits=compose.limits(settings),
        redaction_patterns=settings.redaction_patterns,
        redaction_pointers=settings.redaction_pointers,
    )


def _about(settings: Settings, identity: str, tools: ActionTools, slots: int) -> heartbeat.Worker:
    return heartbeat.Worker(
        identity=identity,
        namespace=settings.temporal_namespace,
        registry_fingerprint=tools.registry.fingerprint(),
        registry=[f"{spec.action}@{spec.version}" for spec in tools.registry.specs()],
        slots=slots,
        started_at=datetime.now(UTC),
    )


def _identity() -> str:
    return f"{os.getpid()}@{socket.gethostname()}-{secrets.token_hex(3)}"


if __name__ == "__main__":
    code = main()
    logging.flush()
    # Not the interpreter's own exit: a process that used temporalio may abort in it.
    os._exit(code)
