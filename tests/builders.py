"""Rows and services for tests: plain functions, every argument has a default.

Builders make objects; `save` writes them. `published` does both for a definition and its version.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from engine.contract import occurrence, temporal_workflow_id
from engine.definitions.catalogue import ActionSpec
from engine.runs.status import STEP_RANK, TERMINAL, RunStatus, StepStatus
from engine.services.context import Limits, Services
from engine.store.base import Base
from engine.store.session import Store
from engine.store.tables import (
    Operator,
    WorkflowActionInvocation,
    WorkflowDefinition,
    WorkflowDefinitionVersion,
    WorkflowHumanTask,
    WorkflowRun,
    WorkflowRunLog,
    WorkflowRunStep,
    WorkflowRunWait,
)

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
"""The clock of a test that does not care."""

_numbers = itertools.count(1)


def new_id() -> str:
    return str(uuid4())


def document(key: str = "greet", **fields: Any) -> dict[str, Any]:
    """A document that publishes: one pure step."""
    return {
        "id": key,
        "name": key.capitalize(),
        "steps": [{"id": "first", "type": "state.set", "config": {"state": "greeted"}}],
    } | fields


def definition(key: str | None = None, **fields: Any) -> WorkflowDefinition:
    key = key or f"workflow-{next(_numbers)}"
    defaults: dict[str, Any] = {
        "workflow_id": new_id(),
        "key": key,
        "name": key,
        "payload_schema_ref": "inline",
        "draft_definition": document(key),
        "status": "published",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return WorkflowDefinition(**defaults | fields)


def version(of: WorkflowDefinition, number: int = 1, **fields: Any) -> WorkflowDefinitionVersion:
    defaults: dict[str, Any] = {
        "version_id": new_id(),
        "workflow_id": of.workflow_id,
        "version": number,
        "definition_json": of.draft_definition,
        "definition_hash": "0" * 64,
        "plan_json": {"format": 1, "steps": []},
        "published_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return WorkflowDefinitionVersion(**defaults | fields)


def run(of: WorkflowDefinition, status: str = RunStatus.RUNNING, **fields: Any) -> WorkflowRun:
    run_id = fields.pop("run_id", None) or new_id()
    started = fields.get("started_at", NOW)
    defaults: dict[str, Any] = {
        "run_id": run_id,
        "workflow_id": of.workflow_id,
        "workflow_version": 1,
        "status": status,
        "input_json": {},
        "engine": "temporal",
        "temporal_workflow_id": temporal_workflow_id(run_id),
        "definition_hash": "0" * 64,
        "started_at": started,
        "updated_at": started,
        "completed_at": started + timedelta(seconds=1) if status in TERMINAL else None,
    }
    return WorkflowRun(**defaults | fields)


def step(
    of: WorkflowRun,
    status: str = StepStatus.SUCCEEDED,
    *,
    path: str = "root.steps[0]",
    iter: tuple[int, ...] | None = (),
    **fields: Any,
) -> WorkflowRunStep:
    ended = status != StepStatus.STARTED
    defaults: dict[str, Any] = {
        "step_id": new_id(),
        "run_id": of.run_id,
        "step_path": path,
        "occurrence": occurrence(path, list(iter or ())),
        "iter": None if iter is None else list(iter),
        "definition_step_id": "first",
        "kind": "action.call",
        "status": status,
        "rank": STEP_RANK[StepStatus(status)],
        "attempt": 1,
        "position": next(_numbers),
        "started_at": NOW,
        "completed_at": NOW + timedelta(milliseconds=20) if ended else None,
        "duration_ms": 20 if ended else None,
        "updated_at": NOW,
    }
    return WorkflowRunStep(**defaults | fields)


def wait(of: WorkflowRun, wait_type: str = "time", **fields: Any) -> WorkflowRunWait:
    defaults: dict[str, Any] = {
        "wait_id": new_id(),
        "run_id": of.run_id,
        "step_path": "root.steps[0]",
        "occurrence": "root.steps[0]",
        "wait_type": wait_type,
        "status": "WAITING",
        "payload": {},
        "created_at": NOW,
        "updated_at": NOW,
    }
    return WorkflowRunWait(**defaults | fields)


def human_task(of: WorkflowRun, status: str = "OPEN", **fields: Any) -> WorkflowHumanTask:
    """Its wait has the same id: `wait(of, "human", wait_id=task_id)`."""
    defaults: dict[str, Any] = {
        "task_id": new_id(),
        "run_id": of.run_id,
        "step_path": "root.steps[0]",
        "title": "Approve it",
        "form_json": {},
        "status": status,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return WorkflowHumanTask(**defaults | fields)


def invocation(of: WorkflowRun, status: str = "STARTED", **fields: Any) -> WorkflowActionInvocation:
    defaults: dict[str, Any] = {
        "invocation_id": new_id(),
        "run_id": of.run_id,
        "step_path": "root.steps[0]",
        "occurrence": "root.steps[0]",
        "action_id": "log.write",
        "action_version": 1,
        "idempotency_key": new_id(),
        "status": status,
        "created_at": NOW,
        "started_at": NOW,
    }
    return WorkflowActionInvocation(**defaults | fields)


def log(of: WorkflowRun, message: str = "something happened", **fields: Any) -> WorkflowRunLog:
    defaults: dict[str, Any] = {
        "log_id": new_id(),
        "run_id": of.run_id,
        "level": "INFO",
        "message": message,
        "source": "runtime",
        "created_at": NOW,
    }
    return WorkflowRunLog(**defaults | fields)


def operator(role: str = "operator", **fields: Any) -> Operator:
    defaults: dict[str, Any] = {
        "operator_id": new_id(),
        "email": f"operator-{next(_numbers)}@example.com",
        "role": role,
        "is_active": True,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Operator(**defaults | fields)


def save(store: Store, *rows: Base) -> None:
    """Write rows in the order given: what is referred to comes first."""
    with store.writing() as session:
        for row in rows:
            session.add(row)
            session.flush()


def published(
    store: Store, key: str | None = None, **fields: Any
) -> tuple[WorkflowDefinition, WorkflowDefinitionVersion]:
    """A saved definition with version 1; `document` and `plan` set the version's content."""
    content = fields.pop("document", None)
    plan = fields.pop("plan", None)
    if content is not None:
        fields["draft_definition"] = content
    of = definition(key, **fields)
    first = version(of, **({} if plan is None else {"plan_json": plan}))
    save(store, of, first)
    return of, first


