"""Which secrets the published workflows name, and whether this installation has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.runs.redaction import is_secret_reference
from engine.services.context import Services
from engine.store.definitions import RUNNABLE, WorkflowDefinition, WorkflowDefinitionVersion


@dataclass(frozen=True, slots=True)
class SecretUse:
    name: str
    is_known: bool
    workflows: tuple[str, ...]
    """Keys of the workflows whose newest version names it."""


def secret_uses(services: Services) -> list[SecretUse]:
    """By name. `is_known` is what this process sees: a worker elsewhere may have others."""
    used: dict[str, set[str]] = {}
    with services.store.reading() as session:
        for key, document in _newest_documents(session):
            for name in _names(document):
                used.setdefault(name, set()).add(key)
    known = services.secret_names
    return [
        SecretUse(name, known is None or name in known, tuple(sorted(keys)))
        for name, keys in sorted(used.items())
    ]


def missing_secrets(services: Services) -> list[SecretUse]:
    return [use for use in secret_uses(services) if not use.is_known]


def _newest_documents(session: Session) -> Iterator[tuple[str, Json]]:
    version = WorkflowDefinitionVersion
    newest = (
        select(version.workflow_id, func.max(version.version).label("version"))
        .group_by(version.workflow_id)
        .subquery()
    )
    rows = session.execute(
        select(WorkflowDefinition.key, version.definition_json)
        .join(newest, newest.c.workflow_id == WorkflowDefinition.workflow_id)
        .join(
            version,
            (version.workflow_id == newest.c.workflow_id) & (version.version == newest.c.version),
        )
        .where(WorkflowDefinition.key.is_not(None), WorkflowDefinition.status.in_(RUNNABLE))
    )
    for key, document in rows:
        yield str(key), document


def _names(value: Json) -> Iterator[str]:
    if is_secret_reference(value):
        yield value["$secret"]
    elif isinstance(value, dict):
        for item in value.values():
            yield from _names(item)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)
