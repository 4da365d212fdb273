"""A run's waits, tasks and deliveries, compared with its history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from temporalio.api.enums.v1 import EventType

from engine.contract import ClosedWait
from engine.contract_waits import EventSignal
from engine.durable.wire import unpack
from tests.drills.evidence import Evidence
from tests.drills.projected import Projected, WaitThere
from tests.drills.retold import Chain

_ENDED: Final = frozenset({"OBSERVED", "MISSED"})


def of_waits(found: Evidence, chain: Chain, told: Projected) -> Iterator[str]:
    rows = {row.wait_id: row for row in found.waits}
    for wait_id, there in told.waits.items():
        row = rows.get(wait_id)
        if row is None:
            yield f"no row of the {there.wait_type} wait {wait_id}"
        else:
            yield from _of_wait(row, there)
    for wait_id, row in rows.items():
        if row.status == "WAITING":
            yield f"the {row.wait_type} wait {wait_id} is open in a run that has ended"
        if wait_id not in told.waits and row.status != "CANCELED":
            yield f"the wait {wait_id} is {row.status}, and the history knows nothing of it"
    yield from _of_tasks(found, told)
    yield from _of_deliveries(found, chain, told)


def _of_wait(row: Any, there: WaitThere) -> Iterator[str]:
    name = f"the {there.wait_type} wait {row.wait_id}"
    closed = there.closed
    if row.resolved_at is None:
        yield f"{name} ended at no time"
    if closed is None and row.status != "CANCELED":
        yield f"{name} is {row.status}, and the history does not end it"
    pairs: dict[str, tuple[Any, Any]] = {
        "kind": (row.wait_type, there.wait_type),
        "event name": (row.event_name, there.event_name),
        "time-out": (_ms(row.timeout_at), there.timeout_at),
    }
    if closed is not None:
        pairs |= {
            "outcome": (row.status, closed.outcome),
            "end": (_ms(row.resolved_at), closed.at),
            "event": ((row.payload or {}).get("matchedEventId"), closed.event_id),
        }
        if there.wait_type == "time" and closed.outcome == "RESOLVED":
            pairs["patience"] = (closed.at >= (there.timeout_at or 0), True)
    for what, (kept, wanted) in pairs.items():
        if kept != wanted:
            yield f"{name} has another {what}: {kept}, in Temporal {wanted}"


def _of_tasks(found: Evidence, told: Projected) -> Iterator[str]:
    rows = {row.task_id: row for row in found.tasks}
    for wait_id, there in told.waits.items():
        if there.wait_type != "human":
            continue
        row = rows.pop(wait_id, None)
        if row is None:
            yield f"no row of the task {wait_id}"
        else:
            yield from _of_task(row, there.closed)
    for task_id, row in rows.items():
        if row.status != "CANCELED":
            yield f"the task {task_id} is {row.status}, and the history knows nothing of it"


def _of_task(row: Any, closed: ClosedWait | None) -> Iterator[str]:
    wanted = (closed.task if closed is not None else None) or {"status": "CANCELED"}
    if row.status != wanted["status"]:
        yield f"the task {row.task_id} is {row.status}, in Temporal {wanted['status']}"
    if row.answer_json != wanted.get("answer"):
        yield f"the task {row.task_id} has another answer than Temporal"
    if row.answer_token != wanted.get("token"):
        yield f"the task {row.task_id} has the answer of another form than Temporal"


def _of_deliveries(found: Evidence, chain: Chain, told: Projected) -> Iterator[str]:
    taken = {
        there.closed.event_id: wait_id
        for wait_id, there in told.waits.items()
        if there.closed is not None and there.closed.event_id is not None
    }
    ending = [
        there.closed.event_id
        for there in told.waits.values()
        if there.closed is not None and there.closed.event_id is not None
    ]
    if len(ending) != len(set(ending)):
        yield "one event has ended two waits of it"
    rows = {row.event_id: row for row in found.deliveries}
    for event_id, wait_id in taken.items():
        row = rows.get(event_id)
        if row is None or (row.status, row.wait_id) != ("OBSERVED", wait_id):
            yield f"event {event_id} has ended the wait {wait_id}, and its delivery does not say so"
    for event_id, row in rows.items():
        if row.status not in _ENDED:
            yield f"event {event_id} is {row.status} in a run that has ended"
        if row.status == "OBSERVED" and event_id not in taken:
            yield f"event {event_id} is OBSERVED, and has ended no wait"
    for signal in _signals(chain):
        row = rows.get(signal.event_id)
        if row is None:
            yield f"it was told of the event {signal.event_id}, which was not for it"


def _signals(chain: Chain) -> Iterator[EventSignal]:
    for event in chain.events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            asked = event.workflow_execution_signaled_event_attributes
            if asked.signal_name == "event":
                yield unpack(EventSignal, json.loads(asked.input.payloads[0].data))


def _ms(moment: Any) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
