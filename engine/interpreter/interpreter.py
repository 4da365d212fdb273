"""Executes one compiled plan against a host, from its start or from a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.contract import Json
from engine.definitions.plan import Plan, PlanStep, load_plan
from engine.interpreter import checkpoint as checkpoints
from engine.interpreter.branch import Branch
from engine.interpreter.execution import Execution
from engine.interpreter.failure import Corrupt, Failure, located
from engine.interpreter.host import Host, StepPlace
from engine.interpreter.open_step import OpenStep
from engine.interpreter.scope import Scope
from engine.runs.status import RunStatus

_ROOT: Final = StepPlace(0, "", "root", (), "root")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended that was not cancelled."""

    status: RunStatus
    """SUCCEEDED or FAILED."""
    error: dict[str, Json] | None
    """Error data of the failure that nobody took."""
    scopes: dict[str, Json]
    """{payload, vars, local, meta, error, system}; large values are `ValueRef`."""


class Interpreter:
    def __init__(
        self,
        plan: Plan | Mapping[str, Json],
        host: Host,
        *,
        payload: Json,
        meta: dict[str, Json],
        system: dict[str, Json],
        checkpoint: Json = None,
    ) -> None:
        """`plan` in its wire form or loaded (ValueError for an unknown format).

        `checkpoint`: what `CheckpointReached` carried; payload and meta are then taken from it.
        """
        self._steps = (plan if isinstance(plan, Plan) else load_plan(plan)).steps
        self._execution = Execution(host, str(system.get("runId", "")))
        self._scope = Scope(
            payload=payload, meta=meta, system=system, account=self._execution.account
        )
        self._checkpoint = checkpoint

    @property
    def position(self) -> dict[str, Json]:
        """{"path", "steps"}: the step that began last, and how many have begun."""
        return {"path": self._execution.current_path, "steps": self._execution.position}

    @property
    def scopes(self) -> dict[str, Json]:
        """As in `Outcome`, at any time."""
        return self._scope.as_data()

    async def run(self) -> Outcome:
        """Raises CheckpointReached (the host wants to continue as new), CancelledError, RunOver."""
        try:
            await self._run()
        except Failure as failure:
            return self._outcome(RunStatus.FAILED, failure.data)
        except Corrupt as corrupt:
            data = located(corrupt, _ROOT, self._execution.host.now())
            return self._outcome(RunStatus.FAILED, data)
        return self._outcome(RunStatus.SUCCEEDED, None)

    async def _run(self) -> None:
        branch = Branch(self._execution, self._scope)
        plan = PlanStep("", "root", "root", {}, blocks={"steps": self._steps})
        root = OpenStep(plan, _ROOT, self._execution.host.now(), block="steps", announced=True)
        if self._checkpoint is None:
            self._scope.begin()
        else:
            self._restore(branch, root, checkpoints.load(self._checkpoint))
        with branch.inside(root):
            await branch.run_block(root)

    def _restore(self, branch: Branch, root: OpenStep, saved: checkpoints.Saved) -> None:
        if not saved.frames or saved.frames[0].index >= len(self._steps):
            raise Corrupt("the checkpoint stands nowhere in the plan")
        self._execution.position = saved.position
        self._scope.take_up(saved.scopes, saved.bytes)
        root.index = saved.frames[0].index
        branch.resume(saved.frames[1:])

    def _outcome(self, status: RunStatus, error: dict[str, Json] | None) -> Outcome:
        return Outcome(status, error, self.scopes)
