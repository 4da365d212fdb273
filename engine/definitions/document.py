"""The document that an author writes; its JSON Schema is docs/document.schema.json."""

from __future__ import annotations

from typing import Final

from engine.contract import Json
from engine.definitions.fields import Part, PositiveInt, Text, Version, WorkflowKey
from engine.definitions.steps import Step
from engine.definitions.triggers import Trigger

MAX_BYTES: Final = 1024 * 1024
MAX_STEPS: Final = 2_000
MAX_NESTING: Final = 32
"""Steps inside steps: those of the document itself are the first level."""
MAX_JSON_DEPTH: Final = 160
"""JSON nesting of a document: 32 levels of steps take 65, mappings and schemas the rest."""


class Document(Part):
    """A workflow. Fields not named here are refused; `designer*` fields are kept."""

    id: WorkflowKey
    version: Version | None = None
    name: Text
    description: str | None = None
    payload_schema: dict[str, Json] | None = None
    payload_schema_ref: Text | None = None
    redact: list[str] | None = None
    concurrency_limit: PositiveInt | None = None
    trigger: Trigger | None = None
    steps: list[Step]
