"""A workflow as an operator sees it: what it does, its versions, and what a run of it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.runs.payload import RedactedPayload
from engine.runs.redaction import Redactor
from engine.services.find_definitions import find_definition, latest_version
from engine.services.find_schedule import ScheduleView, find_schedule
from engine.services.outline import StepOutline, read_outline
from engine.services.pause_definition import Pause, pause_of
from engine.services.redact_run import Rules
from engine.store.definitions import (
    RUNNABLE,
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
    document: RedactedPayload
    """The newest version's document."""
    updated_at: datetime
    pause: Pause | None = None
    """Where it is paused, and where that is known."""
    schedule: ScheduleView | None = None
    """None: it starts by no clock."""

    @property
    def runnable(self) -> bool:
        return self.published and not self.paused and self.version is not None


def show_definition(session: Session, key: str, rules: Rules) -> WorkflowView:
    """Raises `NotFound`."""
    definition = find_definition(session, key)
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
    newest = latest_version(session, definition.workflow_id)
    document = newest.definition_json if newest else None
    outline = read_outline(document)
    return WorkflowView(
        workflow_id=definition.workflow_id,
        key=definition.key or "",
        name=definition.name,
        description=definition.description,
        published=definition.status in RUNNABLE,
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
        document=Redactor(rules.patterns).redact(document),
        updated_at=definition.updated_at,
        pause=pause_of(session, definition.workflow_id) if definition.is_paused else None,
        schedule=find_schedule(session, definition.workflow_id),
    )


def payload_schema_of(version: WorkflowDefinitionVersion | None) -> Json:
    """The schema kept with the version, else the one in its document."""
    if version is None:
        return None
    if version.payload_schema_json is not None:
        return version.payload_schema_json
    document: Any = version.definition_json
    return document.get("payloadSchema") if isinstance(document, dict) else None
