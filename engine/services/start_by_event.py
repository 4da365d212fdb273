"""Event triggers: a run of every published workflow that an event's name starts (original 2.8).

An event starts one run of a workflow, however often it is processed. One that cannot be started
because of the event (its payload does not fit, a limit is reached) leaves a FAILED row that says
why; nobody would hear of it otherwise (docs/authoring.md, Decided).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.contract import RUNTIME_SEMANTICS, Json
from engine.errors import (
    Category,
    Conflict,
    Invalid,
    RunStudioError,
    StepFailed,
    TooLarge,
    TooMany,
    Unavailable,
)
from engine.interpreter.event_mapping import mapped_payload
from engine.runs.payload import Payload
from engine.runs.status import LogLevel, RunStatus
from engine.services.context import Actor, Services
from engine.services.end_run import why
from engine.services.find_definitions import latest_version
from engine.services.hand_over import start_accepted
from engine.services.launch_run import LaunchRequest, accept
from engine.services.run_log import note
from engine.store.definitions import DefinitionStatus, WorkflowDefinition
from engine.store.logs import LogSource
from engine.store.runs import WorkflowRun

TRIGGER: Final = "event"
_WORKER: Final = Actor(source="worker")


@dataclass(frozen=True, slots=True)
class _Started:
    workflow_id: str
    trigger: dict[str, Json]


def start_triggered(services: Services, event: Any) -> None:
    """Accept a run of each workflow that the event triggers, and have Temporal start it.

    Where Temporal is away the row stays, and the reconciler starts it.
    """
    with services.store.reading() as session:
        triggered = _triggered(session, event.event_name)
    for one in triggered:
        run_id = _accept(services, one, event)
        if run_id is not None:
            try:
                start_accepted(services, run_id)
            except Unavailable:
                continue


def runs_started_by(session: Session, event_id: str) -> tuple[str, ...]:
    """Also those that failed at launch: their rows say why."""
    keys = [
        _fire_key(event_id, workflow_id)
        for workflow_id in session.scalars(select(WorkflowDefinition.workflow_id))
    ]
    found = session.scalars(
        select(WorkflowRun.run_id)
        .where(WorkflowRun.trigger_fire_key.in_(keys))
        .order_by(WorkflowRun.started_at, WorkflowRun.run_id)
    )
    return tuple(found)


def _fire_key(event_id: str, workflow_id: str) -> str:
    return f"event:{event_id}:{workflow_id}"


def _triggered(session: Session, name: str) -> list[_Started]:
    rows = session.execute(
        select(WorkflowDefinition.workflow_id, WorkflowDefinition.trigger).where(
            WorkflowDefinition.status == DefinitionStatus.PUBLISHED,
            WorkflowDefinition.is_paused.is_(False),
            WorkflowDefinition.trigger.is_not(None),
        )
    )
    return [
        _Started(row.workflow_id, row.trigger)
        for row in rows
        if isinstance(row.trigger, dict)
        and row.trigger.get("type") == TRIGGER
        and row.trigger.get("eventName") == name
    ]


def _accept(services: Services, one: _Started, event: Any) -> str | None:
    """None: there is nothing to start."""
    fire_key = _fire_key(event.event_id, one.workflow_id)
    payload: Json = event.payload
    try:
        payload = _payload(one, event)
        return accept(services, _request(one, event, payload, fire_key)).run_id
    except (Invalid, TooLarge, TooMany, StepFailed, Conflict) as refused:
        if refused.code in ("WORKFLOW_PAUSED", "WORKFLOW_NOT_PUBLISHED"):
            return None
        _record_refusal(services, one, event, fire_key, refused)
        return None


def _payload(one: _Started, event: Any) -> Json:
    """Raises StepFailed(ExpressionError)."""
    mapping = one.trigger.get("payloadMapping")
    if mapping is None:
        return event.payload
    seen = {
        "name": event.event_name,
        "correlationKey": event.correlation_key,
        "payload": event.payload,
        "payloadSchemaRef": one.trigger.get("sourcePayloadSchemaRef"),
    }
    return mapped_payload(mapping, seen, event.created_at)


def _request(one: _Started, event: Any, payload: Json, fire_key: str) -> LaunchRequest:
    return LaunchRequest(
        workflow_key=None,
        workflow_id=one.workflow_id,
        payload=Payload(payload),
        actor=_WORKER,
        token=f"event-{hashlib.sha256(fire_key.encode()).hexdigest()}",
        trigger_type=TRIGGER,
        trigger_metadata=_metadata(event),
        trigger_fire_key=fire_key,
        event_type=event.event_name,
        source_payload_schema_ref=one.trigger.get("sourcePayloadSchemaRef"),
        trigger_mapping_applied=one.trigger.get("payloadMapping") is not None,
    )


def _metadata(event: Any) -> dict[str, Json]:
    return {
        "eventId": event.source_id or event.event_id,
        "eventName": event.event_name,
        "correlationKey": event.correlation_key,
    }


def _record_refusal(
    services: Services, one: _Started, event: Any, fire_key: str, refused: RunStudioError
) -> None:
    """A FAILED run that never was; once, however often the event is processed."""
    now = services.now()
    problems = refused.problems if isinstance(refused, Invalid) else []
    details: dict[str, Json] = {
        **refused.details,
        "problems": [{"pointer": p.pointer, "message": p.message} for p in problems],
    }
    category = refused.category if isinstance(refused, StepFailed) else Category.VALIDATION
    error = why(
        refused.code,
        refused.message,
        now,
        stage="launch",
        category=category.value,
        details=details,
    )
    try:
        with services.store.writing() as session:
            known = select(WorkflowRun.run_id).where(WorkflowRun.trigger_fire_key == fire_key)
            version = latest_version(session, one.workflow_id)
            if version is None or session.scalar(known) is not None:
                return
            run_id = str(uuid4())
            session.add(
                WorkflowRun(
                    run_id=run_id,
                    workflow_id=one.workflow_id,
                    workflow_version=version.version,
                    status=RunStatus.FAILED,
                    input_json=event.payload,
                    trigger_type=TRIGGER,
                    trigger_metadata_json=_metadata(event),
                    trigger_fire_key=fire_key,
                    event_type=event.event_name,
                    engine="temporal",
                    definition_hash=version.definition_hash,
                    runtime_semantics_version=RUNTIME_SEMANTICS,
                    error_json=error,
                    started_at=now,
                    completed_at=now,
                    updated_at=now,
                )
            )
            session.flush()
            note(
                session,
                run_id,
                LogLevel.ERROR,
                f"Not started: {refused.message}",
                now=now,
                source=LogSource.WORKER,
            )
    except IntegrityError:
        return  # Another process has written it.