@dataclass
class FakeGateway:
    """Temporal for tests that are not about Temporal: notes what was asked."""

    started: list[str] = field(default_factory=list)
    canceled: list[str] = field(default_factory=list)
    terminated: list[str] = field(default_factory=list)
    known: bool = True
    failure: Exception | None = None
    """Raised by every call, when set."""

    def start_run(self, run_id: str) -> str:
        self._answer()
        self.started.append(run_id)
        return f"execution-of-{run_id}"

    def cancel_run(self, temporal_workflow_id: str) -> bool:
        self._answer()
        self.canceled.append(temporal_workflow_id)
        return self.known

    def terminate_run(self, temporal_workflow_id: str, reason: str) -> bool:
        self._answer()
        self.terminated.append(temporal_workflow_id)
        return self.known

    def reachable(self) -> bool:
        return self.failure is None

    def _answer(self) -> None:
        if self.failure is not None:
            raise self.failure


class EmptyCatalogue:
    """No action at all."""

    def find(self, action: str, version: int) -> ActionSpec | None:
        return None

    def versions(self, action: str) -> list[int]:
        return []

    def names(self) -> list[str]:
        return []


def services(store: Store, **fields: Any) -> Services:
    """Services with a gateway that only notes, no action, and a clock that stands at NOW."""
    defaults: dict[str, Any] = {
        "store": store,
        "gateway": FakeGateway(),
        "catalogue": EmptyCatalogue(),
        "limits": Limits(),
        "now": lambda: NOW,
    }
    return Services(**defaults | fields)
