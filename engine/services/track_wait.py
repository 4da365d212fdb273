"""The rows of a wait: what the operator sees of it, and what routes an event to it (rules.md 7)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.contract import Json, StepRecord, occurrence
from engine.contract_waits import AdmitStep, Admitted, OpenWait, WaitAnswer
from engine.runs.status import RunStatus, StepStatus, WaitStatus, WaitType
from engine.services.context import Services
from engine.services.record_progress import apply_batch
from engine.services.step_rows import moment, write_step
from engine.services.take_quota import QuotaLimit, take_quota
from engine.store import event_routing, projection, task_inbox, wait_rows
from engine.store.event_routing import Wanted
from engine.store.events import DeliveryStatus
from engine.store.projection import RUNS


def open_wait(services: Services, quota: QuotaLimit, wanted: OpenWait) -> WaitAnswer:
    """Write the wait and its step as open; the run is WAITING when nothing else executes.

    The answer has the event that came before, where there is one: then the run goes on at once.
    """
    now, counted = services.now(), quota.applies(services)
    with services.store.writing() as session:
        if wanted.wait_type == WaitType.EVENT and wanted.event_name is not None:
            event_routing.meet(session, wanted.event_name)
        view = projection.glance(session, wanted.batch, to_write=True)
        if view.over:
            return WaitAnswer(run_over=True)
        event = form = problem = None
        status = RunStatus.WAITING if wanted.run_waits else None
        apply_batch(session, wanted.batch, view, now, run_row=True, status=status)
        if wanted.wait_type != WaitType.QUOTA:
            # A step that pauses for quota has not begun: its row would count as an attempt.
            if counted:
                take_quota(session, wanted, now)
            write_step(session, wanted.batch, _started(wanted), now)
        is_open = wait_rows.open_wait(session, _wait_row(wanted, now))
        if wanted.wait_type == WaitType.EVENT:
            event = _event_before(session, wanted, now)
        elif wanted.wait_type == WaitType.HUMAN:
            form, problem = _open_task(session, wanted, now, is_open=is_open)
    return WaitAnswer(
        take_boundary=view.cancel_requested,
        repeated=view.lost_rows,
        event=event,
        form=form,
        problem=problem,
        counted=counted,
    )


def admit_step(services: Services, quota: QuotaLimit, wanted: AdmitStep) -> Admitted:
    """Count an attempt of a wait, task or call step, or say what is used up (authoring.md)."""
    now = services.now()
    counted = quota.applies(services)
    denied = None
    with services.store.writing() as session:
        view = projection.glance(session, wanted.batch, to_write=True)
        if view.over:
            return Admitted(run_over=True)
        apply_batch(session, wanted.batch, view, now, run_row=True)
        if counted:
            denied = take_quota(session, wanted, now)
        if denied is None:
            write_step(session, wanted.batch, _started(wanted), now)
    return Admitted(take_boundary=view.cancel_requested, repeated=view.lost_rows, quota=denied)


def _event_before(session: Session, wanted: OpenWait, now: datetime) -> dict[str, Json] | None:
    """What has come since the run was started and has served no wait of it."""
    since = session.execute(select(RUNS.c.started_at).where(RUNS.c.run_id == wanted.run_id))
    name = wanted.event_name or ""
    filters = wanted.payload.get("filters") or []
    asked = Wanted(wanted.run_id, wanted.wait_id, name, wanted.key, filters)
    event = event_routing.event_for(session, asked, since.scalar_one())
    if event is None:
        return None
    event_routing.assign(
        session, event.event_id, wanted.run_id, wanted.wait_id, DeliveryStatus.DELIVERED, now
    )
    return {"eventId": event.event_id, "eventName": event.event_name, "payload": event.payload}


def _open_task(
    session: Session, wanted: OpenWait, now: datetime, *, is_open: bool
) -> tuple[dict[str, Json] | None, str | None]:
    """The form, fixed from here on; or why there can be no such task."""
    task = wanted.payload
    form, task_type = task.get("form"), task.get("taskType")
    if form is None and task_type is not None:
        form = task_inbox.form_of_type(session, str(task_type))
        if form is None:
            return None, f"There is no task type {task_type} here."
    kept = task_inbox.open_task(
        session,
        {
            "task_id": wanted.wait_id,
            "run_id": wanted.run_id,
            "step_path": wanted.path,
            "title": task.get("title") or "",
            "description": task.get("description"),
            "task_type": task_type,
            "form_json": form or {},
            "context_json": task.get("contextData"),
            "assignee": task.get("assignee"),
            "due_at": _date(task.get("dueAt")),
            "timeout_at": None if wanted.timeout_at is None else moment(wanted.timeout_at),
            "created_at": now,
            "updated_at": now,
        },
        is_open=is_open,
    )
    return kept, None


def _date(text: Json) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _wait_row(wanted: OpenWait, now: datetime) -> dict[str, Json]:
    return {
        "wait_id": wanted.wait_id,
        "run_id": wanted.run_id,
        "step_path": wanted.path,
        "occurrence": occurrence(wanted.path, wanted.iter),
        "wait_type": wanted.wait_type,
        "key": wanted.wait_id if wanted.wait_type == WaitType.HUMAN else wanted.key,
        "event_name": wanted.event_name,
        "timeout_at": None if wanted.timeout_at is None else moment(wanted.timeout_at),
        "status": WaitStatus.WAITING,
        "payload": wanted.payload,
        "created_at": now,
        "updated_at": now,
        "epoch": 1,
        **projection.written_by(wanted.batch.guard),
    }


def _started(wanted: OpenWait | AdmitStep) -> StepRecord:
    return StepRecord(
        position=wanted.position,
        step_id=wanted.step_id,
        path=wanted.path,
        iter=wanted.iter,
        kind=wanted.kind,
        status=StepStatus.STARTED,
        attempt=wanted.attempt,
        started_at=wanted.started_at,
        input=wanted.input if isinstance(wanted, OpenWait) else None,
        name=wanted.name,
    )
