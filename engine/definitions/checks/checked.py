"""What a check gets: the document as written, what the installation knows, where to report."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.contract import Json
from engine.definitions.catalogue import Catalogue
from engine.definitions.findings import ROOT, Finding, Severity
from engine.definitions.payload_schema import BUILT_IN_SCHEMAS, check_schema
from engine.definitions.walk import RawStep, steps_of
from engine.definitions.workflows import Workflows


@dataclass(slots=True)
class Checked:
    data: dict[str, Any]
    catalogue: Catalogue
    workflows: Workflows
    schemas: Mapping[str, Mapping[str, Json]]
    secrets: Collection[str] | None
    task_types: Collection[str] | None
    findings: list[Finding] = field(default_factory=list)
    steps: list[RawStep] = field(default_factory=list)
    payload_schema: Mapping[str, Json] | None = None
    """The schema that payloads will have, where it is known and usable."""

    def __post_init__(self) -> None:
        self.steps = list(steps_of(self.data))
        inline = self.data.get("payloadSchema")
        if isinstance(inline, dict):
            self.payload_schema = None if check_schema(inline) else inline
        else:
            self.payload_schema = self.schema_named(self.data.get("payloadSchemaRef"))

    def schema_named(self, reference: Json) -> Mapping[str, Json] | None:
        if not isinstance(reference, str):
            return None
        return BUILT_IN_SCHEMAS.get(reference) or self.schemas.get(reference)

    def error(
        self, step: RawStep | None, code: str, message: str, suggestion: str | None = None
    ) -> None:
        self._add(Severity.ERROR, step, code, message, suggestion)

    def warning(
        self, step: RawStep | None, code: str, message: str, suggestion: str | None = None
    ) -> None:
        self._add(Severity.WARNING, step, code, message, suggestion)

    def _add(
        self,
        severity: Severity,
        step: RawStep | None,
        code: str,
        message: str,
        suggestion: str | None,
    ) -> None:
        path = ROOT if step is None else step.path
        step_id = None if step is None else step.id
        self.findings.append(Finding(severity, path, step_id, code, message, suggestion))
