"""Compares every row with Temporal's history and with the effects that were counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from engine.gateway.connect import LazyConnection, TemporalOptions
from engine.gateway.loop_thread import LoopThread
from engine.runs.status import TERMINAL
from engine.store.session import Store
from engine.store.tables import WorkflowDataStore, WorkflowDefinition, WorkflowRun
from tests.drills.documents import SHAPES, Shape

_SHAPES: Final = {shape.key: shape for shape in SHAPES}

AGREED: Final = {
    ("SUCCEEDED", "COMPLETED"),
    ("FAILED", "FAILED"),
    ("CANCELED", "CANCELED"),
    ("CANCELED", "TERMINATED"),
    # Temporal was told of it, but the row said first that its launch had failed.
    ("FAILED", "COMPLETED"),
}


@dataclass(frozen=True)
class Looked:
    run_id: str
    tag: str
    shape: Shape
    status: str
    error: dict[str, Any]
    temporal: str | None


class Checker:
    def __init__(self, store: Store, address: str, effects: Path) -> None:
        self._store = store
        self._effects = effects
        self._thread = LoopThread()
        self._connection = LazyConnection(TemporalOptions(address), self._thread)

    def close(self) -> None:
        self._thread.stop()

    def open_rows(self) -> list[str]:
        with self._store.reading() as session:
            return list(
                session.scalars(
                    select(WorkflowRun.run_id).where(WorkflowRun.status.not_in(TERMINAL))
                )
            )

    def open_executions(self) -> list[str]:
        async def listing(client: Client) -> list[str]:
            query = 'ExecutionStatus = "Running"'
            return [each.id async for each in client.list_workflows(query)]

        return list(self._connection.call(listing, timeout_s=30))

    def looked(self) -> list[Looked]:
        with self._store.reading() as session:
            rows = session.execute(
                select(WorkflowRun, WorkflowDefinition.key).join(
                    WorkflowDefinition, WorkflowDefinition.workflow_id == WorkflowRun.workflow_id
                )
            ).all()
        return [
            Looked(
                run.run_id,
                str((run.input_json or {})["tag"]),
                _SHAPES[str(key)],
                run.status,
                run.error_json or {},
                self._of_temporal(run.temporal_workflow_id),
            )
            for run, key in rows
        ]

    def violations(self, accepted: set[str]) -> list[str]:
        """What must not be; empty when the promise held."""
        found = [f"{run_id} is still open" for run_id in self.open_rows()]
        found += [f"{name} still executes" for name in self.open_executions()]
        runs = self.looked()
        found += [f"{lost} was accepted and has no row" for lost in accepted - ids(runs)]
        effects, counters = self._effects_by_tag(), self._counters()
        for run in runs:
            faults = [*_ending(run, run.run_id in accepted), *_effects(run, effects[run.tag])]
            faults += _counted(run, counters.get(run.tag, 0))
            found += [f"{run.run_id} ({run.shape.key}, {run.tag}): {fault}" for fault in faults]
        return found

    def _of_temporal(self, workflow_id: str | None) -> str | None:
        async def describe(client: Client) -> WorkflowExecutionStatus | None:
            try:
                return (await client.get_workflow_handle(workflow_id or "").describe()).status
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return None
                raise

        status = self._connection.call(describe, timeout_s=30)
        return None if status is None else str(status.name)

    def _effects_by_tag(self) -> dict[str, Counter[tuple[str, str, str]]]:
        """(action, step, key) of every line, by the run's tag."""
        found: dict[str, Counter[tuple[str, str, str]]] = defaultdict(Counter)
        lines = self._effects.read_text().splitlines() if self._effects.exists() else []
        for line in lines:
            action, name, key = line.split(" ")
            tag, _, step = name.rpartition("/")
            found[tag][action, step, key] += 1
        return found

    def _counters(self) -> dict[str, int]:
        with self._store.reading() as session:
            rows = session.execute(select(WorkflowDataStore.key, WorkflowDataStore.value)).all()
        return {key: int(value["v"]) for key, value in rows}


def ids(runs: list[Looked]) -> set[str]:
    return {run.run_id for run in runs}


def _ending(run: Looked, accepted: bool) -> list[str]:
    if run.temporal is None:
        never = run.status == "FAILED" and run.error.get("stage") == "launch"
        return [] if never else [f"{run.status}, and Temporal does not know it"]
    faults = []
    if (run.status, run.temporal) not in AGREED:
        faults.append(f"{run.status} here, {run.temporal} in Temporal")
    if run.status == "FAILED" and not _may_fail(run, accepted):
        faults.append(f"FAILED: {run.error}")
    return faults


def _may_fail(run: Looked, accepted: bool) -> bool:
    """A call that must not be made again may have an unknown outcome; a launch may be refused."""
    if run.error.get("category") == "OutcomeUnknown":
        return "once" in run.shape.effects.values()
    return run.error.get("stage") == "launch" and not accepted


def _effects(run: Looked, seen: Counter[tuple[str, str, str]]) -> list[str]:
    faults = []
    for step, action in run.shape.effects.items():
        keys = {key for name, at, key in seen if (name, at) == (action, step)}
        times = sum(n for (name, at, _), n in seen.items() if (name, at) == (action, step))
        if action == "once" and times > 1:
            faults.append(f"{step}, not to be repeated, took effect {times} times")
        if len(keys) > 1:
            faults.append(f"{step} was called with {len(keys)} keys: its effect is doubled")
        if run.status == "SUCCEEDED" and not times:
            faults.append(f"{step} never took effect")
    return faults


def _counted(run: Looked, counted: int) -> list[str]:
    if counted > run.shape.counted:
        return [f"counted {counted}, not {run.shape.counted}: store.increment is doubled"]
    if run.status == "SUCCEEDED" and counted != run.shape.counted:
        return [f"counted {counted}, not {run.shape.counted}"]
    return []
