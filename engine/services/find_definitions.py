"""Reads workflows and their published versions, for pages, commands and other services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.runs.status import OPEN
from engine.store.base import storable
from engine.store.definitions import (
    RUNNABLE,
    WorkflowDefinition,
    WorkflowDefinitionVersion,
)
from engine.store.runs import WorkflowRun
from engine.store.schedules import WorkflowSchedule

_SHOWN_KEY: Final = 80
"""Characters of an unknown key that a message repeats."""


@dataclass(frozen=True, slots=True)
class DefinitionRow:
    """A workflow in a list."""

    key: str
    name: str
    description: str | None
    is_published: bool
    is_paused: bool
    version: int | None
    """The newest published one."""
    published_at: datetime | None
    concurrency_limit: int | None
    open_runs: int
    next_fire_at: datetime | None = None
    """When its trigger starts the next run; None: no clock starts any."""


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A published version in a list: without its document."""

    version: int
    published_at: datetime | None
    published_by: str | None
    definition_hash: str | None


def list_definitions(session: Session) -> list[DefinitionRow]:
    """All workflows that have a key and are not hidden, by name."""
    newest, open_runs = _newest(), _open_runs()
    rows = session.execute(
        select(
            WorkflowDefinition.key,
            WorkflowDefinition.name,
            WorkflowDefinition.description,
            WorkflowDefinition.status,
            WorkflowDefinition.is_paused,
            WorkflowDefinition.concurrency_limit,
            newest.c.version,
            WorkflowDefinitionVersion.published_at,
            open_runs.c.open_count,
            WorkflowSchedule.next_fire_at,
        )
        .outerjoin(newest, newest.c.workflow_id == WorkflowDefinition.workflow_id)
        .outerjoin(
            WorkflowDefinitionVersion,
            (WorkflowDefinitionVersion.workflow_id == WorkflowDefinition.workflow_id)
            & (WorkflowDefinitionVersion.version == newest.c.version),
        )
        .outerjoin(open_runs, open_runs.c.workflow_id == WorkflowDefinition.workflow_id)
        .outerjoin(WorkflowSchedule, WorkflowSchedule.workflow_id == WorkflowDefinition.workflow_id)
        .where(WorkflowDefinition.key.is_not(None), WorkflowDefinition.is_visible.is_not(False))
        .order_by(func.lower(WorkflowDefinition.name), WorkflowDefinition.key)
    )
    return [
        DefinitionRow(
            key=str(row.key),
            name=row.name,
            description=row.description,
            is_published=row.status in RUNNABLE and row.version is not None,
            is_paused=bool(row.is_paused),
            version=row.version,
            published_at=row.published_at,
            concurrency_limit=row.concurrency_limit,
            open_runs=row.open_count or 0,
            next_fire_at=row.next_fire_at,
        )
        for row in rows
    ]


def find_definition(session: Session, key: str) -> WorkflowDefinition:
    """Raises `NotFound`."""
    found = by_key(session, key)
    if found is None:
        raise NotFound(f"There is no workflow {key[:_SHOWN_KEY]!r}.", code="WORKFLOW_NOT_FOUND")
    return found


def by_key(session: Session, key: str, *, lock: bool = False) -> WorkflowDefinition | None:
    """`lock`: nobody else changes the row before this transaction ends."""
    if not storable(key):
        return None
    query = select(WorkflowDefinition).where(WorkflowDefinition.key == key)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def latest_version(session: Session, workflow_id: str) -> WorkflowDefinitionVersion | None:
    """The one with the highest number."""
    return session.scalars(
        _versions_of(workflow_id).order_by(WorkflowDefinitionVersion.version.desc()).limit(1)
    ).one_or_none()


def version_numbered(
    session: Session, workflow_id: str, number: int
) -> WorkflowDefinitionVersion | None:
    return session.scalars(
        _versions_of(workflow_id).where(WorkflowDefinitionVersion.version == number)
    ).one_or_none()


def list_versions(session: Session, workflow_id: str) -> list[VersionRow]:
    """Newest first."""
    rows = session.execute(
        select(
            WorkflowDefinitionVersion.version,
            WorkflowDefinitionVersion.published_at,
            WorkflowDefinitionVersion.published_by,
            WorkflowDefinitionVersion.definition_hash,
        )
        .where(WorkflowDefinitionVersion.workflow_id == workflow_id)
        .order_by(WorkflowDefinitionVersion.version.desc())
    )
    return [
        VersionRow(row.version, row.published_at, row.published_by, row.definition_hash)
        for row in rows
    ]


def _versions_of(workflow_id: str) -> Select[WorkflowDefinitionVersion]:
    return select(WorkflowDefinitionVersion).where(
        WorkflowDefinitionVersion.workflow_id == workflow_id
    )


def _newest() -> Any:
    return (
        select(
            WorkflowDefinitionVersion.workflow_id,
            func.max(WorkflowDefinitionVersion.version).label("version"),
        )
        .group_by(WorkflowDefinitionVersion.workflow_id)
        .subquery()
    )


def _open_runs() -> Any:
    return (
        select(WorkflowRun.workflow_id, func.count().label("open_count"))
        .where(WorkflowRun.status.in_(OPEN))
        .group_by(WorkflowRun.workflow_id)
        .subquery()
    )
