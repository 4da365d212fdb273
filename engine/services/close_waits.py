"""The rows of waits that have ended: the wait's, the event's that ended it, the task's."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from engine.contract import Batch, Json
from engine.services.step_rows import moment
from engine.store import event_routing, task_inbox, wait_rows

MATCHED: Final = "matchedEventId"


def close_waits(session: Session, batch: Batch, now: datetime) -> None:
    for closed in batch.closed_waits:
        if not wait_rows.close_wait(
            session, closed.wait_id, closed.outcome, closed.payload, moment(closed.at), batch.guard
        ):
            continue
        if MATCHED in closed.payload:
            event_routing.settle(session, batch.run_id, closed.wait_id, closed.event_id, now)
        if closed.task is not None:
            task_inbox.write_end(session, closed.wait_id, _values(closed.task), now)


def _values(task: dict[str, Json]) -> dict[str, Json]:
    answered_at = task.get("answeredAt")
    return {
        "status": task["status"],
        "answer_json": task.get("answer"),
        "answered_by": task.get("answeredBy"),
        "answered_by_id": task.get("answeredById"),
        "answered_at": None if answered_at is None else moment(answered_at),
        "answer_token": task.get("token"),
    }
