"""Documents that wait, and what comes to them, for tests that execute them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine.contract import Json
from engine.services.answer_task import AnswerReceipt, answer_task
from engine.services.context import Actor
from engine.services.deliver_event import EventReceipt, deliver_event
from engine.store.events import WorkflowEventDelivery
from tests import builders
from tests.run_cases import SOMEBODY
from tests.steps import Step, expr
from tests.studio import Studio

FORM = {
    "type": "object",
    "required": ["ok"],
    "additionalProperties": False,
    "properties": {"ok": {"type": "boolean"}, "why": {"type": "string", "maxLength": 20}},
}


def name() -> str:
    """An event's name of its own: tests share a database."""
    return f"event-{builders.new_id()[:8]}"


def event_wait(step_id: str, event: str, key: str = "null", **config: Any) -> Step:
    """`key`: an expression."""
    found = {"eventName": event, "correlationKey": expr(key), **config}
    return {"id": step_id, "type": "event.wait", "config": found}


def human_task(step_id: str, **config: Any) -> Step:
    found = {"title": expr("'Approve'"), **config}
    if "taskType" not in found:
        found.setdefault("form", FORM)
    return {"id": step_id, "type": "human.task", "config": found}


def send(
    studio: Studio, event: str, key: str | None = None, payload: Json = None, **more: Any
) -> EventReceipt:
    return deliver_event(
        studio.services, event, key, {} if payload is None else payload, actor=SOMEBODY, **more
    )


def answer(
    studio: Studio,
    task_id: str,
    payload: Json,
    token: str | None = None,
    actor: Actor = SOMEBODY,
) -> AnswerReceipt:
    return answer_task(studio.services, task_id, actor, payload, token or builders.new_id())


def open_wait_of(studio: Studio, run_id: str) -> str:
    """The id of the run's only open wait, when there is one."""
    studio.eventually(lambda: bool(open_waits(studio, run_id)))
    (found,) = open_waits(studio, run_id)
    return found


def open_waits(studio: Studio, run_id: str) -> list[str]:
    return [wait.wait_id for wait in studio.waits(run_id) if wait.status == "WAITING"]


def deliveries(studio: Studio, run_id: str) -> list[tuple[str, str]]:
    """The status of each, and the wait it is for."""
    with studio.store.reading() as session:
        rows = session.scalars(
            select(WorkflowEventDelivery)
            .filter_by(run_id=run_id)
            .order_by(WorkflowEventDelivery.created_at)
        )
        return [(row.status, row.wait_id) for row in rows]


def written(studio: Studio, run_id: str, step_id: str) -> Any:
    """What an assign step has set, by the names of the vars."""
    (step,) = studio.steps(run_id, definition_step_id=step_id)
    return {path.removeprefix("vars."): value for path, value in step.output_json.items()}
