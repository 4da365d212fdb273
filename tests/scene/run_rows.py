"""What the runs of the scene have done: steps, waits, tasks, calls, log lines, audit entries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from engine.contract import occurrence
from engine.runs.roles import Role
from engine.services import audit
from engine.services.context import Actor, Services
from engine.services.reveal_run import REVEAL
from engine.store.audit import AuditOutcome
from engine.store.base import Base
from engine.store.tables import WorkflowRun
from tests import builders
from tests.scene.documents import FORM, PING

ERROR: Final = {
    "category": "TransientError",
    "code": "HTTP_502",
    "message": "The monitoring service answered 502 Bad Gateway",
    "nodePath": PING,
    "details": {"status": 502},
}
NOT_STARTED: Final = {
    "code": "TEMPORAL_UNAVAILABLE",
    "message": "Temporal at temporal.northwind.example:7233 does not answer.",
    "stage": "launch",
}
CUT_OVER: Final = {
    "code": "TEMPORAL_ONLY_CUT_OVER",
    "message": "The engine that executed this run has been removed. Replay starts it on Temporal.",
}
_TITLE: Final = "Replace the router of Northwind?"
_ASSIGNEE: Final = "maria@northwind.example"


def details(services: Services, runs: dict[str, WorkflowRun]) -> dict[str, str]:
    """Write them; the ids of the tasks by what is to be seen of them."""
    rows: list[Base] = [
        *_steps(runs["failed"]), *_calls(runs["failed"]), *_log(runs["failed"]),
        *_steps(runs["done 0"])[:2], *_steps(runs["replay of failed"])[:2],
        *_steps(runs["waiting"])[:1], *_steps(runs["going on"])[:3],
        *_steps(runs["cancel requested"])[:1], *_steps(runs["canceled"])[:1],
        _called(runs["parent"]), _going_on(runs["going on"]),
        builders.wait(
            runs["waiting"], "event", event_name="part.delivered", key="PO-4711",
            created_at=runs["waiting"].started_at + timedelta(minutes=10),
        ),
        builders.wait(
            runs["over quota"], "quota", payload={"limit": 5000, "usedCount": 5000},
            timeout_at=builders.NOW + timedelta(days=7),
        ),
        builders.wait(
            runs["parent"], "time", timeout_at=builders.NOW + timedelta(hours=20),
        ),
    ]  # fmt: skip
    tasks: dict[str, str] = {}
    for name, status in (("open", "OPEN"), ("answered", "ANSWERED"), ("closed", "EXPIRED")):
        wait, task = _task(runs["waiting" if status == "OPEN" else "done 0"], status)
        tasks[name] = task.task_id
        rows += [wait, task]
    builders.save(services.store, *rows)
    _audit(services, runs["failed"])
    return tasks


def _steps(run: WorkflowRun) -> list[Base]:
    def step(second: float, status: str, lasted: float, **fields: Any) -> Base:
        at = run.started_at + timedelta(seconds=second)
        times: dict[str, Any] = {
            "started_at": at,
            "completed_at": at + timedelta(seconds=lasted),
            "duration_ms": int(lasted * 1000),
        }
        return builders.step(run, status, **times | fields)

    ping: dict[str, Any] = {
        "path": PING, "definition_step_id": "ping", "name": "Ping the device",
        "input_json": {"method": "GET", "url": "https://nas.northwind.example"},
    }  # fmt: skip
    return [
        step(0.5, "SUCCEEDED", 0.8, definition_step_id="load", name="Load the ticket",
             input_json={"key": "T-42"}, output_json={"found": True}),
        step(1.5, "SUCCEEDED", 1.4, iter=(0,), output_json={"status": 200}, **ping),
        step(3, "RETRY_SCHEDULED", 2, iter=(1,), error_json=ERROR, **ping,
             next_retry_at=run.started_at + timedelta(seconds=8)),
        step(8, "FAILED", 3, iter=(1,), attempt=2, error_json=ERROR, **ping),
    ]  # fmt: skip


def _going_on(run: WorkflowRun) -> Base:
    return builders.step(
        run, "STARTED", path=PING, iter=(2,), name="Ping the device", definition_step_id="ping",
        started_at=run.started_at + timedelta(seconds=90),
    )  # fmt: skip


def _called(run: WorkflowRun) -> Base:
    return builders.step(
        run, "SUCCEEDED", kind="control.callWorkflow", definition_step_id="account",
        name="Check the devices", started_at=run.started_at + timedelta(seconds=1),
        completed_at=run.started_at + timedelta(seconds=60), duration_ms=59_000,
    )  # fmt: skip


def _task(run: WorkflowRun, status: str) -> tuple[Base, Any]:
    asked = run.started_at + timedelta(minutes=1)
    is_open = status == "OPEN"
    wait = builders.wait(
        run, "human", status="WAITING" if is_open else "RESOLVED", created_at=asked,
        resolved_at=None if is_open else asked, payload={"title": _TITLE},
    )  # fmt: skip
    fields: dict[str, Any] = {
        "task_id": wait.wait_id, "title": _TITLE, "form_json": FORM, "created_at": asked,
        "description": "It has restarted nine times this week.", "assignee": _ASSIGNEE,
        "context_json": {"client": "Northwind", "token": "x"},
        "due_at": builders.NOW + timedelta(hours=3),
    }  # fmt: skip
    if status == "ANSWERED":
        answer = {"decision": "approve", "confirmedBy": "Ms Ito"}
        fields |= {"answer_json": answer, "answered_by": _ASSIGNEE, "answered_at": asked}
    return wait, builders.human_task(run, status, **fields)


def _calls(run: WorkflowRun) -> list[Base]:
    def call(status: str, second: float, **fields: Any) -> Base:
        at = run.started_at + timedelta(seconds=second)
        return builders.invocation(
            run, status, created_at=at, started_at=at, completed_at=at + timedelta(seconds=1),
            **fields,
        )  # fmt: skip

    ping: dict[str, Any] = {
        "action_id": "http.request", "step_path": PING,
        "input_json": {"method": "GET", "url": "https://nas.northwind.example"},
    }  # fmt: skip
    return [
        call("SUCCEEDED", 0.5, action_id="store.get", input_json={"key": "T-42"},
             output_json={"found": True}),
        call("SUCCEEDED", 1.5, occurrence=occurrence(PING, [0]), output_json={"status": 200},
             **ping),
        call("FAILED", 8, occurrence=occurrence(PING, [1]), attempt=2, error_json=ERROR, **ping),
    ]  # fmt: skip


def _log(run: WorkflowRun) -> list[Base]:
    def line(second: float, text: str, **fields: Any) -> Base:
        return builders.log(
            run, text, created_at=run.started_at + timedelta(seconds=second), **fields
        )

    return [
        line(0, "Run started"),
        line(6, "The device is slow", level="WARN", step_path=PING),
        line(12, "It failed", level="ERROR", step_path=PING, context_json=ERROR),
    ]


def _audit(services: Services, run: WorkflowRun) -> None:
    of: dict[str, Any] = {"record_type": audit.RUN, "record_id": run.run_id}
    maria = Actor(run.started_by, _ASSIGNEE, source_ip="192.0.2.7")
    vera = Actor(None, "vera@northwind.example", source_ip="192.0.2.9")
    with services.store.writing() as session:
        at = run.started_at
        audit.record(session, maria, "workflow_run_replay", at, **of, details={"version": 2})
        audit.record(
            session, vera, "workflow_run_cancel", at + timedelta(seconds=30), **of,
            outcome=AuditOutcome.DENIED, details={"needs": Role.OPERATOR.value},
        )  # fmt: skip
        audit.record(
            session, maria, REVEAL, at + timedelta(minutes=15), **of,
            details={"revealed": ["payload"], "reason": "Which router was asked?"},
        )  # fmt: skip
        audit.record(
            session, vera, REVEAL, at + timedelta(minutes=16), **of,
            outcome=AuditOutcome.DENIED, details={"needs": Role.ADMIN.value},
        )  # fmt: skip
