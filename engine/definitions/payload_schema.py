"""Payload schemas: JSON Schema 2020-12, safe to run on any payload (docs/authoring.md, Document).

Messages never repeat a value of the payload: it may be private, and they are stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry

from engine.contract import Json
from engine.definitions.schema_keywords import (
    SafeValidator,
    TooMuchWork,
    references_for,
    references_left,
)
from engine.definitions.schema_safety import MAX_SCHEMA_DEPTH, depth_of, faults_of
from engine.definitions.schema_words import problems_of
from engine.errors import Problem

ANY_OBJECT: Final[Mapping[str, Json]] = {"type": "object"}
"""The schema of a document without one."""

CLOCK_SCHEMA: Final = "payload.WorkflowClockTrigger.v1"
"""What a time trigger gives its runs (original 2.8)."""

_TEXT: Final[Mapping[str, Json]] = {"type": "string"}
_CLOCK: Final[dict[str, Json]] = {
    "triggerType": {"enum": ["schedule", "recurring"]},
    "scheduleId": _TEXT,
    "scheduledFor": _TEXT,
    "firedAt": _TEXT,
    "timezone": _TEXT,
    "workflowId": _TEXT,
    "workflowVersion": {"type": "integer"},
}

BUILT_IN_SCHEMAS: Final[Mapping[str, Mapping[str, Json]]] = {
    "payload.Empty.v1": {"type": "object", "properties": {}, "additionalProperties": False},
    CLOCK_SCHEMA: {
        "type": "object",
        "required": list(_CLOCK),
        "properties": {**_CLOCK, "cron": _TEXT},
        "additionalProperties": False,
    },
}
"""What `payloadSchemaRef` may name in every installation."""

MAX_PROBLEMS: Final = 100
_NO_SCHEMAS: Final[Any] = Registry()
"""Nothing is fetched, whatever a schema says."""


def check_schema(schema: Json) -> list[Problem]:
    """What keeps `schema` from being used; pointers lead into the schema. Never raises."""
    if not isinstance(schema, dict):
        return [Problem("", "A schema is a JSON object.", "SCHEMA")]
    if depth_of(schema, MAX_SCHEMA_DEPTH) > MAX_SCHEMA_DEPTH:
        return [Problem("", f"The schema is nested deeper than {MAX_SCHEMA_DEPTH} levels.")]
    meta = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    return _problems(meta.iter_errors(schema)) or faults_of(schema)


def validate_payload(schema: Mapping[str, Json] | None, payload: Json) -> list[Problem]:
    """What of `payload` does not fit; empty when it does. A payload is always an object.

    `schema` has passed `check_schema`; None: any object.
    """
    if not isinstance(payload, dict):
        return [Problem("", "The payload must be a JSON object.", "TYPE")]
    return validate(ANY_OBJECT if schema is None else schema, payload)


def validate(schema: Mapping[str, Json], value: Json) -> list[Problem]:
    """The same for any value: the answer to a form, an action's input."""
    plain = {key: part for key, part in schema.items() if key not in ("$schema", "$id")}
    token = references_left.set([references_for(value)])
    try:
        return _problems(SafeValidator(plain, registry=_NO_SCHEMAS).iter_errors(value))
    except (TooMuchWork, RecursionError):
        return [Problem("", "Cannot be checked: the schema takes too much work.", "TOO_MUCH_WORK")]
    finally:
        references_left.reset(token)


def _problems(errors: Iterable[ValidationError]) -> list[Problem]:
    """In order, each once, and not without end."""
    found: dict[Problem, None] = {}
    for error in errors:
        found.update(dict.fromkeys(problems_of(error)))
        if len(found) >= MAX_PROBLEMS:
            break
    return list(found)[:MAX_PROBLEMS]
