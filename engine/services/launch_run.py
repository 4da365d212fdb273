"""Launching a run: the one way in which a run is born (docs/architecture.md 3; docs/rules.md 2).

Run now, Replay, an event, a schedule: all come through `launch_published_workflow_run`. A child run
is accepted in the same way (`accept`), and started by its parent's workflow.
The row is committed first, under an id from which Temporal's workflow id is made; then Temporal is
asked to start it, outside any transaction. A process that dies between the two leaves a row that
the reconciler starts by the same id.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.contract import RUNTIME_SEMANTICS, Json, temporal_workflow_id
from engine.errors import Conflict
from engine.runs.payload import Payload
from engine.runs.status import LogLevel, RunStatus
from engine.services import audit, launch_checks
from engine.services.context import Actor, Services
from engine.services.entered import free_text
from engine.services.hand_over import hand_over
from engine.services.launch_plan import executable_plan, keep_plan
from engine.services.run_log import note, source_of
from engine.store.definitions import WorkflowDefinition, WorkflowDefinitionVersion
from engine.store.runs import LaunchToken, WorkflowRun

_LONGEST_TOKEN: Final = 200


@dataclass(frozen=True, slots=True)
class Parent:
    """Of a child run: the run whose step calls it, and the first of all that led here."""

    run_id: str
    root_run_id: str


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    workflow_key: str | None
    """None only with `workflow_id`: definitions from before the cut-over may have no key."""
    payload: Payload
    actor: Actor
    version: int | None = None
    """None: the newest."""
    token: str | None = None
    """One-time: a second launch with it gives the first one's run."""
    workflow_id: str | None = None
    trigger_type: str | None = None
    """event, schedule, recurring; None: somebody pressed a button."""
    trigger_metadata: dict[str, Json] | None = None
    trigger_fire_key: str | None = None
    """One run for each: of which event, of which fire of a schedule."""
    event_type: str | None = None
    correlation_key: str | None = None
    """Of the event."""
    source_payload_schema_ref: str | None = None
    trigger_mapping_applied: bool = False
    replay_of_run_id: str | None = None
    reason: str | None = None
    parent: Parent | None = None

    @property
    def operation(self) -> str:
        """The name of what is done, in the audit log."""
        return "workflow_run_replay" if self.replay_of_run_id else "workflow_run_start"


@dataclass(frozen=True, slots=True)
class Launched:
    run_id: str
    already: bool = False
    """The token had been used: this is the run that it gave then."""


def launch_published_workflow_run(services: Services, request: LaunchRequest) -> Launched:
    """Accept a run and have Temporal start it.

    Raises `NotFound` (workflow, version), `Conflict` (not published, paused, actions missing),
    `TooLarge`, `Invalid` (payload), `TooMany` (limits): then nothing was written. Raises
    `Unavailable` with `details.run_id` when Temporal did not take the run: its row says so.
    """
    accepted = accept(services, request)
    if not accepted.already:
        hand_over(services, accepted.run_id, request.actor, request.operation)
    return accepted


def accept(services: Services, request: LaunchRequest) -> Launched:
    """Check, and commit the row. From here on the run is executed, or its row says why not.

    Raises as `launch_published_workflow_run` does, and `RunOver` where the parent has ended.
    """
    request = replace(
        request,
        token=free_text("token", request.token, longest=_LONGEST_TOKEN),
        reason=free_text("reason", request.reason),
    )
    with services.store.reading() as session:
        known = _by_token(session, request)
        if known is not None:
            return known
        workflow_id = launch_checks.find_definition(
            session, request.workflow_key, request.workflow_id
        ).workflow_id
        version = launch_checks.find_version(session, workflow_id, request.version)
    payload = launch_checks.storable_payload(services, request.payload)
    plan = executable_plan(version, services.catalogue)
    launch_checks.refuse_misfit(version.payload_schema_json, payload)
    try:
        with services.store.writing() as session:
            known = _by_token(session, request)
            if known is not None:
                return known
            if request.parent is not None:
                launch_checks.refuse_orphan(session, request.parent.run_id)
            launch_checks.admit(services, session, workflow_id, request.actor)
            keep_plan(session, version, plan)
            return _insert(services, session, replace(request, payload=payload), version, plan)
    except IntegrityError:
        # Another process has used the token since we looked.
        with services.store.reading() as session:
            known = _by_token(session, request)
        if known is None:
            raise
        return known


