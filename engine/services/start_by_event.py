"""Event triggers: a run of every published workflow that an event's name starts (original 2.8).

An event starts one run of a workflow, however often it is processed. One that cannot be started
because of the event (its payload does not fit, a limit is reached) leaves a FAILED row that says
why; nobody would hear of it otherwise (docs/authoring.md, Decided).
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.errors import (
    Conflict,
    Invalid,
    StepFailed,
    TooLarge,
    TooMany,
    Unavailable,
)
from engine.interpreter.event_mapping import mapped_payload
from engine.runs.payload import Payload
from engine.services.context import Actor, Services
from engine.services.hand_over import start_accepted
from engine.services.launch_run import LaunchRequest, accept
from engine.services.refused_start import Start, record_refusal
from engine.store.definitions import DefinitionStatus, WorkflowDefinition
from engine.store.runs import WorkflowRun

TRIGGER: Final = "event"
_WORKER: Final = Actor(source="worker")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Started:
    workflow_id: str
    trigger: dict[str, Json]


def start_triggered(services: Services, event: Any) -> list[str]:
    """Accept a run of each workflow that the event triggers, and have Temporal start it.

    Where Temporal is away the row stays, and the reconciler starts it. One workflow that cannot be
    started does not keep the others from it: what is wrong with each is returned.
    """
    with services.store.reading() as session:
        triggered = _triggered(session, event.event_name)
    failed = []
    for one in triggered:
        try:
            _start_one(services, one, event)
        except Exception as error:
            workflow_id = one.workflow_id
            log.exception("events.not_started", workflow_id=workflow_id, event_id=event.event_id)
            failed.append(f"workflow {workflow_id}: {type(error).__name__}")
    return failed


def _start_one(services: Services, one: _Started, event: Any) -> None:
    run_id = _accept(services, one, event)
    if run_id is not None:
        with suppress(Unavailable):
            start_accepted(services, run_id)


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
        record_refusal(services, _start(one, event, fire_key), refused)
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
        correlation_key=event.correlation_key,
        source_payload_schema_ref=one.trigger.get("sourcePayloadSchemaRef"),
        trigger_mapping_applied=one.trigger.get("payloadMapping") is not None,
    )


def _metadata(event: Any) -> dict[str, Json]:
    return {
        "eventId": event.source_id or event.event_id,
        "eventName": event.event_name,
        "correlationKey": event.correlation_key,
    }


def _start(one: _Started, event: Any, fire_key: str) -> Start:
    return Start(
        workflow_id=one.workflow_id,
        fire_key=fire_key,
        trigger_type=TRIGGER,
        metadata=_metadata(event),
        payload=event.payload,
        event_type=event.event_name,
        correlation_key=event.correlation_key,
    )
