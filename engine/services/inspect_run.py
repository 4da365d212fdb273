"""Everything that the run page and its commands show of one run, redacted."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from engine.contract import Json
from engine.definitions.workflows import MAX_CALL_DEPTH
from engine.errors import NotFound
from engine.runs.status import OPEN, LogLevel, RunStatus, StepStatus, WaitStatus
from engine.services.learn_steps import learn_steps
from engine.services.outline import Outline, outline_of
from engine.services.redact_run import Rules, RunRedaction
from engine.services.run_rows import trigger_of
from engine.services.run_timeline import error_view
from engine.services.run_views import CancelView, LogView, RelatedRun, RunView, WaitView
from engine.store.definitions import (
    RUNNABLE,
    WorkflowDefinition,
    WorkflowDefinitionVersion,
)
from engine.store.logs import WorkflowRunLog
from engine.store.operators import Operator
from engine.store.runs import WorkflowRun
from engine.store.steps import WorkflowRunStep
from engine.store.waits import WorkflowRunWait

LOG_LINES: Final = 50
RELATED: Final = 50
MOST_WAITS: Final = 500
"""Open at once."""


class OpenedRun:
    """A run that has been looked up: its row, its outline and how to redact it."""

    def __init__(
        self,
        session: Session,
        run_id: str,
        rules: Rules,
        above: RunRedaction | None = None,
        *,
        levels: int = MAX_CALL_DEPTH,
    ) -> None:
        """Raises `NotFound`. `above`: of the run that called this one, when that has learned.

        `levels`: how many callers, one above the other, are looked at; rows of another origin may
        name each other in a circle.
        """
        self.session = session
        self.row = _run_row(session, run_id)
        self.outline: Outline = outline_of(session, self.row.version_id)
        if above is None and levels:
            above = hidden_above(session, self.run.parent_run_id, rules, levels - 1)
        self.redaction = RunRedaction(rules, self.outline, self.run.input_json, above)

    @property
    def run(self) -> WorkflowRun:
        found: WorkflowRun = self.row.WorkflowRun
        return found

    def learn(self) -> None:
        """Before anything but the payload is shown."""
        learn_steps(self.session, self.run.run_id, self.redaction)


def open_run(session: Session, run_id: str, rules: Rules) -> OpenedRun:
    """Raises `NotFound`."""
    return OpenedRun(session, run_id, rules)


def hidden_above(
    session: Session, parent_id: str | None, rules: Rules, levels: int = MAX_CALL_DEPTH
) -> RunRedaction | None:
    """What the run that called it hides: it may have handed that down under any name."""
    if parent_id is None:
        return None
    try:
        parent = OpenedRun(session, parent_id, rules, levels=levels)
    except NotFound:
        return None
    parent.learn()
    return parent.redaction


def view_run(opened: OpenedRun, *, children: bool = True, replays: bool = True) -> RunView:
    """The run itself. `children`, `replays` False: known to have none, do not look."""
    run, row, redaction = opened.run, opened.row, opened.redaction
    session, metadata = opened.session, run.trigger_metadata_json
    return RunView(
        run_id=run.run_id,
        status=RunStatus(run.status),
        workflow_key=row.key,
        workflow_name=row.name,
        workflow_version=run.workflow_version,
        workflow_paused=row.is_paused,
        workflow_published=row.definition_status in RUNNABLE,
        engine=run.engine,
        temporal_workflow_id=run.temporal_workflow_id,
        temporal_run_id=run.temporal_run_id,
        born_of=trigger_of(run),
        trigger_type=run.trigger_type,
        event_name=run.event_type,
        correlation_key=redaction.text(run.correlation_key),
        started_by=row.started_by_email,
        reason=redaction.text(run.reason),
        state_label=redaction.text(run.state_label),
        node_path=run.node_path,
        started_at=run.started_at,
        claimed_at=run.claimed_at,
        completed_at=run.completed_at,
        updated_at=run.updated_at,
        definition_hash=run.definition_hash,
        payload=redaction.payload(run.input_json),
        trigger_metadata=None if metadata is None else redaction.value(metadata),
        error=error_view(run.error_json, redaction),
        cancel=_cancel(opened),
        replay_of=_one_run(session, run.replay_of_run_id),
        replayed_as=_runs(session, WorkflowRun.replay_of_run_id == run.run_id) if replays else (),
        parent=_one_run(session, run.parent_run_id),
        children=_runs(session, WorkflowRun.parent_run_id == run.run_id) if children else (),
    )


def children_of(opened: OpenedRun, *, limit: int) -> tuple[RelatedRun, ...]:
    """The runs that it called, in the order in which they were started."""
    called = WorkflowRun.parent_run_id == opened.run.run_id
    return _runs(opened.session, called, limit=limit, newest_first=False)


def open_waits_of(opened: OpenedRun) -> tuple[WaitView, ...]:
    """The newest first."""
    wait = WorkflowRunWait
    query = (
        select(wait)
        .where(wait.run_id == opened.run.run_id, wait.status == WaitStatus.WAITING)
        .order_by(wait.created_at.desc(), wait.wait_id)
        .limit(MOST_WAITS)
    )
    return tuple(wait_view(row, opened.redaction) for row in opened.session.scalars(query))


def logs_of(
    opened: OpenedRun, *, limit: int | None = LOG_LINES
) -> tuple[tuple[LogView, ...], bool]:
    """The newest lines, oldest first; and whether there are earlier ones."""
    log = WorkflowRunLog
    query = (
        select(log)
        .where(log.run_id == opened.run.run_id)
        .order_by(log.created_at.desc(), log.log_id.desc())
    )
    found = opened.session.scalars(query if limit is None else query.limit(limit + 1)).all()
    more = limit is not None and len(found) > limit
    newest = found[:limit] if more else found
    return tuple(log_view(row, opened.redaction) for row in reversed(newest)), more


def _run_row(session: Session, run_id: str) -> Any:
    version = WorkflowDefinitionVersion
    query = (
        select(
            WorkflowRun,
            WorkflowDefinition.key,
            WorkflowDefinition.name,
            WorkflowDefinition.is_paused,
            WorkflowDefinition.status.label("definition_status"),
            version.version_id,
            Operator.email.label("started_by_email"),
        )
        .join(WorkflowDefinition, WorkflowDefinition.workflow_id == WorkflowRun.workflow_id)
        .outerjoin(
            version,
            (version.workflow_id == WorkflowRun.workflow_id)
            & (version.version == WorkflowRun.workflow_version),
        )
        .outerjoin(Operator, Operator.operator_id == WorkflowRun.started_by)
        .where(WorkflowRun.run_id == run_id)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound("There is no run with this id.", code="RUN_NOT_FOUND")
    return row


def _cancel(opened: OpenedRun) -> CancelView | None:
    run, session = opened.run, opened.session
    if run.cancel_requested_at is None:
        return None
    asked_by = None
    if run.cancel_requested_by is not None:
        asked_by = session.scalar(
            select(Operator.email).where(Operator.operator_id == run.cancel_requested_by)
        )
    return CancelView(
        requested_at=run.cancel_requested_at,
        requested_by=asked_by,
        reason=opened.redaction.text(run.cancel_reason),
        delivered_at=run.cancel_delivered_at,
        waiting_for=_open_action(opened) if run.status in OPEN else None,
    )


def _open_action(opened: OpenedRun) -> str | None:
    """The newest action that has begun and not ended."""
    step = WorkflowRunStep
    found = opened.session.execute(
        select(step.step_path, step.name, step.definition_step_id)
        .where(
            step.run_id == opened.run.run_id,
            step.status == StepStatus.STARTED,
            step.kind == "action.call",
            step.superseded.is_(False),
        )
        .order_by(step.position.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    known = opened.outline.of(found.step_path)
    action = known.action if known else None
    return action or found.name or found.definition_step_id or found.step_path


def _one_run(session: Session, run_id: str | None) -> RelatedRun | None:
    if run_id is None:
        return None
    return next(iter(_runs(session, WorkflowRun.run_id == run_id)), None)


def _runs(
    session: Session,
    condition: ColumnElement[bool],
    *,
    limit: int = RELATED,
    newest_first: bool = True,
) -> tuple[RelatedRun, ...]:
    related, started = aliased(WorkflowDefinition), WorkflowRun.started_at
    query = (
        select(WorkflowRun.run_id, WorkflowRun.status, WorkflowRun.started_at, related.name)
        .join(related, related.workflow_id == WorkflowRun.workflow_id)
        .where(condition)
        .order_by(started.desc() if newest_first else started, WorkflowRun.run_id)
        .limit(limit)
    )
    return tuple(
        RelatedRun(row.run_id, RunStatus(row.status), row.started_at, row.name)
        for row in session.execute(query)
    )


def wait_view(row: WorkflowRunWait, redaction: RunRedaction) -> WaitView:
    payload: Json = row.payload
    return WaitView(
        wait_id=row.wait_id,
        wait_type=row.wait_type,
        status=row.status,
        path=row.step_path,
        key=redaction.text(row.key),
        event_name=row.event_name,
        timeout_at=row.timeout_at,
        created_at=row.created_at,
        resolved_at=row.resolved_at,
        payload=None if payload is None else redaction.value(payload),
    )


def log_view(row: WorkflowRunLog, redaction: RunRedaction) -> LogView:
    return LogView(
        log_id=row.log_id,
        at=row.created_at,
        level=LogLevel(row.level),
        message=redaction.text(row.message) or "",
        path=row.step_path,
        source=row.source,
        context=None if row.context_json is None else redaction.value(row.context_json),
    )
