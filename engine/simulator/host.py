"""The interpreter's host in a dry run: a virtual clock, and stubs in place of the world.

It writes the rows that the host's side writes in production (those of actions), into the trace.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.contract import Json, occurrence
from engine.definitions.catalogue import Catalogue
from engine.errors import StepFailed
from engine.interpreter.failure import located
from engine.interpreter.host import (
    ActionRequest,
    ChildRequest,
    Performed,
    StepEnd,
    StepPlace,
    ValueRef,
    WaitRequest,
)
from engine.interpreter.retry import next_delay_ms, retry_seed
from engine.runs.status import StepStatus
from engine.simulator.budget import Meter
from engine.simulator.clock import VirtualClock
from engine.simulator.samples import sample_of
from engine.simulator.stubs import Stub, Stubs
from engine.simulator.trace import StepOutcome, Trace


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call of the world that was not made."""

    place: StepPlace
    called: str
    """`<action>@<version>`, or `workflow:<key>@<version>`."""
    input: Json
    output: Json
    source: str
    """Where the output came from: stub, schema, or empty."""

    def as_data(self) -> dict[str, Json]:
        return {
            "stepId": self.place.step_id,
            "path": self.place.path,
            "iter": list(self.place.iter),
            "attempt": self.place.attempt,
            "called": self.called,
            "input": self.input,
            "output": self.output,
            "outputSource": self.source,
        }


class SimulatorHost:
    def __init__(
        self, run_id: str, clock: VirtualClock, stubs: Stubs, catalogue: Catalogue, meter: Meter
    ) -> None:
        self.trace = Trace()
        self.invocations: list[Invocation] = []
        self.labels: list[str] = []
        self._run_id = run_id
        self._clock = clock
        self._stubs = stubs
        self._catalogue = catalogue
        self._meter = meter

    # What the interpreter sees

    def now(self) -> datetime:
        return self._clock.now

    def record(self, end: StepEnd) -> None:
        if not self.trace.closed:
            self._meter.step(end.place.position, end.place.iter)
        self.trace.end(end)

    def note_state(self, label: str) -> None:
        self.labels.append(label)

    def note_branch_ended(self, *, all_wait: bool) -> None:
        """Nobody looks at the run before it has ended."""

    async def perform(self, request: ActionRequest) -> Performed:
        place, began = request.place, self.now()
        self._meter.step(place.position, place.iter)
        self.trace.open(place, began, request.input).outcome = StepOutcome.STUBBED
        await asyncio.sleep(0)
        stub = self._stubs.find(place.step_id, request.action)
        if stub is not None and stub.failure is not None:
            self._failed(request, stub.failure, began)
            raise stub.failure
        output, source = self._output(request, stub)
        called = f"{request.action}@{request.version}"
        self.invocations.append(Invocation(place, called, request.input, output, source))
        end = StepEnd(place, StepStatus.SUCCEEDED, began, self.now(), request.input, output)
        self.trace.end(end)
        return Performed(output)

    async def fetch(self, reference: ValueRef) -> Json:
        raise AssertionError("a simulation keeps every value where it is")

    async def wait(self, request: WaitRequest) -> dict[str, Json] | None:
        entry = self.trace.open(request.place, self.now())
        if request.kind == "time":
            if request.until is not None:
                await self._clock.sleep_until(request.until)
            return None
        entry.outcome = StepOutcome.STUBBED
        task_type = request.payload.get("taskType")
        stub = self._stubs.find(request.place.step_id, request.event_name, task_type)
        if stub is None:
            entry.outcome, entry.input = StepOutcome.WOULD_WAIT, request.payload
            await asyncio.get_running_loop().create_future()
        assert stub is not None
        if stub.failure is not None:
            raise stub.failure
        if not stub.times_out:
            await asyncio.sleep(0)
            return {"eventName": request.event_name, "payload": stub.value}
        if request.until is None:
            await asyncio.get_running_loop().create_future()
        else:
            await self._clock.sleep_until(request.until)
        return None

    async def wait_quota(
        self, place: StepPlace, quota: dict[str, Json], run_waits: bool = True
    ) -> None:
        raise AssertionError("a simulation has no quota")

    async def admit(self, place: StepPlace, started_at: datetime) -> dict[str, Json] | None:
        self._meter.step(place.position, place.iter)
        return None

    async def back_off(self, until: datetime) -> None:
        await self._clock.sleep_until(until)

    async def start_child(self, request: ChildRequest) -> dict[str, Json]:
        place, key = request.place, f"workflow:{request.workflow_key}"
        self.trace.open(place, self.now(), request.payload).outcome = StepOutcome.STUBBED
        await asyncio.sleep(0)
        stub = self._stubs.find(place.step_id, key)
        if stub is not None and stub.failure is not None:
            raise stub.failure
        scopes: dict[str, Json] = {
            "payload": request.payload,
            "vars": {},
            "local": {},
            "meta": {},
            "error": None,
            "system": {},
        }
        if stub is not None and isinstance(stub.value, dict):
            scopes |= stub.value
        source = "empty" if stub is None else "stub"
        called = f"{key}@{request.workflow_version}"
        self.invocations.append(Invocation(place, called, request.payload, scopes, source))
        return scopes

    async def spend(self, evaluations: int, records: int) -> None:
        self._meter.evaluated(evaluations)

    def wants_checkpoint(self) -> bool:
        return False

    # How

    def _output(self, request: ActionRequest, stub: Stub | None) -> tuple[Json, str]:
        if stub is not None:
            return stub.value, "stub"
        spec = self._catalogue.find(request.action, request.version)
        if spec is None or not spec.output_schema:
            return {}, "empty"
        return sample_of(spec.output_schema), "schema"

    def _failed(self, request: ActionRequest, failed: StepFailed, began: datetime) -> None:
        """As `engine.services.action_outcome` writes it."""
        place, now = request.place, self.now()
        error = located(failed, place, now)
        seed = retry_seed(self._run_id, occurrence(place.path, list(place.iter)))
        delay = next_delay_ms(request.retry, place.attempt, error, seed)
        again = None if delay is None else now + timedelta(milliseconds=delay)
        self.trace.end(
            StepEnd(
                place,
                StepStatus.FAILED if again is None else StepStatus.RETRY_SCHEDULED,
                began,
                now,
                request.input,
                None,
                error,
                again is None and request.handled_by is not None,
                again,
            )
        )
