"""A workflow as an operator sees it: what it does, its versions, and what a run of it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.errors import NotFound
from engine.services.outline import StepOutline, read_outline
from engine.store.definitions import (
    DefinitionStatus,
    WorkflowDefinition,
    WorkflowDefinitionVersion,
)
from engine.store.operators import Operator

VERSIONS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class VersionRow:
    version: int
    published_at: datetime | None
    published_by: str | None
    definition_hash: str | None


@dataclass(frozen=True, slots=True)
class OutlineRow:
    """A step in the list of what a workflow does; `depth` counts the blocks around it."""

    path: str
    depth: int
    step: StepOutline


@dataclass(frozen=True, slots=True)
class WorkflowView:
    workflow_id: str
    key: str
    name: str
    description: str | None
    published: bool
    paused: bool
    concurrency_limit: int | None
    version: int | None
    """The newest published one; None: there is none."""
    versions: tuple[VersionRow, ...]
    payload_schema: Json
    """Of the newest version; None: any object."""
    redact: tuple[str, ...]
    steps: tuple[OutlineRow, ...]
    document: Json
    """The newest version's document. It holds no payload and no secret, only references."""
    updated_at: datetime

    @property
    def runnable(self) -> bool:
        return self.published and not self.paused and self.version is not None


def show_definition(session: Session, key: str) -> WorkflowView:
    """Raises `NotFound`."""
    definition = find_by_key(session, key)
    versions = session.execute(
        select(
            WorkflowDefinitionVersion.version,
            WorkflowDefinitionVersion.published_at,
            WorkflowDefinitionVersion.definition_hash,
            Operator.email,
        )
        .outerjoin(Operator, Operator.operator_id == WorkflowDefinitionVersion.published_by)
        .where(WorkflowDefinitionVersion.workflow_id == definition.workflow_id)
        .order_by(WorkflowDefinitionVersion.version.desc())
        .limit(VERSIONS_SHOWN)
    ).all()
    newest = _newest(session, definition.workflow_id)
    document = newest.definition_json if newest else None
    outline = read_outline(document)
    return WorkflowView(
        workflow_id=definition.workflow_id,
        key=definition.key or "",
        name=definition.name,
        description=definition.description,
        published=definition.status == DefinitionStatus.PUBLISHED,
        paused=definition.is_paused,
        concurrency_limit=definition.concurrency_limit,
        version=newest.version if newest else None,
        versions=tuple(
            VersionRow(row.version, row.published_at, row.email, row.definition_hash)
            for row in versions
        ),
        payload_schema=payload_schema_of(newest),
        redact=outline.redact,
        steps=tuple(
            OutlineRow(path, path.count(".steps[") - 1, step)
            for path, step in outline.steps.items()
        ),
        document=document,
        updated_at=definition.updated_at,
    )


def find_by_key(session: Session, key: str) -> WorkflowDefinition:
    """Raises `NotFound`; a key that cannot be one is not found either."""
    definition = None
    if "\x00" not in key:
        definition = session.scalars(
            select(WorkflowDefinition).where(WorkflowDefinition.key == key)
        ).one_or_none()
    if definition is None:
        raise NotFound(f"There is no workflow {key[:80]!r}.", code="WORKFLOW_NOT_FOUND")
    return definition


def payload_schema_of(version: WorkflowDefinitionVersion | None) -> Json:
    """The schema kept with the version, else the one in its document."""
    if version is None:
        return None
    if version.payload_schema_json is not None:
        return version.payload_schema_json
    document: Any = version.definition_json
    return document.get("payloadSchema") if isinstance(document, dict) else None


def _newest(session: Session, workflow_id: str) -> WorkflowDefinitionVersion | None:
    return session.scalars(
        select(WorkflowDefinitionVersion)
        .where(WorkflowDefinitionVersion.workflow_id == workflow_id)
        .order_by(WorkflowDefinitionVersion.version.desc())
        .limit(1)
    ).one_or_none()
