"""A Temporal that lives in a dictionary: what services do when its answers are these or those."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from engine.contract import Json, RunResult, temporal_workflow_id
from engine.errors import Unavailable
from engine.gateway.executions import (
    Ending,
    Execution,
    ExecutionState,
    Signal,
    UpdateOutcome,
    UpdateState,
)
from engine.store.session import in_transaction


def unavailable() -> Unavailable:
    return Unavailable("Temporal at nowhere does not answer.", code="TEMPORAL_UNAVAILABLE")


@dataclass
class FakeEngine:
    """`RunGateway`; refuses to be called inside a transaction, as the real one does."""

    executions: dict[str, Execution] = field(default_factory=dict)
    endings: dict[str, Ending] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    """Open, but the listing does not show them yet."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    looked: int = 0
    """How often it was asked whether it is there."""
    down: bool = False
    before: Callable[[str], None] = lambda call: None
    """Runs at the beginning of every call, also of one that fails."""
    lose_answers: bool = False
    """A start happens, and its answer does not arrive."""
    signals: list[Signal] = field(default_factory=list)
    """That were taken, or came to a workflow that is not open."""
    updates: list[tuple[str, Json]] = field(default_factory=list)
    """Id and argument of each that was asked for."""
    update_outcome: UpdateOutcome = field(
        default_factory=lambda: UpdateOutcome(UpdateState.ACCEPTED)
    )

    def start_run(self, run_id: str) -> str:
        self._call("start", run_id)
        workflow_id = temporal_workflow_id(run_id)
        if workflow_id not in self.executions:
            self.put(workflow_id)
        if self.lose_answers:
            raise unavailable()
        return self.executions[workflow_id].run_id

    def cancel_run(self, temporal_workflow_id: str) -> bool:
        self._call("cancel", temporal_workflow_id)
        return self._is_open(temporal_workflow_id)

    def terminate_run(self, temporal_workflow_id: str, reason: str) -> bool:
        self._call("terminate", temporal_workflow_id)
        was_open = self._is_open(temporal_workflow_id)
        if was_open:
            self.put(temporal_workflow_id, ExecutionState.TERMINATED)
        return was_open

    def describe_run(self, temporal_workflow_id: str) -> Execution | None:
        self._call("describe", temporal_workflow_id)
        return self.executions.get(temporal_workflow_id)

    def ending_of(self, temporal_workflow_id: str) -> Ending:
        self._call("ending", temporal_workflow_id)
        return self.endings.get(temporal_workflow_id, Ending())

    def open_run_ids(self, *, limit: int) -> list[str]:
        self._call("list", "")
        shown = [name for name in self.executions if self._is_open(name)]
        return [name for name in shown if name not in self.hidden][:limit]

    def signal_runs(self, signals: Sequence[Signal]) -> list[bool | None]:
        assert not in_transaction(), "signals were sent inside a database transaction"
        if self.down:
            return [None] * len(signals)
        self.signals += signals
        return [self._is_open(one.workflow_id) for one in signals]

    def update_run(
        self, temporal_workflow_id: str, name: str, argument: Json, update_id: str
    ) -> UpdateOutcome:
        self._call("update", temporal_workflow_id)
        self.updates.append((update_id, argument))
        if not self._is_open(temporal_workflow_id):
            return UpdateOutcome(UpdateState.UNKNOWN)
        return self.update_outcome

    def reachable(self) -> bool:
        self.looked += 1
        self.before("reachable")
        return not self.down

    def put(
        self,
        workflow_id: str,
        state: ExecutionState = ExecutionState.OPEN,
        result: str | None = None,
    ) -> None:
        """There is, from now on, this execution."""
        known = self.executions.get(workflow_id) or Execution(
            workflow_id=workflow_id,
            run_id=f"execution-of-{workflow_id}",
            state=state,
            started_at=datetime(2026, 11, 23, tzinfo=UTC),
            closed_at=None,
            history_length=2,
            pending_task=None,
        )
        self.executions[workflow_id] = replace(known, state=state)
        if result is not None:
            self.endings[workflow_id] = Ending(result=RunResult(result))

    def asked(self, call: str) -> list[str]:
        return [of for name, of in self.calls if name == call]

    def _is_open(self, workflow_id: str) -> bool:
        execution = self.executions.get(workflow_id)
        return execution is not None and execution.is_open

    def _call(self, name: str, of: str) -> None:
        assert not in_transaction(), f"{name} was called inside a database transaction"
        self.calls.append((name, of))
        self.before(name)
        if self.down:
            raise unavailable()
