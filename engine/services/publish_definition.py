"""Publishing: a checked document becomes an immutable, numbered version (authoring.md, Document).

One transaction: the workflow's row, the version with its compiled plan and a copy of its payload
schema, its schedule, and the audit row. The same document again publishes nothing and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.definitions.check import Finding, check_document, has_errors
from engine.definitions.compile import compile_plan
from engine.definitions.document import MAX_JSON_DEPTH, Document
from engine.definitions.hashing import canonical_hash
from engine.errors import Conflict, Invalid, Problem
from engine.runs import strict_json
from engine.services import audit, find_definitions
from engine.services.context import Actor, Services
from engine.services.keep_schedule import keep_schedule
from engine.services.payload_schemas import all_schemas
from engine.services.published_workflows import PublishedWorkflows
from engine.services.task_types import all_task_types
from engine.store.definitions import (
    DefinitionStatus,
    ValidationStatus,
    WorkflowDefinition,
    WorkflowDefinitionVersion,
)

INLINE: Final = "inline"
"""`payload_schema_ref` of a document that brings its schema, or has none."""


@dataclass(frozen=True, slots=True)
class Published:
    key: str
    version: int
    already: bool
    """This very document was published before: nothing was written."""
    findings: tuple[Finding, ...] = ()
    """Warnings."""


class DocumentRefused(Invalid):
    """The document has faults; `findings` has every one of them, and the warnings."""

    code = "DOCUMENT_REFUSED"

    def __init__(self, findings: Sequence[Finding]) -> None:
        errors = [one for one in findings if one.severity == "error"]
        faults = "1 fault" if len(errors) == 1 else f"{len(errors)} faults"
        super().__init__(
            f"The document cannot be published: {faults}. "
            f"{errors[0].step_path}: {errors[0].message}",
            [Problem(one.step_path, one.message, one.code) for one in errors],
        )
        self.findings = tuple(findings)


def publish_text(services: Services, text: str | bytes, actor: Actor) -> Published:
    """A document as its author wrote it. Raises `Invalid` for what is no strict JSON, too."""
    return publish(services, parse_document(text), actor)


def parse_document(text: str | bytes) -> Json:
    """Strict JSON, nested as deeply as documents may be. Raises `Invalid`."""
    return strict_json.parse(text, max_depth=MAX_JSON_DEPTH)


def check(services: Services, document: Json) -> list[Finding]:
    """What publishing `document` would find; writes nothing."""
    with services.store.reading() as session:
        return _check(services, session, document)


def publish(services: Services, document: Json, actor: Actor) -> Published:
    """Raises `DocumentRefused`, and `Conflict` when the version's number is taken."""
    kept = strict_json.normal(document, max_depth=MAX_JSON_DEPTH)
    try:
        return _publish(services, kept, actor)
    except IntegrityError:  # Another process has published the same key since we looked.
        return _publish(services, kept, actor)


def _publish(services: Services, document: Json, actor: Actor) -> Published:
    with services.store.writing() as session:
        findings = _check(services, session, document)
        if has_errors(findings):
            raise DocumentRefused(findings)
        parsed = Document.model_validate(document)
        definition = find_definitions.by_key(session, parsed.id, lock=True)
        known = None if definition is None else _same(session, definition, document, parsed.version)
        if definition is not None and known is not None:
            keep_schedule(session, definition.workflow_id, definition.trigger, services.now())
            return Published(parsed.id, known, already=True, findings=tuple(findings))
        publishing = _Publishing(services, session, actor, document, parsed, services.now())
        version = publishing.write(definition, findings)
        return Published(parsed.id, version, already=False, findings=tuple(findings))


def _check(services: Services, session: Session, document: Json) -> list[Finding]:
    return check_document(
        document,
        services.catalogue,
        workflows=PublishedWorkflows(session),
        schemas=all_schemas(session),
        secrets=services.secret_names,
        task_types=all_task_types(session),
    )


