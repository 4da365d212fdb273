"""Events and waits in the store, for tests that have no workflow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.contract import ClosedWait, Json
from engine.contract_waits import OpenWait, WaitAnswer
from engine.services.context import Services
from engine.services.deliver_event import EventReceipt, deliver_event
from engine.services.record_progress import record_progress
from engine.services.take_quota import QuotaLimit
from engine.services.tell_waits import OLD_ENOUGH
from engine.services.track_wait import open_wait
from engine.store.session import Store
from engine.store.tables import WorkflowEventDelivery, WorkflowRun
from tests import builders
from tests.attempts import STARTED_AT, batch
from tests.integration.store.recorded import a_wait, rows
from tests.run_cases import SOMEBODY


def an_event_wait(run: WorkflowRun, number: int = 0, **fields: Any) -> OpenWait:
    defaults = {
        "wait_id": builders.new_id(),
        "path": f"root.steps[{number}]",
        "kind": "event.wait",
        "wait_type": "event",
        "event_name": "paid",
        "key": None,
        "timeout_at": None,
        "payload": {"filters": []},
    }
    return a_wait(run, **defaults | fields)


def opened(services: Services, wait: OpenWait) -> WaitAnswer:
    return open_wait(services, QuotaLimit(), wait)


def send(services: Services, payload: Json = None, **fields: Any) -> EventReceipt:
    given: dict[str, Any] = {"name": "paid", "key": "k", "actor": SOMEBODY} | fields
    return deliver_event(services, payload={} if payload is None else payload, **given)


def close(services: Services, run: WorkflowRun, wait: OpenWait, event_id: str | None) -> None:
    closed = ClosedWait(
        wait.wait_id, "RESOLVED", STARTED_AT, {"matchedEventId": event_id}, event_id
    )
    record_progress(services, batch(run, closed_waits=[closed]))


def later(services: Services) -> Services:
    now = services.now() + OLD_ENOUGH * 3
    return replace(services, now=lambda: now)


def statuses(store: Store) -> list[str]:
    return sorted(row.status for row in rows(store, WorkflowEventDelivery))
