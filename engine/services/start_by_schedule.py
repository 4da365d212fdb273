"""A fire of a schedule: one run of its workflow, with the clock as its payload (original 2.8).

The run's fire key is made of the schedule and the time that was due, so that two workers, or one
that died before it could write down that it had fired, give one run.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.definitions.payload_schema import CLOCK_SCHEMA
from engine.errors import Conflict, Invalid, TooLarge, TooMany, Unavailable
from engine.interpreter.failure import timestamp
from engine.runs.payload import Payload
from engine.services.context import Actor, Services
from engine.services.find_definitions import latest_version
from engine.services.hand_over import start_accepted
from engine.services.launch_run import LaunchRequest, accept
from engine.services.refused_start import Start, record_refusal
from engine.services.show_definition import payload_schema_of
from engine.store.definitions import WorkflowDefinitionVersion
from engine.store.runs import WorkflowRun

_WORKER: Final = Actor(source="worker")
_NO_RUN: Final = frozenset({"WORKFLOW_PAUSED", "WORKFLOW_NOT_PUBLISHED"})
"""Why a fire is skipped without a row: somebody wants no runs."""


@dataclass(frozen=True, slots=True)
class Fire:
    schedule_id: str
    workflow_id: str
    trigger_type: str
    cron: str | None
    timezone: str
    payload: Json
    """The schedule's own."""
    scheduled_for: datetime
    fired_at: datetime
    missed: int
    """Earlier times that nobody saw to: no worker was there. They get no run."""

    @property
    def key(self) -> str:
        return f"schedule:{self.schedule_id}:{timestamp(self.scheduled_for)}"


@dataclass(frozen=True, slots=True)
class Outcome:
    run_id: str | None
    """None: the fire was skipped."""
    error: str | None
    """Why it was skipped, or why its run failed before it began."""


def start_scheduled(services: Services, fire: Fire) -> Outcome:
    """Accept a run and have Temporal start it; where Temporal is away the reconciler does.

    May be repeated: the second time it finds the run of the first.
    """
    with services.store.reading() as session:
        known = _known(session, fire.key)
        version = latest_version(session, fire.workflow_id)
    if known is not None:
        return known
    if version is None:
        return Outcome(None, _skipped(fire, "no version of the workflow is published."))
    payload = _payload(fire, version)
    try:
        run_id = accept(services, _request(fire, version.version, payload)).run_id
    except (Invalid, TooLarge, TooMany, Conflict) as refused:
        if refused.code in _NO_RUN:
            return Outcome(None, _skipped(fire, refused.message))
        record_refusal(services, _start(fire, payload), refused)
        return _written(services, fire)
    except IntegrityError:
        return _written(services, fire)
    with suppress(Unavailable):
        start_accepted(services, run_id)
    return Outcome(run_id, None)


def _known(session: Session, key: str) -> Outcome | None:
    found = session.execute(
        select(WorkflowRun.run_id, WorkflowRun.error_json).where(
            WorkflowRun.trigger_fire_key == key
        )
    ).one_or_none()
    if found is None:
        return None
    error: Any = found.error_json
    at_launch = isinstance(error, dict) and error.get("stage") == "launch"
    return Outcome(found.run_id, error.get("message") if at_launch else None)


def _written(services: Services, fire: Fire) -> Outcome:
    """What came of it: another worker may have fired it since we looked. Raises if nothing did."""
    with services.store.reading() as session:
        known = _known(session, fire.key)
    if known is None:
        raise RuntimeError(f"the run of {fire.key} could not be written")
    return known


def _skipped(fire: Fire, reason: str) -> str:
    return f"The run of {timestamp(fire.scheduled_for)} was skipped: {reason}"


def _payload(fire: Fire, version: WorkflowDefinitionVersion) -> Json:
    """The clock where the version asks for it or takes anything, else the schedule's own."""
    document: Any = version.definition_json
    ref = document.get("payloadSchemaRef") if isinstance(document, dict) else None
    if ref != CLOCK_SCHEMA and payload_schema_of(version) is not None:
        return fire.payload
    clock: dict[str, Json] = {
        "triggerType": fire.trigger_type,
        **_times(fire),
        "workflowId": fire.workflow_id,
        "workflowVersion": version.version,
    }
    return clock


def _times(fire: Fire) -> dict[str, Json]:
    times: dict[str, Json] = {
        "scheduleId": fire.schedule_id,
        "scheduledFor": timestamp(fire.scheduled_for),
        "firedAt": timestamp(fire.fired_at),
        "timezone": fire.timezone,
    }
    return times if fire.cron is None else times | {"cron": fire.cron}


def _metadata(fire: Fire) -> dict[str, Json]:
    times = _times(fire)
    return times | {"missed": fire.missed} if fire.missed else times


def _request(fire: Fire, version: int, payload: Json) -> LaunchRequest:
    return LaunchRequest(
        workflow_key=None,
        workflow_id=fire.workflow_id,
        payload=Payload(payload),
        version=version,
        actor=_WORKER,
        trigger_type=fire.trigger_type,
        trigger_metadata=_metadata(fire),
        trigger_fire_key=fire.key,
    )


def _start(fire: Fire, payload: Json) -> Start:
    return Start(
        workflow_id=fire.workflow_id,
        fire_key=fire.key,
        trigger_type=fire.trigger_type,
        metadata=_metadata(fire),
        payload=payload,
    )