def _same(
    session: Session,
    definition: WorkflowDefinition,
    document: Mapping[str, Json],
    asked: int | None,
) -> int | None:
    """The number under which this document is published already.

    Raises `Conflict` when the number it asks for belongs to another document.
    """
    if asked is None:
        known = find_definitions.latest_version(session, definition.workflow_id)
    else:
        known = find_definitions.version_numbered(session, definition.workflow_id, asked)
    if known is None:
        return None
    if _content(known.definition_json) == _content(document):
        return known.version
    if asked is not None:
        raise Conflict(
            f"Version {asked} of {definition.key} is published with other content, and a "
            "published version never changes: give the next number, or none.",
            code="VERSION_TAKEN",
            details={"version": asked},
        )
    return None


def _content(document: Mapping[str, Json]) -> str:
    return canonical_hash({name: value for name, value in document.items() if name != "version"})


@dataclass(frozen=True, slots=True)
class _Publishing:
    """One document on its way into the tables."""

    services: Services
    session: Session
    actor: Actor
    document: Mapping[str, Json]
    parsed: Document
    now: datetime

    def write(self, known: WorkflowDefinition | None, findings: Sequence[Finding]) -> int:
        newest = known and find_definitions.latest_version(self.session, known.workflow_id)
        highest = newest.version if newest else 0
        number = self.parsed.version or highest + 1
        definition = known or self._new_definition()
        if number > highest:
            self._describe(definition, number, findings)
        self.session.flush()
        self._add_version(definition, number, findings)
        keep_schedule(self.session, definition.workflow_id, definition.trigger, self.now)
        audit.record(
            self.session,
            self.actor,
            "workflow_publish",
            self.now,
            record_type=audit.DEFINITION,
            record_id=definition.workflow_id,
            details={"key": self.parsed.id, "version": number},
        )
        return number

    def _new_definition(self) -> WorkflowDefinition:
        definition = WorkflowDefinition(
            workflow_id=str(uuid4()),
            key=self.parsed.id,
            created_by=self.actor.operator_id,
            created_at=self.now,
        )
        self.session.add(definition)
        return definition

    def _describe(
        self, definition: WorkflowDefinition, number: int, findings: Sequence[Finding]
    ) -> None:
        """The workflow's row says what its newest version says."""
        ref = self.parsed.payload_schema_ref
        definition.name = self.parsed.name
        definition.description = self.parsed.description
        definition.payload_schema_ref = ref or INLINE
        definition.pinned_payload_schema_ref = ref
        definition.trigger = self.document.get("trigger")
        definition.draft_definition = self._numbered(number)
        definition.draft_version = number + 1
        definition.concurrency_limit = self.parsed.concurrency_limit
        definition.status = DefinitionStatus.PUBLISHED
        definition.updated_by = self.actor.operator_id
        definition.updated_at = self.now
        self._note_check(definition, findings)

    def _add_version(
        self, definition: WorkflowDefinition, number: int, findings: Sequence[Finding]
    ) -> None:
        content = self._numbered(number)
        version = WorkflowDefinitionVersion(
            version_id=str(uuid4()),
            workflow_id=definition.workflow_id,
            version=number,
            definition_json=content,
            definition_hash=canonical_hash(content),
            payload_schema_json=self._payload_schema(),
            plan_json=compile_plan(
                self.parsed, self.services.catalogue, PublishedWorkflows(self.session)
            ),
            published_by=self.actor.operator_id,
            published_at=self.now,
            created_at=self.now,
            updated_at=self.now,
        )
        self._note_check(version, findings)
        self.session.add(version)
        self.session.flush()

    def _numbered(self, number: int) -> dict[str, Json]:
        return {**self.document, "version": number}

    def _payload_schema(self) -> Json:
        """A copy: a schema that is added to the installation later changes no version."""
        ref = self.parsed.payload_schema_ref
        if ref is not None:
            return all_schemas(self.session)[ref]
        return self.document.get("payloadSchema")

    def _note_check(
        self,
        row: WorkflowDefinition | WorkflowDefinitionVersion,
        findings: Sequence[Finding],
    ) -> None:
        schema = self._payload_schema()
        row.validation_status = ValidationStatus.WARNING if findings else ValidationStatus.VALID
        row.validation_errors = []
        row.validation_warnings = [one.as_data() for one in findings]
        row.validated_at = self.now
        row.validation_payload_schema_hash = None if schema is None else canonical_hash(schema)
