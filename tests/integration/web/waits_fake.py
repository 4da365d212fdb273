"""What the services of waits answer in tests that are about the pages alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from engine.contract import Json
from engine.errors import NotFound, RunStudioError
from engine.runs.payload import RedactedPayload
from engine.services.answer_task import AnswerReceipt, AnswerState
from engine.services.context import Actor, Services
from engine.services.find_waits import TaskView, WaitPage, WaitView
from engine.services.release_quota import ReleaseReceipt
from tests import builders

SCHEMA: dict[str, Json] = {
    "type": "object",
    "required": ["approved"],
    "properties": {
        "approved": {"type": "boolean", "title": "Approved?"},
        "comment": {"type": "string"},
    },
}


def task(**fields: Any) -> TaskView:
    defaults: dict[str, Any] = {
        "task_id": builders.new_id(),
        "run_id": builders.new_id(),
        "workflow_key": "greet",
        "workflow_name": "Greet somebody",
        "path": "root.steps[0]",
        "title": "Approve the order",
        "description": "It costs more than usual.",
        "task_type": None,
        "form": SCHEMA,
        "context": RedactedPayload({"amount": 4711, "api_key": "[REDACTED]"}),
        "assignee": None,
        "created_at": builders.NOW,
        "due_at": builders.NOW + timedelta(hours=1),
        "timeout_at": None,
        "status": "OPEN",
    }
    return TaskView(**defaults | fields)


def wait(kind: str, **fields: Any) -> WaitView:
    defaults: dict[str, Any] = {
        "wait_id": builders.new_id(),
        "run_id": builders.new_id(),
        "workflow_key": "greet",
        "workflow_name": "Greet somebody",
        "kind": kind,
        "path": "root.steps[0]",
        "since": builders.NOW,
        "until": None,
    }
    return WaitView(**defaults | fields)


@dataclass
class Waits:
    """The services' functions, over rows that a test gives."""

    waits: list[WaitView] = field(default_factory=list)
    task: TaskView | None = None
    failure: RunStudioError | None = None
    """Raised by what changes something, when set."""
    closes: dict[str, Any] = field(default_factory=dict)
    """What another's answer made of the task, as soon as this one comes."""
    state: AnswerState = AnswerState.ACCEPTED
    answers: list[tuple[str, Json, str]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

    def list_open_waits(
        self, session: Session, rules: object, *, kinds: Any = None, assignee: Any = None, **_: Any
    ) -> WaitPage:
        found = [w for w in self.waits if kinds is None or w.kind in kinds]
        return WaitPage(tuple(w for w in found if assignee in {None, w.assignee}), None)

    def find_task(self, session: Session, rules: object, task_id: str) -> TaskView:
        if self.task is None or self.task.task_id != task_id:
            raise NotFound("There is no such task.")
        return self.task

    def answer_task(
        self, services: Services, task_id: str, actor: Actor, payload: Json, token: str
    ) -> AnswerReceipt:
        assert self.task is not None
        self.answers.append((task_id, payload, token))
        self.task = replace(self.task, **self.closes)
        if self.failure is not None:
            raise self.failure
        return AnswerReceipt(self.task.run_id, task_id, self.state)

    def release_quota(self, services: Services, wait_id: str, actor: Actor) -> ReleaseReceipt:
        if self.failure is not None:
            raise self.failure
        self.released.append(wait_id)
        return ReleaseReceipt(builders.new_id(), (wait_id,))
