"""A dry run of a compiled plan: what it would do, with stubs for what it would ask of the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from engine.contract import Json
from engine.definitions.catalogue import Catalogue
from engine.interpreter.interpreter import Interpreter, Outcome
from engine.runs.status import RunStatus
from engine.simulator.budget import Budget, BudgetSpent, Meter
from engine.simulator.clock import VirtualClock
from engine.simulator.host import Invocation, SimulatorHost
from engine.simulator.stubs import Stubs, arrived
from engine.simulator.trace import Entry


class SimulationStatus(StrEnum):
    COMPLETED = "completed"
    PAUSED_AT_WAIT = "paused-at-wait"
    """An event or a task has no stub, and nothing else can go on."""
    FAILED = "failed"
    """The run would fail; or the budget was spent, which `error.code` says."""


@dataclass(frozen=True, slots=True)
class Simulation:
    status: SimulationStatus
    error: dict[str, Json] | None
    scopes: dict[str, Json]
    """{payload, vars, local, meta, error, system} where it ended."""
    trace: list[Entry]
    invocations: list[Invocation]
    labels: list[str]
    """Of meta.state, as they were set."""
    evaluations: int


@dataclass(frozen=True, slots=True)
class World:
    """What a simulation is given in place of the world."""

    catalogue: Catalogue
    start: datetime
    clock: Callable[[], float]
    """Real seconds, for the budget only."""
    stubs: Mapping[str, Json] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)


def simulate(
    plan: Mapping[str, Json],
    world: World,
    *,
    payload: Json,
    system: dict[str, Json],
    meta: dict[str, Json] | None = None,
) -> Simulation:
    """Raises `Invalid` for stubs that are none, ValueError for a plan of an unknown format."""
    virtual = VirtualClock(world.start)
    meter = Meter(world.budget, world.clock)
    stubs = Stubs(world.stubs)
    host = SimulatorHost(str(system.get("runId", "")), virtual, stubs, world.catalogue, meter)
    interpreter = Interpreter(
        plan, host, payload=arrived(payload), meta=dict(meta or {}), system=system
    )

    def ended(
        status: SimulationStatus, error: dict[str, Json] | None, scopes: dict[str, Json]
    ) -> Simulation:
        # Whatever is cancelled from here on, is so because the simulation ends.
        host.trace.closed = True
        return Simulation(
            status,
            error,
            scopes,
            host.trace.entries(),
            host.invocations,
            host.labels,
            meter.evaluations,
        )

    async def run() -> Simulation:
        try:
            outcome = await interpreter.run()
        except BudgetSpent as spent:
            error = {"code": spent.code, "message": str(spent)}
            return ended(SimulationStatus.FAILED, error, interpreter.scopes)
        return ended(_status(outcome), outcome.error, outcome.scopes)

    def stuck() -> Simulation:
        return ended(SimulationStatus.PAUSED_AT_WAIT, None, interpreter.scopes)

    return virtual.run(run(), stuck)


def _status(outcome: Outcome) -> SimulationStatus:
    if outcome.status == RunStatus.SUCCEEDED:
        return SimulationStatus.COMPLETED
    return SimulationStatus.FAILED
