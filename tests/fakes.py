"""Stand-ins for the world: `FakeHost`, a scripted host with a clock of its own.

Time moves only when every branch waits for it, as in Temporal; nothing here really sleeps. What
an action, a wait or a child gives is scripted by step id; all calls are in `log`, rows in `rows`.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.interpreter.host import (
    ActionRequest,
    ChildRequest,
    Performed,
    StepEnd,
    StepPlace,
    ValueRef,
    WaitRequest,
)
from engine.interpreter.interpreter import Interpreter, Outcome

T = TypeVar("T")

START = datetime(2026, 6, 9, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Lasting:
    """A scripted result that comes after some time."""

    seconds: float
    result: Any = None


Scripted = Any
"""A value; an exception to raise; a Performed; a Lasting; or a function of the request giving
one of these. In a list: one for each call, the last one for all further calls."""


class FakeHost:
    """`script`: step id (or action, event name, workflow key) to what comes of it."""

    def __init__(
        self,
        script: Mapping[str, Scripted] | None = None,
        *,
        values: Mapping[str, Json] | None = None,
        checkpoint_when: Callable[[int], bool] = lambda asked: False,
        start: datetime = START,
    ) -> None:
        self.script = dict(script or {})
        self.values = dict(values or {})
        self.log: list[tuple[str, Any]] = []
        self.began: list[tuple[str, datetime]] = []
        self.rows: list[StepEnd] = []
        self.labels: list[str] = []
        self.fetched: list[str] = []
        self.quota: list[dict[str, Json]] = []
        """States of a used-up quota, each given to one admission."""
        self.asked = 0
        self.evaluations = 0
        self.run_waits: list[bool] = []
        """What every wait said, and True for each end of a branch that left only waiting ones."""
        self._checkpoint_when = checkpoint_when
        self._now = start
        self._used: dict[str, int] = {}
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._watching = False

    # What the interpreter calls

    def now(self) -> datetime:
        return self._now

    def record(self, end: StepEnd) -> None:
        self.rows.append(end)

    def note_state(self, label: str) -> None:
        self.labels.append(label)

    def note_branch_ended(self, *, all_wait: bool) -> None:
        if all_wait:
            self.run_waits.append(True)

    async def perform(self, request: ActionRequest) -> Performed:
        self.log.append(("perform", request))
        result = await self._scripted(request, request.place.step_id, request.action)
        return result if isinstance(result, Performed) else Performed(result)

    async def fetch(self, reference: ValueRef) -> Json:
        self.fetched.append(reference.value_id)
        return self.values[reference.value_id]

    async def wait(self, request: WaitRequest) -> dict[str, Json] | None:
        self.log.append(("wait", request))
        self.run_waits.append(request.run_waits)
        try:
            if request.kind != "time":
                found = await self._scripted(request, request.place.step_id, request.event_name)
                if found is not None:
                    return found
            if request.until is None:
                await asyncio.get_running_loop().create_future()
            else:
                await self.sleep_until(request.until)
        except asyncio.CancelledError:
            self.log.append(("wait closed", request.place))
            raise
        return None

    async def wait_quota(
        self, place: StepPlace, quota: dict[str, Json], run_waits: bool = True
    ) -> None:
        self.log.append(("quota", place))
        self.run_waits.append(run_waits)
        await self.sleep_until(self._now + timedelta(seconds=quota.get("seconds", 60)))

    async def admit(self, place: StepPlace, started_at: datetime) -> dict[str, Json] | None:
        self.log.append(("admit", place))
        self.began.append(("admit", started_at))
        return self.quota.pop(0) if self.quota else None

    async def back_off(self, until: datetime) -> None:
        self.log.append(("back off", until))
        await self.sleep_until(until)

    async def start_child(self, request: ChildRequest) -> dict[str, Json]:
        self.log.append(("child", request))
        result: dict[str, Json] = await self._scripted(
            request, request.place.step_id, request.workflow_key
        )
        return {"payload": request.payload, "vars": {}, "meta": {}, **(result or {})}

    async def spend(self, evaluations: int, records: int) -> None:
        self.evaluations += evaluations

    def wants_checkpoint(self) -> bool:
        self.asked += 1
        return self._checkpoint_when(self.asked)

    # The script

    async def _scripted(self, request: Any, *names: str | None) -> Any:
        name = next((name for name in names if name in self.script), None)
        if name is None:
            return None
        found = self.script[name]
        if isinstance(found, list):
            used = self._used[name] = self._used.get(name, 0) + 1
            found = found[min(used, len(found)) - 1]
        if callable(found):
            found = found(request)
        if isinstance(found, Lasting):
            await self.sleep_until(self._now + timedelta(seconds=found.seconds))
            found = found.result
        if isinstance(found, BaseException):
            raise found
        return found

    # The clock

    async def sleep_until(self, moment: datetime) -> None:
        """Until the clock is there; it goes on when nothing else can happen."""
        if moment <= self._now:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (moment, next(self._order), woken))
        self._watch()
        await woken

    def _watch(self) -> None:
        if not self._watching:
            self._watching = True
            asyncio.get_running_loop().call_soon(self._tick)

    def _tick(self) -> None:
        """Idle, when no callback but this one is ready: then the next sleeper's time has come."""
        loop: Any = asyncio.get_running_loop()
        self._watching = False
        if not loop._ready:
            while self._sleepers:
                moment, _, woken = heapq.heappop(self._sleepers)
                if not woken.done():
                    self._now = max(self._now, moment)
                    woken.set_result(None)
                    break
        if self._sleepers:
            self._watch()

    # What tests ask

    def calls(self, kind: str) -> list[Any]:
        return [what for name, what in self.log if name == kind]

    def performed(self) -> list[str]:
        return [request.place.step_id for request in self.calls("perform")]


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def failing(message: str = "no", category: Category = Category.ACTION, **more: Any) -> StepFailed:
    return StepFailed(category, message, **more)


def execute(
    plan: Mapping[str, Json],
    host: FakeHost,
    *,
    payload: Json = None,
    meta: dict[str, Json] | None = None,
    checkpoint: Json = None,
) -> Outcome:
    """Runs a plan to its end."""
    return run(interpreter(plan, host, payload=payload, meta=meta, checkpoint=checkpoint).run())


def interpreter(
    plan: Mapping[str, Json],
    host: FakeHost,
    *,
    payload: Json = None,
    meta: dict[str, Json] | None = None,
    checkpoint: Json = None,
) -> Interpreter:
    return Interpreter(
        plan,
        host,
        payload={} if payload is None else payload,
        meta=dict(meta or {}),
        system={"runId": "run-1", "workflowId": "wf", "workflowVersion": 1, "tenantId": None},
        checkpoint=checkpoint,
    )
