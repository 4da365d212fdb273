"""What must hold before a run is accepted, in the order in which it is checked (architecture.md 3).

Everything that needs no lock is checked before the transaction begins; limits and the workflow's
own state are checked in the transaction that inserts the row, so that they hold between processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, defer

from engine.contract import Json
from engine.definitions.payload_schema import validate_payload
from engine.errors import Conflict, Invalid, NotFound, RunOver, TooLarge, TooMany
from engine.runs.payload import Payload
from engine.runs.status import OPEN
from engine.services import rate_limit
from engine.services.context import Actor, Services
from engine.store.definitions import (
    DefinitionStatus,
    WorkflowDefinition,
    WorkflowDefinitionVersion,
)
from engine.store.runs import WorkflowRun

_COLUMNS: Final = select(
    WorkflowDefinition.workflow_id,
    WorkflowDefinition.name,
    WorkflowDefinition.status,
    WorkflowDefinition.is_paused,
    WorkflowDefinition.concurrency_limit,
)
_FULL_FOR_S: Final = 10
"""What a client is told to wait when the concurrency limit is reached: nobody knows better."""


@dataclass(frozen=True, slots=True)
class Runnable:
    """What of a definition decides whether it may be launched; its draft is not read."""

    workflow_id: str
    name: str
    concurrency_limit: int | None


def find_definition(session: Session, key: str | None, workflow_id: str | None) -> Runnable:
    """A workflow that may be launched. Raises `NotFound`, `Conflict`."""
    wanted = (
        WorkflowDefinition.workflow_id == workflow_id
        if workflow_id is not None
        else WorkflowDefinition.key == key
    )
    named = key or workflow_id or ""
    found = None if "\0" in named else session.execute(_COLUMNS.where(wanted)).one_or_none()
    return _runnable(found, named)


def _runnable(found: Row[str, str, str, bool, int | None] | None, named: str) -> Runnable:
    if found is None:
        raise NotFound(f"There is no workflow {named[:80]!r}.", code="WORKFLOW_NOT_FOUND")
    if found.status != DefinitionStatus.PUBLISHED:
        raise Conflict(
            f"{found.name} is not published: publish it first.", code="WORKFLOW_NOT_PUBLISHED"
        )
    if found.is_paused:
        raise Conflict(
            f"{found.name} is paused: new runs are not accepted.", code="WORKFLOW_PAUSED"
        )
    return Runnable(found.workflow_id, found.name, found.concurrency_limit)


def find_version(
    session: Session, workflow_id: str, number: int | None
) -> WorkflowDefinitionVersion:
    """The version asked for, else the newest. Raises `NotFound`, `Conflict` (there is none).

    Its document is read only where it has no plan.
    """
    of_workflow = WorkflowDefinitionVersion.workflow_id == workflow_id
    newest = WorkflowDefinitionVersion.version.desc()
    document = defer(WorkflowDefinitionVersion.definition_json)
    query = select(WorkflowDefinitionVersion).options(document).where(of_workflow)
    query = query.order_by(newest).limit(1)
    if number is not None:
        query = query.where(WorkflowDefinitionVersion.version == number)
    version = session.scalars(query).one_or_none()
    if version is not None:
        if version.plan_json is None:
            session.refresh(version, ["definition_json"])
        return version
    if number is not None:
        raise NotFound(f"There is no version {number}.", code="VERSION_NOT_FOUND")
    raise Conflict("No version of it is published.", code="WORKFLOW_NOT_PUBLISHED")


def storable_payload(services: Services, payload: Payload) -> Payload:
    """The payload in the form that is stored. Raises `Invalid`, `TooLarge`."""
    kept = Payload.of(payload.value)
    limit = services.limits.payload_bytes
    if kept.bytes > limit:
        raise TooLarge(
            f"The payload has {kept.bytes:,} bytes; at most {limit:,} are accepted.",
            code="PAYLOAD_TOO_LARGE",
            details={"bytes": kept.bytes, "limit": limit},
        )
    return kept


def refuse_misfit(schema: Json, payload: Payload) -> None:
    """Raises `Invalid` with a pointer for each fault. `schema` None: any object fits."""
    problems = validate_payload(schema, payload.value)
    if problems:
        raise Invalid(
            "The payload does not fit this workflow.", problems, code="PAYLOAD_DOES_NOT_FIT"
        )


def refuse_orphan(session: Session, parent_run_id: str) -> None:
    """Raises `RunOver` where the parent has ended: who closes it closes its children after it.

    Its row stays locked, so that it cannot end before the child's row is there.
    """
    status = session.scalar(
        select(WorkflowRun.status)
        .where(WorkflowRun.run_id == parent_run_id)
        .with_for_update(read=True)
    )
    if status not in OPEN:
        raise RunOver("The run that called has ended.")


def admit(services: Services, session: Session, workflow_id: str, actor: Actor) -> None:
    """Limits, counted in the transaction that inserts the row (docs/rules.md 2). Raises `TooMany`.

    The definition's row is locked first: on PostgreSQL two launches of a workflow count one after
    the other, on SQLite BEGIN IMMEDIATE has seen to it. Who pauses it waits too.
    """
    locked = _COLUMNS.where(WorkflowDefinition.workflow_id == workflow_id).with_for_update()
    runnable = _runnable(session.execute(locked).one_or_none(), workflow_id)
    _refuse_when_full(session, runnable)
    _refuse_when_too_fast(services, session, actor)


def _refuse_when_full(session: Session, runnable: Runnable) -> None:
    limit = runnable.concurrency_limit
    if limit is None:
        return
    open_runs = session.scalar(
        select(func.count())
        .select_from(WorkflowRun)
        .where(WorkflowRun.workflow_id == runnable.workflow_id, WorkflowRun.status.in_(OPEN))
    )
    if (open_runs or 0) >= limit:
        raise TooMany(
            f"{runnable.name} may have {limit} runs at a time, and has them.",
            retry_after_s=_FULL_FOR_S,
            code="CONCURRENCY_LIMIT",
        )


def _refuse_when_too_fast(services: Services, session: Session, actor: Actor) -> None:
    if actor.operator_id is not None:
        bucket = f"launch:{actor.operator_id}"
        rate_limit.count(session, bucket, services.limits.launches_per_minute, services.now())
