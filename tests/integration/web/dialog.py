"""A workflow that asks for every kind of field, and what a Run dialog of it wrote."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine.store.runs import WorkflowRun
from engine.store.session import Store

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["customer", "plan", "seats"],
    "additionalProperties": False,
    "properties": {
        "customer": {
            "type": "object",
            "title": "Customer",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "description": "As on the contract", "minLength": 2},
                "email": {"type": "string", "format": "email"},
                "a/b~c": {"type": "string"},
            },
        },
        "plan": {"enum": ["basic", "plus"], "default": "basic"},
        "seats": {"type": "integer", "minimum": 1},
        "discount": {"type": "number"},
        "notify": {"type": "boolean"},
        "devices": {"type": "array", "items": {"type": "string"}},
        "ports": {"type": "array", "items": {"type": "integer"}},
        "from": {"type": "string", "format": "date"},
        "password": {"type": "string", "writeOnly": True},
        "extra": {"anyOf": [{"type": "object"}, {"type": "null"}]},
    },
}
RUN = "/workflows/onboard/run"


GOOD = '{"customer": {"name": "Raw"}, "plan": "basic", "seats": 1}'


def all_runs(store: Store) -> list[WorkflowRun]:
    with store.reading() as session:
        return list(session.scalars(select(WorkflowRun).order_by(WorkflowRun.started_at)))
