"""Answering a human task: an update of its run's workflow (docs/rules.md 7).

The form is checked here first, so that a wrong answer is told beside its fields without asking
Temporal. Whether the task is still open is the workflow's to say: of two answers at once it takes
one. Its rows follow.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.contract import Json, workflow_id_of
from engine.contract_waits import ANSWER_DOES_NOT_FIT, UPDATE_ANSWER_TASK, TaskAnswer
from engine.definitions.payload_schema import validate
from engine.durable.wire import pack
from engine.errors import Conflict, Invalid, NotFound, Problem, RunStudioError
from engine.gateway.executions import UpdateOutcome, UpdateState
from engine.interpreter.failure import timestamp
from engine.runs.payload import Payload
from engine.runs.status import OPEN, LogLevel
from engine.services import audit
from engine.services.context import Actor, Services
from engine.services.entered import free_text
from engine.services.launch_checks import storable_payload
from engine.services.run_log import note, source_of
from engine.store import task_inbox
from engine.store.audit import AuditOutcome
from engine.store.runs import WorkflowRun
from engine.store.tasks import TaskStatus, WorkflowHumanTask

OPERATION: Final = "task_answer"
COMMAND_LINE: Final = "the command line"

_LONGEST_TOKEN: Final = 200
_TRIES: Final = 3
"""A worker that has just been lost may have opened a task that its successor has not yet."""
_TRY_AGAIN_S: Final = 0.5

_CLOSED: Final = {
    TaskStatus.ANSWERED: "The task has been answered already",
    TaskStatus.CANCELED: "The task was canceled with its run",
    TaskStatus.EXPIRED: "The time to answer the task is over",
}


class AnswerState(StrEnum):
    ACCEPTED = "accepted"
    UNCONFIRMED = "unconfirmed"
    """Not confirmed yet: it may still be accepted when a worker comes."""


@dataclass(frozen=True, slots=True)
class AnswerReceipt:
    run_id: str
    task_id: str
    state: AnswerState


@dataclass(frozen=True, slots=True)
class _Task:
    task: WorkflowHumanTask
    run_status: str
    workflow_id: str


def answer_task(
    services: Services, task_id: str, actor: Actor, payload: Json, token: str
) -> AnswerReceipt:
    """Answer an open task; `token`: the form's, so that a double click is one answer.

    Raises `NotFound`, `Conflict` (answered already, by whom and when in `details {status,
    answeredBy, answeredAt}`; canceled; expired; its run has ended), `Invalid` (the answer does not
    fit: a problem with a pointer for each fault; nothing was sent), `TooLarge`, and `Unavailable`
    (Temporal cannot be reached: nothing was saved).
    """
    kept_token = free_text("token", token, longest=_LONGEST_TOKEN)
    if kept_token is None:
        raise Invalid("The answer has no token.", [Problem("token", "must be given")])
    with services.store.reading() as session:
        found = find(session, task_id)
    receipt = AnswerReceipt(found.task.run_id, found.task.task_id, AnswerState.ACCEPTED)
    if _is_same_answer(found.task, kept_token):
        return receipt
    _refuse_closed(found)
    answer = storable_payload(services, Payload(payload)).value
    _refuse_misfit(validate(found.task.form_json or {}, answer))
    try:
        outcome = _ask(services, found, _message(found.task, actor, answer, kept_token))
        state = _state(services, found, outcome)
    except RunStudioError as error:
        _audit(services, actor, found.task, AuditOutcome.FAILED, {"code": error.code})
        raise
    _record(services, actor, found.task, answer, kept_token, state)
    return AnswerReceipt(found.task.run_id, found.task.task_id, state)


def find(session: Session, task_id: str) -> _Task:
    """Raises `NotFound`."""
    row = session.execute(
        select(WorkflowHumanTask, WorkflowRun.status, WorkflowRun.temporal_workflow_id)
        .join(WorkflowRun, WorkflowRun.run_id == WorkflowHumanTask.run_id)
        .where(WorkflowHumanTask.task_id == _id_of(task_id))
    ).one_or_none()
    if row is None:
        raise _no_task(task_id)
    task, status, workflow_id = row
    return _Task(task, status, workflow_id_of(task.run_id, workflow_id))


def _id_of(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise _no_task(text) from None


def _no_task(text: str) -> NotFound:
    return NotFound(f"There is no task {text[:80]!r}.", code="TASK_NOT_FOUND")


def _is_same_answer(task: WorkflowHumanTask, token: str) -> bool:
    return task.status == TaskStatus.ANSWERED and task.answer_token == token


def _refuse_closed(found: _Task) -> None:
    task = found.task
    if task.status != TaskStatus.OPEN:
        raise _conflict(task.status, task.answered_by, task.answered_at)
    if found.run_status not in OPEN:
        raise Conflict(f"The run has ended: it is {found.run_status}.", code="RUN_ENDED")


def _conflict(status: str, by: str | None, at: datetime | None) -> Conflict:
    message = _CLOSED[TaskStatus(status)]
    if by is not None:
        message += f" by {by}"
    if at is not None:
        message += f" at {timestamp(at)}"
    return Conflict(
        f"{message}.",
        code=f"TASK_{status}",
        details={
            "status": status,
            "answeredBy": by,
            "answeredAt": None if at is None else timestamp(at),
        },
    )


def _refuse_misfit(problems: list[Problem]) -> None:
    if problems:
        raise Invalid("The answer does not fit the form.", problems, code=ANSWER_DOES_NOT_FIT)


def _message(task: WorkflowHumanTask, actor: Actor, answer: Json, token: str) -> TaskAnswer:
    return TaskAnswer(
        task_id=task.task_id,
        payload=answer,
        token=token,
        answered_by=actor.email or COMMAND_LINE,
        answered_by_id=actor.operator_id,
    )


def _ask(services: Services, found: _Task, message: TaskAnswer) -> UpdateOutcome:
    update_id = f"{message.task_id}:{message.token}"
    outcome = UpdateOutcome(UpdateState.UNCONFIRMED)
    for tried in range(_TRIES):
        if tried:
            time.sleep(_TRY_AGAIN_S)
        outcome = services.gateway.update_run(
            found.workflow_id, UPDATE_ANSWER_TASK, pack(message), update_id
        )
        if not _may_open_yet(services, message.task_id, outcome):
            break
    return outcome


def _may_open_yet(services: Services, task_id: str, outcome: UpdateOutcome) -> bool:
    """The workflow says that the task is not open, knows no answer, and the row says it is."""
    if outcome.state is not UpdateState.REFUSED or outcome.refused_as == ANSWER_DOES_NOT_FIT:
        return False
    if outcome.details:
        return False
    with services.store.reading() as session:
        return find(session, task_id).task.status == TaskStatus.OPEN


def _state(services: Services, found: _Task, outcome: UpdateOutcome) -> AnswerState:
    """Raises `Conflict` or `Invalid` for a refusal."""
    if outcome.state is UpdateState.ACCEPTED:
        return AnswerState.ACCEPTED
    if outcome.state is UpdateState.UNCONFIRMED:
        return AnswerState.UNCONFIRMED
    if outcome.refused_as == ANSWER_DOES_NOT_FIT:
        details = outcome.details if isinstance(outcome.details, list) else []
        _refuse_misfit([Problem(one["pointer"], one["message"], one["code"]) for one in details])
    known = outcome.details if isinstance(outcome.details, dict) else {}
    if "answeredAt" in known:
        at = datetime.fromtimestamp(known["answeredAt"] / 1000, UTC)
        raise _conflict(TaskStatus.ANSWERED, known.get("answeredBy"), at)
    with services.store.reading() as session:
        _refuse_closed(find(session, found.task.task_id))
    raise Conflict("The task is not open any more.", code="TASK_CLOSED")


def _record(
    services: Services,
    actor: Actor,
    task: WorkflowHumanTask,
    answer: Json,
    token: str,
    state: AnswerState,
) -> None:
    """Who answered. An accepted answer closes the task at once; the wait closes with its step."""
    now = services.now()
    who = actor.email or COMMAND_LINE
    values: dict[str, Any] = {
        "status": TaskStatus.ANSWERED,
        "answer_json": answer,
        "answered_by": who,
        "answered_by_id": actor.operator_id,
        "answered_at": now,
        "answer_token": token,
    }
    with services.store.writing() as session:
        said = "answered" if state is AnswerState.ACCEPTED else "an answer, not confirmed yet,"
        note(
            session,
            task.run_id,
            LogLevel.INFO,
            f"Task {said} by {who}",
            now=now,
            source=source_of(actor),
        )
        # The line of the log locks the run's row: first, as the activities do.
        session.flush()
        if state is AnswerState.ACCEPTED:
            task_inbox.close_task(session, task.task_id, values, now)
        details: dict[str, Json] = {"runId": task.run_id, "state": state.value}
        audit.record(
            session,
            actor,
            OPERATION,
            now,
            record_type="task",
            record_id=task.task_id,
            details=details,
        )


def _audit(
    services: Services,
    actor: Actor,
    task: WorkflowHumanTask,
    outcome: AuditOutcome,
    details: dict[str, Json],
) -> None:
    audit.record_refusal(
        services,
        actor,
        OPERATION,
        outcome=outcome,
        record_type="task",
        record_id=task.task_id,
        details={"runId": task.run_id, **details},
    )
