"""Published workflows as the checker and the compiler ask for them: one query a question."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.definitions.workflows import PublishedWorkflow
from engine.services import find_definitions
from engine.store.definitions import WorkflowDefinition, WorkflowDefinitionVersion


class PublishedWorkflows:
    """`engine.definitions.workflows.Workflows`, read from the store."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, key: str, version: int | None) -> PublishedWorkflow | None:
        definition = find_definitions.by_key(self._session, key)
        if definition is None:
            return None
        if version is None:
            found = find_definitions.latest_version(self._session, definition.workflow_id)
        else:
            found = find_definitions.version_numbered(
                self._session, definition.workflow_id, version
            )
        if found is None:
            return None
        return PublishedWorkflow(
            key=key,
            version=found.version,
            payload_schema=found.payload_schema_json,
            calls=tuple(_calls(found.plan_json or {})),
        )

    def versions(self, key: str) -> list[int]:
        definition = find_definitions.by_key(self._session, key)
        if definition is None:
            return []
        return sorted(
            self._session.scalars(
                select(WorkflowDefinitionVersion.version).where(
                    WorkflowDefinitionVersion.workflow_id == definition.workflow_id
                )
            )
        )

    def keys(self) -> list[str]:
        found = self._session.scalars(
            select(WorkflowDefinition.key)
            .where(WorkflowDefinition.key.is_not(None))
            .order_by(WorkflowDefinition.key)
        )
        return [str(key) for key in found]


def _calls(block: dict[str, Json]) -> Iterator[tuple[str, int]]:
    """Calls in a plan, or in a step of it; the plan of a version has their versions pinned."""
    for step in block.get("steps", []):
        if step["kind"] == "control.callWorkflow":
            yield str(step["config"]["workflowId"]), int(step["config"]["workflowVersion"])
        for steps in step.get("blocks", {}).values():
            yield from _calls({"steps": steps})
