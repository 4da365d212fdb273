"""One line of execution: the main one, or one item of a concurrent loop.

The stack `open` is the branch's whole position: which blocks are entered, and at which step each
stands. It is plain data, so that a checkpoint can be taken of it between any two steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from engine.contract import Json
from engine.definitions.plan import PlanStep
from engine.interpreter import checkpoint
from engine.interpreter.cancellation import raise_if_cancelled
from engine.interpreter.execution import Execution
from engine.interpreter.failure import Corrupt
from engine.interpreter.host import StepEnd, StepPlace, WaitRequest
from engine.interpreter.open_step import OpenStep
from engine.interpreter.scope import Scope
from engine.interpreter.steps import run_step
from engine.runs.status import StepStatus


class Branch:
    def __init__(self, execution: Execution, scope: Scope, outer: Branch | None = None) -> None:
        self.execution = execution
        self.scope = scope
        self.outer = outer
        self.iter: tuple[int, ...] = () if outer is None else outer.iter
        self.handler: str | None = None if outer is None else outer.handler
        """Who would take a failure here: "catch", "item", or None: it fails the run."""
        self.open: list[OpenStep] = []
        self._resuming: deque[checkpoint.SavedFrame] = deque()
        self._fresh = True

    # Blocks

    def resume(self, frames: Iterable[checkpoint.SavedFrame]) -> None:
        """Descend by these instead of beginning."""
        self._resuming.extend(frames)

    async def run_block(self, opened: OpenStep) -> bool:
        """The steps of `opened.block`, from where it stands. True: the run ends (return)."""
        steps = opened.step.blocks.get(opened.block, ())
        for index in range(opened.index, len(steps)):
            opened.index = index
            raise_if_cancelled()
            if self._resuming:
                inner = self._restored(steps[index], self._resuming.popleft())
            else:
                self.offer_checkpoint()
                inner = self._begun(steps[index])
            if await run_step(self, inner):
                return True
        return False

    @contextmanager
    def inside(self, opened: OpenStep) -> Iterator[None]:
        """`opened` is entered: part of the position, announced before anything is waited for."""
        self.open.append(opened)
        try:
            yield
        finally:
            self.open.pop()

    @contextmanager
    def handled_by(self, handler: str | None) -> Iterator[None]:
        outer, self.handler = self.handler, handler
        try:
            yield
        finally:
            self.handler = outer

    def handler_of(self, step: PlanStep) -> str | None:
        """Who takes a final failure of `step`: "continue", or who handles its surroundings."""
        return "continue" if step.on_error == "continue" else self.handler

    def fork(self) -> Branch:
        """The branch of one item of a concurrent loop."""
        return Branch(self.execution, self.scope.fork(), self)

    def _begun(self, step: PlanStep) -> OpenStep:
        execution = self.execution
        return OpenStep(step, execution.place(step, self.iter, 1), execution.host.now())

    def _restored(self, step: PlanStep, frame: checkpoint.SavedFrame) -> OpenStep:
        if frame.step != step.id or frame.index >= len(step.blocks.get(frame.block, ())):
            raise Corrupt(f"{step.path}: the checkpoint stands in {frame.step!r}, {frame.block!r}")
        place = StepPlace(frame.position, step.id, step.path, self.iter, step.kind, name=step.name)
        return OpenStep(
            step,
            place,
            frame.started_at,
            block=frame.block,
            index=frame.index,
            state=dict(frame.state),
            announced=frame.announced,
            resumed=True,
        )

    # Checkpoints

    def wants_checkpoint(self) -> bool:
        """Only where nothing runs beside, and never before something was done since the last."""
        if self.outer is not None:
            return False
        if self._fresh:
            self._fresh = False
            return False
        return self.execution.host.wants_checkpoint()

    def offer_checkpoint(self) -> None:
        if self.wants_checkpoint():
            self.take_checkpoint()

    def take_checkpoint(self) -> None:
        """Raises CheckpointReached."""
        execution = self.execution
        raise checkpoint.CheckpointReached(
            checkpoint.take(execution.position, execution.account.total, self.scope, self.open)
        )

    # Leaving pure work

    def announce(self) -> None:
        """Rows of the blocks around, as STARTED, before something outside is waited for."""
        if self.outer is not None:
            self.outer.announce()
        for opened in self.open:
            if not opened.announced:
                opened.announced = True
                self.execution.record(
                    StepEnd(opened.place, StepStatus.STARTED, opened.started_at, input=opened.input)
                )

    async def admit(self, opened: OpenStep) -> None:
        """Quota for a wait, task or call step; one that pauses for it has not begun."""
        self.announce()
        host = self.execution.host
        while (quota := await host.admit(opened.place, opened.started_at)) is not None:
            await self.wait_quota(opened.place, quota)
            opened.started_at = host.now()

    async def wait_quota(self, place: StepPlace, quota: dict[str, Json]) -> None:
        with self._blocked() as run_waits:
            await self.execution.host.wait_quota(place, quota, run_waits)

    async def wait(self, opened: OpenStep, kind: str, **request: Json) -> dict[str, Json] | None:
        """`Host.wait`, with `run_waits` known: RUNNING while any branch executes (rules.md 4).

        The step has been admitted before: its time counts from then on.
        """
        with self._blocked() as run_waits:
            return await self.execution.host.wait(
                WaitRequest(opened.place, kind, opened.started_at, run_waits=run_waits, **request)
            )

    @contextmanager
    def _blocked(self) -> Iterator[bool]:
        execution = self.execution
        execution.executing -= 1
        try:
            yield execution.executing == 0
        finally:
            execution.executing += 1
