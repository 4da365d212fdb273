"""What a workflow would ask of the worker's services, for tests that have no workflow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from engine.actions.action import Action, ActionContext
from engine.actions.registry import Registry
from engine.actions.secrets import Secrets
from engine.contract import ActionCall, Batch, Guard, Json, StepRecord
from engine.services.action_attempt import ActionTools
from engine.services.attempt import Stop
from engine.store.tables import WorkflowRun
from tests.builders import NOW

STARTED_AT = int(NOW.timestamp() * 1000)


def guard(
    history: int = 3, counter: int = 1, completed: int = 0, ordinal: int = 0, **tasks: int
) -> Guard:
    return Guard(ordinal, history, counter, completed, **tasks)


def batch(run: WorkflowRun, *records: StepRecord, **fields: Any) -> Batch:
    return Batch(**{"run_id": run.run_id, "guard": guard(), "records": list(records)} | fields)


def record(status: str = "SUCCEEDED", **fields: Any) -> StepRecord:
    defaults: dict[str, Any] = {
        "position": 1,
        "step_id": "first",
        "path": "root.steps[0]",
        "iter": [],
        "kind": "transform.assign",
        "status": status,
        "started_at": STARTED_AT,
        "completed_at": None if status == "STARTED" else STARTED_AT + 5,
    }
    return StepRecord(**defaults | fields)


def call(run: WorkflowRun, action: str = "test.note", **fields: Any) -> ActionCall:
    defaults: dict[str, Any] = {
        "run_id": run.run_id,
        "batch": batch(run),
        "position": 1,
        "step_id": "first",
        "path": "root.steps[0]",
        "iter": [],
        "attempt": 1,
        "action": action,
        "version": 1,
        "input": {},
        "started_at": STARTED_AT,
    }
    return ActionCall(**defaults | fields)


class Anything(BaseModel):
    """An input or output of any fields that a test needs."""

    model_config = ConfigDict(extra="forbid")

    text: str = ""
    value: Any = None


@dataclass
class Calls:
    """What an action of a test was called with, and what it does."""

    does: Callable[[Anything, ActionContext], Json] = lambda given, _: {"value": given.value}
    seen: list[ActionContext] = field(default_factory=list)

    def __call__(self, given: Anything, context: ActionContext) -> Json:
        self.seen.append(context)
        return self.does(given, context)


def action(run: Callable[[Any, ActionContext], Any], **fields: Any) -> Action:
    defaults: dict[str, Any] = {
        "id": "test.note",
        "version": 1,
        "Input": Anything,
        "Output": Anything,
        "run": run,
        "summary": "For a test.",
    }
    return Action(**defaults | fields)


def tools(*actions: Action, **secrets: str) -> ActionTools:
    environ = {f"SECRET_{name}": value for name, value in secrets.items()}
    return ActionTools(Registry(actions), Secrets(environ))


@dataclass
class FakePulse:
    """A connection to nobody, which may say that the attempt is to end."""

    why: Stop | None = None
    beats: int = 0

    def beat(self) -> None:
        self.beats += 1

    def tried_before(self) -> bool:
        return False

    def stop(self) -> Stop | None:
        return self.why
