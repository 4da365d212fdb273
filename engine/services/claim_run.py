"""The first thing a workflow does: claim its row (docs/rules.md 2).

`claimed_by` alone decides whether a run was ever begun. A row that is terminal, or that another
execution has claimed, is not executed. The answer brings plan and input, so that both are in
history and nothing of the installation is read again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from engine.contract import Claim, Claimed, Json
from engine.errors import Category, Conflict, StepFailed
from engine.runs.status import OPEN, RunStatus
from engine.services.context import Services
from engine.services.launch_plan import executable_plan, keep_plan
from engine.services.values import keep, storable
from engine.store.definitions import WorkflowDefinition, WorkflowDefinitionVersion
from engine.store.projection import RUNS
from engine.store.runs import WorkflowRun

PLAN_INLINE_BYTES: Final = 512 * 1024
"""A larger plan is fetched in pieces: a workflow task carries at most 4 MiB."""


def claim_run(services: Services, claim: Claim) -> Claimed:
    """Harmless to repeat: the same execution is granted its row again, through continue-as-new."""
    now = services.now()
    with services.store.writing() as session:
        if not _claim(session, claim, now):
            return Claimed(granted=False)
        run, version, key = _load(session, claim.run_id)
        try:
            plan = _plan(session, services, version)
        except Conflict as refused:
            return Claimed(granted=True, error=_no_plan(refused))
        return Claimed(
            granted=True,
            plan=_fitting(session, claim.run_id, plan, now),
            payload=run.input_json if claim.ordinal == 0 else None,
            meta=_meta(run),
            system=_system(run, key),
        )


def _claim(session: Session, claim: Claim, now: datetime) -> bool:
    """A row that this execution holds already may be WAITING: after a reset in Temporal."""
    never_begun = and_(RUNS.c.status == RunStatus.RUNNING, RUNS.c.claimed_by.is_(None))
    held = and_(RUNS.c.status.in_(OPEN), RUNS.c.claimed_by == claim.claimed_by)
    changed = session.execute(
        update(RUNS)
        .where(RUNS.c.run_id == claim.run_id, or_(never_begun, held))
        .values(
            claimed_by=claim.claimed_by,
            claimed_at=func.coalesce(RUNS.c.claimed_at, now),
            # Of a child, and where whoever started it died before it could note it.
            temporal_run_id=func.coalesce(RUNS.c.temporal_run_id, claim.claimed_by),
            updated_at=now,
        )
    )
    return bool(cast("CursorResult[Any]", changed).rowcount)


def _load(
    session: Session, run_id: str
) -> tuple[WorkflowRun, WorkflowDefinitionVersion, str | None]:
    row = session.execute(
        select(WorkflowRun, WorkflowDefinitionVersion, WorkflowDefinition.key)
        .join(WorkflowDefinition, WorkflowDefinition.workflow_id == WorkflowRun.workflow_id)
        .join(
            WorkflowDefinitionVersion,
            and_(
                WorkflowDefinitionVersion.workflow_id == WorkflowRun.workflow_id,
                WorkflowDefinitionVersion.version == WorkflowRun.workflow_version,
            ),
        )
        .where(WorkflowRun.run_id == run_id)
    ).one()
    return row[0], row[1], row[2]


def _plan(
    session: Session, services: Services, version: WorkflowDefinitionVersion
) -> dict[str, Json]:
    """The compiled plan; a version from before the cut-over gets one now, for good.

    Raises `Conflict` for a version that this installation cannot execute.
    """
    if version.plan_json is not None:
        return cast("dict[str, Json]", version.plan_json)
    plan = executable_plan(version, services.catalogue)
    keep_plan(session, version, plan)
    return plan


def _no_plan(refused: Conflict) -> dict[str, Json]:
    return StepFailed(
        Category.INTERPRETER, refused.message, code=refused.code, details=refused.details
    ).as_data()


def _fitting(
    session: Session, run_id: str, plan: dict[str, Json], now: datetime
) -> dict[str, Json]:
    if storable(plan)[1] <= PLAN_INLINE_BYTES:
        return plan
    return keep(session, run_id, plan, now)


def _meta(run: WorkflowRun) -> dict[str, Json]:
    meta: dict[str, Json] = {}
    if run.source_payload_schema_ref is not None:
        meta["sourcePayloadSchemaRef"] = run.source_payload_schema_ref
    if run.trigger_mapping_applied:
        meta["triggerMappingApplied"] = True
    return meta


def _system(run: WorkflowRun, key: str | None) -> dict[str, Json]:
    """What expressions see as `system`; `workflowId` is the key, as everywhere in documents."""
    return {
        "runId": run.run_id,
        "workflowId": key or run.workflow_id,
        "workflowVersion": run.workflow_version,
        "tenantId": None,
        "definitionHash": run.definition_hash,
        "runtimeSemanticsVersion": run.runtime_semantics_version,
    }
