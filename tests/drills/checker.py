"""The verdict of a drill: every run against Temporal's history, and every effect counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from engine.gateway.connect import LazyConnection, TemporalOptions
from engine.gateway.loop_thread import LoopThread
from engine.runs.status import TERMINAL
from engine.store.bulk import BulkOperation, BulkStatus
from engine.store.events import DeliveryStatus, WorkflowEventDelivery, WorkflowRuntimeEvent
from engine.store.schedules import ScheduleStatus, TimedTrigger, WorkflowSchedule
from engine.store.session import Store
from engine.store.tables import WorkflowRun
from tests.drills.compare import faults_of
from tests.drills.documents import shape_of
from tests.drills.effects import of_effects, of_outcome, read_effects
from tests.drills.evidence import Evidence, gather
from tests.drills.retold import Chain, fetch_chain, retell

_FETCHED_AT_ONCE: Final = 8


@dataclass(frozen=True)
class Promised:
    """What operators were told: it must be so."""

    accepted: frozenset[str]
    """Runs."""
    answers: dict[str, Any]
    """By task: the payload that was accepted."""
    canceled: frozenset[str]
    """Runs whose cancel was accepted."""


class Checker:
    def __init__(self, store: Store, address: str, effects: Path) -> None:
        self._store = store
        self._effects = effects
        self._thread = LoopThread()
        self._connection = LazyConnection(TemporalOptions(address), self._thread)
        self.faulty: list[tuple[Evidence, Chain | None]] = []
        """The runs that `violations` found something in."""

    def close(self) -> None:
        self._thread.stop()

    # Is it over?

    def unsettled(self) -> list[str]:
        """What is still to come; empty when all is said."""
        return [*self.open_rows(), *self.open_executions(), *self._undelivered()]

    def open_rows(self) -> list[str]:
        with self._store.reading() as session:
            open_ = session.scalars(
                select(WorkflowRun.run_id).where(WorkflowRun.status.not_in(TERMINAL))
            )
            return [f"{run_id} is still open" for run_id in open_]

    def open_executions(self) -> list[str]:
        async def listing(client: Client) -> list[str]:
            query = 'ExecutionStatus = "Running"'
            return [each.id async for each in client.list_workflows(query)]

        return [f"{name} still executes" for name in self._connection.call(listing, timeout_s=30)]

    def _undelivered(self) -> list[str]:
        under_way = [DeliveryStatus.PENDING, DeliveryStatus.DELIVERED]
        count = select(func.count())
        with self._store.reading() as session:
            deliveries = session.scalar(
                count.select_from(WorkflowEventDelivery).where(
                    WorkflowEventDelivery.status.in_(under_way)
                )
            )
            events = session.scalar(
                count.select_from(WorkflowRuntimeEvent).where(
                    WorkflowRuntimeEvent.processed_at.is_(None)
                )
            )
            bulks = session.scalar(
                count.select_from(BulkOperation).where(BulkOperation.status == BulkStatus.STARTED)
            )
            clocks = session.scalar(
                count.select_from(WorkflowSchedule).where(
                    WorkflowSchedule.trigger_type == TimedTrigger.SCHEDULE,
                    WorkflowSchedule.status != ScheduleStatus.COMPLETED,
                )
            )
        left = {
            "deliveries": deliveries,
            "events": events,
            "bulk operations": bulks,
            "clocks": clocks,
        }
        return [f"{number} {name} are not done" for name, number in left.items() if number]

    # Is it true?

    def violations(
        self, promised: Promised, skews: Collection[timedelta] = (timedelta(0),)
    ) -> list[str]:
        """What must not be; empty when the promise held."""
        effects, runs = read_effects(self._effects), gather(self._store)
        found = [*self.unsettled(), *of_promises(runs, promised)]
        chains = self.chains(runs)
        for one in runs:
            shape, run_id = shape_of(one.key), one.run.run_id
            faults = [
                *faults_of(one, chains.get(run_id), skews),
                *of_effects(one, shape, effects.get(run_id, Counter())),
                *_of_launch(one, promised),
            ]
            if not _refused_at_launch(one):
                faults += of_outcome(one, shape)
            found += [f"{run_id} ({one.key}): {fault}" for fault in faults]
            if faults:
                self.faulty.append((one, chains.get(run_id)))
        lost = effects.keys() - {one.run.run_id for one in runs}
        return [*found, *(f"{run_id} took effect and has no row" for run_id in lost)]

    def chains(self, runs: Sequence[Evidence]) -> dict[str, Chain]:
        """Of every run that Temporal knows."""

        async def fetch(client: Client) -> dict[str, Chain]:
            limit = asyncio.Semaphore(_FETCHED_AT_ONCE)
            fetched = await asyncio.gather(*(_fetch(client, one, limit) for one in runs))
            chains = {one.run.run_id: chain for one, chain in zip(runs, fetched, strict=True)}
            return {run_id: chain for run_id, chain in chains.items() if chain is not None}

        async def fetch_and_retell(client: Client) -> dict[str, Chain]:
            chains = await fetch(client)
            await retell(list(chains.values()))
            return chains

        found: dict[str, Chain] = self._connection.call(fetch_and_retell, timeout_s=900)
        return found


async def _fetch(client: Client, one: Evidence, limit: asyncio.Semaphore) -> Chain | None:
    workflow_id = str(one.run.temporal_workflow_id)
    async with limit:
        try:
            newest = await client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        return await fetch_chain(client, workflow_id, newest.run_id)


def _refused_at_launch(one: Evidence) -> bool:
    return one.run.status == "FAILED" and (one.run.error_json or {}).get("stage") == "launch"


def _of_launch(one: Evidence, promised: Promised) -> list[str]:
    if _refused_at_launch(one) and one.run.run_id in promised.accepted:
        return ["it was accepted, and its row says that its launch failed"]
    return []


def of_promises(runs: Sequence[Evidence], promised: Promised) -> list[str]:
    rows = {one.run.run_id: one for one in runs}
    found = [f"{lost} was accepted and has no row" for lost in promised.accepted - rows.keys()]
    tasks = {task.task_id: task for one in runs for task in one.tasks}
    for task_id, answer in promised.answers.items():
        task = tasks.get(task_id)
        if task is None or (task.status, task.answer_json) != ("ANSWERED", answer):
            found.append(f"the answer {answer} of the task {task_id} was accepted and is lost")
    for run_id in promised.canceled & rows.keys():
        if rows[run_id].run.cancel_requested_at is None:
            found.append(f"{run_id}: its cancel was accepted and is lost")
    fired = Counter(one.run.trigger_fire_key for one in runs if one.run.trigger_fire_key)
    found += [f"{key} was fired {times} times" for key, times in fired.items() if times > 1]
    return found
