"""What the pictures show: a small service desk with runs in every state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from werkzeug.security import generate_password_hash

from engine.services.context import Services
from engine.store.runs import WorkflowRun
from tests import builders

EMAIL: Final = "maria@northwind.example"
PASSWORD: Final = "correct horse battery staple"
ERROR: Final = {
    "category": "TransientError",
    "code": "HTTP_502",
    "message": "The monitoring service answered 502 Bad Gateway",
    "nodePath": "root.steps[1].body.steps[0]",
    "details": {"status": 502},
}
FORM: Final = {
    "type": "object",
    "required": ["decision", "confirmedBy"],
    "properties": {
        "decision": {"title": "Decision", "enum": ["approve", "refuse"]},
        "confirmedBy": {"title": "Confirmed by", "type": "string", "description": "Who you asked."},
        "days": {"title": "For how many days", "type": "integer"},
    },
}
SCHEMA: Final = {
    "type": "object",
    "required": ["client", "devices"],
    "properties": {
        "client": {"type": "string", "title": "Client", "default": "Northwind"},
        "devices": {"type": "array", "title": "Devices", "items": {"type": "string"}},
        "urgent": {"type": "boolean", "title": "Urgent"},
        "token": {"type": "string", "title": "Monitoring token", "writeOnly": True},
    },
}
STEPS: Final = [
    {"id": "load", "type": "action.call", "name": "Load the ticket",
     "config": {"actionId": "store.get", "version": 1, "inputMapping": {}}},
    {"id": "each", "type": "control.forEach", "name": "Each device",
     "items": {"$expr": "payload.devices"}, "itemVar": "device",
     "body": [{"id": "ping", "type": "action.call", "name": "Ping the device",
               "config": {"actionId": "http.request", "version": 1}}]},
    {"id": "approve", "type": "human.task", "name": "Have it approved", "config": {}},
]  # fmt: skip
PING: Final = "root.steps[1].body.steps[0]"


def make(services: Services) -> dict[str, str]:
    """Write the rows; the addresses to take pictures of, by the picture's name."""
    store, now = services.store, datetime.now(UTC)
    hashed = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
    maria = builders.operator(email=EMAIL, password_hash=hashed)
    of = builders.definition(
        "device-check", name="Device check", description="Asks every device of a client how it is."
    )
    document = builders.document("device-check", steps=STEPS)
    version = builders.version(of, definition_json=document, payload_schema_json=SCHEMA)
    builders.save(store, maria, of, version)

    def run(status: str, ago: timedelta, **fields: Any) -> WorkflowRun:
        at = now - ago
        known: dict[str, Any] = {"claimed_by": "x", "claimed_at": at + timedelta(milliseconds=300)}
        payload = {"client": "Northwind", "devices": ["nas", "router"], "token": "x"}
        common = {"started_at": at, "started_by": maria.operator_id, "input_json": payload}
        made = builders.run(of, status, **common | known | fields)
        builders.save(store, made)
        return made

    minute = timedelta(minutes=1)
    done = [
        run("SUCCEEDED", timedelta(hours=3, minutes=7 * n),
            completed_at=now - timedelta(hours=3, minutes=7 * n) + timedelta(seconds=9 + n))
        for n in range(12)
    ]  # fmt: skip
    failed = run("FAILED", 20 * minute, completed_at=now - 19 * minute, error_json=ERROR,
                 replay_of_run_id=done[0].run_id, reason="The monitoring is back")  # fmt: skip
    waiting = run("WAITING", 50 * minute, state_label="Waiting for approval")
    queued = run("RUNNING", 4 * minute, claimed_by=None, claimed_at=None)
    task = builders.wait(
        waiting, "human", created_at=now - 49 * minute,
        payload={"title": "Replace the router of Northwind?"},
    )  # fmt: skip
    builders.save(
        store, *_steps(failed), *_steps(waiting)[:1], task,
        builders.human_task(
            waiting, task_id=task.wait_id, title="Replace the router of Northwind?",
            description="It has restarted nine times this week.", form_json=FORM,
            context_json={"client": "Northwind", "token": "x"}, created_at=now - 49 * minute,
            due_at=now + timedelta(hours=3), assignee=EMAIL,
        ),
        builders.wait(waiting, "event", event_name="part.delivered", key="PO-4711",
                      created_at=now - 40 * minute),
        builders.log(failed, "Run started", created_at=failed.started_at),
        builders.log(failed, "The device is slow", level="WARN", step_path=PING,
                     created_at=failed.started_at + timedelta(seconds=6)),
        builders.log(failed, "It failed", level="ERROR", step_path=PING, context_json=ERROR,
                     created_at=failed.started_at + timedelta(seconds=12)),
        builders.invocation(failed, "FAILED", action_id="http.request", attempt=2,
                            step_path=PING, input_json={"url": "https://nas.example"},
                            error_json=ERROR, completed_at=now),
    )  # fmt: skip
    one = f"/runs/{failed.run_id}"
    return {
        "runs": "/runs", "run-failed": one, "run-waiting": f"/runs/{waiting.run_id}",
        "run-queued": f"/runs/{queued.run_id}", "run-timeline": f"{one}/timeline",
        "run-graph": f"{one}/graph", "run-log": f"{one}/log", "run-calls": f"{one}/calls",
        "run-audit": f"{one}/audit", "run-replay": f"{one}/replay",
        "run-replay-edit": f"{one}/replay?edit=1", "run-compare": f"{one}/compare",
        "waits": "/waits", "task": f"/waits/{task.wait_id}/answer", "workflows": "/workflows",
        "workflow": "/workflows/device-check", "run-dialog": "/workflows/device-check/run",
    }  # fmt: skip


def _steps(run: WorkflowRun) -> list[Any]:
    def step(second: float, status: str, lasted: float, **fields: Any) -> Any:
        at = run.started_at + timedelta(seconds=second)
        times: dict[str, Any] = {
            "started_at": at,
            "completed_at": at + timedelta(seconds=lasted),
            "duration_ms": int(lasted * 1000),
        }
        return builders.step(run, status, **times | fields)

    ping: dict[str, Any] = {"path": PING, "definition_step_id": "ping", "name": "Ping the device"}
    return [
        step(0.5, "SUCCEEDED", 0.8, definition_step_id="load", name="Load the ticket",
             input_json={"key": "T-42"}, output_json={"found": True}),
        step(1.5, "SUCCEEDED", 1.4, iter=(0,), **ping),
        step(3, "RETRY_SCHEDULED", 2, iter=(1,), error_json=ERROR, **ping,
             next_retry_at=run.started_at + timedelta(seconds=8)),
        step(8, "FAILED", 3, iter=(1,), attempt=2, error_json=ERROR, **ping),
    ]  # fmt: skip