def _by_token(session: Session, request: LaunchRequest) -> Launched | None:
    """The run that the request's token has given already.

    Raises `Conflict` where it was a run of another workflow: a key that somebody chose twice.
    """
    if request.token is None:
        return None
    run_id = session.scalar(select(LaunchToken.run_id).where(LaunchToken.token == request.token))
    run_id = run_id or session.scalar(
        select(WorkflowRun.run_id).where(WorkflowRun.launch_token == request.token)
    )
    if run_id is None:
        return None
    started = session.execute(
        select(WorkflowDefinition.key, WorkflowDefinition.workflow_id)
        .join(WorkflowRun, WorkflowRun.workflow_id == WorkflowDefinition.workflow_id)
        .where(WorkflowRun.run_id == run_id)
    ).one_or_none()
    wanted = {request.workflow_key, request.workflow_id} - {None}
    if started is not None and not wanted & {started.key, started.workflow_id}:
        raise Conflict(f"This token has started a run of {started.key} already.", code="TOKEN_USED")
    return Launched(run_id, already=True)


def _insert(
    services: Services,
    session: Session,
    request: LaunchRequest,
    version: WorkflowDefinitionVersion,
    plan: dict[str, Json],
) -> Launched:
    run_id, now = str(uuid4()), services.now()
    session.add(
        WorkflowRun(
            run_id=run_id,
            workflow_id=version.workflow_id,
            workflow_version=version.version,
            status=RunStatus.RUNNING,
            node_path=plan["steps"][0]["path"] if plan["steps"] else None,
            input_json=request.payload.value,
            trigger_type=request.trigger_type,
            trigger_metadata_json=request.trigger_metadata,
            trigger_fire_key=request.trigger_fire_key,
            event_type=request.event_type,
            correlation_key=request.correlation_key,
            source_payload_schema_ref=request.source_payload_schema_ref,
            trigger_mapping_applied=request.trigger_mapping_applied,
            engine="temporal",
            temporal_workflow_id=temporal_workflow_id(run_id),
            definition_hash=version.definition_hash,
            runtime_semantics_version=RUNTIME_SEMANTICS,
            started_at=now,
            updated_at=now,
            launch_token=request.token,
            started_by=request.actor.operator_id,
            replay_of_run_id=request.replay_of_run_id,
            reason=request.reason,
            parent_run_id=None if request.parent is None else request.parent.run_id,
            root_run_id=None if request.parent is None else request.parent.root_run_id,
        )
    )
    session.flush()
    if request.token is not None:
        session.add(
            LaunchToken(
                token=request.token,
                run_id=run_id,
                operator_id=request.actor.operator_id,
                created_at=now,
            )
        )
    _tell(session, request, run_id, version, now)
    return Launched(run_id)


def _tell(
    session: Session,
    request: LaunchRequest,
    run_id: str,
    version: WorkflowDefinitionVersion,
    now: datetime,
) -> None:
    """The run's log and the audit row, in the transaction that accepts the run."""
    details: dict[str, Json] = {"version": version.version, "trigger": request.trigger_type}
    if request.parent is not None:
        details["parentRunId"] = request.parent.run_id
    if request.replay_of_run_id is not None:
        details |= {"replayOfRunId": request.replay_of_run_id, "reason": request.reason}
    said = "Replay accepted" if request.replay_of_run_id else "Run accepted"
    source = source_of(request.actor)
    note(session, run_id, LogLevel.INFO, said, now=now, source=source, context=details)
    audit.record(
        session,
        request.actor,
        request.operation,
        now,
        record_type=audit.RUN,
        record_id=run_id,
        details=details | {"workflowId": version.workflow_id},
    )
