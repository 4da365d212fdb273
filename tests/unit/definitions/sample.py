"""A catalogue and documents for tests of the checker."""

from __future__ import annotations

import copy
from typing import Any

from engine.definitions.catalogue import ActionSpec
from engine.definitions.check import Finding, check_document
from engine.definitions.workflows import KnownWorkflows, PublishedWorkflow

SEND_INPUT = {
    "type": "object",
    "properties": {
        "to": {"type": "array", "items": {"type": "string"}},
        "subject": {"type": "string", "minLength": 1},
        "options": {
            "anyOf": [{"$ref": "#/$defs/Options"}, {"type": "null"}],
            "default": None,
        },
        "level": {"enum": ["low", "high"]},
        "count": {"type": "integer"},
        "extra": {},
    },
    "required": ["to", "subject"],
    "additionalProperties": False,
    "$defs": {
        "Options": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
            "required": ["name"],
            "additionalProperties": False,
        }
    },
}
ANYTHING = {"type": "object"}

FIRST = "root.steps[0]"
SEND = {"actionId": "mail.send"}
FULL = {"to": ["a@b.c"], "subject": "Hi"}
SCHEMA = {
    "type": "object",
    "properties": {
        "to": {"type": "array"},
        "n": {"type": "integer"},
        "s": {"type": "string"},
        "o": {"type": "object", "properties": {"k": {"type": "string"}}},
    },
}


class Catalogue:
    """Three actions: quick and repeatable, regular, pure."""

    def __init__(self) -> None:
        specs = [
            ActionSpec("log.write", 1, ANYTHING, ANYTHING, "", quick=True, repeatable=True),
            ActionSpec("mail.send", 1, SEND_INPUT, ANYTHING, ""),
            ActionSpec("mail.send", 2, SEND_INPUT, ANYTHING, ""),
            ActionSpec("transform.trim_text", 1, ANYTHING, ANYTHING, "", pure=True),
        ]
        self._specs = {(spec.action, spec.version): spec for spec in specs}

    def find(self, action: str, version: int) -> ActionSpec | None:
        return self._specs.get((action, version))

    def versions(self, action: str) -> list[int]:
        return sorted(version for name, version in self._specs if name == action)

    def names(self) -> list[str]:
        return sorted({name for name, _ in self._specs})


CATALOGUE = Catalogue()

CHILD_INPUT = {
    "type": "object",
    "properties": {"ticket": {"type": "string"}, "urgent": {"type": "boolean"}},
    "required": ["ticket"],
    "additionalProperties": False,
}
WORKFLOWS = KnownWorkflows(
    PublishedWorkflow("child", 1, CHILD_INPUT),
    PublishedWorkflow("child", 3, CHILD_INPUT),
    PublishedWorkflow("calls-me", 1, None, (("middle", 1),)),
    PublishedWorkflow("middle", 1, None, (("tested", 1),)),
    *(
        PublishedWorkflow(f"chain-{n}", 1, None, ((f"chain-{n + 1}", 1),) if n < 9 else ())
        for n in range(1, 10)
    ),
)


def expr(source: str) -> dict[str, str]:
    return {"$expr": source}


def call(step_id: str = "call", **config: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {"actionId": "log.write", "version": 1}
    return {"id": step_id, "type": "action.call", "config": defaults | config}


def assign(step_id: str = "assign", **writes: Any) -> dict[str, Any]:
    return {
        "id": step_id,
        "type": "transform.assign",
        "config": {"assign": writes or {"vars.x": expr("1")}},
    }


def loop(*body: Any, **fields: Any) -> dict[str, Any]:
    defaults = {"items": expr("payload.list"), "itemVar": "row", "body": list(body)}
    return {"id": "loop", "type": "control.forEach"} | defaults | fields


def branch(*then: Any, **fields: Any) -> dict[str, Any]:
    return {
        "id": "if",
        "type": "control.if",
        "condition": expr("true"),
        "then": list(then),
    } | fields


def wait(**config: Any) -> dict[str, Any]:
    return {"id": "wait", "type": "time.wait", "config": config}


def event(**config: Any) -> dict[str, Any]:
    defaults = {"eventName": "paid", "correlationKey": expr("payload.id")}
    return {"id": "event", "type": "event.wait", "config": defaults | config}


def task(**config: Any) -> dict[str, Any]:
    return {"id": "task", "type": "human.task", "config": {"title": expr("'Do it'")} | config}


def child(**fields: Any) -> dict[str, Any]:
    return {"id": "sub", "type": "control.callWorkflow", "workflowId": "child"} | fields


def document(*steps: Any, **fields: Any) -> dict[str, Any]:
    return {"id": "tested", "name": "Tested", "steps": list(copy.deepcopy(steps)), **fields}


def check(data: Any, **known: Any) -> list[Finding]:
    arguments: dict[str, Any] = {"workflows": WORKFLOWS, "schemas": {}} | known
    return check_document(data, CATALOGUE, **arguments)


def said(data: Any, **known: Any) -> list[tuple[str, str]]:
    """(code, step path) of every finding, in order."""
    return [(finding.code, finding.step_path) for finding in check(data, **known)]


WARNINGS = frozenset(
    {
        "UNKNOWN_NAME",
        "ASSIGN_PATH_UNKNOWN",
        "MAPPING_TYPE_UNKNOWN",
        "REDACT_PATH_UNKNOWN",
        "UNKNOWN_SPECIAL_KEY",
        "UNKNOWN_SECRET",
        "TIME_TRIGGER_PAYLOAD_DOES_NOT_FIT",
    }
)


def is_warning(finding: Finding) -> bool:
    """What may be right; everything else keeps a document from being published."""
    of_a_transform = (finding.code, finding.message[:11]) == ("RETRY_HAS_NO_EFFECT", "A transform")
    return finding.code in WARNINGS or of_a_transform
