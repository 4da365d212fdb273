"""A workflow task that was lost twice: its repetition has the length of history of the lost one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.contract import ClosedWait
from engine.services.context import Services
from engine.services.record_progress import record_progress
from engine.services.take_quota import QuotaLimit
from engine.services.track_wait import open_wait
from engine.store.tables import WorkflowRun, WorkflowRunWait
from tests.attempts import batch, record
from tests.builders import NOW
from tests.integration.store.performed import rows, step_row
from tests.integration.store.recorded import a_wait


@pytest.mark.parametrize(
    ("said", "status"),
    [("STARTED", "STARTED"), ("STARTED", "SUCCEEDED"), ("SUCCEEDED", "SUCCEEDED")],
)
def test_a_step_began_when_the_task_that_counts_says(
    services: Services, run: WorkflowRun, said: str, status: str
) -> None:
    first = record(status=said)
    again = replace(
        first, status=status, started_at=first.started_at + 20_000, position=first.position + 3
    )
    lost = batch(run, records=[first])
    record_progress(services, lost)
    record_progress(services, replace(lost, records=[again]))

    row = step_row(services.store, run)
    assert round(row.started_at.timestamp() * 1000) == again.started_at
    assert row.position == again.position


def test_a_step_that_goes_on_began_when_it_began(services: Services, run: WorkflowRun) -> None:
    begun = record(status="STARTED")
    record_progress(services, batch(run, records=[begun]))
    ended = replace(begun, status="SUCCEEDED", started_at=begun.started_at + 5)
    later = batch(run, records=[ended])
    last = later.guard.history
    guard = replace(later.guard, completed_history=last, history=last + 3)
    record_progress(services, replace(later, guard=guard))

    assert round(step_row(services.store, run).started_at.timestamp() * 1000) == begun.started_at


def test_a_wait_lasts_and_ends_as_the_task_that_counts_says(
    services: Services, run: WorkflowRun
) -> None:
    """The lost one had opened it, and closed it with an event that was there."""
    for later_s in (0, 20):
        timeout_at = round(NOW.timestamp() * 1000) + later_s * 1000
        wanted = a_wait(run, wait_type="event", event_name="go", timeout_at=timeout_at)
        open_wait(services, QuotaLimit(), wanted)
        closed = ClosedWait(wanted.wait_id, "RESOLVED", timeout_at, {"matchedEventId": None})
        record_progress(services, batch(run, closed_waits=[closed]))

    [row] = rows(services.store, WorkflowRunWait)
    assert row.status == "RESOLVED"
    assert row.resolved_at == row.timeout_at == NOW + timedelta(seconds=20)
