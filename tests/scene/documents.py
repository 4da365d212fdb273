"""What the service desk has published."""

from __future__ import annotations

from typing import Any, Final

from tests import builders

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["client", "devices"],
    "properties": {
        "client": {"type": "string", "title": "Client", "default": "Northwind"},
        "devices": {"type": "array", "title": "Devices", "items": {"type": "string"}},
        "urgent": {"type": "boolean", "title": "Urgent"},
        "depth": {"enum": ["quick", "thorough"], "title": "How thorough"},
        "token": {"type": "string", "title": "Monitoring token", "writeOnly": True},
    },
}
FORM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["decision", "confirmedBy"],
    "properties": {
        "decision": {"title": "Decision", "enum": ["approve", "refuse"]},
        "confirmedBy": {"title": "Confirmed by", "type": "string", "description": "Who you asked."},
        "days": {"title": "For how many days", "type": "integer"},
    },
}
PING: Final = "root.steps[1].body.steps[0]"


def _call(step_id: str, name: str, action: str) -> dict[str, Any]:
    config = {"actionId": action, "version": 1, "inputMapping": {}}
    return {"id": step_id, "type": "action.call", "name": name, "config": config}


_LOAD: Final = _call("load", "Load the ticket", "store.get")
_EACH: Final = {
    "id": "each", "type": "control.forEach", "name": "Each device",
    "items": {"$expr": "payload.devices"}, "itemVar": "device",
    "body": [_call("ping", "Ping the device", "http.request")],
}  # fmt: skip
_APPROVE: Final = {"id": "approve", "type": "human.task", "name": "Have it approved", "config": {}}

CHECK_BEFORE: Final = builders.document("device-check", steps=[_LOAD, _EACH])
CHECK: Final = builders.document("device-check", steps=[_LOAD, _EACH, _APPROVE])
ONBOARDING: Final = builders.document(
    "onboarding",
    steps=[
        {"id": "account", "type": "control.callWorkflow", "name": "Check the devices",
         "workflowId": "device-check", "workflowVersion": 2},
        {"id": "first-day", "type": "time.wait", "name": "Until the first day",
         "config": {"mode": "duration", "durationMs": 86_400_000}},
    ],
)  # fmt: skip
